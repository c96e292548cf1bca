//! Keys: where one stands, and what it says that its value is.

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

pub(super) const fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// What a key calls its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// `password`, `pwd`, `passphrase`.
    Password,
    /// `secret`, `client_secret`.
    Secret,
    /// `token`, `bearer`.
    Token,
    /// `api_key`, `accessKey`: a key of a service.
    Key,
    /// `key` alone, or of a kind that is not known to be secret.
    Other,
    /// `auth`, `credential`.
    Auth,
    /// `salt`, `nonce`.
    Salt,
}

impl Class {
    /// For features and explanations.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Secret => "secret",
            Self::Token => "token",
            Self::Key => "key",
            Self::Other => "other-key",
            Self::Auth => "auth",
            Self::Salt => "salt",
        }
    }
}

/// A key that names a credential, read word by word.
#[derive(Debug)]
pub(super) struct Key {
    /// In lower case, cut at punctuation, case changes and digits.
    pub(super) words: Vec<Vec<u8>>,
    /// Which word names the credential.
    pub(super) at: usize,
    /// What it calls it.
    pub(super) class: Class,
}

impl Key {
    /// Reads `key`; `None` when no word of it names a credential, or what it names opens nothing.
    pub(super) fn read(key: &[u8]) -> Option<Self> {
        let words = words(key);
        let named = |(at, word): (usize, &Vec<u8>)| {
            let before = at.checked_sub(1).map_or(&[][..], |before| &words[before]);
            class(before, word).map(|class| (at, class))
        };
        let (at, class) = words.iter().enumerate().rev().find_map(named)?;
        (!is_harmless(&words, at, class)).then_some(Self { words, at, class })
    }

    /// The words behind the one that names the credential, without numbers.
    pub(super) fn tail(&self) -> impl Iterator<Item = &[u8]> {
        let tail = self.words[self.at + 1..].iter().map(Vec::as_slice);
        tail.filter(|word| !word.iter().all(u8::is_ascii_digit))
    }

    /// The words before it.
    pub(super) fn head(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.words[..self.at].iter().map(Vec::as_slice)
    }
}

/// A key without the word that names the credential.
#[derive(Debug)]
pub(in crate::engine) struct Named {
    /// The words before it: `db` of `DB_PASSWORD`, `pg` of `PGPASSWORD`.
    pub(in crate::engine) before: Vec<String>,
    /// What follows it, without signs.
    pub(in crate::engine) after: String,
    /// Whether it names a password.
    pub(in crate::engine) is_password: bool,
}

/// Cuts a key of a secret at the word that names it; where none does, at the last.
pub(in crate::engine) fn named(key: &[u8]) -> Named {
    let text = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
    let words = words(key);
    let last = words.len().saturating_sub(1);
    let (at, class) = Key::read(key).map_or((last, None), |key| (key.at, Some(key.class)));
    // Of `api_key` both words name it.
    let is_kind = class == Some(Class::Key) && matches!(words[at].as_slice(), b"key" | b"keys");
    let first = at - usize::from(is_kind && at > 0);
    let mut before: Vec<_> = words[..first].iter().map(|word| text(word)).collect();
    let word = words.get(at).map_or(&[][..], Vec::as_slice);
    let mut endings: Vec<&[u8]> = ENDINGS
        .iter()
        .chain(PASSWORDS)
        .chain(API_KEYS)
        .copied()
        .collect();
    endings.sort_by_key(|ending| std::cmp::Reverse(ending.len()));
    let stem = endings.iter().find_map(|ending| word.strip_suffix(*ending));
    before.extend(stem.filter(|stem| !stem.is_empty()).map(text));
    let behind = words.get(at + 1..).unwrap_or_default();
    Named {
        before,
        after: behind.iter().map(|word| text(word)).collect(),
        is_password: class == Some(Class::Password),
    }
}

/// Endings of words that name credentials.
const ENDINGS: &[&[u8]] = &[b"pass", b"pwd", b"secret", b"token", b"pw", b"key"];

/// The first word of a key: what it is of, when it says so.
pub(in crate::engine) fn first_word(key: &[u8]) -> Option<Vec<u8>> {
    words(key).into_iter().next()
}

/// Whether `key` names a password, a secret, a token or a key of a service.
pub(in crate::engine) fn names_secret(key: &[u8]) -> bool {
    Key::read(key).is_some_and(|key| !matches!(key.class, Class::Other | Class::Auth))
}

/// What `word`, which stands behind `before`, calls a value.
fn class(before: &[u8], word: &[u8]) -> Option<Class> {
    let ends = |endings: &[&[u8]]| endings.iter().any(|ending| word.ends_with(ending));
    let is = |words: &[&[u8]]| words.contains(&word);
    let found = match word {
        _ if ends(PASSWORDS) || is(SHORT_PASSWORDS) => Class::Password,
        b"pass" => Class::Password,
        _ if ends(PASSES) => Class::Password,
        _ if ends(&[b"secret", b"secrets"]) => Class::Secret,
        _ if ends(&[b"token", b"tokens"]) || is(TOKENS) => Class::Token,
        _ if ends(API_KEYS) => Class::Key,
        b"key" | b"keys" if KEY_KINDS.contains(&before) => Class::Key,
        b"key" => Class::Other,
        _ if is(CREDENTIALS) => Class::Auth,
        _ if is(SALTS) => Class::Salt,
        _ => return None,
    };
    Some(found)
}

