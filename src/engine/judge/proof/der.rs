//! As much of DER as private keys need: elements, and what kind of key a structure is.

/// What the bytes of a private key look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outline {
    /// Not even the outer frame fits: cut or edited.
    Damaged,
    /// The frame fits, the inside could not be read.
    Framed,
    /// A readable key: `RSA 2048 bits`.
    Key(String),
    /// An encrypted key, with the cipher where it is known.
    Encrypted(Option<&'static str>),
}

const SEQUENCE: u8 = 0x30;
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
fn key(mut rest: Der<'_>) -> Option<String> {
    match rest.element()? {
        (SEQUENCE, algorithm) => {
            let mut algorithm = Der(algorithm);
            let kind = named(KINDS, algorithm.take(OID)?)?;
            let sealed = rest.take(OCTETS)?;
            match kind {
                "RSA" | "RSA-PSS" => {
                    let mut inner = Der(Der(sealed).take(SEQUENCE)?);
                    inner.take(INTEGER)?;
                    Some(format!("{kind} {} bits", bits(inner.take(INTEGER)?)))
                }
                "EC" => Some(curve(algorithm.take(OID)?)),
                _ => Some(kind.to_owned()),
            }
        }
        (INTEGER, first) => integers(first, rest),
        (OCTETS, _) => {
            // SEC 1: the curve stands in the element with context tag 0.
            let parameters = rest.take(0xa0)?;
            Some(curve(Der(parameters).take(OID)?))
        }
        _ => None,
    }
}

/// RSA has eight integers after the version, DSA five.
fn integers(first: &[u8], mut rest: Der<'_>) -> Option<String> {
    let mut count = 1;
    while !rest.0.is_empty() {
        match rest.element()? {
            (INTEGER, _) => count += 1,
            // Further primes of a multi-prime key.
            (SEQUENCE, _) if count == 8 && rest.0.is_empty() => {}
            _ => return None,
        }
    }
    match count {
        8 => Some(format!("RSA {} bits", bits(first))),
        5 => Some(format!("DSA {} bits", bits(first))),
        _ => None,
    }
}

fn curve(oid: &[u8]) -> String {
    named(CURVES, oid).map_or_else(|| "EC".to_owned(), |name| format!("EC {name}"))
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
        let key = |name: &str| Outline::Key(name.to_owned());
        assert_eq!(private_key(&rsa(256)), key("RSA 2048 bits"));
        let algorithm = sequence(&[oid(KINDS, "RSA"), vec![5, 0]]);
        let pkcs8 = sequence(&[version(0), algorithm, element(OCTETS, &rsa(384))]);
        assert_eq!(private_key(&pkcs8), key("RSA 3072 bits"));
        let algorithm = sequence(&[oid(KINDS, "EC"), oid(CURVES, "P-256")]);
        let ec = sequence(&[version(0), algorithm, element(OCTETS, &[1; 40])]);
        assert_eq!(private_key(&ec), key("EC P-256"));
        let parameters = element(0xa0, &oid(CURVES, "P-384"));
        let sec1 = sequence(&[version(1), element(OCTETS, &[7; 48]), parameters]);
        assert_eq!(private_key(&sec1), key("EC P-384"));
        let algorithm = sequence(&[oid(KINDS, "Ed25519")]);
        let ed = sequence(&[version(0), algorithm, element(OCTETS, &[7; 34])]);
        assert_eq!(private_key(&ed), key("Ed25519"));
        let scheme = sequence(&[oid(CIPHERS, "aes256-cbc"), element(OCTETS, &[1; 16])]);
        let sealed = sequence(&[scheme, element(OCTETS, &[9; 64])]);
        assert_eq!(private_key(&sealed), Outline::Encrypted(Some("aes256-cbc")));
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
