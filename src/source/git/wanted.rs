//! The objects that are looked for, and where they are below a tree.

use std::collections::HashMap;
use std::rc::Rc;

use super::object::Kind;
use super::reader::Reader;
use super::tree::{Entries, EntryType};
use crate::model::ObjectId;

/// A set of ids that answers "no" fast.
pub(super) struct Wanted {
    ids: Vec<ObjectId>,
    /// A bit for each value of the first [`BITS`] bits of an id.
    bits: Vec<u64>,
    /// For each value of the first [`FEW_BITS`] bits of an id the position of the first id that
    /// begins so or later, with one more at the end.
    starts: Vec<u32>,
}

/// So many that thousands of ids leave most values free, and the table fits a small cache.
const BITS: u32 = 19;
/// So few that the table is small.
const FEW_BITS: u32 = 12;

impl Wanted {
    pub(super) fn new(mut ids: Vec<ObjectId>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        let mut bits = vec![0; (1 << BITS) / 64];
        let mut starts = vec![0; (1 << FEW_BITS) + 1];
        for id in &ids {
            let (word, bit) = place(id);
            bits[word] |= bit;
            starts[first_bits(id, FEW_BITS) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { ids, bits, starts }
    }

    pub(super) fn ids(&self) -> &[ObjectId] {
        &self.ids
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The position of `id` among the wanted ones.
    pub(super) fn position(&self, id: &ObjectId) -> Option<usize> {
        let (word, bit) = place(id);
        if self.bits[word] & bit == 0 {
            return None;
        }
        let first = first_bits(id, FEW_BITS);
        let [start, end] = [self.starts[first], self.starts[first + 1]].map(|at| at as usize);
        let found = self.ids[start..end].binary_search(id);
        found.ok().map(|at| start + at)
    }
}

fn place(id: &ObjectId) -> (usize, u64) {
    let value = first_bits(id, BITS);
    (value / 64, 1 << (value % 64))
}

/// The first bits of an id as a number, up to 32.
fn first_bits(id: &ObjectId, count: u32) -> usize {
    let [a, b, c, d, ..] = *id.as_bytes();
    (u32::from_be_bytes([a, b, c, d]) >> (32 - count)) as usize
}

/// A wanted object below a tree.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Found {
    /// Position among the wanted ones.
    pub(super) wanted: usize,
    /// Path from the tree.
    pub(super) path: Vec<u8>,
}

/// Finds wanted objects below trees and remembers the answer for each tree, so that a tree that
/// appears in many places is read once.
pub(super) struct Contents<'a> {
    wanted: &'a Wanted,
    known: HashMap<ObjectId, Rc<[Found]>>,
}

/// Places told below one tree; a tree with more has them a thousand times over.
const MAX_PLACES: usize = 1024;
/// Directories deeper than this are left out.
const MAX_DEPTH: usize = 256;

impl<'a> Contents<'a> {
    pub(super) fn new(wanted: &'a Wanted) -> Self {
        Self {
            wanted,
            known: HashMap::new(),
        }
    }

    /// The wanted objects below `tree`, in stored order.
    pub(super) fn below(&mut self, reader: &mut Reader<'_>, tree: &ObjectId) -> Rc<[Found]> {
        self.search(reader, tree, 0)
    }

    fn search(&mut self, reader: &mut Reader<'_>, tree: &ObjectId, depth: usize) -> Rc<[Found]> {
        if let Some(known) = self.known.get(tree) {
            return Rc::clone(known);
        }
        let mut found = Vec::new();
        if let (true, Ok(Some((Kind::Tree, bytes)))) = (depth < MAX_DEPTH, reader.find(tree)) {
            for entry in Entries::new(&bytes) {
                if let Some(wanted) = self.wanted.position(&entry.id) {
                    let path = entry.name.to_vec();
                    found.push(Found { wanted, path });
                }
                if entry.kind == EntryType::Tree {
                    let below = self.search(reader, &entry.id, depth + 1);
                    found.extend(below.iter().map(|below| Found {
                        wanted: below.wanted,
                        path: [entry.name, &below.path].join(&b'/'),
                    }));
                }
            }
            found.truncate(MAX_PLACES);
        }
        let found: Rc<[Found]> = found.into();
        self.known.insert(*tree, Rc::clone(&found));
        found
    }
}

/// Looks a path up below `tree`.
pub(super) fn lookup(reader: &mut Reader<'_>, tree: &ObjectId, path: &[u8]) -> Option<ObjectId> {
    let mut tree = *tree;
    let mut names = path.split(|&byte| byte == b'/').peekable();
    while let Some(name) = names.next() {
        let is_last = names.peek().is_none();
        let (kind, bytes) = reader.find(&tree).ok()??;
        let mut entries = Entries::new(&bytes);
        let fits = |is_tree: bool| is_last != is_tree;
        tree = entries
            .find(|entry| entry.name == name && fits(entry.is_tree()))
            .filter(|_| kind == Kind::Tree)?
            .id;
    }
    Some(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wanted_ids_have_a_position() {
        let id = |n| ObjectId::new([n; 20]);
        let wanted = Wanted::new(vec![id(9), id(2), id(9)]);
        assert_eq!(wanted.ids(), [id(2), id(9)]);
        assert_eq!(wanted.position(&id(9)), Some(1));
        assert_eq!(wanted.position(&id(3)), None);
        let near = ObjectId::new(std::array::from_fn(|at| if at < 3 { 9 } else { 0 }));
        assert_eq!(wanted.position(&near), None);
    }
}
