//! The structural pass: `key = value` where the key names a credential and the value could be one.
//!
//! Triggered by structure: a key word that the prefilter finds becomes a candidate only when it may
//! be given a value ([`may_be_assigned`]), and a match when a literal is assigned of which the model
//! thinks that it is a secret.

mod every;
mod features;
mod glance;
mod keys;
mod memory;
mod values;
mod weigh;

use crate::detector::{Detector, Pass};
use crate::model::{Candidate, DetectorIndex, Match, Span};

use super::LINE_REACH;
use super::context::Contexts;
use features::Seen;
use keys::Key;

pub(super) use every::{Given, given, keys_in};
pub(super) use glance::{CONTEXT, may_be_assigned};
pub(super) use keys::{first_word, named, names_secret};
pub(super) use memory::Memory;

/// Longest key, in bytes.
pub(super) const MAX_KEY: usize = 80;
/// Longest value, in bytes.
const MAX_VALUE: usize = 512;
/// How far behind a key its values are looked for, in bytes.
const WINDOW: usize = 1024;

/// What this pass looks at lies within so many bytes of an anchor, on either side: a key, what
/// stands before it, its values, and what [`super::line_around`] sees of their lines.
pub(super) const REACH: usize = 2 * MAX_KEY + WINDOW + 2 * LINE_REACH;

/// Appends the secrets assigned to keys around `candidates` (by place) to `found`, and marks
/// those idle that belong to no secret.
pub(super) fn confirm(
    owner: (&Detector, DetectorIndex),
    (contexts, memory): (&Contexts, &mut Memory),
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
        let before = found.len();
        let key = keys::key_at(text, candidate.start);
        if let Some(key) = key {
            assigned(owner, (contexts, memory), text, key, found);
        }
        resume = key.map_or(resume, |key| key.end);
        last_is_secret = found.len() > before;
        candidate.idle = !last_is_secret;
    }
}

/// Appends the secrets assigned to `key`.
fn assigned(
    owner: (&Detector, DetectorIndex),
    (contexts, memory): (&Contexts, &mut Memory),
    text: &[u8],
    span: Span,
    found: &mut Vec<Match>,
) {
    let Some(key) = Key::read(&text[span.range()]) else {
        return;
    };
    let mut values = Vec::new();
    values::values_after(text, span, key.class, &mut values);
    let by_key = (owner.0.pass == Pass::Assignment).then_some(owner.1);
    let secrets = values
        .iter()
        .filter_map(|value| weigh::weigh(by_key, contexts, memory, text, span, &key, value));
    found.extend(secrets);
}

/// An assignment, as the model sees it.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The key.
    pub key: Span,
    /// The literal.
    pub secret: Span,
    /// The class of the key, and whether the literal is quoted: features of the path go with them.
    pub class: &'static str,
    /// Whether the literal stands in quotes.
    pub quoted: bool,
    /// Names and values of what is true of it.
    pub features: Vec<(&'static str, String)>,
}

/// Appends the assignments that belong to the key word at `anchor` to `out`, also those that the
/// model refuses.
pub(super) fn survey(text: &[u8], anchor: usize, out: &mut Vec<Assignment>) {
    let Some((span, key)) =
        keys::key_at(text, anchor).and_then(|span| Some((span, Key::read(&text[span.range()])?)))
    else {
        return;
    };
    let mut values = Vec::new();
    values::values_after(text, span, key.class, &mut values);
    for value in &values {
        let Some((secret, bytes)) = weigh::literal(text, &key, value) else {
            continue;
        };
        let seen = Seen {
            text,
            span,
            key: &key,
            value,
            secret: &bytes,
        };
        let mut features = Vec::new();
        seen.features(&mut |group, value| {
            features.push((group, String::from_utf8_lossy(value).into_owned()));
        });
        out.push(Assignment {
            key: span,
            secret,
            class: key.class.as_str(),
            quoted: value.form.is_quoted(),
            features,
        });
    }
}
