//! Whether a number is the product of two others, for RSA keys: n = p·q (RFC 8017, 3.2).
//!
//! The numbers are those of a key that was found, so that time tells nothing that is still secret.

use std::cmp::Ordering;

/// The longest modulus that is computed, in bytes; keys of 16384 bits are the longest in use.
/// Keeps the work on hostile input small.
const LONGEST: usize = 2048;

/// Whether `p` times `q` is `n`, all of them big-endian; `None` where a factor is missing (0, as
/// keys without the means of the Chinese remainder theorem have it) or the numbers are too long.
pub(super) fn is_product(n: &[u8], p: &[u8], q: &[u8]) -> Option<bool> {
    let (n, p, q) = (trimmed(n), trimmed(p), trimmed(q));
    if p.is_empty() || q.is_empty() || [n, p, q].iter().any(|it| it.len() > LONGEST) {
        return None;
    }
    Some(trimmed(&product(p, q)).cmp(n) == Ordering::Equal)
}

/// The product of two big-endian numbers, by rows as on paper.
fn product(p: &[u8], q: &[u8]) -> Vec<u8> {
    let (p, q) = (limbs(p), limbs(q));
    let mut sum = vec![0u32; p.len() + q.len()];
    for (row, &left) in p.iter().enumerate() {
        let mut carry = 0u64;
        for (cell, &right) in sum[row..].iter_mut().zip(&q) {
            // (2³² − 1)² + 2·(2³² − 1) is the most, which just fits.
            let wide = u64::from(left) * u64::from(right) + u64::from(*cell) + carry;
            *cell = wide as u32;
            carry = wide >> 32;
        }
        sum[row + q.len()] = carry as u32;
    }
    let bytes = sum.iter().rev().flat_map(|limb| limb.to_be_bytes());
    bytes.collect()
}

/// Little-endian groups of four bytes.
fn limbs(bytes: &[u8]) -> Vec<u32> {
    let limb = |chunk: &[u8]| {
        chunk
            .iter()
            .fold(0, |sum, &byte| sum << 8 | u32::from(byte))
    };
    bytes.rchunks(4).map(limb).collect()
}

fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    &number[zeros..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn missing_and_overlong_numbers_are_not_judged() {
        assert_eq!(is_product(&[6], &[2], &[3]), Some(true));
        assert_eq!(is_product(&[0, 6], &[0, 2], &[3]), Some(true));
        assert_eq!(is_product(&[7], &[2], &[3]), Some(false));
        assert_eq!(is_product(&[6], &[0], &[3]), None);
        assert_eq!(is_product(&[6], &[2], &[]), None);
        assert_eq!(is_product(&[1; LONGEST + 1], &[2], &[3]), None);
    }

    /// Carries run through all limbs: (2ⁿ − 1)² = 2²ⁿ − 2ⁿ⁺¹ + 1.
    #[test]
    fn carries_run_through() {
        for bytes in [1, 3, 4, 5, 64, 127] {
            let factor = vec![0xff; bytes];
            let mut square = vec![0xff; bytes];
            square[bytes - 1] = 0xfe;
            square.resize(2 * bytes, 0);
            square[2 * bytes - 1] = 1;
            assert_eq!(is_product(&square, &factor, &factor), Some(true), "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn products_are_those_of_the_machine(p in 1u64.., q in 1u64..) {
            let n = u128::from(p) * u128::from(q);
            let (p, q) = (p.to_be_bytes(), q.to_be_bytes());
            prop_assert_eq!(is_product(&n.to_be_bytes(), &p, &q), Some(true));
            prop_assert_eq!(is_product(&(n ^ 1).to_be_bytes(), &p, &q), Some(false));
        }
    }
}
