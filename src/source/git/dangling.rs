//! Finds paths of blobs that no commit holds, in trees that no commit holds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Mutex;

use super::object::{Kind, Kinds};
use super::store::Store;
use super::tree::Entries;
use super::wanted::Wanted;
use crate::model::{Diagnostics, ObjectId};

/// Directories that a path may have above it.
const MAX_DEPTH: usize = 8;
/// Paths told for one blob.
const MAX_PATHS: usize = 16;

/// The paths of wanted blobs from the topmost trees that hold them, sorted, by position among the
/// wanted. Reads all trees once, and once more for every directory level that is found.
pub(super) fn places_in_dangling_trees(
    store: &Store,
    wanted: &Wanted,
) -> BTreeMap<usize, BTreeSet<Vec<u8>>> {
    let mut places: BTreeMap<usize, BTreeSet<Vec<u8>>> = BTreeMap::new();
    let mut open: BTreeMap<ObjectId, BTreeSet<(usize, Vec<u8>)>> = BTreeMap::new();
    for (at, id) in wanted.ids().iter().enumerate() {
        open.entry(*id).or_default().insert((at, Vec::new()));
    }
    for _ in 0..=MAX_DEPTH {
        if open.is_empty() {
            break;
        }
        let holders = holders(store, &Wanted::new(open.keys().copied().collect()));
        let mut above: BTreeMap<ObjectId, BTreeSet<(usize, Vec<u8>)>> = BTreeMap::new();
        for (id, below) in open {
            let holders = holders.get(&id);
            for (at, path) in below {
                match holders {
                    // Nothing holds it: the path begins here.
                    None if path.is_empty() => {}
                    None => {
                        let paths = places.entry(at).or_default();
                        if paths.len() < MAX_PATHS {
                            paths.insert(path);
                        }
                    }
                    Some(holders) => {
                        for (tree, name) in holders.iter().take(MAX_PATHS) {
                            let path = match path.is_empty() {
                                true => name.clone(),
                                false => [name.as_slice(), &path].join(&b'/'),
                            };
                            above.entry(*tree).or_default().insert((at, path));
                        }
                    }
                }
            }
        }
        open = above;
    }
    places
}

/// The trees that hold each of `wanted`, and the names they give it.
fn holders(store: &Store, wanted: &Wanted) -> BTreeMap<ObjectId, BTreeSet<(ObjectId, Vec<u8>)>> {
    let found: Mutex<BTreeMap<_, BTreeSet<_>>> = Mutex::default();
    let visit = |tree: super::Object<'_>| {
        for entry in Entries::new(tree.bytes) {
            if wanted.position(&entry.id).is_some() {
                found
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner())
                    .entry(entry.id)
                    .or_default()
                    .insert((tree.id, entry.name.to_vec()));
            }
        }
        ControlFlow::Continue(())
    };
    // What cannot be read was told when the commits were read.
    store.sweep_kinds(Kinds::of(&[Kind::Tree]), &visit, &Diagnostics::new());
    found
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
