//! The delta tree of a pack: which entry is a delta of which.
//!
//! Invariant: following `first` and `next` from the roots meets every node at most once, so a
//! walk ends whatever the pack holds. Entries in a cycle of deltas are failures, not nodes that
//! a root reaches.

use rayon::prelude::*;

use super::sums::Sums;
use super::{Entry, EntryKind, Failure, Pack};
use crate::model::ObjectId;
use crate::source::git::error::ObjectError;
use crate::source::git::known::{Passed, Skip};
use crate::source::git::object::{Kind, Kinds};
use crate::source::git::owners::Marks;

/// No node.
pub(super) const NONE: u32 = u32::MAX;

/// The entries of a pack by offset, linked from each base to its deltas.
pub(in crate::source::git) struct Plan {
    pub(super) nodes: Vec<Node>,
    roots: Vec<Root>,
    /// What is known to be lost or damaged before anything is rebuilt.
    pub(in crate::source::git) failures: Vec<Failure>,
    /// What is not shown because it is known.
    pub(in crate::source::git) passed: Passed,
}

/// One entry.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) offset: u64,
    /// Position of the id in the index.
    pub(super) position: u32,
    /// The delta of this entry that has the most deltas under it.
    pub(super) first: u32,
    /// The next delta of the same base.
    pub(super) next: u32,
    pub(super) role: Role,
}

/// What an entry is rebuilt for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// To be shown.
    Shown,
    /// It is known, and read for what a commit names, or for deltas of it.
    Known,
    /// Another place shows it; it is read for deltas of it.
    Spare,
}

/// An entry that no other entry of the pack is needed for.
#[derive(Clone, Copy)]
pub(in crate::source::git) struct Root {
    pub(super) node: u32,
    /// Where its bytes come from.
    pub(in crate::source::git) start: Start,
    /// Size of its inflated bytes, as claimed; of a delta, those of the delta.
    pub(in crate::source::git) size: u64,
}

impl Root {
    /// Whether its objects may be of `kinds`.
    pub(in crate::source::git) fn may_be_of(&self, kinds: Kinds) -> bool {
        match self.start {
            Start::Whole(kind) => kinds.contains(kind),
            Start::Outside(_) => true,
        }
    }
}

/// What a delta tree begins with.
#[derive(Clone, Copy)]
pub(in crate::source::git) enum Start {
    /// A whole object.
    Whole(Kind),
    /// A delta of an object outside the pack.
    Outside(ObjectId),
}

/// The entries of a pack before it is decided which of them to show.
pub(in crate::source::git) struct Draft {
    plan: Plan,
    links: Links,
    order: Option<Vec<u32>>,
    /// Number of positions in the index.
    listed: usize,
}

impl Draft {
    /// Reads all entry headers of `pack`.
    pub(in crate::source::git) fn read(pack: &Pack) -> Self {
        let mut failures = Vec::new();
        let nodes = locate(pack, &mut failures);
        let (links, mut damaged) = Links::read(pack, &nodes, &mut failures);
        let mut plan = Plan {
            nodes,
            roots: Vec::new(),
            failures,
            passed: Passed::default(),
        };
        let order = plan.order(&links);
        plan.report_cycles(pack, order.as_deref());
        for &(node, error) in &links.lost {
            let failure = Failure::new(pack, plan.nodes[node as usize], error);
            plan.failures.push(failure);
        }
        plan.failures.append(&mut damaged);
        Self {
            plan,
            links,
            order,
            listed: pack.index.len(),
        }
    }

    /// The positions in the index of entries that are lost or damaged, as far as is known.
    pub(in crate::source::git) fn damaged(&self) -> impl Iterator<Item = u32> {
        self.plan.failures.iter().map(|failure| failure.position)
    }

    /// By position in the index, which entries are known not to be of `kinds`.
    pub(in crate::source::git) fn of_other_kinds(&self, kinds: Kinds) -> Vec<bool> {
        let nodes = &self.plan.nodes;
        let mut other = vec![false; nodes.len()];
        for root in &self.links.roots {
            if let Start::Whole(kind) = root.start {
                other[root.node as usize] = !kinds.contains(kind);
            }
        }
        let order = self.order.as_deref();
        let count = order.map_or(nodes.len(), <[u32]>::len);
        let mut by_position = vec![false; self.listed];
        for at in 0..count {
            let node = order.map_or(at, |order| order[at] as usize);
            let base = self.links.bases[node];
            if base != NONE {
                other[node] = other[base as usize];
            }
            by_position[nodes[node].position as usize] = other[node];
        }
        by_position
    }

