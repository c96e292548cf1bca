//! Values that say of themselves that they are no secret.
//!
//! `changeme`, `<your-key>`, `xxxxxxxx`, `1234567890`, `****`, and the keys that vendors print in
//! their documentation. A word counts where it is one: at word boundaries, or so long that a
//! random value does not hold it by chance. Weak passwords are not placeholders; `super::guess`
//! rates them.

use data_encoding::BASE64;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::proof::decode_base64;

/// Longer values are keys and certificates, in which words mean nothing.
const LONGEST: usize = 512;

/// In longer values a random hump reads `Fake` now and then: only signs part words there.
const LONGEST_HUMPED: usize = 32;

/// Words that no value holds by chance, looked for anywhere and in any case.
const TELLING: &[&[u8]] = &[
    b"changeit",
    b"changeme",
    b"deadbeef",
    b"example",
    b"foobar",
    b"loremipsum",
    b"notasecret",
    b"notreal",
    b"placeholder",
    b"redacted",
    b"replaceme",
    b"yourapi",
    b"yourkey",
    b"yourpass",
    b"yoursecret",
    b"yourtoken",
];
/// Words that tell when they stand alone between signs or capitals.
const TELLING_ALONE: &[&str] = &[
    "dummy",
    "fake",
    "fixme",
    "invalid",
    "mock",
    "placeholder",
    "sample",
    "todo",
    "undefined",
    "xxxx",
    "your",
];
/// Words that tell when the value has no others.
const FILLERS: &[&str] = &[
    "bar", "baz", "blah", "empty", "foo", "nil", "none", "null", "omitted", "quux", "qux", "tbd",
    "xxx",
];
/// Orders that a reader is given, and what he is to do them to.
const ORDERS: &[&str] = &[
    "add", "change", "enter", "fill", "insert", "paste", "put", "replace", "set",
];
const OBJECTS: &[&str] = &[
    "here", "in", "it", "key", "me", "my", "password", "secret", "this", "token", "value", "with",
];
/// Words that name a secret rather than being one; two of them and nothing else tell.
const NAMES: &[&str] = &[
    "access", "api", "app", "auth", "bearer", "client", "key", "my", "pass", "password", "private",
    "secret", "some", "the", "token", "user", "value",
];
/// What stands in brackets instead of a value.
const HIDDEN: &[&str] = &[
    "filtered",
    "hidden",
    "masked",
    "omitted",
    "protected",
    "redacted",
    "removed",
    "scrubbed",
    "sensitive",
];
const KEYBOARD: &[&[u8]] = &[
    b"qwertyuiop",
    b"qwertzuiop",
    b"azertyuiop",
    b"asdfghjkl",
    b"zxcvbnm",
    b"1qaz2wsx3edc",
];

