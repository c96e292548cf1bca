//! Every object of a repository's database, reachable or not.

use std::collections::{BTreeMap, BTreeSet};

use super::attribute::{self, Attribution};
use super::{Repository, Store, StoreOptions};
use crate::model::{Blob, Diagnostics, ObjectId};
use crate::source::{Item, Place, Source, SourceError, Visit};

/// The history of one repository, opened.
pub struct History {
    repository: Repository,
    store: Store,
}

impl History {
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
        })
    }

    /// Where `wanted` objects stand, and since when.
    pub fn attribute(
        &self,
        wanted: &BTreeSet<ObjectId>,
        diagnostics: &Diagnostics,
    ) -> BTreeMap<ObjectId, Attribution> {
        attribute::attribute(&self.repository, &self.store, wanted, diagnostics)
    }

    /// For each path at `HEAD`, the path at which its file's lineage began.
    pub fn origins(&self, paths: &[Vec<u8>], diagnostics: &Diagnostics) -> Vec<Vec<u8>> {
        attribute::origins(&self.repository, &self.store, paths, diagnostics)
    }
}

impl Source for History {
    fn visit(&self, visit: &Visit<'_>, diagnostics: &Diagnostics) -> Result<(), SourceError> {
        self.store.sweep(
            &|object| {
                let place = Place::Object {
                    id: object.id,
                    kind: object.kind,
                };
                visit(&Item::new(Blob::new(object.bytes), place))
            },
            diagnostics,
        );
        Ok(())
    }
}
