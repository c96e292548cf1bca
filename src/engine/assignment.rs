//! The structural pass: `key = value` where the key names a credential and the value could be one.
//!
//! Triggered by key words through the prefilter, decided by structure: a hit becomes a candidate
//! only when the word ends a key, an operator follows, and a literal follows that. Conservative:
//! what could be code (a call, a variable, a type) is not a value.

use crate::detector::{Detector, ValueKind};
use crate::model::{Candidate, Confidence, DetectorIndex, Match, Proof, Secret, Span};

use super::judge::{self, guess, placeholder, reference};
use super::{LINE_REACH, line_around};

/// Longest key, in bytes.
const MAX_KEY: usize = 80;
/// Longest value, in bytes.
const MAX_VALUE: usize = 512;

/// What this pass looks at lies within so many bytes of an anchor, on either side: a key, the
/// blanks and a type between, a value, and what [`line_around`] sees of the line.
pub(super) const REACH: usize = 4 * MAX_KEY + MAX_VALUE + 2 * LINE_REACH;

/// Appends the secrets assigned to keys around `candidates` (by place) to `found`, and marks
/// those idle that belong to no secret.
pub(super) fn confirm(
    detector: &Detector,
    index: DetectorIndex,
    text: &[u8],
    candidates: &mut [Candidate],
    found: &mut Vec<Match>,
) {
    let mut resume = 0;
    let mut last_is_secret = false;
    for candidate in candidates.iter_mut().filter(|candidate| !candidate.idle) {
        if candidate.start < resume {
            candidate.idle = !last_is_secret;
            continue;
        }
        let key = key_at(text, candidate.start);
        let secret = key.and_then(|key| assigned(detector, index, text, key));
        resume = key.map_or(resume, |key| key.end);
        last_is_secret = secret.is_some();
        candidate.idle = secret.is_none();
        found.extend(secret);
    }
}

/// The secret assigned to `key`.
fn assigned(detector: &Detector, index: DetectorIndex, text: &[u8], key: Span) -> Option<Match> {
    if !names_credential(&text[key.range()]) {
        return None;
    }
    let value = value_after(text, key)?;
    weigh(detector, index, text, key, value)
}

/// A literal, and how it is written.
#[derive(Clone, Copy, Debug)]
struct Value {
    span: Span,
    quoted: bool,
}

