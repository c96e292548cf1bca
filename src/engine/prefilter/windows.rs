//! The second stage: which window of which anchor stands at a place, if any.
//!
//! Of each anchor one window of five bytes counts (four, when the anchor has no more), the one
//! that ordinary code holds least. A bit for each hash of a window rules most places out; only a
//! window that is some anchor's is compared with that anchor.

use super::{Anchor, Hit};

/// Width of the windows of all but the shortest anchors, in bytes.
const LONG: usize = 5;
/// Width of the windows of anchors that have no more bytes.
const SHORT: usize = 4;

/// The windows of all anchors.
#[derive(Debug)]
pub(super) struct Windows {
    short: Table<SHORT>,
    long: Table<LONG>,
}

/// One anchor's window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) anchor: u32,
    /// Its offset in the anchor.
    pub(super) offset: usize,
}

impl Windows {
    /// How many bytes a window has in an anchor of `len` bytes.
    pub(super) fn width(len: usize) -> usize {
        len.min(LONG)
    }

    pub(super) fn new(anchors: &[Anchor], windows: &[Window]) -> Self {
        let of_width = |width: usize| {
            let windows = windows.iter().filter_map(move |window| {
                let anchor = anchors[window.anchor as usize].bytes();
                (Self::width(anchor.len()) == width).then(|| Entry {
                    bytes: pack(&anchor[window.offset..window.offset + width]),
                    anchor: window.anchor,
                    offset: window.offset as u32,
                })
            });
            windows.collect()
        };
        Self {
            short: Table::new(of_width(SHORT)),
            long: Table::new(of_width(LONG)),
        }
    }

    /// Whether a window may start at `place` or a byte before it.
    #[inline(always)]
    pub(super) fn may_start(&self, text: &[u8], place: usize) -> bool {
        let Some(before) = eight(text, place.wrapping_sub(1)) else {
            return true;
        };
        self.long.knows(before)
            | self.long.knows(before >> 8)
            | self.short.knows(before)
            | self.short.knows(before >> 8)
    }

    /// Finds the anchors whose windows start at `place` or a byte before it.
    pub(super) fn find(&self, text: &[u8], place: usize, anchors: &[Anchor], hits: &mut Vec<Hit>) {
        for start in place.saturating_sub(1)..=place {
            let rest = text.get(start..).unwrap_or_default();
            let bytes = match eight(text, start) {
                Some(bytes) => bytes,
                None => pack(rest),
            };
            if rest.len() >= LONG {
                self.long.find(text, start, bytes, anchors, hits);
            }
            if rest.len() >= SHORT {
                self.short.find(text, start, bytes, anchors, hits);
            }
        }
    }
}

/// Windows of one width, by their hash.
#[derive(Debug)]
struct Table<const WIDTH: usize> {
    /// One bit for each hash of a window.
    known: Box<[u64; (1 << HASH_BITS) / 64]>,
    /// First entry of each bucket, with one more at the end.
    buckets: Vec<u32>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// As [`pack`] makes them.
    bytes: u64,
    anchor: u32,
    /// Offset of the window in the anchor.
    offset: u32,
}

const HASH_BITS: u32 = 16;
const BUCKET_BITS: u32 = 11;

impl<const WIDTH: usize> Table<WIDTH> {
    fn new(entries: Vec<Entry>) -> Self {
        let mut known = Box::new([0; (1 << HASH_BITS) / 64]);
        let mut buckets = vec![0; (1 << BUCKET_BITS) + 1];
        for entry in &entries {
            let hash = Self::hash(entry.bytes);
            known[hash / 64] |= 1 << (hash % 64);
            buckets[Self::bucket(hash)] += 1;
        }
        let mut end = 0;
        for bucket in &mut buckets {
            end += *bucket;
            *bucket = end;
        }
        // Each goes before the last of its bucket, whose number ends as that of the first.
        let mut placed = entries.clone();
        for entry in entries {
            let first = &mut buckets[Self::bucket(Self::hash(entry.bytes))];
            *first -= 1;
            placed[*first as usize] = entry;
        }
        Self {
            known,
            buckets,
            entries: placed,
        }
    }

    /// Of the first bytes, multiplicative (Knuth).
    #[inline(always)]
    fn hash(bytes: u64) -> usize {
        let window = bytes << (64 - 8 * WIDTH);
        (window.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - HASH_BITS)) as usize
    }

    fn bucket(hash: usize) -> usize {
        hash >> (HASH_BITS - BUCKET_BITS)
    }

    /// Whether `bytes` may start with a window.
    #[inline(always)]
    fn knows(&self, bytes: u64) -> bool {
        let hash = Self::hash(bytes);
        self.known[hash / 64] >> (hash % 64) & 1 != 0
    }

    /// Finds the anchors that have the window `bytes` start with, which stand at `start`.
    fn find(&self, text: &[u8], start: usize, bytes: u64, anchors: &[Anchor], hits: &mut Vec<Hit>) {
        if !self.knows(bytes) {
            return;
        }
        let bucket = Self::bucket(Self::hash(bytes));
        let range = self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize;
        let window = bytes & (u64::MAX >> (64 - 8 * WIDTH));
        for entry in self.entries[range].iter().filter(|e| e.bytes == window) {
            let Some(start) = start.checked_sub(entry.offset as usize) else {
                continue;
            };
            if anchors[entry.anchor as usize].is_at(text, start) {
                let anchor = entry.anchor;
                hits.push(Hit { start, anchor });
            }
        }
    }
}

/// The eight bytes at `start`, case folded, as a number; `None` at the ends of a text.
#[inline(always)]
fn eight(text: &[u8], start: usize) -> Option<u64> {
    let bytes = text.get(start..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*bytes) | CASES)
}

/// The bit in which letters of either case differ, in eight bytes. Folding it away makes some
/// punctuation equal too, which verification sorts out.
const CASES: u64 = 0x2020_2020_2020_2020;

/// At most eight bytes, case folded, as a number.
fn pack(bytes: &[u8]) -> u64 {
    let byte = |number, &byte| number << 8 | u64::from(byte | 0x20);
    bytes.iter().rev().fold(0, byte)
}
