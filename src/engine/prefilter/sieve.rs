//! The first stage: the places of a text where a window may start.

#[cfg(target_arch = "x86_64")]
use super::classes::Classes;
use super::trigrams::{Steps, Trigrams};
use super::windows::Windows;
use super::{Anchor, Simd};

/// Bytes that a kernel takes at a time.
pub(super) const BLOCK: usize = 64;
/// Bytes that a kernel reads behind its last block.
pub(super) const BEHIND: usize = 4;

/// What a kernel asks.
#[derive(Debug)]
pub(super) enum Sieve {
    Trigrams(Trigrams),
    #[cfg(target_arch = "x86_64")]
    Classes(Classes),
}

impl Sieve {
    /// A sieve for a window of each of `anchors`, which have their numbers, and the offsets of
    /// these windows.
    ///
    /// # Panics
    ///
    /// When the processor cannot run `simd`.
    pub(super) fn new(anchors: &[(u32, Anchor)], simd: Simd) -> (Self, Vec<(u32, usize)>) {
        assert!(simd.is_supported(), "this processor has no {simd}");
        match simd {
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => {
                let (classes, windows) = Classes::new(anchors);
                (Self::Classes(classes), windows)
            }
            _ => {
                let (trigrams, windows) = Trigrams::new(anchors, simd);
                (Self::Trigrams(trigrams), windows)
            }
        }
    }
}

/// What the steps hand on: memory that a thread reuses.
#[derive(Debug)]
#[repr(align(64))]
pub struct Strip {
    pub(super) steps: Steps,
    /// A bit for each place of a block where a bucket takes what stands there.
    #[cfg(target_arch = "x86_64")]
    pub(super) taken: [u64; Self::BLOCKS],
    /// Offsets of the places that passed. Kernels write whole registers, beyond the last too.
    pub(super) places: [u16; Self::BLOCKS * BLOCK + 64],
    kept: [u16; Self::BLOCKS * BLOCK + 1],
}

impl Strip {
    /// Blocks of the longest strip: what the steps hand on stays in the first cache.
    pub(super) const BLOCKS: usize = 32;

    /// Those of the first `count` places where a window starts that may be an anchor's; `text` is
    /// the strip.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn keep(&mut self, count: usize, text: &[u8], windows: &Windows) -> &[u16] {
        // Without a branch: few of the places that passed have a window, and which cannot be
        // foretold.
        let mut kept = 0;
        for &place in &self.places[..count] {
            let window = text.get(usize::from(place)..);
            let window = window.and_then(|rest| rest.first_chunk());
            let may = window.is_none_or(|&window| windows.knows(u32::from_le_bytes(window)));
            self.kept[kept] = place;
            kept += usize::from(may);
        }
        self.sort_out(kept, text, 0, windows)
    }

    /// As [`Strip::keep`], for the strip at `at` of `text`, and for windows that start at one of
    /// the places or a byte before it. Returns one more than the offsets in the strip.
    #[inline(always)]
    pub(super) fn keep_around(
        &mut self,
        count: usize,
        (text, at): (&[u8], usize),
        windows: &Windows,
    ) -> &[u16] {
        let mut kept = 0;
        for &place in &self.places[..count] {
            let before = (at + usize::from(place)).wrapping_sub(1);
            let both = text.get(before..).and_then(|rest| rest.first_chunk());
            let may = both.map_or([true; 2], |&both| {
                let both = u64::from_le_bytes(both);
                [both, both >> 8].map(|window| windows.knows(window as u32))
            });
            for (place, may) in (place..).zip(may) {
                self.kept[kept] = place;
                kept += usize::from(may);
            }
        }
        self.sort_out(kept, text, at.wrapping_sub(1), windows)
    }

    /// Those of the first `count` that were kept where an anchor may stand; they count from `at`
    /// in `text`.
    #[inline(always)]
    fn sort_out(&mut self, count: usize, text: &[u8], at: usize, windows: &Windows) -> &[u16] {
        let mut left = 0;
        for &place in &self.kept[..count] {
            self.places[left] = place;
            left += usize::from(windows.may_find(text, at.wrapping_add(usize::from(place))));
        }
        &self.places[..left]
    }
}

impl Default for Strip {
    fn default() -> Self {
        Self {
            steps: Steps::default(),
            #[cfg(target_arch = "x86_64")]
            taken: [0; Self::BLOCKS],
            places: [0; Self::BLOCKS * BLOCK + 64],
            kept: [0; Self::BLOCKS * BLOCK + 1],
        }
    }
}
