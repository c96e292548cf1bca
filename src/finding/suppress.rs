//! Applies the baseline, the `[[allow]]` tables of the configuration, and what other scanners
//! accept.

use globset::GlobSet;
use regex_automata::meta::Regex;

use crate::detector::DetectorSet;

use super::{Baseline, Finding, IgnoreFile, Suppression, SuppressionSource};

/// An `[[allow]]` table: all that it names must hold.
#[derive(Clone, Debug)]
pub struct Allow {
    /// Detector ids; empty means any.
    pub detectors: Vec<String>,
    /// Paths; `None` means any.
    pub paths: Option<GlobSet>,
    /// Patterns of the secret's value; empty means any.
    pub values: Vec<Regex>,
    /// Why it is allowed.
    pub reason: String,
}

/// What silences findings besides comments.
#[derive(Clone, Debug, Default)]
pub struct Allowances {
    /// Accepted findings.
    pub baseline: Baseline,
    /// Allowed kinds, paths and values.
    pub allow: Vec<Allow>,
    /// Files of other scanners.
    pub ignore_files: Vec<IgnoreFile>,
}

impl Allowances {
    /// What silences `finding`, if anything: the configuration when it covers every occurrence,
    /// else the baseline, else a file of another scanner.
    pub fn suppression(&self, finding: &Finding, detectors: &DetectorSet) -> Option<Suppression> {
        let detector = detectors.get(finding.detector);
        let id = &detector.id;
        let allowed = self.allow.iter().find(|allow| allow.covers(finding, id));
        if let Some(allow) = allowed {
            return Some(Suppression {
                source: SuppressionSource::Config,
                reason: Some(allow.reason.clone()),
            });
        }
        if let Some(reason) = self.baseline.get(&finding.id) {
            return Some(Suppression {
                source: SuppressionSource::Baseline,
                reason: reason.map(str::to_owned),
            });
        }
        let mut files = self.ignore_files.iter();
        files.find_map(|file| file.suppression(finding, detector))
    }
}

impl Allow {
    fn covers(&self, finding: &Finding, id: &str) -> bool {
        let detector = self.detectors.is_empty() || self.detectors.iter().any(|known| known == id);
        let path = |globs: &GlobSet| {
            finding.occurrences.iter().all(|seen| {
                let path = seen.path.as_deref().map(String::from_utf8_lossy);
                path.is_some_and(|path| globs.is_match(&*path))
            })
        };
        let value = |value: &[u8]| self.values.iter().any(|pattern| pattern.is_match(value));
        detector
            && self.paths.as_ref().is_none_or(path)
            && (self.values.is_empty()
                || finding
                    .occurrences
                    .iter()
                    .all(|seen| value(seen.secret.expose())))
    }
}
