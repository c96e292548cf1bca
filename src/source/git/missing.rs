//! Counts the objects that a partial clone lacks.
//!
//! Git fetches them when they are asked for; we do not, so what is in them is not scanned.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Mutex;

use super::commit_log::CommitLog;
use super::object::{Kind, Kinds, Object};
use super::store::Store;
use super::tree::{EntryType, compare};
use crate::model::{Diagnostics, ObjectId};

impl Store {
    /// Tells how many objects that `commits` and the trees name are not here, if this is a
    /// partial clone. What a missing tree names cannot be counted.
    pub(super) fn report_missing(&self, commits: &CommitLog, diagnostics: &Diagnostics) {
        if !self.partial {
            return;
        }
        let missing = self.missing(commits);
        if missing > 0 {
            let message = format_args!(
                "a partial clone: at least {missing} objects are not here and not scanned; fetch \
                 them with `git fetch --refetch --no-filter`, or use --no-history"
            );
            diagnostics.incomplete(self.subject.display(), message);
        }
    }

    fn missing(&self, commits: &CommitLog) -> usize {
        let known = self.ids();
        let missing = Mutex::new(HashSet::new());
        let check = |id: ObjectId| {
            if !is_known(&known, &id) {
                missing
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner())
                    .insert(id);
            }
        };
        commits.all.iter().for_each(|commit| check(commit.tree));
        let recent = Mutex::new(Vec::new());
        let visit = |object: Object<'_>| {
            let idle = || {
                recent
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner())
            };
            let mut seen = idle().pop().unwrap_or_else(Recent::new);
            compare(object.bytes, &seen.tree, |new, _| {
                let entry = new.filter(|entry| entry.kind != EntryType::Submodule);
                if let Some(entry) = entry.filter(|entry| is_new(&mut seen.ids, &entry.id)) {
                    check(entry.id);
                }
            });
            seen.tree.clear();
            seen.tree.extend_from_slice(object.bytes);
            idle().push(seen);
            ControlFlow::Continue(())
        };
        // What cannot be read was told by the sweep before, or is not scanned anyway.
        let untold = Diagnostics::new();
        self.sweep_kinds(Kinds::of(&[Kind::Tree]), &visit, &untold);
        let missing = missing
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        missing.len()
    }
}

fn is_known(known: &[ObjectId], id: &ObjectId) -> bool {
    known.binary_search(id).is_ok()
}

/// What was checked of late. Versions of a directory share nearly all their entries and come one
/// after the other, so most entries need no look-up.
struct Recent {
    /// The last tree.
    tree: Vec<u8>,
    /// The last id of each slot.
    ids: Vec<ObjectId>,
}

impl Recent {
    const SLOTS: usize = 1 << 15;

    fn new() -> Self {
        Self {
            tree: Vec::new(),
            ids: vec![ObjectId::new([0; ObjectId::LEN]); Self::SLOTS],
        }
    }
}

fn is_new(ids: &mut [ObjectId], id: &ObjectId) -> bool {
    let [first, second, third, ..] = *id.as_bytes();
    let value = usize::from(first) << 16 | usize::from(second) << 8 | usize::from(third);
    let slot = &mut ids[value % Recent::SLOTS];
    std::mem::replace(slot, *id) != *id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_until_another_takes_its_slot() {
        let mut ids = Recent::new().ids;
        let one = ObjectId::new([1; 20]);
        let mut two = [1; 20];
        two[19] = 2;
        assert!(is_new(&mut ids, &one));
        assert!(!is_new(&mut ids, &one));
        assert!(is_new(&mut ids, &ObjectId::new(two)));
        assert!(is_new(&mut ids, &one));
    }
}
