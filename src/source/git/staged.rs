//! What the next commit would add: the blobs of the index that git names, against `HEAD`.
//!
//! Blobs, not files: what is staged and what lies in the work tree can differ. Nothing of the
//! repository runs; a clean filter has run when git staged the blob.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::additions::{Additions, MAX_GONE};
use super::commits;
use super::work_tree::head;
use super::{GitError, Kind, Reader, Repository, Store, StoreOptions, blob_id};
use crate::model::{Blob, Diagnostics, ObjectId, printable_bytes};
use crate::source::{Item, Place, Source, SourceError, Visit};

/// The index of a repository.
#[derive(Debug)]
pub struct Staged {
    repository: Repository,
    index_file: Option<PathBuf>,
    options: StoreOptions,
}

/// Mode of a submodule entry.
const SUBMODULE: u32 = 0o160_000;

impl Staged {
    /// The index at `index_file`, or the usual one.
    pub fn new(
        repository: &Repository,
        index_file: Option<PathBuf>,
        options: StoreOptions,
    ) -> Self {
        Self {
            repository: repository.clone(),
            index_file,
            options,
        }
    }

    fn error(&self, message: impl std::fmt::Display) -> SourceError {
        SourceError::Git {
            path: self.repository.git_dir.clone(),
            message: message.to_string(),
        }
    }

    fn entries(&self) -> Result<BTreeMap<Vec<u8>, ObjectId>, SourceError> {
        let usual = self.repository.git_dir.join("index");
        let path = self.index_file.as_ref().unwrap_or(&usual);
        if !path.exists() {
            return Ok(BTreeMap::new());
        }
        let index = git2::Index::open(path).map_err(|error| SourceError::Git {
            path: path.clone(),
            message: format!("the index cannot be read: {}", error.message()),
        })?;
        let files = index.iter().filter(|entry| entry.mode != SUBMODULE);
        let file = |entry: git2::IndexEntry| {
            Some((entry.path, ObjectId::from_slice(entry.id.as_bytes())?))
        };
        Ok(files.filter_map(file).collect())
    }
}

impl Source for Staged {
    fn visit(&self, visit: &Visit<'_>, diagnostics: &Diagnostics) -> Result<(), SourceError> {
        let staged = self.entries()?;
        let store = Store::open(&self.repository, &self.options, diagnostics);
        let store = store.map_err(|error| self.error(error))?;
        let mut reader = store.reader();
        let mut head = self.head(&mut reader).map_err(|error| self.error(error))?;
        let mut changed = Vec::new();
        for (path, id) in staged {
            match head.remove(&path) {
                Some(old) if old == id => {}
                old => changed.push((path, id, old)),
            }
        }
        // What is left in `head` the commit would remove: a secret from there has only moved.
        let moved: BTreeSet<ObjectId> = head.values().copied().collect();
        changed.retain(|(_, id, _)| !moved.contains(id));
        let mut gone = Vec::new();
        for id in moved.iter().take(MAX_GONE).filter(|_| !changed.is_empty()) {
            gone.extend(content(&mut reader, id));
        }
        for (path, id, old) in changed {
            let bytes = match reader.find(&id) {
                Ok(Some((_, bytes))) => bytes,
                // Staged with `git add --intent-to-add`: there is no content yet.
                Ok(None) if is_empty_blob(&id) => continue,
                Ok(None) => {
                    let message =
                        format_args!("its staged content ({id}) is missing; run `git add` again");
                    diagnostics.incomplete(printable_bytes(&path), message);
                    continue;
                }
                Err(error) => {
                    diagnostics.incomplete(printable_bytes(&path), error);
                    continue;
                }
            };
            if blob_id(&bytes) != id {
                let message = format_args!(
                    "another content than its staged one ({id}) is stored for it, which was \
                     scanned; run `git fsck`"
                );
                diagnostics.incomplete(printable_bytes(&path), message);
            }
            let old = old.and_then(|old| content(&mut reader, &old));
            let before: Vec<&[u8]> = old
                .iter()
                .chain(&gone)
                .map(|bytes: &Arc<Vec<u8>>| &bytes[..])
                .collect();
            let item = Item {
                before: &before,
                ..Item::new(Blob::new(&bytes), Place::Staged { path: &path, id })
            };
            if visit(&item).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Staged {
    /// The files of the tree at `HEAD`; none before the first commit.
    fn head(&self, reader: &mut Reader<'_>) -> Result<BTreeMap<Vec<u8>, ObjectId>, GitError> {
        let Some(head) = head(&self.repository) else {
            return Ok(BTreeMap::new());
        };
        let tree = match reader.find(&head)? {
            Some((Kind::Commit, text)) => commits::parse(head, &text).map(|commit| commit.tree),
            _ => None,
        };
        let all = Additions::between(reader, tree, &[])?;
        Ok(all
            .changed
            .into_iter()
            .map(|file| (file.path, file.id))
            .collect())
    }
}

/// The blob `id`, when it can be read and is the one: indexes of packs are not checked as a whole,
/// and what only seems to have been there before would hide what is new.
fn content(reader: &mut Reader<'_>, id: &ObjectId) -> Option<Arc<Vec<u8>>> {
    let (_, bytes) = reader.find(id).ok()??;
    (blob_id(&bytes) == *id).then_some(bytes)
}

/// The id of the empty blob, which intent-to-add entries carry.
fn is_empty_blob(id: &ObjectId) -> bool {
    const EMPTY: &[u8] = b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
    ObjectId::from_hex(EMPTY).is_ok_and(|empty| empty == *id)
}
