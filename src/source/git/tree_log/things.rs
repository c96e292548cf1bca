//! Numbers for ids: hundreds of thousands, so a table of numbers beside the list of ids, which
//! takes a third of what a map from ids to numbers does.

use std::hash::BuildHasher as _;

use super::{NONE, SOME_FILE};
use crate::machine::hash::Keys;
use crate::machine::prefetch;
use crate::model::ObjectId;

/// Ids and their numbers.
pub(super) struct Things {
    keys: Keys,
    /// Numbers by the hash of their id, each in the first place from there on that was free;
    /// [`NONE`] in the rest.
    slots: Vec<u32>,
    /// A part of the hash for each slot, 0 for a free one: most of what is not the id asked for is
    /// told by it, without a look at the list.
    tags: Vec<u8>,
    ids: Vec<ObjectId>,
}

/// Places of an empty table; a power of two, as it stays.
const FIRST: usize = 1024;

impl Default for Things {
    fn default() -> Self {
        let mut things = Self {
            keys: Keys::default(),
            slots: vec![NONE; FIRST],
            tags: vec![0; FIRST],
            ids: Vec::new(),
        };
        let first = things.number(ObjectId::NULL);
        debug_assert_eq!(first, SOME_FILE);
        things
    }
}

impl Things {
    /// Memory for one id, of the table and of the list, in bytes.
    pub(super) const EACH: usize = size_of::<ObjectId>() + 2 * (size_of::<u32>() + size_of::<u8>());

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The id with this number.
    pub(super) fn id(&self, number: u32) -> Option<ObjectId> {
        self.ids.get(number as usize).copied()
    }

    /// Says that the number of `id` will be asked for.
    pub(super) fn expect(&self, id: &ObjectId) {
        let slot = self.keys.hash_one(id) as usize & (self.slots.len() - 1);
        prefetch(&self.tags, slot);
        prefetch(&self.slots, slot);
    }

    /// The number of `id`, if it has one.
    pub(super) fn find(&self, id: &ObjectId) -> Option<u32> {
        let (slot, _) = self.slot(id);
        Some(self.slots[slot]).filter(|&number| number != NONE)
    }

    /// The number of `id`, a new one if it has none.
    pub(super) fn number(&mut self, id: ObjectId) -> u32 {
        let (mut slot, mut tag) = self.slot(&id);
        if self.slots[slot] != NONE {
            return self.slots[slot];
        }
        // An eighth stays free, so that the places of one hash are few; they are told apart by tags
        // that stand side by side.
        if self.ids.len() * 8 >= self.slots.len() * 7 {
            self.resize(2 * self.slots.len());
            (slot, tag) = self.slot(&id);
        }
        let number = self.ids.len() as u32;
        self.slots[slot] = number;
        self.tags[slot] = tag;
        self.ids.push(id);
        number
    }

    /// Adds others and returns their numbers.
    pub(super) fn append(&mut self, other: Self) -> Vec<u32> {
        let Self { slots, ids, .. } = other;
        // The other table is given back before this one grows.
        drop(slots);
        ids.into_iter().map(|id| self.number(id)).collect()
    }

    /// Where the number of `id` is, or would be, and its tag.
    fn slot(&self, id: &ObjectId) -> (usize, u8) {
        let mask = self.slots.len() - 1;
        let hash = self.keys.hash_one(id);
        let tag = (hash >> 56) as u8 | 1;
        let mut slot = hash as usize & mask;
        loop {
            match self.tags[slot] {
                0 => return (slot, tag),
                known if known == tag && self.ids[self.slots[slot] as usize] == *id => {
                    return (slot, tag);
                }
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    fn resize(&mut self, places: usize) {
        self.slots.clear();
        self.slots.resize(places, NONE);
        self.tags.clear();
        self.tags.resize(places, 0);
        for number in 0..self.ids.len() {
            // All ids differ, so this is a free place.
            let (slot, tag) = self.slot(&self.ids[number]);
            self.slots[slot] = number as u32;
            self.tags[slot] = tag;
        }
    }
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
