//! Report formats. Each is one file and one line in [`FORMATS`]; help and docs derive from it.

mod github;
mod json;
mod jsonl;
mod markdown;
mod place;
mod record;
mod sarif;
mod text;
mod words;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use crate::detector::DetectorSet;
use crate::finding::Finding;
use crate::model::{Diagnostic, Occurrence, RepositoryInfo, Stats};

/// All that a scan found, sorted by a total order. Plain data: the formats add nothing to it.
#[derive(Clone, Debug)]
pub struct Report {
    /// The detectors that the findings' indexes point into.
    pub detectors: Arc<DetectorSet>,
    /// Findings that count, worst first.
    pub findings: Vec<Finding>,
    /// Findings that something silences, in the same order.
    pub suppressed: Vec<Finding>,
    /// What went wrong on the way, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// Counts for the last line.
    pub stats: Stats,
    /// The repository, when there is one; of several the first that was named.
    pub repository: Option<RepositoryInfo>,
    /// All repositories by their names, when paths count from several roots.
    pub repositories: Vec<(Arc<str>, RepositoryInfo)>,
    /// Those paths of history occurrences, each below its root, at which the tree at `HEAD` has no file. A path that is
    /// missing here is taken to have one, and SARIF then points at its first line only, not at
    /// text that is no longer there.
    pub gone_paths: BTreeSet<(Option<Arc<str>>, Vec<u8>)>,
}

/// How a report is rendered.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenderOptions {
    /// Print secrets in clear (text, json and jsonl only).
    pub show_secrets: bool,
    /// Colour and links for a terminal.
    pub colour: bool,
    /// SARIF: add a run with what is only in history.
    pub sarif_history: bool,
    /// SARIF: add suppressed findings with their suppression.
    pub sarif_suppressed: bool,
}

impl Report {
    /// The repository that an occurrence is in, as far as that is known.
    fn repository_of(&self, occurrence: &Occurrence) -> Option<&RepositoryInfo> {
        let Some(root) = &occurrence.root else {
            return self.repository.as_ref();
        };
        let mut all = self.repositories.iter();
        all.find_map(|(name, info)| (name == root).then_some(info))
    }

    /// Whether everything that was asked for was scanned.
    pub fn is_complete(&self) -> bool {
        use crate::model::DiagnosticKind::Incomplete;
        !self
            .diagnostics
            .iter()
            .any(|diagnostic| diagnostic.kind == Incomplete)
    }
}

/// A report format.
pub trait Format: Sync {
    /// The word after `--format`.
    fn name(&self) -> &'static str;
    /// One line for `--help`.
    fn about(&self) -> &'static str;
    /// Renders `report`.
    fn write(
        &self,
        report: &Report,
        options: &RenderOptions,
        out: &mut dyn io::Write,
    ) -> io::Result<()>;
}

/// All formats.
pub const FORMATS: &[&dyn Format] = &[
    &text::Text,
    &json::Json,
    &jsonl::Jsonl,
    &sarif::Sarif,
    &github::Github,
    &markdown::Markdown,
];

/// The format called `name`.
pub fn format(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}