/// The identifier around `anchor`.
fn key_at(text: &[u8], anchor: usize) -> Option<Span> {
    let floor = anchor.saturating_sub(MAX_KEY);
    let before = text[floor..anchor]
        .iter()
        .rev()
        .take_while(|&&byte| is_key_byte(byte))
        .count();
    let start = anchor - before;
    let ceiling = text.len().min(anchor + MAX_KEY);
    let after = text[anchor..ceiling]
        .iter()
        .take_while(|&&byte| is_key_byte(byte))
        .count();
    let mut end = anchor + after;
    while end > anchor && matches!(text[end - 1], b'.' | b'-') {
        end -= 1;
    }
    (end - start <= MAX_KEY).then_some(Span::new(start, end))
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Whether the last words of a key say that it holds a credential: `dbPassword`, `API_KEY_2`,
/// but not `password_field`, `tokenType`, `next_page_token`.
fn names_credential(key: &[u8]) -> bool {
    let words = Words::of(key);
    let mut words = words.as_slice();
    // Where it is used, or which of several it is, says nothing against it.
    while let Some((last, rest)) = words.split_last() {
        let tail: &[&[u8]] = &[
            b"dev",
            b"prod",
            b"production",
            b"test",
            b"testing",
            b"stage",
            b"staging",
            b"live",
            b"value",
            b"string",
            b"str",
            b"base64",
            b"b64",
            b"old",
            b"new",
            b"default",
            b"admin",
            b"root",
            b"master",
            b"sandbox",
            b"local",
        ];
        let number = last.iter().all(u8::is_ascii_digit);
        if rest.is_empty() || !(number || tail.contains(&last.as_slice())) {
            break;
        }
        words = rest;
    }
    let Some((last, before)) = words.split_last() else {
        return false;
    };
    let previous = before.last().map(Vec::as_slice).unwrap_or_default();
    match last.as_slice() {
        b"key" | b"keys" => {
            let kinds: &[&[u8]] = &[
                b"api",
                b"access",
                b"secret",
                b"private",
                b"auth",
                b"encryption",
                b"signing",
                b"master",
                b"shared",
                b"account",
                b"app",
                b"service",
                b"client",
                b"storage",
                b"hmac",
                b"crypt",
                b"cipher",
                b"jwt",
                b"session",
                b"cookie",
                b"license",
                b"deploy",
                b"subscription",
                b"admin",
                b"server",
                b"webhook",
                b"token",
            ];
            kinds.contains(&previous)
        }
        b"token" | b"tokens" => {
            let not: &[&[u8]] = &[
                b"page",
                b"next",
                b"continuation",
                b"csrf",
                b"xsrf",
                b"sync",
                b"pagination",
                b"end",
                b"start",
                b"last",
                b"first",
                b"current",
                b"peek",
                b"eof",
                b"lookahead",
                b"prev",
                b"previous",
                b"unexpected",
                b"expected",
                b"invalid",
                b"special",
                b"pad",
                b"mask",
                b"unk",
                b"cls",
                b"sep",
                b"eos",
                b"bos",
                b"max",
                b"num",
                b"cancellation",
                b"cancel",
                b"sort",
                b"resume",
                b"delimiter",
                b"separator",
                b"design",
            ];
            !not.contains(&previous)
        }
        b"pass" => !before.is_empty(),
        last => {
            let names: &[&[u8]] = &[
                b"password",
                b"passwd",
                b"pwd",
                b"passphrase",
                b"passwort",
                b"secret",
                b"secrets",
                b"credential",
                b"credentials",
                b"apikey",
                b"authkey",
                b"accesskey",
                b"secretkey",
                b"authtoken",
                b"accesstoken",
                b"userpassword",
                b"userpwd",
                b"dbpassword",
                b"dbpass",
                b"dbpasswd",
                b"dbpwd",
                b"adminpassword",
                b"rootpassword",
                b"privatekey",
                b"clientsecret",
                b"appsecret",
                b"bearer",
                b"salt",
                b"pepper",
                b"appkey",
                b"encryptionkey",
                b"signingkey",
                b"masterkey",
                b"sharedkey",
                b"accountkey",
                b"sharedaccesskey",
                b"secretaccesskey",
                b"storepass",
                b"keypass",
                b"pgpassword",
            ];
            let plain = previous != b"forgot" && previous != b"reset" && previous != b"no";
            plain && names.contains(&last)
        }
    }
}

/// The lower-case words of an identifier, cut at punctuation, case changes and digits.
struct Words;

impl Words {
    fn of(key: &[u8]) -> Vec<Vec<u8>> {
        let mut words: Vec<Vec<u8>> = Vec::new();
        let mut last = b'_';
        for (at, &byte) in key.iter().enumerate() {
            let lower_follows = key.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            let cut = !last.is_ascii_alphanumeric()
                || (byte.is_ascii_uppercase() && (last.is_ascii_lowercase() || lower_follows))
                || (byte.is_ascii_digit() != last.is_ascii_digit());
            if byte.is_ascii_alphanumeric() {
                if cut {
                    words.push(Vec::new());
                }
                words
                    .last_mut()
                    .expect("a word was begun")
                    .push(byte.to_ascii_lowercase());
            }
            last = byte;
        }
        words
    }
}

/// The literal assigned to the key at `key`.
fn value_after(text: &[u8], key: Span) -> Option<Value> {
    let mut cursor = Cursor { text, at: key.end };
    // `"password"`, `['password']`, `password")`
    let closed = cursor.skip_while(3, |byte| matches!(byte, b'"' | b'\'' | b'`' | b']' | b'\\'));
    let space = cursor.skip_blanks();
    if closed > 0 && space > 0 && cursor.eat_word(b"value") {
        // `<add key="password" value="…">`
        cursor.skip_blanks();
        return cursor.eat(b"=").then(|| cursor.quoted())?;
    }
    if closed == 0 && cursor.eat(b">") {
        return cursor.element();
    }
    let operator = cursor.operator()?;
    let space_after = cursor.skip_blanks();
    if let Some(value) = cursor.quoted() {
        return Some(value);
    }
    if operator == Operator::Colon && cursor.skip_type() {
        return cursor.quoted();
    }
    let tight = space == 0 && space_after == 0;
    let config = match operator {
        Operator::Colon => space == 0 && space_after > 0,
        Operator::Equals => tight || space == space_after,
        Operator::Other => false,
    };
    (config && starts_line(text, key)).then(|| cursor.bare())?
}

/// Whether only blanks, a list dash or a keyword of a configuration language stand before the key.
fn starts_line(text: &[u8], key: Span) -> bool {
    let floor = key.start.saturating_sub(64);
    let before = &text[floor..key.start];
    let line = match before
        .iter()
        .rposition(|&byte| matches!(byte, b'\n' | b'\r'))
    {
        Some(end) => &before[end + 1..],
        None if floor == 0 => before,
        None => return false,
    };
    let words: &[&[u8]] = &[
        b"", b"-", b"export", b"set", b"ENV", b"ARG", b"$env:", b"#", b"//", b"\"", b"'",
    ];
    words.contains(&line.trim_ascii())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Colon,
    Equals,
    Other,
}

/// A place in the text that moves forward, never past the line.
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_while(&mut self, most: usize, holds: impl Fn(u8) -> bool) -> usize {
        let rest = &self.text[self.at..];
        let count = rest
            .iter()
            .take(most)
            .take_while(|&&byte| holds(byte))
            .count();
        self.at += count;
        count
    }

    fn skip_blanks(&mut self) -> usize {
        self.skip_while(40, |byte| matches!(byte, b' ' | b'\t'))
    }

    fn eat(&mut self, word: &[u8]) -> bool {
        let there = self.text[self.at..].starts_with(word);
        if there {
            self.at += word.len();
        }
        there
    }

    fn eat_word(&mut self, word: &[u8]) -> bool {
        let there = self.text.get(self.at..self.at + word.len());
        let there = there.is_some_and(|there| there.eq_ignore_ascii_case(word));
        if there {
            self.at += word.len();
        }
        there
    }

    fn operator(&mut self) -> Option<Operator> {
        for (sign, operator) in [
            (&b":="[..], Operator::Other),
            (b"=>", Operator::Other),
            (b"===", Operator::Other),
            (b"==", Operator::Other),
            (b"!==", Operator::Other),
            (b"!=", Operator::Other),
            (b"?=", Operator::Other),
            (b"||=", Operator::Other),
            (b"=", Operator::Equals),
            (b"::", Operator::Other),
            (b":", Operator::Colon),
        ] {
            if self.eat(sign) {
                return (sign != b"::").then_some(operator);
            }
        }
        None
    }

    /// `: String =`, `: &str =`, `: Option<string> =` between the colon and the value.
    fn skip_type(&mut self) -> bool {
        let is_type = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'_' | b'&' | b'\'' | b'<' | b'>' | b'?' | b'!' | b'[' | b']' | b'.'
                )
        };
        let length = self.skip_while(40, is_type);
        self.skip_blanks();
        let assigned = length > 0 && self.eat(b"=");
        self.skip_blanks();
        assigned
    }

    /// A quoted text on this line, with the prefixes and escapes of the usual languages.
    fn quoted(&mut self) -> Option<Value> {
        let start = self.at;
        self.skip_while(2, |byte| {
            matches!(byte, b'b' | b'r' | b'u' | b'f' | b'R' | b'L' | b'@' | b'\\')
        });
        let quote = match self.peek() {
            Some(quote @ (b'"' | b'\'' | b'`')) => quote,
            _ => {
                self.at = start;
                return None;
            }
        };
        let open = self.at + 1;
        let limit = self.text.len().min(open + MAX_VALUE);
        let mut at = open;
        while at < limit {
            match self.text[at] {
                b'\n' | b'\r' => return None,
                // An escaped quote closes a text that an escaped quote opened.
                b'\\'
                    if self.text.get(at + 1) == Some(&quote)
                        && self.text[open - 2..].first() == Some(&b'\\') =>
                {
                    break;
                }
                b'\\' => at += 2,
                byte if byte == quote => break,
                _ => at += 1,
            }
        }
        let closed = at < limit && at > open;
        closed.then(|| Value {
            span: Span::new(open, at),
            quoted: true,
        })
    }

    /// `<password>…</password>`
    fn element(&mut self) -> Option<Value> {
        let start = self.at;
        self.skip_while(MAX_VALUE, |byte| {
            !matches!(byte, b'<' | b'>' | b'\n' | b'\r')
        });
        let value = Span::new(start, self.at);
        (self.eat(b"</") && !value.is_empty()).then_some(Value {
            span: value,
            quoted: true,
        })
    }

    /// An unquoted value that is the rest of the line, before a comment.
    fn bare(&mut self) -> Option<Value> {
        let start = self.at;
        let is_value = |byte: u8| {
            byte.is_ascii_graphic()
                && !matches!(
                    byte,
                    b'"' | b'\''
                        | b'`'
                        | b'('
                        | b')'
                        | b'{'
                        | b'}'
                        | b'['
                        | b']'
                        | b'<'
                        | b'>'
                        | b';'
                        | b','
                        | b'|'
                )
        };
        self.skip_while(MAX_VALUE, is_value);
        let value = Span::new(start, self.at);
        let blanks = self.skip_blanks();
        let ends = match self.peek() {
            None | Some(b'\n' | b'\r') => true,
            Some(b'#') => blanks > 0,
            _ => false,
        };
        (ends && !value.is_empty()).then_some(Value {
            span: value,
            quoted: false,
        })
    }
}

