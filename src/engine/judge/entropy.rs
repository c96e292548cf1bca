//! Shannon entropy: how evenly the bytes of a value are spread.
//!
//! Cheap, and blind to order: `abcdefgh` scores as well as random letters. What an attacker has to
//! guess is [`super::guess`]'s question.

/// Bits per byte; 0 for the empty value.
pub fn shannon(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len() as f64;
    let seen = counts.iter().filter(|&&count| count > 0);
    seen.map(|&count| {
        let share = f64::from(count) / total;
        -share * share.log2()
    })
    .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(shannon(b""), 0.0);
        assert_eq!(shannon(b"aaaa"), 0.0);
        assert_eq!(shannon(b"abab"), 1.0);
        assert_eq!(shannon(b"0123456789abcdef"), 4.0);
        assert!((shannon(b"aab") - 0.918_295_834).abs() < 1e-8);
    }

    proptest! {
        #[test]
        fn bounded_and_blind_to_order(bytes in prop::collection::vec(any::<u8>(), 1..300)) {
            let bits = shannon(&bytes);
            prop_assert!((0.0..=8.0).contains(&bits));
            let mut sorted = bytes;
            sorted.sort_unstable();
            prop_assert_eq!(bits, shannon(&sorted));
        }
    }
}
