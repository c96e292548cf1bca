//! SSH: whether a server would let a key in, by the offer of RFC 4252 section 7, which names the
//! public key and signs nothing. No session is opened, and the private half is not used.
//!
//! One key exchange (curve25519-sha256, RFC 8731) and one cipher (chacha20-poly1305 of OpenSSH), by
//! which all servers of the last ten years can be spoken to. GitHub and GitLab are known by their
//! host keys; of another server, which the user named, only that it holds the key that it shows is
//! checked. Live: `USERAUTH_PK_OK`. Dead: a refusal by a server and for a user that were both named,
//! since a key may be somebody else's anywhere else.

use ring::aead::chacha20_poly1305_openssh::{OpeningKey, SealingKey, TAG_LEN};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature;

use super::super::net::Conn;
use super::super::{Asker, Settings, Subject, Target, Verdict, Verifier, judge};
use super::Protocol;
use super::login::{self, Place};
use super::ssh_key::{Public, fingerprint, string, strings};
use crate::detector::{IdentityField, VerifierClass};
use crate::model::{Outcome, Reason};

/// Offers the public half of a private key.
pub(super) struct Offer;

/// Hosts whose keys are known: host, fingerprint of its Ed25519 key as published.
const KNOWN: &[(&str, &str)] = &[
    // https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/githubs-ssh-key-fingerprints
    (
        "github.com",
        "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
    ),
    // https://docs.gitlab.com/user/gitlab_com/#ssh-host-keys-fingerprints
    (
        "gitlab.com",
        "SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8",
    ),
];

/// Longest packet, in bytes (RFC 4253 section 6.1).
const LONGEST: usize = 35_000;
/// Most packets that are passed over while another is awaited.
const MOST: usize = 32;

const VERSION: &[u8] = b"SSH-2.0-straykey";
const EXCHANGES: &[u8] = b"curve25519-sha256,curve25519-sha256@libssh.org";
const HOST_KEYS: &[u8] = b"ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256";
const CIPHER: &[u8] = b"chacha20-poly1305@openssh.com";

const DISCONNECT: u8 = 1;
const SERVICE_REQUEST: u8 = 5;
const SERVICE_ACCEPT: u8 = 6;
const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const ECDH_INIT: u8 = 30;
const ECDH_REPLY: u8 = 31;
const USERAUTH_REQUEST: u8 = 50;
const USERAUTH_FAILURE: u8 = 51;
const USERAUTH_SUCCESS: u8 = 52;
const USERAUTH_PK_OK: u8 = 60;

/// Where and as whom a key is offered.
struct Server {
    host: String,
    port: u16,
    user: String,
    /// The fingerprint of its host key.
    known: Option<&'static str>,
    /// Whether the text names it.
    from_text: bool,
    /// Whether a refusal is about this key: both server and user were named.
    is_meant: bool,
}

