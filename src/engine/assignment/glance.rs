//! A glance at a key word: whether what stands around it could be an assignment at all.
//!
//! Looks at no more than [`CONTEXT`] bytes on either side. Says no only where the pass would find
//! nothing, whatever stands beyond them: most key words stand in prose, or in code that assigns
//! nothing, and need not become candidates.

use super::keys::{self, Class, Key};
use super::values::{is_type, is_type_byte, prose};

/// Bytes before and after the start of an anchor that are looked at.
pub(in crate::engine) const CONTEXT: usize = 32;

/// Whether the key that an anchor at `start` belongs to may be given a secret.
pub(in crate::engine) fn may_be_assigned(text: &[u8], start: usize) -> bool {
    let glance = Glance {
        text,
        start,
        floor: start.saturating_sub(CONTEXT),
        ceiling: (start + CONTEXT).min(text.len()),
    };
    glance.may_be_assigned().unwrap_or(true)
}

/// What is seen of the text. Each question has the answer `None` when it cannot be told.
#[derive(Clone, Copy)]
struct Glance<'a> {
    text: &'a [u8],
    start: usize,
    floor: usize,
    ceiling: usize,
}

/// In place of a byte, where the text ends: stands in no assignment.
const END: u8 = 0;

impl Glance<'_> {
    /// Follows `values::values_after` up to the operator.
    fn may_be_assigned(self) -> Option<bool> {
        let end = self.skip(self.start, usize::MAX, keys::is_key_byte)?;
        if end == self.start {
            return None;
        }
        match self.text[end - 1] {
            // `key->`
            b'-' if self.byte(end)? == b'>' => return Some(true),
            b'.' | b'-' => return Some(false),
            _ => {}
        }
        let leads_on = self.leads_on(end)?;
        Some(leads_on && Key::read(self.key(end)?).is_some())
    }

    /// Whether what follows the key, which ends at `end`, could lead to a value.
    fn leads_on(self, end: usize) -> Option<bool> {
        let quote = |byte| matches!(byte, b'"' | b'\'' | b'`' | b']' | b'\\');
        let closed = self.skip(end, 3, quote)?;
        let is_closed = closed > end;
        match self.byte(closed)? {
            b'>' | b'<' => return Some(true),
            b'(' if !is_closed => return self.takes_literal(closed + 1),
            _ => {}
        }
        Some(self.is_paired(closed, is_closed)? || self.is_operator(closed, is_closed)?)
    }

    /// Whether a literal in quotes is the first argument of a call.
    fn takes_literal(self, at: usize) -> Option<bool> {
        let argument = self.skip(at, 40, |byte| matches!(byte, b' ' | b'\t'))?;
        let argument = self.skip(argument, 2, |byte| b"bBrRuUfFLN@$#\\".contains(&byte))?;
        Some(matches!(self.byte(argument)?, b'"' | b'\'' | b'`'))
    }

    /// Whether the value may stand beside a key that is itself named.
    fn is_paired(self, at: usize, closed: bool) -> Option<bool> {
        let comma = usize::from(self.byte(at)? == b',');
        let word = self.skip(at + comma, 40, |byte| byte.is_ascii_whitespace())?;
        if word == at + comma {
            return Some(false);
        }
        let word = self.skip(word, 1, |byte| byte == b'"')?;
        Some(matches!(self.byte(word)?, b'v' | b'V') && (closed || self.is_named()?))
    }

    /// Whether an operator follows, or what stands for one.
    fn is_operator(self, at: usize, closed: bool) -> Option<bool> {
        let sign = self.skip(at, 40, |byte| matches!(byte, b' ' | b'\t'))?;
        if sign > at && self.takes_words(sign, closed)? {
            return Some(true);
        }
        let next = self.byte(sign + 1);
        if matches!(self.byte(sign)?, b'=' | b':') && self.is_no_literal(sign)? {
            return Some(false);
        }
        Some(match self.byte(sign)? {
            b'=' | b'{' | b'<' => true,
            b':' => next? != b':',
            b'!' | b'+' => next? == b'=',
            b'?' => matches!(next?, b'=' | b'?'),
            b'-' => next? == b'>',
            b'|' => next? == b'|',
            b',' => closed || self.is_symbol()?,
            _ => false,
        })
    }

    /// Whether what follows an operator at `sign` is no literal: the end of the line, a word for no
    /// value, a call or an index without a literal; for a key of no known kind also a plain word
    /// and a name of code apart from the sign: `key = name`.
    fn is_no_literal(self, sign: usize) -> Option<bool> {
        let operator = self.skip(sign, 3, |byte| b":=>".contains(&byte))?;
        let value = self.skip(operator, 40, |byte| matches!(byte, b' ' | b'\t'))?;
        if matches!(self.byte(value)?, b'\n' | b'\r' | END) {
            return Some(true);
        }
        if self.byte(sign)? == b':' {
            // `key: string = "…"`
            let word = self.skip(value, 40, is_type_byte)?;
            let next = self.skip(word, 40, |byte| matches!(byte, b' ' | b'\t'))?;
            if word > value && self.byte(next)? == b'=' {
                return Some(false);
            }
        }
        if self.is_plain_word(value)? {
            return self.is_other();
        }
        let first = self.byte(value)?;
        if !first.is_ascii_alphanumeric() && first != b'_' {
            return Some(false);
        }
        let word = self.skip(value, usize::MAX, is_name_byte)?;
        let ends = matches!(
            self.byte(word)?,
            b' ' | b',' | b';' | b')' | b'}' | b'\n' | b'\r' | END
        );
        if ends && NOTHING.contains(&&self.text[value..word]) {
            return Some(true);
        }
        if value == operator {
            let lower = self.key(sign)?.iter().any(u8::is_ascii_lowercase);
            let digits = self.text[value..word].iter().any(u8::is_ascii_digit);
            return Some(ends && lower && !digits && self.is_other()?);
        }
        // A call or an index leads to a literal when one is its argument.
        let (literal, code) = match self.byte(word)? {
            // `+` and `/` of base64.
            b'"' | b'\'' | b'`' | b'=' | b'+' | b'/' => (true, false),
            b'(' | b'[' => {
                let literal = self.takes_literal(word + 1)?;
                (literal, !literal)
            }
            _ => (false, false),
        };
        Some(code || !literal && self.is_other()?)
    }

    /// Whether the key is of no known kind.
    fn is_other(self) -> Option<bool> {
        let end = self.skip(self.start, usize::MAX, keys::is_key_byte)?;
        let key = Key::read(self.key(end)?);
        Some(key.is_none_or(|key| key.class == Class::Other))
    }

    /// Whether a plain word in quotes follows: `"user_name"`.
    fn is_plain_word(self, at: usize) -> Option<bool> {
        let quote = self.byte(at)?;
        if !matches!(quote, b'"' | b'\'' | b'`') {
            return Some(false);
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || b"_-. ".contains(&byte);
        let end = self.skip(at + 1, usize::MAX, plain)?;
        let ends = |byte| matches!(byte, b',' | b';' | b')' | b']' | b'}' | b'\n' | b'\r' | END);
        Some(self.byte(end)? == quote && ends(self.byte(end + 1)?))
    }

    /// Whether a blank may be all that stands between key and value: `--password x`,
    /// `#define KEY "x"`, `ENV KEY x`, `PASSWORD 'x'`.
    fn takes_words(self, value: usize, closed: bool) -> Option<bool> {
        if self.byte(value)? == b'\'' {
            return Some(true);
        }
        if !closed && (self.is_declared(value)? || self.may_be_told(value)?) {
            return Some(true);
        }
        let key = &self.text[self.key_start()?..];
        let head = self.head()?.trim_ascii_end();
        let word = key.starts_with(b"--") || head.ends_with(b"#define") || head.ends_with(b"ENV");
        Some(word && !closed)
    }

    /// Whether a type follows a blank. Follows `Cursor::declared`.
    fn is_declared(self, value: usize) -> Option<bool> {
        let end = self.skip(value, usize::MAX, |byte| byte.is_ascii_alphabetic())?;
        let word = &self.text[value..end];
        Some(word.eq_ignore_ascii_case(b"as") || is_type(word))
    }

    /// Whether what follows a blank could be a sentence that tells a password. Follows
    /// `values::prose`.
    fn may_be_told(self, value: usize) -> Option<bool> {
        let key = self.text[..value].trim_ascii_end();
        if !prose::begins(self.byte(value)?) || !prose::may_end(key) {
            return Some(false);
        }
        let key = self.skip(self.start, usize::MAX, keys::is_key_byte)?;
        if !prose::is_told(self.key(key)?) {
            return Some(false);
        }
        let mut end = self.skip(value, usize::MAX, is_letter)?;
        let mut word = &self.text[value..end];
        if prose::PREPOSITIONS.contains(&word) {
            for _ in 0..=prose::MOST_WORDS {
                let start = self.skip(end, usize::MAX, |byte| byte == b' ')?;
                end = self.skip(start, usize::MAX, is_letter)?;
                word = &self.text[start..end];
                if word.is_empty() || end > key + prose::REACH {
                    return Some(false);
                }
                if self.byte(end)? == b':' {
                    return Some(true);
                }
                if prose::VERBS.contains(&word) {
                    break;
                }
            }
        }
        if prose::VERBS.contains(&word) {
            let start = self.skip(end, usize::MAX, |byte| byte == b' ')?;
            return self.has_digit(start);
        }
        // The letters before have none.
        self.has_digit(end)
    }

    /// Whether the word at `at` has a digit.
    fn has_digit(self, at: usize) -> Option<bool> {
        let is_graphic = |byte: u8| byte.is_ascii_graphic() || byte > 0x7f;
        let end = self.skip(at, usize::MAX, is_graphic)?;
        Some(self.text[at..end].iter().any(u8::is_ascii_digit))
    }

    /// Whether the key is a symbol of Ruby or the first of a tuple: `:password, "…"`, `{password, "…"}`.
    fn is_symbol(self) -> Option<bool> {
        let start = self.key_start()?;
        Some(start > 0 && matches!(self.text[start - 1], b':' | b'{'))
    }

    /// Whether the key is the value of a `name`, or an element: `<password value="…">`.
    fn is_named(self) -> Option<bool> {
        let head = self.head()?;
        let sign = |byte: &u8| matches!(byte, b'"' | b'\'' | b' ' | b':' | b'=');
        let end = head.iter().rposition(|byte| !sign(byte));
        let end = end.map_or(0, |end| end + 1);
        if head.last() == Some(&b'<') {
            return Some(true);
        }
        self.reaches(end, 4)?;
        Some(head[..end].to_ascii_lowercase().ends_with(b"name"))
    }

    /// The key, which ends at `end`.
    fn key(&self, end: usize) -> Option<&[u8]> {
        Some(&self.text[self.key_start()?..end])
    }

    fn key_start(&self) -> Option<usize> {
        let before = self.text[self.floor..self.start].iter();
        let length = before
            .rev()
            .take_while(|&&byte| keys::is_key_byte(byte))
            .count();
        let start = self.start - length;
        (start > self.floor || self.floor == 0).then_some(start)
    }

    /// What is seen before the key; `None` when that is nothing but blanks.
    fn head(&self) -> Option<&[u8]> {
        let head = &self.text[self.floor..self.key_start()?];
        self.reaches(head.trim_ascii_end().len(), 7)?;
        Some(head)
    }

    /// Whether `length` bytes from the floor hold a word of `least` bytes, or all that there is.
    fn reaches(&self, length: usize, least: usize) -> Option<()> {
        (self.floor == 0 || length >= least).then_some(())
    }

    /// Behind at most `most` bytes from `at` for which `holds` holds.
    fn skip(&self, at: usize, most: usize, holds: impl Fn(u8) -> bool) -> Option<usize> {
        let mut end = at;
        while end - at < most && holds(self.byte(end)?) {
            end += 1;
        }
        Some(end)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        match at < self.ceiling {
            true => Some(self.text[at]),
            false => (self.ceiling == self.text.len()).then_some(END),
        }
    }
}

