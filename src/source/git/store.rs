//! The object database: packs, loose objects, and the directories borrowed from.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use rayon::prelude::*;

use super::alternates::object_directories;
use super::commit_log::CommitLog;
use super::error::GitError;
use super::known::Skip;
use super::layout::Repository;
use super::loose::LooseObjects;
use super::object::{Kind, Kinds};
use super::owners::{self, Marks};
use super::pack::{Draft, Pack, Plan};
use super::reader::{Reader, State};
use crate::model::{Diagnostics, ObjectId};

/// How much to read, and from where.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Read alternate object directories outside of the repository.
    pub follow_alternates: bool,
    /// Objects with more bytes are skipped, with a diagnostic. Also bounds the memory that
    /// rebuilding one delta tree may hold.
    pub max_object_bytes: u64,
    /// Lend what is known of an object's delta base, so that only what differs need be scanned.
    /// The findings are the same.
    pub delta_scan: bool,
}

/// About 80 bytes each.
const MAX_KEPT_COMMITS: usize = 500_000;

/// Entries of packs whose plans are kept, at 24 bytes each.
const MAX_PLANNED: usize = 2_000_000;

/// How all objects of a store are read.
pub(super) struct Plans {
    /// One for each pack.
    pub(super) packs: Vec<Plan>,
    /// Loose objects that other places show, by directory.
    pub(super) spare_loose: Vec<Marks>,
    /// Whether no object is in several places: which of them shows it depends on the kinds.
    serves_all_kinds: bool,
}

impl Plans {
    fn new(store: &Store, kinds: Kinds, skip: Option<Skip<'_>>) -> Self {
        let drafts: Vec<Draft> = store.packs.par_iter().map(Draft::read).collect();
        let (spares, spare_loose) = owners::decide(&store.packs, &drafts, &store.loose, kinds);
        let serves_all_kinds = spares.iter().chain(&spare_loose).all(Marks::is_empty);
        let packs = drafts
            .into_par_iter()
            .zip(&store.packs)
            .zip(&spares)
            .map(|((draft, pack), spares)| draft.finish(pack, skip, spares))
            .collect();
        Self {
            packs,
            spare_loose,
            serves_all_kinds,
        }
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            follow_alternates: false,
            max_object_bytes: 1 << 30,
            delta_scan: true,
        }
    }
}

/// An opened object database. Packs stay mapped as long as it lives.
pub struct Store {
    pub(super) packs: Vec<Pack>,
    pub(super) loose: Vec<LooseObjects>,
    pub(super) options: StoreOptions,
    pub(super) partial: bool,
    /// The git directory, for messages.
    pub(super) subject: PathBuf,
    /// What the last whole sweep saw of commits.
    log: Mutex<Option<CommitLog>>,
    /// How packs are read, when that is worth its memory.
    plans: Mutex<Option<Arc<Plans>>>,
    /// Buffers and caches of readers that are not in use.
    pub(super) idle: Mutex<Vec<State>>,
    /// Whether the indexes of the packs were checked.
    checked: AtomicBool,
}

impl Store {
    /// Opens all packs and lists all loose objects. What cannot be opened is a diagnostic. Whether
    /// indexes are what git wrote is checked by sweeps and ranges.
    pub fn open(
        repository: &Repository,
        options: &StoreOptions,
        diagnostics: &Diagnostics,
    ) -> Result<Self, GitError> {
        let mut store = Self {
            packs: Vec::new(),
            loose: Vec::new(),
            options: *options,
            partial: repository.partial,
            subject: repository.git_dir.clone(),
            log: Mutex::default(),
            plans: Mutex::default(),
            idle: Mutex::default(),
            checked: AtomicBool::new(false),
        };
        let directories = object_directories(repository, options.follow_alternates, diagnostics);
        for directory in directories {
            store.open_packs(&directory.join("pack"), diagnostics)?;
            let loose = LooseObjects::list(&directory, diagnostics);
            if !loose.ids().is_empty() {
                store.loose.push(loose);
            }
        }
        Ok(store)
    }

    /// Computes the checksums of all indexes, unless that was done; those that are wrong are
    /// diagnostics. Takes time with the number of objects, which whoever looks up a few and checks
    /// their ids need not wait for.
    pub(super) fn check_indexes(&self, diagnostics: &Diagnostics) {
        if !self.checked.swap(true, Ordering::Relaxed) {
            let packs = self.packs.par_iter();
            packs.for_each(|pack| pack.check_index(diagnostics));
        }
    }

