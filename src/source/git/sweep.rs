//! Visits every object of the database once, in parallel.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::commit_log::CommitLog;
use super::error::{GitError, ObjectError};
use super::inflate::Inflater;
use super::known::{Passed, Skip};
use super::loose::Wanted;
use super::losses::Losses;
use super::object::{Kind, Kinds, Object};
use super::pack::{Failure, KEEP, Pack, Plan, Root, Scratch, Sink, Start};
use super::reader::Reader;
use super::store::{Plans, Store};
use crate::model::{Diagnostics, ObjectId};

/// What to call for each object.
pub type Visit<'a> = &'a (dyn Fn(Object<'_>) -> ControlFlow<()> + Sync);

/// Delta trees, or loose objects, that a thread takes at a time.
const BATCH: usize = 16;

/// Objects with more bytes take turns, so that memory does not grow with the number of threads.
const LARGE: u64 = 64 << 20;

impl Store {
    /// Calls `visit` once for each blob, commit and tag, from any thread, in no promised order,
    /// until it breaks. What cannot be read is a diagnostic, and so is the number of objects that
    /// a partial clone lacks.
    pub fn sweep(&self, visit: Visit<'_>, diagnostics: &Diagnostics) {
        self.sweep_unknown(None, visit, diagnostics, diagnostics);
    }

    /// As [`Store::sweep`], but does not show what `skip` knows, and tells what a partial clone
    /// lacks to `limits`; not at all when the commits were not read.
    pub(super) fn sweep_unknown(
        &self,
        skip: Option<Skip<'_>>,
        visit: Visit<'_>,
        diagnostics: &Diagnostics,
        limits: &Diagnostics,
    ) -> Passed {
        let kinds = Kinds::of(&[Kind::Blob, Kind::Commit, Kind::Tag]);
        let seen_enough = AtomicBool::new(false);
        let watched = |object: Object<'_>| {
            let flow = visit(object);
            if flow.is_break() {
                seen_enough.store(true, Ordering::Relaxed);
            }
            flow
        };
        let (commits, passed) = self.sweep_some(kinds, skip, &watched, diagnostics);
        if !seen_enough.into_inner() && skip.is_none_or(|skip| skip.read_commits) {
            self.report_missing(&commits, limits);
            self.keep_commit_log(commits);
        }
        passed
    }

    /// As [`Store::sweep`], for the given kinds. Returns the commits among them.
    pub(super) fn sweep_kinds(
        &self,
        kinds: Kinds,
        visit: Visit<'_>,
        diagnostics: &Diagnostics,
    ) -> CommitLog {
        self.sweep_some(kinds, None, visit, diagnostics).0
    }

    fn sweep_some(
        &self,
        kinds: Kinds,
        skip: Option<Skip<'_>>,
        visit: Visit<'_>,
        diagnostics: &Diagnostics,
    ) -> (CommitLog, Passed) {
        let check = || self.check_indexes(diagnostics);
        let (plans, ()) = rayon::join(|| self.plans(kinds, skip), check);
        let sweep = Sweep {
            store: self,
            kinds,
            skip,
            visit,
            lanes: lanes(large_roots(&plans, kinds), self.options.max_object_bytes),
            losses: Losses::new(&plans.packs),
            put_off: Mutex::default(),
            plans,
            stop: AtomicBool::new(false),
        };
        let work = sweep.work();
        let next = AtomicUsize::new(0);
        let mut threads = rayon::broadcast(|_| {
            let mut thread = Thread::new(self);
            while let Some(unit) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                if sweep.stopped() {
                    break;
                }
                sweep.run(unit, &mut thread);
            }
            thread
        });
        let mut last = Thread::new(self);
        sweep.run_put_off(&mut last);
        let unwanted = threads.iter().flat_map(|thread| &thread.unwanted);
        let found_elsewhere = sweep.rescue(unwanted, &mut last);
        threads.push(last);
        let mut passed = sweep.passed();
        sweep.losses.report(self, &found_elsewhere, diagnostics);
        let mut commits = CommitLog::default();
        for thread in threads {
            passed.append(thread.passed);
            commits.append(thread.scratch.commits);
        }
        (commits, passed)
    }
}

/// What all threads share.
struct Sweep<'a> {
    store: &'a Store,
    kinds: Kinds,
    skip: Option<Skip<'a>>,
    visit: Visit<'a>,
    plans: Arc<Plans>,
    /// The large roots to start from, in lists of which one thread takes each.
    lanes: Vec<Vec<(usize, Root)>>,
    /// Large loose objects, which are read one after the other.
    put_off: Mutex<Vec<(usize, usize)>>,
    losses: Losses,
    stop: AtomicBool,
}

