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
use crate::model::{Candidate, DetectorIndex, Looked, Match, Span};

use super::LINE_REACH;
use super::context::Contexts;
use features::Seen;
use keys::Key;

pub(super) use every::{Given, given, keys_in};
pub(super) use glance::{CONTEXT, may_be_assigned};
pub(super) use keys::{first_word, named, names_secret};
pub(super) use memory::Memory;
pub(super) use values::MARK;

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
    known: (u64, &Contexts, &mut Memory),
    text: &[u8],
    candidates: &mut [Candidate],
    found: &mut Vec<Match>,
) {
    let (engine, contexts, memory) = known;
    let mut resume = 0;
    let mut is_secret = false;
    let mut looked = Span::new(0, 0);
    let open = candidates.iter_mut().filter(|it| it.idle.is_none());
    for candidate in open {
        let anchor = candidate.start;
        // Of a key with several words the first has found all.
        if anchor >= resume {
            let before = found.len();
            looked = Span::new(anchor.saturating_sub(MAX_KEY), anchor + MAX_KEY);
            if let Some(key) = keys::key_at(text, anchor) {
                let known = (engine, contexts, &mut *memory);
                looked = assigned(owner, known, text, key, found);
                resume = key.end;
            }
            is_secret = found.len() > before;
        }
        let around = || Looked::around(anchor.saturating_sub(looked.start), looked.end - anchor);
        candidate.idle = (!is_secret).then(around);
    }
}

/// Appends the secrets assigned to `key`. Returns the stretch that this depends on.
fn assigned(
    owner: (&Detector, DetectorIndex),
    (engine, contexts, memory): (u64, &Contexts, &mut Memory),
    text: &[u8],
    span: Span,
    found: &mut Vec<Match>,
) -> Span {
    // Behind a key stands a byte that is of none; signs at its end are none of it.
    let signs = text[span.end..].iter().take(MAX_KEY);
    let signs = signs.take_while(|&&byte| keys::is_key_byte(byte)).count();
    let mut looked = Span::new(
        span.start.saturating_sub(values::BEFORE),
        span.end + signs + 1,
    );
    let Some(key) = Key::read(&text[span.range()]) else {
        return looked;
    };
    let mut values = Vec::new();
    let end = values::values_after(text, span, key.class, &mut values);
    looked.end = looked.end.max(end);
    let by_key = (owner.0.pass == Pass::Assignment).then_some(owner.1);
    for value in &values {
        let window = memory::window(text, span, value);
        looked.start = looked.start.min(window.start);
        looked.end = looked.end.max(window.end);
        let (by, seen) = ((engine, by_key), (text, window));
        found.extend(weigh::weigh(by, contexts, memory, seen, span, &key, value));
    }
    looked
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
