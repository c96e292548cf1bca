//! Where a byte stands in a block of text.

/// Bytes of a block.
pub(crate) const BLOCK: usize = 64;

/// A bit for each byte of `block` that is `byte`, the first lowest.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "a load into a register")]
#[inline(always)]
pub(crate) fn places(block: &[u8; BLOCK], byte: u8) -> u64 {
    // What every processor of this kind has (SSE2).
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8,
    };

    let (quarters, _) = block.as_chunks::<16>();
    quarters.iter().rev().fold(0, |all, quarter| {
        // SAFETY: the array fills the register, and every processor of this kind has SSE2.
        let equal = unsafe {
            let there = _mm_loadu_si128(quarter.as_ptr().cast::<__m128i>());
            _mm_movemask_epi8(_mm_cmpeq_epi8(there, _mm_set1_epi8(byte as i8)))
        };
        all << 16 | u64::from(equal as u16)
    })
}

/// A bit for each byte of `block` that is `byte`, the first lowest.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn places(block: &[u8; BLOCK], byte: u8) -> u64 {
    portable(block, byte)
}

/// Eight bytes at a time, as numbers.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn portable(block: &[u8; BLOCK], byte: u8) -> u64 {
    const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);
    let (words, _) = block.as_chunks::<8>();
    words.iter().rev().fold(0, |all, word| {
        let different = u64::from_le_bytes(*word) ^ u64::from_ne_bytes([byte; 8]);
        // The highest bit of each byte that is zero, brought together.
        let equal = !(((different & LOW) + LOW) | different | LOW) >> 7;
        all << 8 | equal.wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_bit() {
        for at in 0..BLOCK {
            for other in [b'a', b'\n' | 0x80, b'\n' ^ 1, 0] {
                let mut block = [other; BLOCK];
                block[at] = b'\n';
                block[(at + 11) % BLOCK] = b'\n';
                let expected = 1 << at | 1 << ((at + 11) % BLOCK);
                assert_eq!(places(&block, b'\n'), expected);
                assert_eq!(portable(&block, b'\n'), expected);
            }
        }
        assert_eq!(places(&[7; BLOCK], 7), u64::MAX);
        assert_eq!(portable(&[7; BLOCK], 7), u64::MAX);
    }
}
