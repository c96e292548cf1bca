//! Finds secrets in bytes. Does no IO, starts no thread, reads no clock.
//!
//! Three stages, each far cheaper than the next: [`prefilter`] finds anchors, `matcher` confirms
//! with a pattern in a bounded window, [`judge`] decides. `assignment` and `decode` are passes of
//! their own. Invariant: the result is that of [`oracle::scan`], which runs every pattern over
//! the whole blob (`tests/it/oracle.rs`).

mod assignment;
pub mod decode;
pub mod extent;
pub mod judge;
mod matcher;
pub mod oracle;
pub mod prefilter;
pub mod selftest;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::detector::{DetectorSet, Pass};
use crate::model::{Blob, Content, Decoding, DetectorIndex, Match, Span};

use matcher::Matcher;
use prefilter::{Anchor, Hit, Prefilter};

/// The detectors of a scan, ready to run. Immutable and shared by all threads.
#[derive(Debug)]
pub struct Engine {
    detectors: Arc<DetectorSet>,
    prefilter: Prefilter,
    /// For each anchor, the detectors that own it.
    owners: Vec<Vec<DetectorIndex>>,
    /// One for each detector.
    matchers: Vec<Matcher>,
}

/// Memory that a thread reuses from blob to blob.
#[derive(Debug, Default)]
pub struct Scratch {
    hits: Vec<Hit>,
    /// Hits by detector, in order.
    work: Vec<(DetectorIndex, usize)>,
    found: Vec<Match>,
    decoded: Vec<u8>,
}

/// Encodings inside encodings that are followed.
const MAX_DEPTH: usize = 2;

impl Engine {
    /// Prepares `detectors`; compiles no pattern yet.
    pub fn new(detectors: Arc<DetectorSet>) -> Self {
        let mut anchors: Vec<Anchor> = Vec::new();
        let mut owners: Vec<Vec<DetectorIndex>> = Vec::new();
        for (index, detector) in detectors.iter() {
            for word in detector.keywords.iter() {
                let anchor = Anchor::new(word.as_bytes(), detector.ignore_case);
                match anchors.iter().position(|known| *known == anchor) {
                    Some(at) => owners[at].push(index),
                    None => {
                        anchors.push(anchor);
                        owners.push(vec![index]);
                    }
                }
            }
        }
        Self {
            matchers: detectors.iter().map(|_| Matcher::default()).collect(),
            prefilter: Prefilter::new(anchors),
            owners,
            detectors,
        }
    }

    /// The detectors that a match's index points into.
    pub fn detectors(&self) -> &Arc<DetectorSet> {
        &self.detectors
    }

    /// Hands every secret of `blob` to `emit`, in the order of its place; of secrets that overlap
    /// the more certain one.
    pub fn scan(&self, blob: &Blob<'_>, scratch: &mut Scratch, emit: &mut dyn FnMut(Match)) {
        scratch.found.clear();
        match decode::utf16(blob.bytes) {
            Some(text) => {
                let inner = Blob {
                    bytes: text.bytes(),
                    content: Content::Text,
                };
                self.passes(&inner, scratch, 0);
                settle(&mut scratch.found, &self.detectors);
                for found in &mut scratch.found {
                    found.span = text.original(found.span);
                    found.decoding.insert(0, Decoding::Utf16);
                }
            }
            None => self.passes(blob, scratch, 0),
        }
        settle(&mut scratch.found, &self.detectors);
        scratch.found.drain(..).for_each(emit);
    }

    /// All passes over one text; nested texts come back here with a greater `depth`.
    fn passes(&self, blob: &Blob<'_>, scratch: &mut Scratch, depth: usize) {
        self.anchored(blob, scratch);
        if blob.content == Content::Text && depth < MAX_DEPTH {
            self.base64(blob, scratch, depth);
        }
    }

