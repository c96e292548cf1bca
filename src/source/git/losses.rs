//! What a sweep could not read, collected from all threads and told at its end.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use super::error::ObjectError;
use super::pack::{Failure, Pack, Plan};
use super::store::Store;
use crate::model::{Diagnostics, ObjectId};

/// Failures of one pack that are told one by one; the rest are counted.
const TOLD: usize = 20;

/// Objects that are lost, or not what they should be.
pub(super) struct Losses {
    /// By pack.
    packed: Vec<Mutex<Vec<Failure>>>,
    loose: Mutex<Vec<BadLoose>>,
}

struct BadLoose {
    directory: usize,
    id: ObjectId,
    error: ObjectError,
}

impl Losses {
    /// Begins with what the plans of all packs know already.
    pub(super) fn new(plans: &[Plan]) -> Self {
        let failures = plans.iter().map(|plan| plan.failures.clone());
        Self {
            packed: failures.map(Mutex::new).collect(),
            loose: Mutex::default(),
        }
    }

    /// Where failures of `pack` go.
    pub(super) fn of_pack(&self, pack: usize) -> &Mutex<Vec<Failure>> {
        &self.packed[pack]
    }

    pub(super) fn add_loose(&self, directory: usize, id: ObjectId, error: ObjectError) {
        let bad = BadLoose {
            directory,
            id,
            error,
        };
        lock(&self.loose).push(bad);
    }

    /// The ids of what was not shown at all.
    pub(super) fn unread(&self) -> BTreeSet<ObjectId> {
        let loose = lock(&self.loose);
        let mut ids: BTreeSet<_> = loose.iter().map(|bad| bad.id).collect();
        for failures in &self.packed {
            let failures = lock(failures);
            let unread = failures.iter().filter(|failure| !failure.was_read());
            ids.extend(unread.filter_map(|failure| failure.id));
        }
        ids
    }

    /// Tells all of it, but for what was `found_elsewhere`.
    pub(super) fn report(
        self,
        store: &Store,
        found_elsewhere: &BTreeSet<ObjectId>,
        diagnostics: &Diagnostics,
    ) {
        let found = |id: ObjectId| found_elsewhere.contains(&id);
        for (pack, failures) in store.packs.iter().zip(&self.packed) {
            let mut failures = std::mem::take(&mut *lock(failures));
            failures.retain(|failure| !failure.id.is_some_and(found));
            failures.sort_unstable();
            failures.dedup();
            // Of what was not shown, that says more than a checksum.
            let unread = failures.iter().filter(|failure| !failure.was_read());
            let unread: BTreeSet<u64> = unread.map(|failure| failure.offset).collect();
            failures.retain(|failure| !failure.was_read() || !unread.contains(&failure.offset));
            report_pack(pack, &failures, diagnostics);
        }
        for bad in lock(&self.loose).iter().filter(|bad| !found(bad.id)) {
            let path = store.loose[bad.directory].path(&bad.id);
            let message = format_args!("the object {}; it is not scanned", bad.error);
            diagnostics.incomplete(path.display(), message);
        }
    }
}

fn report_pack(pack: &Pack, failures: &[Failure], diagnostics: &Diagnostics) {
    for failure in failures.iter().take(TOLD) {
        let id = failure
            .id
            .map_or_else(|| "without id".to_owned(), |id| id.to_string());
        let outcome = match failure.was_read() {
            true => "what can be read of it is scanned",
            false => "it is not scanned",
        };
        let (offset, error) = (failure.offset, failure.error);
        let message = format_args!("object {id} at offset {offset} {error}; {outcome}");
        diagnostics.incomplete(pack.path.display(), message);
    }
    if failures.len() > TOLD {
        let more = failures.len() - TOLD;
        let message = format_args!("{more} more objects cannot be read and are not scanned");
        diagnostics.incomplete(pack.path.display(), message);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
