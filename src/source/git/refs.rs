//! Everything a repository names: `HEAD`, refs, and the entries of reflogs.
//!
//! Symbolic refs other than `HEAD` name a ref that is read anyway, so they are passed over.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::layout::{Repository, read_limited};
use super::reftable::{Reftable, Value};
use crate::model::{Diagnostics, ObjectId, Reachability, printable_bytes};

/// An object that the repository names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tip {
    /// How good a name it is.
    pub class: Reachability,
    /// The object: mostly a commit or a tag.
    pub id: ObjectId,
    /// The full name of the ref, or the file under the git directory.
    pub name: Vec<u8>,
}

/// All names of a repository.
#[derive(Clone, Debug, Default)]
pub struct Refs {
    /// What `HEAD` points to; `None` before the first commit.
    pub head: Option<ObjectId>,
    /// Every name, `HEAD` included, sorted.
    pub tips: Vec<Tip>,
}

/// Files beside `HEAD` that hold ids for as long as an operation lasts, or since the last one.
/// They keep nothing alive, so they count as little as a reflog.
const PASSING: [&str; 8] = [
    "AUTO_MERGE",
    "BISECT_HEAD",
    "CHERRY_PICK_HEAD",
    "FETCH_HEAD",
    "MERGE_HEAD",
    "ORIG_HEAD",
    "REBASE_HEAD",
    "REVERT_HEAD",
];

/// Refs that lead from one to another; git follows as many.
const MAX_HOPS: usize = 5;

impl Refs {
    /// Reads all names of `repository`. What cannot be read is a diagnostic.
    pub fn read(repository: &Repository, diagnostics: &Diagnostics) -> Self {
        let mut collector = Collector {
            refs: BTreeMap::new(),
            tips: Vec::new(),
            reftable: repository.reftable,
            tables: BTreeMap::new(),
            diagnostics,
        };
        let common = &repository.common_dir;
        match repository.reftable {
            true => collector.table(common),
            false => {
                collector.packed_refs(&common.join("packed-refs"));
                collector.loose_refs(common, &common.join("refs"));
                collector.logs(common, &common.join("logs"));
            }
        }
        let head = collector.head(&repository.git_dir);
        let worktrees = other_worktrees(repository);
        for directory in worktrees.iter().chain([&repository.git_dir]) {
            collector.worktree(directory, directory != common);
        }
        for directory in worktrees {
            collector.head_elsewhere(&directory);
        }
        collector.finish(head)
    }
}

impl Refs {
    /// What the ref with this full name points to.
    pub(super) fn find(&self, name: &[u8]) -> Option<ObjectId> {
        let mut tips = self.tips.iter();
        tips.find_map(|tip| (tip.name == name).then_some(tip.id))
    }
}

/// The class of a full ref name.
fn class_of(name: &[u8]) -> Reachability {
    let is_under = |prefix: &str| name.starts_with(prefix.as_bytes());
    match name {
        b"HEAD" => Reachability::Head,
        b"refs/stash" => Reachability::Stash,
        _ if is_under("refs/heads/") || is_under("refs/remotes/") => Reachability::Branch,
        _ if is_under("refs/tags/") => Reachability::Tag,
        _ if is_under("refs/notes/") => Reachability::Notes,
        _ => Reachability::PullRef,
    }
}

/// The class of what a reflog holds, by its name below the git directory.
fn class_of_log(name: &[u8]) -> Reachability {
    match name {
        b"logs/refs/stash" => Reachability::Stash,
        _ => Reachability::Reflog,
    }
}

/// The object that `name` leads to, by a table of its worktree and the refs of all.
fn resolved(table: &Reftable, name: &[u8], all: &BTreeMap<Vec<u8>, ObjectId>) -> Option<ObjectId> {
    let mut name = name;
    for _ in 0..MAX_HOPS {
        match table.refs.get(name) {
            Some(Value::Id(id)) => return Some(*id),
            Some(Value::Symbolic(next)) => name = next,
            None => return all.get(name).copied(),
        }
    }
    None
}

/// The directories of all worktrees but the opened one.
fn other_worktrees(repository: &Repository) -> Vec<PathBuf> {
    let common = &repository.common_dir;
    let linked = fs::read_dir(common.join("worktrees")).into_iter().flatten();
    let mut all: Vec<_> = linked.flatten().map(|entry| entry.path()).collect();
    all.push(common.clone());
    let own = repository.git_dir.canonicalize().ok();
    all.retain(|directory| directory.canonicalize().ok() != own);
    all.sort();
    all
}