    /// The object `id`, `None` when it is not here.
    ///
    /// For many look-ups take a [`Store::reader`], which keeps bases between them.
    pub fn find(&self, id: &ObjectId) -> Result<Option<(Kind, Vec<u8>)>, GitError> {
        let found = self.reader().find(id)?;
        Ok(found.map(|(kind, bytes)| (kind, bytes.to_vec())))
    }

    /// Reads objects by id, for one thread.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(self)
    }

    /// Gives back what readers keep for the next one.
    pub(super) fn drop_readers(&self) {
        let mut idle = self
            .idle
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        idle.clear();
    }

    /// Whether `id` is here, readable or not.
    pub fn contains(&self, id: &ObjectId) -> bool {
        self.packs.iter().any(|pack| pack.index.find(id).is_some())
            || self.loose.iter().any(|loose| loose.contains(id))
    }

    /// Number of places that hold `id`.
    pub(super) fn holders(&self, id: &ObjectId) -> usize {
        let packs = self
            .packs
            .iter()
            .filter(|pack| pack.index.find(id).is_some());
        let loose = self.loose.iter().filter(|loose| loose.contains(id));
        packs.count() + loose.count()
    }

    /// Number of objects; one that is in several places counts several times.
    pub fn len(&self) -> usize {
        let packed: usize = self.packs.iter().map(|pack| pack.index.len()).sum();
        let loose: usize = self.loose.iter().map(|loose| loose.ids().len()).sum();
        packed + loose
    }

    /// Whether there is no object at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids of all objects, sorted, each once.
    pub fn ids(&self) -> Vec<ObjectId> {
        let mut ids = Vec::with_capacity(self.len());
        for pack in &self.packs {
            ids.extend((0..pack.index.len()).filter_map(|position| pack.index.id(position)));
        }
        for loose in &self.loose {
            ids.extend_from_slice(loose.ids());
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// How all objects of `kinds` are read. Made once when neither the kinds nor `skip` matter,
    /// unless the packs are very large.
    pub(super) fn plans(&self, kinds: Kinds, skip: Option<Skip<'_>>) -> Arc<Plans> {
        let kept = || {
            self.plans
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
        };
        if let (Some(plans), None) = (&*kept(), skip) {
            return Arc::clone(plans);
        }
        let plans = Arc::new(Plans::new(self, kinds, skip));
        let packed: usize = self.packs.iter().map(|pack| pack.index.len()).sum();
        if skip.is_none() && plans.serves_all_kinds && packed <= MAX_PLANNED {
            *kept() = Some(Arc::clone(&plans));
        }
        plans
    }

    /// Gives back the plans: nothing that is left to do needs them.
    pub(super) fn drop_plans(&self) {
        let mut kept = self
            .plans
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        *kept = None;
    }

    /// Whether a sweep noted the commits.
    pub(super) fn has_commit_log(&self) -> bool {
        self.kept_log().is_some()
    }

    /// The commits that a sweep noted; once, as a history keeps them.
    pub(super) fn take_commit_log(&self) -> Option<CommitLog> {
        self.kept_log().take()
    }

    fn kept_log(&self) -> MutexGuard<'_, Option<CommitLog>> {
        let log = self.log.lock();
        log.unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Keeps what a sweep noted, so that commits need not be read again when something has to be
    /// attributed. With very many commits, memory is worth more than that time.
    pub(super) fn keep_commit_log(&self, log: CommitLog) {
        if log.all.len() <= MAX_KEPT_COMMITS {
            *self.kept_log() = Some(log);
        }
    }

    fn open_packs(&mut self, directory: &Path, diagnostics: &Diagnostics) -> Result<(), GitError> {
        let entries = match std::fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(source) => {
                let path = directory.to_path_buf();
                return Err(GitError::Io { path, source });
            }
        };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        // The order of a directory is the file system's; ours must not depend on it.
        paths.sort();
        let has = |path: &Path, extension: &str| path.extension() == Some(extension.as_ref());
        for path in &paths {
            if has(path, "idx") {
                self.packs.extend(Pack::open(path, diagnostics));
            } else if has(path, "pack") && paths.binary_search(&path.with_extension("idx")).is_err()
            {
                let message = "the pack has no index, so it is not scanned; make one with \
                               `git index-pack`";
                diagnostics.incomplete(path.display(), message);
            }
        }
        Ok(())
    }
}
