//! Judgement: whether a literal could be what its key names, and how sure that is.

use std::borrow::Cow;

use crate::detector::{Detector, Pass, is_uuid};
use crate::engine::context::Contexts;
use crate::engine::judge::{self, placeholder, proof, reference};
use crate::engine::line_around;
use crate::model::{Confidence, DetectorIndex, Match, Proof, Secret, Span};

use super::features::Seen;
use super::keys::Key;
use super::memory::{Memory, Verdict};
use super::values::{Sign, Value};

/// Shortest literal that is judged.
const SHORTEST: usize = 3;

/// Types, options and other words that are values of code and of schemas, not secrets.
const WORDS_OF_CODE: &[&[u8]] = &[
    b"always",
    b"array",
    b"auto",
    b"auto-generate",
    b"basic",
    b"boolean",
    b"bytes",
    b"char",
    b"date",
    b"digest",
    b"disable",
    b"disabled",
    b"enable",
    b"enabled",
    b"es256",
    b"es384",
    b"es512",
    b"false",
    b"function",
    b"hidden",
    b"hs256",
    b"hs384",
    b"hs512",
    b"include",
    b"input",
    b"int",
    b"integer",
    b"never",
    b"nil",
    b"none",
    b"null",
    b"number",
    b"object",
    b"omit",
    b"on_create",
    b"optional",
    b"prompt",
    b"required",
    b"rs256",
    b"rs384",
    b"rs512",
    b"same-origin",
    b"str",
    b"string",
    b"text",
    b"true",
    b"undefined",
    b"unknown",
    b"value",
    b"utf-8",
    b"utf8",
    b"uuid",
    b"varchar",
];

/// Words of keys whose value is the fingerprint of a key.
const OF_PGP: &[&[u8]] = &[b"gpg", b"pgp", b"openpgp"];

/// `password` in languages that write it in ASCII.
const TRANSLATIONS: &[&[u8]] = &[
    b"adgangskode",
    b"contrasena",
    b"contrasenya",
    b"cyfrinair",
    b"geheimnis",
    b"geslo",
    b"haslo",
    b"heslo",
    b"jelszo",
    b"kata sandi",
    b"kennwort",
    b"kodeord",
    b"losenord",
    b"lozinka",
    b"mot de passe",
    b"motdepasse",
    b"parola",
    b"parole",
    b"passord",
    b"passwort",
    b"salasana",
    b"senha",
    b"sifre",
    b"slaptazodis",
    b"wachtwoord",
];

/// The literal of `value` and where it stands, when it is none of what is never a secret: a
/// reference, a template, a placeholder, a nonce that everybody sees.
pub(super) fn literal<'a>(
    text: &'a [u8],
    key: &Key,
    value: &Value,
) -> Option<(Span, Cow<'a, [u8]>)> {
    let mut span = value.span;
    let mut bytes = value.bytes(text);
    let line = line_around(text, span);
    if key.words[key.at] == b"nonce" && is_of_page(line) {
        return None;
    }
    if let Some(inner) = reference::literal_in_reference(&bytes) {
        if !value.pieces.is_empty() {
            return None;
        }
        span = Span::new(span.start + inner.start, span.start + inner.end);
        bytes = Cow::Borrowed(&text[span.range()]);
    } else if reference::reference(&bytes, line).is_some() {
        return None;
    }
    let secret = bytes.as_ref();
    let is_placeholder = placeholder::placeholder(secret)
        .is_some_and(|why| !placeholder::MAY_BE_WEAK.contains(&why));
    let lower = secret.to_ascii_lowercase();
    let never = secret.len() < SHORTEST
        || WORDS_OF_CODE.contains(&lower.as_slice())
        || TRANSLATIONS.contains(&lower.as_slice())
        || is_placeholder
        || judge::is_template(secret)
        || judge::is_all_caps(secret) && secret.contains(&b'_')
        || is_unsigned_jwt(secret)
        || is_constant(secret)
        || is_grammar(secret)
        || key.head().any(|word| OF_PGP.contains(&word)) && is_fingerprint(secret)
        || is_name_of_key(key, secret)
        || is_concatenation(secret)
        || matches!(value.sign, Sign::Comma | Sign::Item)
            && (is_name(secret) || is_property(secret))
        || secret.windows(2).any(|window| window == "«".as_bytes())
        || !secret
            .iter()
            .all(|&byte| byte > 0x7f || matches!(byte, b' '..=b'~'));
    (!never).then_some((span, bytes))
}