struct Collector<'a> {
    refs: BTreeMap<Vec<u8>, ObjectId>,
    tips: Vec<Tip>,
    /// Whether refs and reflogs are in reftables.
    reftable: bool,
    /// Those that were read, by their git directories.
    tables: BTreeMap<PathBuf, Option<Rc<Reftable>>>,
    diagnostics: &'a Diagnostics,
}

impl Collector<'_> {
    fn packed_refs(&mut self, path: &Path) {
        let bytes = self.read(path);
        for line in lines(&bytes) {
            let (id, name) = line.split_at(line.len().min(2 * ObjectId::LEN));
            if let (Ok(id), Some(name)) = (ObjectId::from_hex(id), name.strip_prefix(b" ")) {
                self.refs.insert(name.to_vec(), id);
            }
        }
    }

    fn loose_refs(&mut self, root: &Path, directory: &Path) {
        for path in files_below(directory) {
            let bytes = self.read(&path);
            let name = name_below(root, &path);
            let text = bytes.trim_ascii();
            if text.starts_with(b"ref:") || name.ends_with(b".lock") {
                continue;
            }
            match ObjectId::from_hex(text) {
                Ok(id) => {
                    self.refs.insert(name, id);
                }
                Err(_) => {
                    let message = "the ref is damaged: what it reaches is scanned, but shown as \
                                   reached by others or by nothing";
                    self.diagnostics.warning(printable_bytes(&name), message);
                }
            }
        }
    }

    /// Both sides of every reflog entry.
    fn logs(&mut self, root: &Path, directory: &Path) {
        for path in files_below(directory) {
            let name = name_below(root, &path);
            let class = class_of_log(&name);
            let bytes = self.read(&path);
            let ids = lines(&bytes).flat_map(|line| {
                let words = line.splitn(3, |&byte| byte == b' ').take(2);
                words.filter_map(|word| ObjectId::from_hex(word).ok())
            });
            let mut ids: Vec<_> = ids.filter(|id| !id.is_zero()).collect();
            ids.sort_unstable();
            ids.dedup();
            self.tips.extend(ids.into_iter().map(|id| Tip {
                class,
                id,
                name: name.clone(),
            }));
        }
    }

    /// Refs and reflogs of the reftables in a git directory.
    fn table(&mut self, directory: &Path) {
        let Some(table) = self.read_table(directory) else {
            return;
        };
        for (name, value) in &table.refs {
            let &Value::Id(id) = value else { continue };
            let (class, name) = (Reachability::Reflog, name.clone());
            if name.starts_with(b"refs/") {
                self.refs.insert(name, id);
            } else if name != b"HEAD" {
                self.tips.push(Tip { class, id, name });
            }
        }
        for ((name, _), sides) in &table.logs {
            let name = [b"logs/", &name[..]].concat();
            let class = class_of_log(&name);
            let ids = sides.iter().filter(|id| !id.is_zero());
            let tip = |&id| Tip {
                class,
                id,
                name: name.clone(),
            };
            self.tips.extend(ids.map(tip));
        }
    }

    fn read_table(&mut self, directory: &Path) -> Option<Rc<Reftable>> {
        if let Some(known) = self.tables.get(directory) {
            return known.clone();
        }
        let read = Reftable::read(&directory.join("reftable"));
        let report = |file: PathBuf| {
            let message = "the reftable cannot be read: what its refs reach is scanned, but shown as \
                           reached by others or by nothing";
            self.diagnostics.warning(file.display(), message);
        };
        let read = read.map_err(report).ok().map(Rc::new);
        self.tables.insert(directory.to_owned(), read.clone());
        read
    }

    /// What `HEAD` in `directory` points to.
    fn head(&mut self, directory: &Path) -> Option<ObjectId> {
        if self.reftable {
            let table = self.read_table(directory)?;
            return resolved(&table, b"HEAD", &self.refs);
        }
        let mut text = self.read(&directory.join("HEAD"));
        for _ in 0..MAX_HOPS {
            let Some(name) = text.strip_prefix(b"ref:") else {
                return ObjectId::from_hex(text.trim_ascii()).ok();
            };
            let name = name.trim_ascii().to_vec();
            if let Some(id) = self.refs.get(&name) {
                return Some(*id);
            }
            // A symbolic ref that points to another, or a ref of the worktree alone.
            let safe = name.starts_with(b"refs/") && !name.windows(2).any(|two| two == b"..");
            text = match super::layout::to_path(&name).filter(|_| safe) {
                Some(name) => self.read(&directory.join(name)),
                None => return None,
            };
        }
        None
    }

    /// `HEAD` of a worktree that is not the opened one: as good as a branch.
    fn head_elsewhere(&mut self, directory: &Path) {
        let name = directory.join("HEAD");
        let head = self.head(directory);
        self.tips.extend(head.map(|id| Tip {
            class: Reachability::Branch,
            id,
            name: name.as_os_str().as_encoded_bytes().to_vec(),
        }));
    }

    /// What a worktree has for itself.
    fn worktree(&mut self, directory: &Path, linked: bool) {
        if linked && self.reftable {
            self.table(directory);
        } else if linked {
            self.loose_refs(directory, &directory.join("refs"));
            self.logs(directory, &directory.join("logs"));
        }
        for name in PASSING {
            let bytes = self.read(&directory.join(name));
            for line in lines(&bytes) {
                let word = line.get(..2 * ObjectId::LEN).unwrap_or(line);
                self.tips
                    .extend(ObjectId::from_hex(word).ok().map(|id| Tip {
                        class: Reachability::Reflog,
                        id,
                        name: name.into(),
                    }));
            }
        }
    }

    fn finish(mut self, head: Option<ObjectId>) -> Refs {
        let named = self.refs.into_iter().map(|(name, id)| Tip {
            class: class_of(&name),
            id,
            name,
        });
        self.tips.extend(named);
        self.tips.extend(head.map(|id| Tip {
            class: Reachability::Head,
            id,
            name: b"HEAD".to_vec(),
        }));
        self.tips.sort();
        self.tips.dedup();
        Refs {
            head,
            tips: self.tips,
        }
    }

    fn read(&self, path: &Path) -> Vec<u8> {
        match read_limited(path) {
            Ok(bytes) => bytes.unwrap_or_default(),
            Err(error) => {
                let message = "cannot be read: what it reaches is scanned, but shown as reached \
                               by others or by nothing";
                self.diagnostics.warning(path.display(), message);
                drop(error);
                Vec::new()
            }
        }
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii)
}

