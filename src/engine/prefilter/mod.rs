//! Finds anchors: literals one of which every match contains.
//!
//! Knows nothing of patterns. A text is sifted for places where a window of some anchor may stand
//! (`sieve`, in one of several kernels), the windows are looked up there (`windows`), and an
//! anchor is compared where its window stands. Anchors under four bytes (of user rules) take the
//! automaton of `aho-corasick`. Invariant: every place of every anchor is reported, as that
//! automaton would report it, whichever kernel runs (`tests/it/prefilter.rs`).

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod rarity;
mod sieve;
mod simd;
mod windows;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use aho_corasick::{AhoCorasick, MatchKind};

pub use rarity::gram_slot;
pub use simd::{Simd, UnknownSimd};

pub use sieve::Strip;
use sieve::{BEHIND, BLOCK, Sieve};
use windows::{Window, Windows};

/// A literal to find.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Anchor {
    bytes: [u8; Self::LONGEST],
    len: u8,
    ignore_case: bool,
}

impl Anchor {
    /// Bytes of the longest anchor. More would hardly be rarer, and so many are searched on either
    /// side of all that is new in a delta.
    pub const LONGEST: usize = 16;

    /// An anchor that stands in any ASCII case when `ignore_case` is set. Of `bytes` the first
    /// [`Anchor::LONGEST`] count.
    pub fn new(bytes: &[u8], ignore_case: bool) -> Self {
        let len = bytes.len().min(Self::LONGEST);
        let mut anchor = Self {
            bytes: [0; Self::LONGEST],
            len: len as u8,
            ignore_case,
        };
        anchor.bytes[..len].copy_from_slice(&bytes[..len]);
        if ignore_case {
            anchor.bytes.make_ascii_lowercase();
        }
        anchor
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Its bytes; in lower case when case does not matter.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    fn is_at(&self, text: &[u8], start: usize) -> bool {
        let Some(there) = text.get(start..start + self.len()) else {
            return false;
        };
        match self.ignore_case {
            true => there.eq_ignore_ascii_case(self.bytes()),
            false => there == self.bytes(),
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
    sieve: Sieve,
    windows: Windows,
    short: Option<Short>,
}

/// Shortest anchor that has a window, in bytes.
const LEAST: usize = 4;

impl Prefilter {
    /// Builds the tables: a fraction of a millisecond for thousands of anchors.
    ///
    /// # Panics
    ///
    /// When the processor cannot run `simd`.
    pub fn new(anchors: Vec<Anchor>, simd: Simd) -> Self {
        let mut sieve = Sieve::new(simd);
        let mut windows = Vec::with_capacity(anchors.len());
        for (number, anchor) in anchors.iter().enumerate() {
            let bytes = anchor.bytes();
            if bytes.len() < LEAST {
                continue;
            }
            let width = Windows::width(bytes.len());
            let offset = rarity::rarest_window(bytes);
            // One of the two starts at an even offset of the text.
            sieve.add(&bytes[offset..offset + LEAST]);
            sieve.add(&bytes[offset + 1..offset + width]);
            windows.push(Window {
                anchor: number as u32,
                offset,
            });
        }
        Self {
            sieve,
            windows: Windows::new(&anchors, &windows),
            short: Short::new(&anchors),
            anchors,
        }
    }

    /// All anchors, in the order of their numbers.
    pub(super) fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// Appends every hit in `text` to `hits`, in no promised order. What `strip` holds does not
    /// matter.
    pub fn find(&self, text: &[u8], strip: &mut Strip, hits: &mut Vec<Hit>) {
        let mut at = 0;
        while text.len() - at >= BLOCK + BEHIND {
            at += self.find_in_strip(text, at, &text[at..], strip, hits);
        }
        // What is left is filled up with zeros.
        let mut rest = [0; 2 * BLOCK + BEHIND];
        let left = &text[at..];
        rest[..left.len()].copy_from_slice(left);
        let blocks = left.len().div_ceil(BLOCK);
        self.find_in_strip(text, at, &rest[..blocks * BLOCK + BEHIND], strip, hits);
        if let Some(short) = &self.short {
            short.find(text, &self.anchors, hits);
        }
    }

    /// Sifts the start of `sifted`, which stands at `at` in `text`. Returns how much it sifted.
    #[inline]
    fn find_in_strip(
        &self,
        text: &[u8],
        at: usize,
        sifted: &[u8],
        strip: &mut Strip,
        hits: &mut Vec<Hit>,
    ) -> usize {
        let (places, len) = self.sieve.sift(sifted, strip);
        // Without a branch: of the places that passed one in ten has a window, and which cannot
        // be foretold.
        let mut kept = 0;
        for number in 0..places.len() {
            let place = places[number];
            places[kept] = place;
            kept += usize::from(self.windows.may_start(text, at + usize::from(place)));
        }
        for &place in &places[..kept] {
            let place = at + usize::from(place);
            self.windows.find(text, place, &self.anchors, hits);
        }
        len
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
            (anchor.len() < LEAST).then_some((number as u32, anchor.bytes().to_vec()))
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
