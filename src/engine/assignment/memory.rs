//! What was judged before: versions of a file say the same things again and again.
//!
//! A judgement depends on the bytes of a window around key and value and on nothing else, so it is
//! kept under a hash of them. The hash is one of cryptography: nobody can make another assignment
//! that is taken for one judged before.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::engine::line_around;
use crate::model::{Assigned, Confidence, DetectorIndex, Span};

use super::values::Value;

/// How far around key and value anything of a judgement lies, but for their line.
pub(super) const AROUND: usize = 256;

/// Judgements that are kept.
const MOST: usize = 1 << 15;

/// A literal that may be a secret.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    /// Where it stands, from the start of the window.
    pub(super) secret: Span,
    pub(super) detector: DetectorIndex,
    pub(super) confidence: Confidence,
    pub(super) assigned: Option<Assigned>,
}

/// The judgements of a thread.
#[derive(Debug, Default)]
pub(in crate::engine) struct Memory {
    verdicts: HashMap<[u8; 16], Option<Verdict>>,
}

impl Memory {
    /// What is known of an assignment, or else what `judge` says of it.
    pub(super) fn recall(
        &mut self,
        name: [u8; 16],
        judge: impl FnOnce() -> Option<Verdict>,
    ) -> Option<Verdict> {
        if let Some(known) = self.verdicts.get(&name) {
            return *known;
        }
        if self.verdicts.len() == MOST {
            self.verdicts.clear();
        }
        let verdict = judge();
        self.verdicts.insert(name, verdict);
        verdict
    }
}

/// The stretch of `text` that a judgement may look at.
pub(super) fn window(text: &[u8], key: Span, value: &Value) -> Span {
    let line = line_around(text, value.span);
    // The line is a part of the text.
    let start = line.as_ptr() as usize - text.as_ptr() as usize;
    let end = start + line.len();
    Span::new(
        start.min(key.start.saturating_sub(AROUND)),
        end.max((value.span.end + AROUND).min(text.len())),
    )
}

/// The name of an assignment: what it is judged by.
pub(super) fn name(
    text: &[u8],
    window: Span,
    key: Span,
    value: &Value,
    by_key: Option<DetectorIndex>,
) -> [u8; 16] {
    let mut hash = Sha256::new();
    let places = [
        key.start - window.start,
        key.end - window.start,
        value.span.start - window.start,
        value.span.end - window.start,
        by_key.map_or(usize::MAX, DetectorIndex::as_usize),
        usize::from(window.start == 0) + 2 * usize::from(window.end == text.len()),
    ];
    for place in places {
        hash.update((place as u64).to_le_bytes());
    }
    hash.update(&text[window.range()]);
    let digest = hash.finalize();
    let mut name = [0; 16];
    name.copy_from_slice(&digest[..16]);
    name
}
