//! Certificates, requests for them, and public keys.

use super::super::azure;
use super::{BITS, Der, INTEGER, KINDS, OID, SEQUENCE, ed25519_wire, elliptic_key, named, wire};

/// What a certificate tells, its names left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Certificate {
    /// Its public key in SSH's wire format.
    pub(in super::super) public: Vec<u8>,
    /// When it ends, in seconds since 1970-01-01T00:00:00Z, if it does.
    pub(in super::super) ends_at: Option<i64>,
    /// Whether it names itself as its issuer.
    pub(in super::super) self_issued: bool,
}

/// Reads an X.509 certificate (RFC 5280, 4.1). Its signature is not looked at.
pub(in super::super) fn certificate(bytes: &[u8]) -> Option<Certificate> {
    let mut inside = Der(Der(Der(bytes).take(SEQUENCE)?).take(SEQUENCE)?);
    // Version, which the first one leaves out, and serial number.
    if inside.element()?.0 == 0xa0 {
        inside.take(INTEGER)?;
    }
    inside.take(SEQUENCE)?;
    let issuer = inside.take(SEQUENCE)?;
    let mut validity = Der(inside.take(SEQUENCE)?);
    validity.element()?;
    let (tag, end) = validity.element()?;
    let subject = inside.take(SEQUENCE)?;
    Some(Certificate {
        public: public_key_info(inside.take(SEQUENCE)?)?,
        ends_at: moment(tag, end),
        self_issued: issuer == subject,
    })
}

/// The public key of a request for a certificate (RFC 2986, 4), in SSH's wire format.
pub(in super::super) fn certificate_request(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut inside = Der(Der(Der(bytes).take(SEQUENCE)?).take(SEQUENCE)?);
    inside.take(INTEGER)?;
    inside.take(SEQUENCE)?;
    public_key_info(inside.take(SEQUENCE)?)
}

/// A public key, with its algorithm (RFC 5280, 4.1.2.7) or as PKCS#1 has it, in SSH's wire format.
pub(in super::super) fn public_key(bytes: &[u8]) -> Option<Vec<u8>> {
    let inside = Der(bytes).take(SEQUENCE)?;
    public_key_info(inside).or_else(|| rsa_public(inside))
}

fn public_key_info(inside: &[u8]) -> Option<Vec<u8>> {
    let mut inside = Der(inside);
    let mut algorithm = Der(inside.take(SEQUENCE)?);
    let kind = named(KINDS, algorithm.take(OID)?)?;
    let key = inside.take(BITS)?.strip_prefix(&[0])?;
    match kind {
        "RSA" | "RSA-PSS" => rsa_public(Der(key).take(SEQUENCE)?),
        "EC" => elliptic_key(algorithm.take(OID)?, Some(key)).public,
        "Ed25519" => ed25519_wire(key),
        "DSA" => {
            let mut numbers = Der(algorithm.take(SEQUENCE)?);
            let (p, q) = (numbers.take(INTEGER)?, numbers.take(INTEGER)?);
            let (g, y) = (numbers.take(INTEGER)?, Der(key).take(INTEGER)?);
            Some(wire(&[b"ssh-dss", p, q, g, y]))
        }
        _ => None,
    }
}

fn rsa_public(inside: &[u8]) -> Option<Vec<u8>> {
    let mut numbers = Der(inside);
    let (modulus, exponent) = (numbers.take(INTEGER)?, numbers.take(INTEGER)?);
    numbers
        .0
        .is_empty()
        .then(|| wire(&[b"ssh-rsa", exponent, modulus]))
}

/// `UTCTime` and `GeneralizedTime`, as RFC 5280 has them: seconds, and `Z`. The last moment of the
/// year 9999 means that there is no end.
fn moment(tag: u8, text: &[u8]) -> Option<i64> {
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED_TIME: u8 = 0x18;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = match tag {
        UTC_TIME if text >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    if text.len() != 14 || text == "99991231235959" {
        return None;
    }
    let (day, time) = text.split_at_checked(8)?;
    azure::moment(format!("{day}T{time}Z").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{element, sequence, version};
    use super::*;

    /// A certificate in which nothing is but what is read; `end` is a time with its tag.
    fn certificate_ending(end: &[u8], issuer: &[u8], key: &[u8]) -> Vec<u8> {
        let name = |text: &[u8]| sequence(&[element(0x0c, text)]);
        let start = element(0x17, b"200101000000Z");
        let body = sequence(&[
            element(0xa0, &version(2)),
            version(7),
            sequence(&[]),
            name(issuer),
            sequence(&[start, end.to_vec()]),
            name(b"acme"),
            key.to_vec(),
        ]);
        sequence(&[body, sequence(&[]), element(BITS, &[0, 1])])
    }

    #[test]
    fn certificates_tell_end_and_issuer() {
        let oid = element(OID, KINDS[7].0);
        let key = sequence(&[
            sequence(&[oid]),
            element(BITS, &[&[0][..], &[7; 32]].concat()),
        ]);
        let read = |end: &[u8], issuer: &[u8]| {
            certificate(&certificate_ending(end, issuer, &key)).expect("readable")
        };
        let utc = read(&element(0x17, b"240301120000Z"), b"acme");
        assert_eq!((utc.ends_at, utc.self_issued), (Some(1_709_294_400), true));
        assert_eq!(utc.public, wire(&[b"ssh-ed25519", &[7; 32]]));
        let long = read(&element(0x18, b"20240301120000Z"), b"ca");
        assert_eq!((long.ends_at, long.self_issued), (utc.ends_at, false));
        let last_century = read(&element(0x17, b"990301120000Z"), b"ca");
        assert_eq!(last_century.ends_at, Some(920_289_600));
        assert_eq!(
            read(&element(0x18, b"99991231235959Z"), b"ca").ends_at,
            None
        );
        assert_eq!(read(&element(0x17, b"99-301120000Z"), b"ca").ends_at, None);
        let whole = certificate_ending(&element(0x17, b"240301120000Z"), b"ca", &key);
        assert_eq!(certificate(&whole[..whole.len() - 1]), None);
    }
}
