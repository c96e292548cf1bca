//! Builds the decoding tables of a block's two Huffman codes (RFC 1951, section 3.2.2).
//!
//! A first look-up takes as many bits as the longest code has, up to a root that keeps the table
//! small; entries of longer codes name a group of further entries. The codes are written in the
//! order of their lengths: a table for codes of `n` bits is the table for `n - 1` bits, twice, with
//! the codes of `n` bits put in.

use std::sync::LazyLock;

use super::code::{Code, Counts, SORTED};
use super::entry::{
    CODE_BIT, DISTANCE_ENTRIES, Entry, INVALID, LITERAL_ENTRIES, LONGER, VALUE_SHIFT,
};
use super::lengths::Lengths;

/// The fewest bits that the first look-up of a literal or length takes.
const LEAST_ROOT_BITS: u32 = 8;
/// The most bits that it takes. One more costs more in filling and in cache than it saves.
const MOST_ROOT_BITS: u32 = 11;
/// The bits that the first look-up of a distance takes.
pub(super) const DISTANCE_BITS: u32 = 8;

/// Where the entries of distances begin.
pub(super) const DISTANCE_START: usize = 1 << MOST_ROOT_BITS;
/// Where the entries of codes longer than a root begin.
const LONGER_START: usize = DISTANCE_START + (1 << DISTANCE_BITS);

/// How many entries there can be for longer codes.
///
/// A group of codes with up to `n` bits past the root has `2^n` entries and, as the code is
/// complete, at least `n + 1` symbols. Codes have up to 15 bits, and as many symbols as section
/// 3.2.7 of RFC 1951 lets a block have: 286 and 30.
const LONGER_ENTRIES: usize = 286 * 16 / 5 + 30 * 128 / 8;
const SIZE: usize = LONGER_START + LONGER_ENTRIES;

/// The tables of one block.
pub(super) struct Tables {
    /// Those of literals and lengths, those of distances from [`DISTANCE_START`], then those of
    /// longer codes.
    pub(super) entries: [Entry; SIZE],
    /// The bits that the first look-up of a literal or length takes.
    pub(super) root_bits: u32,
    /// Where the next group of longer codes goes.
    free: usize,
}

/// The tables of blocks with fixed codes (RFC 1951, section 3.2.6).
pub(super) static FIXED: LazyLock<Box<Tables>> = LazyLock::new(|| {
    let mut tables = Box::new(Tables::new());
    let built = tables.build(&Lengths::fixed());
    built.expect("the fixed codes are complete");
    tables
});

impl Tables {
    pub(super) fn new() -> Self {
        Self {
            entries: [INVALID; SIZE],
            root_bits: LEAST_ROOT_BITS,
            free: LONGER_START,
        }
    }

    /// Builds both tables, unless the lengths are those of no codes.
    pub(super) fn build(&mut self, lengths: &Lengths) -> Option<()> {
        let (literals, distances) = (lengths.literals(), lengths.distances());
        let longest = literals.counts.longest();
        self.root_bits = longest.clamp(LEAST_ROOT_BITS, MOST_ROOT_BITS);
        self.free = LONGER_START;
        self.fill(0, self.root_bits, &literals, &LITERAL_ENTRIES)?;
        self.fill(DISTANCE_START, DISTANCE_BITS, &distances, &DISTANCE_ENTRIES)
    }

    /// Fills the table at `start`.
    fn fill(&mut self, start: usize, root: u32, code: &Code<'_>, symbols: &[Entry]) -> Option<()> {
        let (tables, longer) = self.entries.split_at_mut(LONGER_START);
        let table = &mut tables[start..start + (1 << root)];
        if code.is_partial()? {
            fill_partial(table, code, symbols);
            return Some(());
        }
        let mut sorted = [0; SORTED];
        let used = code.sort(&mut sorted);
        let mut sorted = &sorted[..used];
        let mut next = 0u32;
        for length in 1..=root {
            double(table, 1 << (length - 1));
            next <<= 1;
            let (now, later) = sorted.split_at(code.counts.of(length));
            for &symbol in now {
                table[reversed(next, length)] = symbols[symbol as usize] + length * CODE_BIT;
                next += 1;
            }
            sorted = later;
        }
        if !sorted.is_empty() {
            let mut groups = Groups {
                table,
                longer,
                root,
                free: self.free,
                left: code.counts.clone(),
            };
            groups.fill(next, sorted, symbols);
            self.free = groups.free;
        }
        Some(())
    }
}

/// A code of one bit at most (RFC 1951, section 3.2.7): all other bits are no code.
fn fill_partial(table: &mut [Entry], code: &Code<'_>, symbols: &[Entry]) {
    table.fill(INVALID);
    if let Some(symbol) = code.lengths.iter().position(|&length| length == 1) {
        for entry in table.iter_mut().step_by(2) {
            *entry = symbols[symbol] + CODE_BIT;
        }
    }
}

/// Writes the first `half` entries a second time, after themselves.
#[inline(always)]
fn double(table: &mut [Entry], half: usize) {
    if half < 8 {
        for index in 0..half {
            table[half + index] = table[index];
        }
    } else {
        table.copy_within(..half, half);
    }
}

/// A code as it is read: the first bit of it lowest.
fn reversed(code: u32, length: u32) -> usize {
    (code.reverse_bits() >> (32 - length)) as usize
}

/// What is known while the groups of codes longer than the root are filled.
struct Groups<'a> {
    table: &'a mut [Entry],
    longer: &'a mut [Entry],
    root: u32,
    free: usize,
    /// How many codes of each length are still to come.
    left: Counts,
}

impl Groups<'_> {
    /// Fills them with the symbols that are left; `next` is the code after the last one of `root`
    /// bits.
    fn fill(&mut self, mut next: u32, sorted: &[u16], symbols: &[Entry]) {
        let mut length = self.root + 1;
        next <<= 1;
        let (mut root_index, mut group) = (usize::MAX, 0..0);
        for &symbol in sorted {
            while self.left.of(length) == 0 {
                length += 1;
                next <<= 1;
            }
            let index = reversed(next, length);
            let first = index & ((1 << self.root) - 1);
            if first != root_index {
                root_index = first;
                group = self.open(first, length);
            }
            let entries = &mut self.longer[group.clone()];
            let entries = entries[index >> self.root..].iter_mut();
            for entry in entries.step_by(1 << (length - self.root)) {
                *entry = symbols[symbol as usize] + length * CODE_BIT;
            }
            self.left.take(length);
            next += 1;
        }
    }

    /// Begins a group whose shortest code has `length` bits.
    fn open(&mut self, root_index: usize, length: u32) -> std::ops::Range<usize> {
        let mut bits = length - self.root;
        let mut room = 1usize << bits;
        loop {
            let taken = self.left.of(self.root + bits);
            if taken >= room {
                break;
            }
            room = (room - taken) << 1;
            bits += 1;
        }
        let start = self.free;
        self.free += 1 << bits;
        self.table[root_index] = LONGER | (start as u32) << VALUE_SHIFT | bits << 8;
        start - LONGER_START..self.free - LONGER_START
    }
}
