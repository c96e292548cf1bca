//! Public halves: certificates, public keys and recipients, which tell that a private key beside
//! them is one that somebody uses.
//!
//! Looks only at texts that begin as such files do, have a name that such files have, or hold a
//! private key: a literal to search all texts for would cost every scan. Nothing here is a secret.

use memchr::memmem;

use super::{age, decode_base64, der, private_key};
use crate::engine::extent::pem::Block;

/// The public half of a key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Public {
    /// What tells equal halves: the fingerprint that `ssh-keygen -l` prints, or the recipient.
    pub id: String,
    /// What it stands in.
    pub kind: PublicKind,
}

/// What a public half stands in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PublicKind {
    /// An X.509 certificate.
    Certificate {
        /// When it ends, in seconds since 1970-01-01T00:00:00Z, if it does.
        ends_at: Option<i64>,
        /// Whether it names itself as its issuer.
        self_issued: bool,
    },
    /// A request for one.
    Request,
    /// A public key.
    Key,
    /// A recipient of age.
    Recipient,
}

/// The most bytes of a text that are looked at.
const LONGEST: usize = 1 << 20;
/// The most public halves that are taken from one text.
const MOST: usize = 4096;

/// How files of public halves begin. `-----BEGIN ` and the kind of a key on SSH's lines; what
/// `openssl x509 -text`, `openssl pkcs12` and hashed `known_hosts` write; the rules of SOPS.
const BEGINNINGS: &[&[u8]] = &[
    b"-----BEGIN CERTIFICATE",
    b"-----BEGIN TRUSTED CERTIFICATE",
    b"-----BEGIN NEW CERTIFICATE",
    b"-----BEGIN PUBLIC KEY",
    b"-----BEGIN RSA PUBLIC KEY",
    b"ssh-rsa AAAA",
    b"ssh-dss AAAA",
    b"ssh-ed25519 AAAA",
    b"ecdsa-sha2-nistp",
    b"Certificate:\n",
    b"Certificate Request:\n",
    b"Bag Attributes\n",
    b"|1|",
    b"age1",
    b"creation_rules:",
];

/// Ends of names of such files.
const ENDINGS: &[&[u8]] = &[
    b".pub",
    b".crt",
    b".cer",
    b".cert",
    b".csr",
    b".pem",
    b"authorized_keys",
    b"known_hosts",
    b".sops.yaml",
    b".sops.yml",
    b".age-recipients",
    b"recipients.txt",
    b"recipients",
];

/// Whether a text may hold public halves, by its beginning and its path: a few comparisons.
pub fn may_hold_public(text: &[u8], path: Option<&[u8]>) -> bool {
    let begins = match text.first() {
        Some(b'-' | b's' | b'e' | b'C' | b'B' | b'|' | b'a' | b'c') => {
            BEGINNINGS.iter().any(|known| text.starts_with(known))
        }
        Some(0x30) => der_length(text) == Some(text.len()),
        _ => false,
    };
    begins || path.is_some_and(|path| ENDINGS.iter().any(|end| path.ends_with(end)))
}

/// The length of a structure of 256 to 65,535 bytes: that of certificates.
fn der_length(text: &[u8]) -> Option<usize> {
    let (&[0x30, 0x82, high, low], _) = text.split_first_chunk()? else {
        return None;
    };
    Some(usize::from(u16::from_be_bytes([high, low])) + 4)
}

/// The public halves in `text`, sorted.
pub fn public_halves(text: &[u8]) -> Vec<Public> {
    let text = &text[..text.len().min(LONGEST)];
    let mut found = Vec::new();
    if der_length(text) == Some(text.len()) {
        found.extend(certificate(text));
    }
    blocks(text, &mut found);
    encoded_blocks(text, &mut found);
    ssh_lines(text, &mut found);
    recipients(text, &mut found);
    found.sort();
    found.dedup();
    found
}

