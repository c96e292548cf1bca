//! `primaryLocationLineHash`: the fingerprint by which GitHub code scanning knows a line again.
//!
//! The upload action computes it from the checked-out file and warns for every result whose value
//! differs, so this is its algorithm to the letter. A line's hash covers the first 100 UTF-16 code
//! units from its start that are neither space nor tab, running on into the lines below; line ends
//! count as one LF. What remains at the end of the text is padded. A number behind the hash tells
//! equal ones of a file apart.

use std::collections::HashMap;
use std::ops::ControlFlow;

/// Code units that a hash covers.
const WINDOW: usize = 100;
/// The multiplier of the polynomial.
const FACTOR: u64 = 37;
/// Fed after the last code unit.
const END: u16 = 0xffff;

/// The hashes of all lines of `bytes`, in order; an empty text has one.
///
/// Lines are those of [`crate::model::LineIndex`].
pub fn line_hashes(bytes: &[u8]) -> Vec<String> {
    let mut hashes = Vec::new();
    each_line(bytes, |hash, count| {
        hashes.push(show(hash, count));
        ControlFlow::Continue(())
    });
    hashes
}

/// The hash of the 1-based `line`, without reading further than it needs.
pub fn line_hash(bytes: &[u8], line: u32) -> Option<String> {
    let mut left = line;
    let mut found = None;
    each_line(bytes, |hash, count| match left {
        0 => ControlFlow::Break(()),
        1 => {
            found = Some(show(hash, count));
            ControlFlow::Break(())
        }
        _ => {
            left -= 1;
            ControlFlow::Continue(())
        }
    });
    found
}

fn show(hash: u64, count: u32) -> String {
    format!("{hash:x}:{count}")
}

/// Calls `visit` with the hash of each line and how often it has come up, in order.
fn each_line(bytes: &[u8], mut visit: impl FnMut(u64, u32) -> ControlFlow<()>) {
    let mut rolling = Rolling::new();
    let mut counts: HashMap<u64, u32> = HashMap::new();
    let mut report = |hash: Option<u64>| match hash {
        Some(hash) => {
            let count = counts.entry(hash).or_default();
            *count += 1;
            visit(hash, *count)
        }
        None => ControlFlow::Continue(()),
    };
    let mut line_starts = true;
    for unit in kept_units(bytes).chain([END]) {
        if report(rolling.push(unit, line_starts)).is_break() {
            return;
        }
        line_starts = unit == u16::from(b'\n');
    }
    for _ in 0..WINDOW {
        if report(rolling.push(0, false)).is_break() {
            return;
        }
    }
}

/// The code units that count: no space or tab, and LF for each line end.
fn kept_units(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    let mut after_cr = false;
    code_units(bytes).filter_map(move |unit| {
        let was_cr = std::mem::replace(&mut after_cr, unit == u16::from(b'\r'));
        match u8::try_from(unit) {
            Ok(b' ' | b'\t') => None,
            Ok(b'\n') if was_cr => None,
            Ok(b'\r') => Some(u16::from(b'\n')),
            _ => Some(unit),
        }
    })
}

/// UTF-16 of the text; a byte sequence that is not UTF-8 is one U+FFFD.
fn code_units(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.utf8_chunks().flat_map(|chunk| {
        let replacement = (!chunk.invalid().is_empty()).then_some(0xfffd);
        chunk.valid().encode_utf16().chain(replacement)
    })
}

/// A hash over the last [`WINDOW`] units, and where in them lines start.
struct Rolling {
    units: [u16; WINDOW],
    starts: [bool; WINDOW],
    /// Where the oldest unit stands, which the next one replaces.
    at: usize,
    hash: u64,
    /// What the oldest unit is worth when it leaves.
    oldest: u64,
}

impl Rolling {
    fn new() -> Self {
        Self {
            units: [0; WINDOW],
            starts: [false; WINDOW],
            at: 0,
            hash: 0,
            oldest: FACTOR.wrapping_pow(WINDOW as u32),
        }
    }

    /// Takes `unit` in. When the unit that leaves started a line, the window held exactly what
    /// that line's hash covers: it is returned.
    fn push(&mut self, unit: u16, starts_line: bool) -> Option<u64> {
        let complete = self.starts[self.at].then_some(self.hash);
        let leaving = self.oldest.wrapping_mul(self.units[self.at].into());
        self.hash = self
            .hash
            .wrapping_mul(FACTOR)
            .wrapping_add(unit.into())
            .wrapping_sub(leaving);
        self.units[self.at] = unit;
        self.starts[self.at] = starts_line;
        self.at = (self.at + 1) % WINDOW;
        complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LineIndex;

    fn hashes(text: &str) -> String {
        line_hashes(text.as_bytes()).join(", ")
    }

    #[test]
    fn the_check_vectors_of_the_upload_action() {
        assert_eq!(hashes(""), "c129715d7a2bc9a3:1");
        assert_eq!(
            hashes(" a\nb\n  \t\tc\n d"),
            "271789c17abda88f:1, 54703d4cd895b18:1, 180aee12dab6264:1, a23a3dc5e078b07b:1"
        );
        assert_eq!(
            hashes(&"Lorem ipsum dolor sit amet.\n".repeat(10)),
            "a7f2ff13bc495cf2:1, a7f2ff13bc495cf2:2, a7f2ff13bc495cf2:3, a7f2ff13bc495cf2:4, \
             a7f2ff13bc495cf2:5, a7f2ff13bc495cf2:6, a7f2ff1481e87703:1, a9cf91f7bbf1862b:1, \
             55ec222b86bcae53:1, cc97dc7b1d7d8f7b:1, c129715d7a2bc9a3:1"
        );
    }

    #[test]
    fn line_ends_of_all_kinds_are_equal() {
        let unix = hashes("x = 1\ny = 2\n\nz");
        assert_eq!(hashes("x = 1\r\ny = 2\r\n\r\nz"), unix);
        assert_eq!(hashes("x = 1\ry = 2\r\rz"), unix);
        assert_eq!(
            line_hashes(b"a\r \nb").len(),
            3,
            "a blank between CR and LF makes them two line ends"
        );
    }

    #[test]
    fn there_is_a_hash_for_every_line() {
        for text in [
            &b""[..],
            b"\n",
            b"a",
            b"a\n",
            b"\r\n\r\n",
            b" \t ",
            b"a\r\rb\n",
            b"\xff\n\xc3",
            "\u{feff}é\u{1f511}\nb".as_bytes(),
        ] {
            assert_eq!(line_hashes(text).len(), LineIndex::new(text).len());
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_hash_as_the_replacement_character() {
        assert_eq!(
            line_hashes(b"caf\xe9"),
            line_hashes("caf\u{fffd}".as_bytes())
        );
        assert_ne!(line_hashes(b"caf\xe9"), line_hashes(b"caf"));
    }

    #[test]
    fn one_line_alone_has_the_hash_it_has_among_all() {
        let text: String = (0..300).map(|n| format!("{}\n", n % 7)).collect();
        let all = line_hashes(text.as_bytes());
        for line in [1, 2, 150, 299, 301] {
            let hash = line_hash(text.as_bytes(), line);
            assert_eq!(hash.as_ref(), all.get(line as usize - 1));
        }
        assert_eq!(line_hash(text.as_bytes(), 302), None);
        assert_eq!(line_hash(text.as_bytes(), 0), None);
    }
}
