//! What stands where a password belongs without being one: its name, or a value that everybody
//! knows from documentation.
//!
//! Weak passwords are none of these: `admin:admin` logs in somewhere.

use crate::model::Span;

/// Passwords that only say what belongs there, whoever the user is.
const NAMES: &[&str] = &[
    "mypass",
    "mypasswd",
    "mypassword",
    "pass",
    "passw",
    "passwd",
    "password",
    "passwort",
    "pwd",
    "secret",
    "thepassword",
    "userpass",
    "userpassword",
];
/// Users that only say what belongs there, with or without a number.
const USERS: &[&str] = &["login", "myuser", "someuser", "user", "username", "usr"];
/// Passwords that say so beside such a user, with or without a number.
const WITH_USERS: &[&str] = &[
    "pass", "passwd", "password", "pw", "pwd", "secret", "token", "word",
];
/// Users who send anything.
const ANONYMOUS: &[&str] = &["anonymous", "anon"];
/// Logins of documentation: RFC 6749 and 7617, Oracle, and everybody.
const SAMPLES: &[(&str, &str)] = &[
    ("abc", "xyz"),
    ("aladdin", "open sesame"),
    ("foo", "bar"),
    ("s6bhdrkqt3", "gx1fbat3bv"),
    ("scott", "tiger"),
];
/// Sent as password where the user is a token: conventions of git servers.
const CONVENTIONS: &[&str] = &["x-oauth-basic", "x-oauth-token", "x-token-auth"];

/// Bytes before a password in which its user is looked for.
const REACH: usize = 24;

/// Whether the password at `span` of `text` stands for another.
pub(in crate::engine) fn is_stand_in(text: &[u8], span: Span) -> bool {
    let value = &text[span.range()];
    let user = user_before(text, span);
    let is_in = |list: &[&str], word: &[u8]| list.iter().any(|known| is(word, known));
    let is_sample = |(known, password): &(&str, &str)| is(user, known) && is(value, password);
    value.windows(2).any(|pair| pair == b"%s")
        || is_in(NAMES, value)
        || is_in(CONVENTIONS, value)
        || is_in(ANONYMOUS, user)
        || is_in(USERS, without_number(user)) && is_in(WITH_USERS, without_number(value))
        || SAMPLES.iter().any(is_sample)
}

/// `PASSWORD`, `DB_PASS`: the name of what belongs there.
pub(in crate::engine) fn is_all_caps(value: &[u8]) -> bool {
    let is_cap = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'_';
    value.iter().all(is_cap)
}

/// The word before the password, past the signs between them: `user:`, `"user", "`.
fn user_before(text: &[u8], span: Span) -> &[u8] {
    let before = &text[span.start.saturating_sub(REACH)..span.start];
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric();
    let signs = before.iter().rev().take_while(|byte| !is_word(byte));
    let before = &before[..before.len() - signs.count()];
    let word = before.iter().rev().take_while(is_word);
    &before[before.len() - word.count()..]
}

fn without_number(word: &[u8]) -> &[u8] {
    let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit());
    &word[..word.len() - digits.count()]
}

fn is(word: &[u8], known: &str) -> bool {
    word.eq_ignore_ascii_case(known.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> bool {
        let start = text.find('«').expect("marked");
        let plain = text.replace(['«', '»'], "");
        let end = start + text.find('»').expect("marked") - start - '«'.len_utf8();
        is_stand_in(plain.as_bytes(), Span::new(start, end))
    }

    #[test]
    fn names_and_samples_stand_for_another() {
        for text in [
            "admin:«password»",
            "user1:«Pass1»",
            "(\"username\", \"«pwd»\")",
            "scott:«tiger»",
            "ftp://anonymous:«me»",
            "x:«x-oauth-basic»",
            "'/Users/«a%s»'",
        ] {
            assert!(judged(text), "{text}");
        }
    }

    #[test]
    fn weak_passwords_do_not() {
        for text in ["admin:«admin»", "root:«pass1»", "sa:«tiger»", "«letmein»"] {
            assert!(!judged(text), "{text}");
        }
    }
}
