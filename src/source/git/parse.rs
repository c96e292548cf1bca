//! The texts of commits and trees. Damaged ones give what can be read.

use crate::model::ObjectId;

/// What the walk needs of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    /// Committer date, in seconds since 1970-01-01T00:00:00Z; 0 when it cannot be read.
    pub(super) time: i64,
}

impl Commit {
    /// `None` when there is no tree line.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut commit: Option<Self> = None;
        for line in text.split(|&byte| byte == b'\n') {
            if line.is_empty() {
                break;
            }
            if let Some(hex) = line.strip_prefix(b"tree ") {
                commit = Some(Self {
                    tree: ObjectId::from_hex(hex).ok()?,
                    parents: Vec::new(),
                    time: 0,
                });
            }
            let commit = commit.as_mut()?;
            if let Some(hex) = line.strip_prefix(b"parent ") {
                commit.parents.extend(ObjectId::from_hex(hex).ok());
            } else if let Some(who) = line.strip_prefix(b"committer ") {
                commit.time = time(who).unwrap_or(0);
            }
        }
        commit
    }
}

/// `Name <mail> 1700000000 +0100`
fn time(who: &[u8]) -> Option<i64> {
    let after = &who[who.iter().rposition(|&byte| byte == b'>')? + 1..];
    let digits = after.trim_ascii().split(|&byte| byte == b' ').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// An entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) mode: u32,
    pub(super) name: &'a [u8],
    pub(super) id: ObjectId,
}

impl Entry<'_> {
    pub(super) fn is_tree(&self) -> bool {
        self.mode == 0o040_000
    }

    pub(super) fn is_submodule(&self) -> bool {
        self.mode == 0o160_000
    }
}

/// The entries of a tree, up to the first damaged one.
pub(super) fn entries(tree: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let mut rest = tree;
    std::iter::from_fn(move || {
        let space = rest.iter().position(|&byte| byte == b' ')?;
        let mode = rest[..space].iter().try_fold(0u32, |mode, &digit| {
            let value = digit.checked_sub(b'0').filter(|&value| value < 8)?;
            mode.checked_mul(8)?.checked_add(u32::from(value))
        })?;
        let after = &rest[space + 1..];
        let end = after.iter().position(|&byte| byte == 0)?;
        let id = ObjectId::from_slice(&after[end + 1..])?;
        rest = &after[end + 1 + ObjectId::LEN..];
        let name = &after[..end];
        Some(Entry { mode, name, id })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_gives_tree_parents_and_date() {
        let hex = |digit: &str| digit.repeat(40);
        let text = format!(
            "tree {}\nparent {}\nparent {}\nauthor A <a@x> 1 +0000\n\
             committer B > <b@x> 1700000000 +0100\n\nparent {}\n",
            hex("1"), hex("2"), hex("3"), hex("4"),
        );
        let commit = Commit::parse(text.as_bytes()).expect("valid");
        assert_eq!(commit.time, 1_700_000_000);
        assert_eq!(commit.parents.len(), 2);
        assert_eq!(commit.tree.to_string(), hex("1"));
        assert_eq!(Commit::parse(b"parent x\n"), None);
    }

    #[test]
    fn a_damaged_tree_gives_its_first_entries() {
        let mut tree = b"100644 a b\0".to_vec();
        tree.extend([7; 20]);
        tree.extend(b"40000 dir\0short");
        let read: Vec<_> = entries(&tree).collect();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].name, read[0].mode), (&b"a b"[..], 0o100_644));
    }
}
