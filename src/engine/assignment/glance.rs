//! A glance at a key word: whether what stands around it could be an assignment at all.
//!
//! Looks at no more than [`CONTEXT`] bytes on either side. Says no only where the pass would find
//! nothing, whatever stands beyond them: most key words stand in prose, or in code that assigns
//! nothing, and need not become candidates.

use super::keys;

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
    /// Follows `values::value_after` up to the operator.
    fn may_be_assigned(self) -> Option<bool> {
        let end = self.skip(self.start, usize::MAX, keys::is_key_byte)?;
        if end == self.start {
            return None;
        }
        if matches!(self.text[end - 1], b'.' | b'-') {
            return Some(false);
        }
        let quote = |byte| matches!(byte, b'"' | b'\'' | b'`' | b']' | b'\\');
        let closed = self.skip(end, 3, quote)?;
        let is_closed = closed > end;
        let leads_on = self.is_paired(closed, is_closed)?
            || self.is_operator(closed, is_closed)?
            || (!is_closed && self.byte(closed)? == b'(' && self.sets(end)?);
        if !leads_on {
            return Some(false);
        }
        let key = self.key(end)?;
        Some(keys::names_credential(key) || keys::names_key(key))
    }

    /// Whether the value may stand beside a key that is itself named.
    fn is_paired(self, at: usize, closed: bool) -> Option<bool> {
        if matches!(self.byte(at)?, b'>' | b'<') {
            return Some(true);
        }
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
        if sign > at && self.takes_words(closed)? {
            return Some(true);
        }
        let next = self.byte(sign + 1);
        let operator = match self.byte(sign)? {
            b'=' => true,
            b':' => next? != b':',
            b'!' => next? == b'=',
            b'?' => matches!(next?, b'=' | b'?'),
            b'|' => next? == b'|',
            b',' => return Some(closed && self.is_argument()? && self.is_quoted(sign + 1)?),
            _ => return Some(false),
        };
        let value = self.skip(sign, 3, |byte| b":=>!?|".contains(&byte))?;
        let value = self.skip(value, 40, |byte| matches!(byte, b' ' | b'\t'))?;
        Some(operator && !matches!(self.byte(value)?, b'\n' | b'\r' | END))
    }

    /// Whether a blank may be all that stands between key and value: `--password x`,
    /// `#define KEY "x"`, `ENV KEY x`, `PASSWORD 'x'`.
    fn takes_words(self, closed: bool) -> Option<bool> {
        let key = &self.text[self.key_start()?..];
        if key.starts_with(b"PASSWORD") {
            return Some(true);
        }
        let head = self.head()?.trim_ascii_end();
        let word = key.starts_with(b"--") || head.ends_with(b"#define") || head.ends_with(b"ENV");
        Some(word && !closed)
    }

    /// Whether the key is the value of a `name`.
    fn is_named(self) -> Option<bool> {
        let head = self.head()?;
        let sign = |byte: &u8| matches!(byte, b'"' | b'\'' | b' ' | b':' | b'=');
        let end = head.iter().rposition(|byte| !sign(byte));
        let end = end.map_or(0, |end| end + 1);
        self.reaches(end, 4)?;
        Some(head[..end].to_ascii_lowercase().ends_with(b"name"))
    }

    /// Whether the key is the first argument, in quotes, of a call.
    fn is_argument(self) -> Option<bool> {
        let head = self.head()?;
        self.reaches(head.len(), 2)?;
        Some(head.ends_with(b"('") || head.ends_with(b"(\""))
    }

    /// Whether a quoted text, with a prefix or without, follows on the line.
    fn is_quoted(self, at: usize) -> Option<bool> {
        let text = self.skip(at, 40, |byte| matches!(byte, b' ' | b'\t'))?;
        let prefix = |byte| matches!(byte, b'b' | b'r' | b'u' | b'f' | b'R' | b'L' | b'@' | b'\\');
        let text = self.skip(text, 2, prefix)?;
        Some(matches!(self.byte(text)?, b'"' | b'\'' | b'`'))
    }

    /// Whether the key holds the word `set`, or its letters.
    fn sets(self, end: usize) -> Option<bool> {
        let key = self.key(end)?.to_ascii_lowercase();
        Some(key.windows(3).any(|three| three == b"set"))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::detector::{DetectorSet, template};
    use crate::engine::assignment::{assigned, keys};
    use crate::engine::context::Contexts;

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
        "LINEAR_SECRET",
        "password_of_the_new_server_test",
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
        "||",
        "??",
        ", ",
        "|",
        "value=",
        "\"value\": ",
        "                                    ",
        ".",
        "-",
        ": &str =",
    ];
    const VALUES: &[&str] = &[
        "\"rV7x!9sQbT2m\"",
        "'rV7x!9sQbT2m'",
        "rV7x!9sQbT2m",
        "rV7x!9sQbT2m</x>",
        "\"HEX\"",
        "r'HEX'",
        "",
        "os.environ.get(\"X\", \"rV7x!9sQbT2m\")",
        "${X:-rV7x!9sQbT2m}",
    ];

    #[test]
    fn what_has_a_secret_is_never_passed_over() {
        let detectors = DetectorSet::builtin();
        let (index, detector) = detectors.find("generic-password").expect("built in");
        let hex = template::expand("{{hex:32}}", 1).expect("a template").text;
        let contexts = Contexts::new(Arc::new(detectors.clone()));
        let mut seed = 1u64;
        let mut draw = |words: &[&'static str]| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            words[(seed >> 33) as usize % words.len()]
        };
        let (mut secrets, mut passed_over) = (0, 0);
        for _ in 0..50_000 {
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
            let text = parts.concat().replace("HEX", &hex);
            let text = text.as_bytes();
            let first = parts[0].len() + parts[1].len();
            for start in first..first + 4 {
                let secret = keys::key_at(text, start)
                    .and_then(|key| assigned((detector, index), &contexts, text, key));
                let may = may_be_assigned(text, start);
                assert!(may || secret.is_none(), "{parts:?} at {start}");
                secrets += usize::from(secret.is_some());
                passed_over += usize::from(!may);
            }
        }
        assert!(
            secrets > 2_500 && passed_over > 100_000,
            "{secrets}, {passed_over}"
        );
    }

    #[test]
    fn prose_and_code_that_assigns_nothing_are_passed_over() {
        for text in [
            "the password is wrong",
            "reset your password.",
            "password_field: text",
            "(user, password)",
            "the secret of",
            "passwords",
            "getPassword()",
            "password;",
            "\"password\", \"name\"",
            "password:\n",
        ] {
            let start = text.find("passw").or_else(|| text.find("Passw"));
            let start = start.or_else(|| text.find("secret")).expect("a key word");
            assert!(!may_be_assigned(text.as_bytes(), start), "{text}");
        }
    }
}
