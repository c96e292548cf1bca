//! What a commit changes, against all of its parents at once.
//!
//! A path counts as changed when no parent has the same content there: what a merge takes over
//! from either side is no change, and what only the merge brings in is one. Directories that
//! equal a parent's are not read.

use std::sync::Arc;

use super::commits::Commits;
use super::object::Kind;
use super::reader::Reader;
use super::tree::{Entries, EntryType, compare, order};
use super::tree_log::{Comparer, Difference, TreeLog};
use crate::model::ObjectId;

/// A changed path.
pub(super) struct Change<'a> {
    /// Path from the root of the repository.
    pub(super) path: &'a [u8],
    /// Whether the path is a directory, on the sides that have it. A directory is one change when
    /// it is new or gone, and not a change of its own when it is on both sides.
    pub(super) is_tree: bool,
    /// What the commit has there.
    pub(super) new: Option<ObjectId>,
    /// What each parent has there.
    pub(super) old: &'a [Option<ObjectId>],
}

impl Change<'_> {
    /// Whether no parent has the path.
    pub(super) fn is_creation(&self) -> bool {
        self.new.is_some() && self.old.iter().all(Option::is_none)
    }

    /// Whether the commit has not the path and all parents have.
    pub(super) fn is_deletion(&self) -> bool {
        self.new.is_none()
    }

    /// What all parents have there, when it is the same.
    pub(super) fn common_old(&self) -> Option<ObjectId> {
        let (first, rest) = self.old.split_first()?;
        rest.iter().all(|old| old == first).then_some(*first)?
    }
}

/// What to do with a change. The reader is lent for looking into directories.
pub(super) trait Sink {
    fn change(&mut self, reader: &mut Reader<'_>, change: Change<'_>);
}

/// Compares commits with their parents, one after the other.
pub(super) struct Differ<'a> {
    pub(super) reader: Reader<'a>,
    commits: &'a Commits,
    /// Tells of most trees how they differ, so that they need not be read.
    log: Option<Comparer<'a>>,
    path: Vec<u8>,
    /// Pairs of directories that may still be compared for this commit.
    budget: u32,
    /// Directories that could not be read, or were left out.
    pub(super) unread: Vec<ObjectId>,
}

/// Directories deeper than this are left out.
pub(super) const MAX_DEPTH: usize = 256;

/// Pairs of directories compared for one commit. Only trees that share subtrees thousands of
/// times over, made to keep readers busy, come near.
pub(super) const BUDGET: u32 = 1 << 20;

impl<'a> Differ<'a> {
    pub(super) fn new(reader: Reader<'a>, commits: &'a Commits) -> Self {
        Self {
            reader,
            commits,
            log: None,
            path: Vec::new(),
            budget: 0,
            unread: Vec::new(),
        }
    }

    /// As [`Differ::new`], and takes from `log` what it can. The changes are the same, but a file
    /// that `log` was not made for has another id.
    pub(super) fn with_log(reader: Reader<'a>, commits: &'a Commits, log: &'a TreeLog) -> Self {
        Self {
            log: Some(Comparer::new(log)),
            ..Self::new(reader, commits)
        }
    }

    /// Calls `sink` for every change of the commit `index`. A commit without parents is not a
    /// change of the root but creates each of its entries.
    pub(super) fn run(&mut self, index: u32, sink: &mut dyn Sink) {
        let tree = self.commits.get(index).tree;
        let parents = self.commits.parents(index);
        let old: Vec<_> = parents
            .iter()
            .map(|&parent| Some(self.commits.get(parent).tree))
            .collect();
        if old.contains(&Some(tree))
            || self
                .log
                .as_ref()
                .is_some_and(|log| log.is_idle(&tree, &old))
        {
            return;
        }
        self.budget = BUDGET;
        self.path.clear();
        self.descend(&tree, &old, 0, sink);
    }

