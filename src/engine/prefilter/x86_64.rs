//! The steps of the sieve compiled for wide registers, and lists made with them.
#![expect(unsafe_code, reason = "instructions that not every processor has")]

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8,
    _mm256_setzero_si256, _mm256_testn_epi8_mask, _mm512_add_epi16, _mm512_loadu_si512,
    _mm512_maskz_compress_epi16, _mm512_set1_epi16, _mm512_storeu_si512,
};

use super::sieve::{Strip, Table, answers, hashes};

/// The kernel for AVX2.
pub(super) fn avx2(table: &Table, text: &[u8], strip: &mut Strip) -> usize {
    // SAFETY: `Sieve::new` makes no sieve with a kernel that the processor lacks.
    unsafe { sift_avx2(table, text, strip) }
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn sift_avx2(table: &Table, text: &[u8], strip: &mut Strip) -> usize {
    let blocks = hashes(text, strip);
    answers(table, blocks, strip);
    let none = _mm256_setzero_si256();
    let mut count = 0;
    for (number, missing) in strip.missing[..blocks].iter().enumerate() {
        // SAFETY: a block's answers are 32 bytes, as the register is.
        let missing = unsafe { _mm256_loadu_si256(missing.as_ptr().cast::<__m256i>()) };
        let mut left = _mm256_movemask_epi8(_mm256_cmpeq_epi8(missing, none)) as u32;
        let found = left.count_ones() as usize;
        let mut listed = 0;
        // Two at a time: whether there is one more is hard to foretell.
        while listed < found {
            for place in &mut strip.places[count + listed..count + listed + 2] {
                *place = (64 * number as u32).wrapping_add(2 * left.trailing_zeros()) as u16;
                left &= left.wrapping_sub(1);
            }
            listed += 2;
        }
        count += found;
    }
    count
}

/// The kernel for AVX-512 with VBMI2.
pub(super) fn avx512(table: &Table, text: &[u8], strip: &mut Strip) -> usize {
    // SAFETY: `Sieve::new` makes no sieve with a kernel that the processor lacks.
    unsafe {
        let blocks = hashes_avx512(text, strip);
        // With wider registers a compiler would gather here, which is slower than single loads.
        answers_avx2(table, blocks, strip);
        list_avx512(blocks, strip)
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn hashes_avx512(text: &[u8], strip: &mut Strip) -> usize {
    hashes(text, strip)
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
fn answers_avx2(table: &Table, blocks: usize, strip: &mut Strip) {
    answers(table, blocks, strip);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
fn list_avx512(blocks: usize, strip: &mut Strip) -> usize {
    const OFFSETS: [u16; 32] = {
        let mut offsets = [0; 32];
        let mut at = 0;
        while at < 32 {
            offsets[at] = 2 * at as u16;
            at += 1;
        }
        offsets
    };
    // SAFETY: 32 numbers of two bytes fill the register.
    let mut offsets = unsafe { _mm512_loadu_si512(OFFSETS.as_ptr().cast::<__m512i>()) };
    let step = _mm512_set1_epi16(64);
    let mut count = 0;
    for missing in &strip.missing[..blocks] {
        // SAFETY: a block's answers are 32 bytes, as the register is.
        let missing = unsafe { _mm256_loadu_si256(missing.as_ptr().cast::<__m256i>()) };
        let passed = _mm256_testn_epi8_mask(missing, missing);
        let listed = _mm512_maskz_compress_epi16(passed, offsets);
        let to = &mut strip.places[count..count + 32];
        // SAFETY: the slice has room for the register.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast::<__m512i>(), listed) };
        count += passed.count_ones() as usize;
        offsets = _mm512_add_epi16(offsets, step);
    }
    count
}