fn servers(subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Server>, Reason> {
    let user = subject.part("user").map(str::to_owned);
    let named = |host: String, port: Option<u16>, from_text: bool| Server {
        host,
        port: port.unwrap_or(22),
        is_meant: user.is_some(),
        user: user.clone().unwrap_or_else(|| "git".to_owned()),
        known: None,
        from_text,
    };
    if let Some(url) = settings.endpoint("ssh") {
        let place = Place::of(url)?;
        return Ok(vec![named(place.host, place.port, false)]);
    }
    if let Some(host) = subject.part("host") {
        let host = login::host(host)?;
        if settings.names(&host) {
            let port = subject.part("port").map(str::parse).transpose();
            let port = port.map_err(|_| Reason::BadValue)?;
            return Ok(vec![named(host, port, true)]);
        }
    }
    if settings.own_only {
        return Err(Reason::HostNotAllowed);
    }
    let known = KNOWN.iter().map(|(host, key)| Server {
        host: (*host).to_owned(),
        port: 22,
        user: "git".to_owned(),
        known: Some(key),
        from_text: false,
        is_meant: false,
    });
    Ok(known.collect())
}

fn public(subject: &Subject<'_>) -> Result<Public, Reason> {
    Public::of_pem(subject.secret_text()?).ok_or(Reason::BadValue)
}

impl Verifier for Offer {
    fn name(&self) -> String {
        "ssh-key-offer@1".to_owned()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::Introspect
    }

    fn endpoint(&self) -> Option<&str> {
        Some("ssh")
    }

    fn hosts(&self) -> Vec<String> {
        KNOWN.iter().map(|(host, _)| (*host).to_owned()).collect()
    }

    fn needs(&self) -> Vec<&str> {
        Vec::new()
    }

    fn takes(&self) -> Vec<&str> {
        vec!["user", "host", "port"]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        public(subject).map_err(Outcome::Skipped)?;
        let servers = servers(subject, settings).map_err(Outcome::Skipped)?;
        let target = |server: Server| Target {
            method: "ssh".to_owned(),
            url: format!("ssh://{}:{}", server.host, server.port),
            host: server.host,
            port: server.port,
            from_text: server.from_text,
            user: None,
        };
        Ok(servers.into_iter().map(target).collect())
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let asked = public(subject).and_then(|key| Ok((key, servers(subject, settings)?)));
        let (key, servers) = match asked {
            Ok(asked) => asked,
            Err(reason) => return Verdict::of(Outcome::Skipped(reason)),
        };
        let mut verdicts = Vec::new();
        for server in &servers {
            let conn = asker.connect("ssh", &server.host, server.port);
            let verdict = conn.and_then(|conn| offer(&key, server, conn));
            let verdict = verdict.unwrap_or_else(Verdict::unknown);
            let ends = verdict.outcome.is_live();
            verdicts.push(verdict);
            if ends {
                break;
            }
        }
        judge::over_hosts(verdicts)
    }
}

impl Protocol for Offer {
    fn serves(&self) -> &'static [&'static str] {
        &["private-key-openssh", "private-key"]
    }
}

/// Asks one server.
fn offer(key: &Public, server: &Server, conn: Conn) -> Result<Verdict, Reason> {
    let mut wire = Wire::open(conn, server.known)?;
    let request = [&[SERVICE_REQUEST], &strings(&[b"ssh-userauth"])[..]].concat();
    wire.send(&request)?;
    wire.receive(&[SERVICE_ACCEPT])?;
    // An RSA key is one kind of key with several kinds of signature (RFC 8332).
    let signs = match key.kind() {
        "ssh-rsa" => "rsa-sha2-256",
        kind => kind,
    };
    let mut request = vec![USERAUTH_REQUEST];
    request.extend(strings(&[
        server.user.as_bytes(),
        b"ssh-connection",
        b"publickey",
    ]));
    request.push(0);
    request.extend(strings(&[signs.as_bytes(), &key.blob]));
    wire.send(&request)?;
    let said = wire.receive(&[USERAUTH_FAILURE, USERAUTH_SUCCESS, USERAUTH_PK_OK])?;
    let bye = [&[DISCONNECT, 0, 0, 0, 11][..], &strings(&[b"", b""])].concat();
    let _ = wire.send(&bye);
    let verdict = match said[0] {
        USERAUTH_PK_OK if accepts(&said, &key.blob) => {
            let mut verdict = Verdict::live([
                (IdentityField::User, server.user.clone()),
                (IdentityField::Name, key.fingerprint()),
            ]);
            if key.locked {
                verdict.outcome = Outcome::LiveRestricted;
            }
            verdict
        }
        USERAUTH_SUCCESS => Verdict::unknown(Reason::NoAuthentication),
        USERAUTH_FAILURE if server.is_meant && takes_keys(&said) => Verdict::of(Outcome::Dead),
        USERAUTH_FAILURE => Verdict::unknown(Reason::UnexpectedStatus),
        _ => return Err(Reason::Protocol),
    };
    Ok(verdict)
}

