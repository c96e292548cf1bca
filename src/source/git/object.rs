//! Kinds of objects and the small texts inside them.

use std::cell::RefCell;

use sha1::{Digest as _, Sha1};

use crate::model::{Copied, Kinship, ObjectId};

/// The four kinds of git objects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A commit.
    Commit,
    /// A directory.
    Tree,
    /// A file's content.
    Blob,
    /// An annotated tag.
    Tag,
}

impl Kind {
    /// From the name that a loose object's header uses.
    pub(super) fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"commit" => Some(Self::Commit),
            b"tree" => Some(Self::Tree),
            b"blob" => Some(Self::Blob),
            b"tag" => Some(Self::Tag),
            _ => None,
        }
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const ALL: Self = Self::of(&[Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag]);

    pub(super) const fn of(kinds: &[Kind]) -> Self {
        let mut set = 0;
        let mut at = 0;
        while at < kinds.len() {
            set |= 1 << kinds[at] as u8;
            at += 1;
        }
        Self(set)
    }

    /// `kind` if it is in the set, and no other.
    pub(super) fn only(self, kind: Kind) -> Self {
        Self(self.0 & Self::of(&[kind]).0)
    }

    pub(super) fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

/// An object lent to a visitor.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// Its id, as the place that holds it states it; the bytes are not hashed.
    pub id: ObjectId,
    /// What it is.
    pub kind: Kind,
    /// Its bytes, without the header.
    pub bytes: &'a [u8],
    /// The object that it is a delta of, when that was shown before, and where to leave what
    /// later objects want to know of this one.
    pub kinship: Option<Kinship<'a>>,
    /// How its bytes were put together, for an object of a pack.
    pub(super) descent: Option<Descent<'a>>,
}

/// How an object of a pack is made, and what to remember it by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Descent<'a> {
    /// What it is a delta of.
    pub(super) base: Option<Base<'a>>,
    /// Where to leave a mark for the objects that are made from this one, when there are any.
    /// They come to the same thread.
    pub(super) mark: Option<&'a RefCell<Mark>>,
}

/// What an object is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base<'a> {
    /// Its bytes.
    pub(super) bytes: &'a [u8],
    /// What stands unchanged in both, by place in the new one, without overlaps.
    pub(super) copied: &'a [Copied],
    /// The mark that was left on it.
    pub(super) mark: Option<&'a Mark>,
}

/// What a visitor wants to know again of an object when it comes to those made from it. It is
/// held as long as the object's bytes.
#[derive(Debug, Default)]
pub(super) struct Mark {
    /// The number that the visitor gave to the object.
    pub(super) number: Option<u32>,
    /// Of a tree: where entries start, and where the last one ends.
    pub(super) entries: Vec<u32>,
}

impl Mark {
    /// Forgets the object; keeps the memory.
    pub(super) fn clear(&mut self) {
        self.number = None;
        self.entries.clear();
    }

    /// Memory held by the list, in bytes.
    pub(super) fn held(&self) -> usize {
        self.entries.capacity() * size_of::<u32>()
    }
}

impl<'a> Object<'a> {
    /// An object that is not known to be made from another.
    pub(super) fn alone(id: ObjectId, kind: Kind, bytes: &'a [u8]) -> Self {
        Self {
            id,
            kind,
            bytes,
            kinship: None,
            descent: None,
        }
    }
}

/// The id that git gives a blob with these bytes.
pub fn blob_id(bytes: &[u8]) -> ObjectId {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    ObjectId::new(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_the_kinds_it_was_made_of() {
        let set = Kinds::of(&[Kind::Blob, Kind::Tag]);
        let held = [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag].map(|kind| set.contains(kind));
        assert_eq!(held, [false, false, true, true]);
    }
}
