//! Numbers for ids: hundreds of thousands, so a table of numbers beside the list of ids, which
//! takes a third of what a map from ids to numbers does.

use std::collections::VecDeque;
use std::hash::BuildHasher as _;

use super::SOME_FILE;
use super::table::Table;
use crate::machine::hash::Keys;
use crate::machine::prefetch;
use crate::model::ObjectId;

/// Ids and their numbers.
pub(super) struct Things {
    keys: Keys,
    table: Table,
    ids: Vec<ObjectId>,
}

/// An id that will be asked for.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    id: ObjectId,
    hash: u64,
}

impl Default for Things {
    fn default() -> Self {
        let mut things = Self {
            keys: Keys::default(),
            table: Table::default(),
            ids: Vec::new(),
        };
        let first = things.number(ObjectId::NULL);
        debug_assert_eq!(first, SOME_FILE);
        things
    }
}

impl Things {
    /// Memory for one id, of the table and of the list, in bytes.
    pub(super) const EACH: usize = size_of::<ObjectId>() + Table::EACH;

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
        self.table.expect(hash);
        Expected { id, hash }
    }

    /// Says that the number of an id that is expected will be asked for next.
    pub(super) fn expect_id(&self, expected: &Expected) {
        if let Some(number) = self.table.likely(expected.hash) {
            prefetch(&self.ids, number as usize);
        }
    }

    /// The number of `id`, if it has one.
    pub(super) fn find(&self, id: &ObjectId) -> Option<u32> {
        let hash = self.keys.hash_one(id);
        self.known(&Expected { id: *id, hash })
    }

    /// The number of `id`, a new one if it has none.
    pub(super) fn number(&mut self, id: ObjectId) -> u32 {
        let hash = self.keys.hash_one(id);
        self.number_of(&Expected { id, hash })
    }

    /// As [`Things::number`].
    pub(super) fn number_of(&mut self, expected: &Expected) -> u32 {
        if let Some(known) = self.known(expected) {
            return known;
        }
        self.make_room(1);
        let number = self.ids.len() as u32;
        self.table.insert(expected.hash, number);
        self.ids.push(expected.id);
        number
    }

    /// Adds others and returns their numbers.
    pub(super) fn append(&mut self, other: Self) -> Vec<u32> {
        const AHEAD: usize = 8;
        let Self { table, ids, .. } = other;
        // The other table is given back before this one grows.
        drop(table);
        self.make_room(ids.len());
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

    fn known(&self, expected: &Expected) -> Option<u32> {
        let is_it = |number: u32| self.ids[number as usize] == expected.id;
        self.table.find(expected.hash, is_it)
    }

    fn make_room(&mut self, more: usize) {
        let numbers = self.ids.len() + more;
        if !self.table.has_room(numbers) {
            let hashes = self.ids.iter().map(|id| self.keys.hash_one(id));
            self.table.make_room(numbers, hashes);
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