/// Whether the answer repeats the key that was offered.
fn accepts(said: &[u8], blob: &[u8]) -> bool {
    let rest = said.get(1..).and_then(string).map(|(_, rest)| rest);
    rest.and_then(string).is_some_and(|(key, _)| key == blob)
}

/// Whether a refusal names keys among what would be accepted.
fn takes_keys(said: &[u8]) -> bool {
    let names = said.get(1..).and_then(string).map(|(names, _)| names);
    names.is_some_and(|names| has(names, b"publickey"))
}

fn has(names: &[u8], name: &[u8]) -> bool {
    names.split(|&byte| byte == b',').any(|it| it == name)
}

/// A transport (RFC 4253): packets, which are counted, and encrypted after the exchange.
struct Wire {
    conn: Conn,
    sent: u32,
    received: u32,
    keys: Option<(SealingKey, OpeningKey)>,
}

impl Wire {
    /// Says hello and exchanges keys.
    fn open(mut conn: Conn, known: Option<&str>) -> Result<Self, Reason> {
        conn.send(&[VERSION, b"\r\n"].concat())?;
        let mut lines = 0;
        let theirs = loop {
            let line = conn.line()?;
            lines += 1;
            match line.starts_with(b"SSH-") {
                true if line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-") => {
                    break line;
                }
                true => return Err(Reason::UnexpectedStatus),
                false if lines > MOST => return Err(Reason::Protocol),
                false => {}
            }
        };
        let mut wire = Self {
            conn,
            sent: 0,
            received: 0,
            keys: None,
        };
        let ours = hello();
        wire.send(&ours)?;
        let init = wire.receive(&[KEXINIT])?;
        if !agrees(&init).ok_or(Reason::Protocol)? {
            return Err(Reason::UnexpectedStatus);
        }
        let random = SystemRandom::new();
        let private = EphemeralPrivateKey::generate(&X25519, &random);
        let private = private.map_err(|_| Reason::Protocol)?;
        let public = private.compute_public_key().map_err(|_| Reason::Protocol)?;
        wire.send(&[&[ECDH_INIT], &strings(&[public.as_ref()])[..]].concat())?;
        let reply = wire.receive(&[ECDH_REPLY])?;
        let (host_key, rest) = string(&reply[1..]).ok_or(Reason::Protocol)?;
        let (point, rest) = string(rest).ok_or(Reason::Protocol)?;
        let (signed, _) = string(rest).ok_or(Reason::Protocol)?;
        let their_key = UnparsedPublicKey::new(&X25519, point);
        let shared = agree_ephemeral(private, &their_key, number);
        let shared = strings(&[&shared.map_err(|_| Reason::Protocol)?]);
        let texts = [
            VERSION,
            &theirs,
            &ours,
            &init,
            host_key,
            public.as_ref(),
            point,
        ];
        let hash = digest(&SHA256, &[strings(&texts), shared.clone()].concat());
        let hash = hash.as_ref();
        let is_known = known.is_none_or(|known| known == fingerprint(host_key));
        if !is_known || !is_signed(host_key, hash, signed).unwrap_or(false) {
            return Err(Reason::Tls); // not who it says, as far as we know
        }
        wire.send(&[NEWKEYS])?;
        wire.receive(&[NEWKEYS])?;
        let key = |letter: u8| {
            let first = digest(&SHA256, &[&shared, hash, &[letter], hash].concat());
            let second = digest(&SHA256, &[&shared, hash, first.as_ref()].concat());
            let mut key = [0; 64];
            key[..32].copy_from_slice(first.as_ref());
            key[32..].copy_from_slice(second.as_ref());
            key
        };
        wire.keys = Some((SealingKey::new(&key(b'C')), OpeningKey::new(&key(b'D'))));
        Ok(wire)
    }

    fn send(&mut self, payload: &[u8]) -> Result<(), Reason> {
        // The length is encrypted on its own, and does not count.
        let counted = payload.len() + if self.keys.is_some() { 1 } else { 5 };
        let padding = match 8 - counted % 8 {
            short @ ..4 => short + 8,
            enough => enough,
        };
        let mut packet = ((payload.len() + 1 + padding) as u32)
            .to_be_bytes()
            .to_vec();
        packet.push(padding as u8);
        packet.extend(payload);
        packet.resize(packet.len() + padding, 0);
        if let Some((key, _)) = &self.keys {
            let mut tag = [0; TAG_LEN];
            key.seal_in_place(self.sent, &mut packet, &mut tag);
            packet.extend(tag);
        }
        self.sent = self.sent.wrapping_add(1);
        self.conn.send(&packet)
    }

    /// The next packet of one of these kinds; what may come at any time is passed over.
    fn receive(&mut self, kinds: &[u8]) -> Result<Vec<u8>, Reason> {
        for _ in 0..MOST {
            let payload = self.packet()?;
            match payload.first() {
                Some(kind) if kinds.contains(kind) => return Ok(payload),
                Some(&DISCONNECT) => return Err(Reason::Refused),
                // Ignore, unimplemented, debug, extensions, a banner.
                Some(2..=4 | 7 | 53) => {}
                _ => return Err(Reason::Protocol),
            }
        }
        Err(Reason::TooLarge)
    }

    fn packet(&mut self) -> Result<Vec<u8>, Reason> {
        let head = self.conn.take(4)?;
        let head: [u8; 4] = head.try_into().map_err(|_| Reason::Protocol)?;
        let plain = match &self.keys {
            Some((_, key)) => key.decrypt_packet_length(self.received, head),
            None => head,
        };
        let length = u32::from_be_bytes(plain) as usize;
        if length > LONGEST {
            return Err(Reason::TooLarge);
        }
        let body = match &self.keys {
            None => self.conn.take(length)?,
            Some((_, key)) => {
                let mut sealed = [&head[..], &self.conn.take(length)?].concat();
                let tag = self.conn.take(TAG_LEN)?;
                let tag = tag.try_into().map_err(|_| Reason::Protocol)?;
                let opened = key.open_in_place(self.received, &mut sealed, &tag);
                opened.map_err(|_| Reason::Protocol)?.to_vec()
            }
        };
        self.received = self.received.wrapping_add(1);
        let (&padding, rest) = body.split_first().ok_or(Reason::Protocol)?;
        let end = rest.len().checked_sub(usize::from(padding));
        let payload = end.and_then(|end| rest.get(..end));
        payload.map(<[u8]>::to_vec).ok_or(Reason::Protocol)
    }
}

