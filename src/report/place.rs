//! Where an occurrence is, in words that are safe to print.

use std::borrow::Cow;

use crate::model::{
    CommitPoint, ObjectId, Occurrence, Role, SourceKind, printable, printable_bytes,
};

use super::words;

/// Digits of an abbreviated object id.
const SHORT: usize = 10;

/// Whether it stands in files as they are now: in the work tree, the index or the tree at
/// `HEAD`, or in text from standard input; otherwise only history has it.
pub(super) fn is_current(occurrence: &Occurrence) -> bool {
    match occurrence.source {
        SourceKind::Tree | SourceKind::Staged | SourceKind::Stdin => true,
        SourceKind::History | SourceKind::Range => {
            occurrence.in_head && occurrence.role == Role::File && occurrence.path.is_some()
        }
    }
}

/// `src/a.py:3:7`, or what it is when it is not in a file.
pub(super) fn position(occurrence: &Occurrence) -> String {
    let location = occurrence.location;
    let (line, column) = (location.line, location.column);
    match file(occurrence) {
        Some(path) => format!("{path}:{line}:{column}"),
        None => format!("{}, line {line}, column {column}", container(occurrence)),
    }
}

/// The path of a file, safe to print; with the name of its root, where there are several.
pub(super) fn file(occurrence: &Occurrence) -> Option<String> {
    let path = full_path(occurrence)?;
    (occurrence.role == Role::File).then(|| printable_bytes(&path))
}

/// The path, with the name of its root where there are several.
pub(super) fn full_path(occurrence: &Occurrence) -> Option<Cow<'_, [u8]>> {
    let path = occurrence.path.as_deref()?;
    Some(match &occurrence.root {
        None => Cow::Borrowed(path),
        Some(root) => Cow::Owned(below(root, path)),
    })
}

/// `path` below `root`.
pub(super) fn below(root: &str, path: &[u8]) -> Vec<u8> {
    let root = root.trim_end_matches('/').as_bytes();
    [root, b"/", path].concat()
}

fn container(occurrence: &Occurrence) -> String {
    let id = occurrence.object.as_ref().map(short).unwrap_or_default();
    let text = match occurrence.role {
        Role::File if occurrence.source == SourceKind::Stdin => "standard input".into(),
        Role::File => format!("in an object without a path {id}"),
        Role::CommitMessage => format!("in the message of commit {id}"),
        Role::TagMessage => format!("in the message of tag object {id}"),
        Role::Note => format!("in the git note {id}"),
    };
    let text = text.trim_end();
    match &occurrence.root {
        None => text.to_owned(),
        Some(root) => format!("{text} of {}", printable(root)),
    }
}

/// When it came and went, and how git reaches it: `added 0123abcd01 2024-03-01`, `in HEAD`. The
/// message of a commit came with that commit.
pub(super) fn history(occurrence: &Occurrence) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(point) = &occurrence.introduced {
        let itself = occurrence.object == Some(point.id);
        parts.extend(match itself {
            true => words::date(point.time).map(|day| format!("dated {day}")),
            false => Some(format!("added {}", commit(point))),
        });
    }
    if let Some(point) = &occurrence.removed {
        parts.push(format!("removed {}", commit(point)));
    }
    parts.extend(words::reachability(occurrence).map(str::to_owned));
    parts
}

/// `0123abcd01 2024-03-01`.
pub(super) fn commit(point: &CommitPoint) -> String {
    match words::date(point.time) {
        Some(day) => format!("{} {day}", short(&point.id)),
        None => short(&point.id),
    }
}

/// An abbreviated object id.
pub(super) fn short(id: &ObjectId) -> String {
    id.to_string().chars().take(SHORT).collect()
}
