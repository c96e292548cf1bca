//! Offline proof: checksums and structures that a token carries in itself.
//!
//! Asks nobody and knows nothing of detectors: a proof gets the bytes of a blob and where the
//! secret stands in them. A failed check refutes only where every generation of the family has it;
//! otherwise the answer is [`Verdict::Open`]. Invariants: no input panics, and no text that a
//! proof returns holds a part of the secret that grants access.

mod age;
mod aws;
mod azure;
mod base58;
mod bip39;
mod checksum;
mod claims;
mod curve25519;
mod der;
mod encoded;
mod ethereum;
mod ids;
mod macaroon;
mod pkcs12;
mod private_key;
mod product;
mod public;
mod signed_url;
mod stellar;
mod weierstrass;

pub use aws::aws_account;
pub use public::{Public, PublicKind, may_hold_public, public_halves, public_id};

use crate::model::{Proof, Span, printable};

/// What a proof says of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is well-formed: chance hardly produces it.
    Proved(Proof),
    /// Well-formed, and locked with a passphrase: of no use by itself.
    Sealed(Proof),
    /// Nothing to say: an older generation, or a shape without a check.
    Open,
    /// It cannot be one: drop it.
    Refuted,
}

impl Verdict {
    fn structure(what: impl Into<String>, ends_at: Option<i64>) -> Self {
        Self::Proved(Proof::Structure {
            what: what.into(),
            ends_at,
        })
    }

    fn checksum(what: impl Into<String>) -> Self {
        Self::Proved(Proof::Checksum { what: what.into() })
    }
}

/// A secret and the text around it.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    text: &'a [u8],
    span: Span,
}

impl<'a> Candidate<'a> {
    fn secret(self) -> &'a [u8] {
        &self.text[self.span.range()]
    }

    /// The text from `margin` bytes before the secret to `margin` bytes after it.
    fn around(self, margin: usize) -> &'a [u8] {
        let start = self.span.start.saturating_sub(margin);
        let end = self.span.end.saturating_add(margin).min(self.text.len());
        &self.text[start..end]
    }
}

type Prover = fn(Candidate<'_>) -> Verdict;

/// All proofs by name; the names are those of [`crate::detector::PROOFS`].
const PROVERS: &[(&str, Prover)] = &[
    ("age-bech32", age::bech32),
    ("apify-crc32", checksum::apify),
    ("atlassian-crc32", checksum::atlassian),
    ("aws-account", aws::account),
    ("azure-identifiable-key", azure::identifiable_key),
    ("azure-sas", azure::sas),
    ("base58check", base58::check),
    ("base64-user-password", encoded::user_password),
    ("bech32", age::bech32),
    ("bip39", bip39::mnemonic),
    ("bitcoin-extended", base58::extended),
    ("bitcoin-wif", base58::wif),
    ("bitbucket-data-center", encoded::bitbucket_data_center),
    ("cloudflare-crc32", checksum::cloudflare),
    ("discord-bot", encoded::discord_bot),
    ("ed25519-pair", base58::ed25519_pair),
    ("ethereum-address", ethereum::address),
    ("gcp-service-account", claims::gcp_service_account),
    ("github-app-crc32", checksum::github_app),
    ("github-crc32", checksum::github),
    ("github-fine-grained", checksum::github_fine_grained),
    ("gitlab-routable", checksum::gitlab_routable),
    ("grafana-cloud", claims::grafana_cloud),
    ("grafana-crc32", checksum::grafana),
    ("jfrog-reference", encoded::jfrog_reference),
    ("jwt", claims::jwt),
    ("macaroon-fly", macaroon::fly),
    ("macaroon-pypi", macaroon::pypi),
    ("npm-crc32", checksum::npm),
    (
        "onepassword-service-account",
        claims::onepassword_service_account,
    ),
    ("opaque-token", encoded::opaque_token),
    ("openai-marker", encoded::openai_marker),
    ("pkcs12", pkcs12::container),
    ("private-key", private_key::private_key),
    ("private-key-der", private_key::der_base64),
    ("salad-crc32", checksum::salad),
    ("sentry-org", claims::sentry_org),
    ("signed-url", signed_url::signed_url),
    ("slack-ids", ids::slack_ids),
    ("stellar-seed", stellar::seed),
    ("stripe-mode", ids::stripe_mode),
    ("telegram-bot", ids::telegram_bot),
    ("vercel-crc32", checksum::vercel),
    ("zuplo-crc32", checksum::zuplo),
];

/// Runs the proof called `name`, one of [`crate::detector::PROOFS`], on the secret that stands at
/// `span` of `text`.
pub fn prove(name: &str, text: &[u8], span: Span) -> Verdict {
    let prover = PROVERS.iter().find(|(known, _)| *known == name);
    match prover {
        Some((_, prover)) if span.start <= span.end && span.end <= text.len() => {
            prover(Candidate { text, span })
        }
        _ => Verdict::Open,
    }
}

/// The moment that a field of a signed address names, in seconds since 1970-01-01T00:00:00Z.
pub fn moment(value: &[u8]) -> Option<i64> {
    azure::moment(value)
}

/// Decodes base64 in either alphabet, with or without padding, whatever its last bits are.
pub fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let unpadded = text.len() - text.iter().rev().take_while(|&&c| c == b'=').count();
    let text = &text[..unpadded];
    if text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut held, mut bits) = (0u32, 0);
    for &c in text {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Some(bytes)
}

/// Splits off the last `count` bytes.
fn split_tail(bytes: &[u8], count: usize) -> Option<(&[u8], &[u8])> {
    bytes.len().checked_sub(count).map(|at| bytes.split_at(at))
}

