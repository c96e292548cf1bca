//! The structural pass: `key = value` where the key names a credential and the value could be one.
//!
//! Triggered by structure: a key word that the prefilter finds becomes a candidate only when it ends
//! a key and an operator follows ([`may_be_assigned`]), and a match when a literal follows that.
//! Conservative: what could be code (a call, a variable, a type) is not a value.

mod glance;
mod keys;
mod values;
mod weigh;

use crate::detector::{Detector, Pass};
use crate::model::{Candidate, DetectorIndex, Match, Span};

use super::LINE_REACH;
use super::context::Contexts;

pub(super) use glance::{CONTEXT, may_be_assigned};

/// Longest key, in bytes.
const MAX_KEY: usize = 80;
/// Longest value, in bytes.
const MAX_VALUE: usize = 512;

/// What this pass looks at lies within so many bytes of an anchor, on either side: a key and what
/// stands before it, the blanks, a type or a `value` between, a value, and what
/// [`super::line_around`] sees of the line.
pub(super) const REACH: usize = 4 * MAX_KEY + MAX_VALUE + 2 * LINE_REACH;

/// Appends the secrets assigned to keys around `candidates` (by place) to `found`, and marks
/// those idle that belong to no secret.
pub(super) fn confirm(
    owner: (&Detector, DetectorIndex),
    contexts: &Contexts,
    text: &[u8],
    candidates: &mut [Candidate],
    found: &mut Vec<Match>,
) {
    let mut resume = 0;
    let mut last_is_secret = false;
    for candidate in candidates.iter_mut().filter(|candidate| !candidate.idle) {
        if candidate.start < resume {
            candidate.idle = !last_is_secret;
            continue;
        }
        let key = keys::key_at(text, candidate.start);
        let secret = key.and_then(|key| assigned(owner, contexts, text, key));
        resume = key.map_or(resume, |key| key.end);
        last_is_secret = secret.is_some();
        candidate.idle = secret.is_none();
        found.extend(secret);
    }
}

/// The secret assigned to `key`.
fn assigned(
    owner: (&Detector, DetectorIndex),
    contexts: &Contexts,
    text: &[u8],
    key: Span,
) -> Option<Match> {
    let name = &text[key.range()];
    let names_credential = keys::names_credential(name);
    if !names_credential && !keys::names_key(name) {
        return None;
    }
    let by_key = (names_credential && owner.0.pass == Pass::Assignment).then_some(owner);
    match values::value_after(text, key) {
        Some(value) => weigh::weigh(by_key, contexts, text, key, value),
        None => weigh::weigh(None, contexts, text, key, values::beside(text, key)?),
    }
}
