//! Which findings become results of which run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::uri;
use crate::finding::Finding;
use crate::model::{Confidence, DetectorIndex, FindingId, Occurrence, Severity};
use crate::report::{RenderOptions, Report, place};

/// Results that code scanning shows of a run; it drops the rest.
pub(super) const MAX_RESULTS: usize = 5000;

/// The two kinds of run. A secret is in one of them: in the tree's if any file of now has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scope {
    /// Files as they are now.
    Tree,
    /// What only history has.
    History,
}

/// What becomes one result: the secrets of one kind on one line.
pub(super) struct Entry<'a> {
    /// The worst finding.
    pub(super) finding: &'a Finding,
    /// Its place.
    pub(super) occurrence: &'a Occurrence,
    /// Where that is.
    pub(super) uri: String,
    /// All secrets here: finding and column.
    pub(super) secrets: BTreeSet<(&'a FindingId, u32)>,
}

/// The results of a run, worst first.
pub(super) struct Entries<'a> {
    /// At most [`MAX_RESULTS`].
    pub(super) kept: Vec<Entry<'a>>,
    /// How many more there were.
    pub(super) cut: usize,
    /// The lines that each finding is on.
    spots: BTreeMap<&'a FindingId, Vec<Spot<'a>>>,
}

impl<'a> Entries<'a> {
    /// The other lines with one of the secrets of `entry`, each once.
    pub(super) fn other_spots(&self, entry: &Entry<'a>) -> Vec<&Spot<'a>> {
        let mut seen = BTreeSet::from([(entry.uri.as_str(), entry.occurrence.location.line)]);
        let ids: BTreeSet<_> = entry.secrets.iter().map(|&(id, _)| id).collect();
        let spots = ids.into_iter().filter_map(|id| self.spots.get(id));
        spots
            .flatten()
            .filter(|spot| seen.insert((&spot.uri, spot.occurrence.location.line)))
            .collect()
    }
}

/// One line that a finding is on.
pub(super) struct Spot<'a> {
    /// The file.
    pub(super) uri: String,
    /// The first place on the line.
    pub(super) occurrence: &'a Occurrence,
}

/// Collects the results of `scope`.
pub(super) fn collect<'a>(
    report: &'a Report,
    options: &RenderOptions,
    scope: Scope,
) -> Entries<'a> {
    let suppressed: &[Finding] = match options.sarif_suppressed {
        true => &report.suppressed,
        false => &[],
    };
    let mut lines: BTreeMap<Line, Entry<'a>> = BTreeMap::new();
    let mut spots = BTreeMap::new();
    for finding in report.findings.iter().chain(suppressed) {
        let mut seen = BTreeSet::new();
        let of_finding: &mut Vec<_> = spots.entry(&finding.id).or_default();
        for occurrence in places(finding, scope) {
            let uri = uri::of(occurrence);
            enter(&mut lines, finding, occurrence, &uri);
            if seen.insert((uri.clone(), occurrence.location.line)) {
                of_finding.push(Spot { uri, occurrence });
            }
        }
    }
    // The map's order is the stable key; the sort keeps it among equals.
    let mut kept: Vec<_> = lines.into_values().collect();
    kept.sort_by_key(|entry| {
        let (severity, confidence, _) = rank(entry.finding);
        (entry.finding.suppression.is_some(), severity, confidence)
    });
    let cut = kept.len().saturating_sub(MAX_RESULTS);
    kept.truncate(MAX_RESULTS);
    Entries { kept, cut, spots }
}

/// How many findings that count are in no file of now.
pub(super) fn only_in_history(report: &Report) -> usize {
    let is_past = |finding: &&Finding| !finding.occurrences.iter().any(place::is_current);
    report.findings.iter().filter(is_past).count()
}

fn enter<'a>(
    lines: &mut BTreeMap<Line, Entry<'a>>,
    finding: &'a Finding,
    occurrence: &'a Occurrence,
    uri: &str,
) {
    let line = Line {
        suppressed: finding.suppression.is_some(),
        detector: finding.detector,
        uri: uri.to_owned(),
        line: occurrence.location.line,
    };
    let entry = lines.entry(line).or_insert_with(|| Entry {
        finding,
        occurrence,
        uri: uri.to_owned(),
        secrets: BTreeSet::new(),
    });
    let column = occurrence.location.column;
    entry.secrets.insert((&finding.id, column));
    if rank(finding) < rank(entry.finding) {
        (entry.finding, entry.occurrence) = (finding, occurrence);
    }
}

/// What code scanning takes for one alert: a rule on a line.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    suppressed: bool,
    detector: DetectorIndex,
    uri: String,
    line: u32,
}

/// In the tree every place is a result; in history the first one stands for the secret.
fn places(finding: &Finding, scope: Scope) -> Vec<&Occurrence> {
    let all = finding.occurrences.iter();
    let current: Vec<_> = all.filter(|it| place::is_current(it)).collect();
    match scope {
        Scope::Tree => current,
        Scope::History if current.is_empty() => finding.occurrences.iter().take(1).collect(),
        Scope::History => Vec::new(),
    }
}

type Rank<'a> = (Reverse<Severity>, Reverse<Confidence>, &'a FindingId);

fn rank(finding: &Finding) -> Rank<'_> {
    let (severity, confidence) = (finding.severity, finding.confidence);
    (Reverse(severity), Reverse(confidence), &finding.id)
}
