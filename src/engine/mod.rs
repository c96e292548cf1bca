//! Finds secrets in bytes. Does no IO, starts no thread, reads no clock.
//!
//! Three stages, each far cheaper than the next: [`prefilter`] finds anchors, `matcher` confirms
//! with a pattern in a bounded window, [`judge`] decides. `assignment` and `decode` are passes of
//! their own. Invariant: the result is that of [`oracle::scan`], which runs every pattern over
//! the whole blob (`tests/it/oracle.rs`).

mod assignment;
mod context;
pub mod decode;
pub mod extent;
pub mod judge;
pub mod lint;
mod matcher;
mod news;
pub mod oracle;
mod parts;
pub mod prefilter;
pub mod selftest;
mod tables;
mod userinfo;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::detector::{Detector, DetectorSet, Glance, Pass};
use crate::model::{
    Blob, Candidate, Content, Decoding, DetectorIndex, Kinship, Match, Run, Secret, Span,
};

pub use assignment::Assignment;
use assignment::Memory;
use context::Contexts;
use matcher::{Matcher, Workspaces};
use news::News;
pub use parts::{Memory as PartMemory, Neighbour};
use prefilter::{Anchor, Hit, Prefilter, Simd, Strip};
use tables::Table;

/// The detectors of a scan, ready to run. Immutable and shared by all threads.
#[derive(Debug)]
pub struct Engine {
    detectors: Arc<DetectorSet>,
    prefilter: Prefilter,
    /// Of the prefilter's anchors.
    owners: Owners,
    /// Bytes of the longest anchor.
    longest_anchor: usize,
    /// One for each detector.
    matchers: Vec<Matcher>,
    contexts: Contexts,
    parts: parts::Patterns,
    /// Which engine of the process it is: what a thread keeps for one is of no use to another.
    number: u64,
}

/// Memory that a thread reuses from blob to blob.
#[derive(Debug, Default)]
pub struct Scratch {
    strip: Box<Strip>,
    hits: Vec<Hit>,
    /// What the prefilter found, by detector and place.
    work: Vec<Candidate>,
    runs: Vec<Run>,
    found: Vec<Match>,
    decoded: Vec<u8>,
    news: News,
    memory: Memory,
    workspaces: Workspaces,
}

/// Encodings inside encodings that are followed.
const MAX_DEPTH: usize = 2;

impl Engine {
    /// Prepares `detectors`; compiles no pattern yet.
    pub fn new(detectors: Arc<DetectorSet>) -> Self {
        Self::with_simd(detectors, Simd::best())
    }

