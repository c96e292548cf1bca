//! What was found beside a secret before: versions of a file say the same things again and again.
//!
//! Parts depend on a stretch of text around the secret and on nothing else, so they are kept under
//! a hash of it. The hash is keyed, so that nobody can make a stretch that is taken for another.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _};

use crate::machine::hash::Keys;
use crate::model::{LineIndex, Match, Part, Span};

use super::{Neighbour, REACH};

/// Answers that are kept.
const MOST: usize = 1 << 12;
/// Longest stretch that is remembered, in bytes.
const LONGEST: usize = 16 << 10;
/// How far before the first key anything tells what it is given, in bytes.
const BEFORE: usize = 256;
/// How far behind the last key its value may go, in bytes.
const BEHIND: usize = 1280;

/// The answers of a thread, each with lines counted from that of the stretch.
#[derive(Debug, Default)]
pub struct Memory {
    keys: Keys,
    known: HashMap<u64, Vec<Part>>,
}

impl Memory {
    /// What is known of `found` at `secret` of `stretch`, or else what `look` says of it. `engine` is
    /// the number of the engine that asks.
    pub(super) fn recall(
        &mut self,
        engine: u64,
        stretch: &[u8],
        found: &Match,
        secret: Span,
        near: impl Iterator<Item = Span>,
        look: impl FnOnce() -> Vec<Part>,
    ) -> Vec<Part> {
        if stretch.len() > LONGEST {
            return look();
        }
        let mut hash = self.keys.build_hasher();
        hash.write_u64(engine);
        for number in [found.detector.as_usize(), secret.start, secret.end] {
            hash.write_usize(number);
        }
        for other in near {
            hash.write_usize(other.start);
            hash.write_usize(other.end);
        }
        let key = found.key.as_ref().map_or(&[][..], |key| key.as_bytes());
        for bytes in [key, found.secret.expose(), stretch] {
            hash.write_usize(bytes.len());
            hash.write(bytes);
        }
        let name = hash.finish();
        if let Some(known) = self.known.get(&name) {
            return known.clone();
        }
        if self.known.len() == MOST {
            self.known.clear();
        }
        let parts = look();
        self.known.insert(name, parts.clone());
        parts
    }
}

/// What of the text parts depend on, when they are looked for in so many `lines` on either side of
/// the secret at `span`.
pub(super) fn stretch(text: &LineIndex<'_>, span: Span, lines: u32) -> Span {
    let lines = lines as usize + 1;
    let first = text.line_of(span.start).saturating_sub(lines);
    let last = text.line_of(span.end.saturating_sub(1).max(span.start)) + lines;
    let start = text
        .start_of(first)
        .max(span.start.saturating_sub(REACH + BEFORE));
    let end = text.start_of(last + 1).min(span.end + REACH) + BEHIND;
    Span::new(start.min(span.start), end.min(text.bytes().len()))
}

/// Those of `all` that touch `stretch`, as places in it.
pub(super) fn near(all: &[Neighbour], stretch: Span) -> impl Iterator<Item = Span> {
    let end = all.partition_point(|other| other.span.start < stretch.end);
    let touches = move |other: &&Neighbour| other.span.end > stretch.start;
    let here = move |at: usize| at.saturating_sub(stretch.start);
    let before = all[..end].iter().filter(touches);
    before.map(move |other| Span::new(here(other.span.start), here(other.span.end)))
}
