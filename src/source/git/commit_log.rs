//! The header lines of commits, noted while objects are swept.

use std::ops::Range;

use super::commits::{Parsed, parse};
use crate::model::ObjectId;

/// Commits and their parents, in no order.
#[derive(Clone, Default)]
pub(super) struct CommitLog {
    pub(super) all: Vec<Noted>,
    parents: Vec<ObjectId>,
}

/// One commit.
#[derive(Clone, Copy)]
pub(super) struct Noted {
    pub(super) id: ObjectId,
    pub(super) tree: ObjectId,
    /// Committer date in seconds since 1970.
    pub(super) time: i64,
    start: u32,
    len: u32,
}

impl CommitLog {
    /// Reads the commit `id` and notes it. One without readable header lines is passed over.
    pub(super) fn note(&mut self, id: ObjectId, bytes: &[u8]) {
        if let Some(parsed) = parse(id, bytes) {
            self.push(parsed);
        }
    }

    pub(super) fn push(&mut self, parsed: Parsed) {
        self.all.push(Noted {
            id: parsed.id,
            tree: parsed.tree,
            time: parsed.time,
            start: self.parents.len() as u32,
            len: parsed.parents.len() as u32,
        });
        self.parents.extend(parsed.parents);
    }

    pub(super) fn parents(&self, noted: &Noted) -> &[ObjectId] {
        let range: Range<usize> = noted.start as usize..(noted.start + noted.len) as usize;
        &self.parents[range]
    }

    /// Adds what another thread noted.
    pub(super) fn append(&mut self, other: Self) {
        if self.all.is_empty() {
            *self = other;
            return;
        }
        let shift = self.parents.len() as u32;
        self.all.extend(other.all.into_iter().map(|noted| Noted {
            start: noted.start + shift,
            ..noted
        }));
        self.parents.extend(other.parents);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_stay_with_their_commit_when_logs_are_joined() {
        let id = |n| ObjectId::new([n; 20]);
        let log = |n: u8, parents: &[u8]| {
            let mut log = CommitLog::default();
            let lines = parents.iter().map(|n| format!("parent {}\n", id(*n)));
            let text = format!("tree {}\n{}\n", id(0), lines.collect::<String>());
            log.note(id(n), text.as_bytes());
            log.note(id(99), b"nonsense");
            log
        };
        let mut joined = log(1, &[5]);
        joined.append(log(2, &[6, 7]));
        joined.append(log(3, &[]));
        let all: Vec<_> = joined.all.iter().map(|one| joined.parents(one)).collect();
        assert_eq!(all, [&[id(5)][..], &[id(6), id(7)], &[]]);
    }
}
