//! From matches to findings: ids, grouping, and what silences them.

mod baseline;
pub mod fingerprint;
mod group;
mod ignore_file;
mod inline;
mod line_hash;
mod parts;
pub mod place;
mod single;
mod suppress;

pub use baseline::{Baseline, BaselineError};
pub use group::{Grouping, RawFinding, group, sort};
pub use ignore_file::{IGNORE_FILES, IgnoreFile};
pub use inline::{Markers, suppression as inline_suppression};
pub use line_hash::{line_hash, line_hashes};
pub use parts::hide_secret_parts;
pub use single::single;
pub use suppress::{Allow, Allowances};

use crate::model::{
    CommitPoint, Confidence, DetectorIndex, FindingId, Lifetime, Liveness, MintsTrust, Occurrence,
    Proof, Reachability, Secret, Severity,
};

/// A secret that strayed: one value (or one structural place, for values that could be guessed)
/// with all its occurrences.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Equal on every machine (ADR 0002).
    pub id: FindingId,
    /// The kind of secret, in the report's detector set.
    pub detector: DetectorIndex,
    /// How bad if real, after what proof and place say.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// Whether it creates further credentials.
    pub mints_trust: MintsTrust,
    /// What was proved offline.
    pub proof: Proof,
    /// Why we believe it, for people, most telling first; never a part of the secret.
    pub reasons: Vec<String>,
    /// The value of the first occurrence.
    pub secret: Secret,
    /// The best way in which git reaches it; `None` outside a repository.
    pub reachability: Option<Reachability>,
    /// Whether it is in the scanned tree, or in the tree at `HEAD`.
    pub in_head: bool,
    /// The first commit that has it.
    pub introduced: Option<CommitPoint>,
    /// The commit that took it away, when it is gone from `HEAD`.
    pub removed: Option<CommitPoint>,
    /// Where it was seen, sorted by the total order of reports; never empty.
    pub occurrences: Vec<Occurrence>,
    /// Whether it works, when that was to be found out.
    pub liveness: Option<Liveness>,
    /// What silences it, if anything.
    pub suppression: Option<Suppression>,
}

/// What silences a finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Suppression {
    /// Which mechanism.
    pub source: SuppressionSource,
    /// The reason given with it.
    pub reason: Option<String>,
}

/// The mechanisms that silence findings.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SuppressionSource {
    /// A comment beside the secret, with the marker's name: `straykey:ignore`.
    Inline(String),
    /// The baseline file.
    Baseline,
    /// An `[[allow]]` table of `straykey.toml`.
    Config,
    /// Another scanner's ignore file, with its name: `.gitleaksignore`.
    IgnoreFile(String),
}

impl SuppressionSource {
    /// The name used in counts: `inline`, `baseline`, `config`, `ignore-file`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Inline(_) => "inline",
            Self::Baseline => "baseline",
            Self::Config => "config",
            Self::IgnoreFile(_) => "ignore-file",
        }
    }
}
