//! Values that are already where secrets belong: pointers to a manager or a variable,
//! ciphertexts, hashes, templates, and masks.
//!
//! Looks at the value as it stands and at the line around it, never at the rest of the file. Three
//! things look like a reference and are none: one that carries a literal to fall back on
//! ([`literal_in_reference`] finds it), a ciphertext whose key lies beside it (which only the whole
//! tree shows), and encodings that anybody can reverse.

mod code;
mod expression;
mod fallback;
mod hashed;
mod line;
mod sealed;
mod store;

use std::ops::Range;

use super::placeholder;

/// What a value that is no secret is instead.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ReferenceKind {
    /// It points to a secret manager, a variable or a file that holds the secret.
    Ref,
    /// It is encrypted.
    Ciphertext,
    /// It was computed from the secret and does not lead back.
    Hash,
    /// A tool fills it in.
    Template,
    /// The secret was taken out.
    Masked,
}

/// A value that denotes a secret without being one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// What it is.
    pub kind: ReferenceKind,
    /// Whose form it has: `github-actions`, `vault`, `sops`.
    pub system: &'static str,
    /// What it points to, for an inventory; none for ciphertexts, hashes and masks.
    pub name: Option<String>,
}

impl Reference {
    fn to(system: &'static str, name: &str) -> Self {
        Self {
            kind: ReferenceKind::Ref,
            system,
            name: named(name),
        }
    }

    fn template(system: &'static str, name: &str) -> Self {
        Self {
            kind: ReferenceKind::Template,
            system,
            name: named(name),
        }
    }

    fn ciphertext(system: &'static str) -> Self {
        Self {
            kind: ReferenceKind::Ciphertext,
            system,
            name: None,
        }
    }

    fn hash(system: &'static str) -> Self {
        Self {
            kind: ReferenceKind::Hash,
            system,
            name: None,
        }
    }

    fn masked(system: &'static str) -> Self {
        Self {
            kind: ReferenceKind::Masked,
            system,
            name: None,
        }
    }
}

/// A name without the blanks around it; none when nothing is left.
fn named(name: &str) -> Option<String> {
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

type Recogniser = fn(&str, &str) -> Option<Reference>;

/// From the most telling form to the least.
const RECOGNISERS: &[Recogniser] = &[
    masked,
    sealed::ciphertext,
    hashed::hash,
    store::pointer,
    expression::expressions,
    code::lookup,
    line::by_key,
];

/// What `value`, a whole value without its quotes, denotes instead of a secret; `line` is the line
/// or lines it stands on. `None` when it may be a secret or holds one.
pub fn reference(value: &[u8], line: &[u8]) -> Option<Reference> {
    if literal_in_reference(value).is_some() {
        return None;
    }
    let value = std::str::from_utf8(value).ok()?.trim();
    let line = String::from_utf8_lossy(line);
    let mut found = RECOGNISERS
        .iter()
        .filter_map(|recognise| recognise(value, &line));
    found.next().filter(|_| !value.is_empty())
}

/// The literal that a reference falls back on: `lit` of `${VAR:-lit}`, `${{ secrets.X || 'lit' }}`,
/// `{{ .Values.x | default "lit" }}`, `getenv("X", "lit")`. As a range in `value`.
pub fn literal_in_reference(value: &[u8]) -> Option<Range<usize>> {
    fallback::literal(std::str::from_utf8(value).ok()?)
}

/// Stars, `[REDACTED]`, `<hidden>`; and TeamCity's scrambled empty value.
fn masked(value: &str, _: &str) -> Option<Reference> {
    if value == concat!("zxx775d0", "3cbe80d301b") {
        return Some(Reference::masked("teamcity"));
    }
    placeholder::is_masked(value.as_bytes()).then(|| Reference::masked("generic"))
}

/// Whether `text` is a name as programs and shells have them: letters, digits, `_`.
fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether `text` is identifiers joined by dots or dashes.
fn is_path(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.split(['.', '-']).all(part)
}

/// Where the next quoted text at or after `from` stands, without its quotes.
fn quoted(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_quote = |c: &u8| matches!(c, b'"' | b'\'' | b'`');
    let open = from + bytes.get(from..)?.iter().position(is_quote)?;
    let mut at = open + 1;
    while let Some(&c) = bytes.get(at) {
        match c {
            b'\\' => at += 1,
            c if c == bytes[open] => return Some(open + 1..at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests;
