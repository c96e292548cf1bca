//! Where a secret was seen.

use std::sync::Arc;

use super::{Decoding, Location, ObjectId, Part, Secret, Span};

/// The kind of source that a secret was seen by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SourceKind {
    /// A file of the work tree or a directory.
    Tree,
    /// An object of the git database.
    History,
    /// The index that git is about to commit.
    Staged,
    /// The commits of a range.
    Range,
    /// Standard input.
    Stdin,
}

/// The best way to reach an object from what the repository names, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reachability {
    /// From `HEAD`.
    Head,
    /// From another local or remote-tracking branch.
    Branch,
    /// From a tag only.
    Tag,
    /// From a ref of a hosting service: a pull or merge request, or any other unusual ref.
    PullRef,
    /// From the stash.
    Stash,
    /// From `refs/notes/`.
    Notes,
    /// From a reflog only: gone after `git gc` when the entry expires.
    Reflog,
    /// From nothing: dangling, in the database until pruned.
    Unreachable,
}

/// What the bytes are to git.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// A file's content.
    File,
    /// A commit object: its message, and its header lines.
    CommitMessage,
    /// An annotated tag's text.
    TagMessage,
    /// A note (`git notes`).
    Note,
}

impl Reachability {
    /// All, best first.
    pub const ALL: [Self; 8] = [
        Self::Head,
        Self::Branch,
        Self::Tag,
        Self::PullRef,
        Self::Stash,
        Self::Notes,
        Self::Reflog,
        Self::Unreachable,
    ];
}

super::scale::as_str! {
    SourceKind {
        Tree => "tree", History => "history", Staged => "staged", Range => "range",
        Stdin => "stdin",
    }
    Reachability {
        Head => "head", Branch => "branch", Tag => "tag", PullRef => "pull-ref",
        Stash => "stash", Notes => "notes", Reflog => "reflog", Unreachable => "unreachable",
    }
    Role {
        File => "file", CommitMessage => "commit-message", TagMessage => "tag-message",
        Note => "note",
    }
}

/// A commit and when it was made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CommitPoint {
    /// The commit.
    pub id: ObjectId,
    /// Committer date, in seconds since 1970-01-01T00:00:00Z.
    pub time: i64,
}

/// One place where a secret was seen.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// By which source.
    pub source: SourceKind,
    /// What the bytes are.
    pub role: Role,
    /// The root that the path counts from, as the user named it; `None` when a scan has one root.
    pub root: Option<Arc<str>>,
    /// Path as the source names it, `/`-separated bytes that may not be UTF-8. `None` for
    /// commit and tag messages, objects without a path, and standard input.
    pub path: Option<Vec<u8>>,
    /// Other paths of the same bytes in history, sorted.
    pub other_paths: Vec<Vec<u8>>,
    /// Lines and columns in the text as stored.
    pub location: Location,
    /// Bytes in the blob.
    pub span: Span,
    /// The git object; of a work-tree file the id that git would give it.
    pub object: Option<ObjectId>,
    /// How git reaches the object; `None` outside a repository.
    pub reachability: Option<Reachability>,
    /// Whether the object is in the tree at `HEAD`.
    pub in_head: bool,
    /// The first commit that has it.
    pub introduced: Option<CommitPoint>,
    /// The commit that took it away last, when no path has it at the tip any more.
    pub removed: Option<CommitPoint>,
    /// The value seen here.
    pub secret: Secret,
    /// Encodings around it, outermost first.
    pub decoding: Vec<Decoding>,
    /// Name of the assigned key.
    pub key: Option<String>,
    /// What belongs to it, by the order of names in its detector; several of one name are
    /// candidates, the likeliest first, at most [`Part::MOST`].
    pub parts: Vec<Part>,
    /// Code scanning's hash of the line (`primaryLocationLineHash`), when it was asked for.
    pub line_hash: Option<String>,
}
