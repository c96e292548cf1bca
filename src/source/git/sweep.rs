//! Visits every object of the database once, in parallel.

use std::collections::HashSet;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rayon::prelude::*;

use super::commit_log::CommitLog;
use super::error::{GitError, ObjectError};
use super::inflate::Inflater;
use super::known::{Passed, Skip};
use super::object::{Kind, Kinds, Object};
use super::pack::{Failure, Pack, Plan, Root, Scratch, Sink, Start};
use super::reader::Reader;
use super::store::Store;
use crate::model::{Diagnostics, ObjectId};

/// What to call for each object.
pub type Visit<'a> = &'a (dyn Fn(Object<'_>) -> ControlFlow<()> + Sync);

/// Delta trees, or loose objects, that a thread takes at a time.
const BATCH: usize = 16;

/// Failures of one pack that are told one by one; the rest are counted.
const TOLD: usize = 20;

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
        let plans = match skip {
            None => self.plans(),
            some => {
                let plan = |pack| Plan::new(pack, some);
                Arc::new(self.packs.par_iter().map(plan).collect())
            }
        };
        let several = self.packs.len() + self.loose.len() > 1;
        let repeats = || plans.iter().any(|plan| plan.repeats);
        let sweep = Sweep {
            store: self,
            kinds,
            skip,
            visit,
            roots: plans.iter().map(|plan| plan.roots(kinds)).collect(),
            failures: plans
                .iter()
                .map(|plan| Mutex::new(plan.failures.clone()))
                .collect(),
            bad_loose: Mutex::default(),
            claims: (several || repeats()).then(Claims::new),
            plans,
            passed: Mutex::default(),
            stop: AtomicBool::new(false),
        };
        sweep.pass_known();
        let work = sweep.work();
        let next = AtomicUsize::new(0);
        let logs = rayon::broadcast(|_| {
            let mut thread = Thread {
                scratch: Scratch::new(),
                inflater: Inflater::new(),
                bytes: Vec::new(),
                reader: self.reader(),
            };
            while let Some(unit) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                if sweep.stop.load(Ordering::Relaxed) {
                    break;
                }
                sweep.run(unit, &mut thread);
            }
            thread.scratch.commits
        });
        let passed = sweep.passed();
        sweep.report(diagnostics);
        let mut commits = CommitLog::default();
        logs.into_iter().for_each(|log| commits.append(log));
        (commits, passed)
    }
}

/// Ids that were shown, when more than one place may hold an object.
pub(super) struct Claims([Mutex<HashSet<ObjectId>>; Self::SHARDS]);

impl Claims {
    const SHARDS: usize = 64;

    fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }

    /// Whether the caller is the first to claim `id`.
    pub(super) fn claim(&self, id: ObjectId) -> bool {
        self.shard(id).insert(id)
    }

    /// Whether `id` was claimed.
    pub(super) fn holds(&self, id: ObjectId) -> bool {
        self.shard(id).contains(&id)
    }

    fn shard(&self, id: ObjectId) -> std::sync::MutexGuard<'_, HashSet<ObjectId>> {
        let shard = usize::from(id.as_bytes()[0]) % Self::SHARDS;
        self.0[shard]
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// What all threads share.
struct Sweep<'a> {
    store: &'a Store,
    kinds: Kinds,
    skip: Option<Skip<'a>>,
    visit: Visit<'a>,
    plans: Arc<Vec<Plan>>,
    /// The roots to start from, by pack.
    roots: Vec<Vec<Root>>,
    /// What went wrong, by pack.
    failures: Vec<Mutex<Vec<Failure>>>,
    bad_loose: Mutex<Vec<(usize, ObjectId, ObjectError)>>,
    claims: Option<Claims>,
    passed: Mutex<Passed>,
    stop: AtomicBool,
}

/// What one thread owns.
struct Thread<'a> {
    scratch: Scratch,
    inflater: Inflater,
    bytes: Vec<u8>,
    reader: Reader<'a>,
}

/// A piece of work.
enum Unit {
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
    /// Counts what the plans leave out.
    fn pass_known(&self) {
        for &(id, size) in self.plans.iter().flat_map(|plan| &plan.known) {
            self.pass(id, size);
        }
    }

    /// Counts an object that is not shown, once.
    fn pass(&self, id: ObjectId, size: u64) {
        if self.claims.as_ref().is_none_or(|claims| claims.claim(id)) {
            self.passed
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .add(size);
        }
    }

