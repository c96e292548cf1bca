//! Encodings that hide text: base64 runs and UTF-16.

mod runs;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use crate::model::Span;

pub use runs::Base64Runs;
pub(super) use runs::{MIN_RUN, is_base64};

/// Decodes a run into `out`; false when it is of neither alphabet. Missing padding and a
/// broken last group are forgiven.
pub fn base64(run: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut held = 0u32;
    let mut count = 0;
    let (mut standard, mut url_safe) = (false, false);
    for &byte in run.iter().filter(|&&byte| byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'/' => {
                standard = true;
                if byte == b'+' { 62 } else { 63 }
            }
            b'-' | b'_' => {
                url_safe = true;
                if byte == b'-' { 62 } else { 63 }
            }
            _ => return false,
        };
        held = held << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            out.extend(&held.to_be_bytes()[1..]);
            held = 0;
            count = 0;
        }
    }
    match count {
        2 => out.push((held >> 4) as u8),
        3 => out.extend(&((held >> 2) as u16).to_be_bytes()),
        _ => {}
    }
    !(standard && url_safe)
}

/// UTF-16 text as UTF-8, with the way back to the original offsets.
#[derive(Debug)]
pub struct Utf16Text {
    text: String,
    /// Bytes of the byte order mark.
    mark: usize,
}

impl Utf16Text {
    /// The text in UTF-8.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Where `span` of the UTF-8 text stands in the UTF-16 bytes.
    pub fn original(&self, span: Span) -> Span {
        Span::new(self.offset(span.start), self.offset(span.end))
    }

    /// The inverse of [`Self::original`]; offsets inside a character go to its end.
    pub fn decoded(&self, span: Span) -> Span {
        let place = |original: usize| {
            let mut at = self.mark;
            let mut chars = self.text.char_indices();
            let found = chars.find(|(_, c)| {
                let here = at >= original;
                at += 2 * c.len_utf16();
                here
            });
            found.map_or(self.text.len(), |(offset, _)| offset)
        };
        Span::new(place(span.start), place(span.end))
    }

    fn offset(&self, utf8: usize) -> usize {
        let before = self.text.get(..utf8).unwrap_or(&self.text);
        self.mark + 2 * before.chars().map(char::len_utf16).sum::<usize>()
    }
}

/// Largest UTF-16 blob that is transcoded, in bytes.
const MAX_UTF16: usize = 256 << 20;

/// Transcodes `bytes` when they are UTF-16: by the byte order mark, or by NUL bytes at every
/// second place of the first block, as ASCII text has them.
pub fn utf16(bytes: &[u8]) -> Option<Utf16Text> {
    const BLOCK: usize = 256;
    const LEAST: usize = 16;
    let &[first, second, ..] = bytes else {
        return None;
    };
    let (big_endian, mark) = match (first, second) {
        (0xff, 0xfe) => (false, 2),
        (0xfe, 0xff) => (true, 2),
        (0, 0) => return None,
        (0, _) => (true, 0),
        (_, 0) => (false, 0),
        _ => return None,
    };
    if bytes.len() > MAX_UTF16 || (mark == 0 && bytes.len() < LEAST) {
        return None;
    }
    let block = &bytes[mark..bytes.len().min(mark + BLOCK) & !1];
    let zero_high = |pair: &[u8]| pair[usize::from(!big_endian)] == 0;
    let zero_low = |pair: &[u8]| pair[usize::from(big_endian)] == 0;
    let pairs = block.len() / 2;
    let highs = block.chunks_exact(2).filter(|pair| zero_high(pair)).count();
    let lows = block.chunks_exact(2).filter(|pair| zero_low(pair)).count();
    if lows > 0 || (mark == 0 && highs * 10 < pairs * 9) {
        return None;
    }
    let unit = |pair: &[u8]| match big_endian {
        true => u16::from_be_bytes([pair[0], pair[1]]),
        false => u16::from_le_bytes([pair[0], pair[1]]),
    };
    let units = bytes[mark..].chunks_exact(2).map(unit);
    let chars = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(Utf16Text {
        text: chars.collect(),
        mark,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_decode_and_a_mixture_does_not() {
        let mut out = Vec::new();
        assert!(base64(b"aGVsbG8gd29ybGQ=", &mut out));
        assert_eq!(out, b"hello world");
        assert!(base64(b"_-8", &mut out));
        assert_eq!(out, [0xff, 0xef]);
        assert!(!base64(b"ab+_", &mut out));
    }

    #[test]
    fn utf16_maps_offsets_back() {
        let text = "schlüssel = 𝄞 geheim";
        for big_endian in [false, true] {
            for mark in ["", "\u{feff}"] {
                let units = mark.encode_utf16().chain(text.encode_utf16());
                let bytes: Vec<u8> = units
                    .flat_map(|u| {
                        if big_endian {
                            u.to_be_bytes()
                        } else {
                            u.to_le_bytes()
                        }
                    })
                    .collect();
                let decoded = utf16(&bytes).expect("UTF-16");
                assert_eq!(decoded.bytes(), text.as_bytes());
                let at = text.find("geheim").expect("present");
                let original = decoded.original(Span::new(at, at + 6));
                assert_eq!(original.end, bytes.len());
                assert_eq!(original.len(), 12);
                assert_eq!(decoded.decoded(original), Span::new(at, at + 6));
            }
        }
    }

    #[test]
    fn ordinary_text_and_binaries_are_not_utf16() {
        assert!(utf16(b"plain text, long enough").is_none());
        assert!(utf16(&[0; 64]).is_none());
        assert!(utf16(&[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]).is_none());
    }
}
