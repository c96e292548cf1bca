//! Whether a value can be a part at all.

use crate::engine::judge::{is_template, placeholder, reference};

/// Whether `value` is one: no reference, no template, no placeholder.
pub(super) fn is_real(value: &[u8]) -> bool {
    let printable = value
        .iter()
        .all(|&byte| byte > 0x7f || matches!(byte, b' '..=b'~'));
    if value.is_empty() || !printable || is_template(value) {
        return false;
    }
    let formats: [&[u8]; 5] = [b"$", b"{", b"}", b"%s", b"%d"];
    if formats.iter().any(|sign| holds(value, sign)) {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    // Hosts of documentation (RFC 2606) are hosts; whatever else says what belongs there is none.
    let rest = match memchr::memmem::find(&lower, b"example") {
        Some(at) => [&lower[..at], b"acme", &lower[at + b"example".len()..]].concat(),
        None => lower,
    };
    let why = placeholder::placeholder(&rest);
    let plain = why.is_none_or(|why| match why {
        // Numbers and names such as `1111`, `12345` and `user`.
        "a sequence" | "the name of a secret" => true,
        "repeated characters" => rest.len() <= 5,
        _ => false,
    });
    plain && !WORDS_OF_CODE.contains(&rest.as_slice()) && reference::reference(value, b"").is_none()
}

/// A word without blanks and slashes.
pub(super) fn is_name(value: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.$+:@-".contains(byte);
    value.iter().all(plain)
}

/// Values of code and of schemas.
const WORDS_OF_CODE: &[&[u8]] = &[
    b"any",
    b"bool",
    b"boolean",
    b"false",
    b"int",
    b"integer",
    b"nil",
    b"none",
    b"null",
    b"number",
    b"object",
    b"required",
    b"self",
    b"str",
    b"string",
    b"this",
    b"true",
    b"undefined",
];

pub(super) fn holds(value: &[u8], other: &[u8]) -> bool {
    memchr::memmem::find(value, other).is_some()
}