    /// Prefilter, then the detectors that own the anchors it found.
    fn anchored(&self, blob: &Blob<'_>, scratch: &mut Scratch) {
        scratch.hits.clear();
        self.prefilter.find(blob.bytes, &mut scratch.hits);
        if scratch.hits.is_empty() {
            return;
        }
        scratch.work.clear();
        for hit in &scratch.hits {
            for &owner in &self.owners[hit.anchor as usize] {
                scratch.work.push((owner, hit.start));
            }
        }
        scratch.work.sort_unstable();
        scratch.work.dedup();
        for hits in scratch.work.chunk_by(|a, b| a.0 == b.0) {
            let index = hits[0].0;
            let detector = self.detectors.get(index);
            let starts = hits.iter().map(|hit| hit.1);
            match detector.pass {
                Pass::Pattern => {
                    let matcher = &self.matchers[index.as_usize()];
                    matcher.confirm(detector, index, blob.bytes, starts, &mut scratch.found);
                }
                Pass::Assignment if blob.content == Content::Text => {
                    assignment::confirm(detector, index, blob.bytes, starts, &mut scratch.found);
                }
                Pass::Assignment => {}
            }
        }
    }

    /// Decodes base64 runs and scans what comes out.
    fn base64(&self, blob: &Blob<'_>, scratch: &mut Scratch, depth: usize) {
        let mut decoded = std::mem::take(&mut scratch.decoded);
        for run in decode::Base64Runs::new(blob.bytes) {
            if !decode::base64(&blob.bytes[run.range()], &mut decoded) {
                continue;
            }
            let outer = std::mem::take(&mut scratch.found);
            self.passes(&Blob::new(&decoded), scratch, depth + 1);
            settle(&mut scratch.found, &self.detectors);
            let inner = std::mem::replace(&mut scratch.found, outer);
            scratch.found.extend(inner.into_iter().map(|mut found| {
                found.span = run;
                found.decoding.insert(0, Decoding::Base64);
                found
            }));
        }
        scratch.decoded = decoded;
    }
}

/// Of matches that overlap keeps one: what a pattern found over an assignment, a provider's over
/// a general kind, then the most certain, what stands in clear, the longest, and the first.
/// Several secrets that come out of one encoded run do not compete.
fn settle(found: &mut Vec<Match>, detectors: &DetectorSet) {
    let rank = |m: &Match| {
        let detector = detectors.get(m.detector);
        let pattern = detector.pass == Pass::Pattern;
        (
            pattern,
            !detector.general,
            m.confidence,
            m.decoding.is_empty(),
            m.span.len(),
        )
    };
    let place = |m: &Match| (m.span.start, m.span.end, m.detector);
    found.sort_by(|a, b| {
        let order = rank(b).cmp(&rank(a)).then_with(|| place(a).cmp(&place(b)));
        order.then_with(|| a.secret.cmp(&b.secret))
    });
    found.dedup_by(|a, b| place(a) == place(b) && a.secret == b.secret);
    // The spans of what is kept: they never overlap, so only the neighbours can be in the way.
    let mut kept: BTreeMap<usize, (usize, bool)> = BTreeMap::new();
    found.retain(|m| {
        let Span { start, end } = m.span;
        let encoded = m.decoding.contains(&Decoding::Base64);
        if kept.get(&start) == Some(&(end, true)) && encoded {
            return true;
        }
        let before = kept.range(..end).next_back();
        let free = before.is_none_or(|(_, &(other_end, _))| other_end <= start);
        if free {
            kept.insert(start, (end, encoded));
        }
        free
    });
    found.sort_by(|a, b| {
        place(a)
            .cmp(&place(b))
            .then_with(|| a.secret.cmp(&b.secret))
    });
}

/// The lines around `span`, without their ends.
pub(crate) fn line_around(text: &[u8], span: Span) -> &[u8] {
    /// Longest stretch looked at on either side.
    const REACH: usize = 1024;
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let before = &text[span.start.saturating_sub(REACH)..span.start];
    let start = span.start - before.iter().rev().position(is_end).unwrap_or(before.len());
    let after = &text[span.end..(span.end + REACH).min(text.len())];
    let end = span.end + after.iter().position(is_end).unwrap_or(after.len());
    &text[start..end]
}
