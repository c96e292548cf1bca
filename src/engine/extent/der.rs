//! DER in base64 without the lines of PEM, as configuration and code hold keys.
//!
//! The outermost element says how long it is: so many base64 characters are collected, over the
//! same breaks and seams as in a PEM block. Where they end early or go on, it is something else.

use super::pem::{Reader, is_base64};
use crate::engine::judge::proof::decode_base64;
use crate::model::Span;

/// Base64 characters that hold the longest head of an element: tag, count and three bytes.
const HEAD: usize = 8;
/// Longest element that is followed: a container with a chain of certificates.
const LONGEST: usize = 40 * 1024;

/// An element of DER in base64.
pub(crate) struct Bare {
    /// From its first character to its last, padding included.
    pub(crate) span: Span,
    /// Base64 characters and their padding, without breaks.
    pub(crate) body: Vec<u8>,
}

/// From the first character at `start` to the end of the element.
pub(super) fn extent(text: &[u8], start: Span) -> Option<Span> {
    Bare::read(text, start.start).map(|found| found.span)
}

/// The element of raw DER whose first byte stands at `start`.
pub(super) fn raw(text: &[u8], start: Span) -> Option<Span> {
    let rest = text.get(start.start..)?;
    let length = element_length(rest.get(..rest.len().min(HEAD))?)?;
    let end = start.start + length.min(LONGEST + 1);
    (length <= LONGEST && end <= text.len()).then(|| Span::new(start.start, end))
}

impl Bare {
    /// Reads the element whose base64 starts at `at`.
    pub(crate) fn read(text: &[u8], at: usize) -> Option<Self> {
        let head = decode_base64(text.get(at..at + HEAD)?)?;
        let length = element_length(&head).filter(|&length| length <= LONGEST)?;
        let mut reader = Reader::bare(text, at);
        let (mut body, mut end) = reader.take((length * 4).div_ceil(3))?;
        let after = text.get(end..)?;
        let padding = after.iter().take_while(|&&c| c == b'=').count();
        end += padding;
        let goes_on = text.get(end).is_some_and(|&c| is_base64(c));
        let fits = padding == 0 || (body.len() + padding).is_multiple_of(4);
        body.resize(body.len() + padding, b'=');
        (fits && !goes_on).then(|| Self {
            span: Span::new(at, end),
            body,
        })
    }
}

/// Bytes of the element that `head` begins, head included.
fn element_length(head: &[u8]) -> Option<usize> {
    let (&[0x30, first], rest) = head.split_first_chunk()? else {
        return None;
    };
    let count = match first {
        0x81 | 0x82 => usize::from(first - 0x80),
        short @ 0..=0x7f => return Some(2 + usize::from(short)),
        _ => return None,
    };
    let bytes = rest.get(..count)?;
    let length = bytes.iter().fold(0, |n, &byte| n << 8 | usize::from(byte));
    Some(2 + count + length)
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;

    fn element(length: u16) -> String {
        let head = [0x30, 0x82, (length >> 8) as u8, length as u8];
        let body: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        BASE64.encode(&[&head[..], &body].concat())
    }

    fn read(text: &str, key: &str) -> Option<String> {
        let at = text.find(key.get(..8).expect("long")).expect("inside");
        let found = Bare::read(text.as_bytes(), at)?;
        let span = String::from_utf8_lossy(&text.as_bytes()[found.span.range()]);
        let body = String::from_utf8_lossy(&found.body);
        (body == key || body == key.trim_end_matches('=')).then(|| span.into_owned())
    }

    #[test]
    fn an_element_ends_where_its_head_says() {
        for length in [300, 301, 302] {
            let key = element(length);
            let unpadded = key.trim_end_matches('=');
            for text in [
                key.clone(),
                format!("\"{key}\""),
                format!("der, {unpadded}"),
                format!("{unpadded}\nnext = 1"),
                format!("k={key};x=1"),
            ] {
                let found = read(&text, &key);
                assert!(
                    found == Some(key.clone()) || found.as_deref() == Some(unpadded),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn breaks_and_seams_are_stepped_over() {
        let key = element(400);
        let lines: Vec<_> = key
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect();
        for seam in ["\n", "\r\n    ", "\\n", "\" +\n    \"", "' '"] {
            let joined = lines.join(seam);
            let text = format!("'{joined}'");
            assert_eq!(read(&text, &key), Some(joined), "{seam:?}");
        }
    }

    #[test]
    fn raw_elements_end_where_their_head_says() {
        let element = [&[0x30, 0x82, 1, 0][..], &[7; 256]].concat();
        let text = [b"ab", &element[..], b"cd"].concat();
        let found = |text: &[u8]| raw(text, Span::new(2, 4));
        assert_eq!(found(&text), Some(Span::new(2, 2 + element.len())));
        assert_eq!(found(&text[..200]), None, "cut off");
        assert_eq!(found(b"ab"), None);
        assert_eq!(found(b"ab\x30\x83\xff\xff\xff"), None, "too long");
    }

    #[test]
    fn what_is_cut_or_goes_on_is_nothing() {
        let key = element(300);
        let cut = key.get(..key.len() - 8).expect("longer");
        for text in [
            cut.to_owned(),
            format!("{cut}..."),
            format!("{key}AAAA"),
            format!("{cut}\" + more"),
        ] {
            assert_eq!(read(&text, &key), None, "{text}");
        }
        assert!(Bare::read(b"MIIE", 0).is_none());
        assert!(Bare::read(b"AAAAAAAAAAAA", 0).is_none());
    }
}
