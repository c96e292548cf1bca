//! As much of DER as private keys need: elements, and what kind of key a structure is.

/// What the bytes of a private key look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outline {
    /// Not even the outer frame fits: cut or edited.
    Damaged,
    /// The frame fits, the inside could not be read.
    Framed,
    /// A readable key.
    Key(Key),
    /// An encrypted key, with the cipher where it is known.
    Encrypted(Option<&'static str>),
}

/// What a readable key tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// `RSA 2048 bits`.
    pub(super) kind: String,
    /// Its public half in SSH's wire format, where the structure holds it.
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

const CIPHERS: &[(&[u8], &str)] = &[
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 2], "aes128-cbc"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 22], "aes192-cbc"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42], "aes256-cbc"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7], "3des-cbc"),
];

/// Reads PKCS#1, PKCS#8, SEC 1 and DSA keys, plain and encrypted.
pub(super) fn private_key(bytes: &[u8]) -> Outline {
    let mut outer = Der(bytes);
    let Some(mut inside) = outer.take(SEQUENCE).map(Der) else {
        return Outline::Damaged;
    };
    if !outer.0.is_empty() {
        return Outline::Damaged;
    }
    match inside.element() {
        Some((INTEGER, &[0..=3])) => key(inside).map_or(Outline::Framed, Outline::Key),
        Some((SEQUENCE, algorithm)) => match inside.element() {
            Some((OCTETS, sealed)) if !sealed.is_empty() && inside.0.is_empty() => {
                Outline::Encrypted(cipher(algorithm))
            }
            _ => Outline::Damaged,
        },
        _ => Outline::Damaged,
    }
}

/// What follows the version of a key.
fn key(mut rest: Der<'_>) -> Option<Key> {
    match rest.element()? {
        (SEQUENCE, algorithm) => {
            let mut algorithm = Der(algorithm);
            let kind = named(KINDS, algorithm.take(OID)?)?;
            let sealed = rest.take(OCTETS)?;
            match kind {
                "RSA" | "RSA-PSS" => {
                    let mut inner = Der(Der(sealed).take(SEQUENCE)?);
                    inner.take(INTEGER)?;
                    rsa(kind, inner.take(INTEGER)?, inner.take(INTEGER)?)
                }
                "EC" => Some(elliptic(algorithm.take(OID)?, sec1_point(sealed))),
                _ => Some(Key {
                    kind: kind.to_owned(),
                    public: None,
                }),
            }
        }
        (INTEGER, first) => integers(first, rest),
        (OCTETS, _) => {
            // SEC 1: the curve stands in the element with context tag 0, the point in that with 1.
            let parameters = rest.take(0xa0)?;
            Some(elliptic(Der(parameters).take(OID)?, point(rest)))
        }
        _ => None,
    }
}

fn rsa(name: &str, modulus: &[u8], exponent: &[u8]) -> Option<Key> {
    Some(Key {
        kind: format!("{name} {} bits", bits(modulus)),
        public: Some(wire(&[b"ssh-rsa", exponent, modulus])),
    })
}

/// RSA has eight integers after the version, DSA five.
fn integers(first: &[u8], mut rest: Der<'_>) -> Option<Key> {
    let mut numbers = vec![first];
    while !rest.0.is_empty() {
        match rest.element()? {
            (INTEGER, number) => numbers.push(number),
            // Further primes of a multi-prime key.
            (SEQUENCE, _) if numbers.len() == 8 && rest.0.is_empty() => {}
            _ => return None,
        }
    }
    match numbers[..] {
        [modulus, exponent, _, _, _, _, _, _] => rsa("RSA", modulus, exponent),
        [p, q, g, y, _] => Some(Key {
            kind: format!("DSA {} bits", bits(p)),
            public: Some(wire(&[b"ssh-dss", p, q, g, y])),
        }),
        _ => None,
    }
}

