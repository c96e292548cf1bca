//! A table of numbers by the hash of what they stand for, which is kept beside it.

use std::collections::VecDeque;

use super::NONE;
use crate::machine::prefetch;

/// Numbers, each in the first place from that of its hash on that was free.
pub(super) struct Table(Vec<Slot>);

/// A number, [`NONE`] where there is none, and a part of its hash: most of what is not asked for is
/// told by it, without a look at the thing itself.
#[derive(Clone, Copy)]
struct Slot {
    number: u32,
    tag: u32,
}

const FREE: Slot = Slot {
    number: NONE,
    tag: 0,
};

/// Places of an empty table; a power of two, as it stays.
const FIRST: usize = 1024;

/// How many places are asked for before the first of them is needed.
const AHEAD: usize = 16;

impl Default for Table {
    fn default() -> Self {
        Self(vec![FREE; FIRST])
    }
}

impl Table {
    /// Memory for one number at most, in bytes.
    pub(super) const EACH: usize = 2 * size_of::<Slot>();

    /// Memory of the table, in bytes.
    pub(super) fn held(&self) -> usize {
        self.0.len() * size_of::<Slot>()
    }

    /// Says that a number will be asked for.
    pub(super) fn expect(&self, hash: u64) {
        prefetch(&self.0, self.first(hash));
    }

    /// The number that [`Table::find`] will look at first, if it will.
    pub(super) fn likely(&self, hash: u64) -> Option<u32> {
        let slot = self.0[self.first(hash)];
        (slot.tag == tag(hash) && slot.number != NONE).then_some(slot.number)
    }

    /// The number that `is_it`, of those with this hash.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        let mut at = self.first(hash);
        loop {
            let slot = self.0[at];
            if slot.number == NONE {
                return None;
            }
            if slot.tag == tag && is_it(slot.number) {
                return Some(slot.number);
            }
            at = self.next(at);
        }
    }

    /// Adds a number that is not there; the table must have [room](Table::has_room).
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        let mut at = self.first(hash);
        while self.0[at].number != NONE {
            at = self.next(at);
        }
        self.0[at] = Slot {
            number,
            tag: tag(hash),
        };
    }

    /// Whether there is room for so many numbers: an eighth of the places stays free, so that those
    /// of one hash are few.
    pub(super) fn has_room(&self, numbers: usize) -> bool {
        numbers * 8 <= self.0.len() * 7
    }

    /// Makes room for so many numbers. `hashes` are those of the ones that are there, in their order.
    pub(super) fn make_room(&mut self, numbers: usize, hashes: impl Iterator<Item = u64>) {
        let places = (numbers * 8 / 7 + 1).next_power_of_two();
        self.0.clear();
        self.0.resize(places.max(FIRST), FREE);
        let mut asked = VecDeque::with_capacity(AHEAD);
        let mut number = 0;
        for hash in hashes {
            self.expect(hash);
            if asked.len() == AHEAD {
                self.insert_next(&mut asked, &mut number);
            }
            asked.push_back(hash);
        }
        while !asked.is_empty() {
            self.insert_next(&mut asked, &mut number);
        }
    }

    /// Adds the next number, with the first of `hashes`.
    fn insert_next(&mut self, hashes: &mut VecDeque<u64>, number: &mut u32) {
        if let Some(hash) = hashes.pop_front() {
            self.insert(hash, *number);
            *number += 1;
        }
    }

    /// Gives back all memory; nothing may be asked any more.
    pub(super) fn drop_places(&mut self) {
        self.0 = Vec::new();
    }

    /// The first place for numbers of this hash.
    fn first(&self, hash: u64) -> usize {
        hash as usize & (self.0.len() - 1)
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.0.len() - 1)
    }
}

/// The half of a hash that places do not tell.
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}
