//! The records that `json` and `jsonl` share: version 1 of `docs/report-schema.md`.
//!
//! Keys are always there, `null` where nothing is known, so that a table can be made of them; the
//! exceptions, named in the schema, only add what a printable text cannot say.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Serialize;

use super::{RenderOptions, words};
use crate::detector::{Detector, DetectorSet};
use crate::finding::{Finding, Suppression, SuppressionSource};
use crate::model::{
    Diagnostic, DiagnosticKind, Liveness, Occurrence, Part, Reason, Secret, printable,
    printable_bytes,
};

/// What every record says of its finding.
#[derive(Serialize)]
pub(super) struct Head<'a> {
    id: &'a str,
    detector: &'a str,
    name: &'a str,
    provider: &'a str,
    severity: &'static str,
    confidence: &'static str,
    proof: &'static str,
    lifetime: &'static str,
    mints_trust: &'static str,
    expires_at: Option<String>,
    liveness: Option<LivenessRecord<'a>>,
}

/// Whether it works.
#[derive(Serialize)]
struct LivenessRecord<'a> {
    outcome: &'static str,
    reason: Option<&'static str>,
    via: Option<&'a str>,
    host: Option<String>,
    identity: BTreeMap<&'a str, String>,
}

impl<'a> LivenessRecord<'a> {
    fn new(liveness: &'a Liveness) -> Self {
        let said = liveness.identity.iter();
        Self {
            outcome: liveness.outcome.as_str(),
            reason: liveness.outcome.reason().map(Reason::as_str),
            via: liveness.verifier.as_deref(),
            host: liveness.host.as_deref().map(printable),
            identity: said
                .map(|(field, text)| (field.as_str(), printable(text)))
                .collect(),
        }
    }
}

impl<'a> Head<'a> {
    /// Of `finding`.
    pub(super) fn new(finding: &'a Finding, detector: &'a Detector) -> Self {
        Self {
            id: finding.id.as_str(),
            detector: &detector.id,
            name: &detector.name,
            provider: &detector.provider,
            severity: finding.severity.as_str(),
            confidence: finding.confidence.as_str(),
            proof: finding.proof.as_str(),
            lifetime: finding.lifetime.as_str(),
            mints_trust: finding.mints_trust.as_str(),
            expires_at: finding.proof.ends_at().and_then(words::rfc3339),
            liveness: finding.liveness.as_ref().map(LivenessRecord::new),
        }
    }
}

/// One place of a finding.
#[derive(Serialize)]
pub(super) struct Place {
    source: &'static str,
    role: &'static str,
    root: Option<String>,
    #[serde(flatten)]
    path: Path,
    other_paths: Vec<Path>,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    reachability: Option<&'static str>,
    in_head: bool,
    commit: Option<String>,
    introduced_at: Option<String>,
    removed_in: Option<String>,
    removed_at: Option<String>,
    blob: Option<String>,
    key: Option<String>,
    decoding: Vec<&'static str>,
    parts: Vec<PartRecord>,
    redacted: String,
    #[serde(flatten)]
    clear: Clear,
}

impl Place {
    /// Of `occurrence`.
    pub(super) fn new(occurrence: &Occurrence, options: &RenderOptions) -> Self {
        let location = occurrence.location;
        let (introduced, removed) = (occurrence.introduced, occurrence.removed);
        Self {
            source: occurrence.source.as_str(),
            role: occurrence.role.as_str(),
            root: occurrence.root.as_deref().map(printable),
            path: Path::new(occurrence.path.as_deref()),
            other_paths: occurrence
                .other_paths
                .iter()
                .map(|path| Path::new(Some(path)))
                .collect(),
            line: location.line,
            column: location.column,
            end_line: location.end_line,
            end_column: location.end_column,
            reachability: occurrence.reachability.map(|reach| reach.as_str()),
            in_head: occurrence.in_head,
            commit: introduced.map(|point| point.id.to_string()),
            introduced_at: introduced.and_then(|point| words::rfc3339(point.time)),
            removed_in: removed.map(|point| point.id.to_string()),
            removed_at: removed.and_then(|point| words::rfc3339(point.time)),
            blob: occurrence.object.map(|id| id.to_string()),
            key: occurrence.key.as_deref().map(printable),
            decoding: occurrence.decoding.iter().map(|it| it.as_str()).collect(),
            parts: occurrence
                .parts
                .iter()
                .map(|part| PartRecord::new(part, options))
                .collect(),
            redacted: occurrence.secret.redacted(),
            clear: Clear::new(&occurrence.secret, options),
        }
    }
}

