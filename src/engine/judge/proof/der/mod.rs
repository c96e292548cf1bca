//! As much of DER as keys and certificates need: elements, what kind of key a structure is, and the
//! public half of either.

mod certificate;
mod key;

pub(super) use certificate::{certificate, certificate_request, public_key};
pub(super) use key::{Outline, private_key};

/// What a readable key tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// `RSA 2048 bits`.
    pub(super) kind: String,
    /// Its public half in SSH's wire format, where the structure holds it or it was computed.
    pub(super) public: Option<Vec<u8>>,
}

const SEQUENCE: u8 = 0x30;
const BITS: u8 = 0x03;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;

/// Object identifiers of key kinds, as they stand in DER.
const KINDS: &[(&[u8], &str)] = &[
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], "RSA"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10], "RSA-PSS"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 3, 1], "DH"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1], "DSA"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], "EC"),
    (&[0x2b, 0x65, 0x6e], "X25519"),
    (&[0x2b, 0x65, 0x6f], "X448"),
    (&[0x2b, 0x65, 0x70], "Ed25519"),
    (&[0x2b, 0x65, 0x71], "Ed448"),
];

const CURVES: &[(&[u8], &str)] = &[
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], "P-256"),
    (&[0x2b, 0x81, 4, 0, 0x22], "P-384"),
    (&[0x2b, 0x81, 4, 0, 0x23], "P-521"),
    (&[0x2b, 0x81, 4, 0, 0x0a], "secp256k1"),
];

/// Curves with the name that SSH gives them.
const SSH_CURVES: &[(&str, &str)] = &[
    ("P-256", "nistp256"),
    ("P-384", "nistp384"),
    ("P-521", "nistp521"),
];

/// The elements that are left.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next element: tag and content.
    fn element(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], mut rest) = self.0.split_first_chunk()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7f);
            if !(1..=3).contains(&count) {
                return None;
            }
            let (bytes, after) = rest.split_at_checked(count)?;
            length = bytes.iter().fold(0, |n, &byte| n << 8 | usize::from(byte));
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of the next element when it has `tag`.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.element()
            .filter(|&(got, _)| got == tag)
            .map(|(_, content)| content)
    }
}

fn named(names: &[(&[u8], &'static str)], oid: &[u8]) -> Option<&'static str> {
    names
        .iter()
        .find(|(known, _)| *known == oid)
        .map(|&(_, name)| name)
}

/// Length in bits of a big-endian number.
pub(super) fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    match number[zeros..].first() {
        Some(first) => 8 * (number.len() - zeros) - first.leading_zeros() as usize,
        None => 0,
    }
}

fn elliptic_key(oid: &[u8], point: Option<&[u8]>) -> Key {
    let Some(curve) = named(CURVES, oid) else {
        return Key {
            kind: "EC".to_owned(),
            public: None,
        };
    };
    let ssh = SSH_CURVES.iter().find(|(known, _)| *known == curve);
    let public = ssh.zip(point).map(|((_, name), point)| {
        let kind = format!("ecdsa-sha2-{name}");
        wire(&[kind.as_bytes(), name.as_bytes(), point])
    });
    Key {
        kind: format!("EC {curve}"),
        public,
    }
}

fn ed25519_wire(public: &[u8]) -> Option<Vec<u8>> {
    (public.len() == 32).then(|| wire(&[b"ssh-ed25519", public]))
}

/// Strings with their lengths, as SSH writes them; numbers of DER have the same bytes.
fn wire(parts: &[&[u8]]) -> Vec<u8> {
    let field = |part: &&[u8]| [&(part.len() as u32).to_be_bytes()[..], part].concat();
    parts.iter().flat_map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element of DER.
    pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let mut bytes = match length {
            0..=0x7f => vec![tag, length as u8],
            _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
        };
        bytes.extend(content);
        bytes
    }

    pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
        element(SEQUENCE, &parts.concat())
    }

    pub(super) fn version(number: u8) -> Vec<u8> {
        element(INTEGER, &[number])
    }

    #[test]
    fn bits_do_not_count_leading_zeros() {
        for (number, expected) in [
            (&[0, 0x80, 0][..], 16),
            (&[1, 0], 9),
            (&[0, 0], 0),
            (&[], 0),
        ] {
            assert_eq!(bits(number), expected);
        }
    }
}