/// Our part of the negotiation (RFC 4253 section 7.1).
fn hello() -> Vec<u8> {
    let mut cookie = [0; 16];
    let _ = SystemRandom::new().fill(&mut cookie); // guards nothing here
    let mac: &[u8] = b"hmac-sha2-256"; // never used: the cipher has its own
    let none: &[u8] = b"none";
    let lists = [
        EXCHANGES, HOST_KEYS, CIPHER, CIPHER, mac, mac, none, none, b"", b"",
    ];
    [&[KEXINIT], &cookie[..], &strings(&lists), &[0; 5]].concat()
}

/// Whether the server's part can be met.
fn agrees(init: &[u8]) -> Option<bool> {
    let mut rest = init.get(17..)?;
    let mut agrees = true;
    for ours in [EXCHANGES, HOST_KEYS, CIPHER, CIPHER] {
        let (theirs, behind) = string(rest)?;
        let mut names = ours.split(|&byte| byte == b',');
        agrees &= names.any(|name| has(theirs, name));
        rest = behind;
    }
    for _ in 0..6 {
        rest = string(rest)?.1;
    }
    // A packet sent on a guess is none that we wait for.
    Some(agrees && rest.first() == Some(&0))
}

/// An unsigned number as SSH writes it (RFC 4251 section 5), without its length.
fn number(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let bytes = &bytes[zeros..];
    match bytes.first() {
        Some(0x80..) => [&[0], bytes].concat(),
        _ => bytes.to_vec(),
    }
}

