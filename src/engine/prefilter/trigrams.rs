//! A sieve: a hash of three bytes at every second place.
//!
//! Every window holds two neighbouring trigrams, one of which starts at an even offset of the
//! text, wherever the window does. Both enter a table of 64 KiB, whose entries say which bytes may
//! follow (some bits of eight each). A strip of text is sifted in three steps: the hashes of all its
//! places, the table's answers, and the list of places that passed. The first is written so that a
//! compiler spreads it over whatever registers the target has; a kernel is these steps compiled
//! for a kind of processor, with a list of its own and, for AVX2, answers of its own. Invariant: a
//! place where a trigram of a window starts passes, whichever kernel sifts
//! (`tests/it/prefilter.rs`).

use super::rarity;
use super::sieve::{BEHIND, BLOCK, Strip};
use super::{Anchor, Simd};

/// Blocks of the longest strip: what the steps hand on stays in the first cache.
const MOST: usize = 16;
/// Places of a block.
const PLACES: usize = BLOCK / 2;

/// For each hash of a trigram, the bits of the bytes that do not follow it in any window.
pub(super) type Table = [u8; 1 << 16];

/// The table, and the kernel that asks it.
#[derive(Debug)]
pub(super) struct Trigrams {
    table: Box<Table>,
    simd: Simd,
}

impl Trigrams {
    /// A table for one window of each of `anchors`, and the offsets of these windows.
    pub(super) fn new(anchors: &[(u32, Anchor)], simd: Simd) -> (Self, Vec<(u32, usize)>) {
        let mut new = Self {
            table: Box::new([u8::MAX; 1 << 16]),
            simd,
        };
        let mut windows = Vec::with_capacity(anchors.len());
        for &(number, anchor) in anchors {
            let bytes = anchor.bytes();
            let chosen = rarity::chosen_window(&anchor);
            let offset = chosen.unwrap_or_else(|| rarity::rarest_window(bytes));
            for trigram in trigrams(bytes, offset) {
                new.add(trigram);
            }
            windows.push((number, offset));
        }
        (new, windows)
    }

    /// Lets the trigram at the start of `bytes` pass before the fourth of them; before any byte,
    /// when there are three.
    fn add(&mut self, bytes: &[u8]) {
        let (slot, next) = trigram(bytes);
        self.table[slot] &= !next;
    }

    /// Lists the places that pass in the first blocks of `text` in `strip`. Returns their number,
    /// and how many bytes these blocks have: none when `text` is shorter than a block with
    /// [`BEHIND`] bytes after it. A window starts at a place or a byte before it.
    pub(super) fn sift(&self, text: &[u8], strip: &mut Strip) -> (usize, usize) {
        let blocks = (text.len().saturating_sub(BEHIND) / BLOCK).min(MOST);
        let len = blocks * BLOCK;
        let count = match (blocks, self.simd) {
            (0, _) => 0,
            #[cfg(target_arch = "x86_64")]
            (_, Simd::Avx2) => super::x86_64::avx2(&self.table, &text[..len + BEHIND], strip),
            #[cfg(target_arch = "aarch64")]
            (_, Simd::Neon) => super::aarch64::neon(&self.table, &text[..len + BEHIND], strip),
            _ => scalar(&self.table, &text[..len + BEHIND], strip),
        };
        (count, len)
    }
}

/// The entry for the trigram at the start of `bytes`, and the bits that let it pass before the fourth
/// of them: all, when there are three.
///
/// # Panics
///
/// When there are fewer.
pub fn trigram(bytes: &[u8]) -> (usize, u8) {
    let next = bytes.get(3).map_or(u8::MAX, |&byte| bits(byte));
    let first = u16::from_le_bytes([bytes[0], bytes[1]]);
    (usize::from(hash(first, u16::from(bytes[2]))), next)
}

/// The trigrams, each with what follows it, of the window of an anchor at `offset`.
pub fn trigrams(anchor: &[u8], offset: usize) -> [&[u8]; 2] {
    let end = anchor.len().min(offset + 5);
    // One of the two starts at an even offset of the text.
    [&anchor[offset..offset + 4], &anchor[offset + 1..end]]
}

