//! Keys: where one stands, and whether it names a credential.

use crate::model::Span;

use super::MAX_KEY;

/// The identifier around `anchor`.
pub(super) fn key_at(text: &[u8], anchor: usize) -> Option<Span> {
    let floor = anchor.saturating_sub(MAX_KEY);
    let before = text[floor..anchor]
        .iter()
        .rev()
        .take_while(|&&byte| is_key_byte(byte))
        .count();
    let start = anchor - before;
    let ceiling = text.len().min(anchor + MAX_KEY);
    let after = text[anchor..ceiling]
        .iter()
        .take_while(|&&byte| is_key_byte(byte))
        .count();
    let mut end = anchor + after;
    while end > anchor && matches!(text[end - 1], b'.' | b'-') {
        end -= 1;
    }
    (end - start <= MAX_KEY).then_some(Span::new(start, end))
}

pub(super) fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Whether the last words of a key say that it holds a credential: `dbPassword`, `API_KEY_2`,
/// but not `password_field`, `tokenType`, `next_page_token`.
pub(super) fn names_credential(key: &[u8]) -> bool {
    let words = Words::of(key);
    let words = without_place(&words);
    let Some((last, before)) = words.split_last() else {
        return false;
    };
    let previous = before.last().map(Vec::as_slice).unwrap_or_default();
    if before.iter().any(is_harmless) {
        return false;
    }
    match last.as_slice() {
        b"key" | b"keys" => KEY_KINDS.contains(&previous),
        b"token" | b"tokens" => !OTHER_TOKENS.contains(&previous),
        b"pass" => !before.is_empty(),
        last => !ABOUT.contains(&previous) && NAMES.contains(&last),
    }
}

/// Whether a key names a key, of whatever kind.
pub(super) fn names_key(key: &[u8]) -> bool {
    let words = Words::of(key);
    let last = without_place(&words).last();
    let is_key = last.is_some_and(|last| last == b"key" || last == b"keys");
    is_key && !words.iter().any(is_harmless)
}

fn is_harmless(word: &Vec<u8>) -> bool {
    word == b"public" || word == b"hashed"
}

/// The words of a key up to those that say where it is used.
fn without_place(mut words: &[Vec<u8>]) -> &[Vec<u8>] {
    while let Some((last, rest)) = words.split_last() {
        let number = last.iter().all(u8::is_ascii_digit);
        if rest.is_empty() || !(number || PLACES.contains(&last.as_slice())) {
            break;
        }
        words = rest;
    }
    words
}

/// Whether the key is a method that sets what it names: `setPassword`, `config.set_token`.
pub(super) fn is_setter(key: &[u8]) -> bool {
    Words::of(key).iter().any(|word| word == b"set")
}

/// Words behind the name that say where it is used, which of several it is, or how it is
/// written. Digits are words of their own: `base64` is `base`, then a number.
const PLACES: &[&[u8]] = &[
    b"dev",
    b"prod",
    b"production",
    b"test",
    b"testing",
    b"stage",
    b"staging",
    b"live",
    b"value",
    b"string",
    b"str",
    b"b",
    b"base",
    b"old",
    b"new",
    b"default",
    b"admin",
    b"root",
    b"master",
    b"sandbox",
    b"local",
];

/// Keys that are secret, by the word before `key`.
const KEY_KINDS: &[&[u8]] = &[
    b"api",
    b"access",
    b"secret",
    b"private",
    b"auth",
    b"encryption",
    b"signing",
    b"master",
    b"shared",
    b"account",
    b"app",
    b"service",
    b"client",
    b"storage",
    b"hmac",
    b"crypt",
    b"cipher",
    b"jwt",
    b"session",
    b"cookie",
    b"license",
    b"deploy",
    b"subscription",
    b"admin",
    b"server",
    b"webhook",
    b"token",
];

/// Tokens that open nothing, by the word before `token`.
const OTHER_TOKENS: &[&[u8]] = &[
    b"page",
    b"next",
    b"continuation",
    b"csrf",
    b"xsrf",
    b"sync",
    b"pagination",
    b"end",
    b"start",
    b"last",
    b"first",
    b"current",
    b"peek",
    b"eof",
    b"lookahead",
    b"prev",
    b"previous",
    b"unexpected",
    b"expected",
    b"invalid",
    b"special",
    b"pad",
    b"mask",
    b"unk",
    b"cls",
    b"sep",
    b"eos",
    b"bos",
    b"max",
    b"num",
    b"cancellation",
    b"cancel",
    b"sort",
    b"resume",
    b"delimiter",
    b"separator",
    b"design",
];

/// Names of credentials.
const NAMES: &[&[u8]] = &[
    b"password",
    b"passwd",
    b"pwd",
    b"passphrase",
    b"passwort",
    b"secret",
    b"secrets",
    b"credential",
    b"credentials",
    b"apikey",
    b"authkey",
    b"accesskey",
    b"secretkey",
    b"authtoken",
    b"accesstoken",
    b"userpassword",
    b"userpwd",
    b"dbpassword",
    b"dbpass",
    b"dbpasswd",
    b"dbpwd",
    b"adminpassword",
    b"rootpassword",
    b"privatekey",
    b"clientsecret",
    b"appsecret",
    b"bearer",
    b"salt",
    b"pepper",
    b"appkey",
    b"encryptionkey",
    b"signingkey",
    b"masterkey",
    b"sharedkey",
    b"accountkey",
    b"sharedaccesskey",
    b"secretaccesskey",
    b"storepass",
    b"keypass",
    b"pgpassword",
];

/// Something is done about a password, or not: an option, a page, a message.
const ABOUT: &[&[u8]] = &[
    b"allow",
    b"change",
    b"disable",
    b"enable",
    b"expire",
    b"for",
    b"force",
    b"forgot",
    b"hide",
    b"no",
    b"remember",
    b"require",
    b"reset",
    b"reuse",
    b"save",
    b"show",
    b"update",
    b"validate",
];

/// The lower-case words of an identifier, cut at punctuation, case changes and digits.
pub(super) struct Words;

impl Words {
    pub(super) fn of(key: &[u8]) -> Vec<Vec<u8>> {
        let mut words: Vec<Vec<u8>> = Vec::new();
        let mut last = b'_';
        for (at, &byte) in key.iter().enumerate() {
            let lower_follows = key.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            let cut = !last.is_ascii_alphanumeric()
                || (byte.is_ascii_uppercase() && (last.is_ascii_lowercase() || lower_follows))
                || (byte.is_ascii_digit() != last.is_ascii_digit());
            if byte.is_ascii_alphanumeric() {
                if cut {
                    words.push(Vec::new());
                }
                words
                    .last_mut()
                    .expect("a word was begun")
                    .push(byte.to_ascii_lowercase());
            }
            last = byte;
        }
        words
    }
}
