//! Keys in base58: those with a checksum (base58check, as Bitcoin and Tezos have it), and pairs of
//! Ed25519 whose second half is the public key of the first (Solana, NEAR).

use sha2::{Digest, Sha256};

use super::{Candidate, Verdict, curve25519};

/// Bitcoin's order of digits.
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// A longer text is no key, and decoding takes time by its square.
const LONGEST: usize = 160;

/// Any base58check: four bytes of SHA-256, twice, of all before.
pub(super) fn check(candidate: Candidate<'_>) -> Verdict {
    match checked(candidate.secret()) {
        Some(_) => Verdict::checksum("base58check"),
        None => Verdict::Refuted,
    }
}

/// A private key in the wallet import format: a byte for the network, 32 of the key, and a 1 when
/// its public key is written short
/// (<https://github.com/bitcoin/bitcoin/blob/master/src/key_io.cpp>, `EncodeSecret`).
pub(super) fn wif(candidate: Candidate<'_>) -> Verdict {
    let bytes = checked(candidate.secret()).unwrap_or_default();
    let network = match bytes.first() {
        Some(0x80) => "mainnet",
        Some(0xef) => "testnet",
        // Litecoin, Dogecoin, Dash.
        Some(0xb0 | 0x9e | 0xcc) => "another chain",
        _ => return Verdict::Refuted,
    };
    match bytes.len() == 33 || (bytes.len() == 34 && bytes[33] == 1) {
        true => Verdict::checksum(format!("base58check, {network}")),
        false => Verdict::Refuted,
    }
}

/// An extended private key (BIP-32): version, depth, fingerprint of the parent, number, chain code,
/// and a zero before the key.
pub(super) fn extended(candidate: Candidate<'_>) -> Verdict {
    let bytes = checked(candidate.secret()).unwrap_or_default();
    match bytes.len() == 78 && bytes[45] == 0 {
        true => Verdict::checksum(format!("base58check, depth {}", bytes[4])),
        false => Verdict::Refuted,
    }
}

/// 64 bytes of which the last 32 are the Ed25519 public key of the first; something may stand
/// before a colon (`ed25519:`).
pub(super) fn ed25519_pair(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let start = secret
        .iter()
        .rposition(|&c| c == b':')
        .map_or(0, |at| at + 1);
    let bytes = decode(&secret[start..]).unwrap_or_default();
    let Some((seed, public)) = bytes.split_first_chunk::<32>() else {
        return Verdict::Refuted;
    };
    match public == curve25519::ed25519(seed) {
        true => Verdict::structure("Ed25519, with its public half", None),
        false => Verdict::Refuted,
    }
}

/// What stands before a right checksum.
fn checked(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = decode(text)?;
    let at = bytes.len().checked_sub(4)?;
    let sum = bytes.split_off(at);
    Sha256::digest(Sha256::digest(&bytes))
        .starts_with(&sum)
        .then_some(bytes)
}

/// The number of that base; each leading `1` is a leading zero byte.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        return None;
    }
    let zeros = text.iter().take_while(|&&c| c == b'1').count();
    // Little-endian.
    let mut number: Vec<u8> = Vec::with_capacity(text.len());
    for c in text {
        let digit = ALPHABET.iter().position(|known| known == c)?;
        let mut carry = digit as u32;
        for byte in &mut number {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            number.push(carry as u8);
        }
    }
    number.resize(number.len() + zeros, 0);
    number.reverse();
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{proves, says};
    use super::*;

    /// From the IETF draft draft-msporny-base58-03.
    #[test]
    fn texts_of_the_draft_are_decoded() {
        assert_eq!(
            decode(b"2NEpo7TZRRrLZSi2U").as_deref(),
            Some(&b"Hello World!"[..])
        );
        assert_eq!(
            decode(b"11233QC4").as_deref(),
            Some(&[0, 0, 0x28, 0x7f, 0xb4, 0xcd][..])
        );
        assert_eq!(decode(b"0"), None);
        assert_eq!(decode(&[b'2'; LONGEST + 1]), None);
        assert_eq!(decode(b""), Some(Vec::new()));
    }

    #[test]
    fn right_checksums_are_proved() {
        for (name, template) in [
            ("bitcoin-wif", "{{wif}}"),
            ("bitcoin-extended", "{{xprv}}"),
            ("base58check", "{{tezos}}"),
            ("base58check", "{{wif}}"),
        ] {
            assert_eq!(proves(name, template).as_str(), "checksum", "{name}");
        }
    }

    #[test]
    fn a_pair_is_proved_by_its_public_half() {
        for template in ["{{ed25519-pair}}", "ed25519:{{ed25519-pair}}"] {
            let proof = proves("ed25519-pair", template);
            assert_eq!(proof.as_str(), "structure");
        }
    }

    #[test]
    fn what_has_no_checksum_is_refuted() {
        const DIGIT: &str = "[1-9A-HJ-NP-Za-km-z]";
        for (name, head, count) in [
            ("bitcoin-wif", "K", 51),
            ("bitcoin-wif", "", 0),
            ("bitcoin-extended", "xprv9", 106),
            ("base58check", "edsk", 50),
            ("ed25519-pair", "", 87),
            ("ed25519-pair", "ed25519:", 0),
        ] {
            says(
                name,
                &format!("{head}{{{{{DIGIT}:{count}}}}}"),
                &Verdict::Refuted,
            );
        }
        // An extended key is none of one key.
        says("bitcoin-wif", "{{xprv}}", &Verdict::Refuted);
        says("bitcoin-extended", "{{wif}}", &Verdict::Refuted);
    }
}
