//! Decides whether a pattern hit is a secret, and how sure that is.

pub mod entropy;
pub mod guess;
pub mod path;
pub mod placeholder;
pub mod proof;
pub mod reference;

use crate::detector::{Detector, ValueKind};
use crate::model::{Confidence, DetectorIndex, Match, Proof, Secret, Span};

use super::{extent, line_around};
use proof::Verdict;

/// `{{x}}` inside: a text that something fills in.
pub(super) fn is_template(value: &[u8]) -> bool {
    let find = |pair: &[u8]| value.windows(2).position(|window| window == pair);
    find(b"{{").is_some_and(|open| find(b"}}").is_some_and(|close| open < close))
}

/// `PASSWORD`, `DB_PASS`: the name of what belongs there.
pub(super) fn is_all_caps(value: &[u8]) -> bool {
    value
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
}

/// The name of a password in its place; `foo:bar`, `user1:password1`, and what anonymous users send.
pub(in crate::engine) fn is_form(text: &[u8], span: Span) -> bool {
    const USERS: &[&str] = &[
        "foo", "login", "myuser", "someuser", "user", "username", "usr",
    ];
    const ANONYMOUS: &[&str] = &["anonymous", "anon"];
    const PASSWORDS: &[&str] = &[
        "mypass",
        "mypasswd",
        "mypassword",
        "pass",
        "passw",
        "passwd",
        "password",
        "passwort",
        "pwd",
        "secret",
        "thepassword",
        "userpass",
        "userpassword",
    ];
    const NUMBERED: &[&str] = &[
        "bar", "pass", "passwd", "password", "pw", "pwd", "secret", "token",
    ];
    const LONGEST: usize = 24;
    let is_in = |list: &[&str], word: &[u8]| {
        list.iter()
            .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
    };
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric();
    let before = &text[span.start.saturating_sub(LONGEST)..span.start];
    let signs = before
        .iter()
        .rev()
        .take_while(|byte| !is_word(byte))
        .count();
    let before = &before[..before.len() - signs];
    let letters = before.iter().rev().take_while(|byte| is_word(byte)).count();
    let user = without_number(&before[before.len() - letters..]);
    let value = &text[span.range()];
    is_in(PASSWORDS, value)
        || is_in(ANONYMOUS, user)
        || is_in(USERS, user) && is_in(NUMBERED, without_number(value))
}

fn without_number(word: &[u8]) -> &[u8] {
    let digits = word
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    &word[..word.len() - digits]
}

/// Whether the name of a password, or something for it that everybody knows, stands at `span`.
fn is_stand_in(text: &[u8], span: Span) -> bool {
    let value = &text[span.range()];
    is_all_caps(value) || CONVENTIONS.contains(&value) || is_form(text, span)
}

/// What stands in place of a password where the user is a token: a convention of git servers.
const CONVENTIONS: &[&[u8]] = &[b"x-oauth-basic", b"x-oauth-token", b"x-token-auth"];

/// Proofs that tell something of a secret but hold for most random texts of its shape.
const INFORMS: &[&str] = &["aws-account"];

/// Judges the hit of a pattern whose group `secret` stands at `secret`; `None` drops it.
pub(super) fn judge(
    detector: &Detector,
    index: DetectorIndex,
    text: &[u8],
    secret: Span,
) -> Option<Match> {
    let span = match &detector.extent {
        Some(name) => extent::extend(name, text, secret)?,
        None => secret,
    };
    let value = &text[span.range()];
    if detector.min_entropy > 0.0 && entropy::shannon(value) < f64::from(detector.min_entropy) {
        return None;
    }
    // A template right behind the value is a part of it that the pattern did not take.
    if is_template(value)
        || text[span.end..].starts_with(b"{{")
        || (detector.value == ValueKind::Password && is_stand_in(text, span))
    {
        return None;
    }
    let proof_name = detector.proof.as_deref();
    let verdict = proof_name.map(|name| proof::prove(name, text, span));
    let is_sealed = matches!(verdict, Some(Verdict::Sealed(_)));
    let proof = match verdict {
        Some(Verdict::Refuted) => return None,
        Some(Verdict::Proved(proof) | Verdict::Sealed(proof)) => proof,
        Some(Verdict::Open) | None => Proof::None,
    };
    let checksum = matches!(proof, Proof::Checksum { .. });
    if !checksum && placeholder::placeholder(value).is_some() {
        return None;
    }
    if detector.value == ValueKind::Password
        && reference::reference(value, line_around(text, span)).is_some()
    {
        return None;
    }
    let informs = proof_name.is_some_and(|name| INFORMS.contains(&name));
    let confidence = match proof {
        _ if is_sealed => detector.confidence.min(Confidence::Medium),
        Proof::Structure { .. } | Proof::Checksum { .. } if !informs => Confidence::Certain,
        _ => detector.confidence,
    };
    Some(Match {
        detector: index,
        span,
        secret: Secret::new(value),
        proof,
        confidence,
        key: None,
        decoding: Vec::new(),
    })
}
