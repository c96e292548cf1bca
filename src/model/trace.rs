//! What a scan learnt of a text, for the scan of a text that is made from it.
//!
//! Most versions of a file are copies of another version but for a few lines. A source that knows
//! the copies lends them with the trace of the text they come from, so that the engine looks only
//! at what is new.

use std::cell::RefCell;

use super::{Content, DetectorIndex, Span};

/// A stretch of a text that stands unchanged in another text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Copied {
    /// Where it starts in the old text.
    pub from: usize,
    /// Where it starts in the new text.
    pub to: usize,
    /// Bytes, at least 1.
    pub len: usize,
}

/// A place where a detector has to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The detector.
    pub detector: DetectorIndex,
    /// Where its anchor starts.
    pub start: usize,
    /// What the detector looked at, when it found nothing for reasons that lie there.
    pub idle: Option<Looked>,
}

/// How far around the start of an anchor a detector looked, in steps of 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Looked {
    before: u8,
    behind: u8,
}

impl Looked {
    const STEP: usize = 16;

    /// As far as it ever does.
    pub const ALL: Self = Self {
        before: u8::MAX,
        behind: u8::MAX,
    };

    /// The stretch from `before` bytes before the start to `behind` bytes behind it, or more.
    pub fn around(before: usize, behind: usize) -> Self {
        let steps = |bytes: usize| u8::try_from(bytes.div_ceil(Self::STEP)).unwrap_or(u8::MAX);
        Self {
            before: steps(before),
            behind: steps(behind),
        }
    }

    /// The bytes before the start and behind it, of a detector that looks no further than `reach`.
    pub fn within(self, reach: (usize, usize)) -> (usize, usize) {
        let bytes = |steps: u8, most: usize| match steps {
            u8::MAX => most,
            _ => most.min(usize::from(steps) * Self::STEP),
        };
        (bytes(self.before, reach.0), bytes(self.behind, reach.1))
    }
}

/// A run of encoded text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// Where it stands.
    pub span: Span,
    /// Whether nothing was found in it.
    pub idle: bool,
}

impl Run {
    /// A run that was not looked into yet.
    pub fn new(span: Span) -> Self {
        Self { span, idle: false }
    }
}

/// What a scan learnt of one text.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// How the text was read, and its length in bytes; `None` before a scan.
    pub of: Option<(Content, usize)>,
    /// Where detectors had to look, by place.
    pub candidates: Vec<Candidate>,
    /// Encoded runs, by place.
    pub runs: Vec<Run>,
}

impl Trace {
    /// Forgets the text; keeps the memory.
    pub fn clear(&mut self) {
        self.of = None;
        self.candidates.clear();
        self.runs.clear();
    }

    /// Memory held by the lists, in bytes.
    pub fn held(&self) -> usize {
        self.candidates.capacity() * size_of::<Candidate>()
            + self.runs.capacity() * size_of::<Run>()
    }
}

/// How a text is related to others.
#[derive(Clone, Copy, Debug)]
pub struct Kinship<'a> {
    /// The trace of the text that it is made from, and what it has of that text, by place in the
    /// new one, without overlaps. `None` when it is made from nothing that was scanned.
    pub base: Option<(&'a Trace, &'a [Copied])>,
    /// Where the scan leaves its own trace.
    pub trace: &'a RefCell<Trace>,
}
