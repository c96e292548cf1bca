//! Paths and repository addresses as URIs.

use std::fmt::Write as _;

use crate::model::{Occurrence, Role, SourceKind};
use crate::report::place;

/// Where an occurrence is, as a URI reference relative to the repository's root; to the folder that
/// the roots' names count from, where there are several.
///
/// What is not in a file gets a place under `.git/`, where git never has a tracked file, so that
/// no viewer shows it beside an innocent one.
pub(super) fn of(occurrence: &Occurrence) -> String {
    let object = occurrence.object.map(|id| id.to_string());
    let object = object.as_deref().unwrap_or("unknown");
    let inside = |folder: &str| {
        let path = format!(".git/{folder}/{object}").into_bytes();
        of_path(&match &occurrence.root {
            None => path,
            Some(root) => place::below(root, &path),
        })
    };
    match (occurrence.role, place::full_path(occurrence)) {
        (Role::File, Some(path)) if !path.is_empty() => of_path(&path),
        (Role::File, _) if occurrence.source == SourceKind::Stdin => "stdin".into(),
        (Role::File, _) => inside("objects"),
        (Role::CommitMessage, _) => inside("commit-messages"),
        (Role::TagMessage, _) => inside("tag-messages"),
        (Role::Note, _) => inside("notes"),
    }
}

/// A path's bytes, percent-encoded; an absolute path becomes a `file:` URI.
fn of_path(path: &[u8]) -> String {
    let mut path = path;
    while let Some(rest) = path.strip_prefix(b"./") {
        path = rest;
    }
    match path {
        [b'/', rest @ ..] => {
            let from = rest.iter().take_while(|&&byte| byte == b'/').count();
            format!("file:///{}", encode(&rest[from..]))
        }
        _ => encode(path),
    }
}

/// A folder that paths count from; ends with `/`, as RFC 3986 resolves references.
pub(super) fn of_root(root: &str) -> String {
    of_path(&place::below(root, b""))
}

/// Whether it is no reference relative to another place.
pub(super) fn is_absolute(uri: &str) -> bool {
    uri.starts_with("file:")
}

/// Percent-encodes all but unreserved characters and `/`. A colon goes too: in the first segment
/// it would make a scheme of what stands before it.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").expect("a String takes all"),
        }
    }
    out
}

/// `url` when it is a web address that needs no encoding.
pub(super) fn web(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    (!rest.is_empty() && is_uri(rest)).then_some(url)
}

fn is_uri(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'*+,;=%".contains(&byte))
}

/// A remote's address as a URI: `host:path` of SSH becomes `ssh://host/path`.
pub(super) fn repository(url: &str) -> Option<String> {
    if !is_uri(url) {
        return None;
    }
    if url.contains("://") {
        return Some(url.to_owned());
    }
    let (host, path) = url.split_once(':')?;
    let host_only = !host.is_empty() && !host.contains('/') && !path.is_empty();
    host_only.then(|| format!("ssh://{host}/{}", path.trim_start_matches('/')))
}

/// A page that shows the occurrence as it was, on the hosting services whose addresses are known.
pub(super) fn permalink(repository: &str, occurrence: &Occurrence) -> Option<String> {
    let base = web(repository)?.trim_end_matches('/');
    let base = base.strip_suffix(".git").unwrap_or(base);
    let (_, rest) = base.split_once("://")?;
    let host = rest.split('/').next()?;
    let blob = match host {
        "github.com" => "blob",
        "gitlab.com" => "-/blob",
        _ => return None,
    };
    let commit = occurrence.introduced?.id;
    let path = occurrence.path.as_deref()?;
    let line = occurrence.location.line;
    (occurrence.role == Role::File)
        .then(|| format!("{base}/{blob}/{commit}/{}#L{line}", encode(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded_and_stay_relative() {
        assert_eq!(of_path(b"a b/c%d.txt"), "a%20b/c%25d.txt");
        assert_eq!(of_path(b"./x:y"), "x%3Ay");
        assert_eq!(of_path(b"caf\xe9\n"), "caf%E9%0A");
        assert_eq!(of_path("größe".as_bytes()), "gr%C3%B6%C3%9Fe");
    }

    #[test]
    fn an_absolute_path_has_three_slashes_however_it_is_written() {
        assert_eq!(of_path(b"/etc/x"), "file:///etc/x");
        assert_eq!(of_path(b"//etc/x"), "file:///etc/x");
    }

    #[test]
    fn remotes_become_uris_or_are_left_out() {
        let cases = [
            (
                "https://host.example/a.git",
                Some("https://host.example/a.git"),
            ),
            ("host.example:a/b.git", Some("ssh://host.example/a/b.git")),
            ("../sibling", None),
            ("https://host.example/a b", None),
        ];
        for (url, uri) in cases {
            assert_eq!(repository(url).as_deref(), uri, "{url}");
        }
    }

    #[test]
    fn only_plain_web_addresses_pass() {
        assert!(web("https://docs.example/a?b=c#d").is_some());
        for wrong in ["javascript:x", "https://", "https://a b", "https://a)](b"] {
            assert_eq!(web(wrong), None, "{wrong}");
        }
    }
}