/// First eight bytes of the SHA-256 of keys that documentation prints; never the keys.
const DOCUMENTED: &[u64] = &[
    0x7f75_367e_7881_2551, // jwt.io's sample
    0xc794_fa6d_20c6_4efb, // the same with `admin`
    0xda81_6f9f_2c16_e6c5, // its predecessor
    0x8d4e_f653_6dc8_895f, // RFC 7515, appendix A.1
    0x8b1b_17a9_740c_068a, // its key
    0xf2d6_ca16_5150_33e5, // Stripe's test key, old
    0x2caf_c097_0149_a84f, // Stripe's test key
    0x0011_cc25_eb43_2071, // Azure storage emulator
    0xaa65_4743_9583_c3a2, // Azure Cosmos DB emulator
    0x3543_c50b_0cb9_cea8, // GitHub's documentation, one of each kind
    0xbc3a_e723_f57c_6b9e,
    0x82e7_4299_544e_0073,
    0x6d7f_a4e6_4d4b_1f3e,
    0xf215_faf9_d88b_7f0a, // MD5 of nothing
    0x07e2_3ede_2756_aa3f, // its SHA-1
    0xcd37_2fb8_5148_700f, // its SHA-256
    0xdeaf_b2d7_ab48_b257, // RFC 7628
    0x2d5b_07fb_8139_fde8, // its bearer token in other copies
    // Phrases from which tools make the accounts of a chain for tests, and of Hardhat's (Anvil's)
    // and Ganache's the first ten keys (BIP-32, m/44'/60'/0'/0/n), without 0x.
    0x9c5d_0a66_56e5_d3f3, // Ganache
    0xb83e_9641_7f61_cb14, // Truffle
    0xd16d_608f_ce74_3a04, // Substrate
    0x54fc_ab1a_14b5_7363, // Ethermint
    0xbc1a_5096_6c9e_6486,
    0x8335_c553_3482_1eef,
    0xb26a_b652_9d20_ebeb,
    0x6403_4b44_c579_b335,
    0x4d3e_46ee_c824_4d1d,
    0x0aed_ba9d_586f_34f9,
    0x28e5_43d3_753f_c9d1,
    0xf070_994a_8599_4785,
    0x38e6_9fdd_19ae_feb4,
    0x967f_2158_6cdf_1248,
    0x5785_9218_5588_730b,
    0x30e5_5f54_63e2_2af0,
    0x70b8_01af_ae94_d2e6,
    0x0bc9_fde2_b028_e3b0,
    0xf51c_2c79_5f78_2308,
    0x6dea_34b6_6114_1091,
    0xfaeb_1dab_5a32_6eef,
    0x196f_badc_a8b7_eea6,
    0xecd5_e9d0_b08a_8a9f,
    0x3fd5_610e_e03a_3503,
];

/// Reasons that a weak password can have too: `123456`, `qwerty`.
pub const MAY_BE_WEAK: &[&str] = &["a sequence"];

type Check = (fn(&[u8]) -> bool, &'static str);

/// Why `secret` is a placeholder; `None` when nothing says so.
pub fn placeholder(secret: &[u8]) -> Option<&'static str> {
    let text = secret.trim_ascii();
    let checks: [Check; 9] = [
        (<[u8]>::is_empty, "empty"),
        (is_masked, "masked"),
        (is_in_angles, "angle brackets"),
        (is_elided, "elided"),
        (is_repeated, "repeated characters"),
        (is_sequence, "a sequence"),
        (is_documented, "a documented example"),
        (is_worded, "a placeholder's words"),
        (is_name, "the name of a secret"),
    ];
    let short = text.len() <= LONGEST;
    let checks = checks.iter().take(if short { checks.len() } else { 2 });
    let mut holding = checks.filter(|(check, _)| check(text));
    holding.next().map(|&(_, reason)| reason)
}

/// Stars or bullets, or a word for "hidden" in brackets.
pub(super) fn is_masked(text: &[u8]) -> bool {
    let bullets = ["*", "•", "●", "∙", "█"];
    let only = |sign: &str| text.len() >= 3 * sign.len() && is_block_of(text, sign.as_bytes());
    let starred = text.len() <= LONGEST && contains(text, b"****");
    bullets.iter().any(|sign| only(sign))
        || starred
        || contains(text, "••••".as_bytes())
        || is_hidden(text)
}

fn is_block_of(text: &[u8], block: &[u8]) -> bool {
    text.len().is_multiple_of(block.len()) && text.chunks(block.len()).all(|part| part == block)
}

/// `[REDACTED]`, `(hidden)`, `<value removed>`.
fn is_hidden(text: &[u8]) -> bool {
    let inner = in_brackets(
        text,
        &[(b'<', b'>'), (b'[', b']'), (b'(', b')'), (b'{', b'}')],
    );
    inner.is_some_and(|inner| words(inner).any(|word| HIDDEN.contains(&word.as_str())))
}

/// `<your key>`, `<API_KEY>`.
fn is_in_angles(text: &[u8]) -> bool {
    let inner = in_brackets(text, &[(b'<', b'>')]);
    inner.is_some_and(|inner| inner[0].is_ascii_alphabetic())
}

