//! Identities of age: Bech32 (BIP-173), which ends in a checksum of 30 bits.

use super::{Candidate, Verdict};

const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM: usize = 6;

/// `AGE-SECRET-KEY-1…` in one case, upper or lower.
pub(super) fn bech32(candidate: Candidate<'_>) -> Verdict {
    match verify(candidate.secret()) {
        Some(true) => Verdict::checksum("Bech32"),
        _ => Verdict::Refuted,
    }
}

fn verify(secret: &[u8]) -> Option<bool> {
    let at = secret.iter().rposition(|&c| c == b'1')?;
    let (prefix, data) = (&secret[..at], &secret[at + 1..]);
    let mixed =
        secret.iter().any(u8::is_ascii_lowercase) && secret.iter().any(u8::is_ascii_uppercase);
    if prefix.is_empty() || data.len() < CHECKSUM || mixed {
        return None;
    }
    let lower = |c: &u8| c.to_ascii_lowercase();
    let mut sum = Polymod(1);
    prefix.iter().map(lower).for_each(|c| sum.push(c >> 5));
    sum.push(0);
    prefix.iter().map(lower).for_each(|c| sum.push(c & 31));
    for c in data.iter().map(lower) {
        sum.push(CHARSET.iter().position(|&known| known == c)? as u8);
    }
    Some(sum.0 == 1)
}

struct Polymod(u32);

impl Polymod {
    fn push(&mut self, value: u8) {
        const GENERATOR: [u32; 5] = [
            0x3b6a_57b2,
            0x2650_8e6d,
            0x1ea1_19fa,
            0x3d42_33dd,
            0x2a14_62b3,
        ];
        let top = self.0 >> 25;
        self.0 = (self.0 & 0x01ff_ffff) << 5 ^ u32::from(value);
        for (bit, generator) in GENERATOR.iter().enumerate() {
            if top >> bit & 1 == 1 {
                self.0 ^= generator;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{proves, says};
    use super::*;

    #[test]
    fn a_right_checksum_is_proved() {
        assert_eq!(proves("age-bech32", "{{age}}").as_str(), "checksum");
    }

    #[test]
    fn random_characters_and_mixed_case_are_refuted() {
        says(
            "age-bech32",
            "AGE-SECRET-KEY-1{{[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]:58}}",
            &Verdict::Refuted,
        );
        says("age-bech32", "AGE-secret-KEY-1QQQQQQQQQ", &Verdict::Refuted);
        says("age-bech32", "AGE-SECRET-KEY-1", &Verdict::Refuted);
    }

    /// From BIP-173's list of valid texts.
    #[test]
    fn texts_of_the_specification_pass() {
        assert_eq!(verify(b"A12UEL5L"), Some(true));
        assert_eq!(verify(b"a12uel5l"), Some(true));
        assert_eq!(verify(b"A12UEL5X"), Some(false));
    }
}