/// What one thread owns.
struct Thread<'a> {
    scratch: Scratch,
    inflater: Inflater,
    bytes: Vec<u8>,
    reader: Reader<'a>,
    passed: Passed,
    /// What the place that was to show it has as another kind.
    unwanted: Vec<ObjectId>,
}

impl<'a> Thread<'a> {
    fn new(store: &'a Store) -> Self {
        Self {
            scratch: Scratch::new(),
            inflater: Inflater::new(),
            bytes: Vec::new(),
            reader: store.reader(),
            passed: Passed::default(),
            unwanted: Vec::new(),
        }
    }
}

/// Large loose objects are known when they are opened, and read when all else is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    First,
    Last,
}

/// A piece of work.
enum Unit {
    Lane(usize),
    Roots {
        pack: usize,
        range: Range<usize>,
    },
    Loose {
        directory: usize,
        range: Range<usize>,
    },
}

impl Sweep<'_> {
    /// Counts what the plans leave out because it is known.
    fn passed(&self) -> Passed {
        let mut passed = Passed::default();
        self.plans
            .packs
            .iter()
            .for_each(|plan| passed.append(plan.passed));
        passed
    }

    fn work(&self) -> Vec<Unit> {
        // Large ones first, so that no thread ends alone with them.
        let mut work: Vec<Unit> = (0..self.lanes.len()).map(Unit::Lane).collect();
        for (pack, plan) in self.plans.packs.iter().enumerate() {
            let batches = batches(plan.roots().len());
            work.extend(batches.map(|range| Unit::Roots { pack, range }));
        }
        for (directory, loose) in self.store.loose.iter().enumerate() {
            let batches = batches(loose.ids().len());
            work.extend(batches.map(|range| Unit::Loose { directory, range }));
        }
        work
    }

    fn run(&self, unit: &Unit, thread: &mut Thread<'_>) {
        match unit {
            Unit::Lane(lane) => {
                for &(pack, root) in &self.lanes[*lane] {
                    self.run_root(pack, root, thread);
                }
            }
            Unit::Roots { pack, range } => {
                let plan = &self.plans.packs[*pack];
                let all = plan.roots()[range.clone()].iter();
                let is_wanted = |root: &&Root| root.may_be_of(self.kinds) && root.size <= LARGE;
                let mut roots = all.filter(is_wanted).peekable();
                while let Some(root) = roots.next() {
                    if let Some(next) = roots.peek() {
                        plan.expect(&self.store.packs[*pack], next);
                    }
                    self.run_root(*pack, *root, thread);
                }
            }
            Unit::Loose { directory, range } => {
                for position in range.clone() {
                    self.run_loose(*directory, position, Turn::First, thread);
                }
            }
        }
    }

    fn run_root(&self, pack: usize, root: Root, thread: &mut Thread<'_>) {
        let sink = self.sink(self.losses.of_pack(pack));
        let plan = &self.plans.packs[pack];
        let pack: &Pack = &self.store.packs[pack];
        let Start::Outside(base) = root.start else {
            return plan.walk(pack, root, None, &mut thread.scratch, &sink);
        };
        match thread.reader.find(&base) {
            Ok(Some((kind, _))) if !self.kinds.contains(kind) => {
                thread.unwanted.extend(plan.shown_below(pack, root));
            }
            Ok(Some((kind, bytes))) => {
                let outside = Some((kind, bytes.as_slice()));
                plan.walk(pack, root, outside, &mut thread.scratch, &sink);
            }
            Ok(None) => plan.lose(pack, root, ObjectError::MissingBase(base), &sink),
            Err(GitError::Object { source, .. }) if source == ObjectError::Cycle => {
                plan.lose(pack, root, source, &sink);
            }
            Err(_) => plan.lose(pack, root, ObjectError::BadBase(base), &sink),
        }
    }

    fn put_off(&self) -> MutexGuard<'_, Vec<(usize, usize)>> {
        self.put_off
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Reads what was put off, one after the other.
    fn run_put_off(&self, thread: &mut Thread<'_>) {
        let put_off = std::mem::take(&mut *self.put_off());
        for (directory, position) in put_off {
            if self.stopped() {
                return;
            }
            self.run_loose(directory, position, Turn::Last, thread);
        }
    }

    fn run_loose(&self, directory: usize, position: usize, turn: Turn, thread: &mut Thread<'_>) {
        if self.plans.spare_loose[directory].contains(position) {
            return;
        }
        let loose = &self.store.loose[directory];
        let id = loose.ids()[position];
        let known = self.skip.and_then(|skip| skip.known.size(&id));
        let kinds = match (known, self.skip) {
            (Some(size), Some(skip)) => {
                if turn == Turn::First {
                    thread.passed.add(size);
                }
                match skip.read_commits {
                    // Its kind stands in the file only.
                    true => self.kinds.only(Kind::Commit),
                    false => return,
                }
            }
            _ => self.kinds,
        };
        let most = self.store.options.max_object_bytes;
        let limit = match turn {
            Turn::First => most.min(LARGE),
            Turn::Last => most,
        };
        let wanted = Wanted { kinds, limit };
        match loose.read(&id, wanted, &mut thread.inflater, &mut thread.bytes) {
            Ok(None) if self.store.loose.len() > 1 => thread.unwanted.push(id),
            Ok(None) => {}
            Ok(Some(kind)) => {
                let object = Object::alone(id, kind, &thread.bytes);
                self.give(object, known.is_some(), &mut thread.scratch.commits);
            }
            Err(ObjectError::TooLarge { size, .. }) if limit < size && size <= most => {
                self.put_off().push((directory, position));
            }
            Err(ObjectError::TooLarge { size, .. }) => {
                let error = ObjectError::TooLarge { size, limit: most };
                self.losses.add_loose(directory, id, error);
            }
            Err(error) => self.losses.add_loose(directory, id, error),
        }
        if thread.bytes.capacity() > KEEP {
            thread.bytes = Vec::new();
        }
    }

    /// Shows an object that does not come from a delta tree, or notes it.
    fn give(&self, object: Object<'_>, known: bool, log: &mut CommitLog) {
        let failures = Mutex::default();
        let sink = self.sink(&failures);
        match known {
            true => sink.note(&object, log),
            false => sink.show(object, log),
        }
    }

    /// Looks elsewhere for what could not be read in the place that was to show it, or was of
    /// another kind there. Returns what was found.
    fn rescue<'b>(
        &self,
        unwanted: impl Iterator<Item = &'b ObjectId>,
        thread: &mut Thread<'_>,
    ) -> BTreeSet<ObjectId> {
        let mut lost = self.losses.unread();
        lost.extend(unwanted);
        lost.retain(|id| !self.stopped() && self.store.holders(id) > 1 && self.find(id, thread));
        lost
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether some place has a sound copy of `id`, which is then shown if it is of the kinds
    /// asked for.
    fn find(&self, id: &ObjectId, thread: &mut Thread<'_>) -> bool {
        let Ok(Some((kind, bytes))) = thread.reader.find_of(id, self.kinds) else {
            return matches!(thread.reader.find(id), Ok(Some(_)));
        };
        let known = self.skip.is_some_and(|skip| skip.known.size(id).is_some());
        let object = Object::alone(*id, kind, &bytes);
        self.give(object, known, &mut thread.scratch.commits);
        true
    }

    fn sink<'a>(&'a self, failures: &'a Mutex<Vec<Failure>>) -> Sink<'a> {
        Sink {
            visit: self.visit,
            limit: self.store.options.max_object_bytes,
            stop: &self.stop,
            note_commits: self.kinds.contains(Kind::Commit),
            lend: self.store.options.delta_scan,
            failures,
        }
    }
}

