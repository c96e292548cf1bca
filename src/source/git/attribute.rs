//! Says of single objects what they are, what reaches them, under which paths, and since when.
//!
//! Only the objects asked for are looked up, so the cost is one walk over the commits. A class of
//! commits is walked when some object is in no better one. Invariant: the answer depends on the
//! repository alone, not on threads or the order of the question.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

use super::commits::Commits;
use super::dangling::places_in_dangling_trees;
use super::history::{Event, History};
use super::lineage::{Traced, Tracer};
use super::object::{Kind, Kinds};
use super::questions::{Answers, Questions};
use super::reader::Reader;
use super::tree_log::{AtPath, Comparer, TreeLog};
use super::wanted::{Contents, Wanted, lookup};
use crate::machine::heap;
use crate::model::{CommitPoint, Diagnostics, ObjectId, Reachability, Role};

/// What is known about an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attribution {
    /// What its bytes are to git.
    pub role: Role,
    /// Where it is, or was last. `None` for commits and tags, and for blobs that no tree holds.
    /// Below a tree that nothing reaches it is the path from that tree.
    pub path: Option<Vec<u8>>,
    /// Other paths of it in the same class, sorted.
    pub other_paths: Vec<Vec<u8>>,
    /// The best way to reach it.
    pub reachability: Reachability,
    /// Whether it is in the tree at `HEAD`.
    pub in_head: bool,
    /// The first commit that has it; of a commit itself.
    pub introduced: Option<CommitPoint>,
    /// The commit that took it away last, when no name of its class holds it any more.
    pub removed: Option<CommitPoint>,
    /// The path at which the file began, before renames; empty without a path.
    pub origin: Vec<u8>,
}

impl Attribution {
    fn new(role: Role, reachability: Reachability) -> Self {
        Self {
            role,
            path: None,
            other_paths: Vec::new(),
            reachability,
            in_head: false,
            introduced: None,
            removed: None,
            origin: Vec::new(),
        }
    }
}