/// Words of code for no value.
const NOTHING: &[&[u8]] = &[
    b"0",
    b"1",
    b"False",
    b"None",
    b"True",
    b"false",
    b"nil",
    b"null",
    b"true",
    b"undefined",
];

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte > 0x7f
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

#[cfg(test)]
mod tests {
    use crate::engine::assignment::survey;

    use super::*;

    const HEADS: &[&str] = &[
        "",
        "\n",
        " ",
        "x ",
        "the ",
        "ENV ",
        "#define ",
        "name=",
        "\"name\": \"",
        "<add key=\"",
        "define('",
        "define( \"",
        "--",
        "export ",
        "  - ",
        "config.set_",
        "set",
        "\"",
        "'",
        "[\"",
        "ALTER USER shop ",
        "?",
        "a_long_name_of_something_that_needs_",
        "<",
        "{",
        "                        ",
    ];
    const KEYS: &[&str] = &[
        "password",
        "PASSWORD",
        "dbPassword",
        "password_2",
        "password-prod",
        "passwords",
        "secret",
        "client_secret",
        "secretName",
        "token.",
        "token",
        "api_key-",
        "password_of_the_new_server_test",
        "key",
        "aes_key",
        "self.password",
    ];
    const SIGNS: &[&str] = &[
        "",
        "\"",
        "'",
        "`",
        "]",
        "\\\"",
        ">",
        "</key>",
        "</name>\n<value>",
        ",",
        " ",
        "\t",
        "\n",
        "  ",
        "(",
        ":",
        "=",
        "==",
        "=>",
        ":=",
        "::",
        "!=",
        "?=",
        "||=",
        "|",
        "value=",
        "\"value\": ",
        "                                    ",
        ".",
        "-",
        ": &str =",
        ", <<",
        " value=",
    ];
    const SENTENCES: &[&str] = &[
        " ",
        " is ",
        " is \"",
        "  was `",
        " for it: ",
        " of the new server is ",
        " of the very new server: ",
        " f\u{fc}r den Router: ",
        " to ",
    ];
    const VALUES: &[&str] = &[
        "\"rV7x!9sQbT2m\"",
        "'rV7x!9sQbT2m'",
        "rV7x!9sQbT2m",
        "rV7x!9sQbT2m</x>",
        "rV7x|9s{QbT2m",
        "rV7x+9sQbT2m/rV7x9sQbT2=",
        "rV7x9sQbT2mrV7x9sQbT2mrV7x9sQbT2m==",
        "",
        "os.environ.get(\"X\", \"rV7x!9sQbT2m\")",
        "${X:-rV7x!9sQbT2m}",
    ];