    /// As [`Engine::new`], with a kernel of the prefilter that is not the fastest.
    ///
    /// # Panics
    ///
    /// When the processor cannot run `simd`.
    pub fn with_simd(detectors: Arc<DetectorSet>, simd: Simd) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let (anchors, owners) = Owners::read(&detectors);
        Self {
            number: NUMBER.fetch_add(1, Relaxed),
            matchers: detectors.iter().map(|_| Matcher::default()).collect(),
            longest_anchor: anchors.iter().map(Anchor::len).max().unwrap_or(0),
            prefilter: Prefilter::new(anchors, simd),
            owners,
            parts: parts::Patterns::default(),
            contexts: Contexts::new(Arc::clone(&detectors)),
            detectors,
        }
    }

    /// What the prefilter looks for, sorted.
    pub fn anchors(&self) -> &[Anchor] {
        self.prefilter.anchors()
    }

    /// The detectors that a match's index points into.
    pub fn detectors(&self) -> &Arc<DetectorSet> {
        &self.detectors
    }

    /// Hands every secret of `blob` to `emit`, in the order of its place; of secrets that overlap
    /// the more certain one.
    pub fn scan(&self, blob: &Blob<'_>, scratch: &mut Scratch, emit: &mut dyn FnMut(Match)) {
        self.scan_kin(blob, None, scratch, emit);
    }

    /// As [`Engine::scan`], with the same result, for a blob that is made from others: what stands
    /// in a copied stretch, and was looked at in vain in the other blob, is not looked at again.
    pub fn scan_kin(
        &self,
        blob: &Blob<'_>,
        kinship: Option<&Kinship<'_>>,
        scratch: &mut Scratch,
        emit: &mut dyn FnMut(Match),
    ) {
        scratch.found.clear();
        if let Some(kinship) = kinship {
            kinship.trace.borrow_mut().clear();
        }
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
            None => match kinship {
                Some(kinship) => self.passes_kin(blob, kinship, scratch),
                None => self.passes(blob, scratch, 0),
            },
        }
        settle(&mut scratch.found, &self.detectors);
        scratch.found.drain(..).for_each(emit);
    }

    /// Hands every assignment of `text` to `emit`, also those that the model refuses: what it is
    /// trained on.
    pub fn survey(&self, text: &[u8], scratch: &mut Scratch, emit: &mut dyn FnMut(Assignment)) {
        let blob = Blob::new(text);
        scratch.work.clear();
        self.look(&blob, Span::new(0, text.len()), scratch);
        let is_assignment = |c: &&Candidate| self.detectors.get(c.detector).pass != Pass::Pattern;
        let mut found = Vec::new();
        for candidate in scratch.work.iter().filter(is_assignment) {
            assignment::survey(text, candidate.start, &mut found);
        }
        let place = |a: &Assignment| (a.key.start, a.secret.start, a.secret.end);
        found.sort_by_key(place);
        found.dedup_by_key(|a| place(a));
        found.into_iter().for_each(emit);
    }

    /// All passes over one text; nested texts come back here with a greater `depth`.
    fn passes(&self, blob: &Blob<'_>, scratch: &mut Scratch, depth: usize) {
        scratch.work.clear();
        self.look(blob, Span::new(0, blob.bytes.len()), scratch);
        self.confirm(blob, scratch);
        if blob.content == Content::Text && depth < MAX_DEPTH {
            let mut runs = std::mem::take(&mut scratch.runs);
            runs.clear();
            runs.extend(decode::Base64Runs::new(blob.bytes).map(Run::new));
            self.base64(blob, &mut runs, scratch, depth);
            scratch.runs = runs;
            self.tables(blob, scratch);
        }
    }

    /// All passes over a text that is made from others.
    fn passes_kin(&self, blob: &Blob<'_>, kinship: &Kinship<'_>, scratch: &mut Scratch) {
        let mut news = std::mem::take(&mut scratch.news);
        news.read(blob, kinship);
        scratch.work.clear();
        // An anchor and all that is looked at before it becomes a candidate.
        let longest = self.longest_anchor + assignment::CONTEXT.max(userinfo::CONTEXT);
        for span in news.to_search(longest, blob.bytes.len()) {
            self.look(blob, span, scratch);
        }
        let reach = |index: DetectorIndex| {
            let detector = self.detectors.get(index);
            match detector.pass {
                Pass::Pattern => (detector.max_lead, detector.max_len),
                Pass::Assignment | Pass::Context => (assignment::REACH, assignment::REACH),
            }
        };
        let base = kinship.base.map(|(trace, _)| trace);
        if let Some(base) = base {
            let anew = scratch.work.len();
            news.carry(base, longest, reach, &mut scratch.work);
            // A copy may begin inside the key of its first candidate.
            let mut at = 0;
            scratch.work.retain(|it| {
                at += 1;
                at <= anew || it.idle.is_some() || self.is_candidate(it.detector, blob, it.start)
            });
        }
        self.confirm(blob, scratch);
        let mut trace = kinship.trace.borrow_mut();
        trace.of = Some((blob.content, blob.bytes.len()));
        trace.candidates.extend_from_slice(&scratch.work);
        trace
            .candidates
            .sort_unstable_by_key(|candidate| candidate.start);
        if blob.content == Content::Text {
            news.runs(blob.bytes, base, &mut trace.runs);
            self.base64(blob, &mut trace.runs, scratch, 0);
            self.tables(blob, scratch);
        }
        scratch.news = news;
    }

    /// Appends the candidates in `span` to the work.
    fn look(&self, blob: &Blob<'_>, span: Span, scratch: &mut Scratch) {
        let Scratch {
            strip, hits, work, ..
        } = scratch;
        hits.clear();
        self.prefilter.find(&blob.bytes[span.range()], strip, hits);
        for hit in hits.iter() {
            let start = span.start + hit.start;
            let owners = self.owners.of(hit.anchor as usize).iter().copied();
            let candidates = owners.filter(|&owner| self.is_candidate(owner, blob, start));
            work.extend(candidates.map(|detector| Candidate {
                detector,
                start,
                idle: None,
            }));
        }
    }

    /// Whether a detector has to look at an anchor of its own at `start`. Says no by what the bytes
    /// around tell at once, at most [`assignment::CONTEXT`] or [`userinfo::CONTEXT`] on either side.
    fn is_candidate(&self, detector: DetectorIndex, blob: &Blob<'_>, start: usize) -> bool {
        let detector = self.detectors.get(detector);
        match detector.pass {
            Pass::Pattern => {
                (!detector.starts_word || !is_word_before(blob.bytes, start))
                    && is_worth_a_look(detector, blob.bytes, start)
            }
            Pass::Assignment | Pass::Context => {
                blob.content == Content::Text && assignment::may_be_assigned(blob.bytes, start)
            }
        }
    }

    /// Lets the detectors look at their candidates.
    fn confirm(&self, blob: &Blob<'_>, scratch: &mut Scratch) {
        let Scratch {
            work,
            found,
            memory,
            workspaces,
            ..
        } = scratch;
        // Of a place that was found anew and also carried over the idle one is kept.
        work.sort_unstable_by_key(|c| (c.detector, c.start, c.idle.is_none()));
        work.dedup_by_key(|c| (c.detector, c.start));
        for candidates in work.chunk_by_mut(|a, b| a.detector == b.detector) {
            let index = candidates[0].detector;
            let detector = self.detectors.get(index);
            match detector.pass {
                Pass::Pattern => {
                    let matcher = &self.matchers[index.as_usize()];
                    let memory = (self.number, &mut *workspaces);
                    matcher.confirm((detector, index), memory, blob.bytes, candidates, found);
                }
                Pass::Assignment | Pass::Context => {
                    let owner = (detector, index);
                    let known = (self.number, &self.contexts, &mut *memory);
                    assignment::confirm(owner, known, blob.bytes, candidates, found);
                }
            }
        }
    }

    /// Decodes base64 runs and scans what comes out; marks those in which there is nothing.
    fn base64(&self, blob: &Blob<'_>, runs: &mut [Run], scratch: &mut Scratch, depth: usize) {
        let mut decoded = std::mem::take(&mut scratch.decoded);
        for run in runs.iter_mut().filter(|run| !run.idle) {
            run.idle = true;
            if !decode::base64(&blob.bytes[run.span.range()], &mut decoded) {
                continue;
            }
            let outer = std::mem::take(&mut scratch.found);
            self.passes(&Blob::new(&decoded), scratch, depth + 1);
            settle(&mut scratch.found, &self.detectors);
            let inner = std::mem::replace(&mut scratch.found, outer);
            run.idle = inner.is_empty();
            scratch.found.extend(inner.into_iter().map(|mut found| {
                found.span = run.span;
                found.decoding.insert(0, Decoding::Base64);
                found
            }));
        }
        scratch.decoded = decoded;
    }

    /// Looks at a table as at assignments of the values in its columns to their names.
    fn tables(&self, blob: &Blob<'_>, scratch: &mut Scratch) {
        let Some(table) = Table::read(blob.bytes) else {
            return;
        };
        let mut all = std::mem::take(&mut scratch.found);
        table.cells(&mut |cell| {
            self.passes(&Blob::new(&cell.text), scratch, MAX_DEPTH);
            // What has a form of its own is found where it stands.
            let is_assigned = |found: &Match| {
                found.span == cell.at && self.detectors.get(found.detector).pass != Pass::Pattern
            };
            let found = scratch.found.drain(..).filter(is_assigned);
            all.extend(found.map(|found| Match {
                span: cell.span,
                secret: Secret::new(&cell.value),
                ..found
            }));
        });
        scratch.found = all;
    }
}

