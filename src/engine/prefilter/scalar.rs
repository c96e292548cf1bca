//! The kernel that runs everywhere: a hash of three bytes at every second position.
//!
//! An anchor of at least four bytes holds two neighbouring trigrams, one of which starts at an
//! even offset of the text, whatever the anchor's own offset. Both enter a 64 KiB table, whose
//! entries say which bytes may follow (one bit of eight). The text is taken in strips: a first
//! loop without branches notes the positions that the table lets through, a second one asks a
//! second table with another hash, and only what passes both is compared with anchors.

use super::{Anchor, Hit};

/// Shortest anchor, in bytes.
pub(super) const LEAST: usize = 4;

const TABLE_BITS: u32 = 16;
const BUCKET_BITS: u32 = 12;
/// Bytes that a step of the main loop moves on; it looks at every second position of them.
const STEP: usize = 16;
/// Bytes that a step reads: the window at its last position reaches beyond it.
const READ: usize = STEP + 4;
/// Steps between two looks at what was noted.
const STRIP: usize = 256;

type Table = [u8; 1 << TABLE_BITS];

#[derive(Debug)]
pub(super) struct Scalar {
    first: Box<Table>,
    second: Box<Table>,
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
    /// The first eight bytes of the anchor, case folded, and which of them count.
    head: u64,
    mask: u64,
}

impl Scalar {
    pub(super) fn new(anchors: &[Anchor]) -> Self {
        let mut first = Box::new([0; 1 << TABLE_BITS]);
        let mut second = Box::new([0; 1 << TABLE_BITS]);
        let mut entries = Vec::new();
        for (number, anchor) in anchors.iter().enumerate() {
            if anchor.bytes.len() < LEAST {
                continue;
            }
            let (head, mask) = head(&anchor.bytes);
            let at = rarest_window(&anchor.bytes);
            for offset in [at, at + 1] {
                let bytes = &anchor.bytes[offset..];
                let trigram = trigram(bytes[0], bytes[1], bytes[2]);
                let next = match bytes.get(3) {
                    Some(&next) => next_bit(fold(u32::from(next))),
                    None => 0xff,
                };
                first[hash(trigram)] |= next;
                second[other_hash(trigram)] |= next;
                entries.push(Entry {
                    trigram,
                    anchor: number as u32,
                    offset: offset as u32,
                    head,
                    mask,
                });
            }
        }
        entries.sort_by_key(|entry| (bucket(entry.trigram), entry.trigram));
        let first_of =
            |number: usize| entries.partition_point(|entry| bucket(entry.trigram) < number) as u32;
        let buckets = (0..=1 << BUCKET_BITS).map(first_of).collect();
        Self {
            first,
            second,
            buckets,
            entries,
        }
    }

    pub(super) fn find(&self, text: &[u8], anchors: &[Anchor], hits: &mut Vec<Hit>) {
        if self.entries.is_empty() {
            return;
        }
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
                    let window = fold(window(strip, place));
                    if self.second[other_hash(window)] & next_bit(window >> 24) != 0 {
                        self.verify(text, at + place, window & TRIGRAM, anchors, hits);
                    }
                }
            }
            at += steps * STEP;
        }
        while let Some(&[a, b, c]) = text.get(at..).and_then(<[u8]>::first_chunk::<3>) {
            self.verify(text, at, trigram(a, b, c), anchors, hits);
            at += 2;
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
            let eight = u64::from_le_bytes(bytes) | 0x2020_2020_2020_2020;
            for half in 0..2 {
                let window = (eight >> (16 * half)) as u32;
                let next = self.first[hash(window)] >> (window >> 24 & 7) & 1;
                passed |= next << (2 * pair + half);
            }
        }
        passed
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
        let number = bucket(trigram);
        let range = self.buckets[number] as usize..self.buckets[number + 1] as usize;
        for entry in &self.entries[range] {
            if entry.trigram != trigram {
                continue;
            }
            let Some(start) = at.checked_sub(entry.offset as usize) else {
                continue;
            };
            if let Some(&there) = text.get(start..).and_then(<[u8]>::first_chunk::<8>) {
                let there = u64::from_le_bytes(there) | 0x2020_2020_2020_2020;
                if there & entry.mask != entry.head {
                    continue;
                }
            }
            if anchors[entry.anchor as usize].is_at(text, start) {
                let anchor = entry.anchor;
                hits.push(Hit { start, anchor });
            }
        }
    }
}

/// The first eight bytes of an anchor, case folded, and a mask of those that it has.
fn head(anchor: &[u8]) -> (u64, u64) {
    let mut head = [0; 8];
    let mut mask = [0; 8];
    for (at, &byte) in anchor.iter().take(8).enumerate() {
        head[at] = byte | 0x20;
        mask[at] = 0xff;
    }
    (u64::from_le_bytes(head), u64::from_le_bytes(mask))
}

/// Four bytes at `offset`, which lie in the text.
#[inline(always)]
fn window(text: &[u8], offset: usize) -> u32 {
    let bytes = text.get(offset..).and_then(<[u8]>::first_chunk::<4>);
    u32::from_le_bytes(*bytes.unwrap_or(&[0; 4]))
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
fn hash(window: u32) -> usize {
    (window.wrapping_mul(0x9e37_79b1 << 8) >> (32 - TABLE_BITS)) as usize
}

/// The same with another factor, so that what collides in one table seldom does in the other.
#[inline(always)]
fn other_hash(window: u32) -> usize {
    (window.wrapping_mul(0x85eb_ca6b << 8) >> (32 - TABLE_BITS)) as usize
}

#[inline(always)]
fn bucket(trigram: u32) -> usize {
    (trigram.wrapping_mul(0x9e37_79b1 << 8) >> (32 - BUCKET_BITS)) as usize
}

/// The table's bit for the byte after a trigram.
#[inline(always)]
fn next_bit(byte: u32) -> u8 {
    1 << (byte & 7)
}

/// Offset of the window that ordinary code holds least: four bytes, and a fifth where there is
/// one, so that the byte after the second trigram is known too.
fn rarest_window(anchor: &[u8]) -> usize {
    let width = anchor.len().min(LEAST + 1);
    let cost = |at: usize| {
        anchor[at..at + width]
            .iter()
            .map(|&byte| commonness(byte))
            .sum::<u32>()
    };
    (0..=anchor.len() - width)
        .min_by_key(|&at| cost(at))
        .unwrap_or(0)
}

/// A rough rank of how common a byte is in source code, letters in either case: an estimate, not
/// a measured table. A wrong rank costs time, never a hit.
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