    fn descend(
        &mut self,
        new: &ObjectId,
        old: &[Option<ObjectId>],
        depth: usize,
        sink: &mut dyn Sink,
    ) {
        if depth > MAX_DEPTH || self.budget == 0 {
            return self.unread.push(*new);
        }
        self.budget -= 1;
        if let Some(changes) = self.log.as_mut().and_then(|log| logged(log, new, old)) {
            return self.pass_on(changes, depth, sink);
        }
        let Some(new) = self.tree(new) else { return };
        let read = |id: &Option<ObjectId>| match id {
            Some(id) => self.tree(id),
            None => Some(Arc::default()),
        };
        // Against a parent that cannot be read everything would look new.
        let Some(old) = old.iter().map(read).collect::<Option<Vec<_>>>() else {
            return;
        };
        self.pass_on(level(&new, &old), depth, sink);
    }

    /// Tells `sink` of changes in one directory, or looks into the directories among them.
    fn pass_on(&mut self, changes: Vec<LevelChange<'_>>, depth: usize, sink: &mut dyn Sink) {
        for change in changes {
            let start = self.path.len();
            self.path.extend_from_slice(change.name);
            let on_both_sides = change.new.is_some() && change.old.iter().any(Option::is_some);
            match change.new {
                Some(new) if change.is_tree && on_both_sides => {
                    self.path.push(b'/');
                    self.descend(&new, &change.old, depth + 1, sink);
                }
                _ => {
                    let change = Change {
                        path: &self.path,
                        is_tree: change.is_tree,
                        new: change.new,
                        old: &change.old,
                    };
                    sink.change(&mut self.reader, change);
                }
            }
            self.path.truncate(start);
        }
    }

    fn tree(&mut self, id: &ObjectId) -> Option<Arc<Vec<u8>>> {
        match self.reader.find(id) {
            Ok(Some((Kind::Tree, bytes))) => Some(bytes),
            _ => {
                self.unread.push(*id);
                None
            }
        }
    }
}

/// A change of one entry of a directory.
struct LevelChange<'a> {
    name: &'a [u8],
    is_tree: bool,
    new: Option<ObjectId>,
    old: Vec<Option<ObjectId>>,
}

/// As [`level`], without reading the trees; `None` when that is not possible.
fn logged<'a>(
    log: &mut Comparer<'a>,
    new: &ObjectId,
    old: &[Option<ObjectId>],
) -> Option<Vec<LevelChange<'a>>> {
    let (first, rest) = old.split_first()?;
    // Against several, a directory that cannot be read in one has to be noticed, even when it has
    // not changed since another.
    if !rest.is_empty() && !log.know(new, old) {
        return None;
    }
    let mut changes: Vec<_> = log
        .differences(new, first.as_ref()?)?
        .into_iter()
        .map(|difference| LevelChange {
            name: difference.name,
            is_tree: difference.is_tree,
            new: difference.new,
            old: vec![difference.old],
        })
        .collect();
    for other in rest {
        let differences = log.differences(new, other.as_ref()?)?;
        changes.retain_mut(|change| {
            let of_change =
                |one: &&Difference<'_>| (one.is_tree, one.name) == (change.is_tree, change.name);
            let found = differences.iter().find(of_change);
            change.old.extend(found.map(|one| one.old));
            found.is_some()
        });
    }
    if changes.len() > 1 {
        changes.sort_by(|one, two| order((one.name, one.is_tree), (two.name, two.is_tree)));
    }
    Some(changes)
}

/// The entries of `new` that equal those of none of `old`.
fn level<'a>(new: &'a [u8], old: &'a [Arc<Vec<u8>>]) -> Vec<LevelChange<'a>> {
    let mut changes = Vec::new();
    let (first, rest) = match old.split_first() {
        Some((first, rest)) => (first.as_slice(), rest),
        None => (&[][..], &[][..]),
    };
    let mut others: Vec<_> = rest.iter().map(|bytes| Entries::new(bytes)).collect();
    compare(new, first, |new, first| {
        let Some(entry) = new.or(first) else { return };
        let new = new.map(|entry| entry.id);
        let is_tree = entry.kind == EntryType::Tree;
        let mut sides = Vec::with_capacity(old.len());
        if !old.is_empty() {
            sides.push(first.map(|entry| entry.id));
        }
        for other in &mut others {
            let side = other.seek(entry.name, is_tree).map(|entry| entry.id);
            if side == new {
                return;
            }
            sides.push(side);
        }
        changes.push(LevelChange {
            name: entry.name,
            is_tree,
            new,
            old: sides,
        });
    });
    changes
}
