//! Passwords that a sentence tells: `the password is …`, `password for the router: …`, `user deploy,
//! password …`.
//!
//! Prose says `password` all the time, and hardly ever one. So a value here has letters and digits in it,
//! and the glance at the key word follows the sentence as far as it sees.

use crate::engine::judge::guess;
use crate::model::Span;

use super::{Form, Sign, Value};

/// Keys that are words of prose, at their end.
const NAMES: &[&[u8]] = &[b"password", b"passwort", b"passphrase", b"passwd"];
/// Verbs before a password.
pub(in crate::engine::assignment) const VERBS: &[&[u8]] =
    &[b"is", b"was", b"ist", b"war", b"est", b"es"];
/// Words before whose it is, which ends with a colon or a verb.
pub(in crate::engine::assignment) const PREPOSITIONS: &[&[u8]] = &[
    b"for",
    b"of",
    b"to",
    b"f\xc3\xbcr",
    b"fuer",
    b"von",
    b"vom",
    b"zum",
    b"pour",
    b"para",
];
/// Most words that say whose it is.
pub(in crate::engine::assignment) const MOST_WORDS: usize = 3;
/// How far behind the key they end, in bytes.
pub(in crate::engine::assignment) const REACH: usize = 20;
/// Shortest and longest value.
const LENGTHS: std::ops::RangeInclusive<usize> = 6..=64;
/// How words begin that are of letters and digits too.
const TECHNICAL: &[&[u8]] = &[
    b"aes", b"argon", b"ascii", b"base", b"bcrypt", b"blake", b"hmac", b"http", b"iso", b"ldap",
    b"md4", b"md5", b"ntlm", b"oauth", b"pbkdf", b"pkcs", b"rfc", b"scram", b"sha", b"sql", b"ssl",
    b"tls", b"utf", b"v1", b"v2", b"win", b"x509",
];

/// Whether a sentence can go on with `byte`.
pub(in crate::engine::assignment) fn begins(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte > 0x7f || matches!(byte, b'"' | b'`')
}

/// Whether a text could end in a word for a password, at a glance: in the last two letters of one.
pub(in crate::engine::assignment) fn may_end(text: &[u8]) -> bool {
    let Some([first, second]) = text.last_chunk() else {
        return false;
    };
    let last = [first.to_ascii_lowercase(), second.to_ascii_lowercase()];
    matches!(&last, b"rd" | b"rt" | b"se" | b"wd")
}

/// Whether `key` ends in a word for a password.
pub(in crate::engine::assignment) fn is_told(key: &[u8]) -> bool {
    let ends = |name: &&[u8]| {
        let start = key.len().checked_sub(name.len());
        start.is_some_and(|start| key[start..].eq_ignore_ascii_case(name))
    };
    NAMES.iter().any(ends)
}

/// The password that the sentence behind `key` tells, which goes on at `at` behind a blank.
pub(super) fn value(text: &[u8], key: Span, at: usize) -> Option<Value> {
    if !text.get(at).is_some_and(|&byte| begins(byte)) || !is_told(&text[key.range()]) {
        return None;
    }
    let word = word(text, at);
    if VERBS.contains(&word) {
        let start = skip_blanks(text, at + word.len());
        return told(text, start, Told::Said);
    }
    if PREPOSITIONS.contains(&word) {
        let start = behind_owner(text, at + word.len(), key.end + REACH)?;
        return told(text, start, Told::Said);
    }
    told(text, at, Told::Beside)
}

/// How sure the sentence is that a password follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// It says so.
    Said,
    /// It stands right behind the name.
    Beside,
}

/// Behind the colon or the verb after the words that say whose password it is.
fn behind_owner(text: &[u8], mut at: usize, limit: usize) -> Option<usize> {
    for _ in 0..=MOST_WORDS {
        at = skip_blanks(text, at);
        let word = word(text, at);
        at += word.len();
        if word.is_empty() || at > limit {
            return None;
        }
        if VERBS.contains(&word) {
            return Some(skip_blanks(text, at));
        }
        if text.get(at) == Some(&b':') {
            let start = skip_blanks(text, at + 1);
            return (start > at + 1).then_some(start);
        }
    }
    None
}

