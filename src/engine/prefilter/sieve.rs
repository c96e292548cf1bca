//! The first stage: a hash of three bytes at every second place.
//!
//! Every window holds two neighbouring trigrams, one of which starts at an even offset of the
//! text, wherever the window does. Both enter a table of 64 KiB, whose entries say which bytes may
//! follow (two bits of eight each). A strip of text is sifted in three steps: the hashes of all its
//! places, the table's answers, and the list of places that passed. The first is written so that a
//! compiler spreads it over whatever registers the target has; a kernel is these steps compiled
//! for a kind of processor, with a list of its own. Invariant: a place where a trigram of a window
//! starts passes, whichever kernel sifts (`tests/it/prefilter.rs`).

use super::Simd;

/// Bytes that a kernel takes at a time.
pub(super) const BLOCK: usize = 64;
/// Bytes that a kernel reads behind its last block.
pub(super) const BEHIND: usize = 4;
/// Blocks of the longest strip: what the steps hand on stays in the first cache.
const MOST: usize = 8;
/// Places of a block.
const PLACES: usize = BLOCK / 2;

/// For each hash of a trigram, the bits of the bytes that do not follow it in any window.
pub(super) type Table = [u8; 1 << 16];

/// The table, and the kernel that asks it.
#[derive(Debug)]
pub(super) struct Sieve {
    table: Box<Table>,
    simd: Simd,
}

impl Sieve {
    /// One through which nothing passes.
    pub(super) fn new(simd: Simd) -> Self {
        assert!(simd.is_supported(), "this processor has no {simd}");
        Self {
            table: Box::new([u8::MAX; 1 << 16]),
            simd,
        }
    }

    /// Lets the trigram at the start of `bytes` pass before the fourth of them; before any byte,
    /// when there are three.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let next = bytes.get(3).map_or(u8::MAX, |&byte| two_bits(byte));
        let first = u16::from_le_bytes([bytes[0], bytes[1]]);
        self.table[usize::from(hash(first, u16::from(bytes[2])))] &= !next;
    }

    /// The places that pass in the first blocks of `text`, and how many bytes these blocks have:
    /// none when `text` is shorter than a block with [`BEHIND`] bytes after it.
    pub(super) fn sift<'s>(&self, text: &[u8], strip: &'s mut Strip) -> (&'s mut [u16], usize) {
        let blocks = (text.len().saturating_sub(BEHIND) / BLOCK).min(MOST);
        let len = blocks * BLOCK;
        let count = match (blocks, self.simd) {
            (0, _) => 0,
            #[cfg(target_arch = "x86_64")]
            (_, Simd::Avx2) => super::x86_64::avx2(&self.table, &text[..len + BEHIND], strip),
            #[cfg(target_arch = "x86_64")]
            (_, Simd::Avx512) => super::x86_64::avx512(&self.table, &text[..len + BEHIND], strip),
            #[cfg(target_arch = "aarch64")]
            (_, Simd::Neon) => super::aarch64::neon(&self.table, &text[..len + BEHIND], strip),
            _ => scalar(&self.table, &text[..len + BEHIND], strip),
        };
        (&mut strip.places[..count], len)
    }
}

/// What the steps hand on, in blocks: memory that a thread reuses.
#[derive(Debug)]
#[repr(align(64))]
pub struct Strip {
    hashes: [[u16; PLACES]; MOST],
    /// The bits of the byte after each trigram.
    next: [[u8; PLACES]; MOST],
    /// Those of them that are in no window; zero where a place passes.
    pub(super) missing: [[u8; PLACES]; MOST],
    /// Offsets of the places that passed. Kernels write whole registers, beyond the last too.
    pub(super) places: [u16; MOST * PLACES + 32],
}

impl Default for Strip {
    fn default() -> Self {
        Self {
            hashes: [[0; PLACES]; MOST],
            next: [[0; PLACES]; MOST],
            missing: [[0; PLACES]; MOST],
            places: [0; MOST * PLACES + 32],
        }
    }
}

