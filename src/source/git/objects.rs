//! Every object of a repository's database, reachable or not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use super::additions::Additions;
use super::commits;
use super::fingerprint::fingerprint;
use super::history::Overview;
use super::tree_log::TreeLog;
use super::work_tree::head;
use super::{Attribution, History, Passed, Repository, Skip, Store, StoreOptions};
use crate::model::{Blob, Diagnostics, ObjectId};
use crate::source::{Item, Place, SourceError, Visit};

/// The object database of one repository, opened.
pub struct Objects {
    repository: Repository,
    store: Store,
    overview: OnceLock<Overview>,
}

impl Objects {
    /// Opens the object database; what of it cannot be opened is a diagnostic.
    pub fn open(
        repository: &Repository,
        options: &StoreOptions,
        diagnostics: &Diagnostics,
    ) -> Result<Self, SourceError> {
        let store = Store::open(repository, options, diagnostics);
        let store = store.map_err(|error| SourceError::Git {
            path: repository.git_dir.clone(),
            message: error.to_string(),
        })?;
        Ok(Self {
            repository: repository.clone(),
            store,
            overview: OnceLock::new(),
        })
    }

    /// A hash of everything that [`Objects::history`] and what is asked of it depend on.
    /// What is wrong with refs is told.
    pub fn fingerprint(&self, diagnostics: &Diagnostics) -> [u8; 32] {
        fingerprint(&self.repository, &self.store, diagnostics)
    }

    /// The git directory, as messages name it.
    pub fn git_dir(&self) -> &Path {
        &self.repository.git_dir
    }

    /// Shows every object but those that `skip` knows. What packs cannot say without the objects
    /// that are missing is told to `limits`.
    pub fn visit(
        &self,
        skip: Option<Skip<'_>>,
        visit: &Visit<'_>,
        diagnostics: &Diagnostics,
        limits: &Diagnostics,
    ) -> Passed {
        let scanned = |object: super::Object<'_>| {
            let place = Place::Object {
                id: object.id,
                kind: object.kind,
            };
            visit(&Item {
                kinship: object.kinship,
                ..Item::new(Blob::new(object.bytes), place)
            })
        };
        self.store
            .sweep_unknown(skip, &scanned, diagnostics, limits)
    }

    /// Commits and refs. They are read once; what is wrong with them is told then.
    pub fn history(&self, diagnostics: &Diagnostics) -> History<'_> {
        let read = || Overview::read(&self.repository, &self.store, diagnostics);
        History::of(&self.store, self.overview.get_or_init(read).clone())
    }

    /// Gives back the memory that only makes further questions fast.
    pub fn rest(&self) {
        self.store.drop_readers();
    }

    /// The history, and what it says of blobs, commits and tags: every id asked for is in the answer.
    pub fn attribute(
        &self,
        ids: &[ObjectId],
        diagnostics: &Diagnostics,
    ) -> (History<'_>, BTreeMap<ObjectId, Attribution>) {
        if !self.store.has_commit_log() {
            // Reading the commits takes all threads.
            self.history(diagnostics);
        }
        let (history, trees) = rayon::join(
            || self.history(diagnostics),
            || TreeLog::about(&self.store, ids),
        );
        let told = history.attribute_with(ids, trees, diagnostics);
        (history, told)
    }
}

impl Objects {
    /// The paths of all files in the tree at `HEAD`.
    pub fn head_paths(&self) -> BTreeSet<Vec<u8>> {
        let mut reader = self.store.reader();
        let tree = head(&self.repository).and_then(|id| {
            let (_, text) = reader.find(&id).ok().flatten()?;
            Some(commits::parse(id, &text)?.tree)
        });
        let all = Additions::between(&mut reader, tree, &[]).unwrap_or_default();
        all.changed.into_iter().map(|file| file.path).collect()
    }
}
