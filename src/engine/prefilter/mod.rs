//! Finds anchors: literals one of which every match contains.
//!
//! Knows nothing of patterns. Invariant: every place of every anchor is reported, as the
//! automaton of `aho-corasick` would (`tests/it/prefilter.rs`). The scalar kernel serves anchors
//! of at least four bytes; shorter ones (user rules) take the automaton.

mod scalar;

use aho_corasick::{AhoCorasick, MatchKind};

use scalar::Scalar;

/// A literal to find.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Anchor {
    bytes: Vec<u8>,
    ignore_case: bool,
}

impl Anchor {
    /// An anchor that stands in any ASCII case when `ignore_case` is set.
    pub fn new(bytes: &[u8], ignore_case: bool) -> Self {
        let bytes = match ignore_case {
            true => bytes.to_ascii_lowercase(),
            false => bytes.to_vec(),
        };
        Self { bytes, ignore_case }
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn is_at(&self, text: &[u8], start: usize) -> bool {
        let Some(there) = text.get(start..start + self.bytes.len()) else {
            return false;
        };
        match self.ignore_case {
            true => there.eq_ignore_ascii_case(&self.bytes),
            false => there == self.bytes,
        }
    }
}

/// Where an anchor stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Hit {
    /// Offset of its first byte.
    pub start: usize,
    /// Its number.
    pub anchor: u32,
}

/// All anchors of an engine.
#[derive(Debug)]
pub struct Prefilter {
    anchors: Vec<Anchor>,
    scalar: Scalar,
    short: Option<Short>,
}

impl Prefilter {
    /// Builds the tables: tens of microseconds for a thousand anchors.
    pub fn new(anchors: Vec<Anchor>) -> Self {
        let scalar = Scalar::new(&anchors);
        let short = Short::new(&anchors);
        Self {
            anchors,
            scalar,
            short,
        }
    }

    /// Appends every hit in `text` to `hits`, in no promised order.
    pub fn find(&self, text: &[u8], hits: &mut Vec<Hit>) {
        self.scalar.find(text, &self.anchors, hits);
        if let Some(short) = &self.short {
            short.find(text, &self.anchors, hits);
        }
    }
}

/// The automaton for anchors under four bytes.
#[derive(Debug)]
struct Short {
    automaton: AhoCorasick,
    numbers: Vec<u32>,
}

impl Short {
    fn new(anchors: &[Anchor]) -> Option<Self> {
        let of = |(number, anchor): (usize, &Anchor)| {
            (anchor.bytes.len() < scalar::LEAST).then_some((number as u32, anchor.bytes.clone()))
        };
        let (numbers, words): (Vec<_>, Vec<_>) = anchors.iter().enumerate().filter_map(of).unzip();
        if words.is_empty() {
            return None;
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(words)
            .expect("a few short literals fit");
        Some(Self { automaton, numbers })
    }

    fn find(&self, text: &[u8], anchors: &[Anchor], hits: &mut Vec<Hit>) {
        for found in self.automaton.find_overlapping_iter(text) {
            let anchor = self.numbers[found.pattern().as_usize()];
            if anchors[anchor as usize].is_at(text, found.start()) {
                let start = found.start();
                hits.push(Hit { start, anchor });
            }
        }
    }
}
