//! The kernel that runs everywhere: a hash of three bytes at every second position.
//!
//! Of each anchor one window of five bytes counts (four, when the anchor has no more). It holds
//! two neighbouring trigrams, one of which starts at an even offset of the text, wherever the
//! window does. Both enter a 64 KiB table, whose entries say which bytes may follow (one bit of
//! eight). The text is taken in strips: a first loop without branches notes the positions that
//! the table lets through; a second one looks the two windows up that may start there, and only
//! a window that is some anchor's is compared with that anchor.

use super::{Anchor, Hit};

/// Shortest anchor, in bytes.
pub(super) const LEAST: usize = 4;

const TABLE_BITS: u32 = 16;
/// Bytes that a step of the main loop moves on; it looks at every second position of them.
const STEP: usize = 16;
/// Bytes that a step reads: the window at its last position reaches beyond it.
const READ: usize = STEP + 4;
/// Steps between two looks at what was noted.
const STRIP: usize = 256;

type Table = [u8; 1 << TABLE_BITS];

#[derive(Debug)]
pub(super) struct Scalar {
    table: Box<Table>,
    /// Windows of anchors of four bytes.
    short: Windows,
    /// Windows of all others.
    long: Windows,
}

impl Scalar {
    pub(super) fn new(anchors: &[Anchor]) -> Self {
        let mut table = Box::new([0; 1 << TABLE_BITS]);
        let mut short = Vec::new();
        let mut long = Vec::new();
        for (number, anchor) in anchors.iter().enumerate() {
            let bytes = &anchor.bytes;
            if bytes.len() < LEAST {
                continue;
            }
            let width = bytes.len().min(LEAST + 1);
            let offset = rarest_window(bytes, width);
            for at in [offset, offset + 1] {
                let next = match bytes.get(at + 3) {
                    Some(&next) => next_bit(fold(u32::from(next))),
                    None => 0xff,
                };
                table[hash(trigram(&bytes[at..]))] |= next;
            }
            let windows = match width {
                LEAST => &mut short,
                _ => &mut long,
            };
            windows.push(Entry {
                window: pack(&bytes[offset..offset + width]),
                anchor: number as u32,
                offset: offset as u32,
            });
        }
        Self {
            table,
            short: Windows::new(LEAST, short),
            long: Windows::new(LEAST + 1, long),
        }
    }

    pub(super) fn find(&self, text: &[u8], anchors: &[Anchor], hits: &mut Vec<Hit>) {
        let mut noted = [(0u32, 0u8); STRIP];
        let mut at = 0;
        while at + READ <= text.len() {
            let strip = &text[at..];
            let mut count = 0;
            let mut steps = 0;
            while let Some(block) = strip
                .get(steps * STEP..)
                .and_then(<[u8]>::first_chunk::<READ>)
            {
                if steps == STRIP {
                    break;
                }
                let passed = self.step(block);
                noted[count] = (steps as u32, passed);
                count += usize::from(passed != 0);
                steps += 1;
            }
            for &(step, mut passed) in &noted[..count] {
                while passed != 0 {
                    let place = step as usize * STEP + 2 * passed.trailing_zeros() as usize;
                    passed &= passed - 1;
                    self.look(text, at + place, anchors, hits);
                }
            }
            at += steps * STEP;
        }
        while at < text.len() {
            self.look(text, at, anchors, hits);
            at += 2;
        }
    }

    /// Looks up the windows that start at `place` or a byte before it.
    #[inline]
    fn look(&self, text: &[u8], place: usize, anchors: &[Anchor], hits: &mut Vec<Hit>) {
        for start in place.saturating_sub(1)..=place {
            self.long.look(text, start, anchors, hits);
            self.short.look(text, start, anchors, hits);
        }
    }

    /// Which of the eight even positions of a step the first table lets through.
    #[inline(always)]
    fn step(&self, block: &[u8; READ]) -> u8 {
        let mut passed = 0;
        for pair in 0..4 {
            let at = 4 * pair;
            let bytes = [
                block[at],
                block[at + 1],
                block[at + 2],
                block[at + 3],
                block[at + 4],
                block[at + 5],
                block[at + 6],
                block[at + 7],
            ];
            let eight = u64::from_le_bytes(bytes) | CASES;
            for half in 0..2 {
                let window = (eight >> (16 * half)) as u32;
                let next = self.table[hash(window)] >> (window >> 24 & 7) & 1;
                passed |= next << (2 * pair + half);
            }
        }
        passed
    }
}

/// Windows of one width, by their hash.
#[derive(Debug)]
struct Windows {
    width: usize,
    /// One bit for each hash of a window.
    known: Vec<u64>,
    /// First entry of each bucket, with one more at the end.
    buckets: Vec<u32>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// As [`pack`] makes it.
    window: u64,
    anchor: u32,
    /// Offset of the window in the anchor.
    offset: u32,
}

