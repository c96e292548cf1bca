//! Private keys: PEM, OpenSSH, PuTTY and OpenPGP.
//!
//! Reads the frame, the kind of key, whether a passphrase protects it, and the fingerprint of the
//! public half where the structure holds that (as `ssh-keygen -l` prints it, whatever the armour,
//! so that copies of a key can be told). Numbers of a key that contradict each other (RSA's primes and
//! modulus, the two halves of a key on a curve) are damage.

use data_encoding::BASE64_NOPAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::der::{self, Key, Outline};
use super::product::is_product;
use super::weierstrass::{self, is_point};
use super::{Candidate, Verdict, contains, curve25519, decode_base64, find, shown};
use crate::engine::extent::der::Bare;
use crate::engine::extent::pem::Block;
use crate::model::{Proof, Span};

const OPENSSH_MAGIC: &[u8] = b"openssh-key-v1\0";
const PUTTY_HEAD: &[u8] = b"PuTTY-User-Key-File-";

/// A private key in any armour; without one, base64 that turns out to be a key.
pub(super) fn private_key(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    if let Some(at) = find(secret, b"-----BEGIN ") {
        return match Block::read(candidate.text, candidate.span.start + at) {
            Some(block) => in_block(&block),
            None => Verdict::Refuted,
        };
    }
    if let Some(at) = find(secret, PUTTY_HEAD) {
        return putty(&secret[at..]);
    }
    bare(secret)
}

/// DER in base64 without armour: nothing but a key that is there to its end.
pub(super) fn der_base64(candidate: Candidate<'_>) -> Verdict {
    let Some(found) = Bare::read(candidate.text, candidate.span.start) else {
        return Verdict::Refuted;
    };
    match decode_base64(&found.body).map(|bytes| der::private_key(&bytes)) {
        None | Some(Outline::Damaged) => Verdict::Refuted,
        Some(Outline::Framed) => Verdict::Open,
        Some(outline) => outlined("DER", outline),
    }
}

fn in_block(block: &Block<'_>) -> Verdict {
    match block.label {
        b"PGP PRIVATE KEY BLOCK" => openpgp(block),
        label if !label.ends_with(b"PRIVATE KEY") => Verdict::Open,
        _ => {
            let Some(bytes) = decode_base64(&block.body).filter(|bytes| !bytes.is_empty()) else {
                return Verdict::Refuted;
            };
            match block
                .header("Proc-Type")
                .is_some_and(|value| contains(value, b"ENCRYPTED"))
            {
                true => described("PEM", None, &encrypted(block.header("DEK-Info"))),
                false => decoded(&bytes),
            }
        }
    }
}

/// `encrypted (AES-128-CBC)` from `AES-128-CBC,<hex>`.
fn encrypted(dek_info: Option<&[u8]>) -> String {
    let cipher = dek_info.and_then(|info| info.split(|&c| c == b',').next());
    let plain = |c: &u8| c.is_ascii_alphanumeric() || *c == b'-';
    match cipher.filter(|name| (3..32).contains(&name.len()) && name.iter().all(plain)) {
        Some(name) => format!("encrypted ({})", String::from_utf8_lossy(name)),
        None => "encrypted".to_owned(),
    }
}

fn decoded(bytes: &[u8]) -> Verdict {
    if bytes.starts_with(OPENSSH_MAGIC) {
        return openssh(bytes);
    }
    if let Some(verdict) = sigstore(bytes) {
        return verdict;
    }
    outlined("PEM", der::private_key(bytes))
}

fn outlined(container: &str, outline: Outline) -> Verdict {
    match outline {
        Outline::Damaged => Verdict::Refuted,
        Outline::Framed => described(container, None, UNENCRYPTED),
        Outline::Key(Key { kind, public }) => {
            fingerprinted(container, Some(&kind), UNENCRYPTED, public.as_deref())
        }
        Outline::Encrypted(Some(cipher)) => {
            described(container, None, &format!("encrypted ({cipher})"))
        }
        Outline::Encrypted(None) => described(container, None, "encrypted"),
    }
}