    /// Leaves out what `skip` makes needless, and what other places show.
    pub(in crate::source::git) fn finish(
        self,
        pack: &Pack,
        skip: Option<Skip<'_>>,
        spares: &Marks,
    ) -> Plan {
        let Self {
            mut plan,
            mut links,
            order,
            ..
        } = self;
        plan.roots = std::mem::take(&mut links.roots);
        if !spares.is_empty() {
            plan.mark_spare(spares);
        }
        if let Some(skip) = skip {
            plan.mark_known(pack, skip);
        }
        if skip.is_some() || !spares.is_empty() {
            let read_commits = skip.is_some_and(|skip| skip.read_commits);
            plan.prune(read_commits, &mut links, order.as_deref());
        }
        plan.link(&links, order.as_deref());
        plan.report_lost(pack, &links.lost);
        plan.forgive(spares);
        plan
    }
}

impl Plan {
    /// All roots.
    pub(in crate::source::git) fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// The ids of what is to be shown of the delta tree of `root`.
    pub(in crate::source::git) fn shown_below(&self, pack: &Pack, root: Root) -> Vec<ObjectId> {
        let nodes = self.below(root.node).into_iter();
        let shown = nodes.filter(|&at| self.nodes[at as usize].role == Role::Shown);
        shown
            .filter_map(|at| pack.index.id(self.nodes[at as usize].position as usize))
            .collect()
    }

    /// The failures of `node` and of all its deltas, direct or not, but for what other places
    /// show.
    pub(super) fn lost(&self, pack: &Pack, node: u32, error: ObjectError) -> Vec<Failure> {
        let first = Failure::new(pack, self.nodes[node as usize], error);
        let rest = first.id.map_or(error, ObjectError::BadBase);
        let mut failures = Vec::new();
        for at in self.below(node) {
            let one = self.nodes[at as usize];
            if one.role != Role::Spare {
                let error = if at == node { error } else { rest };
                failures.push(Failure::new(pack, one, error));
            }
        }
        failures
    }

    /// `node` and all its deltas, direct or not.
    fn below(&self, node: u32) -> Vec<u32> {
        let mut found = vec![node];
        let mut at = 0;
        while let Some(&node) = found.get(at) {
            at += 1;
            let mut child = self.nodes[node as usize].first;
            while child != NONE {
                found.push(child);
                child = self.nodes[child as usize].next;
            }
        }
        found
    }

    /// The nodes, each after its base. Without a delta that stands before its base, which no
    /// version of git writes, this is the order of offsets and costs nothing.
    fn order(&mut self, links: &Links) -> Option<Vec<u32>> {
        if !links.forward {
            return None;
        }
        let all = 0..self.nodes.len() as u32;
        for node in all.rev() {
            let base = links.bases[node as usize];
            if base != NONE {
                self.nodes[node as usize].next = self.nodes[base as usize].first;
                self.nodes[base as usize].first = node;
            }
        }
        let tops = links.roots.iter().map(|root| root.node);
        let mut order: Vec<u32> = tops.chain(links.lost.iter().map(|lost| lost.0)).collect();
        let mut at = 0;
        while let Some(&node) = order.get(at) {
            at += 1;
            let mut child = self.nodes[node as usize].first;
            while child != NONE {
                order.push(child);
                child = self.nodes[child as usize].next;
            }
        }
        for node in &mut self.nodes {
            node.first = NONE;
            node.next = NONE;
        }
        Some(order)
    }

    fn report_cycles(&mut self, pack: &Pack, order: Option<&[u32]>) {
        let Some(order) = order else { return };
        let mut reached = vec![false; self.nodes.len()];
        order.iter().for_each(|&node| reached[node as usize] = true);
        for (node, _) in self
            .nodes
            .iter()
            .zip(&reached)
            .filter(|(_, reached)| !**reached)
        {
            self.failures
                .push(Failure::new(pack, *node, ObjectError::Cycle));
        }
    }