    #[test]
    fn what_has_a_secret_is_never_passed_over() {
        let mut seed = 1u64;
        let mut draw = |words: &[&'static str]| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            words[(seed >> 33) as usize % words.len()]
        };
        let (mut secrets, mut passed_over) = (0, 0);
        for _ in 0..60_000 {
            let parts = [
                draw(HEADS),
                draw(HEADS),
                draw(KEYS),
                draw(SIGNS),
                draw(SIGNS),
                draw(SIGNS),
                draw(VALUES),
                draw(&["", "\n", " ", " # x\n"]),
            ];
            let text = parts.concat();
            let text = text.as_bytes();
            let first = parts[0].len() + parts[1].len();
            for start in first..first + 4 {
                let mut found = Vec::new();
                survey(text, start, &mut found);
                let may = may_be_assigned(text, start);
                assert!(may || found.is_empty(), "{parts:?} at {start}");
                secrets += usize::from(!found.is_empty());
                passed_over += usize::from(!may);
            }
        }
        assert!(
            secrets > 10_000 && passed_over > 40_000,
            "{secrets}, {passed_over}"
        );
    }

    #[test]
    fn no_declaration_with_a_type_is_passed_over() {
        let types = [
            " string = ",
            " As String = ",
            "  nvarchar(50) = N",
            "\tSecureString=",
            ": string = ",
            ": Option<String> = ",
            ":&str=",
        ];
        let mut found_of = [0; 7];
        for head in HEADS {
            for key in KEYS {
                for (of, declared) in found_of.iter_mut().zip(types) {
                    let text = format!("{head}{key}{declared}\"rV7x!9sQbT2m\";\n");
                    let mut found = Vec::new();
                    survey(text.as_bytes(), head.len(), &mut found);
                    let may = may_be_assigned(text.as_bytes(), head.len());
                    assert!(may || found.is_empty(), "{text}");
                    *of += usize::from(!found.is_empty());
                }
            }
        }
        assert!(found_of.iter().all(|&found| found > 100), "{found_of:?}");
    }