fn weigh(
    detector: &Detector,
    index: DetectorIndex,
    text: &[u8],
    key: Span,
    value: Value,
) -> Option<Match> {
    let mut span = value.span;
    let line = line_around(text, span);
    let whole = &text[span.range()];
    if let Some(inner) = reference::literal_in_reference(whole) {
        span = Span::new(span.start + inner.start, span.start + inner.end);
    } else if reference::reference(whole, line).is_some() {
        return None;
    }
    let secret = &text[span.range()];
    if judge::is_template(secret) {
        return None;
    }
    let name = &text[key.range()];
    let confidence = match detector.value {
        ValueKind::Token => token(secret)?,
        ValueKind::Password => password(secret, name, value.quoted)?,
    };
    if placeholder::placeholder(secret).is_some() {
        return None;
    }
    Some(Match {
        detector: index,
        span,
        secret: Secret::new(secret),
        proof: Proof::None,
        confidence,
        key: Some(String::from_utf8_lossy(name).into_owned()),
        decoding: Vec::new(),
    })
}

/// A machine-made value: long, of one piece, and not to be guessed.
fn token(secret: &[u8]) -> Option<Confidence> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.+/=~:!@#$%^&*".contains(byte);
    let digits = secret.iter().filter(|byte| byte.is_ascii_digit()).count();
    let fits = secret.len() >= 12
        && secret.iter().all(plain)
        && digits > 0
        && digits < secret.len()
        && !is_path_or_name(secret)
        && !guess::is_guessable(secret);
    fits.then_some(Confidence::Medium)
}

