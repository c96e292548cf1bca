//! What a tree has that others have not: the content that a commit, or an index, brings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tree::{Entries, EntryType, TreeEntry};
use super::{GitError, Kind, Reader};
use crate::model::ObjectId;

/// A file that is new or different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) path: Vec<u8>,
    pub(super) id: ObjectId,
    /// What the other trees have at this path.
    pub(super) before: Vec<ObjectId>,
}

/// A comparison of one tree with others.
#[derive(Debug, Default)]
pub(super) struct Additions {
    /// Files that none of the other trees has as they are.
    pub(super) changed: Vec<Changed>,
    /// Blobs at paths that only the other trees have.
    pub(super) gone: Vec<ObjectId>,
    /// Trees that are not in the database.
    pub(super) missing: Vec<ObjectId>,
}

/// Removed files that are read to see whether a secret has only moved; with more of them an old
/// secret may be reported as new.
pub(super) const MAX_GONE: usize = 64;

/// A folder to compare.
struct Folder {
    path: Vec<u8>,
    tree: Option<ObjectId>,
    others: Vec<ObjectId>,
    depth: usize,
}

/// Deepest folder that is entered.
const MAX_DEPTH: usize = 1024;

impl Additions {
    /// Compares `tree` with all of `others`, skipping folders that one of them has unchanged.
    pub(super) fn between(
        reader: &mut Reader<'_>,
        tree: Option<ObjectId>,
        others: &[ObjectId],
    ) -> Result<Self, GitError> {
        let mut additions = Self::default();
        // No recursion: a hostile tree can be deeper than the stack.
        let mut stack = vec![Folder {
            path: Vec::new(),
            tree,
            others: others.to_vec(),
            depth: 0,
        }];
        while let Some(Folder {
            path: folder,
            tree,
            others,
            depth,
        }) = stack.pop()
        {
            if depth > MAX_DEPTH || tree.is_some_and(|tree| others.contains(&tree)) {
                continue;
            }
            let new = match tree {
                Some(tree) => additions.read(reader, tree)?,
                None => None,
            };
            let mut old = Vec::new();
            for other in &others {
                old.extend(additions.read(reader, *other)?);
            }
            additions.folder(&folder, new.as_deref(), &old, depth, &mut stack);
        }
        additions.changed.sort_by(|a, b| a.path.cmp(&b.path));
        additions.gone.sort();
        additions.gone.dedup();
        // What has only moved is not new.
        let gone = &additions.gone;
        additions
            .changed
            .retain(|file| gone.binary_search(&file.id).is_err());
        Ok(additions)
    }

    fn read(
        &mut self,
        reader: &mut Reader<'_>,
        tree: ObjectId,
    ) -> Result<Option<Arc<Vec<u8>>>, GitError> {
        match reader.find(&tree)? {
            Some((Kind::Tree, bytes)) => Ok(Some(bytes)),
            Some(_) => Ok(None),
            None => {
                self.missing.push(tree);
                Ok(None)
            }
        }
    }

    fn folder(
        &mut self,
        folder: &[u8],
        new: Option<&Vec<u8>>,
        old: &[Arc<Vec<u8>>],
        depth: usize,
        stack: &mut Vec<Folder>,
    ) {
        let mut before: BTreeMap<&[u8], Vec<TreeEntry<'_>>> = BTreeMap::new();
        for entry in old.iter().flat_map(|bytes| Entries::new(bytes)) {
            before.entry(entry.name).or_default().push(entry);
        }
        for entry in new.into_iter().flat_map(|bytes| Entries::new(bytes)) {
            let there = before.remove(entry.name).unwrap_or_default();
            if there
                .iter()
                .any(|old| old.id == entry.id && old.is_tree() == entry.is_tree())
            {
                continue;
            }
            let path = join(folder, entry.name);
            let others = |tree: bool| -> Vec<_> {
                there
                    .iter()
                    .filter(|old| old.is_tree() == tree)
                    .map(|old| old.id)
                    .collect()
            };
            if entry.is_tree() {
                self.gone.extend(others(false));
                stack.push(Folder {
                    path,
                    tree: Some(entry.id),
                    others: others(true),
                    depth: depth + 1,
                });
            } else if entry.kind != EntryType::Submodule {
                stack.extend(others(true).into_iter().map(|tree| Folder {
                    path: path.clone(),
                    tree: None,
                    others: vec![tree],
                    depth: depth + 1,
                }));
                self.changed.push(Changed {
                    before: others(false),
                    id: entry.id,
                    path,
                });
            }
        }
        for (name, entries) in before {
            for entry in entries
                .into_iter()
                .filter(|entry| entry.kind != EntryType::Submodule)
            {
                match entry.is_tree() {
                    true => stack.push(Folder {
                        path: join(folder, name),
                        tree: None,
                        others: vec![entry.id],
                        depth: depth + 1,
                    }),
                    false => self.gone.push(entry.id),
                }
            }
        }
    }
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    match folder.is_empty() {
        true => name.to_vec(),
        false => [folder, b"/", name].concat(),
    }
}
