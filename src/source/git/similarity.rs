//! How much of one file is in another.

use crate::machine::hash::FastMap;

/// Files with more bytes are compared by id only.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// Longest piece that is compared as one.
const PIECE: usize = 64;

/// The most that [`similarity`] can say of files of these lengths.
pub(super) fn most(one: usize, two: usize) -> u8 {
    match (one.min(two), one.max(two)) {
        (_, 0) => 0,
        (smaller, larger) => (smaller * 100 / larger) as u8,
    }
}

/// The percentage of the larger file's bytes that stand, in pieces of a line, in both.
pub(super) fn similarity(one: &[u8], two: &[u8]) -> u8 {
    let larger = one.len().max(two.len());
    let smaller = one.len().min(two.len());
    if smaller * 2 < larger || larger > MAX_BYTES {
        return 0;
    }
    let mut counts: FastMap<&[u8], usize> = FastMap::default();
    for piece in pieces(one) {
        *counts.entry(piece).or_default() += 1;
    }
    let mut shared = 0;
    for piece in pieces(two) {
        if let Some(count) = counts.get_mut(piece).filter(|count| **count > 0) {
            *count -= 1;
            shared += piece.len();
        }
    }
    match larger {
        0 => 0,
        _ => (shared * 100 / larger) as u8,
    }
}

/// Lines with their ends, long ones cut.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split_inclusive(|&byte| byte == b'\n')
        .flat_map(|line| line.chunks(PIECE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_files_are_alike_and_others_are_not() {
        assert_eq!(similarity(b"a\nb\n", b"a\nb\n"), 100);
        assert_eq!(similarity(b"a\nb\n", b"c\nd\n"), 0);
        assert_eq!(similarity(b"a\nb\n", b"b\na\n"), 100);
        assert_eq!(similarity(b"", b""), 0);
    }

    #[test]
    fn nothing_is_more_alike_than_lengths_allow() {
        assert_eq!(
            [most(0, 0), most(1, 2), most(2, 1), most(3, 3)],
            [0, 50, 50, 100]
        );
        let texts: [&[u8]; 4] = [b"", b"a\n", b"a\nb\n", b"a\nb\nc\n"];
        for one in texts {
            for two in texts {
                assert!(similarity(one, two) <= most(one.len(), two.len()));
            }
        }
    }

    #[test]
    fn a_line_counts_as_often_as_it_stands_in_both() {
        assert_eq!(similarity(b"a\na\na\na\n", b"a\nb\nc\nd\n"), 25);
        assert_eq!(similarity(b"one\ntwo\n", b"one\nthr\n"), 50);
        assert_eq!(
            similarity(b"aaaaaaaa\n", b"aaaaaaaa\nbbbbbbbbbbbbbbbb\n"),
            0
        );
    }
}
