//! Private keys: what kind one is, whether its numbers fit, and its public half.

use super::super::contains;
use super::super::curve25519;
use super::super::product::is_product;
use super::super::weierstrass::{self, is_point};
use super::{
    BITS, CURVES, Der, INTEGER, KINDS, Key, OCTETS, OID, SEQUENCE, bits, ed25519_wire,
    elliptic_key, named, wire,
};

/// What the bytes of a private key look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Outline {
    /// Cut or edited: the outer frame does not fit, or the numbers inside contradict each other.
    Damaged,
    /// The frame fits, the inside could not be read.
    Framed,
    /// A readable key.
    Key(Key),
    /// An encrypted key, with the cipher where it is known.
    Encrypted(Option<&'static str>),
}

const CIPHERS: &[(&[u8], &str)] = &[
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 2], "aes128-cbc"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 22], "aes192-cbc"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42], "aes256-cbc"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7], "3des-cbc"),
];

/// Reads PKCS#1, PKCS#8, SEC 1 and DSA keys, plain and encrypted.
pub(in super::super) fn private_key(bytes: &[u8]) -> Outline {
    let mut outer = Der(bytes);
    let Some(mut inside) = outer.take(SEQUENCE).map(Der) else {
        return Outline::Damaged;
    };
    if !outer.0.is_empty() {
        return Outline::Damaged;
    }
    match inside.element() {
        Some((INTEGER, &[0..=3])) => key(inside).unwrap_or(Outline::Framed),
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
fn key(mut rest: Der<'_>) -> Option<Outline> {
    match rest.element()? {
        (SEQUENCE, algorithm) => {
            let mut algorithm = Der(algorithm);
            let kind = named(KINDS, algorithm.take(OID)?)?;
            let sealed = rest.take(OCTETS)?;
            match kind {
                "RSA" | "RSA-PSS" => {
                    let mut inner = Der(Der(sealed).take(SEQUENCE)?);
                    inner.take(INTEGER)?;
                    rsa(kind, inner.take(INTEGER)?, inner)
                }
                "EC" => {
                    let curve = algorithm.take(OID)?;
                    Some(match sec1(sealed) {
                        Some((secret, rest)) => elliptic(curve, secret, point(rest)),
                        None => Outline::Key(elliptic_key(curve, None)),
                    })
                }
                "Ed25519" | "X25519" => Some(on_curve25519(kind, sealed, rest)),
                _ => Some(Outline::Key(Key {
                    public: None,
                    kind: kind.to_owned(),
                })),
            }
        }
        (INTEGER, first) => integers(first, rest),
        (OCTETS, secret) => {
            // SEC 1: the curve stands in the element with context tag 0, the point in that with 1.
            let parameters = rest.take(0xa0)?;
            Some(elliptic(Der(parameters).take(OID)?, secret, point(rest)))
        }
        _ => None,
    }
}

/// A key on Curve25519 (RFC 8410). A public half that is not that of the secret one is damage; where
/// there is none it is computed.
fn on_curve25519(kind: &str, sealed: &[u8], rest: Der<'_>) -> Outline {
    let secret = Der(sealed).take(OCTETS).and_then(|it| it.try_into().ok());
    let held = published(rest).filter(|public| public.len() == 32);
    let computed: Option<[u8; 32]> = secret.map(|secret| match kind {
        "Ed25519" => curve25519::ed25519(secret),
        _ => curve25519::x25519(secret),
    });
    if let (Some(held), Some(computed)) = (held, computed)
        && held != computed
    {
        return Outline::Damaged;
    }
    // SSH knows one of the two kinds.
    let public = computed.as_ref().map(|it| &it[..]).or(held);
    let public = public.filter(|_| kind == "Ed25519").and_then(ed25519_wire);
    Outline::Key(Key {
        public,
        kind: kind.to_owned(),
    })
}

/// The public half that the second version of PKCS#8 has behind the secret one (RFC 5958).
fn published(mut rest: Der<'_>) -> Option<&[u8]> {
    const ATTRIBUTES: u8 = 0xa0;
    const PUBLIC: u8 = 0x81;
    let public = match rest.element()? {
        (ATTRIBUTES, _) => rest.take(PUBLIC)?,
        (PUBLIC, bits) => bits,
        _ => return None,
    };
    public.strip_prefix(&[0])
}

/// An RSA key (RFC 8017, A.1.2) from its modulus on. Two primes that do not make it are damage; a
/// key of more primes is not computed.
fn rsa(name: &str, modulus: &[u8], mut rest: Der<'_>) -> Option<Outline> {
    let exponent = rest.take(INTEGER)?;
    let key = Key {
        kind: format!("{name} {} bits", bits(modulus)),
        public: Some(wire(&[b"ssh-rsa", exponent, modulus])),
    };
    let mut factors = || {
        rest.take(INTEGER)?;
        let factors = (rest.take(INTEGER)?, rest.take(INTEGER)?);
        (0..3).try_for_each(|_| rest.take(INTEGER).map(drop))?;
        rest.0.is_empty().then_some(factors)
    };
    let fits = factors().and_then(|(p, q)| is_product(modulus, p, q));
    Some(match fits {
        Some(false) => Outline::Damaged,
        _ => Outline::Key(key),
    })
}

/// RSA has eight integers after the version, DSA five.
fn integers(first: &[u8], rest: Der<'_>) -> Option<Outline> {
    let mut numbers = vec![first];
    let mut left = Der(rest.0);
    while !left.0.is_empty() {
        match left.element()? {
            (INTEGER, number) => numbers.push(number),
            // Further primes of a multi-prime key.
            (SEQUENCE, _) if numbers.len() == 8 && left.0.is_empty() => {}
            _ => return None,
        }
    }
    match numbers[..] {
        [modulus, _, _, _, _, _, _, _] => rsa("RSA", modulus, rest),
        [p, q, g, y, _] => Some(Outline::Key(Key {
            kind: format!("DSA {} bits", bits(p)),
            public: Some(wire(&[b"ssh-dss", p, q, g, y])),
        })),
        _ => None,
    }
}

/// An EC private key (RFC 5915). A point that is not that of the secret number is damage; where there
/// is none it is computed.
fn elliptic(oid: &[u8], secret: &[u8], held: Option<&[u8]>) -> Outline {
    let computed = named(CURVES, oid).and_then(|curve| weierstrass::public(curve, secret));
    let is_own = held.zip(computed.as_deref());
    if is_own.and_then(|(held, computed)| is_point(held, computed)) == Some(false) {
        return Outline::Damaged;
    }
    // SSH writes points out in full.
    Outline::Key(elliptic_key(oid, computed.as_deref().or(held)))
}

/// The secret number in a SEC 1 structure that PKCS#8 wraps, and what follows it.
fn sec1(sealed: &[u8]) -> Option<(&[u8], Der<'_>)> {
    let mut inside = Der(Der(sealed).take(SEQUENCE)?);
    inside.take(INTEGER)?;
    Some((inside.take(OCTETS)?, inside))
}

/// The bits of the element with context tag 1, one of the next two.
fn point(mut rest: Der<'_>) -> Option<&[u8]> {
    let tagged = match rest.element()? {
        (0xa1, tagged) => tagged,
        _ => rest.take(0xa1)?,
    };
    Der(tagged).take(BITS)?.strip_prefix(&[0])
}

/// The cipher somewhere in the parameters of an encryption scheme.
fn cipher(parameters: &[u8]) -> Option<&'static str> {
    let known = |(oid, _): &&(&[u8], &str)| contains(parameters, oid);
    CIPHERS.iter().find(known).map(|&(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{element, sequence, version};
    use super::*;

    /// The identifier that has a name in a list.
    fn oid(names: &[(&[u8], &str)], name: &str) -> Vec<u8> {
        let known = names.iter().find(|(_, known)| *known == name);
        element(OID, known.expect("listed").0)
    }

    /// An RSA key whose modulus has `bytes` and is one times itself.
    fn rsa(bytes: usize) -> Vec<u8> {
        let mut modulus = vec![0, 0x80];
        modulus.resize(bytes + 1, 7);
        rsa_of(&modulus, &[1], &modulus, &[])
    }

    fn rsa_of(modulus: &[u8], p: &[u8], q: &[u8], more: &[Vec<u8>]) -> Vec<u8> {
        let small = || element(INTEGER, &[1, 0, 1]);
        let number = |number| element(INTEGER, number);
        let first = [version(0), number(modulus), small(), small()];
        let factors = [number(p), number(q), small(), small(), small()];
        sequence(&[&first[..], &factors, more].concat())
    }

    #[test]
    fn rsa_keys_whose_primes_do_not_make_the_modulus_are_damaged() {
        let is_key = |bytes: &[u8]| matches!(private_key(bytes), Outline::Key(_));
        // 0x0101…01 times 0xff00…00 has one non-zero row: the 32 bytes of ff, and 31 zeros.
        let (p, mut q) = ([1; 32], [0; 32]);
        q[0] = 0xff;
        let mut modulus = vec![0];
        modulus.extend([0xff; 32]);
        modulus.resize(64, 0);
        assert!(is_key(&rsa_of(&modulus, &p, &q, &[])));
        let mut edited = modulus.clone();
        edited[40] ^= 4;
        let damaged = rsa_of(&edited, &p, &q, &[]);
        assert_eq!(private_key(&damaged), Outline::Damaged);
        let oid = element(OID, KINDS[0].0);
        let algorithm = sequence(&[oid, vec![5, 0]]);
        let pkcs8 =
            |inner: Vec<u8>| sequence(&[version(0), algorithm.clone(), element(OCTETS, &inner)]);
        assert_eq!(private_key(&pkcs8(damaged)), Outline::Damaged);
        assert!(is_key(&pkcs8(rsa_of(&modulus, &p, &q, &[]))));
        // Without the factors, and with a third one, there is nothing to compute.
        assert!(is_key(&rsa_of(&edited, &[0], &[0], &[])));
        assert!(is_key(&rsa_of(&edited, &p, &q, &[sequence(&[])])));
    }

    #[test]
    fn kinds_of_keys_are_named() {
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
        let algorithm = sequence(&[oid(KINDS, "RSA"), vec![5, 0]]);
        let pkcs8 = sequence(&[version(0), algorithm, element(OCTETS, &plain)]);
        assert_eq!(public(&pkcs8).as_ref(), Some(&wired));
        let computed = weierstrass::public("P-256", &[7; 32]).expect("a point");
        let held = |bits: &[u8]| element(0xa1, &element(BITS, &[&[0], bits].concat()));
        let point = held(&computed);
        let parameters = element(0xa0, &oid(CURVES, "P-256"));
        let secret = element(OCTETS, &[7; 32]);
        let with = |point: &[u8]| {
            let parts = [
                version(1),
                secret.clone(),
                parameters.clone(),
                point.to_vec(),
            ];
            sequence(&parts)
        };
        let sec1 = with(&point);
        let algorithm = sequence(&[oid(KINDS, "EC"), oid(CURVES, "P-256")]);
        let inner = sequence(&[version(1), secret.clone(), point]);
        let pkcs8 = sequence(&[version(0), algorithm.clone(), element(OCTETS, &inner)]);
        let wired = public(&sec1).expect("the point is there");
        assert_eq!(wired[..23], *b"\0\0\0\x13ecdsa-sha2-nistp256");
        assert_eq!(public(&pkcs8), Some(wired.clone()));
        // Without its point, or with it compressed, the key is the same; with another it is damaged.
        assert_eq!(public(&with(&[])), Some(wired.clone()));
        let bare = sequence(&[version(1), secret.clone()]);
        let pkcs8 = sequence(&[version(0), algorithm, element(OCTETS, &bare)]);
        assert_eq!(public(&pkcs8), Some(wired.clone()));
        let form = 2 + (computed[64] & 1);
        let compressed = [&[form], &computed[1..33]].concat();
        assert_eq!(public(&with(&held(&compressed))), Some(wired));
        let other = weierstrass::public("P-256", &[9; 32]).expect("a point");
        assert_eq!(private_key(&with(&held(&other))), Outline::Damaged);
    }

    #[test]
    fn ed25519_keys_are_held_or_computed() {
        let oid = element(OID, KINDS[7].0);
        let algorithm = sequence(&[oid]);
        let seed = element(OCTETS, &element(OCTETS, &[7; 32]));
        let bare = sequence(&[version(0), algorithm.clone(), seed.clone()]);
        let computed = wire(&[b"ssh-ed25519", &curve25519::ed25519(&[7; 32])]);
        let bare = private_key(&bare);
        assert!(matches!(bare, Outline::Key(key) if key.public == Some(computed)));
        let holding = |public: &[u8], algorithm: &Vec<u8>| {
            let held = element(0x81, &[&[0], public].concat());
            private_key(&sequence(&[
                version(1),
                algorithm.clone(),
                seed.clone(),
                held,
            ]))
        };
        let public = curve25519::ed25519(&[7; 32]);
        let Outline::Key(key) = holding(&public, &algorithm) else {
            panic!("a key expected");
        };
        assert_eq!(key.public, Some(wire(&[b"ssh-ed25519", &public])));
        assert_eq!(holding(&[9; 32], &algorithm), Outline::Damaged);
        let agreement = sequence(&[element(OID, KINDS[5].0)]);
        let public = curve25519::x25519(&[7; 32]);
        assert!(matches!(holding(&public, &agreement), Outline::Key(_)));
        assert_eq!(holding(&[9; 32], &agreement), Outline::Damaged);
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
}
