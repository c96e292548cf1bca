//! The commits of a range: what each brings, also when a later one takes it away again.
//!
//! A merge is compared with all its parents, so that only what the merge itself brings counts. A
//! secret that the file had before, or that a file had which the commit removes, is not new.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::additions::{Additions, Changed, MAX_GONE};
use super::commits;
use super::refs::Refs;
use super::work_tree::head;
use super::{GitError, Kind, Reader, Repository, Store, StoreOptions};
use crate::model::{Blob, CommitPoint, Diagnostics, ObjectId};
use crate::source::{Item, Place, Source, SourceError, Visit};

/// Which commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeSpec {
    /// `A..B`, `A...B`, or one revision with all its ancestors, as git writes them.
    Revisions(String),
    /// What a push publishes.
    Push {
        /// The refs that it moves.
        updates: Vec<PushUpdate>,
        /// The remote's name; what any of its branches has is published already.
        remote: Option<String>,
    },
}

/// A ref that a push moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushUpdate {
    /// The commit (or tag) that is pushed; `None` means `HEAD`.
    pub local: Option<ObjectId>,
    /// What the remote has now.
    pub remote: Option<ObjectId>,
}

/// A range of one repository.
#[derive(Debug)]
pub struct Range {
    repository: Repository,
    spec: RangeSpec,
    options: StoreOptions,
}

impl Range {
    /// The range `spec` of `repository`.
    pub fn new(repository: &Repository, spec: RangeSpec, options: StoreOptions) -> Self {
        Self {
            repository: repository.clone(),
            spec,
            options,
        }
    }

    fn open_error(&self, error: impl std::fmt::Display) -> SourceError {
        SourceError::Git {
            path: self.repository.git_dir.clone(),
            message: error.to_string(),
        }
    }

    /// The repository without its refs.
    fn only_objects(&self) -> Result<git2::Repository, git2::Error> {
        let objects = git2::Odb::new()?;
        let folder = &self.repository.objects_dir;
        let folder = folder.to_str();
        let folder = folder.ok_or_else(|| git2::Error::from_str("its path is not UTF-8"))?;
        objects.add_disk_alternate(folder)?;
        git2::Repository::from_odb(objects)
    }

    /// The commits to take, and those whose ancestors are left out.
    fn ends(&self, diagnostics: &Diagnostics) -> Result<Ends, SourceError> {
        let git = match self.repository.reftable {
            // libgit2 reads no reftables: it gets the objects, and ids in the place of names.
            true => self.only_objects(),
            false => git2::Repository::open_bare(&self.repository.git_dir),
        };
        let git = git.map_err(|error| self.open_error(error.message()))?;
        let refs = self
            .repository
            .reftable
            .then(|| Refs::read(&self.repository, diagnostics));
        let missing = |revision: &str| SourceError::Revision {
            revision: revision.to_owned(),
        };
        let commit = |revision: &str| -> Result<ObjectId, SourceError> {
            let revision = if revision.is_empty() {
                "HEAD"
            } else {
                revision
            };
            let by_id = refs.as_ref().and_then(|refs| with_id(refs, revision));
            let object = git
                .revparse_single(by_id.as_deref().unwrap_or(revision))
                .map_err(|_| missing(revision))?;
            let commit = object.peel_to_commit().map_err(|_| missing(revision))?;
            ObjectId::from_slice(commit.id().as_bytes()).ok_or_else(|| missing(revision))
        };
        let mut ends = Ends::default();
        match &self.spec {
            RangeSpec::Revisions(text) => {
                if let Some((from, to)) = text.split_once("...") {
                    let (from, to) = (commit(from)?, commit(to)?);
                    let oid = |id: ObjectId| git2::Oid::from_bytes(id.as_bytes());
                    let base = oid(from).and_then(|from| git.merge_base(from, oid(to)?));
                    let base = base.map_err(|_| SourceError::Revision {
                        revision: format!("merge base of {text}"),
                    })?;
                    ends.include.push(to);
                    ends.exclude.extend(ObjectId::from_slice(base.as_bytes()));
                } else if let Some((from, to)) = text.split_once("..") {
                    ends.include.push(commit(to)?);
                    ends.exclude.push(commit(from)?);
                } else {
                    ends.include.push(commit(text)?);
                }
            }
            RangeSpec::Push { updates, remote } => {
                for update in updates {
                    let local = match update.local {
                        Some(id) => id.to_string(),
                        None => "HEAD".to_owned(),
                    };
                    match commit(&local) {
                        Ok(id) => ends.include.push(id),
                        // An unborn branch, or a tag of something else: nothing to walk.
                        Err(_) if update.local.is_none() => {}
                        Err(error) => return Err(error),
                    }
                    // What the remote has may never have been fetched; then it hides nothing.
                    ends.exclude
                        .extend(update.remote.and_then(|id| commit(&id.to_string()).ok()));
                }
                let published = match remote {
                    Some(name) => format!("refs/remotes/{name}/"),
                    None => "refs/remotes/".to_owned(),
                };
                let refs = refs.unwrap_or_else(|| Refs::read(&self.repository, diagnostics));
                let tips = refs
                    .tips
                    .iter()
                    .filter(|tip| tip.name.starts_with(published.as_bytes()));
                ends.exclude.extend(tips.map(|tip| tip.id));
            }
        }
        Ok(ends)
    }
}