/// A value that a person may have chosen: one word of several kinds of characters.
fn password(secret: &[u8], key: &[u8], quoted: bool) -> Option<Confidence> {
    let one_word = secret.iter().all(u8::is_ascii_graphic);
    if !(5..=128).contains(&secret.len()) || !one_word || is_path_or_name(secret) {
        return None;
    }
    if judge::is_all_caps(secret) || is_label(secret, key) || is_code(secret) {
        return None;
    }
    let kinds: [fn(&u8) -> bool; 4] = [
        u8::is_ascii_lowercase,
        u8::is_ascii_uppercase,
        u8::is_ascii_digit,
        u8::is_ascii_punctuation,
    ];
    let kinds = kinds.iter().filter(|kind| secret.iter().any(kind)).count();
    let has_digit = secret.iter().any(u8::is_ascii_digit);
    match (kinds, quoted) {
        (3.., _) => Some(Confidence::Medium),
        (2, _) if has_digit => Some(Confidence::Medium),
        (_, true) => Some(Confidence::Low),
        (_, false) => None,
    }
}

/// The word for the thing, in this or a related language: `"password": "Passwort"`.
fn is_label(value: &[u8], key: &[u8]) -> bool {
    let words = Words::of(key);
    let same = |word: &Vec<u8>| {
        let shared = word
            .iter()
            .zip(value)
            .take_while(|(a, b)| a.eq_ignore_ascii_case(b))
            .count();
        shared >= 4 && shared + 3 >= value.len()
    };
    value.iter().all(u8::is_ascii_alphabetic) && words.iter().any(same)
}

/// A path, an address, or a dotted, dashed or underscored name: something's name, not its secret.
fn is_path_or_name(value: &[u8]) -> bool {
    let slashes = value.iter().filter(|&&byte| byte == b'/').count();
    let starts = value.starts_with(b"/") || value.starts_with(b"./") || value.starts_with(b"~/");
    let url = value.windows(3).any(|window| window == b"://");
    let has_digit = value.iter().any(u8::is_ascii_digit);
    let is_name =
        |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b':');
    let punctuated = value.iter().any(|byte| !byte.is_ascii_alphabetic());
    url || (starts && slashes > 1) || (punctuated && !has_digit && value.iter().all(is_name))
}

/// Code or a format: a call, a template, a variable, a type.
fn is_code(value: &[u8]) -> bool {
    let holds = |word: &[u8]| value.windows(word.len()).any(|window| window == word);
    let starts = matches!(
        value[0],
        b'$' | b'%' | b'<' | b'{' | b'&' | b'(' | b'[' | b':' | b'@' | b'*' | b'#'
    );
    let calls = value.ends_with(b")") && value.contains(&b'(');
    let words: &[&[u8]] = &[
        b"string",
        b"String",
        b"false",
        b"true",
        b"null",
        b"None",
        b"undefined",
        b"nil",
        b"required",
        b"optional",
        b"text",
        b"input",
        b"hidden",
        b"bytes",
        b"varchar",
    ];
    let formats: &[&[u8]] = &[
        b"%s", b"{}", b"{0}", b"${", b"#{", b"{{", b"\\n", b"()", b"->", b"::",
    ];
    (starts && value.len() < 2)
        || calls
        || words.contains(&value)
        || formats.iter().any(|f| holds(f))
        || (starts
            && value[1..].iter().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'{' | b'}' | b'>' | b'-')
            })
            && !value.iter().any(u8::is_ascii_digit))
}
