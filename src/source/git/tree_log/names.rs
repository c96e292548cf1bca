//! Numbers for names: a table of numbers beside the names, which stand one after the other in one
//! piece of memory.

use std::hash::{BuildHasher as _, Hasher as _};

use super::table::Table;
use crate::machine::hash::Keys;

/// Names and their numbers.
pub(super) struct Names {
    keys: Keys,
    table: Table,
    bytes: Vec<u8>,
    /// Where each name ends in `bytes`, with 0 before the first.
    ends: Vec<usize>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            keys: Keys::default(),
            table: Table::default(),
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
        self.bytes.len() + self.ends.len() * size_of::<usize>() + self.table.held()
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
        let is_it = |number: u32| self.get(number as usize) == name;
        if let Some(known) = self.table.find(hash, is_it) {
            return known;
        }
        let number = self.len();
        if !self.table.has_room(number + 1) {
            let mut table = std::mem::take(&mut self.table);
            table.make_room(number + 1, self.iter().map(|name| self.hash(name)));
            self.table = table;
        }
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
        self.table.insert(hash, number as u32);
        number as u32
    }

    fn hash(&self, name: &[u8]) -> u64 {
        let mut hasher = self.keys.build_hasher();
        // Words alone do not tell how many zeros a name ends with.
        hasher.write_usize(name.len());
        hasher.write(name);
        hasher.finish()
    }

    /// Gives back what only new names need.
    pub(super) fn settle(&mut self) {
        self.table.drop_places();
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