const UNENCRYPTED: &str = "unencrypted";

fn described(container: &str, kind: Option<&str>, protection: &str) -> Verdict {
    fingerprinted(container, kind, protection, None)
}

/// `PEM, RSA 2048 bits, unencrypted, SHA256:…`: what is encrypted is sealed.
fn fingerprinted(
    container: &str,
    kind: Option<&str>,
    protection: &str,
    public: Option<&[u8]>,
) -> Verdict {
    let mut what = container.to_owned();
    for part in kind.into_iter().chain([protection]) {
        what += ", ";
        what += part;
    }
    if let Some(public) = public {
        what += ", ";
        what += &fingerprint(public);
    }
    let proof = Proof::Structure {
        what,
        ends_at: None,
    };
    match protection {
        UNENCRYPTED => Verdict::Proved(proof),
        _ => Verdict::Sealed(proof),
    }
}

/// What `ssh-keygen -l` prints for a public key in SSH's wire format.
pub(super) fn fingerprint(wire: &[u8]) -> String {
    format!("SHA256:{}", BASE64_NOPAD.encode(&Sha256::digest(wire)))
}

/// The fingerprint of the public half of a private key in any form that this module reads, where
/// the structure holds that half or it can be computed with little work.
pub(super) fn public_fingerprint(secret: &[u8]) -> Option<String> {
    let whole = Candidate {
        text: secret,
        span: Span::new(0, secret.len()),
    };
    let (Verdict::Proved(proof) | Verdict::Sealed(proof)) = private_key(whole) else {
        return None;
    };
    let Proof::Structure { what, .. } = proof else {
        return None;
    };
    let (_, sum) = what.rsplit_once(", SHA256:")?;
    Some(format!("SHA256:{sum}"))
}

/// A key without armour must be readable to the end; anything else may be another secret.
fn bare(secret: &[u8]) -> Verdict {
    let compact: Vec<u8> = secret
        .iter()
        .copied()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    let Some(bytes) = decode_base64(&compact) else {
        return Verdict::Open;
    };
    if bytes.starts_with(OPENSSH_MAGIC) {
        return openssh(&bytes);
    }
    match der::private_key(&bytes) {
        outline @ Outline::Key(_) => outlined("DER", outline),
        _ => Verdict::Open,
    }
}

/// cosign keeps a JSON with the names of key derivation and cipher.
fn sigstore(bytes: &[u8]) -> Option<Verdict> {
    let members: Value = serde_json::from_slice(bytes).ok()?;
    let cipher = members.get("cipher")?.get("name")?.as_str()?;
    members.get("ciphertext")?;
    Some(described(
        "Sigstore",
        None,
        &format!("encrypted ({})", shown(cipher)),
    ))
}

/// Magic, cipher, key derivation, its options, number of keys, public keys, private part.
fn openssh(bytes: &[u8]) -> Verdict {
    let mut rest = Fields(&bytes[OPENSSH_MAGIC.len()..]);
    let mut name = || {
        rest.string()
            .and_then(|name| std::str::from_utf8(name).ok())
    };
    let (Some(cipher), Some(derivation)) = (name(), name()) else {
        return Verdict::Refuted;
    };
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'@' | b'.');
    let names = [cipher, derivation];
    let sane = names
        .iter()
        .all(|name| (1..64).contains(&name.len()) && name.bytes().all(plain));
    let unprotected = cipher == "none";
    if !sane || unprotected != (derivation == "none") {
        return Verdict::Refuted;
    }
    let counted = rest.string().and_then(|_| rest.number());
    if counted.is_none_or(|keys| keys == 0) {
        return Verdict::Refuted;
    }
    let public = rest.string();
    let kind = public.and_then(ssh_kind);
    // Of a kind that is not known the bytes need not be a key.
    let public = public.filter(|_| kind.is_some());
    if unprotected && rest.string().and_then(ssh_secret_fits) == Some(false) {
        return Verdict::Refuted;
    }
    let encrypted = format!("encrypted ({cipher})");
    let protection = if unprotected { UNENCRYPTED } else { &encrypted };
    fingerprinted("OpenSSH", kind.as_deref(), protection, public)
}

