//! Decides whether a pattern hit is a secret, and how sure that is.

pub mod entropy;
mod feature;
pub mod guess;
pub mod model;
pub mod path;
pub mod placeholder;
pub mod proof;
pub mod reference;
mod stand_in;

use crate::detector::{Detector, ValueKind};
use crate::model::{Confidence, DetectorIndex, Match, Proof, Secret, Span};

use super::{extent, line_around};
use proof::Verdict;
pub(super) use stand_in::{is_all_caps, is_stand_in};

/// `{{x}}` inside: a text that something fills in.
pub(super) fn is_template(value: &[u8]) -> bool {
    let find = |pair: &[u8]| value.windows(2).position(|window| window == pair);
    find(b"{{").is_some_and(|open| find(b"}}").is_some_and(|close| open < close))
}

/// Proofs that tell something of a secret but hold for most random texts of its shape.
const INFORMS: &[&str] = &[
    "aws-account",
    "ethereum-address",
    "slack-ids",
    "stripe-mode",
    "telegram-bot",
];

/// Judges the hit of a pattern whose group `secret` stands at `secret`; `None` drops it.
pub(super) fn judge(
    detector: &Detector,
    index: DetectorIndex,
    text: &[u8],
    secret: Span,
) -> Option<Match> {
    let span = match &detector.extent {
        Some(name) => extent::extend(name, text, secret)?,
        None => secret,
    };
    let value = &text[span.range()];
    if detector.min_entropy > 0.0 && entropy::shannon(value) < f64::from(detector.min_entropy) {
        return None;
    }
    // A template right behind the value is a part of it that the pattern did not take.
    if is_template(value)
        || text[span.end..].starts_with(b"{{")
        || (detector.value == ValueKind::Password
            && (is_all_caps(value) || is_stand_in(text, span)))
    {
        return None;
    }
    let proof_name = detector.proof.as_deref();
    let verdict = proof_name.map(|name| proof::prove(name, text, span));
    let is_sealed = matches!(verdict, Some(Verdict::Sealed(_)));
    let proof = match verdict {
        Some(Verdict::Refuted) => return None,
        Some(Verdict::Proved(proof) | Verdict::Sealed(proof)) => proof,
        Some(Verdict::Open) | None => Proof::None,
    };
    let checksum = matches!(proof, Proof::Checksum { .. });
    // The lines of a key that parses may be indented and joined: their blanks and signs say nothing.
    let parses = detector.extent.is_some() && matches!(proof, Proof::Structure { .. });
    let is_password = detector.value == ValueKind::Password;
    let reason = match checksum || parses {
        true => None,
        false => placeholder::placeholder(value),
    };
    if reason.is_some_and(|why| !(is_password && placeholder::MAY_BE_WEAK.contains(&why))) {
        return None;
    }
    if detector.value == ValueKind::Password
        && reference::reference(value, line_around(text, span)).is_some()
    {
        return None;
    }
    let informs = proof_name.is_some_and(|name| INFORMS.contains(&name));
    let confidence = match proof {
        _ if is_sealed => detector.confidence.min(Confidence::Medium),
        _ if reason.is_some() => Confidence::Low,
        Proof::Structure { .. } | Proof::Checksum { .. } if !informs => Confidence::Certain,
        _ => detector.confidence,
    };
    Some(Match {
        detector: index,
        span,
        secret: Secret::new(value),
        proof,
        confidence,
        key: None,
        decoding: Vec::new(),
        assigned: None,
    })
}
