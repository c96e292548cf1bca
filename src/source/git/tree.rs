//! Reads tree objects, and compares two of them.
//!
//! Names are compared in git's order, in which a directory's name ends with a slash. A tree that
//! is out of order yields changes that are none, and nothing worse.

use std::cmp::Ordering;

use crate::model::ObjectId;

/// What an entry of a tree is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EntryType {
    /// A file or a symbolic link.
    Blob,
    /// A directory.
    Tree,
    /// A commit of another repository.
    Submodule,
}

/// An entry of a tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct TreeEntry<'a> {
    pub(super) kind: EntryType,
    pub(super) name: &'a [u8],
    pub(super) id: ObjectId,
}

impl TreeEntry<'_> {
    pub(super) fn is_tree(&self) -> bool {
        self.kind == EntryType::Tree
    }

    /// Whether it may stand before `next`.
    pub(super) fn is_before(&self, next: &TreeEntry<'_>) -> bool {
        self.order(next.name, next.is_tree()).is_lt()
    }

    fn order(&self, name: &[u8], is_tree: bool) -> Ordering {
        order((self.name, self.is_tree()), (name, is_tree))
    }
}

/// Git's order of entries, by name and whether it is a directory's.
pub(super) fn order(one: (&[u8], bool), two: (&[u8], bool)) -> Ordering {
    let shared = one.0.len().min(two.0.len());
    let end = |(name, is_tree): (&[u8], bool)| match name.get(shared) {
        Some(&byte) => byte,
        None if is_tree => b'/',
        None => 0,
    };
    one.0[..shared]
        .cmp(&two.0[..shared])
        .then_with(|| end(one).cmp(&end(two)))
        .then_with(|| one.0.len().cmp(&two.0.len()))
        .then_with(|| one.1.cmp(&two.1))
}

/// The entries of a tree, in stored order; ends at the first one that is damaged.
#[derive(Clone)]
pub(super) struct Entries<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Entries<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The entries from the one that starts at `at`.
    pub(super) fn starting_at(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Where the next entry starts.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn peek(&self) -> Option<(TreeEntry<'a>, usize)> {
        let rest = self.bytes.get(self.at..)?;
        let (mode, name, end) = split(rest)?;
        let kind = match mode {
            b"40000" | b"040000" => EntryType::Tree,
            b"160000" => EntryType::Submodule,
            _ => EntryType::Blob,
        };
        let entry = TreeEntry {
            kind,
            name,
            id: ObjectId::from_slice(&rest[end..])?,
        };
        Some((entry, self.at + end + ObjectId::LEN))
    }

    /// Passes over an entry. `false` at the end.
    pub(super) fn pass(&mut self) -> bool {
        let rest = self.bytes.get(self.at..).and_then(split);
        let next = rest.map(|(_, _, end)| self.at + end + ObjectId::LEN);
        match next.filter(|&next| next <= self.bytes.len()) {
            Some(next) => self.at = next,
            None => return false,
        }
        true
    }

    /// Goes forward to the entry with this name and returns it when it is there. Asked for names
    /// in order, all look-ups together read the tree once.
    pub(super) fn seek(&mut self, name: &[u8], is_tree: bool) -> Option<TreeEntry<'a>> {
        while let Some((entry, next)) = self.peek() {
            match entry.order(name, is_tree) {
                Ordering::Less => self.at = next,
                Ordering::Equal => return Some(entry),
                Ordering::Greater => return None,
            }
        }
        None
    }
}

/// Mode and name of the entry at the start of `rest`, and where its id starts.
#[inline]
fn split(rest: &[u8]) -> Option<(&[u8], &[u8], usize)> {
    // A mode has five or six digits, so the name starts at one of two places.
    let (mode, start) = match rest.get(..7)? {
        [.., b' ', _] => (&rest[..5], 6),
        [.., b' '] => (&rest[..6], 7),
        _ => return None,
    };
    let len = memchr::memchr(0, &rest[start..])?;
    Some((mode, &rest[start..start + len], start + len + 1))
}

impl<'a> Iterator for Entries<'a> {
    type Item = TreeEntry<'a>;

    fn next(&mut self) -> Option<TreeEntry<'a>> {
        let (entry, next) = self.peek()?;
        self.at = next;
        Some(entry)
    }
}