/// Whether the numbers in the private part of an unencrypted OpenSSH file (PROTOCOL.key: two equal
/// numbers, then keys as agents get them, draft-ietf-sshm-ssh-agent 3.2) fit together; `None` where
/// that is not computed.
fn ssh_secret_fits(part: &[u8]) -> Option<bool> {
    let mut rest = Fields(part);
    rest.number()?;
    rest.number()?;
    match rest.string()? {
        b"ssh-rsa" => {
            let modulus = rest.string()?;
            // Exponents of both halves, and the inverse of a prime.
            (0..3).try_for_each(|_| rest.string().map(drop))?;
            is_product(modulus, rest.string()?, rest.string()?)
        }
        b"ssh-ed25519" => {
            let public = rest.string()?;
            let (seed, again) = rest.string()?.split_first_chunk::<32>()?;
            Some(public == again && public == curve25519::ed25519(seed))
        }
        kind => {
            let curve = SSH_CURVES
                .iter()
                .find(|(known, _)| known.as_bytes() == kind)?
                .1;
            rest.string()?;
            let (held, secret) = (rest.string()?, rest.string()?);
            is_point(held, &weierstrass::public(curve, secret)?)
        }
    }
}

/// The name of a public key in SSH's wire format, where it is of a known kind.
pub(super) fn ssh_kind_name(blob: &[u8]) -> Option<&[u8]> {
    ssh_kind(blob)?;
    Fields(blob).string()
}

/// Kinds of SSH's keys on curves of NIST (RFC 5656), and the curves.
const SSH_CURVES: &[(&str, &str)] = &[
    ("ecdsa-sha2-nistp256", "P-256"),
    ("ecdsa-sha2-nistp384", "P-384"),
    ("ecdsa-sha2-nistp521", "P-521"),
];

/// The kind of a public key in SSH's wire format.
fn ssh_kind(blob: &[u8]) -> Option<String> {
    let mut rest = Fields(blob);
    let name = std::str::from_utf8(rest.string()?).ok()?;
    match name {
        "ssh-rsa" => {
            rest.string()?;
            Some(format!("RSA {} bits", der::bits(rest.string()?)))
        }
        "ssh-dss" => Some("DSA".to_owned()),
        "ssh-ed25519" => Some("Ed25519".to_owned()),
        "sk-ssh-ed25519@openssh.com" | "sk-ecdsa-sha2-nistp256@openssh.com" => {
            Some("security-key handle".to_owned())
        }
        _ => {
            let curve = SSH_CURVES.iter().find(|(known, _)| *known == name)?.1;
            Some(format!("EC {curve}"))
        }
    }
}

/// Strings and numbers of SSH's wire format.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (value, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(value)
    }
}

/// `PuTTY-User-Key-File-<version>: <kind>`, `Encryption: <cipher>`, and a MAC.
fn putty(file: &[u8]) -> Verdict {
    let line = |name: &[u8]| {
        let at = find(file, name)? + name.len();
        let value = &file[at..];
        let plain = |c: &&u8| c.is_ascii_alphanumeric() || **c == b'-';
        let length = value.iter().take(64).take_while(plain).count();
        std::str::from_utf8(&value[..length])
            .ok()
            .filter(|value| !value.is_empty())
    };
    let version = file.get(PUTTY_HEAD.len());
    let kind = file
        .get(PUTTY_HEAD.len() + 1..)
        .and_then(|rest| rest.strip_prefix(b": "));
    let (Some(b'1'..=b'3'), Some(_), Some(cipher)) = (version, kind, line(b"Encryption: ")) else {
        return Verdict::Refuted;
    };
    let mac = line(b"Private-MAC: ").or_else(|| line(b"Private-Hash: "));
    if mac.is_none_or(|mac| mac.len() < 40) {
        return Verdict::Refuted;
    }
    match cipher {
        "none" => described("PuTTY", None, UNENCRYPTED),
        cipher => described("PuTTY", None, &format!("encrypted ({cipher})")),
    }
}

