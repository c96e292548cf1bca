//! Offsets inside a blob, and the lines and columns that people read.

use std::ops::Range;

use crate::machine::bytes::{BLOCK, places};

/// A byte range inside a blob, end exclusive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// A span from `start` to `end`.
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end);
        Self { start, end }
    }

    /// As a standard range.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether it holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether the two share a byte.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// A position as people read it: 1-based, columns in Unicode scalar values (an invalid byte
/// counts as one), end column exclusive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Location {
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Line of the last character.
    pub end_line: u32,
    /// One past the column of the last character.
    pub end_column: u32,
}

/// The line starts of one blob, made when the blob turns out to hold a match.
///
/// A line ends at LF, at CR, or at CR LF, as code scanning counts them.
#[derive(Debug)]
pub struct LineIndex<'a> {
    bytes: &'a [u8],
    starts: Vec<usize>,
}

/// Lines for which there is room at first.
const FIRST_LINES: usize = 256;
/// Line ends that are listed at a time.
const EACH: usize = 4;

impl<'a> LineIndex<'a> {
    /// Finds all lines of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut starts = vec![0; FIRST_LINES];
        let mut found = 1;
        let is_last = |at: usize| bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n');
        for (number, block) in blocks.iter().enumerate() {
            let (mut ends, mut returns) = (places(block, b'\n'), places(block, b'\r'));
            let place = |ends: u64| BLOCK * number + ends.trailing_zeros() as usize;
            while returns != 0 {
                ends |= u64::from(is_last(place(returns))) << returns.trailing_zeros();
                returns &= returns - 1;
            }
            if found + BLOCK + EACH > starts.len() {
                starts.resize(2 * starts.len(), 0);
            }
            let behind = found + ends.count_ones() as usize;
            // Some in any case: how many there are nobody can foresee, and a wrong guess costs the
            // processor more than all else here.
            loop {
                for start in &mut starts[found..found + EACH] {
                    *start = place(ends) + 1;
                    ends &= ends.wrapping_sub(1);
                }
                found += EACH;
                if found >= behind {
                    break;
                }
            }
            found = behind;
        }
        starts.truncate(found);
        let first = bytes.len() - rest.len();
        let ends = (first..bytes.len()).filter(|&at| matches!(bytes[at], b'\n' | b'\r'));
        starts.extend(ends.filter(|&at| is_last(at)).map(|at| at + 1));
        Self { bytes, starts }
    }

    /// The whole text.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The 0-based line that holds byte `offset`.
    pub fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset) - 1
    }

    /// The bytes of 0-based `line` without its line end; empty past the end.
    pub fn line(&self, line: usize) -> &'a [u8] {
        let Some(&start) = self.starts.get(line) else {
            return &[];
        };
        let end = self
            .starts
            .get(line + 1)
            .copied()
            .unwrap_or(self.bytes.len());
        let text = &self.bytes[start..end];
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        text.strip_suffix(b"\r").unwrap_or(text)
    }

    /// The bytes from 0-based line `first` up to the start of line `end`.
    pub fn between(&self, first: usize, end: usize) -> &'a [u8] {
        let end = self.start_of(end);
        &self.bytes[self.start_of(first).min(end)..end]
    }

    /// Offset of the first byte of 0-based `line`; the blob's length past the end.
    pub fn start_of(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.bytes.len())
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether the blob has no line; it always has one.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Where `span` is, for people.
    pub fn locate(&self, span: Span) -> Location {
        let (line, column) = self.position(span.start);
        let last = span.end.saturating_sub(1).max(span.start);
        let (end_line, last_column) = self.position(last);
        let end_column = if span.is_empty() {
            last_column
        } else {
            last_column + 1
        };
        Location {
            line,
            column,
            end_line,
            end_column,
        }
    }

    fn position(&self, offset: usize) -> (u32, u32) {
        let line = self.line_of(offset.min(self.bytes.len()));
        let before = &self.bytes[self.starts[line]..offset.min(self.bytes.len())];
        (saturate(line + 1), saturate(count_chars(before) + 1))
    }
}

fn count_chars(bytes: &[u8]) -> usize {
    if let Ok(text) = str::from_utf8(bytes) {
        return text.chars().count();
    }
    bytes
        .utf8_chunks()
        .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
        .sum()
}

fn saturate(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_lf_cr_and_crlf() {
        let index = LineIndex::new(b"a\nbb\r\nccc\rd");
        let lines: Vec<_> = (0..index.len()).map(|n| index.line(n)).collect();
        assert_eq!(lines, [&b"a"[..], b"bb", b"ccc", b"d"]);
    }

    #[test]
    fn line_ends_are_found_at_every_place() {
        let mut number = 7_u32;
        for length in 0..200 {
            let text: Vec<u8> = (0..length)
                .map(|_| {
                    number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    b"\n\r\x0b\x8a\x8d\x00ab"[(number >> 29) as usize]
                })
                .collect();
            let ends = |at: &usize| match (text[at - 1], text.get(*at)) {
                (b'\n', _) => true,
                (b'\r', next) => next != Some(&b'\n'),
                _ => false,
            };
            let expected: Vec<usize> = (0..1).chain((1..=length).filter(ends)).collect();
            assert_eq!(LineIndex::new(&text).starts, expected, "{text:?}");
        }
    }

    #[test]
    fn columns_count_characters_and_ends_are_exclusive() {
        let text = "x\né = 'secret'".as_bytes();
        let at = text
            .windows(6)
            .position(|w| w == b"secret")
            .expect("present");
        let location = LineIndex::new(text).locate(Span::new(at, at + 6));
        assert_eq!((location.line, location.column), (2, 6));
        assert_eq!((location.end_line, location.end_column), (2, 12));
    }

    #[test]
    fn an_invalid_byte_counts_as_one_column() {
        let location = LineIndex::new(b"\xff\xfeab").locate(Span::new(2, 4));
        assert_eq!((location.column, location.end_column), (3, 5));
    }
}
