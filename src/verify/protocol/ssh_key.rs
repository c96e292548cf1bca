//! The public half of a private key, as SSH writes it (RFC 4253 section 6.6, RFC 5656, RFC 8709).
//!
//! Reads what the private key holds in clear: OpenSSH's format has it even where a passphrase locks
//! the rest. Of Ed25519 in PKCS#8 it is computed.

use data_encoding::{BASE64, BASE64_NOPAD};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::der::element;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]; // RFC 8017 appendix C
const ED25519: &[u8] = &[0x2b, 0x65, 0x70]; // RFC 8410 section 3
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]; // RFC 5480 section 2.1.1
/// Curves by their number in DER (RFC 5480 section 2.1.1.1).
const CURVES: &[(&[u8], &str)] = &[
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], "nistp256"),
    (&[0x2b, 0x81, 0x04, 0, 0x22], "nistp384"),
    (&[0x2b, 0x81, 0x04, 0, 0x23], "nistp521"),
];

/// A public key.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Public {
    /// In the wire format.
    pub(super) blob: Vec<u8>,
    /// Whether a passphrase locks the private half.
    pub(super) locked: bool,
}

impl Public {
    /// Of the private key in `text`, whose lines may be written with `\n`.
    pub(super) fn of_pem(text: &str) -> Option<Self> {
        let text = text.replace("\\r", "").replace("\\n", "\n");
        let (_, rest) = text.split_once("-----BEGIN ")?;
        let (label, rest) = rest.split_once("-----")?;
        let (body, _) = rest.split_once("-----END ")?;
        if body.contains("Proc-Type:") {
            return None;
        }
        let body: String = body.split_whitespace().collect();
        let bytes = BASE64.decode(body.as_bytes()).ok()?;
        let plain = |blob| Self {
            blob,
            locked: false,
        };
        match label {
            "OPENSSH PRIVATE KEY" => Self::of_openssh(&bytes),
            "RSA PRIVATE KEY" => rsa(&bytes).map(plain),
            "EC PRIVATE KEY" => ec(&bytes, None).map(plain),
            "PRIVATE KEY" => pkcs8(&bytes).map(plain),
            _ => None,
        }
    }

    /// OpenSSH's `PROTOCOL.key`: magic, cipher, key derivation, its options, how many, public keys.
    fn of_openssh(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
        let (cipher, rest) = string(rest)?;
        let (_derivation, rest) = string(rest)?;
        let (_options, rest) = string(rest)?;
        let (blob, _) = string(rest.strip_prefix(&[0, 0, 0, 1])?)?;
        let kind = string(blob)?.0;
        (kind.is_ascii() && kind.len() < 64).then(|| Self {
            blob: blob.to_vec(),
            locked: cipher != b"none",
        })
    }

    /// `ssh-ed25519`
    pub(super) fn kind(&self) -> &str {
        let kind = string(&self.blob).map(|(kind, _)| kind);
        kind.and_then(|kind| std::str::from_utf8(kind).ok())
            .unwrap_or_default()
    }

    /// `SHA256:…` as `ssh-keygen -l` prints it.
    pub(super) fn fingerprint(&self) -> String {
        fingerprint(&self.blob)
    }
}

/// `SHA256:…` of a public key in the wire format.
pub(super) fn fingerprint(blob: &[u8]) -> String {
    let sum = digest(&SHA256, blob);
    format!("SHA256:{}", BASE64_NOPAD.encode(sum.as_ref()))
}

/// The text with its length before it that `bytes` begin with (RFC 4251 section 5), and the rest.
pub(super) fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

/// Texts with their lengths before them.
pub(super) fn strings(texts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend((text.len() as u32).to_be_bytes());
        bytes.extend(*text);
    }
    bytes
}

/// PKCS#1 (RFC 8017 appendix A.1.2).
fn rsa(der: &[u8]) -> Option<Vec<u8>> {
    let (key, _) = element(der, SEQUENCE)?;
    let (_version, rest) = element(key, INTEGER)?;
    let (modulus, rest) = element(rest, INTEGER)?;
    let (exponent, _) = element(rest, INTEGER)?;
    Some(strings(&[b"ssh-rsa", exponent, modulus]))
}

/// SEC 1 (RFC 5915), whose curve may stand outside.
fn ec(der: &[u8], curve: Option<&[u8]>) -> Option<Vec<u8>> {
    let (key, _) = element(der, SEQUENCE)?;
    let (_version, rest) = element(key, INTEGER)?;
    let (_private, rest) = element(rest, OCTETS)?;
    let (curve, rest) = match (element(rest, 0xa0), curve) {
        (Some((parameters, rest)), _) => (element(parameters, OID)?.0, rest),
        (None, Some(curve)) => (curve, rest),
        (None, None) => return None,
    };
    let (public, _) = element(rest, 0xa1)?;
    let point = element(public, BITS)?.0.strip_prefix(&[0])?;
    let (_, name) = CURVES.iter().find(|(number, _)| *number == curve)?;
    let kind = format!("ecdsa-sha2-{name}");
    Some(strings(&[kind.as_bytes(), name.as_bytes(), point]))
}