impl Windows {
    const HASH_BITS: u32 = 16;
    const BUCKET_BITS: u32 = 11;

    fn new(width: usize, mut entries: Vec<Entry>) -> Self {
        let mut known = vec![0; (1 << Self::HASH_BITS) / 64];
        for entry in &entries {
            let hash = Self::hash(entry.window);
            known[hash / 64] |= 1 << (hash % 64);
        }
        entries.sort_by_key(|entry| (Self::hash(entry.window), entry.window));
        let first_of = |number: usize| {
            entries.partition_point(|entry| Self::bucket(Self::hash(entry.window)) < number) as u32
        };
        let buckets = (0..=1 << Self::BUCKET_BITS).map(first_of).collect();
        Self {
            width,
            known,
            buckets,
            entries,
        }
    }

    /// Multiplicative (Knuth).
    #[inline(always)]
    fn hash(window: u64) -> usize {
        (window.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - Self::HASH_BITS)) as usize
    }

    fn bucket(hash: usize) -> usize {
        hash >> (Self::HASH_BITS - Self::BUCKET_BITS)
    }

    #[inline(always)]
    fn look(&self, text: &[u8], start: usize, anchors: &[Anchor], hits: &mut Vec<Hit>) {
        let Some(window) = window(text, start, self.width) else {
            return;
        };
        let hash = Self::hash(window);
        if self.known[hash / 64] >> (hash % 64) & 1 != 0 {
            self.verify(text, start, window, Self::bucket(hash), anchors, hits);
        }
    }

    #[cold]
    fn verify(
        &self,
        text: &[u8],
        start: usize,
        window: u64,
        bucket: usize,
        anchors: &[Anchor],
        hits: &mut Vec<Hit>,
    ) {
        let range = self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize;
        for entry in self.entries[range].iter().filter(|e| e.window == window) {
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

/// The window of `width` bytes (at most 8) at `start`, `None` when the text ends before it does.
#[inline(always)]
fn window(text: &[u8], start: usize, width: usize) -> Option<u64> {
    let rest = text.get(start..)?;
    match rest.first_chunk::<8>() {
        Some(&eight) => {
            let mask = u64::MAX >> (64 - 8 * width);
            Some((u64::from_le_bytes(eight) | CASES) & mask)
        }
        None => rest.get(..width).map(pack),
    }
}

/// At most eight bytes, case folded, as a number.
fn pack(bytes: &[u8]) -> u64 {
    let byte = |number, &byte| number << 8 | u64::from(byte | 0x20);
    bytes.iter().rev().fold(0, byte)
}

/// The bit in which letters of either case differ, in eight bytes.
const CASES: u64 = 0x2020_2020_2020_2020;

/// The first three of `bytes`, case folded.
fn trigram(bytes: &[u8]) -> u32 {
    fold(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]))
}

/// Folds ASCII case (and some punctuation with it, which verification sorts out).
#[inline(always)]
fn fold(bytes: u32) -> u32 {
    bytes | 0x2020_2020
}

/// Multiplicative hash of the low three bytes (Knuth): the factor's low byte is zero, so that
/// the fourth byte has no part in the result.
#[inline(always)]
fn hash(window: u32) -> usize {
    (window.wrapping_mul(0x9e37_79b1 << 8) >> (32 - TABLE_BITS)) as usize
}

/// The table's bit for the byte after a trigram.
#[inline(always)]
fn next_bit(byte: u32) -> u8 {
    1 << (byte & 7)
}

/// Offset of the window of `width` bytes that ordinary code holds least.
fn rarest_window(anchor: &[u8], width: usize) -> usize {
    let cost = |at: usize| {
        anchor[at..at + width]
            .windows(2)
            .map(|pair| commonness(pair[0], pair[1]))
            .sum::<u32>()
    };
    (0..=anchor.len() - width)
        .min_by_key(|&at| cost(at))
        .unwrap_or(0)
}

/// How common two neighbouring bytes are in ordinary code, in either case: measured by
/// `benches/bigrams.py`, which explains the table. A wrong one costs time, never a hit.
fn commonness(first: u8, second: u8) -> u32 {
    static BIGRAMS: &[u8] = include_bytes!("bigrams.txt");
    const LINE: usize = 65;
    const { assert!(BIGRAMS.len() == 64 * LINE) };
    let class = |byte: u8| usize::from(byte >> 1 & 0x20 | byte & 0x1f);
    let at = class(first) * LINE + class(second);
    match (first.is_ascii(), BIGRAMS.get(at)) {
        (true, Some(&common)) if second.is_ascii() => u32::from(common.saturating_sub(b'0')),
        _ => 0,
    }
}