/// Whether the words around say that what is named opens nothing.
fn is_harmless(words: &[Vec<u8>], at: usize, class: Class) -> bool {
    let is = |words: &[&[u8]], word: &Vec<u8>| words.contains(&word.as_slice());
    let before = at.checked_sub(1).map(|before| &words[before]);
    let about = |word: &Vec<u8>| match class {
        Class::Token => is(OTHER_TOKENS, word),
        Class::Other | Class::Key => is(OTHER_KEYS, word),
        _ => is(ABOUT, word),
    };
    // `csrftoken`, written together.
    let run = words[at].strip_suffix(b"token");
    let of_page = run.is_some_and(|run| class == Class::Token && OTHER_TOKENS.contains(&run));
    of_page
        || words[..at].iter().any(|word| is(PUBLIC, word))
        || before.is_some_and(about)
        || words[at + 1..].iter().any(|word| is(ATTRIBUTES, word))
}

const PASSWORDS: &[&[u8]] = &[
    b"password",
    b"passwords",
    b"passwd",
    b"passphrase",
    b"passcode",
    b"passwort",
    b"kennwort",
    b"contrasena",
    b"senha",
];
const SHORT_PASSWORDS: &[&[u8]] = &[b"pw", b"psw", b"pswd", b"passw"];
/// Endings of words that run several together: `dbpass`, `mysqlrootpwd`.
const PASSES: &[&[u8]] = &[
    b"pwd",
    b"dbpass",
    b"userpass",
    b"smtppass",
    b"mailpass",
    b"adminpass",
    b"rootpass",
    b"storepass",
    b"keypass",
    b"sshpass",
    b"ftppass",
    b"authpass",
    b"mypass",
    b"testpass",
    b"motdepasse",
];
const TOKENS: &[&[u8]] = &[b"bearer", b"jwt", b"pat"];
const API_KEYS: &[&[u8]] = &[
    b"apikey",
    b"apikeys",
    b"authkey",
    b"accesskey",
    b"secretkey",
    b"privatekey",
    b"appkey",
    b"encryptionkey",
    b"signingkey",
    b"masterkey",
    b"sharedkey",
    b"accountkey",
    b"licensekey",
    b"consumerkey",
];
const CREDENTIALS: &[&[u8]] = &[
    b"credential",
    b"credentials",
    b"creds",
    b"auth",
    b"verifier",
];
const SALTS: &[&[u8]] = &[b"salt", b"pepper", b"nonce", b"hmac"];

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
    b"application",
    b"service",
    b"client",
    b"consumer",
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
    b"aes",
];

/// Words before `token` that make it one of a parser, a page or a form.
const OTHER_TOKENS: &[&[u8]] = &[
    b"page",
    b"next",
    b"continuation",
    b"authenticity",
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

/// Words before `key` that make it one of a table, a map or a keyboard.
const OTHER_KEYS: &[&[u8]] = &[
    b"primary",
    b"foreign",
    b"sort",
    b"partition",
    b"group",
    b"unique",
    b"map",
    b"cache",
    b"hot",
    b"shortcut",
    b"arrow",
    b"object",
    b"dict",
    b"document",
    b"row",
    b"column",
    b"translation",
    b"i18n",
    b"registry",
    b"index",
    b"composite",
    b"order",
    b"lookup",
    b"sorting",
    b"enter",
    b"escape",
];

/// Words before the name of a password or a secret that make it an option, a page, a message.
const ABOUT: &[&[u8]] = &[
    b"allow",
    b"disable",
    b"enable",
    b"expire",
    b"force",
    b"forgot",
    b"hide",
    b"require",
    b"show",
    b"validate",
];

const PUBLIC: &[&[u8]] = &[b"public", b"pub", b"hashed", b"encrypted"];

/// Words behind the name that make it something about the credential.
const ATTRIBUTES: &[&[u8]] = &[
    b"arn",
    b"file",
    b"filename",
    b"path",
    b"dir",
    b"directory",
    b"url",
    b"uri",
    b"endpoint",
    b"type",
    b"length",
    b"len",
    b"size",
    b"count",
    b"expiry",
    b"expires",
    b"expiration",
    b"ttl",
    b"field",
    b"label",
    b"placeholder",
    b"header",
    b"regex",
    b"pattern",
    b"policy",
    b"format",
    b"algorithm",
    b"alg",
    b"hint",
    b"usage",
    b"column",
    b"version",
    b"fingerprint",
    b"name",
    b"username",
    b"host",
    b"hostname",
    b"port",
    b"email",
    b"factory",
    b"id",
    b"ids",
    b"uuid",
    b"guid",
    b"sha",
    b"md",
    b"checksum",
];

/// The lower-case words of an identifier, cut at punctuation, case changes and digits.
pub(super) fn words(key: &[u8]) -> Vec<Vec<u8>> {
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
            if let Some(word) = words.last_mut() {
                word.push(byte.to_ascii_lowercase());
            }
        }
        last = byte;
    }
    words
}
