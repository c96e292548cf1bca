//! Every assignment of a stretch, whatever its key names: what else a credential is made of.

use std::borrow::Cow;

use crate::model::Span;

use super::MAX_KEY;
use super::keys::{self, Class};
use super::values::{self, Sign};

/// A key and the first literal that it is given.
#[derive(Debug)]
pub(in crate::engine) struct Given<'a> {
    pub(in crate::engine) key: Span,
    pub(in crate::engine) value: Span,
    /// The literal, put together.
    pub(in crate::engine) bytes: Cow<'a, [u8]>,
    /// Whether it has no quotes and an equals sign or an arrow leads to it, as to an expression.
    pub(in crate::engine) is_assigned_bare: bool,
}

/// The words in `window` that look as if they were given something.
pub(in crate::engine) fn keys_in(text: &[u8], window: Span) -> Vec<Span> {
    let mut keys = Vec::new();
    let mut at = window.start;
    while let Some(key) = next_key(&text[..window.end], at) {
        at = key.end;
        let signs = text[key.range()].iter().rev();
        let signs = signs.take_while(|byte| matches!(byte, b'.' | b'-')).count();
        let key = Span::new(key.start, key.end - signs);
        if !key.is_empty() && key.len() <= MAX_KEY && is_given_something(text, key) {
            keys.push(key);
        }
    }
    keys
}

/// What the key at `key` is given, when that is a literal.
pub(in crate::engine) fn given(text: &[u8], key: Span) -> Option<Given<'_>> {
    let mut values = Vec::new();
    values::values_after(text, key, Class::Secret, &mut values);
    let Some(first) = values.first() else {
        return number(text, key);
    };
    (!is_other(first.sign)).then(|| Given {
        key,
        value: first.span,
        bytes: first.bytes(text),
        is_assigned_bare: !first.form.is_quoted()
            && matches!(first.sign, Sign::Equals | Sign::Arrow),
    })
}

/// `"port": 5432,`: numbers are no literals of secrets.
fn number(text: &[u8], key: Span) -> Option<Given<'_>> {
    const MOST: usize = 20;
    let rest = &text[key.end..text.len().min(key.end + MAX_KEY)];
    let is_sign = |byte: &&u8| b"\"'`]: =>\t".contains(byte);
    let start = key.end + rest.iter().take_while(is_sign).count();
    let signs = &text[key.end..start];
    let digits = text[start..].iter().take(MOST + 1);
    let digits = digits.take_while(|byte| byte.is_ascii_digit()).count();
    let end = text.get(start + digits);
    let ends = end.is_none_or(|byte| byte.is_ascii_whitespace() || b",;)}]".contains(byte));
    let assigned =
        signs.iter().any(|byte| b":=".contains(byte)) && !signs.windows(2).any(|s| s == b"==");
    let value = Span::new(start, start + digits);
    (assigned && ends && (1..=MOST).contains(&digits)).then(|| Given {
        key,
        value,
        bytes: Cow::Borrowed(&text[value.range()]),
        is_assigned_bare: false,
    })
}

/// A comparison gives nothing, and a list gives several things.
fn is_other(sign: Sign) -> bool {
    matches!(sign, Sign::Compare | Sign::Item)
}

/// The next stretch of bytes of keys from `at` on.
fn next_key(text: &[u8], at: usize) -> Option<Span> {
    let is_key = |byte: &u8| IS_KEY[usize::from(*byte)];
    let start = at + text[at..].iter().position(is_key)?;
    let length = text[start..].iter().position(|byte| !is_key(byte));
    Some(Span::new(
        start,
        length.map_or(text.len(), |length| start + length),
    ))
}

/// [`keys::is_key_byte`], for every byte.
const IS_KEY: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = keys::is_key_byte(byte as u8);
        byte += 1;
    }
    table
};

/// A glance at what follows a key: most words of a text are followed by one more.
fn is_given_something(text: &[u8], key: Span) -> bool {
    let is_flag = text[key.range()].starts_with(b"--");
    let mut rest = &text[key.end..text.len().min(key.end + MAX_KEY)];
    let skip = |rest: &mut &[u8], most: usize, bytes: &[u8]| {
        let count = rest.iter().take(most).take_while(|b| bytes.contains(b));
        let count = count.count();
        *rest = &rest[count..];
        count > 0
    };
    let closed = skip(&mut rest, 3, b"\"'`]\\");
    if !closed && rest.first() == Some(&b'(') || closed && rest.first() == Some(&b',') {
        return true;
    }
    let blank = skip(&mut rest, MAX_KEY, b" \t");
    match rest.first() {
        Some(b'=' | b':' | b'-' | b'<' | b'>' | b'?' | b'|' | b'+' | b'{') => true,
        Some(b'\n' | b'\r') => rest.trim_ascii_start().starts_with(b"value"),
        Some(b'v') if blank => rest.starts_with(b"value"),
        Some(_) => is_flag && blank || is_instruction(text, key),
        None => false,
    }
}

/// `ENV KEY value`, `#define KEY value`.
fn is_instruction(text: &[u8], key: Span) -> bool {
    let before = text[..key.start].trim_ascii_end();
    before.len() < key.start && (before.ends_with(b"ENV") || before.ends_with(b"#define"))
}