/// The value at `start`, in quotes or without.
fn told(text: &[u8], start: usize, told: Told) -> Option<Value> {
    let quote = *text.get(start)?;
    let form = match quote {
        b'"' => Form::Double,
        b'\'' => Form::Single,
        b'`' => Form::Backtick,
        _ => Form::Bare,
    };
    let open = start + usize::from(form.is_quoted());
    let rest = text.get(open..text.len().min(open + LENGTHS.end() + 2))?;
    let is_value = |byte: u8| match form {
        Form::Bare => byte.is_ascii_graphic() && !b"\"'`<>(){}[]|,;=".contains(&byte),
        _ => byte != quote && (byte.is_ascii_graphic() || byte > 0x7f),
    };
    let length = rest.iter().take_while(|&&byte| is_value(byte)).count();
    let mut bytes = &rest[..length];
    match rest.get(length) {
        _ if form.is_quoted() => (rest.get(length) == Some(&quote)).then_some(())?,
        None | Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b';' | b')') => {
            while let [inner @ .., b'.' | b':' | b'!' | b'?'] = bytes {
                bytes = inner;
            }
        }
        Some(_) => return None,
    }
    let has = |kind: fn(&u8) -> bool| bytes.iter().any(kind);
    let lower = bytes.to_ascii_lowercase();
    let is_word = TECHNICAL.iter().any(|start| lower.starts_with(start));
    let is_address = bytes.contains(&b'/') || bytes.contains(&b'@') && bytes.contains(&b'.');
    let mixed = has(u8::is_ascii_alphabetic) && has(u8::is_ascii_digit);
    // `Password config1 = …` is code.
    let behind = &text[open + bytes.len()..text.len().min(open + bytes.len() + 4)];
    let is_declared = matches!(behind.trim_ascii_start().first(), Some(b'=' | b'(' | b'{'));
    let woven = bytes
        .windows(2)
        .any(|pair| pair[0].is_ascii_digit() && pair[1].is_ascii_alphabetic());
    let sure = told == Told::Said || woven && !is_declared && !guess::is_guessable(bytes);
    let is_option = bytes.starts_with(b"-") || bytes.starts_with(b".");
    let is_other = is_word || is_address || is_option;
    let holds = LENGTHS.contains(&bytes.len()) && mixed && sure && !is_other;
    holds.then(|| Value {
        span: Span::new(open, open + bytes.len()),
        form,
        sign: Sign::Prose,
        callee: None,
        pieces: Vec::new(),
    })
}

/// The letters at `at`.
fn word(text: &[u8], at: usize) -> &[u8] {
    let rest = &text[at.min(text.len())..];
    let is_letter = |byte: &&u8| byte.is_ascii_alphabetic() || **byte > 0x7f;
    &rest[..rest.iter().take(20).take_while(is_letter).count()]
}

fn skip_blanks(text: &[u8], at: usize) -> usize {
    let rest = &text[at.min(text.len())..];
    at + rest.iter().take_while(|&&byte| byte == b' ').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        let start = text.find("password ").expect("there");
        let key = Span::new(start, start + 8);
        let value = value(text.as_bytes(), key, key.end + 1)?;
        Some(String::from_utf8_lossy(&text.as_bytes()[value.span.range()]).into_owned())
    }

    #[test]
    fn a_sentence_tells_a_password() {
        for text in [
            "the password is hunter42",
            "the password is `hunter42`, of course",
            "password for the router: hunter42",
            "password of admin is \"hunter42\".",
            "password was hunter42.",
        ] {
            assert_eq!(found(text).as_deref(), Some("hunter42"), "{text}");
        }
        let text = "user deploy, password xK9fP2mQa7Lz";
        assert_eq!(found(text).as_deref(), Some("xK9fP2mQa7Lz"));
    }

    #[test]
    fn most_sentences_tell_none() {
        for text in [
            "the password is wrong",
            "the password is base64-encoded",
            "the password is 8 characters long",
            "the password is at https://example.test/a1b2c3",
            "password for the user",
            "password for the user: see below",
            "password for the user who comes here: hunter42",
            "password sha256sum1 and more",
            "password hunter42 and more",
            "password of length n+1)",
            "password is f(x1)",
            "password saslJaasConfig1 = new",
            "password xK9fP2mQa7Lz = new",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
