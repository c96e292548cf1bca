//! What the names of a repository reach, and which commit brought what.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use rayon::prelude::*;

use super::ancestry::Ancestry;
use super::changes::{Change, Differ, Sink};
use super::commits::Commits;
use super::layout::Repository;
use super::lineage::{Creation, Lineage, path_key};
use super::object::Kind;
use super::reader::Reader;
use super::refs::{Refs, Tip};
use super::store::Store;
use super::tree_log::TreeLog;
use super::wanted::{Contents, Wanted};
use crate::model::{Diagnostics, ObjectId, Reachability, printable_bytes};

/// The commits of a repository and what names them.
///
/// Opening it reads all commits; trees are read when something is asked.
pub struct History<'a> {
    pub(super) store: &'a Store,
    pub(super) commits: Arc<Commits>,
    pub(super) roots: Arc<Roots>,
    pub(super) lineage: Mutex<Lineage>,
    ancestry: OnceLock<Ancestry>,
}

/// What refs and reflogs point to.
#[derive(Default)]
pub(super) struct Roots {
    /// The commit at `HEAD`.
    pub(super) head: Option<u32>,
    /// Commits by class.
    pub(super) commits: BTreeMap<Reachability, Vec<u32>>,
    /// Blobs and trees that a ref or a tag names without a commit.
    pub(super) direct: Vec<(Reachability, Kind, ObjectId)>,
    /// Tag objects on the way.
    pub(super) tags: HashMap<ObjectId, Reachability>,
}

/// A wanted object that appears at a path, or disappears.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Event {
    /// Position among the wanted ones.
    pub(super) wanted: usize,
    /// Whether it goes.
    pub(super) gone: bool,
    /// Position of the commit.
    pub(super) position: u32,
    pub(super) path: Vec<u8>,
}

/// Longest chain of tags that name tags.
const MAX_TAGS: usize = 32;
/// Commits that a thread takes at a time: neighbours share most of their trees.
const BATCH: usize = 256;

/// What there is to know of a repository before something is asked, to be kept.
#[derive(Clone)]
pub(super) struct Overview {
    commits: Arc<Commits>,
    roots: Arc<Roots>,
}

impl Overview {
    /// Reads refs, reflogs and commits.
    pub(super) fn read(repository: &Repository, store: &Store, diagnostics: &Diagnostics) -> Self {
        let refs = Refs::read(repository, diagnostics);
        let mut commits = Commits::read(store, &repository.shallow);
        let roots = Roots::resolve(&refs, store, &commits, diagnostics);
        for class in Reachability::ALL {
            let tips = roots.commits.get(&class).into_iter().flatten();
            commits.mark(class, tips.copied());
        }
        report_limits(repository, store, &commits, diagnostics);
        Self {
            commits: Arc::new(commits),
            roots: Arc::new(roots),
        }
    }
}

impl<'a> History<'a> {
    /// Reads refs, reflogs and commits.
    pub fn open(repository: &Repository, store: &'a Store, diagnostics: &Diagnostics) -> Self {
        Self::of(store, Overview::read(repository, store, diagnostics))
    }

    /// The history of which `overview` was read.
    pub(super) fn of(store: &'a Store, overview: Overview) -> Self {
        let Overview { commits, roots } = overview;
        Self {
            store,
            commits,
            roots,
            lineage: Mutex::default(),
            ancestry: OnceLock::new(),
        }
    }

    /// Whether commit `ancestor` is `of` or an ancestor of it.
    pub(super) fn is_ancestor(&self, ancestor: u32, of: u32) -> bool {
        let ancestry = || Ancestry::new(&self.commits, self.roots.head);
        let ancestry = self.ancestry.get_or_init(ancestry);
        ancestry.is_ancestor(&self.commits, ancestor, of)
    }

    /// Compares all commits of `class` with their parents and tells where wanted blobs come and
    /// go, sorted. Notes on the way which paths begin where.
    pub(super) fn walk(
        &self,
        class: Reachability,
        wanted: &Wanted,
        log: &TreeLog,
        diagnostics: &Diagnostics,
    ) -> Vec<Event> {
        let members = self.commits.of_class(class);
        let batch = |members: &[u32]| {
            let mut differ = Differ::with_log(self.store.reader(), &self.commits, log);
            let mut watcher = Watcher {
                position: 0,
                contents: Contents::new(wanted),
                wanted,
                noted: Noted::default(),
            };
            for &index in members {
                watcher.position = self.commits.get(index).position;
                differ.run(index, &mut watcher);
            }
            (watcher.noted, differ.unread)
        };
        // Some take a hundred times as long as others, so each can be taken by any thread.
        let batches = members.par_chunks(BATCH).with_max_len(1);
        let found: Vec<_> = batches.map(batch).collect();
        let mut all = Noted::default();
        let mut unread = Vec::new();
        // Not twice as much, as lists that grow take.
        let creations = found.iter().map(|(noted, _)| noted.creations.len());
        all.creations.reserve_exact(creations.sum());
        let events = found.iter().map(|(noted, _)| noted.events.len());
        all.events.reserve_exact(events.sum());
        for (noted, some_unread) in found {
            all.events.extend(noted.events);
            all.creations.extend(noted.creations);
            all.removals.extend(noted.removals);
            unread.extend(some_unread);
        }
        let mut events = all.events;
        events.par_sort_unstable();
        events.dedup();
        self.report_unread(unread, diagnostics);
        self.lineage
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .add(class, all.creations, all.removals);
        events
    }