    fn passed(&self) -> Passed {
        *self
            .passed
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn work(&self) -> Vec<Unit> {
        let mut work = Vec::new();
        for (pack, roots) in self.roots.iter().enumerate() {
            let batches = batches(roots.len());
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
            Unit::Roots { pack, range } => {
                for &root in &self.roots[*pack][range.clone()] {
                    self.run_root(*pack, root, thread);
                }
            }
            Unit::Loose { directory, range } => {
                for id in &self.store.loose[*directory].ids()[range.clone()] {
                    self.run_loose(*directory, *id, thread);
                }
            }
        }
    }

    fn run_root(&self, pack: usize, root: Root, thread: &mut Thread<'_>) {
        let sink = self.sink(&self.failures[pack]);
        let plan = &self.plans[pack];
        let pack: &Pack = &self.store.packs[pack];
        let Start::Outside(base) = root.start else {
            return plan.walk(pack, root, None, &mut thread.scratch, &sink);
        };
        match thread.reader.find(&base) {
            Ok(Some((kind, _))) if !self.kinds.contains(kind) => {}
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

    fn run_loose(&self, directory: usize, id: ObjectId, thread: &mut Thread<'_>) {
        let known = self.skip.and_then(|skip| skip.known.size(&id));
        if let Some(size) = known {
            self.pass(id, size);
            // Its kind stands in the file only.
            if self.skip.is_some_and(|skip| !skip.read_commits) {
                return;
            }
        } else if self.claims.as_ref().is_some_and(|claims| claims.holds(id)) {
            return;
        }
        let limit = self.store.options.max_object_bytes;
        let loose = &self.store.loose[directory];
        match loose.read(&id, limit, &mut thread.inflater, &mut thread.bytes) {
            Ok(kind) if !self.kinds.contains(kind) => {}
            Ok(kind) => {
                let bytes = &thread.bytes;
                let log = &mut thread.scratch.commits;
                let failures = Mutex::default();
                let sink = self.sink(&failures);
                let object = Object::alone(id, kind, bytes);
                match known {
                    Some(_) => sink.note(&object, log),
                    None => sink.show(object, log),
                }
            }
            Err(error) => self
                .bad_loose
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .push((directory, id, error)),
        }
    }

    fn sink<'a>(&'a self, failures: &'a Mutex<Vec<Failure>>) -> Sink<'a> {
        Sink {
            visit: self.visit,
            claims: self.claims.as_ref(),
            limit: self.store.options.max_object_bytes,
            stop: &self.stop,
            note_commits: self.kinds.contains(Kind::Commit),
            lend: self.store.options.delta_scan,
            failures,
        }
    }

    /// Tells what is lost: not what another place had a sound copy of.
    fn report(self, diagnostics: &Diagnostics) {
        let shown = |id: ObjectId| self.claims.as_ref().is_some_and(|claims| claims.holds(id));
        for (pack, failures) in self.store.packs.iter().zip(self.failures) {
            let mut failures = failures
                .into_inner()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            failures.retain(|failure| !failure.id.is_some_and(shown));
            failures.sort_unstable();
            failures.dedup();
            report_pack(pack, &failures, diagnostics);
        }
        let bad_loose = self
            .bad_loose
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        for (directory, id, error) in bad_loose {
            if !shown(id) {
                let path = self.store.loose[directory].path(&id);
                let message = format_args!("the object {error}; it is not scanned");
                diagnostics.incomplete(path.display(), message);
            }
        }
    }
}

fn batches(len: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len)
        .step_by(BATCH)
        .map(move |start| start..(start + BATCH).min(len))
}

fn report_pack(pack: &Pack, failures: &[Failure], diagnostics: &Diagnostics) {
    for failure in failures.iter().take(TOLD) {
        let id = failure
            .id
            .map_or_else(|| "without id".to_owned(), |id| id.to_string());
        let message = format_args!(
            "object {id} at offset {} {}; it is not scanned",
            failure.offset, failure.error
        );
        diagnostics.incomplete(pack.path.display(), message);
    }
    if failures.len() > TOLD {
        let more = failures.len() - TOLD;
        let message = format_args!("{more} more objects cannot be read and are not scanned");
        diagnostics.incomplete(pack.path.display(), message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_claimed_once() {
        let claims = Claims::new();
        let id = ObjectId::new([7; 20]);
        assert!(!claims.holds(id));
        assert!(claims.claim(id));
        assert!(!claims.claim(id));
        assert!(claims.holds(id));
    }
}