/// What the steps hand on, in blocks.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Steps {
    pub(super) hashes: [[u16; PLACES]; MOST],
    /// The bits of the byte after each trigram.
    pub(super) next: [[u8; PLACES]; MOST],
    /// Those of them that are in no window; zero where a place passes.
    pub(super) missing: [[u8; PLACES]; MOST],
}

impl Default for Steps {
    fn default() -> Self {
        Self {
            hashes: [[0; PLACES]; MOST],
            next: [[0; PLACES]; MOST],
            missing: [[0; PLACES]; MOST],
        }
    }
}

/// The kernel for any processor.
fn scalar(table: &Table, text: &[u8], strip: &mut Strip) -> usize {
    let blocks = hashes(text, &mut strip.steps);
    answers(table, blocks, &mut strip.steps);
    let mut count = 0;
    let (eights, _) = strip.steps.missing[..blocks]
        .as_flattened()
        .as_chunks::<8>();
    for (number, eight) in eights.iter().enumerate() {
        let listed = &LISTS[zero_bytes(u64::from_le_bytes(*eight))];
        let to = &mut strip.places[count..count + 8];
        // Without a branch: how many there are cannot be foretold.
        for (to, &place) in to.iter_mut().zip(&listed.places) {
            *to = 16 * number as u16 + u16::from(place);
        }
        count += usize::from(listed.count);
    }
    count
}

/// The offsets of the places of eight that passed.
#[derive(Clone, Copy)]
struct List {
    places: [u8; 8],
    count: u8,
}

static LISTS: [List; 256] = {
    let none = List {
        places: [0; 8],
        count: 0,
    };
    let mut lists = [none; 256];
    let mut passed = 0;
    while passed < 256 {
        let list = &mut lists[passed];
        let mut place = 0;
        while place < 8 {
            if passed >> place & 1 != 0 {
                list.places[list.count as usize] = 2 * place;
                list.count += 1;
            }
            place += 1;
        }
        passed += 1;
    }
    lists
};

/// One bit for each byte that is zero.
#[inline(always)]
fn zero_bytes(eight: u64) -> usize {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let zeros = !(((eight & LOW) + LOW) | eight | LOW);
    ((zeros >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as usize
}

/// First step: the hashes, and the bits of the bytes behind. Returns the number of blocks.
#[inline(always)]
pub(super) fn hashes(text: &[u8], steps: &mut Steps) -> usize {
    let pairs = |start: usize| {
        text[start..text.len() - BEHIND + start]
            .as_chunks::<BLOCK>()
            .0
    };
    let (first, second) = (pairs(0), pairs(2));
    for (number, (first, second)) in first.iter().zip(second).enumerate() {
        let (first, second) = (first.as_chunks::<2>().0, second.as_chunks::<2>().0);
        let hashes = steps.hashes[number].iter_mut();
        for ((to, first), second) in hashes.zip(first).zip(second) {
            let second = u16::from_le_bytes(*second);
            *to = hash(u16::from_le_bytes(*first), second & 0xff);
        }
        for (to, second) in steps.next[number].iter_mut().zip(second) {
            *to = bits((u16::from_le_bytes(*second) >> 8) as u8);
        }
    }
    first.len()
}

/// Second step: asks the table, four places at a time.
#[inline(always)]
pub(super) fn answers(table: &Table, blocks: usize, steps: &mut Steps) {
    let missing = steps.missing[..blocks].as_flattened_mut().as_chunks_mut().0;
    let next = steps.next[..blocks].as_flattened().as_chunks().0;
    let hashes = steps.hashes[..blocks].as_flattened().as_chunks::<4>().0;
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

/// Some of eight bits for a byte in either case, most often two: with one byte in a window, few
/// others pass. Of the factors tried these let through least of ordinary code.
#[inline(always)]
fn bits(byte: u8) -> u8 {
    let folded = u16::from(byte | 0x20);
    (folded.wrapping_mul(26515) & folded.wrapping_mul(4095)).to_le_bytes()[1]
}
