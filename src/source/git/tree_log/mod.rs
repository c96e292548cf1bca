//! All trees of a store as edits of their delta bases, in memory: enough to compare two trees of
//! one delta tree without reading either.
//!
//! Commits are compared with their parents by the tens of thousands, and reading the directories
//! for it is far more work than finding out what differs: packs say that already. One pass over
//! all trees notes for each what it has that its base has not. Files that are on both sides and
//! that nobody asked for are left out. What cannot be told from the log, as between trees of
//! different packs, is `None`, and the caller reads the trees. Invariant: what the log does tell
//! is what a comparison of the trees' bytes tells, but for the ids of such files.

mod edits;
mod hash;
mod record;
mod shape;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::sync::Mutex;

use super::object::{Kind, Kinds};
use super::store::Store;
use super::tree::order;
use super::wanted::Wanted;
use crate::model::{Diagnostics, ObjectId};

use hash::FastMap;
use record::{Names, Recorder};
use shape::{Shape, shapes};

/// Trees and how they differ from their bases.
pub(super) struct TreeLog {
    nodes: Vec<Node>,
    edits: Vec<Edit>,
    /// The names in whole trees, one tree after the other, in git's order.
    keys: Vec<NameKey>,
    /// What stands under some of these names: directories, and files that somebody asked for.
    contents: Vec<Content>,
    names: Vec<Box<[u8]>>,
    things: Things,
    /// The node of each thing, [`NONE`] when it is not in the log.
    nodes_of: Vec<u32>,
    shapes: Vec<Shape>,
}

/// A tree.
struct Node {
    thing: u32,
    /// The tree it is made from, or [`NONE`] for a whole one.
    base: u32,
    /// Trees from here to the whole one.
    depth: u32,
    /// Its edits, or its names when it is whole.
    range: Range<u32>,
    /// Its contents when it is whole.
    contents: Range<u32>,
}

const NONE: u32 = u32::MAX;

/// An entry that a tree and its base have not in common; [`NONE`] on the side that has it not.
#[derive(Clone, Copy)]
struct Edit {
    key: NameKey,
    new: u32,
    old: u32,
}

/// What stands under a name.
#[derive(Clone, Copy)]
struct Content {
    key: NameKey,
    thing: u32,
}

/// Ids and their numbers.
struct Things {
    numbers: FastMap<ObjectId, u32>,
    ids: Vec<ObjectId>,
}

/// The number that stands for every file that nobody asked for.
const SOME_FILE: u32 = 0;

impl Default for Things {
    fn default() -> Self {
        Self {
            numbers: FastMap::from_iter([(ObjectId::NULL, SOME_FILE)]),
            ids: vec![ObjectId::NULL],
        }
    }
}

impl Things {
    fn number(&mut self, id: ObjectId) -> u32 {
        let next = self.ids.len() as u32;
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.ids.push(id);
        }
        number
    }
}

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

/// What the log knows of an entry in which two trees differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Difference<'a> {
    pub(super) name: &'a [u8],
    pub(super) is_tree: bool,
    pub(super) new: Option<ObjectId>,
    pub(super) old: Option<ObjectId>,
}

