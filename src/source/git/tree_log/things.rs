//! Numbers for ids: hundreds of thousands, so a table of numbers beside the list of ids, which
//! takes a third of what a map from ids to numbers does.

use std::collections::VecDeque;
use std::hash::BuildHasher as _;

use super::{NONE, SOME_FILE};
use crate::machine::hash::Keys;
use crate::machine::prefetch;
use crate::model::ObjectId;

/// Ids and their numbers.
pub(super) struct Things {
    keys: Keys,
    /// By the hash of their id, each in the first place from there on that was free.
    slots: Vec<Slot>,
    ids: Vec<ObjectId>,
}

/// A number, [`NONE`] where there is none, and a part of its hash: most of what is not the id asked
/// for is told by it, without a look at the list.
#[derive(Clone, Copy)]
struct Slot {
    number: u32,
    tag: u32,
}

const FREE: Slot = Slot {
    number: NONE,
    tag: 0,
};

/// An id that will be asked for.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    id: ObjectId,
    hash: u64,
}

/// Places of an empty table; a power of two, as it stays.
const FIRST: usize = 1024;

impl Default for Things {
    fn default() -> Self {
        let mut things = Self {
            keys: Keys::default(),
            slots: vec![FREE; FIRST],
            ids: Vec::new(),
        };
        let first = things.number(ObjectId::NULL);
        debug_assert_eq!(first, SOME_FILE);
        things
    }
}

impl Things {
    /// Memory for one id, of the table and of the list, in bytes.
    pub(super) const EACH: usize = size_of::<ObjectId>() + 2 * size_of::<Slot>();

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The id with this number.
    pub(super) fn id(&self, number: u32) -> Option<ObjectId> {
        self.ids.get(number as usize).copied()
    }

    /// Says that the number of `id` will be asked for.
    pub(super) fn expect(&self, id: ObjectId) -> Expected {
        let hash = self.keys.hash_one(id);
        prefetch(&self.slots, self.first(hash));
        Expected { id, hash }
    }

    /// Says that the number of an id that is expected will be asked for next.
    pub(super) fn expect_id(&self, expected: &Expected) {
        let slot = self.slots[self.first(expected.hash)];
        if slot.tag == tag(expected.hash) {
            prefetch(&self.ids, slot.number as usize);
        }
    }

    /// The number of `id`, if it has one.
    pub(super) fn find(&self, id: &ObjectId) -> Option<u32> {
        let hash = self.keys.hash_one(id);
        let slot = self.slot(&Expected { id: *id, hash });
        Some(self.slots[slot].number).filter(|&number| number != NONE)
    }

    /// The number of `id`, a new one if it has none.
    pub(super) fn number(&mut self, id: ObjectId) -> u32 {
        let hash = self.keys.hash_one(id);
        self.number_of(&Expected { id, hash })
    }

    /// As [`Things::number`].
    pub(super) fn number_of(&mut self, expected: &Expected) -> u32 {
        let mut slot = self.slot(expected);
        let known = self.slots[slot].number;
        if known != NONE {
            return known;
        }
        // An eighth stays free, so that the places of one hash are few; they are told apart by tags
        // that stand side by side.
        if self.ids.len() * 8 >= self.slots.len() * 7 {
            self.resize(2 * self.slots.len());
            slot = self.slot(expected);
        }
        let number = self.ids.len() as u32;
        let tag = tag(expected.hash);
        self.slots[slot] = Slot { number, tag };
        self.ids.push(expected.id);
        number
    }

    /// Adds others and returns their numbers.
    pub(super) fn append(&mut self, other: Self) -> Vec<u32> {
        const AHEAD: usize = 8;
        let Self { slots, ids, .. } = other;
        // The other table is given back before this one grows.
        drop(slots);
        let places = (self.ids.len() + ids.len()) * 8 / 7 + 1;
        if places > self.slots.len() {
            self.resize(places.next_power_of_two());
        }
        let mut numbers = Vec::with_capacity(ids.len());
        let mut expected: VecDeque<_> = ids.iter().take(AHEAD).map(|id| self.expect(*id)).collect();
        for at in 0..ids.len() {
            if let Some(id) = ids.get(at + AHEAD) {
                expected.push_back(self.expect(*id));
            }
            numbers.extend(expected.pop_front().map(|next| self.number_of(&next)));
        }
        numbers
    }

    /// Where the number of an id is, or would be.
    fn slot(&self, expected: &Expected) -> usize {
        let tag = tag(expected.hash);
        let mut at = self.first(expected.hash);
        loop {
            let slot = self.slots[at];
            let is_there = slot.number == NONE
                || slot.tag == tag && self.ids[slot.number as usize] == expected.id;
            if is_there {
                return at;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// The first place for ids of this hash.
    fn first(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn resize(&mut self, places: usize) {
        self.slots.clear();
        self.slots.resize(places, FREE);
        for (number, id) in self.ids.iter().enumerate() {
            let hash = self.keys.hash_one(id);
            let mut at = self.first(hash);
            // All ids differ, so the first free place is theirs.
            while self.slots[at].number != NONE {
                at = (at + 1) & (places - 1);
            }
            let (number, tag) = (number as u32, tag(hash));
            self.slots[at] = Slot { number, tag };
        }
    }
}

/// The half of a hash that places do not tell.
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> ObjectId {
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        ObjectId::new(bytes)
    }

    #[test]
    fn every_id_keeps_its_number_while_the_table_grows() {
        let mut things = Things::default();
        for number in 1..10_000 {
            assert_eq!(things.find(&id(number)), None);
            assert_eq!(things.number(id(number)), number);
        }
        for number in 1..10_000 {
            assert_eq!(things.number(id(number)), number);
            assert_eq!(things.find(&id(number)), Some(number));
            assert_eq!(things.id(number), Some(id(number)));
        }
        assert_eq!(things.len(), 10_000);
        assert_eq!(things.find(&ObjectId::NULL), Some(SOME_FILE));
        assert_eq!(things.id(10_000), None);
    }

    #[test]
    fn others_are_numbered_anew() {
        let mut one = Things::default();
        let mut two = Things::default();
        for number in 1..3000 {
            one.number(id(2 * number));
            two.number(id(3 * number));
        }
        let ids: Vec<_> = (0..two.len() as u32).filter_map(|n| two.id(n)).collect();
        let numbers = one.append(two);
        assert_eq!(numbers.len(), ids.len());
        for (id, number) in ids.iter().zip(numbers) {
            assert_eq!(one.id(number), Some(*id));
            assert_eq!(one.find(id), Some(number));
        }
    }
}