    #[test]
    fn no_sentence_that_tells_a_password_is_passed_over() {
        let values = [
            "hunter42",
            "hunter42`.",
            "rV7x9sQbT2m\"",
            "rV7x9sQbT2m, and",
            "x",
        ];
        let mut told = 0;
        for head in HEADS {
            for key in ["password", "db_password", "Passphrase", "passwort", "pwd"] {
                for sentence in SENTENCES {
                    for value in values {
                        let text = format!("{head}{key}{sentence}{value}\nthe next line\n");
                        let mut found = Vec::new();
                        survey(text.as_bytes(), head.len(), &mut found);
                        let may = may_be_assigned(text.as_bytes(), head.len());
                        assert!(may || found.is_empty(), "{text}");
                        told += usize::from(!found.is_empty());
                    }
                }
            }
        }
        assert!(told > 800, "{told}");
    }

    #[test]
    fn prose_and_code_that_assigns_nothing_are_passed_over() {
        for text in [
            "the password is wrong",
            "the password is required.",
            "a password for the user.",
            "reset your password.",
            "password_field: text",
            "(user, password)",
            "the secret of",
            "passwords",
            "getPassword()",
            "password;",
            "password:\n",
        ] {
            let start = text.find("passw").or_else(|| text.find("Passw"));
            let start = start.or_else(|| text.find("secret")).expect("a key word");
            assert!(!may_be_assigned(text.as_bytes(), start), "{text}");
        }
    }
}
