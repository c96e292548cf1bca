//! Trouble with one thing that does not stop the rest.

use std::fmt;
use std::sync::Mutex;

/// What a diagnostic means for the result.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DiagnosticKind {
    /// Something was not scanned: the exit code says incomplete.
    Incomplete,
    /// Worth knowing; all was scanned.
    Warning,
}

/// One message: what it is about and what to do, lower case, no full stop.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Diagnostic {
    /// What it means for the result.
    pub kind: DiagnosticKind,
    /// The file, object or ref it is about, safe to print.
    pub subject: String,
    /// What happened and the next step, safe to print.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.message)
    }
}

/// Collects diagnostics from all threads.
#[derive(Debug, Default)]
pub struct Diagnostics(Mutex<Vec<Diagnostic>>);

impl Diagnostics {
    /// No diagnostics.
    pub fn new() -> Self {
        Self::default()
    }

    /// Something was not scanned.
    pub fn incomplete(&self, subject: impl fmt::Display, message: impl fmt::Display) {
        self.push(DiagnosticKind::Incomplete, subject, message);
    }

    /// Worth knowing; all was scanned.
    pub fn warning(&self, subject: impl fmt::Display, message: impl fmt::Display) {
        self.push(DiagnosticKind::Warning, subject, message);
    }

    /// Adds what was told elsewhere.
    pub fn extend(&self, told: impl IntoIterator<Item = Diagnostic>) {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .extend(told);
    }

    /// All of them, sorted, each once.
    pub fn into_sorted(self) -> Vec<Diagnostic> {
        let mut all = self
            .0
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        all.sort();
        all.dedup();
        all
    }

    fn push(&self, kind: DiagnosticKind, subject: impl fmt::Display, message: impl fmt::Display) {
        let diagnostic = Diagnostic {
            kind,
            subject: super::printable(&subject.to_string()),
            message: super::printable(&message.to_string()),
        };
        let mut all = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        all.push(diagnostic);
    }
}