/// The secret that `value` is, when it could be one for what `key` names: of the kind that the
/// context tells, or else of that `by_key`. All that counts is in the window ([`super::memory::window`]).
pub(super) fn weigh(
    (engine, by_key): (u64, Option<DetectorIndex>),
    contexts: &Contexts,
    memory: &mut Memory,
    (text, window): (&[u8], Span),
    span: Span,
    key: &Key,
    value: &Value,
) -> Option<Match> {
    let of_literal = memory.name_of_literal(text, span, value);
    if memory.is_refused(of_literal) {
        return None;
    }
    let name = memory.name((engine, by_key), (text, window), span, value);
    let known = match memory.recall(name) {
        Some(known) => known,
        None => {
            let Some(literal) = literal(text, key, value) else {
                memory.refuse(of_literal);
                return None;
            };
            let seen = (text, window.start);
            let verdict = judged(by_key, contexts, seen, span, key, value, literal);
            memory.keep(name, verdict);
            verdict
        }
    };
    let verdict = known?;
    let secret = Span::new(
        window.start + verdict.secret.start,
        window.start + verdict.secret.end,
    );
    let proof = match proof_of(contexts.detector(verdict.detector), text, secret) {
        proof::Verdict::Proved(proof) => proof,
        _ => Proof::None,
    };
    Some(Match {
        detector: verdict.detector,
        span: secret,
        secret: match secret == value.span {
            true => Secret::new(&value.bytes(text)),
            false => Secret::new(&text[secret.range()]),
        },
        proof,
        confidence: verdict.confidence,
        key: Some(String::from_utf8_lossy(&text[span.range()]).into_owned()),
        decoding: Vec::new(),
        assigned: verdict.assigned,
    })
}

