//! Ids that are the same on every machine and no dictionary oracle (ADR 0002).
//!
//! A value that cannot be guessed gets a domain-separated hash; one that could be guessed gets an
//! id from where it stands, in which the value has no part. With an organisation's key both are
//! an HMAC of the value, and links hold across repositories.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::model::FindingId;

/// Bytes of a hash that an id shows: 128 bits.
const SHOWN: usize = 16;

/// An organisation's secret key for finding ids.
#[derive(Clone)]
pub struct FingerprintKey(Vec<u8>);

/// A key file that protects nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the fingerprint key has under 32 bytes; make one with `openssl rand -hex 32`")]
pub struct KeyTooShort;

impl FingerprintKey {
    /// Takes the content of a key file; a line end at the end does not count.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyTooShort> {
        let bytes = bytes.trim_ascii_end();
        match bytes.len() >= 32 {
            true => Ok(Self(bytes.to_vec())),
            false => Err(KeyTooShort),
        }
    }
}

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FingerprintKey(****)")
    }
}

/// Where a guessable value stands: nothing here depends on the value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StructuralPlace<'a> {
    /// The path at which the file's lineage began.
    pub origin: &'a [u8],
    /// Keys around it, outermost first, separated by `/`.
    pub key_path: &'a str,
    /// Which of several different values at this place in one blob.
    pub ordinal: u32,
}

/// The id of a value that cannot be guessed.
pub fn of_value(detector: &str, secret: &[u8]) -> FindingId {
    let mut hash = Sha256::new();
    absorb(
        &[b"straykey/finding/value/v1", detector.as_bytes(), secret],
        |part| hash.update(part),
    );
    shown("v1-", &hash.finalize())
}

/// The id of a value that could be guessed.
pub fn of_place(detector: &str, place: &StructuralPlace<'_>) -> FindingId {
    let mut hash = Sha256::new();
    let parts: [&[u8]; 5] = [
        b"straykey/finding/place/v1",
        detector.as_bytes(),
        place.origin,
        place.key_path.as_bytes(),
        &place.ordinal.to_be_bytes(),
    ];
    absorb(&parts, |part| hash.update(part));
    shown("p1-", &hash.finalize())
}

/// The id of any value under an organisation's key.
pub fn of_keyed_value(key: &FingerprintKey, detector: &str, secret: &[u8]) -> FindingId {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes keys of any length");
    let parts: [&[u8]; 3] = [b"straykey/finding/keyed/v1", detector.as_bytes(), secret];
    absorb(&parts, |part| mac.update(part));
    shown("k1-", &mac.finalize().into_bytes())
}

/// Hands over each part behind its length, so that no two lists of parts are one text.
fn absorb(parts: &[&[u8]], mut update: impl FnMut(&[u8])) {
    for part in parts {
        update(&(part.len() as u64).to_be_bytes());
        update(part);
    }
}

fn shown(scheme: &str, hash: &[u8]) -> FindingId {
    FindingId::new(format!("{scheme}{}", HEXLOWER.encode(&hash[..SHOWN])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_detector_and_value_and_on_nothing_else() {
        let id = of_value("a", b"value");
        assert_eq!(id, of_value("a", b"value"));
        assert_ne!(id, of_value("b", b"value"));
        assert_ne!(id, of_value("a", b"valuf"));
        assert_ne!(of_value("ab", b"c"), of_value("a", b"bc"));
    }

    #[test]
    fn ids_of_places_do_not_know_the_value() {
        let place = StructuralPlace {
            origin: b"app.env",
            key_path: "DB_PASSWORD",
            ordinal: 0,
        };
        let moved = StructuralPlace {
            ordinal: 1,
            ..place
        };
        assert_eq!(of_place("a", &place), of_place("a", &place));
        assert_ne!(of_place("a", &place), of_place("a", &moved));
    }

    #[test]
    fn a_key_of_an_organisation_changes_every_id_and_must_be_long() {
        let one = FingerprintKey::new(&[b'1'; 32]).expect("long enough");
        let two = FingerprintKey::new(&[b'2'; 32]).expect("long enough");
        assert_ne!(
            of_keyed_value(&one, "a", b"v"),
            of_keyed_value(&two, "a", b"v")
        );
        assert_eq!(FingerprintKey::new(b"short\n").err(), Some(KeyTooShort));
    }
}
