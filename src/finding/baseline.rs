//! The baseline: findings that are known and accepted.
//!
//! A text file, one finding a line, sorted by id: no line numbers and no dates, so that two
//! branches that both grow it merge cleanly, and no value.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::detector::DetectorSet;
use crate::model::{FindingId, printable_bytes};

use super::Finding;

/// Accepted findings by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(BTreeMap<FindingId, Entry>);

/// What the file says of one finding, for people; only the id decides.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    detector: String,
    path: String,
    reason: Option<String>,
}

/// A line that is not an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct BaselineError {
    /// 1-based.
    pub line: usize,
    /// What is wrong with it.
    pub message: &'static str,
}

const HEAD: &str = "\
# straykey baseline v1: accepted findings, one a line, sorted by id.
# id<TAB>detector<TAB>path[<TAB>-- reason]; only the id decides. Reasons are yours to add.
";

impl Baseline {
    /// Reads a baseline file.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let mut entries = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let wrong = |message| BaselineError {
                line: number + 1,
                message,
            };
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>") || line == "=======" {
                return Err(wrong("a merge conflict: keep the lines of both sides"));
            }
            let mut fields = line.split('\t');
            let id = fields.next().unwrap_or_default();
            let known = ["v1-", "p1-", "k1-"]
                .iter()
                .any(|scheme| id.starts_with(scheme));
            if !known {
                return Err(wrong("an id (v1-…, p1-… or k1-…) is expected at the start"));
            }
            let detector = fields
                .next()
                .ok_or_else(|| wrong("the detector is missing"))?;
            let path = fields.next().unwrap_or_default();
            let reason = fields
                .next()
                .map(|reason| reason.trim_start_matches("--").trim());
            let entry = Entry {
                detector: detector.to_owned(),
                path: path.to_owned(),
                reason: reason
                    .filter(|reason| !reason.is_empty())
                    .map(str::to_owned),
            };
            entries.insert(FindingId::new(id), entry);
        }
        Ok(Self(entries))
    }

    /// Accepts `findings`; entries that are there already keep their reason.
    pub fn accept<'f>(
        &mut self,
        findings: impl IntoIterator<Item = &'f Finding>,
        detectors: &DetectorSet,
    ) {
        for finding in findings {
            let path = finding
                .occurrences
                .iter()
                .find_map(|seen| seen.path.as_deref());
            let path = printable_bytes(path.unwrap_or_default());
            let entry = self.0.entry(finding.id.clone()).or_insert_with(|| Entry {
                detector: String::new(),
                path: String::new(),
                reason: None,
            });
            entry.detector = detectors.get(finding.detector).id.to_string();
            entry.path = path;
        }
    }

    /// Drops entries that are in none of `findings`; returns how many.
    pub fn retain_only<'f>(&mut self, findings: impl IntoIterator<Item = &'f Finding>) -> usize {
        let known: std::collections::BTreeSet<_> = findings.into_iter().map(|f| &f.id).collect();
        let before = self.0.len();
        self.0.retain(|id, _| known.contains(id));
        before - self.0.len()
    }

    /// Whether `id` is accepted, and the reason given.
    pub fn get(&self, id: &FindingId) -> Option<Option<&str>> {
        self.0.get(id).map(|entry| entry.reason.as_deref())
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The file's text.
    pub fn render(&self) -> String {
        let mut text = String::from(HEAD);
        for (id, entry) in &self.0 {
            let path = entry.path.replace('\t', " ");
            write!(text, "{id}\t{}\t{path}", entry.detector).expect("a String takes all");
            if let Some(reason) = &entry.reason {
                write!(text, "\t-- {reason}").expect("a String takes all");
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_writes_and_sorts() {
        let text = format!(
            "{HEAD}p1-b\tgeneric-password\tb.env\nv1-a\tgithub-pat\ta.env\t-- a test key\n"
        );
        let baseline = Baseline::parse(&text).expect("valid");
        assert_eq!(baseline.render(), text);
        assert_eq!(
            baseline.get(&FindingId::new("v1-a")),
            Some(Some("a test key"))
        );
        assert_eq!(baseline.get(&FindingId::new("p1-b")), Some(None));
        assert_eq!(baseline.get(&FindingId::new("v1-c")), None);
    }

    #[test]
    fn a_merge_conflict_and_a_foreign_line_are_named() {
        let conflict = Baseline::parse("<<<<<<< HEAD\nv1-a\tx\ty\n").expect_err("conflict");
        assert_eq!(conflict.line, 1);
        let foreign = Baseline::parse("v1-a\tx\ty\n{\"a\": 1}\n").expect_err("foreign");
        assert_eq!(foreign.line, 2);
    }
}