/// What stands in one of the pairs, when that is words and nothing else.
fn in_brackets<'a>(text: &'a [u8], pairs: &[(u8, u8)]) -> Option<&'a [u8]> {
    let [open, inner @ .., close] = text else {
        return None;
    };
    let plain = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b' ' | b'_' | b'-' | b'.' | b':');
    let fits = pairs.contains(&(*open, *close)) && !inner.is_empty() && inner.iter().all(plain);
    fits.then_some(inner)
}

fn is_elided(text: &[u8]) -> bool {
    text.len() <= LONGEST && (contains(text, b"...") || contains(text, "…".as_bytes()))
}

/// A short block over and over, or a long run of one character inside.
fn is_repeated(text: &[u8]) -> bool {
    let blocks = (1..=8).any(|size| {
        text.len() >= (3 * size).max(4) && text.chunks(size).all(|part| text.starts_with(part))
    });
    blocks || runs(text).any(|(c, count)| count >= longest_chance_run(c))
}

/// The run that a value without meaning does not reach: bytes of zeros and ones are runs of `A`
/// and `/` in base64, and of `0` and `f` in hex.
fn longest_chance_run(c: u8) -> usize {
    match c {
        b'x' | b'X' | b'#' | b'?' => 5,
        b'A' | b'/' | b'=' | b'-' | b'_' => 24,
        b'0' | b'f' | b'F' => 10,
        _ => 8,
    }
}

/// Runs of an equal byte and their lengths.
fn runs(text: &[u8]) -> impl Iterator<Item = (u8, usize)> {
    text.chunk_by(|a, b| a == b).map(|run| (run[0], run.len()))
}

/// `12345678`, `abcdef`, `a1b2c3d4`, `qwerty`.
fn is_sequence(text: &[u8]) -> bool {
    let longest = longest_steps(text, 1);
    let most = 2 * longest >= text.len() && longest >= 6;
    let whole = longest == text.len() && longest >= 5;
    let woven = longest_steps(text, 2);
    let woven = woven >= 10 || woven >= 8 && woven == text.len();
    longest >= 8 || most || whole || woven || is_walk(text)
}

