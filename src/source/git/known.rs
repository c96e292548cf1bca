//! What earlier scans know of objects, so that a sweep need not read them again.

use crate::model::ObjectId;

/// Remembers objects between scans. Asked from all threads.
pub trait Known: Sync {
    /// The size of object `id` in bytes, when it was scanned before and nothing was found in it.
    fn size(&self, id: &ObjectId) -> Option<u64>;
}

/// What a sweep passes over.
#[derive(Clone, Copy)]
pub struct Skip<'a> {
    /// Objects that are not shown.
    pub known: &'a dyn Known,
    /// Read the commits among them all the same, because what they name is asked later.
    pub read_commits: bool,
}

/// What a sweep passed over.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Passed {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Passed {
    pub(super) fn add(&mut self, size: u64) {
        self.objects += 1;
        self.bytes += size;
    }

    pub(super) fn append(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
    }
}
