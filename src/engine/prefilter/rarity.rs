//! How common four bytes are in ordinary code.

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
