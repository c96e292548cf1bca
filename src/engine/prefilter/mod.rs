//! Finds anchors: literals one of which every match contains.
//!
//! Knows nothing of patterns. A text is sifted for places where a window of some anchor may stand
//! (`sieve`, in one of several kernels), the windows are looked up there (`windows`), and an
//! anchor is compared where its window stands. Anchors under four bytes (of user rules) take the
//! automaton of `aho-corasick`. Invariant: every place of every anchor is reported, as that
//! automaton would report it, whichever kernel runs (`tests/it/prefilter.rs`).

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod classes;
mod rarity;
mod sieve;
mod simd;
mod trigrams;
mod windows;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use aho_corasick::{AhoCorasick, MatchKind};

pub use rarity::{BUCKETS, bucket_key, gram_slot};
pub use simd::{Simd, UnknownSimd};
pub use trigrams::{trigram, trigrams};

pub use sieve::Strip;
use sieve::{BEHIND, BLOCK, Sieve};
use windows::Windows;

use crate::machine::prefetch;

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

    /// Whether it stands in any ASCII case.
    pub fn ignore_case(&self) -> bool {
        self.ignore_case
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Its bytes; in lower case when case does not matter.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    #[inline]
    fn is_at(&self, text: &[u8], start: usize) -> bool {
        let Some(there) = text.get(start..).and_then(|rest| rest.first_chunk()) else {
            return self.is_at_end(text, start);
        };
        let there = u128::from_le_bytes(*there);
        let there = if self.ignore_case {
            lower(there)
        } else {
            there
        };
        let different = there ^ u128::from_le_bytes(self.bytes);
        different << (8 * (Self::LONGEST - self.len())) == 0
    }

    /// As [`Anchor::is_at`], where `text` has less than an anchor's most bytes.
    #[cold]
    fn is_at_end(&self, text: &[u8], start: usize) -> bool {
        let Some(there) = text.get(start..start + self.len()) else {
            return false;
        };
        match self.ignore_case {
            true => there.eq_ignore_ascii_case(self.bytes()),
            false => there == self.bytes(),
        }
    }
}

/// Sixteen bytes with ASCII letters in lower case.
#[inline(always)]
fn lower(bytes: u128) -> u128 {
    const fn each(byte: u8) -> u128 {
        u128::from_le_bytes([byte; 16])
    }
    let low = bytes & each(0x7f);
    let from_a = low + each(0x80 - b'A');
    let behind_z = low + each(0x7f - b'Z');
    bytes | (from_a & !behind_z & !bytes & each(0x80)) >> 2
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

/// Memory that processors fetch ahead in, in bytes.
const PAGE: usize = 4096;

/// Shortest anchor that has a window, in bytes.
const LEAST: usize = 4;

impl Prefilter {
    /// Builds the tables: a fraction of a millisecond for thousands of anchors.
    ///
    /// # Panics
    ///
    /// When the processor cannot run `simd`.
    pub fn new(anchors: Vec<Anchor>, simd: Simd) -> Self {
        let numbered = anchors.iter().enumerate();
        let long = numbered.filter(|(_, anchor)| anchor.len() >= LEAST);
        let long: Vec<_> = long
            .map(|(number, &anchor)| (number as u32, anchor))
            .collect();
        let (sieve, windows) = Sieve::new(&long, simd);
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
            let next = at + self.find_in_strip(text, at, &text[at..], strip, hits);
            // Processors fetch ahead of themselves, but not beyond a page.
            let ahead = next + PAGE..(2 * next - at + PAGE).min(text.len());
            ahead.step_by(BLOCK).for_each(|block| prefetch(text, block));
            at = next;
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
        let windows = &self.windows;
        match &self.sieve {
            Sieve::Trigrams(trigrams) => {
                let (count, len) = trigrams.sift(sifted, strip);
                for &after in strip.keep_around(count, (text, at), windows) {
                    if let Some(start) = (at + usize::from(after)).checked_sub(1) {
                        windows.find(text, start, &self.anchors, hits);
                    }
                }
                len
            }
            #[cfg(target_arch = "x86_64")]
            Sieve::Classes(classes) => {
                let (count, len) = classes.sift(sifted, strip);
                for &start in strip.keep(count, sifted, windows) {
                    windows.find(text, at + usize::from(start), &self.anchors, hits);
                }
                len
            }
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