/// A revision with the id in the place of the name that it begins with; nothing when it begins
/// otherwise.
fn with_id(refs: &Refs, revision: &str) -> Option<String> {
    let end = revision.find(['~', '^', ':']).unwrap_or(revision.len());
    let (name, rest) = revision.split_at(end);
    let id = match name {
        "@" | "HEAD" => refs.head,
        // In the order of gitrevisions(7).
        _ => ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"]
            .iter()
            .find_map(|prefix| refs.find(format!("{prefix}{name}").as_bytes())),
    };
    id.map(|id| format!("{id}{rest}"))
}

#[derive(Debug, Default)]
struct Ends {
    include: Vec<ObjectId>,
    exclude: Vec<ObjectId>,
}

impl Source for Range {
    fn visit(&self, visit: &Visit<'_>, diagnostics: &Diagnostics) -> Result<(), SourceError> {
        let ends = self.ends(diagnostics)?;
        let store = Store::open(&self.repository, &self.options, diagnostics);
        let store = store.map_err(|error| self.open_error(error))?;
        store.check_indexes(diagnostics);
        let mut reader = store.reader();
        let walk = Walk::of(&mut reader, &self.repository, &ends)
            .map_err(|error| self.open_error(error))?;
        if walk.cut > 0 {
            diagnostics.incomplete(
                self.repository.git_dir.display(),
                format_args!(
                    "the range runs into the edge of this shallow clone ({} commits without \
                     parents); fetch more history (actions/checkout: `fetch-depth: 0`)",
                    walk.cut
                ),
            );
        }
        let head = head_files(&mut reader, &self.repository);
        for (id, commit) in &walk.commits {
            let step = Step {
                point: CommitPoint {
                    id: *id,
                    time: commit.time,
                },
                head: &head,
                diagnostics,
            };
            let done = step.visit(&mut reader, commit, &walk, visit);
            match done.map_err(|error| self.open_error(error))? {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(()) => break,
            }
        }
        Ok(())
    }
}

/// One commit of the walk.
struct Step<'a> {
    point: CommitPoint,
    head: &'a BTreeSet<ObjectId>,
    diagnostics: &'a Diagnostics,
}

