//! PKCS#12 containers (RFC 7292), raw or in base64: whether the key inside is under a password.
//!
//! Goes by the object identifiers of what the container holds, which stand in clear but where all of it
//! is encrypted at once; opens nothing and tries no password.

use super::{Candidate, Verdict, contains, decode_base64};
use crate::engine::extent::der::Bare;
use crate::model::Proof;

/// `keyBag` (1.2.840.113549.1.12.10.1.1): a private key as it is.
const KEY: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01";
/// `pkcs8ShroudedKeyBag` (1.2.840.113549.1.12.10.1.2).
const SHROUDED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02";
/// `encryptedData` of PKCS#7 (1.2.840.113549.1.7.6).
const ENCRYPTED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06";

pub(super) fn container(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let bytes = match secret.starts_with(b"0") {
        true => Some(secret.to_vec()),
        false => Bare::read(candidate.text, candidate.span.start)
            .and_then(|found| decode_base64(&found.body)),
    };
    let Some(bytes) = bytes else {
        return Verdict::Open;
    };
    let proof = |what: &str| Proof::Structure {
        what: format!("PKCS#12, {what}"),
        ends_at: None,
    };
    match () {
        () if contains(&bytes, KEY) => Verdict::Proved(proof("key unencrypted")),
        () if contains(&bytes, SHROUDED) => Verdict::Sealed(proof("key encrypted")),
        () if contains(&bytes, ENCRYPTED) => Verdict::Sealed(proof("encrypted")),
        () => Verdict::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::super::prove;
    use super::*;
    use crate::detector::template::expand;
    use crate::model::Span;

    fn verdict(bytes: &[u8]) -> Verdict {
        prove("pkcs12", bytes, Span::new(0, bytes.len()))
    }

    #[test]
    fn a_container_says_whether_its_key_is_locked() {
        let drawn = expand("{{pkcs12}}", 1).expect("valid").bytes();
        let locked = Proof::Structure {
            what: "PKCS#12, key encrypted".to_owned(),
            ends_at: None,
        };
        assert_eq!(verdict(&drawn), Verdict::Sealed(locked.clone()));
        let encoded = data_encoding::BASE64.encode(&drawn);
        assert_eq!(verdict(encoded.as_bytes()), Verdict::Sealed(locked));
        let at = drawn.windows(SHROUDED.len()).position(|w| w == SHROUDED);
        let mut plain = drawn.clone();
        plain[at.expect("there") + SHROUDED.len() - 1] = 1;
        assert!(matches!(verdict(&plain), Verdict::Proved(_)));
        let nothing = [&b"\x30\x03"[..], &[0; 40]].concat();
        assert_eq!(verdict(&nothing), Verdict::Open);
    }
}
