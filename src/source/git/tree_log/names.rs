//! Numbers for names: a table of numbers beside the names, which stand one after the other in one
//! piece of memory.

use std::hash::{BuildHasher as _, Hasher as _};

use super::NONE;
use crate::machine::hash::Keys;

/// Names and their numbers.
pub(super) struct Names {
    keys: Keys,
    /// By the hash of their name, each in the first place from there on that was free.
    slots: Vec<Slot>,
    bytes: Vec<u8>,
    /// Where each name ends in `bytes`, with 0 before the first.
    ends: Vec<usize>,
}

/// A number, [`NONE`] where there is none, and a part of its hash: most names that are not the one
/// asked for are told by it, without a look at them.
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

impl Default for Names {
    fn default() -> Self {
        Self {
            keys: Keys::default(),
            slots: vec![FREE; FIRST],
            bytes: Vec::new(),
            ends: vec![0],
        }
    }
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// Memory of the names and the table, in bytes.
    pub(super) fn held(&self) -> usize {
        self.bytes.len()
            + self.ends.len() * size_of::<usize>()
            + self.slots.len() * size_of::<Slot>()
    }

    /// The name with this number.
    pub(super) fn get(&self, number: usize) -> &[u8] {
        &self.bytes[self.ends[number]..self.ends[number + 1]]
    }

    /// All names, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|number| self.get(number))
    }

    /// The number of `name`, a new one if it has none.
    pub(super) fn number(&mut self, name: &[u8]) -> u32 {
        let hash = self.hash(name);
        let tag = (hash >> 32) as u32;
        let mask = self.slots.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            match self.slots[place] {
                slot if slot.number == NONE => break,
                slot if slot.tag == tag && self.get(slot.number as usize) == name => {
                    return slot.number;
                }
                _ => place = (place + 1) & mask,
            }
        }
        let number = self.len() as u32;
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
        self.slots[place] = Slot { number, tag };
        if self.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        number
    }

    fn hash(&self, name: &[u8]) -> u64 {
        let mut hasher = self.keys.build_hasher();
        // Words alone do not tell how many zeros a name ends with.
        hasher.write_usize(name.len());
        hasher.write(name);
        hasher.finish()
    }

    fn grow(&mut self) {
        let mask = 2 * self.slots.len() - 1;
        let mut slots = vec![FREE; 2 * self.slots.len()];
        for number in 0..self.len() {
            let hash = self.hash(self.get(number));
            let mut place = hash as usize & mask;
            while slots[place].number != NONE {
                place = (place + 1) & mask;
            }
            slots[place] = Slot {
                number: number as u32,
                tag: (hash >> 32) as u32,
            };
        }
        self.slots = slots;
    }

    /// Gives back what only new names need.
    pub(super) fn settle(&mut self) {
        self.slots = Vec::new();
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number_while_the_table_grows() {
        let mut names = Names::default();
        let name = |number: u32| match number % 3 {
            0 => vec![0; number as usize / 3],
            _ => format!("name-{number}").into_bytes(),
        };
        for number in 0..3000 {
            assert_eq!(names.number(&name(number)), number);
        }
        for number in 0..3000 {
            assert_eq!(names.number(&name(number)), number);
            assert_eq!(names.get(number as usize), name(number));
        }
        assert_eq!(names.len(), 3000);
        assert_eq!(names.iter().count(), 3000);
    }
}
