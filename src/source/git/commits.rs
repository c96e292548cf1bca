//! All commits of the database and how they hang together.
//!
//! A commit is named by its index in the order of ids, which is the same on every run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::{ControlFlow, Range};

use super::commit_log::{CommitLog, Noted};
use super::object::{Kind, Kinds};
use super::store::Store;
use crate::model::{CommitPoint, Diagnostics, ObjectId, Reachability};

/// The commits of a repository.
pub(super) struct Commits {
    all: Vec<Commit>,
    /// Parents of all commits, one after the other.
    parents: Vec<u32>,
    children: Children,
    /// Number of commits whose id starts with a smaller pair of bytes, for each pair.
    fan_out: Vec<u32>,
    /// Commits by position, each after its parents.
    order: Vec<u32>,
    /// Number of commits that name a parent that is not here.
    pub(super) cut: usize,
}

/// One commit.
pub(super) struct Commit {
    pub(super) id: ObjectId,
    pub(super) tree: ObjectId,
    /// Committer date in seconds since 1970.
    pub(super) time: i64,
    /// How well it is reached.
    pub(super) class: Reachability,
    /// Position in an order in which parents come before children, and otherwise earlier dates,
    /// then smaller ids, come first.
    pub(super) position: u32,
    parents: Range<u32>,
}

/// What one commit object says.
pub(super) struct Parsed {
    pub(super) id: ObjectId,
    pub(super) tree: ObjectId,
    pub(super) time: i64,
    pub(super) parents: Vec<ObjectId>,
}

impl Commits {
    /// Reads every commit of `store`, or takes what a sweep noted. Commits in `shallow` count as
    /// having no parents.
    pub(super) fn read(store: &Store, shallow: &[ObjectId]) -> Self {
        let log = store.take_commit_log().unwrap_or_else(|| {
            // Damage to commits is told by the sweep that scans them.
            let untold = Diagnostics::new();
            let visit = |_: super::Object<'_>| ControlFlow::Continue(());
            store.sweep_kinds(Kinds::of(&[Kind::Commit]), &visit, &untold)
        });
        Self::link(log, shallow)
    }

    /// Number of commits.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The commit with this index.
    pub(super) fn get(&self, index: u32) -> &Commit {
        &self.all[index as usize]
    }

    /// The index of `id`.
    pub(super) fn find(&self, id: &ObjectId) -> Option<u32> {
        let range = range(&self.fan_out, id);
        let found = self.all[range.clone()].binary_search_by_key(id, |commit| commit.id);
        found.ok().map(|at| (range.start + at) as u32)
    }

    /// Parents, in stored order.
    pub(super) fn parents(&self, index: u32) -> &[u32] {
        let range = &self.get(index).parents;
        &self.parents[range.start as usize..range.end as usize]
    }

    /// The commits that name this one as a parent.
    pub(super) fn children(&self, index: u32) -> &[u32] {
        self.children.of_commit(index)
    }

    /// The commits of a class, last first.
    pub(super) fn of_class(&self, class: Reachability) -> Vec<u32> {
        let newest_first = self.order.iter().rev().copied();
        newest_first
            .filter(|&index| self.get(index).class == class)
            .collect()
    }

    /// The commit at a position.
    pub(super) fn at(&self, position: u32) -> u32 {
        self.order[position as usize]
    }

    /// Id and date.
    pub(super) fn point(&self, index: u32) -> CommitPoint {
        let commit = self.get(index);
        CommitPoint {
            id: commit.id,
            time: commit.time,
        }
    }

    /// Gives `class` to `tips` and all their ancestors that have a worse one. Called with the
    /// best class first, it leaves every commit with the best class that reaches it.
    pub(super) fn mark(&mut self, class: Reachability, tips: impl Iterator<Item = u32>) {
        let mut pending: Vec<u32> = tips.collect();
        while let Some(index) = pending.pop() {
            let commit = &mut self.all[index as usize];
            if commit.class <= class {
                continue;
            }
            commit.class = class;
            let parents = commit.parents.clone();
            pending.extend_from_slice(&self.parents[parents.start as usize..parents.end as usize]);
        }
    }

    /// The commits that no other commit of the class `class` names as a parent.
    pub(super) fn heads_of(&self, class: Reachability) -> Vec<u32> {
        let members = self.of_class(class);
        let mut is_parent = vec![false; self.len()];
        for &index in &members {
            for &parent in self.parents(index) {
                is_parent[parent as usize] = true;
            }
        }
        members
            .into_iter()
            .filter(|&index| !is_parent[index as usize])
            .collect()
    }

