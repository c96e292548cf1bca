//! Measures how often anchors stand in ordinary text: each place costs the prefilter a comparison,
//! and each that becomes a candidate a look by the detectors that own the anchor. Common anchors
//! make a scan slow without finding anything.
//!
//! Counts what the engine does with a text itself, not what stands in base64 in it.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::detector::{Detector, Pass};
use crate::model::{Blob, Content, Span};

use super::prefilter::Strip;
use super::{Engine, decode};

/// Bytes that an anchor should have: shorter ones take the prefilter's slower way.
pub const LEAST_LEN: usize = 4;

/// The hits of a set's anchors in the blobs seen so far. Shared by all threads.
#[derive(Debug)]
pub struct Lint {
    engine: Engine,
    /// By anchor.
    hits: Vec<AtomicU64>,
    /// By anchor: of its hits those that are a candidate of any detector.
    candidates: Vec<AtomicU64>,
    /// By detector.
    of_detectors: Vec<AtomicU64>,
    bytes: AtomicU64,
}

impl Lint {
    /// Nothing seen yet.
    pub fn new(engine: Engine) -> Self {
        let detectors = engine.detectors();
        let anchors = engine.anchors().len();
        let zeros = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            hits: zeros(anchors),
            candidates: zeros(anchors),
            of_detectors: zeros(detectors.len()),
            bytes: AtomicU64::new(0),
            engine,
        }
    }

    /// Counts the anchors in `blob`. Of blobs that overlap each passes which offsets are its own;
    /// together they have `bytes` more than before.
    pub fn add(&self, blob: &Blob<'_>, bytes: usize, is_own: impl Fn(usize) -> bool) {
        let decoded = decode::utf16(blob.bytes);
        let blob = match &decoded {
            Some(text) => Blob {
                bytes: text.bytes(),
                content: Content::Text,
            },
            None => *blob,
        };
        let mut hits = Vec::new();
        let mut strip = Box::<Strip>::default();
        self.engine
            .prefilter
            .find(blob.bytes, &mut strip, &mut hits);
        for hit in hits {
            let start = match &decoded {
                Some(text) => text.original(Span::new(hit.start, hit.start)).start,
                None => hit.start,
            };
            if is_own(start) {
                self.count(&blob, hit.start, hit.anchor as usize);
            }
        }
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn count(&self, blob: &Blob<'_>, start: usize, anchor: usize) {
        let add_one = |count: &AtomicU64| {
            count.fetch_add(1, Ordering::Relaxed);
        };
        add_one(&self.hits[anchor]);
        let mut any = false;
        for &owner in self.engine.owners.of(anchor) {
            // Context detectors look where others look anyway.
            if self.engine.detectors.get(owner).pass != Pass::Context
                && self.engine.is_candidate(owner, blob, start)
            {
                add_one(&self.of_detectors[owner.as_usize()]);
                any = true;
            }
        }
        if any {
            add_one(&self.candidates[anchor]);
        }
    }

    /// What was counted.
    pub fn finish(self) -> Discipline {
        let detectors = self.engine.detectors();
        let value = |count: AtomicU64| count.into_inner();
        let counts = self.hits.into_iter().map(value);
        let counts = counts.zip(self.candidates.into_iter().map(value));
        let mut discipline = Discipline {
            bytes: self.bytes.into_inner(),
            ..Discipline::default()
        };
        let anchors = self.engine.anchors();
        for (number, (hits, candidates)) in counts.enumerate() {
            let owners = self.engine.owners.of(number).iter();
            let owners = owners.map(|&owner| detectors.get(owner));
            let owners: Vec<_> = owners.filter(|owner| owner.pass != Pass::Context).collect();
            if owners.is_empty() {
                continue;
            }
            let of_pattern = |owner: &&Detector| owner.pass == Pass::Pattern;
            let sum = match owners.iter().any(of_pattern) {
                true => &mut discipline.patterns,
                false => &mut discipline.key_words,
            };
            sum.hits += hits;
            sum.candidates += candidates;
            discipline.anchors.push(AnchorCount {
                anchor: anchors[number].bytes().to_vec(),
                ignore_case: owners[0].ignore_case,
                owners: owners.iter().map(|owner| owner.id.to_string()).collect(),
                count: Count { hits, candidates },
            });
        }
        let of_detectors = self.of_detectors.into_iter().map(value);
        for ((_, detector), candidates) in detectors.iter().zip(of_detectors) {
            discipline.detectors.push(DetectorCount {
                id: detector.id.to_string(),
                candidates,
            });
        }
        let text = |entry: &AnchorCount| (entry.anchor.clone(), entry.ignore_case);
        discipline.anchors.sort_by_cached_key(|entry| {
            let Count { hits, candidates } = entry.count;
            (Reverse((candidates, hits)), text(entry))
        });
        // The set is in the order of ids, and stays so among equals.
        discipline
            .detectors
            .sort_by_key(|entry| Reverse(entry.candidates));
        discipline
    }
}

/// How often the anchors of a set stand in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discipline {
    /// Bytes of the text.
    pub bytes: u64,
    /// All anchors that a pattern owns, each once however many detectors share it.
    pub patterns: Count,
    /// All others: key words of the structural pass.
    pub key_words: Count,
    /// The most expensive first.
    pub anchors: Vec<AnchorCount>,
    /// The most expensive first.
    pub detectors: Vec<DetectorCount>,
}

impl Discipline {
    /// `count` in a million bytes of the text; of no text 0.
    pub fn per_megabyte(&self, count: u64) -> f64 {
        match self.bytes {
            0 => 0.0,
            bytes => count as f64 * 1e6 / bytes as f64,
        }
    }
}

/// How often something stands in a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Places that the prefilter reports.
    pub hits: u64,
    /// Of those the ones that a detector has to look at.
    pub candidates: u64,
}

/// One anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorCount {
    /// What is searched: the beginning of a keyword, in lower case when case does not count.
    pub anchor: Vec<u8>,
    /// Whether it is found in any case.
    pub ignore_case: bool,
    /// Ids of the detectors that own it.
    pub owners: Vec<String>,
    /// How often it stands in the text.
    pub count: Count,
}

impl AnchorCount {
    /// Whether it has under [`LEAST_LEN`] bytes.
    pub fn is_short(&self) -> bool {
        self.anchor.len() < LEAST_LEN
    }
}

/// One detector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectorCount {
    /// Its id.
    pub id: String,
    /// Of all its anchors together.
    pub candidates: u64,
}