    /// Takes out entries that are not to be shown, unless one that is to be is made from them.
    fn prune(&mut self, read_commits: bool, links: &mut Links, order: Option<&[u32]>) {
        let shown = |node: &Node| node.role == Role::Shown;
        let mut needed: Vec<bool> = self.nodes.iter().map(shown).collect();
        let count = order.map_or(self.nodes.len(), <[u32]>::len);
        let at = |at: usize| order.map_or(at, |order| order[at] as usize);
        if read_commits {
            let mut commits = self.commit_roots();
            for node in (0..count).map(at) {
                let base = links.bases[node];
                commits[node] |= base != NONE && commits[base as usize];
                needed[node] |= commits[node] && self.nodes[node].role != Role::Spare;
            }
        }
        for node in (0..count).rev().map(at) {
            let base = links.bases[node];
            if base != NONE {
                needed[base as usize] |= needed[node];
            }
        }
        for (base, needed) in links.bases.iter_mut().zip(&needed) {
            if !needed {
                *base = NONE;
            }
        }
        self.roots.retain(|root| needed[root.node as usize]);
    }

    fn mark_spare(&mut self, spares: &Marks) {
        for node in &mut self.nodes {
            if spares.contains(node.position as usize) {
                node.role = Role::Spare;
            }
        }
    }

    /// Asks in the order of ids, so that neighbours in what is known are asked for one after the
    /// other.
    fn mark_known(&mut self, pack: &Pack, skip: Skip<'_>) {
        let mut asked = vec![false; pack.index.len()];
        for node in &self.nodes {
            asked[node.position as usize] = node.role == Role::Shown;
        }
        let look = |position: usize| {
            let id = pack.index.id(position).filter(|_| asked[position])?;
            Some((position, skip.known.size(&id)?))
        };
        let all = (0..pack.index.len()).into_par_iter().with_min_len(4096);
        let found: Vec<_> = all.filter_map(look).collect();
        let mut known = vec![false; pack.index.len()];
        for (position, size) in found {
            known[position] = true;
            self.passed.add(size);
        }
        for node in &mut self.nodes {
            if known[node.position as usize] {
                node.role = Role::Known;
            }
        }
    }

    /// Which nodes are roots whose deltas may be commits: what lies behind a base outside of the
    /// pack is not known.
    fn commit_roots(&self) -> Vec<bool> {
        let mut commits = vec![false; self.nodes.len()];
        for root in &self.roots {
            commits[root.node as usize] = match root.start {
                Start::Whole(kind) => kind == Kind::Commit,
                Start::Outside(_) => true,
            };
        }
        commits
    }

    /// Links each base to its deltas, the one with the most deltas under it first. The walk takes
    /// that one last, when the base is not needed any more: so it holds at most one object for
    /// each halving of the tree, whatever its shape.
    fn link(&mut self, links: &Links, order: Option<&[u32]>) {
        let count = order.map_or(self.nodes.len(), <[u32]>::len);
        let mut weights = vec![1u32; self.nodes.len()];
        for at in (0..count).rev() {
            let node = order.map_or(at, |order| order[at] as usize);
            let base = links.bases[node] as usize;
            if base == NONE as usize {
                continue;
            }
            weights[base] = weights[base].saturating_add(weights[node]);
            let heaviest = self.nodes[base].first;
            if heaviest == NONE || weights[node] >= weights[heaviest as usize] {
                self.nodes[node].next = heaviest;
                self.nodes[base].first = node as u32;
            } else {
                self.nodes[node].next = self.nodes[heaviest as usize].next;
                self.nodes[heaviest as usize].next = node as u32;
            }
        }
    }

    fn report_lost(&mut self, pack: &Pack, lost: &[(u32, ObjectError)]) {
        for &(node, error) in lost {
            let failures = self.lost(pack, node, error);
            self.failures.extend(failures);
        }
    }

    /// Drops failures of what other places show, unless something is made from damaged bytes.
    fn forgive(&mut self, spares: &Marks) {
        if spares.is_empty() {
            return;
        }
        let nodes = &self.nodes;
        let is_base = |failure: &Failure| {
            let key = (failure.offset, failure.position);
            let at = nodes.binary_search_by_key(&key, |node| (node.offset, node.position));
            at.is_ok_and(|at| nodes[at].first != NONE)
        };
        self.failures.retain(|failure| {
            !spares.contains(failure.position as usize)
                || failure.error == ObjectError::Checksum && is_base(failure)
        });
    }
}

/// The base of every node, and the nodes without one.
#[derive(Default)]
struct Links {
    bases: Vec<u32>,
    roots: Vec<Root>,
    lost: Vec<(u32, ObjectError)>,
    /// Whether some delta stands before its base.
    forward: bool,
}

