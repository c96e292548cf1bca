//! The kernel that runs everywhere: a hash of three bytes at every second position.
//!
//! An anchor of at least four bytes holds two neighbouring trigrams, one of which starts at an
//! even offset of the text, whatever the anchor's own offset. Both trigrams of the anchor's
//! rarest four-byte window enter a 64 KiB table; a non-zero entry there names, by one bit of the
//! byte that follows, whether a look at the buckets is worth it.

use super::{Anchor, Hit};

/// Shortest anchor, in bytes.
pub(super) const LEAST: usize = 4;

const TABLE_BITS: u32 = 16;
const BUCKET_BITS: u32 = 12;
/// Positions looked at per step of the main loop, two bytes apart.
const STEP: usize = 8;

#[derive(Debug)]
pub(super) struct Scalar {
    table: Box<[u8; 1 << TABLE_BITS]>,
    /// First entry of each bucket, with one more at the end.
    buckets: Vec<u32>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Three case-folded bytes.
    trigram: u32,
    anchor: u32,
    /// Offset of the trigram in the anchor.
    offset: u32,
}

impl Scalar {
    pub(super) fn new(anchors: &[Anchor]) -> Self {
        let mut table = Box::new([0; 1 << TABLE_BITS]);
        let mut entries = Vec::new();
        for (number, anchor) in anchors.iter().enumerate() {
            if anchor.bytes.len() < LEAST {
                continue;
            }
            let at = rarest_window(&anchor.bytes);
            for offset in [at, at + 1] {
                let bytes = &anchor.bytes[offset..];
                let trigram = trigram(bytes[0], bytes[1], bytes[2]);
                table[hash(trigram, TABLE_BITS)] |= match bytes.get(3) {
                    Some(&next) => next_bit(fold(u32::from(next))),
                    None => 0xff,
                };
                entries.push(Entry {
                    trigram,
                    anchor: number as u32,
                    offset: offset as u32,
                });
            }
        }
        entries.sort_by_key(|entry| (hash(entry.trigram, BUCKET_BITS), entry.trigram));
        let first_of = |bucket: usize| {
            entries.partition_point(|entry| hash(entry.trigram, BUCKET_BITS) < bucket) as u32
        };
        let buckets = (0..=1 << BUCKET_BITS).map(first_of).collect();
        Self {
            table,
            buckets,
            entries,
        }
    }

    pub(super) fn find(&self, text: &[u8], anchors: &[Anchor], hits: &mut Vec<Hit>) {
        if self.entries.is_empty() {
            return;
        }
        let mut at = 0;
        // A step reads four bytes at its last position.
        while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk::<{ 2 * STEP + 2 }>) {
            let mut any = 0;
            let mut seen = [0; STEP];
            for (k, seen) in seen.iter_mut().enumerate() {
                let window = window(block, 2 * k);
                *seen = self.table[hash(window, TABLE_BITS)];
                any |= *seen;
            }
            if any != 0 {
                for (k, &seen) in seen.iter().enumerate() {
                    let window = window(block, 2 * k);
                    if seen & next_bit(window >> 24) != 0 {
                        self.verify(text, at + 2 * k, window & TRIGRAM, anchors, hits);
                    }
                }
            }
            at += 2 * STEP;
        }
        while let Some(&[a, b, c]) = text.get(at..).and_then(<[u8]>::first_chunk::<3>) {
            self.verify(text, at, trigram(a, b, c), anchors, hits);
            at += 2;
        }
    }

    #[inline(never)]
    fn verify(
        &self,
        text: &[u8],
        at: usize,
        trigram: u32,
        anchors: &[Anchor],
        hits: &mut Vec<Hit>,
    ) {
        let bucket = hash(trigram, BUCKET_BITS);
        let range = self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize;
        for entry in &self.entries[range] {
            if entry.trigram != trigram {
                continue;
            }
            let Some(start) = at.checked_sub(entry.offset as usize) else {
                continue;
            };
            if anchors[entry.anchor as usize].is_at(text, start) {
                let anchor = entry.anchor;
                hits.push(Hit { start, anchor });
            }
        }
    }
}

/// Four case-folded bytes at `offset`; the block is long enough for every position of a step.
#[inline(always)]
fn window(block: &[u8; 2 * STEP + 2], offset: usize) -> u32 {
    let [a, b, c, d] = [block[offset], block[offset + 1], block[offset + 2], block[offset + 3]];
    fold(u32::from_le_bytes([a, b, c, d]))
}

/// The bytes of a window that make its trigram.
const TRIGRAM: u32 = 0xff_ffff;

fn trigram(a: u8, b: u8, c: u8) -> u32 {
    fold(u32::from_le_bytes([a, b, c, 0])) & TRIGRAM
}

/// Folds ASCII case (and some punctuation with it, which verification sorts out).
#[inline(always)]
fn fold(bytes: u32) -> u32 {
    bytes | 0x2020_2020
}

/// Multiplicative hash of the low three bytes (Knuth): the factor's low byte is zero, so that
/// the fourth byte has no part in the result.
#[inline(always)]
fn hash(window: u32, bits: u32) -> usize {
    const FACTOR: u32 = 0x9e37_79b1 << 8;
    (window.wrapping_mul(FACTOR) >> (32 - bits)) as usize
}

/// The table's bit for the byte after a trigram.
#[inline(always)]
fn next_bit(byte: u32) -> u8 {
    1 << (byte & 7)
}

/// Offset of the four-byte window that ordinary code holds least.
fn rarest_window(anchor: &[u8]) -> usize {
    let cost = |at: usize| anchor[at..at + LEAST].iter().map(|&byte| commonness(byte)).sum::<u32>();
    (0..=anchor.len() - LEAST).min_by_key(|&at| cost(at)).unwrap_or(0)
}

/// How common a byte is in source code: the logarithm (base 2, in quarters) of its count in a
/// million bytes of mixed C, Python, JavaScript and prose, letters in either case.
fn commonness(byte: u8) -> u32 {
    match byte.to_ascii_lowercase() {
        b' ' => 70,
        b'e' | b't' => 64,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' => 62,
        b'c' | b'd' | b'l' | b'p' | b'u' | b'm' | b'f' => 58,
        b'_' | b'g' | b'h' | b'b' | b'\n' => 56,
        b'(' | b')' | b',' | b'.' | b';' | b'-' | b'v' | b'y' | b'w' | b'k' | b'"' | b'=' => 54,
        b'0' | b'x' | b'1' | b'*' | b'/' | b':' | b'>' | b'<' | b'\'' | b'\t' => 52,
        b'2'..=b'9' | b'j' | b'{' | b'}' | b'[' | b']' | b'#' | b'&' | b'q' | b'z' => 46,
        _ => 38,
    }
}