fn judged(
    by_key: Option<DetectorIndex>,
    contexts: &Contexts,
    (text, start): (&[u8], usize),
    span: Span,
    key: &Key,
    value: &Value,
    (secret, bytes): (Span, Cow<'_, [u8]>),
) -> Option<Verdict> {
    let verdict = |detector, confidence, assigned| Verdict {
        secret: Span::new(secret.start - start, secret.end - start),
        detector,
        confidence,
        assigned,
    };
    let claim = || contexts.claim(text, span, secret);
    if let Some((index, confidence)) = claim().filter(|_| value.pieces.is_empty()) {
        match proof_of(contexts.detector(index), text, secret) {
            proof::Verdict::Proved(_) => return Some(verdict(index, Confidence::Certain, None)),
            // It is none of that, and of whatever kind the key says.
            proof::Verdict::Refuted => {}
            _ => return Some(verdict(index, confidence, None)),
        }
    }
    let seen = Seen {
        text,
        span,
        key,
        value,
        secret: &bytes,
    };
    Some(verdict(by_key?, Confidence::Low, Some(seen.assigned()?)))
}

/// What the proof of a context detector says of a value.
fn proof_of(detector: &Detector, text: &[u8], secret: Span) -> proof::Verdict {
    match detector.proof.as_deref() {
        Some(name) if detector.pass == Pass::Context => proof::prove(name, text, secret),
        _ => proof::Verdict::Open,
    }
}

/// Whether `line` is of a page, or a header with a challenge or its answer: their nonces are public.
fn is_of_page(line: &[u8]) -> bool {
    let lower = line.to_ascii_lowercase();
    let holds = |word: &&[u8]| lower.windows(word.len()).any(|window| window == *word);
    [
        &b"digest "[..],
        b"hawk ",
        b"<script",
        b"<style",
        b"<link",
        b"-src ",
        // A challenge in pieces, or in data that a test encodes (RFC 7616).
        b"realm=",
    ]
    .iter()
    .any(holds)
}

/// The id or the fingerprint of an OpenPGP key.
fn is_fingerprint(secret: &[u8]) -> bool {
    matches!(secret.len(), 16 | 40) && secret.iter().all(u8::is_ascii_hexdigit)
}

/// What only names a key or a request: the id of a key of a store that speaks as Amazon's does (twenty
/// capitals and digits), whose secret stands beside it, and a UUID that a client draws so that a
/// request is not served twice.
fn is_name_of_key(key: &Key, secret: &[u8]) -> bool {
    let word = |at: usize| key.words.get(at).map(Vec::as_slice);
    let ends = |words: &[&[u8]]| {
        let from = (key.at + 1).checked_sub(words.len());
        from.is_some_and(|from| (0..words.len()).all(|at| word(from + at) == Some(words[at])))
    };
    let capitals = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let of_access = ends(&[b"access", b"key"]) || ends(&[b"accesskey"]);
    let of_request = ends(&[b"client", b"request", b"token"])
        || ends(&[b"action", b"token"])
        || ends(&[b"idempotency", b"token"]);
    of_access && secret.len() == 20 && secret.iter().all(capitals) || of_request && is_uuid(secret)
}

/// `0x115`, `0x8010661b`: a number of code.
fn is_constant(secret: &[u8]) -> bool {
    let digits = secret
        .strip_prefix(b"0x")
        .or_else(|| secret.strip_prefix(b"0X"));
    digits.is_some_and(|digits| {
        (1..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit)
    })
}

/// `1*SAFE`, `*VCHAR`: a rule of a grammar (RFC 5234, 3.6).
fn is_grammar(secret: &[u8]) -> bool {
    let mut halves = secret.splitn(2, |&byte| byte == b'*');
    let (Some(count), Some(name)) = (halves.next(), halves.next()) else {
        return false;
    };
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'*');
    count.len() <= 3
        && count.iter().all(u8::is_ascii_digit)
        && name.len() >= 2
        && name.iter().all(is_name)
}

/// `dbpasswd`: in a list of names one more.
fn is_name(secret: &[u8]) -> bool {
    secret.iter().all(u8::is_ascii_lowercase) && Key::read(secret).is_some()
}

/// `server.port=0`: an argument that is an assignment itself.
fn is_property(secret: &[u8]) -> bool {
    let name = secret
        .split(|&byte| byte == b'=')
        .next()
        .unwrap_or_default();
    let plain = |byte: &u8| byte.is_ascii_lowercase() || b".-".contains(byte);
    name.len() < secret.len() && name.contains(&b'.') && name.iter().all(plain)
}

/// ` + name + `: what stands between two texts of an expression.
fn is_concatenation(secret: &[u8]) -> bool {
    let inner = secret
        .strip_prefix(b"\"")
        .or_else(|| secret.strip_prefix(b"'"));
    let inner = inner
        .or_else(|| secret.strip_prefix(b"`"))
        .unwrap_or(secret);
    let joins = |sign: Option<&u8>| matches!(sign, Some(b'+' | b'.' | b'&'));
    inner.len() < secret.len() && joins(inner.trim_ascii().first())
}

/// Two parts of a JSON Web Token (RFC 7519) without the third, its signature: it proves nothing.
fn is_unsigned_jwt(secret: &[u8]) -> bool {
    let mut parts = secret.split(|&byte| byte == b'.');
    let is_object = |part: Option<&[u8]>| part.is_some_and(|part| part.starts_with(b"eyJ"));
    is_object(parts.next()) && is_object(parts.next()) && parts.next().is_none_or(<[u8]>::is_empty)
}