/// The detectors that own each anchor.
#[derive(Debug)]
struct Owners {
    /// For each anchor the first of its owners, with one more at the end.
    first: Vec<u32>,
    owners: Vec<DetectorIndex>,
}

impl Owners {
    /// The anchors of `detectors`, sorted, each once, and their owners.
    fn read(detectors: &DetectorSet) -> (Vec<Anchor>, Self) {
        let mut pairs: Vec<(Anchor, DetectorIndex)> = Vec::new();
        for (index, detector) in detectors.iter() {
            let anchor = |word: &[u8]| (Anchor::new(word, detector.ignore_case), index);
            pairs.extend(detector.keywords.iter().map(|word| anchor(word.as_bytes())));
        }
        let words = context::missing_key_words(detectors).into_iter();
        pairs.extend(words.map(|(word, index)| (Anchor::new(word.as_bytes(), true), index)));
        pairs.sort_unstable();
        // Keywords that differ only behind the anchor's end share it.
        pairs.dedup();
        let mut anchors = Vec::with_capacity(pairs.len());
        let mut first = Vec::with_capacity(pairs.len() + 1);
        for (number, (anchor, _)) in pairs.iter().enumerate() {
            if anchors.last() != Some(anchor) {
                anchors.push(*anchor);
                first.push(number as u32);
            }
        }
        first.push(pairs.len() as u32);
        let owners = pairs.iter().map(|pair| pair.1).collect();
        (anchors, Self { first, owners })
    }

