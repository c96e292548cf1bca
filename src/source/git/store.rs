//! The object database: packs, loose objects, and the directories borrowed from.

use std::path::Path;
use std::sync::Mutex;

use super::alternates::object_directories;
use super::error::GitError;
use super::layout::Repository;
use super::loose::LooseObjects;
use super::object::Kind;
use super::pack::Pack;
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
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            follow_alternates: false,
            max_object_bytes: 1 << 30,
        }
    }
}

/// An opened object database. Packs stay mapped as long as it lives.
pub struct Store {
    pub(super) packs: Vec<Pack>,
    pub(super) loose: Vec<LooseObjects>,
    pub(super) options: StoreOptions,
    pub(super) partial: bool,
    /// Buffers and caches of readers that are not in use.
    pub(super) idle: Mutex<Vec<State>>,
}

impl Store {
    /// Opens all packs and lists all loose objects. What cannot be opened is a diagnostic.
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
            idle: Mutex::default(),
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

    /// Whether `id` is here, readable or not.
    pub fn contains(&self, id: &ObjectId) -> bool {
        self.packs.iter().any(|pack| pack.index.find(id).is_some())
            || self.loose.iter().any(|loose| loose.contains(id))
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