    /// All commits, each after its parents.
    pub(super) fn in_order(&self) -> impl Iterator<Item = u32> {
        self.order.iter().copied()
    }

    fn link(mut log: CommitLog, shallow: &[ObjectId]) -> Self {
        let mut found = std::mem::take(&mut log.all);
        found.sort_unstable_by_key(|noted| noted.id);
        found.dedup_by_key(|noted| noted.id);
        let mut commits = Self {
            all: Vec::with_capacity(found.len()),
            parents: Vec::with_capacity(found.len()),
            children: Children::default(),
            fan_out: fan_out(&found),
            order: Vec::new(),
            cut: 0,
        };
        for noted in &found {
            let start = commits.parents.len() as u32;
            if shallow.binary_search(&noted.id).is_err() {
                let known = |id: &ObjectId| {
                    let range = range(&commits.fan_out, id);
                    let at = found[range.clone()].binary_search_by_key(id, |noted| noted.id);
                    at.ok().map(|at| (range.start + at) as u32)
                };
                let named = log.parents(noted);
                let parents: Vec<_> = named.iter().filter_map(known).collect();
                commits.cut += usize::from(parents.len() < named.len());
                commits.parents.extend(parents);
            }
            commits.all.push(Commit {
                id: noted.id,
                tree: noted.tree,
                time: noted.time,
                class: Reachability::Unreachable,
                position: 0,
                parents: start..commits.parents.len() as u32,
            });
        }
        commits.children = Children::of(&commits);
        commits.sort();
        commits
    }

    fn sort(&mut self) {
        let mut missing: Vec<u32> = self
            .all
            .iter()
            .map(|commit| commit.parents.len() as u32)
            .collect();
        let key = |commits: &Self, index: u32| Reverse((commits.get(index).time, index));
        let ready = (0..self.len() as u32).filter(|&index| missing[index as usize] == 0);
        let mut heap: BinaryHeap<_> = ready.map(|index| key(self, index)).collect();
        let mut placed = vec![false; self.len()];
        while let Some(Reverse((_, index))) = heap.pop() {
            placed[index as usize] = true;
            self.order.push(index);
            for &child in self.children.of_commit(index) {
                missing[child as usize] -= 1;
                if missing[child as usize] == 0 {
                    heap.push(key(self, child));
                }
            }
        }
        // Only an index that lies about ids can make a cycle; its commits come last.
        self.order
            .extend((0..self.all.len() as u32).filter(|&index| !placed[index as usize]));
        for (position, &index) in self.order.iter().enumerate() {
            self.all[index as usize].position = position as u32;
        }
    }
}

fn first_pair(id: &ObjectId) -> usize {
    let [high, low, ..] = *id.as_bytes();
    usize::from(high) << 8 | usize::from(low)
}

fn fan_out(sorted: &[Noted]) -> Vec<u32> {
    let mut starts = vec![0; (1 << 16) + 1];
    sorted
        .iter()
        .for_each(|noted| starts[first_pair(&noted.id) + 1] += 1);
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    starts
}

/// Where an id is if it is anywhere.
fn range(fan_out: &[u32], id: &ObjectId) -> Range<usize> {
    let pair = first_pair(id);
    fan_out[pair] as usize..fan_out[pair + 1] as usize
}

/// Children of every commit.
#[derive(Default)]
struct Children {
    starts: Vec<u32>,
    children: Vec<u32>,
}

impl Children {
    fn of(commits: &Commits) -> Self {
        let mut starts = vec![0u32; commits.len() + 1];
        commits
            .parents
            .iter()
            .for_each(|&parent| starts[parent as usize + 1] += 1);
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut children = vec![0; commits.parents.len()];
        for index in 0..commits.len() as u32 {
            for &parent in commits.parents(index) {
                let slot = &mut next[parent as usize];
                children[*slot as usize] = index;
                *slot += 1;
            }
        }
        Self { starts, children }
    }