    fn of(&self, anchor: usize) -> &[DetectorIndex] {
        &self.owners[self.first[anchor] as usize..self.first[anchor + 1] as usize]
    }
}

/// Of matches that overlap keeps one: what a pattern found over an assignment, of those what the
/// context tells over what the key does, a provider's over
/// a general kind, then the most certain, what stands in clear, the longest, and the first.
/// Several secrets that come out of one encoded run do not compete.
fn settle(found: &mut Vec<Match>, detectors: &DetectorSet) {
    let rank = |m: &Match| {
        let detector = detectors.get(m.detector);
        let pass = match detector.pass {
            Pass::Pattern => 2,
            Pass::Context => 1,
            Pass::Assignment => 0,
        };
        (
            pass,
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

fn is_worth_a_look(detector: &Detector, text: &[u8], start: usize) -> bool {
    match detector.glance {
        Glance::None => true,
        Glance::Userinfo => userinfo::may_hold_password(text, start),
    }
}

fn is_word_before(text: &[u8], start: usize) -> bool {
    let before = start.checked_sub(1).map(|before| text[before]);
    before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Longest stretch of a line that [`line_around`] looks at on either side.
const LINE_REACH: usize = 1024;

/// The lines around `span`, without their ends and the byte order mark before the first.
pub(crate) fn line_around(text: &[u8], span: Span) -> &[u8] {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let before = &text[span.start.saturating_sub(LINE_REACH)..span.start];
    let start = span.start - before.iter().rev().position(is_end).unwrap_or(before.len());
    let after = &text[span.end..(span.end + LINE_REACH).min(text.len())];
    let end = span.end + after.iter().position(is_end).unwrap_or(after.len());
    let line = &text[start..end];
    match start {
        0 => line.strip_prefix(assignment::MARK).unwrap_or(line),
        _ => line,
    }
}
