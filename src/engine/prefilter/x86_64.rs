//! The steps of the sieves compiled for wide registers, and lists made with them.
#![expect(unsafe_code, reason = "instructions that not every processor has")]

use std::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_setr_epi8, _mm256_add_epi16, _mm256_and_si256,
    _mm256_cmpeq_epi8, _mm256_cvtepu8_epi16, _mm256_loadu_si256, _mm256_movemask_epi8,
    _mm256_set_m128i, _mm256_set1_epi16, _mm256_setzero_si256, _mm256_storeu_si256,
    _mm512_and_si512, _mm512_castsi512_si128, _mm512_extracti32x4_epi32, _mm512_loadu_si512,
    _mm512_maskz_compress_epi8, _mm512_or_si512, _mm512_permutex2var_epi8, _mm512_test_epi8_mask,
};

use super::LEAST;
use super::classes::Tables;
use super::sieve::{BLOCK, Strip};
use super::trigrams::{Table, hashes};

/// The kernel for AVX2.
pub(super) fn avx2(table: &Table, text: &[u8], strip: &mut Strip) -> usize {
    // SAFETY: `Sieve::new` makes no sieve with a kernel that the processor lacks.
    unsafe { sift_avx2(table, text, strip) }
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn sift_avx2(table: &Table, text: &[u8], strip: &mut Strip) -> usize {
    let blocks = hashes(text, &mut strip.steps);
    let none = _mm256_setzero_si256();
    let mut count = 0;
    let steps = &strip.steps;
    let each = steps.hashes[..blocks].iter().zip(&steps.next);
    for (number, (hashes, next)) in each.enumerate() {
        let [first, second] = hashes.as_chunks().0 else {
            unreachable!("a block has 32 places");
        };
        let answers = _mm256_set_m128i(answers(table, second), answers(table, first));
        // SAFETY: a block's bits are 32 bytes, as the register is.
        let next = unsafe { _mm256_loadu_si256(next.as_ptr().cast::<__m256i>()) };
        let missing = _mm256_and_si256(answers, next);
        let mut left = _mm256_movemask_epi8(_mm256_cmpeq_epi8(missing, none)) as u32;
        let found = left.count_ones() as usize;
        let mut listed = 0;
        // Two at a time, and two in any case: whether there is one more is hard to foretell.
        loop {
            for place in &mut strip.places[count + listed..count + listed + 2] {
                *place = (64 * number as u32).wrapping_add(2 * left.trailing_zeros()) as u16;
                left &= left.wrapping_sub(1);
            }
            listed += 2;
            if listed >= found {
                break;
            }
        }
        count += found;
    }
    count
}

/// The table's answers to sixteen hashes, loaded into their places of a register.
#[target_feature(enable = "avx2")]
#[inline]
fn answers(table: &Table, hashes: &[u16; 16]) -> __m128i {
    // No closure: one that has this function's instructions is not put into library code without them.
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *hashes;
    _mm_setr_epi8(
        answer(table, a),
        answer(table, b),
        answer(table, c),
        answer(table, d),
        answer(table, e),
        answer(table, f),
        answer(table, g),
        answer(table, h),
        answer(table, i),
        answer(table, j),
        answer(table, k),
        answer(table, l),
        answer(table, m),
        answer(table, n),
        answer(table, o),
        answer(table, p),
    )
}

#[inline(always)]
fn answer(table: &Table, hash: u16) -> i8 {
    table[usize::from(hash)] as i8
}

/// The kernel for AVX-512 with VBMI and VBMI2.
pub(super) fn classes(tables: &Tables, text: &[u8], strip: &mut Strip) -> usize {
    // SAFETY: `Sieve::new` makes no sieve with a kernel that the processor lacks.
    unsafe { sift_classes(tables, text, strip) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt,bmi1,bmi2")]
fn sift_classes(tables: &Tables, text: &[u8], strip: &mut Strip) -> usize {
    // As many tables at a time as there are registers for.
    let first = [Registers::of(&tables[0]), Registers::of(&tables[1])];
    let second = [Registers::of(&tables[2]), Registers::of(&tables[3])];
    let blocks = text.len() / BLOCK;
    for (block, mask) in strip.taken[..blocks].iter_mut().enumerate() {
        *mask = taken(&first, &text[block * BLOCK..]);
    }
    let mut places = Places::new();
    let mut count = 0;
    for (block, &mask) in strip.taken[..blocks].iter().enumerate() {
        let mask = mask | taken(&second, &text[block * BLOCK..]);
        count += places.list(mask, &mut strip.places[count..]);
    }
    count
}

/// The tables of a group, each in two registers.
#[derive(Clone, Copy)]
struct Registers([[__m512i; 2]; LEAST]);

impl Registers {
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn of(tables: &[[u8; 128]; LEAST]) -> Self {
        let half = |place: usize, half: usize| load(&tables[place].as_chunks().0[half]);
        let place = |place: usize| [half(place, 0), half(place, 1)];
        Self([place(0), place(1), place(2), place(3)])
    }
}

/// The places of the first block of `text` that a bucket of `groups` takes.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn taken(groups: &[Registers; 2], text: &[u8]) -> u64 {
    let text = text.first_chunk::<{ BLOCK + LEAST - 1 }>();
    let text = text.expect("there are bytes behind the last block");
    let bytes = |place: usize| load(text[place..].first_chunk().expect("as long as a block"));
    let bytes = [bytes(0), bytes(1), bytes(2), bytes(3)];
    let by = |Registers(tables): &Registers| {
        let buckets = |place: usize| {
            _mm512_permutex2var_epi8(tables[place][0], bytes[place], tables[place][1])
        };
        let all = _mm512_and_si512(buckets(0), buckets(1));
        _mm512_and_si512(all, _mm512_and_si512(buckets(2), buckets(3)))
    };
    let any = _mm512_or_si512(by(&groups[0]), by(&groups[1]));
    _mm512_test_epi8_mask(any, any)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: 64 bytes fill the register.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast::<__m512i>()) }
}

/// The offsets of the places of a block.
struct Places {
    in_block: __m512i,
    /// The offset of the block, sixteen times.
    block: __m256i,
}

impl Places {
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn new() -> Self {
        const IN_BLOCK: [u8; 64] = {
            let mut offsets = [0; 64];
            let mut at = 0;
            while at < 64 {
                offsets[at] = at as u8;
                at += 1;
            }
            offsets
        };
        Self {
            in_block: load(&IN_BLOCK),
            block: _mm256_setzero_si256(),
        }
    }

    /// Writes those of the block's places that `mask` names, and goes on to the next block.
    /// Returns their number.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
    #[inline]
    fn list(&mut self, mask: u64, to: &mut [u16]) -> usize {
        let found = mask.count_ones() as usize;
        let listed = _mm512_maskz_compress_epi8(mask, self.in_block);
        self.write(_mm512_castsi512_si128(listed), to);
        if found > 16 {
            self.write(_mm512_extracti32x4_epi32::<1>(listed), &mut to[16..]);
            self.write(_mm512_extracti32x4_epi32::<2>(listed), &mut to[32..]);
            self.write(_mm512_extracti32x4_epi32::<3>(listed), &mut to[48..]);
        }
        self.block = _mm256_add_epi16(self.block, _mm256_set1_epi16(BLOCK as i16));
        found
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn write(&self, in_block: __m128i, to: &mut [u16]) {
        let places = _mm256_add_epi16(_mm256_cvtepu8_epi16(in_block), self.block);
        let to = to.first_chunk_mut::<16>();
        let to = to.expect("there is room for all places");
        // SAFETY: the array has room for the register.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast::<__m256i>(), places) };
    }
}
