//! The second stage: which window of which anchor stands at a place, if any.
//!
//! Of each anchor one window of four bytes counts, one that ordinary code holds seldom. A bit for
//! each hash of a window rules most places out, and what may follow a window in an anchor nearly
//! all others; only then is the text compared with whole anchors.

use super::{Anchor, Hit};

/// The windows of all anchors, by their hash.
#[derive(Debug)]
pub(super) struct Windows {
    /// A bit for each hash of a window.
    known: Box<[u64; (1 << HASH_BITS) / 64]>,
    /// With one more at the end.
    buckets: Vec<Bucket>,
    entries: Vec<Entry>,
}

/// The anchors whose windows have hashes that begin alike.
#[derive(Clone, Copy, Default, Debug)]
struct Bucket {
    /// The first of its entries; the next bucket's is behind the last.
    first: u32,
    /// A bit for each byte that an anchor has behind its window, and for each at the place after it,
    /// by the byte's lowest five bits.
    behind: [u32; 2],
}

/// The bits of bytes at places that no anchor cares for.
const ANY: u32 = u32::MAX;

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
const BUCKET_BITS: u32 = 12;

impl Windows {
    /// The anchors of `windows`, each with the offset of its window.
    pub(super) fn new(anchors: &[Anchor], windows: &[(u32, usize)]) -> Self {
        let entry = |&(number, offset): &(u32, usize)| {
            let anchor = &anchors[number as usize];
            Entry::new(anchor, number, offset)
        };
        let entries: Vec<Entry> = windows.iter().map(entry).collect();
        let mut known = Box::new([0; (1 << HASH_BITS) / 64]);
        let mut buckets = vec![Bucket::default(); (1 << BUCKET_BITS) + 1];
        for entry in &entries {
            let hash = hash(entry.bytes as u32);
            known[hash / 64] |= 1 << (hash % 64);
            let bucket = &mut buckets[bucket(hash)];
            bucket.first += 1;
            for (place, behind) in bucket.behind.iter_mut().enumerate() {
                let start = 32 + 8 * place as u16;
                *behind |= match start < entry.bits {
                    true => bit(entry.bytes >> start),
                    false => ANY,
                };
            }
        }
        let mut end = 0;
        for bucket in &mut buckets {
            end += bucket.first;
            bucket.first = end;
        }
        // Each goes before the last of its bucket, whose number ends as that of the first.
        let mut placed = entries.clone();
        for entry in entries {
            let first = &mut buckets[bucket(hash(entry.bytes as u32))].first;
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
            let Bucket { behind, .. } = self.buckets[bucket(hash(there as u32))];
            (behind[0] & bit(there >> 32) != 0) & (behind[1] & bit(there >> 40) != 0)
        })
    }

    /// Finds the anchors whose windows start at `start`.
    pub(super) fn find(&self, text: &[u8], start: usize, anchors: &[Anchor], hits: &mut Vec<Hit>) {
        let there = fold(text.get(start..).unwrap_or_default());
        let bucket = bucket(hash(there as u32));
        let [this, next] = [bucket, bucket + 1].map(|bucket| self.buckets[bucket].first as usize);
        let entries = &self.entries[this..next];
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

/// The bit of a byte that stands behind a window: of the lowest byte of `bytes`.
#[inline(always)]
fn bit(bytes: u64) -> u32 {
    1 << (bytes & 31)
}

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