impl History<'_> {
    /// Attributes blobs, commits and tags. Every id asked for is in the answer.
    pub fn attribute(
        &self,
        ids: &[ObjectId],
        diagnostics: &Diagnostics,
    ) -> BTreeMap<ObjectId, Attribution> {
        let trees = TreeLog::about(self.store, ids);
        self.attribute_with(ids, trees, diagnostics)
    }

    /// As [`Self::attribute`], with a log of the trees that was made for `ids`.
    pub(super) fn attribute_with(
        &self,
        ids: &[ObjectId],
        trees: TreeLog,
        diagnostics: &Diagnostics,
    ) -> BTreeMap<ObjectId, Attribution> {
        let told: Vec<_> = ids
            .par_iter()
            .map_init(|| self.store.reader(), |reader, id| self.plain(reader, id))
            .collect();
        let mut answer = BTreeMap::new();
        let mut blobs = Vec::new();
        for (id, told) in ids.iter().zip(told) {
            match told {
                Some(attribution) => drop(answer.insert(*id, attribution)),
                None => blobs.push(*id),
            }
        }
        self.blobs(blobs, trees, &mut answer, diagnostics);
        answer
    }

    /// Of a commit or a tag, which need no walk.
    fn plain(&self, reader: &mut Reader<'_>, id: &ObjectId) -> Option<Attribution> {
        if let Some(index) = self.commits.find(id) {
            return Some(self.commit(index));
        }
        let tag = reader.find_of(id, Kinds::of(&[Kind::Tag]));
        tag.is_ok_and(|tag| tag.is_some()).then(|| {
            let class = self.roots.tags.get(id).copied();
            let class = class.unwrap_or(Reachability::Unreachable);
            Attribution::new(Role::TagMessage, class)
        })
    }

    fn commit(&self, index: u32) -> Attribution {
        let class = self.commits.get(index).class;
        let mut attribution = Attribution::new(Role::CommitMessage, class);
        attribution.introduced = Some(self.commits.point(index));
        attribution
    }

    fn blobs(
        &self,
        blobs: Vec<ObjectId>,
        trees: TreeLog,
        answer: &mut BTreeMap<ObjectId, Attribution>,
        diagnostics: &Diagnostics,
    ) {
        let mut left = blobs;
        let mut walks = Vec::new();
        for class in Reachability::ALL {
            if left.is_empty() {
                break;
            }
            let wanted = Wanted::new(left);
            let events = self.walk(class, &wanted, &trees, diagnostics);
            let direct = self.direct(class, &wanted);
            let mut is_found = vec![false; wanted.ids().len()];
            let comes = events.iter().filter(|event| !event.gone);
            let comes = comes.map(|event| event.wanted);
            let named = direct.iter().filter_map(|(id, _)| wanted.position(id));
            comes.chain(named).for_each(|at| is_found[at] = true);
            let ids = wanted.ids().iter().zip(is_found);
            left = ids.filter(|one| !one.1).map(|one| *one.0).collect();
            let placed = self.placed(class, &wanted, &events, &trees);
            walks.push((class, placed, direct));
        }
        let give_back = || {
            // The largest part of what a history needs, and not needed any more.
            drop(trees);
            heap::give_back();
        };
        let finish = || {
            for (class, placed, direct) in walks {
                answer.extend(self.of_class(class, placed, direct));
            }
        };
        rayon::join(give_back, finish);
        if left.is_empty() {
            return;
        }
        let wanted = Wanted::new(left);
        let places = places_in_dangling_trees(self.store, &wanted);
        for (at, id) in wanted.ids().iter().enumerate() {
            let mut attribution = Attribution::new(Role::File, Reachability::Unreachable);
            let mut paths = places.get(&at).into_iter().flatten().cloned();
            attribution.path = paths.next();
            attribution.other_paths = paths.collect();
            attribution.origin = attribution.path.clone().unwrap_or_default();
            answer.insert(*id, attribution);
        }
    }

    /// The wanted blobs that the commits of `class` hold, but for where their files began.
    fn placed(
        &self,
        class: Reachability,
        wanted: &Wanted,
        events: &[Event],
        trees: &TreeLog,
    ) -> Vec<Placed> {
        let lives = lives(wanted, events);
        let held = self.held(class, wanted, &lives);
        let place = |looks: &mut (Comparer<'_>, Reader<'_>), life: &Life<'_>| {
            let attribution = self.attribution(class, life, &held, looks);
            let path = attribution.path.as_deref();
            Placed {
                id: life.id,
                begin: path.and_then(|path| life.first_at(path)),
                attribution,
            }
        };
        let looks = || (Comparer::new(trees), self.store.reader());
        // A few take longer than a thousand others, so no thread takes many at once.
        let lives = lives.par_iter().with_max_len(8);
        lives.map_init(looks, place).collect()
    }

    /// The wanted blobs that the commits of `class`, or its names directly, hold.
    fn of_class(
        &self,
        class: Reachability,
        mut all: Vec<Placed>,
        direct: Vec<(ObjectId, Option<Vec<u8>>)>,
    ) -> BTreeMap<ObjectId, Attribution> {
        // By path, so that one thread has most of what is asked of a file.
        all.par_sort_by(|a, b| (&a.attribution.path, a.id).cmp(&(&b.attribution.path, b.id)));
        let traced = Traced::default();
        all.par_chunks_mut(PATHS).with_max_len(1).for_each_init(
            || Tracer::new(self, &traced),
            |tracer, some| {
                for Placed {
                    begin, attribution, ..
                } in some
                {
                    let Some(path) = &attribution.path else {
                        continue;
                    };
                    attribution.origin = match begin {
                        Some(position) => tracer.origin(path, self.commits.at(*position)),
                        None => path.clone(),
                    };
                }
            },
        );
        let by_id = |placed: Placed| (placed.id, placed.attribution);
        let mut found: BTreeMap<_, _> = all.into_iter().map(by_id).collect();
        for (id, path) in direct {
            let new = || Attribution::new(role(class), class);
            let attribution: &mut Attribution = found.entry(id).or_insert_with(new);
            attribution.removed = None;
            if attribution.path.is_none() && path.is_some() {
                attribution.origin = path.clone().unwrap_or_default();
                attribution.path = path;
            }
        }
        found
    }

    fn attribution(
        &self,
        class: Reachability,
        life: &Life<'_>,
        held: &BTreeSet<usize>,
        looks: &mut (Comparer<'_>, Reader<'_>),
    ) -> Attribution {
        let mut attribution = Attribution::new(role(class), class);
        let mut paths: Vec<&[u8]> = life.begins.iter().map(|begin| begin.1).collect();
        let numbered = paths.iter().enumerate();
        let is_held = numbered.filter(|(at, _)| held.contains(&(life.first + at)));
        let now: Vec<&[u8]> = is_held.map(|(_, path)| *path).collect();
        let last = life.ends.iter().max();
        // Of the places that hold it the one that had it first, so that a copy changes nothing.
        let path = match (now.first(), last) {
            (Some(path), _) => Some(*path),
            (None, Some((_, path))) => Some(*path),
            (None, None) => paths.first().copied(),
        };
        paths.retain(|other| Some(*other) != path);
        paths.sort_unstable();
        attribution.path = path.map(<[u8]>::to_vec);
        attribution.other_paths = paths.into_iter().map(<[u8]>::to_vec).collect();
        attribution.in_head = class == Reachability::Head && !now.is_empty();
        let first = life.begins.first();
        attribution.introduced =
            first.map(|(position, _)| self.commits.point(self.commits.at(*position)));
        if now.is_empty() {
            let removed = match last {
                Some((position, _)) => Some(self.commits.at(*position)),
                None => self.dropped(class, life, looks),
            };
            attribution.removed = removed.map(|index| self.commits.point(index));
        }
        attribution
    }

    /// Which wanted blobs the tips of `class` hold at the paths they were ever at, by number of the
    /// question.
    fn held(&self, class: Reachability, wanted: &Wanted, lives: &[Life<'_>]) -> BTreeSet<usize> {
        let tips = match class {
            Reachability::Unreachable => self.commits.heads_of(class),
            _ => self.roots.commits.get(&class).cloned().unwrap_or_default(),
        };
        let asked: Vec<(usize, &[u8])> = lives
            .iter()
            .flat_map(|life| life.begins.iter().map(|begin| (life.wanted, begin.1)))
            .collect();
        let question = |number: usize| (asked[number].1, wanted.ids()[asked[number].0]);
        let all = Questions::new((0..asked.len()).map(question));
        let arrivals = Arrivals::new(&self.commits, lives);
        let look = |tips: &[u32]| {
            let mut reader = self.store.reader();
            let mut answers = Answers::new();
            let mut held = BTreeSet::new();
            for &tip in tips {
                let tree = self.commits.get(tip).tree;
                match arrivals.before(&self.commits, class, tip) {
                    // For a few, as of a pull request, the paths are looked up one by one.
                    Some(few) => held.extend(few.into_iter().filter(|&number| {
                        let (path, id) = question(number);
                        lookup(&mut reader, &tree, path) == Some(id)
                    })),
                    None => held.extend(all.ask(&mut reader, &tree, &mut answers).iter()),
                }
            }
            held
        };
        tips.par_chunks(256).flat_map_iter(look).collect()
    }

    /// Wanted blobs that names of `class` hold without a commit between.
    fn direct(&self, class: Reachability, wanted: &Wanted) -> Vec<(ObjectId, Option<Vec<u8>>)> {
        let mut reader = self.store.reader();
        let mut contents = Contents::new(wanted);
        let mut found = Vec::new();
        for (_, kind, id) in self.roots.direct.iter().filter(|root| root.0 == class) {
            if *kind == Kind::Tree {
                let below = contents.below(&mut reader, id);
                let entries = below.iter();
                found.extend(entries.map(|one| (wanted.ids()[one.wanted], Some(one.path.clone()))));
            } else if wanted.position(id).is_some() {
                found.push((*id, None));
            }
        }
        found
    }

    /// The last commit that has the blob nowhere while a parent has it: a merge that took another
    /// side. Used when no commit took the blob from all of its parents. Follows the blob from
    /// where it came, so the cost is the time it lived.
    fn dropped(
        &self,
        class: Reachability,
        life: &Life<'_>,
        (trees, reader): &mut (Comparer<'_>, Reader<'_>),
    ) -> Option<u32> {
        let tree = |index: u32| self.commits.get(index).tree;
        let mut look =
            |index: u32, path: &[u8]| lookup(reader, &tree(index), path) == Some(life.id);
        let paths: Vec<&[u8]> = life.begins.iter().map(|begin| begin.1).collect();
        let mut seen = HashSet::new();
        // Commits, and at which of the paths they have it.
        let mut pending: Vec<(u32, Vec<bool>)> = Vec::new();
        for &position in &life.arrivals {
            let index = self.commits.at(position);
            let has = paths.iter().map(|path| look(index, path)).collect();
            pending.push((index, has));
        }
        let mut last = None;
        while let Some((index, had)) = pending.pop() {
            for &child in self.commits.children(index) {
                let commit = self.commits.get(child);
                if commit.class != class || !seen.insert(child) {
                    continue;
                }
                let mut has = |(path, had): (&&[u8], &bool)| match trees.at_path(
                    &commit.tree,
                    &tree(index),
                    path,
                ) {
                    Some(AtPath::Same) => *had,
                    Some(AtPath::Other(id)) => id == Some(life.id),
                    None => look(child, path),
                };
                let has: Vec<bool> = paths.iter().zip(&had).map(&mut has).collect();
                match has.contains(&true) {
                    true => pending.push((child, has)),
                    false => last = last.max(Some(commit.position)),
                }
            }
        }
        last.map(|position| self.commits.at(position))
    }
}