/// Whether the host signed the exchange with the key that it showed.
fn is_signed(host_key: &[u8], hash: &[u8], signed: &[u8]) -> Option<bool> {
    let (kind, key) = string(host_key)?;
    let (signs, rest) = string(signed)?;
    let (sign, _) = string(rest)?;
    let verified = match (kind, signs) {
        (b"ssh-ed25519", b"ssh-ed25519") => {
            let (key, _) = string(key)?;
            signature::UnparsedPublicKey::new(&signature::ED25519, key).verify(hash, sign)
        }
        (b"ecdsa-sha2-nistp256", b"ecdsa-sha2-nistp256") => {
            let (_curve, key) = string(key)?;
            let (point, _) = string(key)?;
            let (r, rest) = string(sign)?;
            let (s, _) = string(rest)?;
            let both = [fixed(r)?, fixed(s)?].concat();
            let algorithm = &signature::ECDSA_P256_SHA256_FIXED;
            signature::UnparsedPublicKey::new(algorithm, point).verify(hash, &both)
        }
        (b"ssh-rsa", b"rsa-sha2-256" | b"rsa-sha2-512") => {
            let (e, key) = string(key)?;
            let (n, _) = string(key)?;
            let algorithm = match signs {
                b"rsa-sha2-256" => &signature::RSA_PKCS1_2048_8192_SHA256,
                _ => &signature::RSA_PKCS1_2048_8192_SHA512,
            };
            let n = n.strip_prefix(&[0]).unwrap_or(n);
            signature::RsaPublicKeyComponents { n, e }.verify(algorithm, hash, sign)
        }
        _ => return None,
    };
    Some(verified.is_ok())
}

/// A number in exactly 32 bytes.
fn fixed(number: &[u8]) -> Option<[u8; 32]> {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    let number = &number[zeros..];
    let mut fixed = [0; 32];
    let start = 32_usize.checked_sub(number.len())?;
    fixed[start..].copy_from_slice(number);
    Some(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_zeros_but_before_a_high_bit() {
        assert_eq!(number(&[0, 0, 1]), [1]);
        assert_eq!(number(&[0x80, 1]), [0, 0x80, 1]);
        assert_eq!(number(&[0, 0]), [0; 0]);
        assert_eq!(fixed(&[0, 0x80]).map(|it| it[31]), Some(0x80));
        assert_eq!(fixed(&[1; 33]), None);
    }

    #[test]
    fn a_negotiation_is_met_or_not() {
        assert_eq!(agrees(&hello()), Some(true));
        let lists: [&[u8]; 10] = [
            EXCHANGES,
            HOST_KEYS,
            b"aes128-ctr",
            CIPHER,
            b"",
            b"",
            b"",
            b"",
            b"",
            b"",
        ];
        let other = [&[KEXINIT], &[0; 16][..], &strings(&lists), &[0; 5]].concat();
        assert_eq!(agrees(&other), Some(false));
        for end in 0..other.len() - 5 {
            assert_eq!(agrees(&other[..end]), None, "{end}");
        }
    }

    #[test]
    fn only_the_key_that_was_offered_is_accepted() {
        let answer =
            |key: &[u8]| [&[USERAUTH_PK_OK], &strings(&[b"ssh-ed25519", key])[..]].concat();
        assert!(accepts(&answer(b"key"), b"key"));
        assert!(!accepts(&answer(b"other"), b"key"));
        assert!(!accepts(&[USERAUTH_PK_OK], b""));
    }
}