impl Links {
    /// Also checks the entries, which costs about a percent of a sweep: without it a flipped bit in
    /// a header can turn a blob into something that is not scanned. Returns those that are damaged.
    fn read(pack: &Pack, nodes: &[Node], failures: &mut Vec<Failure>) -> (Self, Vec<Failure>) {
        /// Entries that one thread takes at a time.
        const EACH: usize = 4096;
        let mut bases = vec![NONE; nodes.len()];
        // Some parts have a hundred times the bytes of others, so each can be taken by any thread.
        let parts = bases.par_chunks_mut(EACH).enumerate().with_max_len(1);
        let parts = parts.map(|(part, bases)| {
            let (mut links, mut damaged) = (Self::default(), Vec::new());
            let first = part * EACH;
            let end = first + bases.len();
            let sums = Sums::new(pack, nodes);
            let mut checked = first;
            for (into, base) in bases.iter_mut().enumerate() {
                let at = first + into;
                if at == checked {
                    checked = sums.check(at, end, &mut damaged);
                }
                match links.base(pack, nodes, at) {
                    Ok(found) => *base = found,
                    Err(error) => links.lost.push((at as u32, error)),
                }
            }
            (links, damaged)
        });
        let parts: Vec<_> = parts.collect();
        let (mut links, mut damaged) = (Self::default(), Vec::new());
        let roots = parts.iter().map(|(part, _)| part.roots.len());
        links.roots.reserve_exact(roots.sum());
        for (part, found) in parts {
            links.roots.extend(part.roots);
            links.lost.extend(part.lost);
            links.forward |= part.forward;
            damaged.extend(found);
        }
        links.bases = bases;
        // Several ids at one offset: the entry is read for each of them.
        let shared = nodes
            .windows(2)
            .filter(|pair| pair[0].offset == pair[1].offset);
        failures.extend(shared.map(|pair| Failure::new(pack, pair[1], ObjectError::Offset)));
        (links, damaged)
    }

    /// The base of the entry `at`, [`NONE`] for one that is a root, which is added.
    fn base(&mut self, pack: &Pack, nodes: &[Node], at: usize) -> Result<u32, ObjectError> {
        let node = at as u32;
        let Entry { kind, size, .. } = pack.entry(nodes[at].offset)?;
        let start = match kind {
            EntryKind::OffsetDelta(base) => {
                let base = before(&nodes[..at], base).ok_or(ObjectError::BaseOffset(base));
                return base.map(|base| base as u32);
            }
            EntryKind::IdDelta(id) => match inside(pack, nodes, &id) {
                Some(base) => {
                    self.forward |= base >= at;
                    return Ok(base as u32);
                }
                None => Start::Outside(id),
            },
            EntryKind::Whole(kind) => Start::Whole(kind),
        };
        self.roots.push(Root { node, start, size });
        Ok(NONE)
    }
}

/// The index of the last of `nodes` at `offset`. Most bases are near, so it looks back in growing steps.
fn before(nodes: &[Node], offset: u64) -> Option<usize> {
    let mut step = 1;
    while step < nodes.len() && nodes[nodes.len() - step].offset > offset {
        step *= 2;
    }
    let low = nodes.len().saturating_sub(step);
    let within = &nodes[low..];
    let at = within.binary_search_by_key(&offset, |node| node.offset);
    at.ok().map(|at| low + at)
}

fn inside(pack: &Pack, nodes: &[Node], id: &ObjectId) -> Option<usize> {
    let offset = pack.index.offset(pack.index.find(id)?)?;
    nodes.binary_search_by_key(&offset, |node| node.offset).ok()
}

/// All entries that the index lists, by offset.
fn locate(pack: &Pack, failures: &mut Vec<Failure>) -> Vec<Node> {
    let all = (0..pack.index.len()).into_par_iter().with_min_len(4096);
    let all = all.map(|position| Node {
        offset: pack.index.offset(position).unwrap_or(u64::MAX),
        position: position as u32,
        first: NONE,
        next: NONE,
        role: Role::Shown,
    });
    let mut nodes: Vec<Node> = all.collect();
    nodes.par_sort_unstable_by_key(|node| (node.offset, node.position));
    let listed = nodes.partition_point(|node| node.offset != u64::MAX);
    let lost = nodes.drain(listed..);
    failures.extend(lost.map(|node| Failure::new(pack, node, ObjectError::Offset)));
    nodes
}
