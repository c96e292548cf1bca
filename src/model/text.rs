//! Names and texts that a scanned repository chose, made safe to show.

use std::fmt::Write as _;

/// `text` with every character that a terminal, a log or a CI command could act on written as
/// an escape: controls, line and paragraph separators, and the bidirectional overrides.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match is_harmful(c) {
            true => write!(out, "\\u{{{:x}}}", u32::from(c)).expect("a String takes all"),
            false => out.push(c),
        }
    }
    out
}

/// As [`printable`], for bytes that may not be UTF-8: an invalid byte is written `\xNN`.
pub fn printable_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&printable(chunk.valid()));
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}").expect("a String takes all");
        }
    }
    out
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_newlines_and_overrides_are_spelled_out() {
        assert_eq!(
            printable("a\x1b[31m\n\u{202e}b"),
            "a\\u{1b}[31m\\u{a}\\u{202e}b"
        );
        assert_eq!(printable_bytes(b"caf\xe9.txt"), "caf\\xe9.txt");
        assert_eq!(printable("größe/文件"), "größe/文件");
    }
}