    fn of_commit(&self, index: u32) -> &[u32] {
        let at = index as usize;
        &self.children[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// Reads the header lines of a commit.
pub(super) fn parse(id: ObjectId, bytes: &[u8]) -> Option<Parsed> {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let tree = ObjectId::from_hex(lines.next()?.strip_prefix(b"tree ")?).ok()?;
    let mut parents = Vec::new();
    let mut time = 0;
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some(parent) = line.strip_prefix(b"parent ") {
            parents.extend(ObjectId::from_hex(parent).ok());
        } else if let Some(committer) = line.strip_prefix(b"committer ") {
            time = parse_time(committer).unwrap_or(0);
            break;
        }
    }
    Some(Parsed {
        id,
        tree,
        time,
        parents,
    })
}

/// The seconds in `Name <mail> 1700000000 +0000`.
fn parse_time(person: &[u8]) -> Option<i64> {
    let end = person.iter().rposition(|&byte| byte == b'>')?;
    let text = std::str::from_utf8(&person[end + 1..]).ok()?;
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::git::ancestry::Ancestry;

    impl Commits {
        /// Commits whose index is their number, each with its parents' numbers.
        pub(in crate::source::git) fn of_numbers(parents: &[&[u32]]) -> Self {
            let found = parents.iter().enumerate().map(|(number, parents)| {
                let parents: Vec<u8> = parents.iter().map(|&parent| parent as u8).collect();
                commit(number as u8, number as i64, &parents)
            });
            link(found.collect(), &[])
        }
    }

    fn id(n: u8) -> ObjectId {
        ObjectId::new([n; 20])
    }

    fn commit(n: u8, time: i64, parents: &[u8]) -> Parsed {
        Parsed {
            id: id(n),
            tree: id(0),
            time,
            parents: parents.iter().map(|&n| id(n)).collect(),
        }
    }

    fn link(found: Vec<Parsed>, shallow: &[ObjectId]) -> Commits {
        let mut log = CommitLog::default();
        found.into_iter().for_each(|parsed| log.push(parsed));
        Commits::link(log, shallow)
    }

    #[test]
    fn parents_come_before_children_and_early_dates_before_late_ones() {
        // 3 is dated before its parent 1; 2 and 4 are side by side.
        let found = vec![
            commit(1, 50, &[]),
            commit(2, 90, &[3]),
            commit(3, 10, &[1]),
            commit(4, 60, &[1]),
            commit(5, 0, &[2, 4, 9]),
        ];
        let commits = link(found, &[]);
        let order: Vec<_> = (0..5).map(|at| commits.get(commits.at(at)).id).collect();
        assert_eq!(order, [1, 3, 4, 2, 5].map(id));
        assert_eq!(commits.cut, 1);
        let index = |n| commits.find(&id(n)).expect("there");
        assert_eq!(commits.parents(index(5)), [index(2), index(4)]);
    }

    #[test]
    fn the_best_class_stays() {
        let mut commits = link(
            vec![commit(1, 1, &[]), commit(2, 2, &[1]), commit(3, 3, &[1])],
            &[],
        );
        commits.mark(Reachability::Head, [1].into_iter());
        commits.mark(Reachability::Tag, [2].into_iter());
        let classes: Vec<_> = (0..3).map(|index| commits.get(index).class).collect();
        assert_eq!(
            classes,
            [Reachability::Head, Reachability::Head, Reachability::Tag]
        );
        assert_eq!(commits.of_class(Reachability::Head), [1, 0]);
    }

    #[test]
    fn a_shallow_commit_has_no_parents_and_a_cycle_ends() {
        let commits = link(vec![commit(1, 1, &[2]), commit(2, 2, &[1])], &[id(2)]);
        assert_eq!(commits.parents(1), [0u32; 0]);
        let mut commits = link(vec![commit(1, 1, &[2]), commit(2, 2, &[1])], &[]);
        commits.mark(Reachability::Tag, [0].into_iter());
        assert_eq!(commits.of_class(Reachability::Tag).len(), 2);
        assert!(Ancestry::new(&commits, Some(1)).is_ancestor(&commits, 0, 1));
    }

    #[test]
    fn header_lines_are_read_and_the_message_is_not() {
        let text = format!(
            "tree {}\nparent {}\nauthor A <a> 1 +0000\ncommitter C <c@> x> 77 +0100\n\nparent {}\n",
            id(1),
            id(2),
            id(3)
        );
        let parsed = parse(id(9), text.as_bytes()).expect("a commit");
        assert_eq!((parsed.tree, parsed.time), (id(1), 77));
        assert_eq!(parsed.parents, [id(2)]);
        assert!(parse(id(9), b"nonsense").is_none());
    }
}
