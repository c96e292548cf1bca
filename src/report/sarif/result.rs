//! One entry as a SARIF result.
//!
//! No secret, no snippet and no author is ever put in: everybody with write access reads alerts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serde_sarif::sarif::{
    ArtifactLocation, Location, Message, PhysicalLocation, PropertyBag, Region,
    Result as SarifResult, ResultLevel, Suppression as SarifSuppression,
};

use super::collect::{Entry, Scope, Spot};
use super::taxonomy::{Taxon, Taxonomies};
use super::{SRCROOT, rule, uri};
use crate::detector::Detector;
use crate::finding::{Finding, Suppression, SuppressionSource};
use crate::model::{Confidence, Lifetime, Occurrence, Role, printable};
use crate::report::words::Level;
use crate::report::{Report, place, words};

/// Other places that a message links to.
const MAX_LINKS: usize = 10;

/// What the finding says beyond its rule.
pub(super) fn extra_taxa(finding: &Finding, detector: &Detector) -> Vec<Taxon> {
    let endures = matches!(finding.lifetime, Lifetime::Long | Lifetime::NonExpiring);
    let long_lived = Taxon::Nhi(7);
    match endures && !rule::taxa(detector).contains(&long_lived) {
        true => vec![long_lived],
        false => Vec::new(),
    }
}

/// The result of `entry`, whose rule stands at `rule_index` and whose secrets are on the lines
/// `others` too.
pub(super) fn result(
    report: &Report,
    entry: &Entry<'_>,
    others: &[&Spot<'_>],
    scope: Scope,
    rule_index: usize,
    taxonomies: &Taxonomies,
) -> SarifResult {
    let Entry {
        finding,
        occurrence,
        ..
    } = *entry;
    let detector = report.detectors.get(finding.detector);
    let mut result = SarifResult::builder()
        .message(message(report, entry, scope, others.len()))
        .rule_id(detector.id.as_ref())
        .rule_index(rule_index as i64)
        .level(level(Level::of_finding(finding)))
        .rank(certainty(finding.confidence))
        .locations(vec![physical(
            &entry.uri,
            region(report, occurrence, scope),
        )])
        .partial_fingerprints(fingerprints(entry))
        .properties(properties(entry, scope))
        .build();
    let taxa = extra_taxa(finding, detector);
    if !taxa.is_empty() {
        result.taxa = Some(taxa.iter().map(|&it| taxonomies.reference(it)).collect());
    }
    if !others.is_empty() {
        result.related_locations = Some(related(others));
    }
    if let Some(suppression) = &finding.suppression {
        result.suppressions = Some(vec![suppressed(suppression)]);
    }
    result
}

fn level(level: Level) -> ResultLevel {
    match level {
        Level::Note => ResultLevel::Note,
        Level::Warning => ResultLevel::Warning,
        Level::Error => ResultLevel::Error,
    }
}

fn certainty(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::Low => 20.0,
        Confidence::Medium => 50.0,
        Confidence::High => 80.0,
        Confidence::Certain => 95.0,
    }
}

