//! What can go wrong with a repository, and with one object of it.

use std::io;
use std::path::PathBuf;

use crate::model::ObjectId;

/// A repository, or an object asked for by name, that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// A file that must be there cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The place holds no repository.
    #[error("{}: not a git repository", path.display())]
    NotARepository {
        /// The place asked for.
        path: PathBuf,
    },
    /// A `.git` file that names no git directory.
    #[error("{}: the .git file names no git directory", path.display())]
    GitFile {
        /// The `.git` file.
        path: PathBuf,
    },
    /// Object ids that are not SHA-1.
    #[error(
        "{}: the repository has {format} object ids, only sha1 ones can be read; use --no-history",
        path.display()
    )]
    ObjectFormat {
        /// The git directory.
        path: PathBuf,
        /// The name of the format, safe to print.
        format: String,
    },
    /// An object that is there and cannot be read.
    #[error("object {id} in {place}")]
    Object {
        /// The object.
        id: ObjectId,
        /// The pack or directory that holds it, safe to print.
        place: String,
        /// What is wrong with it.
        #[source]
        source: ObjectError,
    },
}

/// Why one object cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The file ends inside the object.
    #[error("is cut off")]
    Truncated,
    /// The index places the object outside of its pack.
    #[error("is listed at a place outside of the pack")]
    Offset,
    /// The packed bytes do not match the checksum in the index.
    #[error("does not match its checksum")]
    Checksum,
    /// The header cannot be read.
    #[error("has a damaged header")]
    Header,
    /// The compressed bytes are damaged.
    #[error("has damaged compressed data")]
    Inflate,
    /// The bytes are more or fewer than the header says.
    #[error("has not the size that its header says")]
    Size,
    /// Larger than the limit on one object.
    #[error("has {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Size by its header.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The delta instructions are damaged or fit another base.
    #[error("is a damaged delta")]
    Delta,
    /// The delta's base lies at a place where no object starts.
    #[error("is a delta of offset {0}, where no object starts")]
    BaseOffset(u64),
    /// The delta's base is in no pack and not loose.
    #[error("is a delta of {0}, which is missing")]
    MissingBase(ObjectId),
    /// The delta's base cannot be read either.
    #[error("is a delta of {0}, which cannot be read")]
    BadBase(ObjectId),
    /// A chain of deltas that does not end.
    #[error("is part of a delta chain that does not end")]
    Cycle,
    /// Rebuilding its delta tree would hold too many bytes at once.
    #[error("is part of a delta tree that needs too much memory")]
    Memory,
    /// The operating system failed to read it.
    #[error("cannot be read: {0}")]
    Io(io::ErrorKind),
}