fn elliptic(oid: &[u8], point: Option<&[u8]>) -> Key {
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

/// The public point in a SEC 1 structure that PKCS#8 wraps.
fn sec1_point(sealed: &[u8]) -> Option<&[u8]> {
    let mut inside = Der(Der(sealed).take(SEQUENCE)?);
    inside.take(INTEGER)?;
    inside.take(OCTETS)?;
    point(inside)
}

/// The bits of the element with context tag 1, one of the next two.
fn point(mut rest: Der<'_>) -> Option<&[u8]> {
    let tagged = match rest.element()? {
        (0xa1, tagged) => tagged,
        _ => rest.take(0xa1)?,
    };
    Der(tagged).take(BITS)?.strip_prefix(&[0])
}

/// Strings with their lengths, as SSH writes them; numbers of DER have the same bytes.
fn wire(parts: &[&[u8]]) -> Vec<u8> {
    let field = |part: &&[u8]| [&(part.len() as u32).to_be_bytes()[..], part].concat();
    parts.iter().flat_map(field).collect()
}

/// The cipher somewhere in the parameters of an encryption scheme.
fn cipher(parameters: &[u8]) -> Option<&'static str> {
    let known = |(oid, _): &&(&[u8], &str)| super::contains(parameters, oid);
    CIPHERS.iter().find(known).map(|&(_, name)| name)
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

    fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
        element(SEQUENCE, &parts.concat())
    }

    fn version(number: u8) -> Vec<u8> {
        element(INTEGER, &[number])
    }

    fn rsa(bytes: usize) -> Vec<u8> {
        let mut modulus = vec![0, 0x80];
        modulus.resize(bytes + 1, 7);
        let mut parts = vec![version(0), element(INTEGER, &modulus)];
        parts.resize(9, element(INTEGER, &[1, 0, 1]));
        sequence(&parts)
    }

    #[test]
    fn kinds_of_keys_are_named() {
        let oid = |names: &[(&[u8], &str)], name: &str| {
            let (bytes, _) = names
                .iter()
                .find(|(_, known)| *known == name)
                .expect("listed");
            element(OID, bytes)
        };
        let kind = |bytes: &[u8]| match private_key(bytes) {
            Outline::Key(key) => key.kind,
            other => panic!("a key expected, not {other:?}"),
        };
        assert_eq!(kind(&rsa(256)), "RSA 2048 bits");
        let algorithm = sequence(&[oid(KINDS, "RSA"), vec![5, 0]]);
        let pkcs8 = sequence(&[version(0), algorithm, element(OCTETS, &rsa(384))]);
        assert_eq!(kind(&pkcs8), "RSA 3072 bits");
        let algorithm = sequence(&[oid(KINDS, "EC"), oid(CURVES, "P-256")]);
        let ec = sequence(&[version(0), algorithm, element(OCTETS, &[1; 40])]);
        assert_eq!(kind(&ec), "EC P-256");
        let parameters = element(0xa0, &oid(CURVES, "P-384"));
        let sec1 = sequence(&[version(1), element(OCTETS, &[7; 48]), parameters]);
        assert_eq!(kind(&sec1), "EC P-384");
        let algorithm = sequence(&[oid(KINDS, "Ed25519")]);
        let ed = sequence(&[version(0), algorithm, element(OCTETS, &[7; 34])]);
        assert_eq!(kind(&ed), "Ed25519");
        let scheme = sequence(&[oid(CIPHERS, "aes256-cbc"), element(OCTETS, &[1; 16])]);
        let sealed = sequence(&[scheme, element(OCTETS, &[9; 64])]);
        assert_eq!(private_key(&sealed), Outline::Encrypted(Some("aes256-cbc")));
    }

    #[test]
    fn the_public_half_is_that_of_ssh() {
        let public = |bytes: &[u8]| match private_key(bytes) {
            Outline::Key(key) => key.public,
            other => panic!("a key expected, not {other:?}"),
        };
        let plain = rsa(256);
        let wired = public(&plain).expect("RSA holds it");
        assert_eq!(wired[..11], *b"\0\0\0\x07ssh-rsa");
        assert_eq!(wired[11..18], [0, 0, 0, 3, 1, 0, 1]);
        assert_eq!(wired.len(), 18 + 4 + 257);
        let named = |names: &[(&[u8], &str)], name: &str| {
            let (bytes, _) = names
                .iter()
                .find(|(_, known)| *known == name)
                .expect("listed");
            element(OID, bytes)
        };
        let algorithm = sequence(&[named(KINDS, "RSA"), vec![5, 0]]);
        let pkcs8 = sequence(&[version(0), algorithm, element(OCTETS, &plain)]);
        assert_eq!(public(&pkcs8).as_ref(), Some(&wired));
        let point = element(0xa1, &element(BITS, &[&[0, 4][..], &[7; 64]].concat()));
        let parameters = element(0xa0, &named(CURVES, "P-256"));
        let secret = element(OCTETS, &[7; 32]);
        let sec1 = sequence(&[version(1), secret.clone(), parameters, point.clone()]);
        let algorithm = sequence(&[named(KINDS, "EC"), named(CURVES, "P-256")]);
        let inner = sequence(&[version(1), secret, point]);
        let pkcs8 = sequence(&[version(0), algorithm, element(OCTETS, &inner)]);
        let wired = public(&sec1).expect("the point is there");
        assert_eq!(wired[..23], *b"\0\0\0\x13ecdsa-sha2-nistp256");
        assert_eq!(public(&pkcs8), Some(wired));
    }

    #[test]
    fn cut_and_padded_keys_are_damaged() {
        let whole = rsa(256);
        assert_eq!(private_key(&whole[..whole.len() - 1]), Outline::Damaged);
        assert_eq!(private_key(&[&whole[..], &[0]].concat()), Outline::Damaged);
        assert_eq!(private_key(&[]), Outline::Damaged);
        assert_eq!(private_key(&sequence(&[version(9)])), Outline::Damaged);
        assert_eq!(
            private_key(&sequence(&[version(0), vec![2, 90]])),
            Outline::Framed
        );
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
