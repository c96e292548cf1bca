//! A sieve: which bytes may stand at each of four places in a row.
//!
//! Every window goes into one of 32 buckets, and a bucket takes, at each place, the bytes that any
//! of its windows has there: for eight buckets that is a table of 128 bytes for each place, which
//! two registers hold. With windows and buckets chosen at random a tenth of ordinary code would
//! pass; `examples/buckets.rs` chooses those of the built-in anchors so that a fiftieth does.
//! Invariant: a place where a window starts passes.

use super::rarity::{self, BUCKETS};
use super::sieve::{BEHIND, BLOCK, Strip};
use super::{Anchor, LEAST};

/// Tables of eight buckets each.
pub(super) const GROUPS: usize = BUCKETS / 8;

/// For each byte without its highest bit, the buckets that take it, by group and place.
pub(super) type Tables = [[[u8; 128]; LEAST]; GROUPS];

/// The buckets.
#[derive(Debug)]
pub(super) struct Classes {
    tables: Box<Tables>,
}

/// What a bucket takes at each place: a bit for each byte without its highest bit.
type Bucket = [u128; LEAST];

impl Classes {
    /// Buckets for a window of each of `anchors`, and the offsets of these windows.
    pub(super) fn new(anchors: &[(u32, Anchor)]) -> (Self, Vec<(u32, usize)>) {
        let mut buckets = [Bucket::default(); BUCKETS];
        let mut windows = Vec::with_capacity(anchors.len());
        let mut others = Vec::new();
        for &(number, anchor) in anchors {
            if let Some((offset, bucket)) = rarity::chosen_bucket(&anchor) {
                buckets[bucket] = union(&buckets[bucket], &bytes(&anchor, offset));
                windows.push((number, offset));
            } else {
                others.push((number, anchor));
            }
        }
        // Where a window widens a bucket least.
        for (number, anchor) in others {
            let offset = rarity::rarest_window(anchor.bytes());
            let window = bytes(&anchor, offset);
            let cost = |bucket: &Bucket| size(&union(bucket, &window)) - size(bucket);
            let best = buckets.iter_mut().min_by_key(|bucket| cost(bucket));
            let best = best.expect("there are buckets");
            *best = union(best, &window);
            windows.push((number, offset));
        }
        let mut tables = Box::new([[[0; 128]; LEAST]; GROUPS]);
        for (number, bucket) in buckets.iter().enumerate() {
            for (place, &bytes) in bucket.iter().enumerate() {
                for byte in 0..128 {
                    let bit = (bytes >> byte & 1) as u8;
                    tables[number / 8][place][byte] |= bit << (number % 8);
                }
            }
        }
        (Self { tables }, windows)
    }

    /// Lists the places that pass in the first blocks of `text` in `strip`. Returns their number,
    /// and how many bytes these blocks have: none when `text` is shorter than a block with
    /// [`BEHIND`] bytes after it. A window starts at a place.
    pub(super) fn sift(&self, text: &[u8], strip: &mut Strip) -> (usize, usize) {
        let blocks = (text.len().saturating_sub(BEHIND) / BLOCK).min(Strip::BLOCKS);
        let len = blocks * BLOCK;
        let count = match blocks {
            0 => 0,
            _ => super::x86_64::classes(&self.tables, &text[..len + BEHIND], strip),
        };
        (count, len)
    }
}

/// What may stand where the window of `anchor` at `offset` does.
fn bytes(anchor: &Anchor, offset: usize) -> Bucket {
    std::array::from_fn(|place| {
        let byte = anchor.bytes()[offset + place];
        let bit = |byte: u8| 1 << (byte & 0x7f);
        match anchor.ignore_case {
            true => bit(byte) | bit(byte.to_ascii_uppercase()),
            false => bit(byte),
        }
    })
}

fn union(bucket: &Bucket, other: &Bucket) -> Bucket {
    std::array::from_fn(|place| bucket[place] | other[place])
}

/// How many texts of four bytes a bucket takes.
fn size(bucket: &Bucket) -> u32 {
    bucket.iter().map(|bytes| bytes.count_ones()).product()
}