/// The other lines with the same secret, numbered from 1 for links.
fn related(spots: &[&Spot<'_>]) -> Vec<Location> {
    let location = |(id, spot): (i64, &&Spot<'_>)| {
        let mut location = physical(&spot.uri, Some(span(spot.occurrence)));
        location.id = Some(id);
        location.message = Some(said("The same secret."));
        location
    };
    (1..).zip(spots).take(MAX_LINKS).map(location).collect()
}

fn physical(uri: &str, region: Option<Region>) -> Location {
    let absolute = uri::is_absolute(uri);
    Location {
        physical_location: Some(PhysicalLocation {
            artifact_location: Some(ArtifactLocation {
                uri: Some(uri.to_owned()),
                uri_base_id: (!absolute).then(|| SRCROOT.to_owned()),
                ..Default::default()
            }),
            region,
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Where to point. A history result whose path still has a file at `HEAD` points at that file's
/// very beginning: its own lines are those of another text.
fn region(report: &Report, occurrence: &Occurrence, scope: Scope) -> Option<Region> {
    let is_gone = |path: &Vec<u8>| {
        let place = (occurrence.root.clone(), path.clone());
        report.gone_paths.contains(&place)
    };
    let path = occurrence.path.as_ref();
    let is_there = occurrence.role == Role::File && path.is_some_and(|path| !is_gone(path));
    match scope == Scope::History && is_there {
        true => Some(Region {
            start_line: Some(1),
            start_column: Some(1),
            end_line: Some(1),
            end_column: Some(2),
            ..Default::default()
        }),
        false => Some(span(occurrence)),
    }
}

/// Lines and columns, which SARIF counts from 1 with an exclusive end, as we do.
fn span(occurrence: &Occurrence) -> Region {
    let location = occurrence.location;
    let (line, column) = (location.line.max(1), location.column.max(1));
    let end_line = location.end_line.max(line);
    let end_column = match end_line == line {
        true => location.end_column.max(column + 1),
        false => location.end_column.max(1),
    };
    Region {
        start_line: Some(line.into()),
        start_column: Some(column.into()),
        end_line: Some(end_line.into()),
        end_column: Some(end_column.into()),
        ..Default::default()
    }
}

/// Code scanning's hash of the line under its own key, our id under ours.
fn fingerprints(entry: &Entry<'_>) -> BTreeMap<String, String> {
    let id = entry.finding.id.to_string();
    let mut fingerprints = BTreeMap::from([("straykey/secretId/v1".to_owned(), id)]);
    if let Some(hash) = &entry.occurrence.line_hash {
        fingerprints.insert("primaryLocationLineHash".to_owned(), hash.clone());
    }
    fingerprints
}

fn message(report: &Report, entry: &Entry<'_>, scope: Scope, others: usize) -> Message {
    let finding = entry.finding;
    let detector = report.detectors.get(finding.detector);
    let name = printable(&detector.name);
    let redacted = finding.secret.redacted();
    let mut text = match scope {
        Scope::Tree => format!("{name} ({redacted})."),
        Scope::History => format!("{name} ({redacted}) in git history."),
    };
    let mut say = |sentence: String| {
        text.push(' ');
        text.push_str(&sentence);
    };
    if entry.secrets.len() > 1 {
        let n = entry.secrets.len();
        say(format!("This line holds {n} secrets of this kind."));
    }
    if let Some(liveness) = &finding.liveness {
        say(capitalised(&words::liveness(liveness)) + ".");
    }
    let why = std::iter::once(format!("confidence {}", finding.confidence));
    let why: Vec<_> = why.chain(words::why(finding)).collect();
    say(capitalised(&why.join("; ")) + ".");
    say(format!(
        "{}; {}.",
        capitalised(&words::life(finding)),
        words::mints_trust(finding.mints_trust)
    ));
    for sentence in history(report, entry, scope) {
        say(sentence);
    }
    // Brackets make links in SARIF messages; those of names and reasons must not.
    let mut text = text.replace('[', "(").replace(']', ")");
    if others > 0 {
        text.push(' ');
        text.push_str(&links(others));
    }
    said(text)
}

/// `Also [here](1) and [here](2), and in 3 more places.`
fn links(others: usize) -> String {
    let linked = others.min(MAX_LINKS);
    let links: Vec<_> = (1..=linked).map(|id| format!("[here]({id})")).collect();
    match others - linked {
        0 => format!("Also {}.", links.join(", ")),
        more => format!("Also {}, and in {more} more places.", links.join(", ")),
    }
}

fn history(report: &Report, entry: &Entry<'_>, scope: Scope) -> Vec<String> {
    let parts = place::history(entry.occurrence);
    let mut sentences = Vec::new();
    if !parts.is_empty() {
        sentences.push(capitalised(&parts.join(", ")) + ".");
    }
    let all = entry.finding.occurrences.iter();
    let in_history = match scope {
        Scope::Tree => all.filter(|it| !place::is_current(it)).count(),
        Scope::History => all.len().saturating_sub(1),
    };
    match in_history {
        0 => {}
        1 => sentences.push("History has it in 1 more place.".into()),
        more => sentences.push(format!("History has it in {more} more places.")),
    }
    if scope == Scope::History {
        sentences.push("Not in the files of HEAD: only revoking it closes this.".into());
        let repository = report.repository_of(entry.occurrence);
        let url = repository.and_then(|repository| repository.url.as_deref());
        if let Some(link) = url.and_then(|url| uri::permalink(url, entry.occurrence)) {
            sentences.push(format!("It was at {link} ."));
        }
    }
    sentences
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

fn said(text: impl Into<String>) -> Message {
    Message {
        text: Some(text.into()),
        ..Default::default()
    }
}

fn properties(entry: &Entry<'_>, scope: Scope) -> PropertyBag {
    let Entry {
        finding,
        occurrence,
        ..
    } = *entry;
    let mut bag = PropertyBag::default();
    let mut put = |key: &str, value: Value| {
        let key = format!("straykey/{key}");
        bag.additional_properties.insert(key, value);
    };
    put("severity", finding.severity.as_str().into());
    put("confidence", finding.confidence.as_str().into());
    put("proof", finding.proof.as_str().into());
    put("lifetime", finding.lifetime.as_str().into());
    put("mintsTrust", finding.mints_trust.as_str().into());
    if let Some(liveness) = &finding.liveness {
        put("liveness", liveness.outcome.as_str().into());
        if let Some(reason) = liveness.outcome.reason() {
            put("livenessReason", reason.as_str().into());
        }
    }
    if let Some(point) = occurrence.introduced {
        put("commit", point.id.to_string().into());
    }
    if let Some(object) = occurrence.object {
        put("blob", object.to_string().into());
    }
    if let Some(reachability) = occurrence.reachability {
        put("reachability", reachability.as_str().into());
    }
    if !occurrence.parts.is_empty() {
        let parts = words::nearest(&occurrence.parts);
        let parts = parts.map(|part| (part.name.to_string(), Value::from(part.safe())));
        put("parts", Value::Object(parts.collect()));
    }
    if scope == Scope::History {
        put("inHead", false.into());
        put("line", occurrence.location.line.into());
        if let Some(path) = place::file(occurrence) {
            put("path", path.into());
        }
    }
    let ids: BTreeSet<_> = entry.secrets.iter().map(|(id, _)| id.as_str()).collect();
    if ids.len() > 1 {
        put("secretIds", ids.into_iter().collect::<Vec<_>>().into());
    }
    bag
}

fn suppressed(suppression: &Suppression) -> SarifSuppression {
    let kind = match suppression.source {
        SuppressionSource::Inline(_) => "inSource",
        SuppressionSource::Baseline
        | SuppressionSource::Config
        | SuppressionSource::IgnoreFile(_) => "external",
    };
    let reason = suppression.reason.as_deref().map(printable);
    SarifSuppression::builder()
        .kind(kind)
        .status("accepted")
        .justification(reason.unwrap_or_else(|| suppression.source.as_str().to_owned()))
        .build()
}