/// The first packet, which is a secret key, and the armour's checksum: RFC 9580 forbids to reject
/// a block for a wrong one, so that it only leaves the block unproved.
fn openpgp(block: &Block<'_>) -> Verdict {
    let (armoured, sum) = match block.body[block.last_line..] {
        [b'=', _, _, _, _] => block.body.split_at(block.last_line),
        _ => (&block.body[..], &[][..]),
    };
    let Some(bytes) = decode_base64(armoured) else {
        return Verdict::Refuted;
    };
    let sum = sum.get(1..).and_then(decode_base64);
    if sum.is_some_and(|sum| sum != crc24(&bytes).to_be_bytes()[1..]) {
        return Verdict::Open;
    }
    match secret_key_packet(&bytes) {
        Some((kind, true)) => described("OpenPGP", kind.as_deref(), "encrypted"),
        Some((kind, false)) => described("OpenPGP", kind.as_deref(), UNENCRYPTED),
        None => Verdict::Open,
    }
}

/// CRC-24 of RFC 4880.
fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte) << 16, |sum, _| {
            let sum = sum << 1;
            if sum & 0x0100_0000 != 0 {
                sum ^ 0x0186_4cfb
            } else {
                sum
            }
        })
    })
}

/// Kind of key, and whether a passphrase protects it, of a secret-key packet of version 4.
fn secret_key_packet(bytes: &[u8]) -> Option<(Option<String>, bool)> {
    const SECRET_KEY: u8 = 5;
    let (&head, rest) = bytes.split_first()?;
    let (tag, length_bytes) = match head {
        0xc0.. => {
            let bytes = match *rest.first()? {
                0..=191 => 1,
                192..=223 => 2,
                255 => 5,
                _ => return None,
            };
            (head & 63, bytes)
        }
        0x80..=0xbf => (head >> 2 & 15, [1, 2, 4, 0][usize::from(head & 3)]),
        _ => return None,
    };
    let body = rest.get(length_bytes..)?;
    let (&[4, _, _, _, _, algorithm], public) = body.split_first_chunk()? else {
        return None;
    };
    if tag != SECRET_KEY {
        return None;
    }
    let mut public = Numbers(public);
    let kind = match algorithm {
        1..=3 => {
            let bits = public.number()?;
            public.number()?;
            Some(format!("RSA {bits} bits"))
        }
        16 => {
            (0..3).try_for_each(|_| public.number().map(drop))?;
            Some("Elgamal".to_owned())
        }
        17 => {
            let bits = public.number()?;
            (0..3).try_for_each(|_| public.number().map(drop))?;
            Some(format!("DSA {bits} bits"))
        }
        19 | 22 => {
            public.skip_counted()?;
            public.number()?;
            Some(if algorithm == 19 { "ECDSA" } else { "EdDSA" }.to_owned())
        }
        _ => return None,
    };
    Some((kind, *public.0.first()? != 0))
}