/// All files below `directory`, sorted; links to directories are not followed.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut pending = vec![directory.to_path_buf()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(entry.path()),
                Ok(_) => files.push(entry.path()),
                Err(_) => {}
            }
        }
    }
    files.sort();
    files
}

/// The `/`-separated name of a file below `root`.
fn name_below(root: &Path, path: &Path) -> Vec<u8> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below
        .components()
        .map(|part| part.as_os_str().as_encoded_bytes())
        .collect();
    parts.join(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_class_of_their_prefix() {
        let classes = [
            ("refs/heads/main", Reachability::Branch),
            ("refs/remotes/origin/main", Reachability::Branch),
            ("refs/tags/v1", Reachability::Tag),
            ("refs/pull/7/head", Reachability::PullRef),
            ("refs/merge-requests/7/head", Reachability::PullRef),
            ("refs/changes/01/1/1", Reachability::PullRef),
            ("refs/stash", Reachability::Stash),
            ("refs/notes/commits", Reachability::Notes),
        ];
        for (name, class) in classes {
            assert_eq!(class_of(name.as_bytes()), class, "{name}");
        }
    }

    #[test]
    fn loose_refs_win_over_packed_ones_and_logs_give_both_sides() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = scratch.path();
        let write = |path: &str, text: String| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("below")).expect("writable");
            fs::write(path, text).expect("writable");
        };
        let [old, new, other] = [1, 2, 3].map(|n| ObjectId::new([n; 20]));
        write("HEAD", "ref: refs/heads/main\n".into());
        write("objects/x", String::new());
        write(
            "packed-refs",
            format!("# pack-refs\n{old} refs/heads/main\n^{other}\n{other} refs/tags/t\n"),
        );
        write("refs/heads/main", format!("{new}\n"));
        write("refs/heads/bad", "nonsense\n".into());
        write("logs/HEAD", format!("{old} {new} A <a> 1 +0000\tcommit\n"));
        let repository = Repository::open(root).expect("a repository");
        let diagnostics = Diagnostics::new();
        let refs = Refs::read(&repository, &diagnostics);
        assert_eq!(refs.head, Some(new));
        let tips: Vec<_> = refs.tips.iter().map(|tip| (tip.class, tip.id)).collect();
        let expected = [
            (Reachability::Head, new),
            (Reachability::Branch, new),
            (Reachability::Tag, other),
            (Reachability::Reflog, old),
            (Reachability::Reflog, new),
        ];
        assert_eq!(tips, expected);
        assert_eq!(diagnostics.into_sorted().len(), 1);
    }
}