/// A name that the token carries, made short and safe to show.
fn shown(name: &str) -> String {
    const LONGEST: usize = 80;
    match name.char_indices().nth(LONGEST) {
        Some((at, _)) => printable(name.get(..at).unwrap_or_default()) + "…",
        None => printable(name),
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    find(text, word).is_some()
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detector::PROOFS;
    use crate::detector::template::expand;

    /// What `name` says of a whole text, and of the text between other text.
    pub(super) fn verdict(name: &str, secret: &str) -> Verdict {
        let alone = prove(name, secret.as_bytes(), Span::new(0, secret.len()));
        let text = format!("key = '{secret}'\n");
        let inside = prove(name, text.as_bytes(), Span::new(7, 7 + secret.len()));
        assert_eq!(
            alone, inside,
            "{name}: the place of a secret changed the verdict"
        );
        alone
    }

    /// `name` proves each of many draws of `template`; returns what it said of the first.
    pub(super) fn proves(name: &str, template: &str) -> Proof {
        let mut said = None;
        for seed in 0..50 {
            let drawn = expand(template, seed).expect("valid template").secret;
            let Verdict::Proved(proof) = verdict(name, &drawn) else {
                panic!("{name} does not prove draw {seed} of {template}");
            };
            said.get_or_insert(proof);
        }
        said.expect("at least one draw")
    }

    /// `name` gives every draw of `template` the verdict `expected`.
    pub(super) fn says(name: &str, template: &str, expected: &Verdict) {
        for seed in 0..50 {
            let drawn = expand(template, seed).expect("valid template").secret;
            let got = verdict(name, &drawn);
            assert!(
                got == *expected,
                "{name} says {got:?} of draw {seed} of {template}"
            );
        }
    }

    #[test]
    fn every_proof_is_registered_once() {
        let mut registered: Vec<_> = PROVERS.iter().map(|(name, _)| *name).collect();
        let mut named = PROOFS.to_vec();
        named.sort_unstable();
        registered.sort_unstable();
        assert_eq!(registered, named);
    }

    #[test]
    fn unknown_names_and_spans_out_of_bounds_stay_open() {
        assert_eq!(prove("nothing", b"abc", Span::new(0, 3)), Verdict::Open);
        assert_eq!(prove("jwt", b"abc", Span::new(0, 4)), Verdict::Open);
    }

    #[test]
    fn base64_is_read_in_both_alphabets_with_any_padding() {
        for text in ["-_8=", "+/8", "-_9", "-/8=="] {
            assert_eq!(decode_base64(text.as_bytes()), Some(vec![0xfb, 0xff]));
        }
        assert_eq!(decode_base64(b"abcde"), None);
        assert_eq!(decode_base64(b"ab c"), None);
        assert_eq!(decode_base64(b""), Some(Vec::new()));
    }

    /// Text that gets past the first checks: prefixes, templates' values, and pieces of them.
    fn likely() -> impl Strategy<Value = Vec<u8>> {
        const TEMPLATES: &[&str] = &[
            "{{crc-base62:ghp_:30}}",
            "{{github-fine-grained}}",
            "{{gitlab-routable:glpat-}}",
            "{{jwt}}",
            "ghs_123_{{jwt}}",
            "{{pypi}}",
            "{{fly}}",
            "{{discord-bot}}",
            "{{age}}",
            "{{pem:RSA PRIVATE KEY}}",
            "{{pem:OPENSSH PRIVATE KEY}}",
            "{{pem-line:PRIVATE KEY}}",
            "{{pem:PGP PRIVATE KEY BLOCK}}",
            "{{sentry-org}}",
            "{{grafana-cloud}}",
            "{{zuplo}}",
            "{{jfrog-reference:0}}",
            "{{basic:user:16}}",
            "{{wif}}",
            "{{xprv}}",
            "{{ed25519-pair}}",
            "{{mnemonic:12}}",
            "{{stellar}}",
            "{{bech32:nsec:32}}",
            "AKIA{{base32:16}}",
            "{{alnum:52}}JQQJ9{{alnum:27}}",
            "sv=2024-01-01&se=2025-01-01&sig={{b64:32}}",
        ];
        let drawn = (0..TEMPLATES.len(), 0..1000u64).prop_map(|(which, seed)| {
            expand(TEMPLATES[which], seed)
                .expect("valid")
                .secret
                .into_bytes()
        });
        let change = (any::<prop::sample::Index>(), any::<u8>());
        let changed = (
            drawn,
            prop::collection::vec(change, 0..4),
            any::<prop::sample::Index>(),
        );
        changed.prop_map(|(mut text, changes, cut)| {
            for (at, byte) in changes {
                let at = at.index(text.len());
                text[at] = byte;
            }
            let cut = cut.index(2 * text.len());
            text.truncate(cut);
            text
        })
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(text in prop::collection::vec(any::<u8>(), 0..400),
                                       a in any::<prop::sample::Index>(),
                                       b in any::<prop::sample::Index>()) {
            let (a, b) = (a.index(text.len() + 1), b.index(text.len() + 1));
            for name in PROOFS {
                prove(name, &text, Span::new(a.min(b), a.max(b)));
            }
            public_halves(&text);
            public_id(&text);
        }

        #[test]
        fn damaged_tokens_never_panic(text in likely()) {
            for name in PROOFS {
                prove(name, &text, Span::new(0, text.len()));
            }
            public_halves(&text);
            public_id(&text);
        }
    }
}
