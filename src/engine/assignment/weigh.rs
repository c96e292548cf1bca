//! Judgement: whether a literal could be what its key names, and how sure that is.

use crate::detector::{Detector, ValueKind};
use crate::engine::context::Contexts;
use crate::engine::judge::{self, guess, placeholder, reference};
use crate::engine::line_around;
use crate::model::{Confidence, DetectorIndex, Match, Proof, Secret, Span};

use super::keys::Words;
use super::values::Value;

/// The secret that `value` is, when it could be one for what `key` names: of the kind that the
/// context tells, or else of that `by_key`.
pub(super) fn weigh(
    by_key: Option<(&Detector, DetectorIndex)>,
    contexts: &Contexts,
    text: &[u8],
    key: Span,
    value: Value,
) -> Option<Match> {
    let mut span = value.span;
    let line = line_around(text, span);
    let whole = &text[span.range()];
    if let Some(inner) = reference::literal_in_reference(whole) {
        span = Span::new(span.start + inner.start, span.start + inner.end);
    } else if reference::reference(whole, line).is_some() {
        return None;
    }
    let secret = &text[span.range()];
    if judge::is_template(secret) {
        return None;
    }
    let name = &text[key.range()];
    let (index, confidence) = match contexts.claim(text, key, span) {
        Some(claim) => claim,
        None => {
            let (detector, index) = by_key?;
            let confidence = match detector.value {
                ValueKind::Token => token(secret)?,
                ValueKind::Password => password(secret, name, value.quoted)?,
            };
            (index, confidence)
        }
    };
    if placeholder::placeholder(secret).is_some() {
        return None;
    }
    Some(Match {
        detector: index,
        span,
        secret: Secret::new(secret),
        proof: Proof::None,
        confidence,
        key: Some(String::from_utf8_lossy(name).into_owned()),
        decoding: Vec::new(),
    })
}

/// A machine-made value: long, of one piece, and not to be guessed.
fn token(secret: &[u8]) -> Option<Confidence> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.+/=~:!@#$%^&*".contains(byte);
    let digits = secret.iter().filter(|byte| byte.is_ascii_digit()).count();
    let fits = secret.len() >= 12
        && secret.iter().all(plain)
        && digits > 0
        && digits < secret.len()
        && !is_path_or_name(secret)
        && !is_unsigned_jwt(secret)
        && !guess::is_guessable(secret);
    fits.then_some(Confidence::Medium)
}

/// Two parts of a JSON Web Token (RFC 7519) without the third, its signature: it proves nothing.
fn is_unsigned_jwt(secret: &[u8]) -> bool {
    let mut parts = secret.split(|&byte| byte == b'.');
    let is_object = |part: Option<&[u8]>| part.is_some_and(|part| part.starts_with(b"eyJ"));
    is_object(parts.next()) && is_object(parts.next()) && parts.next().is_none_or(<[u8]>::is_empty)
}

/// A value that a person may have chosen: one word of several kinds of characters.
fn password(secret: &[u8], key: &[u8], quoted: bool) -> Option<Confidence> {
    let one_word = secret.iter().all(u8::is_ascii_graphic);
    if !(5..=128).contains(&secret.len()) || !one_word || is_path_or_name(secret) {
        return None;
    }
    if judge::is_all_caps(secret) || is_label(secret, key) || is_code(secret) {
        return None;
    }
    let kinds: [fn(&u8) -> bool; 4] = [
        u8::is_ascii_lowercase,
        u8::is_ascii_uppercase,
        u8::is_ascii_digit,
        u8::is_ascii_punctuation,
    ];
    let kinds = kinds.iter().filter(|kind| secret.iter().any(kind)).count();
    let has_digit = secret.iter().any(u8::is_ascii_digit);
    match (kinds, quoted) {
        (3.., _) => Some(Confidence::Medium),
        (2, _) if has_digit || !guess::is_guessable(secret) => Some(Confidence::Medium),
        (_, true) => Some(Confidence::Low),
        (_, false) => None,
    }
}

/// The name of the thing, in this or another language: `"password": "Passwort"`.
fn is_label(value: &[u8], key: &[u8]) -> bool {
    let words = Words::of(key);
    let same = |word: &Vec<u8>| {
        let shared = word
            .iter()
            .zip(value)
            .take_while(|(a, b)| a.eq_ignore_ascii_case(b))
            .count();
        shared >= 4 && shared + 3 >= value.len()
    };
    let translated = || {
        let lower = value.to_ascii_lowercase();
        TRANSLATIONS.contains(&lower.as_slice())
    };
    let repeated = || Words::of(value).iter().all(|word| words.contains(word));
    value.iter().all(u8::is_ascii_alphabetic)
        && (words.iter().any(same) || translated() || repeated())
}

/// `password` in languages that write it in ASCII.
const TRANSLATIONS: &[&[u8]] = &[
    b"adgangskode",
    b"contrasena",
    b"geheimnis",
    b"haslo",
    b"heslo",
    b"jelszo",
    b"kennwort",
    b"losenord",
    b"lozinka",
    b"motdepasse",
    b"parola",
    b"parole",
    b"passord",
    b"passwort",
    b"salasana",
    b"senha",
    b"sifre",
    b"wachtwoord",
];

/// A path, an address, or a dotted, dashed or underscored name: something's name, not its secret.
fn is_path_or_name(value: &[u8]) -> bool {
    let slashes = value.iter().filter(|&&byte| byte == b'/').count();
    let starts = value.starts_with(b"/") || value.starts_with(b"./") || value.starts_with(b"~/");
    let url = value.windows(3).any(|window| window == b"://");
    let has_digit = value.iter().any(u8::is_ascii_digit);
    let is_name =
        |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b':');
    let punctuated = value.iter().any(|byte| !byte.is_ascii_alphabetic());
    url || (starts && slashes > 1) || (punctuated && !has_digit && value.iter().all(is_name))
}

/// Code or a format: a call, a template, a variable, a type.
fn is_code(value: &[u8]) -> bool {
    let holds = |word: &[u8]| value.windows(word.len()).any(|window| window == word);
    let starts = matches!(
        value[0],
        b'$' | b'%' | b'<' | b'{' | b'&' | b'(' | b'[' | b':' | b'@' | b'*' | b'#'
    );
    let calls = value.ends_with(b")") && value.contains(&b'(');
    let words: &[&[u8]] = &[
        b"string",
        b"String",
        b"false",
        b"true",
        b"null",
        b"None",
        b"undefined",
        b"nil",
        b"required",
        b"optional",
        b"text",
        b"input",
        b"hidden",
        b"bytes",
        b"varchar",
        b"always",
        b"never",
        b"enable",
        b"enabled",
        b"disable",
        b"disabled",
        b"prompt",
    ];
    // `required|string|min:12`
    let rules = || {
        let part = |byte: &u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"|:_,".contains(byte)
        };
        value.contains(&b'|') && value.iter().all(part)
    };
    let formats: &[&[u8]] = &[
        b"%s", b"{}", b"{0}", b"${", b"#{", b"{{", b"\\n", b"()", b"->", b"::",
    ];
    (starts && value.len() < 2)
        || calls
        || words.contains(&value)
        || rules()
        || formats.iter().any(|f| holds(f))
        || (starts
            && value[1..].iter().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'{' | b'}' | b'>' | b'-')
            })
            && !value.iter().any(u8::is_ascii_digit))
}
