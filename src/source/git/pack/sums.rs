//! The checksums that an index has of the entries of its pack.
//!
//! Most entries are a few hundred bytes, for which starting a CRC takes longer than the bytes do.
//! Those that stand one behind the other are therefore checked at once: the CRC-32 of all of them
//! follows from their own, as zlib's `crc32_combine` has it. Only when that is not what the index
//! says is each checked by itself.

use std::ops::Range;

use super::plan::Node;
use super::{Failure, Pack};
use crate::source::git::error::ObjectError;

/// Entries are checked at once as long as they have fewer bytes together: they are read soon after,
/// so they should still be near.
const TOGETHER: usize = 8 << 10;

/// How many entries ahead a checksum is asked for: the order of the index is another one.
const AHEAD: usize = 16;

/// The polynomial of CRC-32 (ISO 3309) with x^0 in the highest bit, and without x^32, which would
/// stand below the lowest.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// At `n`: x^(8n) modulo the polynomial, which is what `n` bytes behind others multiply their CRC
/// by.
static SHIFTS: [u32; TOGETHER] = shifts();

const fn shifts() -> [u32; TOGETHER] {
    let mut shifts = [1u32 << 31; TOGETHER];
    let mut at = 1;
    while at < TOGETHER {
        let mut shift = shifts[at - 1];
        let mut bit = 0;
        while bit < 8 {
            shift = shift >> 1 ^ (shift & 1).wrapping_neg() & POLYNOMIAL;
            bit += 1;
        }
        shifts[at] = shift;
        at += 1;
    }
    shifts
}

/// The product of two polynomials, not reduced: x^0 is bit 62.
fn product(one: u32, other: u32) -> u64 {
    let masked = |bit: u32| u64::from(other) << bit & u64::from(one >> bit & 1).wrapping_neg();
    (0..32).fold(0, |sum, bit| sum ^ masked(bit))
}

/// A product, or a sum of such, modulo the polynomial.
fn reduced(sum: u64) -> u32 {
    let polynomial = u64::from(POLYNOMIAL) << 1 | 1;
    let step = |sum: u64, bit: u32| sum ^ polynomial << bit & (sum >> bit & 1).wrapping_neg();
    ((0..31).fold(sum, step) >> 31) as u32
}

/// Compares entries of a pack with their checksums.
pub(super) struct Sums<'a> {
    pack: &'a Pack,
    /// All entries, by offset.
    nodes: &'a [Node],
}

impl<'a> Sums<'a> {
    pub(super) fn new(pack: &'a Pack, nodes: &'a [Node]) -> Self {
        Self { pack, nodes }
    }

    /// Checks some of the entries from `first` on and appends those that are not what the index
    /// says to `damaged`. Returns the first that was not checked, at most `end`.
    pub(super) fn check(&self, first: usize, end: usize, damaged: &mut Vec<Failure>) -> usize {
        let start = self.start(first);
        let is_near = |at: usize| {
            self.start(at)
                .checked_sub(start)
                .is_some_and(|len| len < TOGETHER)
        };
        let near = (first + 1..=end).take_while(|&at| is_near(at)).count();
        let all = first..first + near.max(1);
        let stop = self.start(all.end);
        if near < 2 || !self.are_sound(all.clone(), start..stop) {
            damaged.extend(all.clone().filter_map(|at| self.failure(at)));
        }
        all.end
    }

    /// Whether the entries `all`, which are `bytes`, have the CRC that follows from their own.
    fn are_sound(&self, all: Range<usize>, bytes: Range<usize>) -> bool {
        let mut sum = 0;
        for at in all {
            if let Some(ahead) = self.nodes.get(at + AHEAD) {
                self.pack.index.expect_crc(ahead.position as usize);
            }
            let Some(stated) = self.stated(at) else {
                return false;
            };
            let behind = bytes.end.checked_sub(self.start(at + 1));
            let Some(shift) = behind.and_then(|behind| SHIFTS.get(behind)) else {
                return false;
            };
            sum ^= product(*shift, stated);
        }
        self.of(bytes) == reduced(sum)
    }

    /// What is wrong with the entry `at`.
    fn failure(&self, at: usize) -> Option<Failure> {
        let stated = self.stated(at)?;
        let is_sound = self.of(self.start(at)..self.start(at + 1)) == stated;
        (!is_sound).then(|| Failure::new(self.pack, self.nodes[at], ObjectError::Checksum))
    }

    fn stated(&self, at: usize) -> Option<u32> {
        self.pack.index.crc(self.nodes[at].position as usize)
    }

    fn of(&self, bytes: Range<usize>) -> u32 {
        crc32fast::hash(self.pack.body().get(bytes).unwrap_or(&[]))
    }

    /// Where the entry `at` starts; of the one behind the last, where that one ends.
    fn start(&self, at: usize) -> usize {
        match self.nodes.get(at) {
            Some(node) => usize::try_from(node.offset).unwrap_or(usize::MAX),
            None => self.pack.body().len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_parts_come_to_that_of_the_whole() {
        let bytes: Vec<u8> = (0..5000u32).map(|at| ((at * at) >> 3) as u8).collect();
        for lens in [[0, 0, 0], [1, 0, 7], [100, 4095, 3], [2047, 2047, 906]] {
            let len = lens.iter().sum();
            let (mut at, mut sum) = (0, 0);
            for part in lens {
                let own = crc32fast::hash(&bytes[at..at + part]);
                at += part;
                sum ^= product(SHIFTS[len - at], own);
            }
            assert_eq!(reduced(sum), crc32fast::hash(&bytes[..len]), "{lens:?}");
        }
    }
}