/// What belongs to the secret.
#[derive(Serialize)]
struct PartRecord {
    name: String,
    value: Option<String>,
    redacted: String,
    line: u32,
    distance: u32,
}

impl PartRecord {
    fn new(part: &Part, options: &RenderOptions) -> Self {
        let clear = part.shown || options.show_secrets;
        Self {
            name: part.name.to_string(),
            value: clear.then(|| printable_bytes(part.value.expose())),
            redacted: part.safe(),
            line: part.line,
            distance: part.distance,
        }
    }
}

/// A path: its printable text, and its bytes when the text is not exactly them.
#[derive(Serialize)]
struct Path {
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_base64: Option<String>,
}

impl Path {
    fn new(path: Option<&[u8]>) -> Self {
        let text = path.map(printable_bytes);
        let exact = text.as_ref().map(String::as_bytes) == path;
        Self {
            path: text,
            path_base64: path.filter(|_| !exact).map(|path| BASE64.encode(path)),
        }
    }
}

/// The secret itself, when it was asked for.
#[derive(Serialize)]
struct Clear {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_base64: Option<String>,
}

impl Clear {
    fn new(secret: &Secret, options: &RenderOptions) -> Self {
        let bytes = options.show_secrets.then(|| secret.expose());
        let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        Self {
            secret: text.map(str::to_owned),
            secret_base64: bytes
                .filter(|_| text.is_none())
                .map(|bytes| BASE64.encode(bytes)),
        }
    }
}

/// A finding with what to do and all its places.
#[derive(Serialize)]
pub(super) struct FindingRecord<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    provider_name: &'a str,
    description: &'a str,
    reasons: Vec<String>,
    remediation: &'a str,
    rotate: Option<&'a str>,
    owasp_nhi: Vec<String>,
    cwe: &'a [u16],
    suppression: Option<SuppressionRecord>,
    occurrences: Vec<Place>,
}

impl<'a> FindingRecord<'a> {
    /// Of `finding`.
    pub(super) fn new(
        finding: &'a Finding,
        detectors: &'a DetectorSet,
        options: &RenderOptions,
    ) -> Self {
        let detector = detectors.get(finding.detector);
        let nhi = detector.owasp_nhi.iter();
        Self {
            head: Head::new(finding, detector),
            provider_name: &detector.provider_name,
            description: &detector.description,
            reasons: words::why(finding),
            remediation: &detector.remediation,
            rotate: detector.rotate.as_deref(),
            owasp_nhi: nhi.map(|n| format!("NHI{n}:2025")).collect(),
            cwe: &detector.cwe,
            suppression: finding.suppression.as_ref().map(SuppressionRecord::new),
            occurrences: finding
                .occurrences
                .iter()
                .map(|occurrence| Place::new(occurrence, options))
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct SuppressionRecord {
    source: &'static str,
    name: Option<String>,
    reason: Option<String>,
}

impl SuppressionRecord {
    fn new(suppression: &Suppression) -> Self {
        let name = match &suppression.source {
            SuppressionSource::Inline(name) | SuppressionSource::IgnoreFile(name) => Some(name),
            SuppressionSource::Baseline | SuppressionSource::Config => None,
        };
        Self {
            source: suppression.source.as_str(),
            name: name.map(|name| printable(name)),
            reason: suppression.reason.as_deref().map(printable),
        }
    }
}

/// What went wrong with one thing.
#[derive(Serialize)]
pub(super) struct DiagnosticRecord {
    kind: &'static str,
    subject: String,
    message: String,
}

impl DiagnosticRecord {
    /// Of `diagnostic`.
    pub(super) fn new(diagnostic: &Diagnostic) -> Self {
        Self {
            kind: match diagnostic.kind {
                DiagnosticKind::Incomplete => "incomplete",
                DiagnosticKind::Warning => "warning",
            },
            subject: printable(&diagnostic.subject),
            message: printable(&diagnostic.message),
        }
    }
}
