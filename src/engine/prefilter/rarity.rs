//! Which window of an anchor counts, by what ordinary code holds.

use super::{Anchor, LEAST};

/// Slots of the table.
const BITS: u32 = 16;

/// Offset of the window of five bytes in `anchor` that ordinary code holds least: what the sieve
/// lets through for it is what the two groups of four bytes in it let through. 0 for an anchor
/// that has no more than a window.
pub(super) fn rarest_window(anchor: &[u8]) -> usize {
    let fours = anchor.windows(4);
    let mut costs = fours.map(|four| commonness([four[0], four[1], four[2], four[3]]));
    let mut before = costs.next().unwrap_or(0);
    let sums = costs.map(|cost| cost + std::mem::replace(&mut before, cost));
    let least = sums.enumerate().min_by_key(|&(_, cost)| cost);
    least.map_or(0, |(at, _)| at)
}

/// Slot of four bytes, in either case, in the table that `examples/grams.rs` makes.
pub fn gram_slot(four: [u8; 4]) -> usize {
    let folded = u32::from_le_bytes(four) | 0x2020_2020;
    (folded.wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as usize
}

/// How often these four bytes, or others of the same slot, stand in 2^24 bytes of ordinary code.
/// A wrong one costs time, never a hit.
fn commonness(four: [u8; 4]) -> u32 {
    static GRAMS: &[u8] = include_bytes!("grams.txt");
    const LINE: usize = 128;
    const { assert!(GRAMS.len() == (LINE + 1) << (BITS - 7)) };
    let slot = gram_slot(four);
    let halves = GRAMS[slot / LINE * (LINE + 1) + slot % LINE].saturating_sub(b'0');
    let whole = 1 << (halves / 2);
    // A half step is a factor of the square root of two.
    whole + u32::from(halves % 2) * whole * 5 / 12
}

/// Buckets that windows go into, in the sieve that has some.
pub const BUCKETS: usize = 32;

/// Offset and bucket of the window of a built-in anchor. A wrong one costs time, never a hit.
#[cfg(target_arch = "x86_64")]
pub(super) fn chosen_bucket(anchor: &Anchor) -> Option<(usize, usize)> {
    let [offset, bucket, _] = chosen(anchor)?;
    (offset + LEAST <= anchor.len()).then_some((offset, bucket))
}

/// Offset of the window of a built-in anchor whose trigrams let least through. A wrong one costs
/// time, never a hit.
pub(super) fn chosen_window(anchor: &Anchor) -> Option<usize> {
    let [_, _, offset] = chosen(anchor)?;
    (offset + LEAST <= anchor.len()).then_some(offset)
}

/// What the line of a built-in anchor says.
fn chosen(anchor: &Anchor) -> Option<[usize; 3]> {
    let (records, _) = CHOSEN.as_chunks::<{ KEY + 4 }>();
    let key = bucket_key(anchor);
    let at = records.binary_search_by(|record| record[..KEY].cmp(&key));
    let record = records[at.ok()?];
    let digit = |at: usize| char::from(record[KEY + at]).to_digit(BUCKETS as u32);
    Some([digit(0)? as usize, digit(1)? as usize, digit(2)? as usize])
}

/// A line for each built-in anchor, sorted: its [`bucket_key`], then the offset of its window and
/// the number of its bucket, and the offset of its window for the sieve of trigrams, a digit each
/// to the base 32. Written by `examples/buckets.rs`.
static CHOSEN: &[u8] = include_bytes!("buckets.txt");

/// Bytes of a key.
const KEY: usize = 8;

/// What a line of `buckets.txt` begins with: a hash of the anchor (FNV-1a, 32 bits) in hexadecimal
/// digits.
pub fn bucket_key(anchor: &Anchor) -> [u8; KEY] {
    let bytes = anchor.bytes().iter().copied();
    let bytes = bytes.chain([u8::from(anchor.ignore_case)]);
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    std::array::from_fn(|digit| b"0123456789abcdef"[(hash >> (28 - 4 * digit)) as usize % 16])
}
