//! Tells from a log in what two trees differ.
//!
//! From both it goes to what both are made from, or to two whole trees that are compared entry by
//! entry, and joins the edits on the way.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::HashMap;

use super::{Edit, Entry, NONE, NameKey, TreeLog};
use crate::model::ObjectId;
use crate::source::git::tree::order;

/// What the log knows of an entry in which two trees differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::source::git) struct Difference<'a> {
    pub(in crate::source::git) name: &'a [u8],
    pub(in crate::source::git) is_tree: bool,
    pub(in crate::source::git) new: Option<ObjectId>,
    pub(in crate::source::git) old: Option<ObjectId>,
}

/// What a tree has at a path, as seen from another one.
pub(in crate::source::git) enum AtPath {
    /// What the other one has there, as far as that matters.
    Same,
    /// This file, or none; a file that nobody asked for has no id of its own.
    Other(Option<ObjectId>),
}

/// Compares trees of a log, for one thread.
pub(in crate::source::git) struct Comparer<'a> {
    log: &'a TreeLog,
    /// The edits between pairs of whole trees: neighbouring commits ask for the same ones.
    between: HashMap<(u32, u32), Vec<Edit>>,
    /// Trees that were looked up and their nodes, each in the place of its first byte: a commit is
    /// asked for again as a parent of its child.
    recent: Vec<Cell<(ObjectId, Option<u32>)>>,
}

/// Trees and edits that are looked at for one comparison. Only packs that were made for it come
/// near, and no time is lost by reading the trees then.
const FAR: usize = 1 << 16;
/// Pairs of whole trees that are remembered.
const MAX_BETWEEN: usize = 64;

impl<'a> Comparer<'a> {
    pub(in crate::source::git) fn new(log: &'a TreeLog) -> Self {
        Self {
            log,
            between: HashMap::new(),
            recent: vec![Cell::new((ObjectId::NULL, log.find(&ObjectId::NULL))); 256],
        }
    }

    /// The node of the tree `id`.
    fn find(&self, id: &ObjectId) -> Option<u32> {
        let recent = &self.recent[usize::from(id.as_bytes()[0])];
        let (known, node) = recent.get();
        if known == *id {
            return node;
        }
        let node = self.log.find(id);
        recent.set((*id, node));
        node
    }

    /// Whether nothing that matters differs between a tree and one of the others, by shape alone.
    /// All of them have to be known, so that what cannot be read is noticed.
    pub(in crate::source::git) fn is_idle(&self, new: &ObjectId, old: &[Option<ObjectId>]) -> bool {
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
    pub(in crate::source::git) fn know(&self, new: &ObjectId, old: &[Option<ObjectId>]) -> bool {
        let is_known = |id: &ObjectId| self.shape(id).is_some();
        is_known(new) && old.iter().flatten().all(is_known)
    }

    fn shape(&self, id: &ObjectId) -> Option<[u64; 2]> {
        self.log.shapes[self.find(id)? as usize].hash()
    }

    /// What `new` has at the path of a file, as seen from `old`; `None` when the log cannot tell.
    pub(in crate::source::git) fn at_path(
        &mut self,
        new: &ObjectId,
        old: &ObjectId,
        path: &[u8],
    ) -> Option<AtPath> {
        let (mut new, mut old) = (*new, *old);
        let mut names = path.split(|&byte| byte == b'/').peekable();
        while let Some(name) = names.next() {
            if new == old {
                return Some(AtPath::Same);
            }
            let is_file = names.peek().is_none();
            let all = self.differences(&new, &old)?;
            let there = |one: &&Difference<'_>| one.name == name && one.is_tree != is_file;
            let Some(difference) = all.iter().find(there) else {
                return Some(AtPath::Same);
            };
            match (difference.new, difference.old) {
                (file, _) if is_file => return Some(AtPath::Other(file)),
                (None, _) => return Some(AtPath::Other(None)),
                (Some(below), Some(before)) => (new, old) = (below, before),
                (Some(_), None) => return None,
            }
        }
        None
    }

    /// The entries in which two trees differ in a way that matters, in no order; `None` when the
    /// log cannot tell.
    pub(in crate::source::git) fn differences(
        &mut self,
        new: &ObjectId,
        old: &ObjectId,
    ) -> Option<Vec<Difference<'a>>> {
        let log = self.log;
        let (mut new, mut old) = (self.find(new)?, self.find(old)?);
        let mut steps: Vec<(NameKey, Side, Edit)> = Vec::new();
        let mut seen = 0;
        let mut add = |edits: &[Edit], side| {
            seen += 1 + edits.len();
            steps.extend(edits.iter().map(|edit| (edit.key, side, *edit)));
            (seen <= FAR).then_some(())
        };
        while new != old {
            let (one, two) = (&log.nodes[new as usize], &log.nodes[old as usize]);
            if one.depth.max(two.depth) == 0 {
                if self.between.len() > MAX_BETWEEN {
                    self.between.clear();
                }
                let between = self.between.entry((new, old));
                let edits = between.or_insert_with(|| log.edits_between(new, old));
                add(edits, Side::New)?;
                break;
            }
            if one.depth >= two.depth {
                add(log.edits(one), Side::New)?;
                new = one.base;
            } else {
                add(log.edits(two), Side::Old)?;
                old = two.base;
            }
        }
        // Stable: on each side the edits nearest to the tree stay first.
        steps.sort_by_key(|step| (step.0, step.1));
        let of_names = steps.chunk_by(|one, two| one.0 == two.0);
        Some(of_names.filter_map(|steps| log.difference(steps)).collect())
    }
}

/// On which side of a comparison an edit was met.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    New,
    Old,
}

impl TreeLog {
    /// The edits that lead from one whole tree to another.
    fn edits_between(&self, new: u32, old: u32) -> Vec<Edit> {
        let mut edits = Vec::new();
        let entries = |node: u32| self.entries(&self.nodes[node as usize]);
        let (mut new, mut old) = (entries(new), entries(old));
        loop {
            let order = match (new.first(), old.first()) {
                (None, None) => return edits,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(two)) if one.key == two.key => Ordering::Equal,
                (Some(one), Some(two)) => order(self.entry(one.key), self.entry(two.key)),
            };
            let take = |side: &mut &[Entry], takes: bool| match takes {
                true => side.split_off_first().copied(),
                false => None,
            };
            let new = take(&mut new, order.is_le());
            let old = take(&mut old, order.is_ge());
            if let Some(entry) = new.or(old).filter(|_| new != old) {
                edits.push(Edit {
                    key: entry.key,
                    new: new.map_or(NONE, |entry| entry.thing),
                    old: old.map_or(NONE, |entry| entry.thing),
                });
            }
        }
    }

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
        let id = |thing: u32| self.things.id(thing);
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
            self.shapes.get(node as usize)?.hash()
        };
        shape(one).is_some_and(|one| shape(two) == Some(one))
    }
}
