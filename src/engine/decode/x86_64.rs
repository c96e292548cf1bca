//! Which of 64 bytes are base64, with AVX2.
#![expect(unsafe_code, reason = "instructions that not every processor has")]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
};

use super::runs::{ReadWords, WORD, WORDS, halves, is_base64};

/// The function, when this processor can run it.
pub(super) fn read() -> Option<ReadWords> {
    is_x86_feature_detected!("avx2").then_some(|words, to| {
        // SAFETY: the processor has AVX2.
        unsafe { read_avx2(words, to) }
    })
}

#[target_feature(enable = "avx2")]
fn read_avx2(words: &[[u8; WORD]], to: &mut [u64; WORDS]) -> u8 {
    for (word, to) in words.iter().zip(&mut *to) {
        *to = bits(word);
    }
    halves(&to[..words.len()])
}

/// For each low half of a byte, a bit for each high half with which it is base64.
const LOW: [u8; 16] = {
    let mut table = [0; 16];
    let mut byte = 0;
    while byte < 0x80 {
        if is_base64(byte) {
            table[byte as usize & 15] |= 1 << (byte >> 4);
        }
        byte += 1;
    }
    table
};

/// The bit of each high half; none for bytes that are not ASCII.
const HIGH: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0];

#[target_feature(enable = "avx2")]
#[inline]
fn bits(bytes: &[u8; WORD]) -> u64 {
    // SAFETY: tables and halves of a word have as many bytes as the registers.
    let table = |table: &[u8; 16]| unsafe { _mm_loadu_si128(table.as_ptr().cast::<__m128i>()) };
    let low = _mm256_broadcastsi128_si256(table(&LOW));
    let high = _mm256_broadcastsi128_si256(table(&HIGH));
    let four = _mm256_set1_epi8(15);
    let mut bits = 0;
    let (halves, _) = bytes.as_chunks::<32>();
    for (number, half) in halves.iter().enumerate() {
        // SAFETY: as above.
        let half = unsafe { _mm256_loadu_si256(half.as_ptr().cast::<__m256i>()) };
        let lows = _mm256_shuffle_epi8(low, _mm256_and_si256(half, four));
        let highs = _mm256_and_si256(_mm256_srli_epi16(half, 4), four);
        let both = _mm256_and_si256(lows, _mm256_shuffle_epi8(high, highs));
        let none = _mm256_cmpeq_epi8(both, _mm256_setzero_si256());
        bits |= u64::from(!_mm256_movemask_epi8(none) as u32) << (32 * number);
    }
    bits
}