/// PKCS#8 (RFC 5958) around one of the others.
fn pkcs8(der: &[u8]) -> Option<Vec<u8>> {
    let (key, _) = element(der, SEQUENCE)?;
    let (_version, rest) = element(key, INTEGER)?;
    let (algorithm, rest) = element(rest, SEQUENCE)?;
    let (inner, _) = element(rest, OCTETS)?;
    let (number, parameters) = element(algorithm, OID)?;
    match number {
        RSA => rsa(inner),
        EC => ec(inner, element(parameters, OID).map(|(curve, _)| curve)),
        ED25519 => {
            let (seed, _) = element(inner, OCTETS)?;
            let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
            Some(strings(&[b"ssh-ed25519", pair.public_key().as_ref()]))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        [
            &[tag, 0x82],
            &(content.len() as u16).to_be_bytes()[..],
            &content,
        ]
        .concat()
    }

    fn pem(label: &str, bytes: &[u8], newline: &str) -> String {
        let body = BASE64.encode(bytes);
        let (first, rest) = body.split_at(10);
        let dashes = "-----";
        [
            &format!("{dashes}BEGIN {label}{dashes}"),
            first,
            rest,
            &format!("{dashes}END {label}{dashes}"),
        ]
        .join(newline)
    }

    #[test]
    fn the_public_half_is_read_from_every_armour() {
        let modulus = [&[0], &[0xc1; 256][..]].concat();
        let numbers = [
            tlv(INTEGER, &[&[0]]),
            tlv(INTEGER, &[&modulus]),
            tlv(INTEGER, &[&[1, 0, 1]]),
        ];
        let pkcs1 = tlv(SEQUENCE, &[&numbers.concat()]);
        let algorithm = |number: &[u8], more: &[u8]| tlv(SEQUENCE, &[&tlv(OID, &[number]), more]);
        let wrapped = |algorithm: &[u8], inner: &[u8]| {
            let inner = tlv(OCTETS, &[inner]);
            tlv(SEQUENCE, &[&tlv(INTEGER, &[&[0]]), algorithm, &inner])
        };
        let curve = tlv(OID, &[CURVES[0].0]);
        let point = [&[4], &[7; 64][..]].concat();
        let public = tlv(0xa1, &[&tlv(BITS, &[&[0], &point])]);
        let private = [tlv(INTEGER, &[&[1]]), tlv(OCTETS, &[&[9; 32]])].concat();
        let sec1 = tlv(SEQUENCE, &[&private, &tlv(0xa0, &[&curve]), &public]);
        let bare = tlv(SEQUENCE, &[&private, &public]);
        let rsa = strings(&[b"ssh-rsa", &[1, 0, 1], &modulus]);
        let ecdsa = strings(&[b"ecdsa-sha2-nistp256", b"nistp256", &point]);
        for (label, der, blob) in [
            ("RSA PRIVATE KEY", pkcs1.clone(), &rsa),
            (
                "PRIVATE KEY",
                wrapped(&algorithm(RSA, &[5, 0]), &pkcs1),
                &rsa,
            ),
            ("EC PRIVATE KEY", sec1, &ecdsa),
            (
                "PRIVATE KEY",
                wrapped(&algorithm(EC, &curve), &bare),
                &ecdsa,
            ),
        ] {
            for newline in ["\n", "\r\n", "\\n", " "] {
                let public = Public::of_pem(&pem(label, &der, newline));
                let public = public.unwrap_or_else(|| panic!("{label} {newline:?}"));
                assert_eq!((&public.blob, public.locked), (blob, false), "{label}");
            }
            for end in 0..der.len() {
                let _ = Public::of_pem(&pem(label, &[&der[..end], &[0; 10]].concat(), "\n"));
            }
        }
        for (cipher, locked) in [(&b"none"[..], false), (b"aes256-ctr", true)] {
            let head = strings(&[cipher, b"bcrypt", b""]);
            let bytes = [
                b"openssh-key-v1\0",
                &head[..],
                &[0, 0, 0, 1],
                &strings(&[&rsa]),
            ]
            .concat();
            let public = Public::of_pem(&pem("OPENSSH PRIVATE KEY", &bytes, "\n")).expect("a key");
            assert_eq!((public.kind(), public.locked), ("ssh-rsa", locked));
        }
        assert_eq!(
            Public::of_pem(&pem("ENCRYPTED PRIVATE KEY", &pkcs1, "\n")),
            None
        );
        assert_eq!(Public::of_pem("a key"), None);
    }

    #[test]
    fn ed25519_is_computed() {
        // RFC 8032 section 7.1, test 1.
        let hex = |text: &str| {
            data_encoding::HEXLOWER
                .decode(text.as_bytes())
                .expect("hex")
        };
        let halves = [
            "9d61b19deffd5a60ba844af492ec2cc4",
            "4449c5697b326919703bac031cae7f60",
        ];
        let seed = hex(&halves.concat());
        let der = [&hex("302e020100300506032b657004220420")[..], &seed].concat();
        let halves = [
            "d75a980182b10ab7d54bfed3c964073a",
            "0ee172f3daa62325af021a68f707511a",
        ];
        let public = hex(&halves.concat());
        assert_eq!(pkcs8(&der), Some(strings(&[b"ssh-ed25519", &public])));
        for end in 0..der.len() {
            assert_eq!(pkcs8(&der[..end]), None, "{end}");
        }
    }
}
