//! Proofs that take two things of one scan, through the real binary: the same however it is read.

use std::fs;
use std::path::Path;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use straykey::detector::template::expand;

use crate::cli::straykey;
use crate::git_fixture::Fixture;

const LONG_AGO: &str = "210101000000Z";
const FAR_AHEAD: &str = "490101000000Z";

fn draw(template: &str, seed: u64) -> String {
    expand(template, seed).expect("valid").secret
}

/// A JSON Web Token of which the signature is right.
fn token(key: &[u8], claims: &str) -> String {
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let signed = format!(
        "{}.{}",
        encode(r#"{"alg":"HS256","typ":"JWT"}"#),
        encode(claims)
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(signed.as_bytes());
    let signature = BASE64URL_NOPAD.encode(&mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..=0x7f => vec![tag, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, content.to_vec()].concat()
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

/// A key on P-256.
struct Pair {
    secret: Vec<u8>,
    point: Vec<u8>,
}

impl Pair {
    const CURVE: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    const EC: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];

    /// The coordinates of the points whose secret numbers are SHA-256 of `pair <seed>`, computed with
    /// whole numbers of another language.
    const POINTS: [(u64, &str); 4] = [
        (
            5,
            "04e46d0dba39a86379ed80ec9fea5cc6d41176c8a25bff45e60bb1cafa402314\
             3f6e55bbe02bbc2e92e7f34f36afbe43482671224b709d8fc0b0166dd666f78f",
        ),
        (
            6,
            "32a0fdffb6547126a8824feee1c3b1223667e3e4fbc2436f7ae445a9ff4fcf33\
             8786888550c2844ffcd13f4b4a07583902a8533cdab6d3f7e9716d3cc79b247c",
        ),
        (
            7,
            "7c3c3d0128c2aa618c09484592e1d090723835713c26816b1ec7ad246529e160\
             f39537632db99c572bd8b98887aac9e8982bcdd708672bd0496b3ebe36e9e837",
        ),
        (
            9,
            "d6fe6cb443e80367f21f833647f5ef9e8ea1a0bc9a225fe5ccf27b9647f6a939\
             ce5ea92f771d5d03febe143f1fcdcd9440d12e0d97a5744190cb5356ca77bc3a",
        ),
    ];

    fn new(seed: u64) -> Self {
        let known = Self::POINTS.iter().find(|(known, _)| *known == seed);
        let digits = known.expect("a seed with a point").1;
        let point = HEXLOWER.decode(digits.as_bytes()).expect("digits");
        Self {
            secret: Sha256::digest(format!("pair {seed}")).to_vec(),
            point: [vec![4], point].concat(),
        }
    }

    /// Its bits, in the element with the context tag 1.
    fn bits(&self) -> Vec<u8> {
        element(3, &[vec![0], self.point.clone()].concat())
    }

    fn info(&self) -> Vec<u8> {
        let algorithm = sequence(&[element(6, &Self::EC), element(6, &Self::CURVE)]);
        sequence(&[algorithm, self.bits()])
    }

    fn private(&self) -> String {
        let secret = element(4, &self.secret);
        let curve = element(0xa0, &element(6, &Self::CURVE));
        let parts = [element(2, &[1]), secret, curve, element(0xa1, &self.bits())];
        pem("EC PRIVATE KEY", &sequence(&parts))
    }

    fn public(&self) -> String {
        pem("PUBLIC KEY", &self.info())
    }

    fn ssh(&self) -> String {
        let string = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
        let wire = [
            string(b"ecdsa-sha2-nistp256"),
            string(b"nistp256"),
            string(&self.point),
        ];
        format!(
            "ecdsa-sha2-nistp256 {} me@acme\n",
            BASE64.encode(&wire.concat())
        )
    }

    fn certificate(&self, end: &str, issuer: &str) -> String {
        let name = |text: &str| sequence(&[element(0x0c, text.as_bytes())]);
        let time = |text: &str| element(0x17, text.as_bytes());
        let body = sequence(&[
            element(0xa0, &element(2, &[2])),
            element(2, &[7]),
            sequence(&[]),
            name(issuer),
            sequence(&[time("200101000000Z"), time(end)]),
            name("acme"),
            self.info(),
        ]);
        let whole = sequence(&[body, sequence(&[]), element(3, &[0, 1, 2])]);
        pem("CERTIFICATE", &whole)
    }
}

fn pem(label: &str, bytes: &[u8]) -> String {
    let body = BASE64.encode(bytes);
    let lines: Vec<_> = body
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn report(directory: &Path, more: &[&str]) -> String {
    let fixed = ["scan", "--format", "json"];
    let ran = straykey(directory, &[&fixed[..], more].concat(), b"");
    assert_ne!(ran.code, 2, "{}", ran.err);
    ran.out
}

fn findings(directory: &Path, more: &[&str]) -> Vec<Value> {
    let report: Value = serde_json::from_str(&report(directory, more)).expect("JSON");
    report["findings"].as_array().expect("a list").clone()
}

/// The only finding, with the first of its reasons.
fn only(directory: &Path, more: &[&str]) -> (Value, String) {
    let mut all = findings(directory, more);
    assert_eq!(all.len(), 1, "{all:?}");
    let reason = all[0]["reasons"][0].as_str().expect("a reason").to_owned();
    (all.remove(0), reason)
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a scratch directory");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("below")).expect("made");
        fs::write(path, text).expect("written");
    }
    folder
}

#[test]
fn a_secret_that_signs_a_token_is_its_key() {
    let key = draw("{{alnum:40}}", 1);
    let raw = BASE64
        .decode(draw("{{b64:32}}", 2).as_bytes())
        .expect("base64");
    for (text, bytes) in [(key.clone(), key.as_bytes()), (BASE64.encode(&raw), &raw)] {
        let settings = format!("JWT_SECRET={text}\n");
        let fixture = format!(
            "token: {}\n",
            token(bytes, r#"{"sub":"1","exp":4102444800}"#)
        );
        let folder = folder(&[("a.env", &settings), ("b.yml", &fixture)]);
        let all = findings(folder.path(), &[]);
        assert_eq!(all.len(), 2, "{all:?}");
        let (signing, signed) = (&all[0], &all[1]);
        assert_eq!(signing["proof"], "cryptographic");
        assert_eq!(signing["severity"], "critical");
        assert_eq!(signing["confidence"], "certain");
        assert_eq!(signing["mints_trust"], "yes");
        let reason = signing["reasons"][0].as_str().expect("a reason");
        let id = signed["id"].as_str().expect("an id");
        assert_eq!(
            reason,
            format!("it signs a JSON Web Token of this scan (HS256, finding {id})")
        );
        assert_eq!(signed["detector"], "jwt");
        assert_eq!(signed["proof"], "cryptographic");
        assert_eq!(signed["expires_at"], "2100-01-01T00:00:00Z");
        let id = signing["id"].as_str().expect("an id");
        let reason = signed["reasons"][0].as_str().expect("a reason");
        assert!(
            reason.ends_with(&format!("the secret of finding {id}")),
            "{reason}"
        );
        let shown = report(folder.path(), &[]);
        assert!(!shown.contains(&text) && !shown.contains(&key));
    }
}

#[test]
fn a_token_of_another_key_stays_as_it_is() {
    let settings = format!("JWT_SECRET={}\n", draw("{{alnum:40}}", 3));
    let other = draw("{{alnum:40}}", 4);
    let fixture = format!("token: {}\n", token(other.as_bytes(), r#"{"sub":"1"}"#));
    let folder = folder(&[("a.env", &settings), ("b.yml", &fixture)]);
    let all = findings(folder.path(), &[]);
    assert_eq!(all.len(), 2);
    assert!(
        all.iter().all(|it| it["proof"] != "cryptographic"),
        "{all:?}"
    );
}

#[test]
fn a_key_is_held_against_its_certificate() {
    let pair = Pair::new(5);
    let key = pair.private();
    let ours = pair.certificate(FAR_AHEAD, "acme ca");
    let dir = folder(&[("tls/a.key", &key), ("tls/a.crt", &ours)]);
    let (found, reason) = only(dir.path(), &[]);
    assert_eq!(
        reason,
        "it is the key of the certificate in tls/a.crt, which ends on 2049-01-01"
    );
    assert_eq!(found["proof"], "cryptographic");
    assert_eq!(found["expires_at"], Value::Null);
    assert_ne!(found["severity"], "note");

    let old = pair.certificate(LONG_AGO, "acme");
    let dir = folder(&[("tls/a.key", &key), ("tls/a.crt", &old)]);
    let (found, reason) = only(dir.path(), &[]);
    assert_eq!(
        reason,
        "it is the key of the self-signed certificate in tls/a.crt, which ended on 2021-01-01"
    );
    assert_eq!(found["severity"], "note");
    assert_eq!(found["lifetime"], "expired");
    assert_eq!(found["expires_at"], "2021-01-01T00:00:00Z");

    // A certificate that was renewed with the same key, and a key that is used without one.
    for more in [ours, pair.ssh()] {
        let dir = folder(&[("a.key", &key), ("a.crt", &old), ("b.pub", &more)]);
        let (found, _) = only(dir.path(), &[]);
        assert_ne!(found["severity"], "note");
        assert_eq!(found["expires_at"], Value::Null);
    }
}

#[test]
fn a_key_is_held_against_its_public_half() {
    let pair = Pair::new(6);
    let (key, other) = (pair.private(), Pair::new(7));
    for (name, text) in [
        ("id.pub", pair.ssh()),
        (
            "etc/authorized_keys",
            format!("# me\nno-pty {}", pair.ssh()),
        ),
        ("ci.pem", pair.public()),
    ] {
        let dir = folder(&[("id", &key), (name, &text)]);
        let (found, reason) = only(dir.path(), &[]);
        assert_eq!(reason, format!("its public key stands in {name}"));
        assert_eq!(found["proof"], "cryptographic");
    }
    let dir = folder(&[
        ("id", &key),
        ("id.pub", &other.ssh()),
        ("a.crt", &other.public()),
    ]);
    assert_eq!(only(dir.path(), &[]).0["proof"], "structure");
    // In one file, also where the certificate is in base64 once more.
    let encoded = BASE64.encode(pair.certificate(FAR_AHEAD, "acme ca").as_bytes());
    let text = format!("user:\n  cert: {encoded}\nkey: |\n{key}");
    let dir = folder(&[("config", &text)]);
    assert!(
        only(dir.path(), &[])
            .1
            .starts_with("it is the key of the certificate in config,")
    );
}

#[test]
fn an_identity_is_held_against_its_recipient() {
    let identity = draw("{{age}}", 8);
    let recipient = straykey::engine::judge::proof::public_id(identity.as_bytes()).expect("one");
    let rules = format!("creation_rules:\n  - age: {recipient}\n");
    let dir = folder(&[("keys.txt", &identity), (".sops.yaml", &rules)]);
    let (found, reason) = only(dir.path(), &[]);
    assert_eq!(reason, "its recipient stands in .sops.yaml");
    assert_eq!(found["proof"], "cryptographic");
}

/// A key id of the account with this number; the fifth character, `A` to `Q`, is its first bit.
fn key_id(account: u64) -> String {
    let bits = (1 << 47 | account << 7).to_be_bytes();
    let body = data_encoding::BASE32_NOPAD.encode(&bits[2..]);
    format!("AKIA{body}{}", draw("{{base32:6}}", account))
}

#[test]
fn ids_of_two_accounts_beside_a_secret_are_doubted() {
    let secret = draw("{{base64:40}}", 11);
    let pair = |account| {
        let id = key_id(account);
        format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n")
    };
    let doubts = |other| {
        let dir = folder(&[("a.env", &pair(123_456_789)), ("b.env", &pair(other))]);
        let all = findings(dir.path(), &[]);
        let reasons = all
            .iter()
            .flat_map(|it| it["reasons"].as_array().expect("a list"));
        let texts = reasons.map(|it| it.as_str().expect("a text").to_owned());
        texts
            .filter(|it| it.contains("different accounts"))
            .collect::<Vec<_>>()
    };
    let doubted = "the access key ids beside it are of different accounts (000123456789, \
                   000987654321): at most one belongs to it";
    assert_eq!(doubts(987_654_321), [doubted]);
    assert!(doubts(123_456_789).is_empty());
}

#[test]
fn what_is_proved_does_not_depend_on_how_it_is_read() {
    let pair = Pair::new(9);
    let key = draw("{{alnum:40}}", 10);
    let fixture = Fixture::new();
    fixture.write("id", pair.private());
    fixture.write("settings.env", format!("JWT_SECRET={key}\n"));
    fixture.git(&["add", "-A"]);
    fixture.commit("one");
    fixture.write("id", "gone\n");
    fixture.write("old.crt", pair.certificate(LONG_AGO, "acme ca"));
    fixture.write(
        "log",
        format!("token: {}\n", token(key.as_bytes(), r#"{"sub":"1"}"#)),
    );
    fixture.git(&["add", "-A"]);
    fixture.commit("two");
    fixture.write("old.crt", "gone\n");
    fixture.git(&["add", "-A"]);
    fixture.commit("three");
    let plain = report(fixture.path(), &["--history-only"]);
    assert_eq!(plain.matches("\"cryptographic\"").count(), 3, "{plain}");
    assert!(plain.contains("which ended on 2021-01-01"));
    let state = tempfile::tempdir().expect("a scratch directory");
    let state = state.path().join("state").display().to_string();
    for more in [
        &["--no-delta-scan"][..],
        &["--threads", "1"],
        &["--threads", "7"],
        &["--state", &state],
        &["--state", &state],
    ] {
        let other = report(fixture.path(), &[&["--history-only"], more].concat());
        assert!(other == plain, "{more:?}: {other}\nnot\n{plain}");
    }
}