impl TreeLog {
    /// Reads all trees of `store`.
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
        Self::joined(recorders.into_iter().map(|recorder| {
            recorder
                .into_inner()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
        }))
    }

    fn joined(parts: impl Iterator<Item = Recorder>) -> Self {
        let mut names = Names::default();
        let mut log = Self {
            nodes: Vec::new(),
            edits: Vec::new(),
            keys: Vec::new(),
            contents: Vec::new(),
            names: Vec::new(),
            things: Things::default(),
            nodes_of: Vec::new(),
            shapes: Vec::new(),
        };
        parts.for_each(|part| log.append(part, &mut names));
        log.names = names.names;
        log.nodes_of = vec![NONE; log.things.ids.len()];
        for (at, node) in log.nodes.iter().enumerate() {
            log.nodes_of[node.thing as usize] = at as u32;
        }
        log.shapes = shapes(&log);
        log
    }

    fn append(&mut self, part: Recorder, names: &mut Names) {
        let numbers: Vec<u32> = part
            .names
            .names
            .iter()
            .map(|name| names.number(name))
            .collect();
        let things = part.things.ids.iter();
        let things: Vec<u32> = things.map(|id| self.things.number(*id)).collect();
        let key = |key: NameKey| NameKey::new(numbers[key.name()], key.is_tree());
        let thing = |thing: u32| things.get(thing as usize).copied().unwrap_or(NONE);
        let (nodes, edits) = (self.nodes.len() as u32, self.edits.len() as u32);
        let (keys, contents) = (self.keys.len() as u32, self.contents.len() as u32);
        self.nodes.extend(part.nodes.into_iter().map(|node| {
            let (base, shift) = match node.base {
                NONE => (NONE, keys),
                base => (base + nodes, edits),
            };
            Node {
                thing: thing(node.thing),
                base,
                range: node.range.start + shift..node.range.end + shift,
                contents: node.contents.start + contents..node.contents.end + contents,
                ..node
            }
        }));
        self.edits.extend(part.edits.into_iter().map(|edit| Edit {
            key: key(edit.key),
            new: thing(edit.new),
            old: thing(edit.old),
        }));
        self.keys.extend(part.keys.into_iter().map(key));
        self.contents
            .extend(part.contents.into_iter().map(|content| Content {
                key: key(content.key),
                thing: thing(content.thing),
            }));
    }

    /// The node of the tree `id`.
    fn find(&self, id: &ObjectId) -> Option<u32> {
        let thing = *self.things.numbers.get(id)?;
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
    fn entries(&self, node: &Node) -> Whole<'_> {
        let (keys, contents) = match node.base {
            NONE => (node.range.clone(), node.contents.clone()),
            _ => (0..0, 0..0),
        };
        Whole {
            keys: &self.keys[keys.start as usize..keys.end as usize],
            contents: &self.contents[contents.start as usize..contents.end as usize],
        }
    }

    /// The edits that lead from one whole tree to another.
    fn edits_between(&self, new: u32, old: u32) -> Vec<Edit> {
        let mut edits = Vec::new();
        let entries = |node: u32| self.entries(&self.nodes[node as usize]);
        let (mut new, mut old) = (entries(new), entries(old));
        loop {
            let order = match (new.keys.first(), old.keys.first()) {
                (None, None) => return edits,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(two)) if one == two => Ordering::Equal,
                (Some(one), Some(two)) => order(self.entry(*one), self.entry(*two)),
            };
            let new = new.next_if(order.is_le());
            let old = old.next_if(order.is_ge());
            let Some((key, _)) = new.or(old) else {
                return edits;
            };
            let thing = |side: Option<(NameKey, u32)>| side.map_or(NONE, |side| side.1);
            let (new, old) = (thing(new), thing(old));
            if new != old {
                edits.push(Edit { key, new, old });
            }
        }
    }

    /// What git orders entries by.
    fn entry(&self, key: NameKey) -> (&[u8], bool) {
        (&self.names[key.name()], key.is_tree())
    }
}

/// The rest of a whole tree.
struct Whole<'a> {
    keys: &'a [NameKey],
    contents: &'a [Content],
}

impl Whole<'_> {
    fn next_if(&mut self, condition: bool) -> Option<(NameKey, u32)> {
        match condition {
            true => self.next(),
            false => None,
        }
    }
}

impl Iterator for Whole<'_> {
    type Item = (NameKey, u32);

    fn next(&mut self) -> Option<Self::Item> {
        let key = *self.keys.split_off_first()?;
        let content = self.contents.first().filter(|content| content.key == key);
        let thing = match content {
            Some(content) => {
                self.contents = &self.contents[1..];
                content.thing
            }
            None => SOME_FILE,
        };
        Some((key, thing))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    New,
    Old,
}

/// Compares trees of a log, for one thread.
pub(super) struct Comparer<'a> {
    log: &'a TreeLog,
    /// The edits between pairs of whole trees: neighbouring commits ask for the same ones.
    between: HashMap<(u32, u32), Vec<Edit>>,
}

