//! What was judged before: versions of a file say the same things again and again.
//!
//! A judgement depends on the bytes of a window around key and value and on nothing else, so it is
//! kept under a hash of them. Most literals can be no secret whatever stands around; that depends
//! on less, which is said again more often, and is kept by itself. The hash is keyed: nobody can make
//! another assignment that is taken for one judged before.

use std::hash::{BuildHasher as _, Hasher as _};

use crate::engine::line_around;
use crate::machine::hash::{FastMap, Keys};
use crate::model::{Assigned, Confidence, DetectorIndex, Span};

use super::values::Value;

/// How far around key and value anything of a judgement lies, but for their line.
pub(super) const AROUND: usize = 256;

/// Judgements that are kept, of each kind, at least half as many as last asked for.
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
    /// Of literals that can be no secret.
    refused: Recent<()>,
    verdicts: Recent<Option<Verdict>>,
}

/// What was asked for of late: nothing goes that is among the last [`MOST`] / 2 asked for.
#[derive(Debug)]
struct Recent<T> {
    new: FastMap<u64, T>,
    /// What goes when there is too much that is new.
    old: FastMap<u64, T>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self {
            new: FastMap::default(),
            old: FastMap::default(),
        }
    }
}

impl<T: Copy> Recent<T> {
    fn get(&mut self, name: u64) -> Option<T> {
        if let Some(known) = self.new.get(&name) {
            return Some(*known);
        }
        let known = self.old.remove(&name)?;
        self.insert(name, known);
        Some(known)
    }

    fn insert(&mut self, name: u64, known: T) {
        if self.new.len() == MOST / 2 {
            std::mem::swap(&mut self.new, &mut self.old);
            self.new.clear();
        }
        self.new.insert(name, known);
    }
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

    /// The name of a literal: a hash of all that [`super::weigh::literal`] looks at, which is its
    /// line, its key and how it is given to that.
    pub(super) fn name_of_literal(&self, text: &[u8], key: Span, value: &Value) -> u64 {
        let line = line_of(text, value.span);
        let start = line.start.min(key.start);
        let stretch = &text[start..line.end.max(key.end)];
        let mut hash = self.keys.build_hasher();
        let places = [key, value.span, line];
        for place in places.iter().chain(&value.pieces) {
            hash.write_usize(place.start.wrapping_sub(start));
            hash.write_usize(place.len());
        }
        hash.write_u8(value.sign as u8);
        hash.write_u8(value.form as u8);
        hash.write_usize(stretch.len());
        hash.write(stretch);
        hash.finish()
    }

    /// Whether a literal was refused before.
    pub(super) fn is_refused(&mut self, name: u64) -> bool {
        self.refused.get(name).is_some()
    }

    /// Notes that a literal can be no secret.
    pub(super) fn refuse(&mut self, name: u64) {
        self.refused.insert(name, ());
    }

    /// What is known of an assignment.
    pub(super) fn recall(&mut self, name: u64) -> Option<Option<Verdict>> {
        self.verdicts.get(name)
    }

    /// Notes what was found of an assignment.
    pub(super) fn keep(&mut self, name: u64, verdict: Option<Verdict>) {
        self.verdicts.insert(name, verdict);
    }
}

/// The stretch of `text` that a judgement may look at.
pub(super) fn window(text: &[u8], key: Span, value: &Value) -> Span {
    let line = line_of(text, value.span);
    Span::new(
        line.start.min(key.start.saturating_sub(AROUND)),
        line.end.max((value.span.end + AROUND).min(text.len())),
    )
}

/// Where the lines around `span` stand.
fn line_of(text: &[u8], span: Span) -> Span {
    let line = line_around(text, span);
    // The line is a part of the text.
    let start = line.as_ptr() as usize - text.as_ptr() as usize;
    Span::new(start, start + line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_of_late_stays_and_the_rest_goes() {
        let mut recent = Recent::default();
        recent.insert(0, 'a');
        for name in 1..10 * MOST as u64 {
            recent.insert(name, 'b');
            if name % (MOST as u64 / 4) == 0 {
                assert_eq!(recent.get(0), Some('a'));
            }
            assert!(recent.new.len() + recent.old.len() <= MOST);
        }
        assert_eq!(recent.get(1), None);
    }
}