/// Numbers of OpenPGP: a length in bits and the bytes.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    /// Steps over a number and returns its length in bits.
    fn number(&mut self) -> Option<usize> {
        let (length, rest) = self.0.split_first_chunk()?;
        let bits = usize::from(u16::from_be_bytes(*length));
        self.0 = rest.get(bits.div_ceil(8)..)?;
        Some(bits)
    }

    /// Steps over bytes whose count stands before them.
    fn skip_counted(&mut self) -> Option<()> {
        let (&count, rest) = self.0.split_first()?;
        self.0 = rest.get(usize::from(count)..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::super::tests::{proves, says, verdict};
    use super::*;
    use crate::detector::template::Random;
    use crate::model::Proof;

    fn armour(label: &str, bytes: &[u8]) -> String {
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----",
            BASE64.encode(bytes)
        )
    }

    fn sealed(what: &str) -> Verdict {
        Verdict::Sealed(Proof::Structure {
            what: what.to_owned(),
            ends_at: None,
        })
    }

    fn what(template: &str) -> String {
        match proves("private-key", template) {
            Proof::Structure {
                what,
                ends_at: None,
            } => what,
            _ => panic!("a structure without end expected"),
        }
    }

    #[test]
    fn frames_are_proved_in_every_armour() {
        for template in ["{{pem:RSA PRIVATE KEY}}", "{{pem-line:PRIVATE KEY}}"] {
            let what = what(template);
            let rsa = "PEM, RSA 1024 bits, unencrypted, SHA256:";
            assert!(what.starts_with(rsa), "{what}");
        }
        assert_eq!(what("{{pem:EC PRIVATE KEY}}"), "PEM, unencrypted");
        assert_eq!(what("{{pem:OPENSSH PRIVATE KEY}}"), "OpenSSH, unencrypted");
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
            DEK-Info: AES-128-CBC,{{HEX:32}}\n\n{{base64:64}}\n{{base64:64}}\n\
            -----END RSA PRIVATE KEY-----";
        says("private-key", old, &sealed("PEM, encrypted (AES-128-CBC)"));
        let putty = "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: aes256-cbc\nPrivate-Lines: 1\n\
            {{base64:64}}\nPrivate-MAC: {{hex:64}}\n";
        says(
            "private-key",
            putty,
            &sealed("PuTTY, encrypted (aes256-cbc)"),
        );
    }

    #[test]
    fn damaged_keys_are_refuted() {
        for template in [
            "-----BEGIN RSA PRIVATE KEY-----\n{{base64:64}}\n{{base64:64}}\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE...\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\n{{base64:64}}\n",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA{{base64:64}}\n\
             -----END OPENSSH PRIVATE KEY-----",
            "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\n",
        ] {
            says("private-key", template, &Verdict::Refuted);
        }
        says("private-key", "{{base64:200}}", &Verdict::Open);
    }

    #[test]
    fn openssh_names_cipher_and_kind() {
        let string = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
        let mut modulus = vec![0, 0x80];
        modulus.resize(385, 3);
        let public = [string(b"ssh-rsa"), string(&[1, 0, 1]), string(&modulus)].concat();
        let bytes = [
            OPENSSH_MAGIC.to_vec(),
            string(b"aes256-ctr"),
            string(b"bcrypt"),
            string(&[0; 24]),
            1u32.to_be_bytes().to_vec(),
            string(&public),
            string(&[9; 64]),
        ];
        let text = armour("OPENSSH PRIVATE KEY", &bytes.concat());
        let sum = BASE64_NOPAD.encode(&Sha256::digest(&public));
        let expected = format!("OpenSSH, RSA 3072 bits, encrypted (aes256-ctr), SHA256:{sum}");
        assert_eq!(verdict("private-key", &text), sealed(&expected));
    }

    /// An unencrypted OpenSSH file around `public` and the private fields `secret`.
    fn openssh_file(public: &[&[u8]], secret: &[&[u8]]) -> String {
        let string = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
        let strings = |fields: &[&[u8]]| fields.iter().flat_map(|it| string(it)).collect();
        let (public, secret): (Vec<u8>, Vec<u8>) = (strings(public), strings(secret));
        let part = [&[7; 8][..], &secret, &string(b"acme")].concat();
        let bytes = [
            OPENSSH_MAGIC.to_vec(),
            string(b"none"),
            string(b"none"),
            string(b""),
            1u32.to_be_bytes().to_vec(),
            string(&public),
            string(&part),
        ];
        armour("OPENSSH PRIVATE KEY", &bytes.concat())
    }

    #[test]
    fn openssh_keys_whose_numbers_contradict_each_other_are_refuted() {
        let verdict = |text: &str| verdict("private-key", text);
        let is_proved = |text: &str| matches!(verdict(text), Verdict::Proved(_));
        let public = curve25519::ed25519(&[7; 32]);
        let ed25519 = |held: &[u8]| {
            let secret = [&[7; 32][..], held].concat();
            openssh_file(&[b"ssh-ed25519", held], &[b"ssh-ed25519", held, &secret])
        };
        assert!(is_proved(&ed25519(&public)));
        assert_eq!(verdict(&ed25519(&[9; 32])), Verdict::Refuted);
        let own = weierstrass::public("P-384", &[7; 48]).expect("a point");
        let other = weierstrass::public("P-384", &[9; 48]).expect("a point");
        let ecdsa = |held: &[u8]| {
            let public: [&[u8]; 3] = [b"ecdsa-sha2-nistp384", b"nistp384", held];
            openssh_file(&public, &[&public[..], &[&[7; 48][..]]].concat())
        };
        assert!(is_proved(&ecdsa(&own)));
        assert_eq!(verdict(&ecdsa(&other)), Verdict::Refuted);
        let rsa = |modulus: &[u8]| {
            let secret: [&[u8]; 8] = [b"ssh-rsa", modulus, &[3], &[5], &[1], &[0x71], &[0x6f], b""];
            openssh_file(&[b"ssh-rsa", &[3], modulus], &secret)
        };
        assert!(is_proved(&rsa(&[0x30, 0xff])));
        assert_eq!(verdict(&rsa(&[0x30, 0xfd])), Verdict::Refuted);
    }

    /// A secret-key packet of version 4: RSA with `usage` as first byte of the secret part.
    fn pgp_packet(usage: u8) -> Vec<u8> {
        let mut body = vec![4, 1, 2, 3, 4, 1, 0x08, 0];
        body.extend([0xff; 256]);
        body.extend([0, 17, 1, 0, 1, usage]);
        body.extend(Random(1).bytes(100));
        let length = (body.len() as u16).to_be_bytes();
        [&[0x95][..], &length, &body].concat()
    }

    #[test]
    fn openpgp_checks_the_armour_and_reads_the_packet() {
        for (usage, protection) in [(0, "unencrypted"), (254, "encrypted")] {
            let packet = pgp_packet(usage);
            let sum = BASE64.encode(&crc24(&packet).to_be_bytes()[1..]);
            let text = |sum: &str| {
                let plain = armour("PGP PRIVATE KEY BLOCK", &packet);
                let end = "\n-----END";
                plain.replace(end, &format!("\n={sum}{end}"))
            };
            let what = format!("OpenPGP, RSA 2048 bits, {protection}");
            let expected = match usage {
                0 => Verdict::structure(what, None),
                _ => sealed(&what),
            };
            assert_eq!(verdict("private-key", &text(&sum)), expected);
            assert_eq!(
                verdict("private-key", &armour("PGP PRIVATE KEY BLOCK", &packet)),
                expected
            );
            assert_eq!(verdict("private-key", &text("AAAA")), Verdict::Open);
        }
        says(
            "private-key",
            "{{pem:PGP PRIVATE KEY BLOCK}}",
            &Verdict::Open,
        );
    }

    #[test]
    fn the_checksum_of_armour_is_that_of_its_standard() {
        assert_eq!(crc24(b"123456789"), 0x0021_cf02);
    }

    #[test]
    fn sigstore_keys_name_their_cipher() {
        let json =
            br#"{"kdf":{"name":"scrypt"},"cipher":{"name":"nacl/secretbox"},"ciphertext":"x"}"#;
        let text = armour("ENCRYPTED SIGSTORE PRIVATE KEY", json);
        let expected = sealed("Sigstore, encrypted (nacl/secretbox)");
        assert_eq!(verdict("private-key", &text), expected);
    }
}