/// Length of the longest part in which each byte is the successor of the one `lag` before it, or
/// in which each is its predecessor.
fn longest_steps(text: &[u8], lag: usize) -> usize {
    let length = |step: fn(u8, u8) -> bool| {
        let (mut longest, mut run) = (0, 0);
        for pair in text.windows(lag + 1) {
            run = if step(pair[0], pair[lag]) { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        if longest > 0 { longest + lag } else { 0 }
    };
    length(follows).max(length(|a, b| follows(b, a)))
}

fn follows(a: u8, b: u8) -> bool {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    match (a, b) {
        (b'9', b'0' | b'a') => true,
        _ => a.is_ascii_alphanumeric() && b == a + 1,
    }
}

fn is_walk(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    let six = |keys: &&[u8]| keys.windows(6).any(|keys| contains(&lower, keys));
    KEYBOARD.iter().any(six)
}

pub(super) fn is_documented(text: &[u8]) -> bool {
    let digest = Sha256::digest(text.strip_prefix(b"0x").unwrap_or(text));
    let head = digest.first_chunk().map(|head| u64::from_be_bytes(*head));
    head.is_some_and(|head| DOCUMENTED.contains(&head)) || is_sample_token(text)
}

/// A JWT with the claims of jwt.io's sample, whatever signed it.
fn is_sample_token(text: &[u8]) -> bool {
    if !text.starts_with(b"eyJ") {
        return false;
    }
    let payload = text.split(|&c| c == b'.').nth(1).and_then(decode_base64);
    let claims: Option<Value> = payload.and_then(|json| serde_json::from_slice(&json).ok());
    let claim = |name: &str| claims.as_ref()?.get(name)?.as_str();
    claim("sub") == Some("1234567890") && claim("name") == Some("John Doe")
}

fn is_worded(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    if TELLING.iter().any(|word| contains(&lower, word)) || is_padded_base64_of_telling(text) {
        return true;
    }
    let words: Vec<_> = match text.len() <= LONGEST_HUMPED {
        true => words(text).collect(),
        false => signed_words(&lower).collect(),
    };
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    let order = words.split_first().is_some_and(|(first, rest)| {
        is(ORDERS, first) && rest.iter().any(|word| is(OBJECTS, word))
    });
    let here = words.len() > 1 && words.last().is_some_and(|word| word == "here");
    let denied = words
        .iter()
        .position(|word| word == "not")
        .is_some_and(|at| {
            let rest = words[at + 1..]
                .iter()
                .find(|word| !matches!(word.as_str(), "a" | "an" | "the"));
            rest.is_some_and(|word| matches!(word.as_str(), "actual" | "real" | "secret" | "valid"))
        });
    let fillers = !words.is_empty() && words.iter().all(|word| is(FILLERS, word));
    order || here || denied || fillers || words.iter().any(|word| is(TELLING_ALONE, word))
}

/// base64 of a text such as `changeme`, as Kubernetes manifests hold it.
fn is_padded_base64_of_telling(text: &[u8]) -> bool {
    let decoded = BASE64.decode(text).unwrap_or_default().to_ascii_lowercase();
    decoded.is_ascii() && TELLING.iter().any(|word| contains(&decoded, word))
}

/// `api_key`, `ACCESS_TOKEN`, `client-secret`.
fn is_name(text: &[u8]) -> bool {
    let words: Vec<_> = words(text).collect();
    let letters: usize = words.iter().map(String::len).sum();
    let signs = text
        .iter()
        .filter(|c| matches!(c, b'_' | b'-' | b' ' | b'.'))
        .count();
    let named = |word: &String| NAMES.contains(&word.as_str());
    words.len() > 1 && words.iter().all(named) && letters + signs == text.len()
}

/// Runs of letters, cut at capitals, in lower case.
fn words(text: &[u8]) -> impl Iterator<Item = String> {
    let pieces = text.chunk_by(|&a, &b| {
        a.is_ascii_alphabetic()
            && b.is_ascii_alphabetic()
            && !(a.is_ascii_lowercase() && b.is_ascii_uppercase())
    });
    pieces
        .filter(|piece| piece[0].is_ascii_alphabetic())
        .map(|piece| String::from_utf8_lossy(piece).to_ascii_lowercase())
}

/// What stands between signs, of a text in lower case.
fn signed_words(lower: &[u8]) -> impl Iterator<Item = String> {
    let pieces = lower.split(|c| c.is_ascii() && !c.is_ascii_alphanumeric());
    let word = |piece: &[u8]| String::from_utf8_lossy(piece).into_owned();
    pieces.filter(|piece| !piece.is_empty()).map(word)
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;

    use super::*;
    use crate::detector::template::expand;

    fn reason(template: &str) -> Option<&'static str> {
        let drawn = expand(template, 5).expect("valid").secret;
        placeholder(drawn.as_bytes())
    }

    #[test]
    fn every_kind_of_placeholder_has_its_reason() {
        for (expected, templates) in [
            ("empty", &["", "  "][..]),
            (
                "masked",
                &[
                    "****",
                    "••••••",
                    "{{alnum:4}}********{{alnum:4}}",
                    "[REDACTED]",
                    "<hidden>",
                    "(hidden)",
                    "[value removed]",
                    "***",
                ],
            ),
            (
                "angle brackets",
                &["<your-api-key>", "<API KEY>", "<secret>"],
            ),
            (
                "elided",
                &["sk_live_{{alnum:4}}...", "{{alnum:8}}…{{alnum:4}}"],
            ),
            (
                "repeated characters",
                &[
                    "{{repeat:x:20}}",
                    "{{repeat:0:8}}",
                    "ghp_{{repeat:X:36}}",
                    "{{repeat:abc:5}}",
                    "AKIA{{repeat:x:16}}",
                    "{{repeat:a1:8}}",
                    "{{repeat:abcd1234:8}}",
                    "00000000-0000-0000-0000-{{repeat:0:12}}",
                ],
            ),
            (
                "a sequence",
                &[
                    "1234567890",
                    "abcdef",
                    "abcdefghijklmnop",
                    "12345",
                    "0123456789abcdef",
                    "a1b2c3d4e5f6",
                    "ghp_1234567890{{alnum:26}}",
                    "987654321",
                    "qwertyuiop",
                    "QWERTY12",
                    "Asdfghjkl1!",
                ],
            ),
            (
                "a placeholder's words",
                &[
                    "changeme",
                    "CHANGEME!",
                    "change-me",
                    "ChangeThisPassword",
                    "replace_with_token",
                    "your-api-key-here",
                    "YOUR_TOKEN",
                    "yourpassword",
                    "token_here",
                    "example",
                    "AKIA{{base32:9}}EXAMPLE",
                    "{{base64:30}}EXAMPLEKEY",
                    "my-fake-token",
                    "dummy_secret",
                    "foo",
                    "foo-bar",
                    "foobar123",
                    "not-a-real-key",
                    "null",
                    "TODO",
                    "insert your key in this field",
                    "Y2hhbmdlbWUK",
                    "deadbeefdeadbeef",
                    "invalid-password",
                    "mockSecretValue",
                ],
            ),
            (
                "the name of a secret",
                &["api_key", "ACCESS_TOKEN", "client-secret", "my password"],
            ),
        ] {
            for template in templates {
                assert_eq!(reason(template), Some(expected), "{template}");
            }
        }
    }

    #[test]
    fn weak_and_ordinary_values_are_none() {
        for value in [
            "hunter2",
            "Passw0rd!2024",
            "password",
            "secret",
            "s3cr3t",
            "root",
            "admin123",
            "postgres",
            "companyname-prod-db",
            "CorrectHorseBatteryStaple1!",
            "barbecue-sauce-7",
            "todoist-prod",
            "yourself4ever",
            "fakery99",
            "nullable_x7",
            "test-password",
        ] {
            assert_eq!(placeholder(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn random_values_are_none() {
        for template in [
            "{{alnum:16}}",
            "{{alnum:40}}",
            "{{hex:32}}",
            "{{hex:64}}",
            "{{base64url:86}}",
            "{{lowernum:32}}",
            "{{uuid}}",
            "{{b64:64}}",
            "{{crc-base62:ghp_:30}}",
            "{{jwt}}",
            "{{base32:32}}",
            "{{digits:16}}",
            "{{pem:RSA PRIVATE KEY}}",
            "{{grafana-sa}}",
            "sk_live_{{alnum:24}}",
            "{{azure-storage:0}}",
        ] {
            for seed in 0..1000 {
                let drawn = expand(template, seed).expect("valid").secret;
                let said = placeholder(drawn.as_bytes());
                assert_eq!(said, None, "draw {seed} of {template}");
            }
        }
    }

    /// A token over `claims`, signed as jwt.io does.
    fn signed(claims: &str, key: &[u8]) -> String {
        let encode = |json: &str| BASE64URL_NOPAD.encode(json.as_bytes());
        let body = format!(
            "{}.{}",
            encode(r#"{"alg":"HS256","typ":"JWT"}"#),
            encode(claims)
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
        mac.update(body.as_bytes());
        let signature = BASE64URL_NOPAD.encode(&mac.finalize().into_bytes());
        format!("{body}.{signature}")
    }

    #[test]
    fn documented_samples_are_known_by_digest_and_by_claims() {
        let claims = r#"{"sub":"1234567890","name":"John Doe","iat":1516239022}"#;
        let sample = signed(claims, b"your-256-bit-secret");
        let digest = Sha256::digest(sample.as_bytes());
        let head = u64::from_be_bytes(*digest.first_chunk().expect("32 bytes"));
        assert!(DOCUMENTED.contains(&head));
        for token in [sample, signed(claims, b"another")] {
            assert_eq!(placeholder(token.as_bytes()), Some("a documented example"));
        }
        let other = signed(r#"{"sub":"12","name":"Jane Roe"}"#, b"another");
        assert_eq!(placeholder(other.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            placeholder(&bytes);
        }
    }
}
