//! Identities of age, and keys of others, in Bech32 (BIP-173), which ends in a checksum of 30 bits.

use super::{Candidate, Verdict, curve25519};

const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM: usize = 6;

/// `AGE-SECRET-KEY-1…`, `nsec1…`: in one case, upper or lower.
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

/// The recipient of a classic identity, `age1…`: its X25519 public key in Bech32. Those with a
/// post-quantum half have other recipients.
pub(super) fn recipient(identity: &[u8]) -> Option<String> {
    const CLASSIC: &[u8] = b"age-secret-key-1";
    let identity = identity.to_ascii_lowercase();
    let data = identity.strip_prefix(CLASSIC)?;
    if verify(&identity) != Some(true) {
        return None;
    }
    let secret = bytes(&data[..data.len() - CHECKSUM])?.try_into().ok()?;
    Some(encode("age", &curve25519::x25519(&secret)))
}

/// Whether `text` is a recipient with a right checksum.
pub(super) fn is_recipient(text: &[u8]) -> bool {
    text.starts_with(b"age1") && verify(text) == Some(true)
}

/// Groups of five bits as bytes; bits that are left over must be none.
fn bytes(data: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(data.len() * 5 / 8);
    let (mut held, mut bits) = (0u32, 0);
    for c in data {
        let value = CHARSET.iter().position(|known| known == c)?;
        held = (held << 5 | value as u32) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    (held & ((1 << bits) - 1) == 0).then_some(bytes)
}

fn encode(prefix: &str, bytes: &[u8]) -> String {
    let mut values = Vec::with_capacity(bytes.len() * 8 / 5 + 1 + CHECKSUM);
    let (mut held, mut bits) = (0u32, 0);
    for &byte in bytes {
        held = (held << 8 | u32::from(byte)) & 0xfff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            values.push((held >> bits & 31) as u8);
        }
    }
    if bits > 0 {
        values.push((held << (5 - bits) & 31) as u8);
    }
    let mut sum = Polymod(1);
    prefix.bytes().for_each(|c| sum.push(c >> 5));
    sum.push(0);
    prefix.bytes().for_each(|c| sum.push(c & 31));
    values.iter().for_each(|&value| sum.push(value));
    (0..CHECKSUM).for_each(|_| sum.push(0));
    let sum = sum.0 ^ 1;
    values.extend((0..CHECKSUM).map(|at| (sum >> (5 * (CHECKSUM - 1 - at)) & 31) as u8));
    let text = values
        .iter()
        .map(|&value| char::from(CHARSET[usize::from(value)]));
    format!("{prefix}1{}", text.collect::<String>())
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

    /// The key of RFC 7748, 5.2, whose public half is printed there.
    #[test]
    fn the_recipient_is_the_public_half() {
        let mut nine = [0; 32];
        nine[0] = 9;
        let identity = encode("age-secret-key-", &nine).to_ascii_uppercase();
        assert_eq!(verify(identity.as_bytes()), Some(true));
        let recipient = recipient(identity.as_bytes()).expect("one");
        assert_eq!(recipient, encode("age", &curve25519::x25519(&nine)));
        assert!(is_recipient(recipient.as_bytes()) && recipient.len() == 62);
        let public = bytes(&recipient.as_bytes()[4..56]).expect("bits");
        assert_eq!(public, curve25519::x25519(&nine));
        let damaged = identity.replacen("-1", "-1Q", 1);
        assert_eq!(super::recipient(damaged.as_bytes()), None);
    }

    /// From BIP-173's list of valid texts.
    #[test]
    fn texts_of_the_specification_pass() {
        assert_eq!(verify(b"A12UEL5L"), Some(true));
        assert_eq!(verify(b"a12uel5l"), Some(true));
        assert_eq!(verify(b"A12UEL5X"), Some(false));
    }
}