impl Step<'_> {
    fn visit(
        &self,
        reader: &mut Reader<'_>,
        commit: &Known,
        walk: &Walk,
        visit: &Visit<'_>,
    ) -> Result<ControlFlow<()>, GitError> {
        let place = Place::Commit {
            commit: self.point,
            path: None,
            id: self.point.id,
            in_head: false,
        };
        let message = Item::new(Blob::new(&commit.text), place);
        if visit(&message).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let mut parents = Vec::new();
        for parent in &commit.parents {
            match walk.tree_of(reader, parent)? {
                Some(tree) => parents.push(tree),
                // The edge of a shallow clone, which the walk has reported.
                None => return Ok(ControlFlow::Continue(())),
            }
        }
        let additions = Additions::between(reader, Some(commit.tree), &parents)?;
        for tree in &additions.missing {
            self.missing(tree);
        }
        let gone = &additions.gone[..additions.gone.len().min(MAX_GONE)];
        let gone = self.contents(reader, gone)?;
        for changed in &additions.changed {
            if self.file(reader, changed, &gone, visit)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn file(
        &self,
        reader: &mut Reader<'_>,
        changed: &Changed,
        gone: &[Arc<Vec<u8>>],
        visit: &Visit<'_>,
    ) -> Result<ControlFlow<()>, GitError> {
        let Some((_, bytes)) = reader.find(&changed.id)? else {
            self.missing(&changed.id);
            return Ok(ControlFlow::Continue(()));
        };
        let before = self.contents(reader, &changed.before)?;
        let before: Vec<&[u8]> = before.iter().chain(gone).map(|bytes| &bytes[..]).collect();
        let place = Place::Commit {
            commit: self.point,
            path: Some(&changed.path),
            id: changed.id,
            in_head: self.head.contains(&changed.id),
        };
        Ok(visit(&Item {
            before: &before,
            ..Item::new(Blob::new(&bytes), place)
        }))
    }

    fn contents(
        &self,
        reader: &mut Reader<'_>,
        ids: &[ObjectId],
    ) -> Result<Vec<Arc<Vec<u8>>>, GitError> {
        let mut contents = Vec::new();
        for id in ids {
            // What is missing here can only make an old secret look new.
            contents.extend(reader.find(id)?.map(|(_, bytes)| bytes));
        }
        Ok(contents)
    }

    fn missing(&self, id: &ObjectId) {
        self.diagnostics.incomplete(
            format_args!("object {id}"),
            format_args!(
                "is not in this clone, so commit {} was not scanned whole; fetch it",
                self.point.id
            ),
        );
    }
}

/// A commit that has been read.
struct Known {
    tree: ObjectId,
    parents: Vec<ObjectId>,
    time: i64,
    text: Arc<Vec<u8>>,
}

/// The commits of a range, oldest first.
struct Walk {
    commits: Vec<(ObjectId, Known)>,
    /// Trees of the commits around the range.
    trees: BTreeMap<ObjectId, ObjectId>,
    /// Commits of the range whose parents a shallow clone lacks.
    cut: usize,
}

/// How many hidden commits are looked at after the last visible one: dates can be wrong.
const SLOP: usize = 16;

impl Walk {
    /// Walks from both ends at once, latest first, until only hidden commits are left.
    fn of(reader: &mut Reader<'_>, repository: &Repository, ends: &Ends) -> Result<Self, GitError> {
        let mut known: BTreeMap<ObjectId, Known> = BTreeMap::new();
        let mut hidden: BTreeSet<ObjectId> = BTreeSet::new();
        let mut queue: BinaryHeap<(i64, ObjectId)> = BinaryHeap::new();
        let mut queued: BTreeSet<ObjectId> = BTreeSet::new();
        let mut waiting = 0usize;
        let mut slop = SLOP;
        for (ids, hide) in [(&ends.exclude, true), (&ends.include, false)] {
            for id in ids {
                let Some(commit) = read(reader, id)? else {
                    continue;
                };
                if hide {
                    hidden.insert(*id);
                }
                if queued.insert(*id) {
                    queue.push((commit.time, *id));
                    waiting += usize::from(!hidden.contains(id));
                }
                known.entry(*id).or_insert(commit);
            }
        }
        while let Some((_, id)) = queue.pop() {
            let hide = hidden.contains(&id);
            waiting -= usize::from(!hide);
            let parents = known
                .get(&id)
                .map(|commit| commit.parents.clone())
                .unwrap_or_default();
            for parent in parents {
                if hide && hidden.insert(parent) {
                    // It may have been walked as visible already: hide what it led to.
                    waiting -= unhide(&parent, &known, &mut hidden, &queue);
                }
                if !queued.insert(parent) {
                    continue;
                }
                let Some(commit) = read(reader, &parent)? else {
                    continue;
                };
                queue.push((commit.time, parent));
                waiting += usize::from(!hidden.contains(&parent));
                known.insert(parent, commit);
            }
            if waiting == 0 {
                if slop == 0 {
                    break;
                }
                slop -= 1;
            }
        }
        let trees = known
            .iter()
            .map(|(id, commit)| (*id, commit.tree))
            .collect();
        let edge: BTreeSet<_> = repository.shallow.iter().collect();
        let mut commits: Vec<_> = known
            .into_iter()
            .filter(|(id, _)| !hidden.contains(id))
            .collect();
        commits.sort_by_key(|(id, commit)| (commit.time, *id));
        let cut = commits.iter().filter(|(id, _)| edge.contains(id)).count();
        Ok(Self {
            commits,
            trees,
            cut,
        })
    }

    fn tree_of(
        &self,
        reader: &mut Reader<'_>,
        commit: &ObjectId,
    ) -> Result<Option<ObjectId>, GitError> {
        match self.trees.get(commit) {
            Some(tree) => Ok(Some(*tree)),
            None => Ok(read(reader, commit)?.map(|commit| commit.tree)),
        }
    }
}

/// Hides everything below `from` that is known; returns how many of it still wait in the queue.
fn unhide(
    from: &ObjectId,
    known: &BTreeMap<ObjectId, Known>,
    hidden: &mut BTreeSet<ObjectId>,
    queue: &BinaryHeap<(i64, ObjectId)>,
) -> usize {
    let mut newly = BTreeSet::from([*from]);
    let mut stack = vec![*from];
    while let Some(id) = stack.pop() {
        for parent in known
            .get(&id)
            .into_iter()
            .flat_map(|commit| &commit.parents)
        {
            if hidden.insert(*parent) {
                newly.insert(*parent);
                stack.push(*parent);
            }
        }
    }
    queue.iter().filter(|(_, id)| newly.contains(id)).count()
}

fn read(reader: &mut Reader<'_>, id: &ObjectId) -> Result<Option<Known>, GitError> {
    let Some((Kind::Commit, text)) = reader.find(id)? else {
        return Ok(None);
    };
    Ok(commits::parse(*id, &text).map(|commit| Known {
        tree: commit.tree,
        parents: commit.parents,
        time: commit.time,
        text: Arc::clone(&text),
    }))
}

/// The blobs of the tree at `HEAD`.
fn head_files(reader: &mut Reader<'_>, repository: &Repository) -> BTreeSet<ObjectId> {
    let head = head(repository);
    let tree = head
        .and_then(|head| read(reader, &head).ok().flatten())
        .map(|commit| commit.tree);
    let all = tree.and_then(|tree| Additions::between(reader, Some(tree), &[]).ok());
    all.into_iter()
        .flat_map(|all| all.changed)
        .map(|file| file.id)
        .collect()
}
