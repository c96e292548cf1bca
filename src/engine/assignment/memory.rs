//! What was judged before: versions of a file say the same things again and again.
//!
//! A judgement depends on the bytes of a window around key and value and on nothing else, so it is
//! kept under a hash of them. The hash is keyed: nobody can make another assignment that is taken
//! for one judged before.

use std::hash::{BuildHasher as _, Hasher as _};

use crate::engine::line_around;
use crate::machine::hash::{FastMap, Keys};
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
    keys: Keys,
    verdicts: FastMap<u64, Option<Verdict>>,
}

impl Memory {
    /// The name of an assignment: a hash of what it is judged by, by which engine and for which
    /// detector.
    pub(super) fn name(
        &self,
        (engine, by_key): (u64, Option<DetectorIndex>),
        (text, window): (&[u8], Span),
        key: Span,
        value: &Value,
    ) -> u64 {
        let mut hash = self.keys.build_hasher();
        hash.write_u64(engine);
        let places = [key.start, key.end, value.span.start, value.span.end];
        for place in places {
            hash.write_usize(place - window.start);
        }
        hash.write_usize(by_key.map_or(usize::MAX, DetectorIndex::as_usize));
        let (starts, ends) = (window.start == 0, window.end == text.len());
        hash.write_u8(u8::from(starts) + 2 * u8::from(ends));
        let window = &text[window.range()];
        hash.write_usize(window.len());
        hash.write(window);
        hash.finish()
    }

    /// What is known of an assignment, or else what `judge` says of it.
    pub(super) fn recall(
        &mut self,
        name: u64,
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