/// Calls `visit` with each entry that is in only one of two trees, or in both with other content:
/// the new side, then the old one.
pub(super) fn compare<'a>(
    new: &'a [u8],
    old: &'a [u8],
    mut visit: impl FnMut(Option<TreeEntry<'a>>, Option<TreeEntry<'a>>),
) {
    let start = shared_start(new, old);
    let tail = shared_end(&new[start..], &old[start..]);
    let mut new = Entries {
        bytes: new,
        at: start,
    };
    let mut old = Entries {
        bytes: old,
        at: start,
    };
    // Once both sides have the same few bytes left, the rest is equal.
    while new.remaining() > tail || new.remaining() != old.remaining() {
        match (new.peek(), old.peek()) {
            (None, None) => return,
            (Some((entry, next)), None) => {
                new.at = next;
                visit(Some(entry), None);
            }
            (None, Some((entry, next))) => {
                old.at = next;
                visit(None, Some(entry));
            }
            (Some((one, next_new)), Some((two, next_old))) => {
                let order = one.order(two.name, two.is_tree());
                if order.is_le() {
                    new.at = next_new;
                }
                if order.is_ge() {
                    old.at = next_old;
                }
                match order {
                    Ordering::Less => visit(Some(one), None),
                    Ordering::Greater => visit(None, Some(two)),
                    Ordering::Equal if one.id == two.id => {}
                    Ordering::Equal => visit(Some(one), Some(two)),
                }
            }
        }
    }
}

/// The start of the entry in which the two first differ.
fn shared_start(new: &[u8], old: &[u8]) -> usize {
    let shared = shared_bytes(new, old);
    let mut entries = Entries::new(&new[..shared]);
    while entries.pass() {}
    entries.at
}

/// Number of equal bytes at the start.
fn shared_bytes(one: &[u8], two: &[u8]) -> usize {
    const BLOCK: usize = 128;
    let blocks = one
        .chunks_exact(BLOCK)
        .zip(two.chunks_exact(BLOCK))
        .take_while(|(one, two)| one == two)
        .count();
    let start = blocks * BLOCK;
    let rest = one[start..].iter().zip(&two[start..]);
    start + rest.take_while(|(one, two)| one == two).count()
}

/// Number of equal bytes at the end.
fn shared_end(one: &[u8], two: &[u8]) -> usize {
    const BLOCK: usize = 128;
    let blocks = one
        .rchunks_exact(BLOCK)
        .zip(two.rchunks_exact(BLOCK))
        .take_while(|(one, two)| one == two)
        .count();
    let end = blocks * BLOCK;
    let rest = one[..one.len() - end]
        .iter()
        .rev()
        .zip(two[..two.len() - end].iter().rev());
    end + rest.take_while(|(one, two)| one == two).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str, u8)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend(format!("{mode} {name}\0").into_bytes());
            bytes.extend([*id; 20]);
        }
        bytes
    }

    fn changes(new: &[u8], old: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        compare(new, old, |new, old| {
            let side = |entry: Option<TreeEntry<'_>>| {
                entry.map_or("-".into(), |entry| {
                    format!(
                        "{}{}",
                        String::from_utf8_lossy(entry.name),
                        entry.id.as_bytes()[0]
                    )
                })
            };
            found.push(format!("{} {}", side(new), side(old)));
        });
        found
    }

    #[test]
    fn additions_removals_and_changes_are_seen_once() {
        let old = tree(&[("100644", "a", 1), ("100644", "b", 2), ("40000", "d", 3)]);
        let new = tree(&[
            ("100644", "a", 1),
            ("100755", "b", 9),
            ("100644", "c", 4),
            ("40000", "d", 3),
        ]);
        assert_eq!(changes(&new, &old), ["b9 b2", "c4 -"]);
        assert_eq!(changes(&old, &new), ["b2 b9", "- c4"]);
        assert_eq!(changes(&old, &old), [""; 0]);
        assert_eq!(changes(&old, &[]), ["a1 -", "b2 -", "d3 -"]);
    }

    #[test]
    fn a_file_that_becomes_a_directory_is_a_removal_and_an_addition() {
        let old = tree(&[("100644", "a", 1), ("100644", "a-b", 2)]);
        let new = tree(&[("100644", "a-b", 2), ("40000", "a", 3)]);
        assert_eq!(changes(&new, &old), ["- a1", "a3 -"]);
    }

    #[test]
    fn a_mode_alone_is_no_change() {
        let old = tree(&[("100644", "a", 1)]);
        let new = tree(&[("100755", "a", 1)]);
        assert_eq!(changes(&new, &old), [""; 0]);
    }

    #[test]
    fn any_pair_of_cut_trees_is_compared_without_end() {
        let old = tree(&[("100644", "a", 1), ("100644", "b", 2), ("40000", "d", 3)]);
        let new = tree(&[("100644", "0", 7), ("100644", "b", 2), ("40000", "d", 4)]);
        for cut_new in 0..new.len() {
            for cut_old in 0..old.len() {
                changes(&new[..cut_new], &old[..cut_old]);
            }
        }
    }

    #[test]
    fn seeking_goes_forward() {
        let bytes = tree(&[("100644", "a", 1), ("100644", "b", 2), ("40000", "d", 3)]);
        let mut entries = Entries::new(&bytes);
        assert!(entries.seek("a0".as_bytes(), false).is_none());
        assert!(entries.seek(b"d", false).is_none());
        assert!(entries.seek(b"d", true).is_some());
    }
}
