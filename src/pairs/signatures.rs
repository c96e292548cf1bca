//! JSON Web Tokens whose signature is made with a secret of the same scan (RFC 7515, RFC 7518 3.2).

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Sha256, Sha384, Sha512};

use super::proved;
use crate::engine::judge::proof::decode_base64;
use crate::finding::Finding;
use crate::model::{MintsTrust, Proof, Secret, Severity};

/// The most tokens that are tried, the worst findings first.
const MOST_TOKENS: usize = 64;
/// The most secrets that are tried on each of them.
const MOST_SECRETS: usize = 2048;
/// A longer token is left out: the work is bounded.
const LONGEST_TOKEN: usize = 16 * 1024;
/// Keys are texts that people or generators make, no files.
const LONGEST_KEY: usize = 512;
/// A shorter key opens a token by guessing rather than by belonging to it.
const SHORTEST_KEY: usize = 4;
/// Names of findings in one sentence.
const NAMED: usize = 3;

/// A token signed with a shared secret.
struct Token {
    finding: usize,
    algorithm: Algorithm,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
}

impl Algorithm {
    fn named(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "HS384" => Some(Self::Hs384),
            "HS512" => Some(Self::Hs512),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Whether `key` makes the signature of `token`; compares in constant time.
    fn verifies(self, key: &[u8], token: &Token) -> bool {
        match self {
            Self::Hs256 => verifies::<Hmac<Sha256>>(key, token),
            Self::Hs384 => verifies::<Hmac<Sha384>>(key, token),
            Self::Hs512 => verifies::<Hmac<Sha512>>(key, token),
        }
    }
}

fn verifies<M: Mac + KeyInit>(key: &[u8], token: &Token) -> bool {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
        return false;
    };
    mac.update(&token.signed);
    mac.verify_slice(&token.signature).is_ok()
}

/// Proves signing keys, and the tokens that they sign.
pub(super) fn prove(findings: &mut [Finding]) {
    let tokens = tokens(findings);
    if tokens.is_empty() {
        return;
    }
    // By finding of the key: findings of tokens, and how they are signed.
    let mut signs: BTreeMap<usize, BTreeMap<usize, Algorithm>> = BTreeMap::new();
    for (at, secret) in secrets(findings) {
        let keys = keys(&secret);
        for token in &tokens {
            if keys.iter().any(|key| token.algorithm.verifies(key, token)) {
                signs
                    .entry(at)
                    .or_default()
                    .insert(token.finding, token.algorithm);
            }
        }
    }
    for (key, tokens) in signs {
        let id = findings[key].id.clone();
        for (&token, algorithm) in &tokens {
            let signed = &mut findings[token];
            if matches!(signed.proof, Proof::Cryptographic { .. }) {
                continue;
            }
            let what = format!(
                "its signature is right: {} with the secret of finding {}",
                algorithm.as_str(),
                id.as_str()
            );
            let ends_at = signed.proof.ends_at();
            proved(signed, what, ends_at);
        }
        let what = format!("it signs {}", named(findings, &tokens));
        let key = &mut findings[key];
        proved(key, what, None);
        key.severity = Severity::Critical;
        key.mints_trust = MintsTrust::Yes;
    }
}

/// `a JSON Web Token of this scan (HS256, finding sk1_…)`.
fn named(findings: &[Finding], tokens: &BTreeMap<usize, Algorithm>) -> String {
    let mut algorithms: Vec<_> = tokens.values().copied().collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    let algorithms: Vec<_> = algorithms.into_iter().map(Algorithm::as_str).collect();
    let ids: Vec<_> = tokens.keys().map(|&at| findings[at].id.as_str()).collect();
    let (count, noun) = match ids.len() {
        1 => ("a".to_owned(), "JSON Web Token"),
        many => (many.to_string(), "JSON Web Tokens"),
    };
    let finding = if ids.len() == 1 {
        "finding"
    } else {
        "findings"
    };
    let more = if ids.len() > NAMED { ", …" } else { "" };
    format!(
        "{count} {noun} of this scan ({}, {finding} {}{more})",
        algorithms.join(" and "),
        ids[..ids.len().min(NAMED)].join(", ")
    )
}

fn tokens(findings: &[Finding]) -> Vec<Token> {
    let signed = findings.iter().enumerate();
    signed
        .filter_map(|(at, finding)| token(at, finding.secret.expose()))
        .take(MOST_TOKENS)
        .collect()
}

fn token(finding: usize, text: &[u8]) -> Option<Token> {
    if text.len() > LONGEST_TOKEN || !text.starts_with(b"eyJ") {
        return None;
    }
    let parts: Vec<_> = text.split(|&c| c == b'.').collect();
    let [header, payload, signature] = parts[..] else {
        return None;
    };
    let read: Value = serde_json::from_slice(&decode_base64(header)?).ok()?;
    let algorithm = Algorithm::named(read.get("alg")?.as_str()?)?;
    Some(Token {
        finding,
        algorithm,
        signed: text[..header.len() + 1 + payload.len()].to_vec(),
        signature: decode_base64(signature)?,
    })
}

/// Secrets that could be keys, once each, with the first finding that has them. What proved to be
/// something else is none.
fn secrets(findings: &[Finding]) -> Vec<(usize, Secret)> {
    let mut known = BTreeSet::new();
    let mut secrets = Vec::new();
    for (at, finding) in findings.iter().enumerate() {
        if matches!(
            finding.proof,
            Proof::Structure { .. } | Proof::Checksum { .. }
        ) {
            continue;
        }
        for seen in &finding.occurrences {
            let fits = (SHORTEST_KEY..=LONGEST_KEY).contains(&seen.secret.len());
            if fits && secrets.len() < MOST_SECRETS && known.insert(&seen.secret) {
                secrets.push((at, seen.secret.clone()));
            }
        }
    }
    secrets
}

/// The keys that libraries make of a text: its bytes, what it encodes in base64, and in hex.
fn keys(secret: &Secret) -> Vec<Vec<u8>> {
    let text = secret.expose();
    let decoded = [decode_base64(text), HEXLOWER_PERMISSIVE.decode(text).ok()];
    let decoded = decoded.into_iter().flatten();
    let decoded = decoded.filter(|key| key.len() >= SHORTEST_KEY);
    std::iter::once(text.to_vec()).chain(decoded).collect()
}
