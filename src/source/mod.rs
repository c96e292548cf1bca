//! Where bytes come from. Sources own their parallelism and lend borrowed bytes; nothing is
//! copied or queued.

pub mod files;
pub mod git;
mod mmap;
pub mod stdin;

use std::ops::ControlFlow;
use std::path::PathBuf;

use crate::model::{Blob, CommitPoint, Diagnostics, Kinship, ObjectId};

use git::Kind;

/// Something that yields blobs.
pub trait Source: Sync {
    /// Calls `visit` once for each blob, from any thread, in no promised order. Trouble with one
    /// blob is a diagnostic; the rest goes on.
    fn visit(&self, visit: &Visit<'_>, diagnostics: &Diagnostics) -> Result<(), SourceError>;
}

/// What a source calls for each blob.
pub type Visit<'v> = dyn Fn(&Item<'_>) -> ControlFlow<()> + Sync + 'v;

/// A blob and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The bytes.
    pub blob: Blob<'a>,
    /// Where they stand.
    pub place: Place<'a>,
    /// What stood before, where the source looks at a change: a secret that is in one of these
    /// is not new.
    pub before: &'a [&'a [u8]],
    /// Where the bytes begin in their file, for chunks of large files.
    pub origin: Origin,
    /// What the blob was made from, where the source knows.
    pub kinship: Option<Kinship<'a>>,
}

impl<'a> Item<'a> {
    /// A whole blob that is not part of a change.
    pub fn new(blob: Blob<'a>, place: Place<'a>) -> Self {
        Self {
            blob,
            place,
            before: &[],
            origin: Origin::default(),
            kinship: None,
        }
    }
}

/// Where a blob stands.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// A file, by its path below the target, `/`-separated.
    File {
        /// The path.
        path: &'a [u8],
    },
    /// An object of the git database; paths and commits are looked up when it has findings.
    Object {
        /// Its id.
        id: ObjectId,
        /// Its kind.
        kind: Kind,
    },
    /// A file of the index.
    Staged {
        /// Path from the root of the work tree.
        path: &'a [u8],
        /// Id of the staged blob.
        id: ObjectId,
    },
    /// Something that a commit of a range brought.
    Commit {
        /// The commit.
        commit: CommitPoint,
        /// Path of the file, `None` for the commit's message.
        path: Option<&'a [u8]>,
        /// Id of the blob or commit.
        id: ObjectId,
        /// Whether the tree at `HEAD` still has it there.
        in_head: bool,
    },
    /// Standard input.
    Stdin,
}

/// Where a chunk begins in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Bytes before it.
    pub offset: usize,
    /// Line ends before it.
    pub lines: u32,
    /// Characters before it on its first line.
    pub columns: u32,
    /// Whether the file goes on behind it.
    pub goes_on: bool,
}

/// A mistake in the request: the source cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The target does not exist or cannot be opened.
    #[error("{}: cannot be scanned", path.display())]
    Open {
        /// The target.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A git repository is needed.
    #[error("{}: not a git repository; --staged, --range and --history-only need one", path.display())]
    NotARepository {
        /// The target.
        path: PathBuf,
    },
    /// A revision that the repository does not have.
    #[error(
        "`{revision}`: no such commit here; in a shallow clone fetch it first (actions/checkout: `fetch-depth: 0`)"
    )]
    Revision {
        /// As given.
        revision: String,
    },
    /// The repository could not be read.
    #[error("{}: {message}", path.display())]
    Git {
        /// The repository.
        path: PathBuf,
        /// What git2 or the reader says.
        message: String,
    },
}