/// Pairs of whole trees that are remembered.
const MAX_BETWEEN: usize = 64;

impl<'a> Comparer<'a> {
    pub(super) fn new(log: &'a TreeLog) -> Self {
        Self {
            log,
            between: HashMap::new(),
        }
    }

    /// Whether nothing that matters differs between a tree and one of the others, by shape alone.
    /// All of them have to be known, so that what cannot be read is noticed.
    pub(super) fn is_idle(&self, new: &ObjectId, old: &[Option<ObjectId>]) -> bool {
        let Some(new) = self.shape(new) else {
            return false;
        };
        let mut found = false;
        let mut is_known = |id: &Option<ObjectId>| {
            let shape = id.as_ref().and_then(|id| self.shape(id));
            found |= shape == Some(new);
            shape.is_some()
        };
        old.iter().all(&mut is_known) && found
    }

    /// Whether everything in a tree and in the others is in the log.
    pub(super) fn know(&self, new: &ObjectId, old: &[Option<ObjectId>]) -> bool {
        let is_known = |id: &ObjectId| self.shape(id).is_some();
        is_known(new) && old.iter().flatten().all(is_known)
    }

    fn shape(&self, id: &ObjectId) -> Option<u128> {
        self.log.shapes[self.log.find(id)? as usize].known()
    }

    /// The entries in which two trees differ in a way that matters, in no order; `None` when the
    /// log cannot tell.
    pub(super) fn differences(
        &mut self,
        new: &ObjectId,
        old: &ObjectId,
    ) -> Option<Vec<Difference<'a>>> {
        let log = self.log;
        let (mut new, mut old) = (log.find(new)?, log.find(old)?);
        let mut steps: Vec<(NameKey, Side, Edit)> = Vec::new();
        let mut add = |edits: &[Edit], side| {
            steps.extend(edits.iter().map(|edit| (edit.key, side, *edit)));
        };
        while new != old {
            let (one, two) = (&log.nodes[new as usize], &log.nodes[old as usize]);
            if one.depth.max(two.depth) == 0 {
                if self.between.len() > MAX_BETWEEN {
                    self.between.clear();
                }
                let between = self.between.entry((new, old));
                let edits = between.or_insert_with(|| log.edits_between(new, old));
                add(edits, Side::New);
                break;
            }
            if one.depth >= two.depth {
                add(log.edits(one), Side::New);
                new = one.base;
            } else {
                add(log.edits(two), Side::Old);
                old = two.base;
            }
        }
        // Stable: on each side the edits nearest to the tree stay first.
        steps.sort_by_key(|step| (step.0, step.1));
        let of_names = steps.chunk_by(|one, two| one.0 == two.0);
        Some(of_names.filter_map(|steps| log.difference(steps)).collect())
    }
}

impl TreeLog {
    /// What all steps with one name come to.
    fn difference(&self, steps: &[(NameKey, Side, Edit)]) -> Option<Difference<'_>> {
        let (new, old) = steps.split_at(steps.partition_point(|step| step.1 == Side::New));
        // What the tree has that both are made from.
        let origin = new.last().or(old.last())?.2.old;
        let value = |side: &[(NameKey, Side, Edit)]| side.first().map_or(origin, |s| s.2.new);
        let (new, old) = (value(new), value(old));
        let key = steps[0].0;
        if new == old || key.is_tree() && self.have_one_shape(new, old) {
            return None;
        }
        let (name, is_tree) = self.entry(key);
        let id = |thing: u32| self.things.ids.get(thing as usize).copied();
        Some(Difference {
            name,
            is_tree,
            new: id(new),
            old: id(old),
        })
    }

    fn have_one_shape(&self, one: u32, two: u32) -> bool {
        let shape = |thing: u32| {
            let node = *self.nodes_of.get(thing as usize)?;
            self.shapes.get(node as usize)?.known()
        };
        shape(one).is_some_and(|one| shape(two) == Some(one))
    }
}
