//! All trees of a store as edits of their delta bases, in memory: enough to compare any two
//! without reading either.
//!
//! Commits are compared with their parents by the tens of thousands, and reading the directories
//! for it is far more work than finding out what differs: packs say that already. One pass over
//! all trees notes for each what it has that its base has not, and the entries of those that are
//! stored whole. Files that nobody asked for are all the same to the log, which therefore does not
//! tell when only their content differs. Trees that are damaged or out of order, and those for
//! which there is no room, are not in it; for them the answer is `None`, and the caller reads the
//! trees. Invariant: but for such files, what the log tells is what a comparison of the trees'
//! bytes tells.

mod compare;
mod edits;
mod names;
mod record;
mod shape;
mod table;
mod things;

use std::ops::{ControlFlow, Range};
use std::sync::Mutex;

use rayon::prelude::*;

use super::object::{Kind, Kinds};
use super::store::Store;
use super::wanted::Wanted;
use crate::machine::heap;
use crate::model::{Diagnostics, ObjectId};

pub(super) use compare::{AtPath, Comparer, Difference};
use names::Names;
use record::Recorder;
use shape::{Known, shapes};
use things::Things;

/// Trees and how they differ from their bases.
pub(super) struct TreeLog {
    nodes: Vec<Node>,
    edits: Vec<Edit>,
    /// The entries of whole trees, one tree after the other, in git's order.
    entries: Vec<Entry>,
    names: Names,
    things: Things,
    /// The node of each thing, [`NONE`] when it is not in the log.
    nodes_of: Vec<u32>,
    shapes: Vec<Known>,
}

/// A tree.
struct Node {
    thing: u32,
    /// The tree it is made from, or [`NONE`] for a whole one.
    base: u32,
    /// Trees from here to the whole one.
    depth: u32,
    /// Its edits, or its entries when it is whole.
    range: Range<u32>,
}

const NONE: u32 = u32::MAX;

/// An entry that a tree and its base have not in common; [`NONE`] on the side that has it not.
#[derive(Clone, Copy)]
struct Edit {
    key: NameKey,
    new: u32,
    old: u32,
}

/// A name and what stands under it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    key: NameKey,
    thing: u32,
}

/// The number that stands for every file that nobody asked for.
const SOME_FILE: u32 = 0;

/// A name, and whether it is a directory's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct NameKey(u32);

impl NameKey {
    fn new(name: u32, is_tree: bool) -> Self {
        Self(name << 1 | u32::from(is_tree))
    }

    fn name(self) -> usize {
        (self.0 >> 1) as usize
    }

    fn is_tree(self) -> bool {
        self.0 & 1 == 1
    }
}

impl TreeLog {
    /// As [`TreeLog::read`], with the blobs among `ids` as what is wanted; reads nothing when there
    /// are none, as nobody will ask then.
    pub(super) fn about(store: &Store, ids: &[ObjectId]) -> Self {
        let named = Kinds::of(&[Kind::Commit, Kind::Tag]);
        let mut reader = store.reader();
        let mut is_named = |id| matches!(reader.find_of(id, named), Ok(Some(_)));
        match ids.iter().all(&mut is_named) {
            true => Self::joined(std::iter::empty()),
            false => Self::read(store, &Wanted::new(ids.to_vec())),
        }
    }

    /// Reads all trees of `store`, and lets it forget how: what the log tells is not read again.
    pub(super) fn read(store: &Store, wanted: &Wanted) -> Self {
        let recorders: Vec<_> = (0..rayon::current_num_threads())
            .map(|_| Mutex::new(Recorder::default()))
            .collect();
        let visit = |tree: super::Object<'_>| {
            let thread = rayon::current_thread_index().unwrap_or(0);
            let mut recorder = recorders[thread]
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            recorder.note(&tree, wanted);
            ControlFlow::Continue(())
        };
        // Only an index that lies gives this id to an object. Without a log all trees are read.
        if wanted.position(&ObjectId::NULL).is_none() {
            // What cannot be read is told when it is needed.
            store.sweep_kinds(Kinds::of(&[Kind::Tree]), &visit, &Diagnostics::new());
        }
        store.drop_plans();
        Self::joined(recorders.into_iter().map(|recorder| {
            let mut recorder = recorder
                .into_inner()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            recorder.settle();
            recorder
        }))
    }

    fn joined(parts: impl Iterator<Item = Recorder>) -> Self {
        let mut log = Self {
            nodes: Vec::new(),
            edits: Vec::new(),
            entries: Vec::new(),
            names: Names::default(),
            things: Things::default(),
            nodes_of: Vec::new(),
            shapes: Vec::new(),
        };
        parts.for_each(|part| log.append(part));
        log.names.settle();
        log.nodes_of = vec![NONE; log.things.len()];
        for (at, node) in log.nodes.iter().enumerate() {
            log.nodes_of[node.thing as usize] = at as u32;
        }
        log.shapes = shapes(&log);
        heap::give_back();
        log
    }

    fn append(&mut self, part: Recorder) {
        if self.nodes.is_empty() {
            self.names = part.names;
            self.things = part.things;
            self.nodes = part.nodes;
            self.edits = part.edits;
            self.entries = part.entries;
            return;
        }
        let (numbers, things) = rayon::join(
            || -> Vec<u32> {
                let names = part.names.iter();
                names.map(|name| self.names.number(name)).collect()
            },
            || self.things.append(part.things),
        );
        let key = |key: NameKey| NameKey::new(numbers[key.name()], key.is_tree());
        let thing = |thing: u32| things.get(thing as usize).copied().unwrap_or(NONE);
        let (nodes, edits) = (self.nodes.len() as u32, self.edits.len() as u32);
        let entries = self.entries.len() as u32;
        // Not twice as much, as a list that grows takes.
        self.edits.reserve_exact(part.edits.len());
        self.entries.reserve_exact(part.entries.len());
        self.nodes.reserve_exact(part.nodes.len());
        self.edits
            .par_extend(part.edits.into_par_iter().map(|edit| Edit {
                key: key(edit.key),
                new: thing(edit.new),
                old: thing(edit.old),
            }));
        self.entries
            .par_extend(part.entries.into_par_iter().map(|entry| Entry {
                key: key(entry.key),
                thing: thing(entry.thing),
            }));
        self.nodes
            .par_extend(part.nodes.into_par_iter().map(|node| {
                let (base, shift) = match node.base {
                    NONE => (NONE, entries),
                    base => (base + nodes, edits),
                };
                Node {
                    thing: thing(node.thing),
                    base,
                    range: node.range.start + shift..node.range.end + shift,
                    ..node
                }
            }));
    }

    /// The node of the tree `id`.
    fn find(&self, id: &ObjectId) -> Option<u32> {
        let thing = self.things.find(id)?;
        Some(self.node_of(thing)).filter(|&node| node != NONE)
    }

    fn node_of(&self, thing: u32) -> u32 {
        self.nodes_of[thing as usize]
    }

    /// The edits of a tree that is made from another.
    fn edits(&self, node: &Node) -> &[Edit] {
        match node.base {
            NONE => &[],
            _ => &self.edits[node.range.start as usize..node.range.end as usize],
        }
    }

    /// The entries of a whole tree.
    fn entries(&self, node: &Node) -> &[Entry] {
        match node.base {
            NONE => &self.entries[node.range.start as usize..node.range.end as usize],
            _ => &[],
        }
    }

    /// What git orders entries by.
    fn entry(&self, key: NameKey) -> (&[u8], bool) {
        (self.names.get(key.name()), key.is_tree())
    }
}
