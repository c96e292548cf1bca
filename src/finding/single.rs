//! A finding of a secret that nobody scanned for: it was given.

use super::{Finding, fingerprint};
use crate::detector::{Detector, DetectorSet};
use crate::model::{
    Confidence, DetectorIndex, Location, Occurrence, Part, Proof, Role, Secret, SourceKind, Span,
};

/// The finding of `secret`, which is of the kind `detector`, with `parts` beside it.
pub fn single(
    detectors: &DetectorSet,
    detector: DetectorIndex,
    secret: Secret,
    parts: Vec<Part>,
) -> Finding {
    let index = detector;
    let detector: &Detector = detectors.get(index);
    let occurrence = Occurrence {
        source: SourceKind::Stdin,
        role: Role::File,
        root: None,
        path: None,
        other_paths: Vec::new(),
        location: Location {
            line: 1,
            column: 1,
            end_line: 1,
            end_column: 1,
        },
        span: Span::new(0, secret.len()),
        object: None,
        reachability: None,
        in_head: false,
        introduced: None,
        removed: None,
        secret: secret.clone(),
        decoding: Vec::new(),
        key: None,
        parts,
        line_hash: None,
    };
    Finding {
        id: fingerprint::of_value(&detector.id, secret.expose()),
        detector: index,
        severity: detector.severity,
        confidence: Confidence::High,
        lifetime: detector.lifetime,
        mints_trust: detector.mints_trust,
        proof: Proof::None,
        reasons: vec!["it was given as one".into()],
        secret,
        reachability: None,
        in_head: true,
        introduced: None,
        removed: None,
        occurrences: vec![occurrence],
        liveness: None,
        suppression: None,
    }
}