/// A wanted blob that a class of commits holds.
struct Placed {
    id: ObjectId,
    /// Position of the first commit that has it at its path.
    begin: Option<u32>,
    attribution: Attribution,
}

/// Paths that one thread follows before another may take some.
const PATHS: usize = 64;
/// Questions that are not worth a walk of their own.
const FEW: usize = 16;
/// Ancestors of one tip that are looked at for what they brought.
const FAR: usize = 2000;

/// Which commits brought wanted blobs to paths. A tip can only hold what one of its ancestors
/// brought; of the thousands of pull requests that a repository may have, most brought nothing.
struct Arrivals {
    /// Numbers of questions by commit.
    by_commit: HashMap<u32, Vec<usize>>,
}

impl Arrivals {
    fn new(commits: &Commits, lives: &[Life<'_>]) -> Self {
        let mut by_commit: HashMap<u32, Vec<usize>> = HashMap::new();
        for life in lives {
            let numbers = life.first..life.first + life.begins.len();
            for &position in &life.arrivals {
                let known = by_commit.entry(commits.at(position)).or_default();
                known.extend(numbers.clone());
            }
        }
        Self { by_commit }
    }

    /// The questions about what `tip` and its ancestors in `class` brought; `None` when they are
    /// more than [`FEW`], or the ancestors more than [`FAR`].
    fn before(&self, commits: &Commits, class: Reachability, tip: u32) -> Option<BTreeSet<usize>> {
        let mut found = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut pending = vec![tip];
        while let Some(index) = pending.pop() {
            if commits.get(index).class != class || !seen.insert(index) {
                continue;
            }
            found.extend(self.by_commit.get(&index).into_iter().flatten());
            if found.len() > FEW || seen.len() > FAR {
                return None;
            }
            pending.extend_from_slice(commits.parents(index));
        }
        Some(found)
    }
}

/// Where one wanted blob came and went, in one class.
struct Life<'e> {
    /// Position among the wanted ones.
    wanted: usize,
    id: ObjectId,
    /// Number of the question whether it is still at the first of its paths; those about the others
    /// follow.
    first: usize,
    /// Its paths, each with the position of the first commit that has it there; first come first.
    begins: Vec<(u32, &'e [u8])>,
    /// All commits that brought it to a path.
    arrivals: Vec<u32>,
    /// Commits that took it from a path.
    ends: Vec<(u32, &'e [u8])>,
}

impl Life<'_> {
    fn first_at(&self, path: &[u8]) -> Option<u32> {
        let begin = self.begins.iter().find(|begin| begin.1 == path);
        begin.map(|begin| begin.0)
    }
}

/// What sorted events say of each blob. A blob that only goes was never there by these commits.
fn lives<'e>(wanted: &Wanted, events: &'e [Event]) -> Vec<Life<'e>> {
    let of_one = events.par_chunk_by(|one, next| one.wanted == next.wanted);
    let life = |events: &'e [Event]| {
        let places = |gone: bool| -> Vec<_> {
            let some = events.iter().filter(|event| event.gone == gone);
            some.map(|event| (event.position, event.path.as_slice()))
                .collect()
        };
        let mut begins = places(false);
        let arrivals = begins.iter().map(|begin| begin.0).collect();
        let mut seen = BTreeSet::new();
        begins.retain(|begin| seen.insert(begin.1));
        let number = events[0].wanted;
        let life = Life {
            wanted: number,
            id: wanted.ids()[number],
            first: 0,
            begins,
            arrivals,
            ends: places(true),
        };
        (!life.begins.is_empty()).then_some(life)
    };
    let mut lives: Vec<_> = of_one.filter_map(life).collect();
    // Those that may have to be followed the longest come first, so that no thread waits for one.
    lives.sort_by_key(|life| life.begins[0].0);
    let mut first = 0;
    for life in &mut lives {
        life.first = first;
        first += life.begins.len();
    }
    lives
}

fn role(class: Reachability) -> Role {
    match class {
        Reachability::Notes => Role::Note,
        _ => Role::File,
    }
}
