//! The second stage: which window of which anchor stands at a place, if any.
//!
//! Of each anchor one window of four bytes counts, one that ordinary code holds seldom. A bit for
//! each hash of a window rules most places out, and what follows the window in the anchor nearly
//! all others; only then is the text compared with whole anchors.

use super::{Anchor, Hit};

/// The windows of all anchors, by their hash.
#[derive(Debug)]
pub(super) struct Windows {
    /// A bit for each hash of a window.
    known: Box<[u64; (1 << HASH_BITS) / 64]>,
    /// First entry of each bucket, with one more at the end.
    buckets: Vec<u32>,
    entries: Vec<Entry>,
}

/// One anchor with its window.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// What the anchor has from its window on, as [`fold`] makes it.
    bytes: u64,
    anchor: u32,
    /// Offset of the window in the anchor.
    offset: u16,
    /// Bits of `bytes`.
    bits: u16,
}

const HASH_BITS: u32 = 17;
const BUCKET_BITS: u32 = 13;

impl Windows {
    /// The anchors of `windows`, each with the offset of its window.
    pub(super) fn new(anchors: &[Anchor], windows: &[(u32, usize)]) -> Self {
        let entry = |&(number, offset): &(u32, usize)| {
            let anchor = &anchors[number as usize];
            Entry::new(anchor, number, offset)
        };
        let entries: Vec<Entry> = windows.iter().map(entry).collect();
        let mut known = Box::new([0; (1 << HASH_BITS) / 64]);
        let mut buckets = vec![0; (1 << BUCKET_BITS) + 1];
        for entry in &entries {
            let hash = hash(entry.bytes as u32);
            known[hash / 64] |= 1 << (hash % 64);
            buckets[bucket(hash)] += 1;
        }
        let mut end = 0;
        for bucket in &mut buckets {
            end += *bucket;
            *bucket = end;
        }
        // Each goes before the last of its bucket, whose number ends as that of the first.
        let mut placed = entries.clone();
        for entry in entries {
            let first = &mut buckets[bucket(hash(entry.bytes as u32))];
            *first -= 1;
            placed[*first as usize] = entry;
        }
        Self {
            known,
            buckets,
            entries: placed,
        }
    }

    /// Whether a window may start with these bytes, the first lowest.
    #[inline(always)]
    pub(super) fn knows(&self, window: u32) -> bool {
        let hash = hash(window | CASES as u32);
        self.known[hash / 64] >> (hash % 64) & 1 != 0
    }

    /// Whether an anchor may stand around a window at `start`. Branches little, and may say yes
    /// where `find` finds nothing.
    #[inline(always)]
    pub(super) fn may_find(&self, text: &[u8], start: usize) -> bool {
        let there = text.get(start..).and_then(|rest| rest.first_chunk());
        there.is_none_or(|&there| {
            let there = u64::from_le_bytes(there) | CASES;
            let bucket = bucket(hash(there as u32));
            let (first, end) = (self.buckets[bucket], self.buckets[bucket + 1]);
            // That of a later bucket, when this one is empty.
            let first_is_there = self.entries.get(first as usize);
            first_is_there.is_some_and(|entry| entry.is_at(there)) | (end > first + 1)
        })
    }

    /// Finds the anchors whose windows start at `start`.
    pub(super) fn find(&self, text: &[u8], start: usize, anchors: &[Anchor], hits: &mut Vec<Hit>) {
        let there = fold(text.get(start..).unwrap_or_default());
        let bucket = bucket(hash(there as u32));
        let entries =
            &self.entries[self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize];
        for entry in entries.iter().filter(|entry| entry.is_at(there)) {
            let Some(start) = start.checked_sub(entry.offset.into()) else {
                continue;
            };
            if anchors[entry.anchor as usize].is_at(text, start) {
                let anchor = entry.anchor;
                hits.push(Hit { start, anchor });
            }
        }
    }
}

impl Entry {
    fn new(anchor: &Anchor, number: u32, offset: usize) -> Self {
        let bytes = &anchor.bytes()[offset..];
        let bits = 8 * bytes.len().min(8);
        Self {
            bytes: fold(bytes) & u64::MAX >> (64 - bits),
            anchor: number,
            offset: offset as u16,
            bits: bits as u16,
        }
    }

    /// Whether `there`, folded, starts with the anchor's bytes from its window on.
    #[inline(always)]
    fn is_at(&self, there: u64) -> bool {
        (there ^ self.bytes) << (64 - self.bits) == 0
    }
}

/// The bit in which letters of either case differ, in eight bytes. Folding it away makes some
/// punctuation equal too, which the comparison sorts out.
const CASES: u64 = 0x2020_2020_2020_2020;

/// At most eight bytes, case folded, as a number.
#[inline(always)]
fn fold(bytes: &[u8]) -> u64 {
    let eight = bytes.first_chunk().copied().unwrap_or_else(|| {
        let mut eight = [0; 8];
        eight[..bytes.len()].copy_from_slice(bytes);
        eight
    });
    u64::from_le_bytes(eight) | CASES
}

/// Multiplicative (Knuth).
#[inline(always)]
fn hash(window: u32) -> usize {
    (window.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize
}

#[inline(always)]
fn bucket(hash: usize) -> usize {
    hash >> (HASH_BITS - BUCKET_BITS)
}
