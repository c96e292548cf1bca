//! A list of the sieve made with NEON, which every such processor has: the compiler spreads the
//! hashes over its registers unasked.
#![expect(unsafe_code, reason = "instructions of one kind of processor")]

use std::arch::aarch64::{
    vceqzq_u8, vget_lane_u64, vld1q_u8, vreinterpret_u64_u8, vreinterpretq_u16_u8, vshrn_n_u16,
};

use super::sieve::Strip;
use super::trigrams::{Table, answers, hashes};

/// The kernel for NEON.
pub(super) fn neon(table: &Table, text: &[u8], strip: &mut Strip) -> usize {
    // SAFETY: `Sieve::new` makes no sieve with a kernel that the processor lacks.
    unsafe { sift_neon(table, text, strip) }
}

#[target_feature(enable = "neon")]
fn sift_neon(table: &Table, text: &[u8], strip: &mut Strip) -> usize {
    let blocks = hashes(text, &mut strip.steps);
    answers(table, blocks, &mut strip.steps);
    let mut count = 0;
    let (halves, _) = strip.steps.missing[..blocks]
        .as_flattened()
        .as_chunks::<16>();
    for (number, half) in halves.iter().enumerate() {
        // SAFETY: the array fills the register.
        let passed = vceqzq_u8(unsafe { vld1q_u8(half.as_ptr()) });
        // Four bits for each place, of which one is kept.
        let narrow = vshrn_n_u16::<4>(vreinterpretq_u16_u8(passed));
        let mut left = vget_lane_u64::<0>(vreinterpret_u64_u8(narrow)) & 0x1111_1111_1111_1111;
        while left != 0 {
            strip.places[count] = (32 * number as u32 + left.trailing_zeros() / 2) as u16;
            left &= left - 1;
            count += 1;
        }
    }
    count
}
