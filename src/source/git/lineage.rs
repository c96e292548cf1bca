//! Follows a file's path back through renames, to the path at which it began.
//!
//! Git stores no renames. A path that begins in a commit in which an equal or similar file goes
//! away elsewhere is taken for that file's new name. The commits that begin paths are noted while
//! the history is walked; only those that matter are looked at again.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use rayon::prelude::*;

use super::changes::{Change, Differ, Sink};
use super::history::History;
use super::object::Kind;
use super::reader::Reader;
use super::similarity::{most, similarity};
use super::tree::{Entries, EntryType};
use super::tree_log::TreeLog;
use super::wanted::{Wanted, lookup};
use crate::machine::hash::FastMap;
use crate::model::{Diagnostics, ObjectId, Reachability};

/// Where paths begin.
#[derive(Default)]
pub(super) struct Lineage {
    walked: BTreeSet<Reachability>,
    /// Sorted.
    creations: Vec<Creation>,
    /// Positions of commits that take something away.
    removals: HashSet<u32>,
}

/// A commit that has a path which none of its parents has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Creation {
    /// [`path_key`] of the path of a file or a directory.
    pub(super) path: u64,
    /// Position of the commit.
    pub(super) position: u32,
}

/// A number for a path: millions of paths are noted, few are asked for.
pub(super) fn path_key(path: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// Renames followed for one path.
const MAX_HOPS: usize = 64;
/// Files that went away in one commit and are looked at.
const MAX_GONE: usize = 100_000;
/// Files that went away and are kept for other paths that begin in their commit.
const MAX_KEPT: usize = 1_000_000;
/// Of those of one commit, files whose content is compared.
const MAX_COMPARED: usize = 64;
/// Directories deeper than this are left out.
const MAX_DEPTH: usize = 256;
/// A file this similar is the same file under another name; git's own default.
const SAME_FILE: u8 = 50;

impl Lineage {
    /// Adds what one class of commits begins.
    pub(super) fn add(
        &mut self,
        class: Reachability,
        creations: Vec<Creation>,
        removals: Vec<u32>,
    ) {
        if self.walked.insert(class) {
            self.removals.extend(removals);
            match self.creations.is_empty() {
                true => self.creations = creations,
                false => self.creations.extend(creations),
            }
            self.creations.par_sort_unstable();
        }
    }

    /// The positions up to `last` at which `path` or a directory above it begins, last first.
    fn beginnings(&self, path: &[u8], last: u32) -> Vec<u32> {
        let mut positions = Vec::new();
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let ends = slashes.map(|(at, _)| at).chain([path.len()]);
        for end in ends {
            let path = path_key(&path[..end]);
            let first = Creation { path, position: 0 };
            let start = self.creations.partition_point(|one| *one < first);
            let same = self.creations[start..]
                .iter()
                .take_while(|one| one.path == path && one.position <= last);
            positions.extend(same.map(|one| one.position));
        }
        positions.sort_unstable_by(|one, two| two.cmp(one));
        positions.dedup();
        positions
    }
}

impl History<'_> {
    /// The path at which the lineage of each path began, for files at `HEAD`: what stays equal
    /// when files are renamed. A path that is not at `HEAD` is its own origin, and so is the path
    /// at the edge of a shallow clone.
    pub fn origins(&self, paths: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let Some(head) = self.roots.head.filter(|_| !paths.is_empty()) else {
            return paths.to_vec();
        };
        let walked = self.with_lineage(|lineage| lineage.walked.contains(&Reachability::Head));
        if !walked {
            // What cannot be read is told by whoever scans the history.
            let nothing = Wanted::new(Vec::new());
            let log = TreeLog::read(self.store, &nothing);
            self.walk(Reachability::Head, &nothing, &log, &Diagnostics::new());
        }
        let traced = Traced::default();
        let mut tracer = Tracer::new(self, &traced);
        let origin = |path: &Vec<u8>| match tracer.has(head, path) {
            true => tracer.origin(path, head),
            false => path.clone(),
        };
        paths.iter().map(origin).collect()
    }

    fn with_lineage<T>(&self, run: impl FnOnce(&Lineage) -> T) -> T {
        let lineage = self.lineage.lock();
        run(&lineage.unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

/// Follows paths, for one thread.
pub(super) struct Tracer<'h, 'a> {
    history: &'h History<'a>,
    differ: Differ<'h>,
    traced: &'h Traced,
}

/// What was found so far, for all threads.
#[derive(Default)]
pub(super) struct Traced {
    /// What each commit that was looked at took away.
    gone: Mutex<FastMap<u32, Arc<OnceLock<Vec<Gone>>>>>,
    /// Files in `gone`.
    files: AtomicUsize,
    /// Where a path was before it began.
    steps: Mutex<FastMap<Beginning, Option<Step>>>,
}

impl Traced {
    /// What commit `index` took away; `look` finds it when nobody has yet.
    fn gone(&self, index: u32, look: impl FnOnce() -> Vec<Gone>) -> Arc<OnceLock<Vec<Gone>>> {
        let gone = Arc::clone(lock(&self.gone).entry(index).or_default());
        let files = gone.get_or_init(|| {
            let files = look();
            self.files.fetch_add(files.len(), Ordering::Relaxed);
            files
        });
        if !files.is_empty() && self.files.load(Ordering::Relaxed) > MAX_KEPT {
            lock(&self.gone).clear();
            self.files.store(0, Ordering::Relaxed);
        }
        gone
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A commit, and a path that begins in it.
type Beginning = (u32, Vec<u8>);

/// One step back: a parent of the commit in which a path begins, and the file's path there.
#[derive(Clone)]
struct Step {
    parent: u32,
    path: Vec<u8>,
}

/// A file that went away.
struct Gone {
    path: Vec<u8>,
    id: ObjectId,
}

impl<'h, 'a> Tracer<'h, 'a> {
    pub(super) fn new(history: &'h History<'a>, traced: &'h Traced) -> Self {
        Self {
            history,
            differ: Differ::new(history.store.reader(), &history.commits),
            traced,
        }
    }

    /// The path at which the file began that commit `at` has at `path`.
    pub(super) fn origin(&mut self, path: &[u8], at: u32) -> Vec<u8> {
        let mut path = path.to_vec();
        let mut at = at;
        for _ in 0..MAX_HOPS {
            let Some(beginning) = self.beginning(&path, at) else {
                break;
            };
            let Some(step) = self.step(beginning, &path) else {
                break;
            };
            Step { parent: at, path } = step;
        }
        path
    }

    /// From `path`, which begins in commit `index`, to the one before.
    fn step(&mut self, index: u32, path: &[u8]) -> Option<Step> {
        // Most commits take nothing away, and a file's old name has to go.
        let position = self.history.commits.get(index).position;
        let removes = |lineage: &Lineage| lineage.removals.contains(&position);
        if !self.history.with_lineage(removes) {
            return None;
        }
        let key = (index, path.to_vec());
        let known = lock(&self.traced.steps).get(&key).cloned();
        if let Some(known) = known {
            return known;
        }
        let before = self.name_before(index, path);
        let step = before.and_then(|path| {
            let parents = self.history.commits.parents(index);
            let parent = parents.iter().find(|&&parent| self.has(parent, &path));
            parent.map(|&parent| Step { parent, path })
        });
        lock(&self.traced.steps).insert(key, step.clone());
        step
    }

    /// Whether commit `index` has a file at `path`.
    fn has(&mut self, index: u32, path: &[u8]) -> bool {
        let tree = self.history.commits.get(index).tree;
        lookup(&mut self.differ.reader, &tree, path).is_some()
    }

    /// The last commit, up to `at` and among its ancestors, in which `path` begins.
    fn beginning(&self, path: &[u8], at: u32) -> Option<u32> {
        let commits = &self.history.commits;
        let last = commits.get(at).position;
        let found = self
            .history
            .with_lineage(|lineage| lineage.beginnings(path, last));
        let is_ancestor = |index: &u32| match Some(at) == self.history.roots.head {
            true => commits.get(*index).class == Reachability::Head,
            false => self.history.is_ancestor(*index, at),
        };
        found
            .into_iter()
            .map(|position| commits.at(position))
            .find(is_ancestor)
    }

    /// The path that went away in commit `index` and is now called `path`.
    fn name_before(&mut self, index: u32, path: &[u8]) -> Option<Vec<u8>> {
        let gone = self.traced.gone(index, || {
            let mut leavers = Leavers::default();
            self.differ.run(index, &mut leavers);
            let mut gone = leavers.files;
            gone.sort_by(|one, two| one.path.cmp(&two.path));
            gone
        });
        let gone = gone.get().filter(|gone| !gone.is_empty())?;
        let tree = self.history.commits.get(index).tree;
        let reader = &mut self.differ.reader;
        let id = lookup(reader, &tree, path)?;
        // Files of the same name first, then by path.
        let name = file_name(path);
        let (same, others): (Vec<_>, Vec<_>) =
            gone.iter().partition(|gone| file_name(&gone.path) == name);
        let ranked: Vec<&Gone> = same.into_iter().chain(others).collect();
        let content = reader.find(&id).ok()??.1;
        if content.is_empty() {
            return None;
        }
        if let Some(same) = ranked.iter().find(|gone| gone.id == id) {
            return Some(same.path.clone());
        }
        let mut best: Option<(u8, &Gone)> = None;
        for gone in ranked.into_iter().take(MAX_COMPARED) {
            let Ok(Some((Kind::Blob, before))) = reader.find(&gone.id) else {
                continue;
            };
            let least = best.map_or(SAME_FILE, |(best, _)| best + 1);
            if most(before.len(), content.len()) < least {
                continue;
            }
            let score = similarity(&before, &content);
            if score >= least {
                best = Some((score, gone));
            }
        }
        best.map(|(_, gone)| gone.path.clone())
    }
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// Collects the files that a commit takes away.
#[derive(Default)]
struct Leavers {
    files: Vec<Gone>,
    /// Directories read for it: a few trees that hold each other many times over can stand for
    /// billions.
    directories: usize,
}

impl Sink for Leavers {
    fn change(&mut self, reader: &mut Reader<'_>, change: Change<'_>) {
        if !change.is_deletion() {
            return;
        }
        let Some(id) = change.old.iter().flatten().next() else {
            return;
        };
        match change.is_tree {
            true => self.below(reader, change.path, id, 0),
            false => self.push(change.path.to_vec(), *id),
        }
    }
}

impl Leavers {
    fn push(&mut self, path: Vec<u8>, id: ObjectId) {
        if self.files.len() < MAX_GONE {
            self.files.push(Gone { path, id });
        }
    }

    fn below(&mut self, reader: &mut Reader<'_>, path: &[u8], tree: &ObjectId, depth: usize) {
        if depth > MAX_DEPTH || self.directories >= MAX_GONE {
            return;
        }
        self.directories += 1;
        let Ok(Some((Kind::Tree, bytes))) = reader.find(tree) else {
            return;
        };
        for entry in Entries::new(&bytes) {
            let path = [path, entry.name].join(&b'/');
            match entry.kind {
                EntryType::Tree => self.below(reader, &path, &entry.id, depth + 1),
                EntryType::Blob => self.push(path, entry.id),
                EntryType::Submodule => {}
            }
        }
    }
}