    /// In a partial clone missing trees are expected, and counted by the sweep.
    fn report_unread(&self, mut unread: Vec<ObjectId>, diagnostics: &Diagnostics) {
        unread.sort_unstable();
        unread.dedup();
        if let Some(first) = unread.first().filter(|_| !self.store.partial) {
            let message = format_args!(
                "{} directories of the history cannot be read, so some paths and commits of \
                 findings are unknown; run `git fsck`",
                unread.len()
            );
            diagnostics.warning(format_args!("tree {first}"), message);
        }
    }
}

/// Says what the answers cannot know.
fn report_limits(
    repository: &Repository,
    store: &Store,
    commits: &Commits,
    diagnostics: &Diagnostics,
) {
    let boundary = repository.shallow.iter();
    let boundary = boundary.filter(|id| commits.find(id).is_some()).count();
    let subject = repository.git_dir.display();
    if boundary > 0 {
        let message = format_args!(
            "a shallow clone: the history before {boundary} commits is not here; fetch it with \
             `fetch-depth: 0` or `git fetch --unshallow`, or use --no-history"
        );
        diagnostics.incomplete(subject, message);
    } else if commits.cut > 0 && !repository.partial {
        let message = format_args!(
            "{} commits name parents that are not here, so the history before them is not \
             scanned; run `git fsck`",
            commits.cut
        );
        diagnostics.incomplete(subject, message);
    }
    if !repository.partial {
        let all = (0..commits.len() as u32).into_par_iter();
        let mut trees: Vec<_> = all.map(|index| commits.get(index).tree).collect();
        // In the order of indexes, so that one is found beside the last.
        trees.par_sort_unstable();
        let lost = trees.par_iter().filter(|tree| !store.contains(tree));
        let lost = lost.count();
        if lost > 0 {
            let message = format_args!(
                "{lost} commits name trees that are not here, so their files are not scanned; \
                 run `git fsck`"
            );
            diagnostics.incomplete(repository.git_dir.display(), message);
        }
    }
}

impl Roots {
    fn resolve(refs: &Refs, store: &Store, commits: &Commits, diagnostics: &Diagnostics) -> Self {
        let mut roots = Self {
            head: refs.head.and_then(|id| commits.find(&id)),
            ..Self::default()
        };
        let mut reader = store.reader();
        for tip in &refs.tips {
            if !roots.add(tip, &mut reader, commits) {
                let expected = store.partial || tip.class >= Reachability::Reflog;
                if !expected {
                    let message = "points to an object that is missing or damaged, so what it \
                                   leads to is not scanned; run `git fsck`";
                    diagnostics.incomplete(printable_bytes(&tip.name), message);
                }
            }
        }
        roots
    }

    /// Follows one name. `false` when what it names is not here.
    fn add(&mut self, tip: &Tip, reader: &mut Reader<'_>, commits: &Commits) -> bool {
        let mut id = tip.id;
        for _ in 0..MAX_TAGS {
            if let Some(index) = commits.find(&id) {
                self.commits.entry(tip.class).or_default().push(index);
                return true;
            }
            let Ok(Some((kind, bytes))) = reader.find(&id) else {
                return false;
            };
            if kind != Kind::Tag {
                self.direct.push((tip.class, kind, id));
                return true;
            }
            // Tips come best class first.
            self.tags.entry(id).or_insert(tip.class);
            let target = bytes
                .strip_prefix(b"object ")
                .and_then(|rest| rest.get(..2 * ObjectId::LEN))
                .and_then(|hex| ObjectId::from_hex(hex).ok());
            match target {
                Some(target) => id = target,
                None => return false,
            }
        }
        false
    }
}

/// Notes where wanted blobs come and go, and where paths begin.
struct Watcher<'a> {
    position: u32,
    wanted: &'a Wanted,
    contents: Contents<'a>,
    noted: Noted,
}

/// What a walk saw.
#[derive(Default)]
struct Noted {
    events: Vec<Event>,
    creations: Vec<Creation>,
    /// Positions of commits that take something away.
    removals: Vec<u32>,
}

impl Sink for Watcher<'_> {
    fn change(&mut self, reader: &mut Reader<'_>, change: Change<'_>) {
        if change.is_creation() {
            self.noted.creations.push(Creation {
                path: path_key(change.path),
                position: self.position,
            });
        }
        if change.is_deletion() && self.noted.removals.last() != Some(&self.position) {
            self.noted.removals.push(self.position);
        }
        if self.wanted.is_empty() {
            return;
        }
        if let Some(new) = change.new {
            self.note(reader, &change, &new, false);
        }
        // A directory on both sides is not a change of its own, so this one is gone.
        if let Some(old) = change.common_old() {
            self.note(reader, &change, &old, true);
        }
    }
}

impl Watcher<'_> {
    /// Notes `id` itself when it is a file, and what is wanted below it when it is a directory.
    fn note(&mut self, reader: &mut Reader<'_>, change: &Change<'_>, id: &ObjectId, gone: bool) {
        let mut push = |wanted, path| {
            self.noted.events.push(Event {
                wanted,
                gone,
                position: self.position,
                path,
            });
        };
        if !change.is_tree {
            if let Some(wanted) = self.wanted.position(id) {
                push(wanted, change.path.to_vec());
            }
            return;
        }
        for found in self.contents.below(reader, id).iter() {
            push(found.wanted, [change.path, &found.path].join(&b'/'));
        }
    }
}