/// The kernel for any processor.
fn scalar(table: &Table, text: &[u8], strip: &mut Strip) -> usize {
    let blocks = hashes(text, strip);
    answers(table, blocks, strip);
    let mut count = 0;
    let (eights, _) = strip.missing[..blocks].as_flattened().as_chunks::<8>();
    for (number, eight) in eights.iter().enumerate() {
        let mut left = zero_bytes(u64::from_le_bytes(*eight));
        while left != 0 {
            let byte = left.trailing_zeros() / 8;
            left &= left - 1;
            strip.places[count] = (16 * number as u32 + 2 * byte) as u16;
            count += 1;
        }
    }
    count
}

/// The highest bit of each byte that is zero.
#[inline(always)]
fn zero_bytes(eight: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    !(((eight & LOW) + LOW) | eight | LOW)
}

/// First step: the hashes, and the bits of the bytes behind. Returns the number of blocks.
#[inline(always)]
pub(super) fn hashes(text: &[u8], strip: &mut Strip) -> usize {
    let pairs = |start: usize| {
        text[start..text.len() - BEHIND + start]
            .as_chunks::<BLOCK>()
            .0
    };
    let (first, second) = (pairs(0), pairs(2));
    for (number, (first, second)) in first.iter().zip(second).enumerate() {
        let (first, second) = (first.as_chunks::<2>().0, second.as_chunks::<2>().0);
        let hashes = strip.hashes[number].iter_mut();
        for ((to, first), second) in hashes.zip(first).zip(second) {
            let second = u16::from_le_bytes(*second);
            *to = hash(u16::from_le_bytes(*first), second & 0xff);
        }
        for (to, second) in strip.next[number].iter_mut().zip(second) {
            *to = two_bits((u16::from_le_bytes(*second) >> 8) as u8);
        }
    }
    first.len()
}

/// Second step: asks the table, four places at a time.
#[inline(always)]
pub(super) fn answers(table: &Table, blocks: usize, strip: &mut Strip) {
    let missing = strip.missing[..blocks].as_flattened_mut().as_chunks_mut().0;
    let next = strip.next[..blocks].as_flattened().as_chunks().0;
    let hashes = strip.hashes[..blocks].as_flattened().as_chunks::<4>().0;
    for ((missing, next), hashes) in missing.iter_mut().zip(next).zip(hashes) {
        let answer = |at: usize| u32::from(table[usize::from(hashes[at])]) << (8 * at);
        let answers = answer(0) | answer(1) | answer(2) | answer(3);
        *missing = (answers & u32::from_le_bytes(*next)).to_le_bytes();
    }
}

/// Of a trigram in either case: multiplicative (Knuth), in two halves that fit 16-bit lanes.
#[inline(always)]
fn hash(first: u16, third: u16) -> u16 {
    let first = (first | 0x2020).wrapping_mul(0x9e37);
    first.wrapping_add((third | 0x20).wrapping_mul(0x79b1))
}

/// Two of eight bits for a byte in either case: with one byte in a window, few others pass.
/// Of the codes tried this one let through least of ordinary code.
#[inline(always)]
fn two_bits(byte: u8) -> u8 {
    let folded = byte | 0x20;
    one_hot(folded) | one_hot(folded.wrapping_add(folded >> 3).wrapping_add(1))
}

/// `1 << (byte & 7)`, without a shift by a variable: lanes of eight bits have none.
#[inline(always)]
fn one_hot(byte: u8) -> u8 {
    let select = |bit: u32, when_set: u8| 0u8.wrapping_sub(byte >> bit & 1) ^ !when_set;
    select(0, 0xaa) & select(1, 0xcc) & select(2, 0xf0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_bits() {
        for byte in 0..=u8::MAX {
            assert_eq!(one_hot(byte), 1 << (byte & 7));
            assert_eq!(two_bits(byte), two_bits(byte | 0x20));
        }
    }

    #[test]
    fn a_zero_byte_is_seen_among_any_others() {
        for other in 0..=u8::MAX {
            for zeros in 0..=u8::MAX {
                let byte = |at: usize| {
                    if zeros >> at & 1 != 0 {
                        0
                    } else {
                        other.max(1)
                    }
                };
                let expected = |at: usize| if zeros >> at & 1 != 0 { 0x80 } else { 0 };
                let eight = u64::from_le_bytes(std::array::from_fn(byte));
                assert_eq!(
                    zero_bytes(eight).to_le_bytes(),
                    std::array::from_fn(expected)
                );
            }
        }
    }
}
