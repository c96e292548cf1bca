//! Packs: many objects in one file, most of them as deltas of others.
//!
//! [`entry`] reads one entry's header, [`delta`] applies one delta, [`plan`] orders all entries
//! by delta base, [`sums`] checks them, [`walk`] rebuilds them.

mod delta;
mod entry;
mod index;
mod plan;
mod sums;
mod walk;

use std::path::{Path, PathBuf};

pub(super) use delta::apply;
pub(super) use entry::{Entry, EntryKind};
pub(super) use index::{Index, IndexError};
pub(super) use plan::{Draft, Plan, Root, Start};
pub(super) use walk::{Failure, KEEP, Scratch, Sink};

use super::error::ObjectError;
use crate::machine::prefetch;
use crate::model::Diagnostics;
use crate::source::mmap::MappedFile;

/// A mapped pack and its index.
pub(super) struct Pack {
    /// The `.pack` file.
    pub(super) path: PathBuf,
    /// Its index.
    pub(super) index: Index,
    data: MappedFile,
}

/// Bytes of the checksum at the end of a pack.
const CHECKSUM: usize = 20;
/// Bytes of the header: `PACK`, version, number of entries.
const HEADER: usize = 12;

impl Pack {
    /// Opens the pack that `index_path` describes. `None`, with a diagnostic, when nothing of it
    /// can be read; what is merely suspicious is a diagnostic too.
    pub(super) fn open(index_path: &Path, diagnostics: &Diagnostics) -> Option<Self> {
        let path = index_path.with_extension("pack");
        let index = match Index::open(index_path) {
            Ok(index) => index,
            Err(error) => {
                report_index(index_path, &error, diagnostics);
                return None;
            }
        };
        let data = match MappedFile::open(&path) {
            Ok(data) => data,
            Err(error) => {
                let message = format_args!("the pack cannot be read: {}", error.kind());
                diagnostics.incomplete(path.display(), message);
                return None;
            }
        };
        let pack = Self { path, index, data };
        pack.check(diagnostics).then_some(pack)
    }

    /// The header of the entry at `offset`.
    pub(super) fn entry(&self, offset: u64) -> Result<Entry, ObjectError> {
        Entry::parse(self.body(), offset)
    }

    /// The packed bytes from `start` on; an entry's compressed stream ends by itself.
    pub(super) fn packed(&self, start: usize) -> &[u8] {
        self.body().get(start..).unwrap_or(&[])
    }

    /// Says that the entry at `offset` will be read.
    pub(super) fn expect(&self, offset: u64) {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        prefetch(self.body(), start);
    }

    /// All entries, with the header of the pack before them.
    fn body(&self) -> &[u8] {
        let end = self.data.len().saturating_sub(CHECKSUM);
        self.data.get(..end).unwrap_or(&[])
    }

    fn check(&self, diagnostics: &Diagnostics) -> bool {
        let known = self.data.starts_with(b"PACK")
            && matches!(self.data.get(4..8), Some([0, 0, 0, 2 | 3]))
            && self.data.len() >= HEADER + CHECKSUM;
        if !known {
            let message = "not a git pack; its objects are not scanned";
            diagnostics.incomplete(self.path.display(), message);
            return false;
        }
        if self.data.get(self.data.len() - CHECKSUM..) != self.index.pack_checksum() {
            let message = "the pack is not the one that its index describes, so objects may be \
                           missing; run `git fsck`";
            diagnostics.incomplete(self.path.display(), message);
        }
        true
    }

    /// Computes the checksum of the index, a millisecond for each MB; a wrong one is a diagnostic.
    pub(super) fn check_index(&self, diagnostics: &Diagnostics) {
        if !self.index.is_sound() {
            let message = "the index does not match its own checksum, so objects may be missing \
                           or carry wrong ids; rebuild it with `git index-pack`";
            let path = self.path.with_extension("idx");
            diagnostics.incomplete(path.display(), message);
        }
    }
}

fn report_index(path: &Path, error: &IndexError, diagnostics: &Diagnostics) {
    let message = format_args!(
        "the index {error}, so no object of the pack is scanned; rebuild it with `git index-pack`"
    );
    diagnostics.incomplete(path.display(), message);
}