/// The roots of all packs that are large and may be of `kinds`, each with its pack.
fn large_roots(plans: &Plans, kinds: Kinds) -> Vec<(usize, Root)> {
    let of_pack = |(pack, plan): (usize, &'_ Plan)| {
        let roots = plan.roots().iter();
        let large = roots.filter(move |root| root.size > LARGE && root.may_be_of(kinds));
        large.map(move |&root| (pack, root)).collect::<Vec<_>>()
    };
    plans.packs.iter().enumerate().flat_map(of_pack).collect()
}

/// Deals `large` roots out to as few threads that what these hold at a time stays below `limit`.
fn lanes(mut large: Vec<(usize, Root)>, limit: u64) -> Vec<Vec<(usize, Root)>> {
    large.sort_by_key(|(_, root)| Reverse(root.size));
    let largest = large.first().map_or(1, |(_, root)| root.size);
    let most = rayon::current_num_threads().min(large.len());
    let count = usize::try_from(limit / largest).unwrap_or(usize::MAX);
    let mut lanes = vec![Vec::new(); count.max(1).min(most)];
    for (at, root) in large.into_iter().enumerate() {
        let lane = at % lanes.len();
        lanes[lane].push(root);
    }
    lanes
}

fn batches(len: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len)
        .step_by(BATCH)
        .map(move |start| start..(start + BATCH).min(len))
}
