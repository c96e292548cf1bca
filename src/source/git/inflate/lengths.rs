//! Reads the code lengths at the head of a block with dynamic codes (RFC 1951, section 3.2.7).

use super::bits::Bits;
use super::code::{Code, Counts};
use crate::source::git::error::ObjectError;

/// Symbols of the code of literals and lengths: 286 that mean something, and two that have a fixed
/// code only.
pub(super) const LITERALS: usize = 288;
/// Symbols of the code of distances.
pub(super) const DISTANCES: usize = 32;

/// Bytes that one run of lengths writes at once.
const STEP: usize = 16;
/// The longest run.
const LONGEST_RUN: usize = 138;
/// A length that no code has: what a repetition without anything before it repeats.
const NONE: u8 = 16;

/// The lengths of the codes of one block.
pub(super) struct Lengths {
    all: [u8; 512],
    literals: usize,
    distances: usize,
    literal_counts: Counts,
    distance_counts: Counts,
}

impl Lengths {
    /// The code of literals and lengths.
    pub(super) fn literals(&self) -> Code<'_> {
        Code {
            lengths: &self.all[..self.literals],
            counts: &self.literal_counts,
        }
    }

    /// The code of distances.
    pub(super) fn distances(&self) -> Code<'_> {
        Code {
            lengths: &self.all[self.literals..self.literals + self.distances],
            counts: &self.distance_counts,
        }
    }

    /// The lengths of the fixed codes (RFC 1951, section 3.2.6).
    pub(super) fn fixed() -> Self {
        let mut all = [0; 512];
        all[..144].fill(8);
        all[144..256].fill(9);
        all[256..280].fill(7);
        all[280..LITERALS].fill(8);
        all[LITERALS..LITERALS + DISTANCES].fill(5);
        let mut literal_counts = Counts::default();
        literal_counts.add(7, 24);
        literal_counts.add(8, 152);
        literal_counts.add(9, 112);
        let mut distance_counts = Counts::default();
        distance_counts.add(5, 32);
        Self {
            all,
            literals: LITERALS,
            distances: DISTANCES,
            literal_counts,
            distance_counts,
        }
    }

    /// Reads the lengths of a block; its three first bits have been taken.
    pub(super) fn read(bits: &mut Bits<'_>) -> Result<Self, ObjectError> {
        let literals = bits.take(5) as usize + 257;
        let distances = bits.take(5) as usize + 1;
        let codes = bits.take(4) + 4;
        if literals > 286 || distances > 30 {
            return Err(ObjectError::Inflate);
        }
        let table = read_code(bits, codes).ok_or(ObjectError::Inflate)?;
        // Zeros from the start: a long run of zeros has to write its first bytes only.
        let mut lengths = Self {
            all: [0; 512],
            literals,
            distances,
            literal_counts: Counts::default(),
            distance_counts: Counts::default(),
        };
        let mut reader = Reader {
            table: &table,
            at: 0,
            last: NONE,
        };
        reader.read_until(
            bits,
            literals,
            &mut lengths.all,
            &mut lengths.literal_counts,
        );
        // A run may go on from the literals to the distances.
        let over = (reader.at - literals) as u16;
        lengths.literal_counts.remove(reader.last, over);
        lengths.distance_counts.add(reader.last, over);
        let end = literals + distances;
        reader.read_until(bits, end, &mut lengths.all, &mut lengths.distance_counts);
        if bits.overrun() {
            return Err(ObjectError::Truncated);
        }
        let refused = reader.at != end
            || lengths.literal_counts.of(u32::from(NONE)) != 0
            || lengths.all[256] == 0;
        match refused {
            true => Err(ObjectError::Inflate),
            false => Ok(lengths),
        }
    }
}

/// An entry of the table of the code of code lengths.
///
/// ```text
/// bits 0..5   bits of the code and its extra bits
/// bits 5..8   bits of the code alone
/// bits 8..16  shortest run
/// bits 16..24 the length, of a symbol that is one
/// bit  31     REPEAT: the length is the last one
/// ```
type Entry = u32;
const REPEAT: Entry = 1 << 31;
const ONE_BIT: Entry = 1 | 1 << 5;

/// The entries without their codes.
const ENTRIES: [Entry; 19] = {
    let mut entries = [1 << 8; 19];
    let mut symbol = 0;
    while symbol < 16 {
        entries[symbol] |= (symbol as u32) << 16;
        symbol += 1;
    }
    entries[16] = REPEAT | 3 << 8 | 2;
    entries[17] = 3 << 8 | 3;
    entries[18] = 11 << 8 | 7;
    entries
};

/// The order in which the lengths of that code come.
const ORDER: [u8; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

const ROOT_BITS: u32 = 7;

/// Reads the code of code lengths and builds its table.
fn read_code(bits: &mut Bits<'_>, codes: u32) -> Option<[Entry; 1 << ROOT_BITS]> {
    bits.refill();
    let packed = bits.peek() & ((1 << (3 * codes)) - 1);
    bits.skip(12);
    bits.refill();
    bits.skip(3 * codes - 12);
    let mut lengths = [0u8; 19];
    let mut counts = [0u8; 8];
    for (index, &symbol) in ORDER.iter().enumerate() {
        let length = (packed >> (3 * index)) as u8 & 7;
        lengths[symbol as usize] = length;
        counts[length as usize] += 1;
    }
    let mut next = [0u32; 8];
    let mut code = 0;
    for length in 1..8 {
        next[length] = code;
        code += u32::from(counts[length]) << (7 - length);
    }
    if code != 1 << ROOT_BITS {
        return None;
    }
    let mut table = [0; 1 << ROOT_BITS];
    for (symbol, &length) in lengths.iter().enumerate() {
        if length == 0 {
            continue;
        }
        let length = u32::from(length);
        let code = next[length as usize & 7];
        next[length as usize & 7] += 1 << (7 - length);
        let first = code.reverse_bits() >> (32 - ROOT_BITS);
        let entry = ENTRIES[symbol] + length * ONE_BIT;
        for slot in table[first as usize..].iter_mut().step_by(1 << length) {
            *slot = entry;
        }
    }
    Some(table)
}

struct Reader<'a> {
    table: &'a [Entry; 1 << ROOT_BITS],
    at: usize,
    last: u8,
}

impl Reader<'_> {
    /// Reads runs of lengths until `end` is reached or passed.
    #[inline(always)]
    fn read_until(
        &mut self,
        bits: &mut Bits<'_>,
        end: usize,
        all: &mut [u8; 512],
        counts: &mut Counts,
    ) {
        const { assert!(LITERALS + DISTANCES + LONGEST_RUN + STEP < 512) };
        while self.at < end {
            bits.refill();
            // Four runs of up to 14 bits.
            for _ in 0..4 {
                let held = bits.peek();
                let entry = self.table[held as usize & ((1 << ROOT_BITS) - 1)];
                let total = entry & 31;
                let extra = (held as u32 & ((1 << total) - 1)) >> (entry >> 5 & 7);
                bits.skip(total);
                let run = (entry >> 8 & 0xff) + extra;
                let length = match entry & REPEAT {
                    0 => (entry >> 16) as u8,
                    _ => self.last,
                };
                self.last = length;
                if let Some(to) = all[self.at & 511..].first_chunk_mut::<STEP>() {
                    *to = [length; STEP];
                }
                counts.add(length, run as u16);
                self.at += run as usize;
                if self.at >= end {
                    break;
                }
            }
        }
    }
}
