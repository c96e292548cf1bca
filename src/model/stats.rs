//! What a scan read, and of which repository.

use std::time::Duration;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Files of trees, staged blobs and standard input.
    pub files: u64,
    /// Objects of the git database.
    pub objects: u64,
    /// Bytes scanned, in bytes.
    pub bytes: u64,
    /// Objects among them that an earlier scan had read; shown on terminals, never part of a file
    /// report, which says the same with and without a state.
    pub known: u64,
    /// Findings left out because they are less sure than was asked for.
    pub below_confidence: u64,
    /// Wall time; shown on terminals, never part of a file report, which stays reproducible.
    pub elapsed: Duration,
}

/// What reports say of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryInfo {
    /// URL of `remote.origin`, without user and password.
    pub url: Option<String>,
    /// The commit at `HEAD`, in hexadecimal.
    pub head: Option<String>,
    /// The branch at `HEAD`.
    pub branch: Option<String>,
}