/// The id of the public half of `secret`, a private key or an identity of age, by which
/// [`Public::id`] tells it; `None` where it cannot be had without more arithmetic.
pub fn public_id(secret: &[u8]) -> Option<String> {
    age::recipient(secret).or_else(|| private_key::public_fingerprint(secret))
}

fn key(wire: &[u8], kind: PublicKind) -> Public {
    let id = private_key::fingerprint(wire);
    Public { id, kind }
}

fn certificate(bytes: &[u8]) -> Option<Public> {
    let read = der::certificate(bytes)?;
    let kind = PublicKind::Certificate {
        ends_at: read.ends_at,
        self_issued: read.self_issued,
    };
    Some(key(&read.public, kind))
}

fn blocks(text: &[u8], found: &mut Vec<Public>) {
    let mut from = 0;
    while let Some(at) = memmem::find(&text[from..], b"-----BEGIN ") {
        from += at;
        match Block::read(text, from) {
            Some(block) if found.len() < MOST => {
                found.extend(in_block(&block));
                from = block.span.end;
            }
            Some(_) => return,
            None => from += 1,
        }
    }
}

fn in_block(block: &Block<'_>) -> Option<Public> {
    let read: fn(&[u8]) -> Option<Public> = match block.label {
        // OpenSSL puts its own data behind a trusted certificate.
        b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => certificate,
        b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => {
            |bytes| Some(key(&der::certificate_request(bytes)?, PublicKind::Request))
        }
        b"PUBLIC KEY" | b"RSA PUBLIC KEY" => {
            |bytes| Some(key(&der::public_key(bytes)?, PublicKind::Key))
        }
        _ => return None,
    };
    read(&decode_base64(&block.body)?)
}

/// Certificates whose PEM is in base64 once more, as in the configuration of Kubernetes clients.
fn encoded_blocks(text: &[u8], found: &mut Vec<Public>) {
    const BEGIN_CERTIFICATE: &[u8] = b"LS0tLS1CRUdJTiBDRVJUSUZJQ0FUR";
    for at in memmem::find_iter(text, BEGIN_CERTIFICATE) {
        let is_run = |c: &&u8| c.is_ascii_alphanumeric() || matches!(**c, b'+' | b'/' | b'=');
        let length = text[at..].iter().take_while(is_run).count();
        if let Some(inner) = decode_base64(&text[at..at + length]) {
            blocks(&inner, found);
        }
    }
}

/// `ssh-ed25519 AAAA…`, behind whatever: names of hosts, options of `authorized_keys`.
fn ssh_lines(text: &[u8], found: &mut Vec<Public>) {
    for at in memmem::find_iter(text, b" AAAA") {
        if found.len() >= MOST {
            return;
        }
        let before = &text[at.saturating_sub(32)..at];
        let kind = before.rsplit(|c| !c.is_ascii_graphic()).next();
        let is_body = |c: &&u8| c.is_ascii_alphanumeric() || matches!(**c, b'+' | b'/' | b'=');
        let rest = &text[at + 1..];
        let length = rest.iter().take(1 << 14).take_while(is_body).count();
        let wire = decode_base64(&rest[..length]).unwrap_or_default();
        if private_key::ssh_kind_name(&wire).is_some_and(|name| kind == Some(name)) {
            found.push(key(&wire, PublicKind::Key));
        }
    }
}

fn recipients(text: &[u8], found: &mut Vec<Public>) {
    const LENGTH: usize = 62;
    for at in memmem::find_iter(text, b"age1") {
        let word = |c: Option<&u8>| c.is_some_and(u8::is_ascii_alphanumeric);
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        let whole = text.get(at..at + LENGTH);
        let Some(recipient) = whole.filter(|it| age::is_recipient(it)) else {
            continue;
        };
        if found.len() < MOST && !word(before) && !word(text.get(at + LENGTH)) {
            found.push(Public {
                id: String::from_utf8_lossy(recipient).into_owned(),
                kind: PublicKind::Recipient,
            });
        }
    }
}
