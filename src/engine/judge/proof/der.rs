//! As much of DER as keys and certificates need: elements, what kind of key a structure is, and the
//! public half of either.

use super::curve25519;
use super::product::is_product;
use super::weierstrass::{self, is_point};

/// What the bytes of a private key look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outline {
    /// Cut or edited: the outer frame does not fit, or the numbers inside contradict each other.
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

fn ed25519_wire(public: &[u8]) -> Option<Vec<u8>> {
    (public.len() == 32).then(|| wire(&[b"ssh-ed25519", public]))
}

/// What a certificate tells, its names left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    /// Its public key in SSH's wire format.
    pub(super) public: Vec<u8>,
    /// When it ends, in seconds since 1970-01-01T00:00:00Z, if it does.
    pub(super) ends_at: Option<i64>,
    /// Whether it names itself as its issuer.
    pub(super) self_issued: bool,
}

/// Reads an X.509 certificate (RFC 5280, 4.1). Its signature is not looked at.
pub(super) fn certificate(bytes: &[u8]) -> Option<Certificate> {
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
pub(super) fn certificate_request(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut inside = Der(Der(Der(bytes).take(SEQUENCE)?).take(SEQUENCE)?);
    inside.take(INTEGER)?;
    inside.take(SEQUENCE)?;
    public_key_info(inside.take(SEQUENCE)?)
}

/// A public key, with its algorithm (RFC 5280, 4.1.2.7) or as PKCS#1 has it, in SSH's wire format.
pub(super) fn public_key(bytes: &[u8]) -> Option<Vec<u8>> {
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
    super::azure::moment(format!("{day}T{time}Z").as_bytes())
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
        let computed = weierstrass::public("P-256", &[7; 32]).expect("a point");
        let held = |bits: &[u8]| element(0xa1, &element(BITS, &[&[0], bits].concat()));
        let point = held(&computed);
        let parameters = element(0xa0, &named(CURVES, "P-256"));
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
        let algorithm = sequence(&[named(KINDS, "EC"), named(CURVES, "P-256")]);
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
