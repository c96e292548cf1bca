//! The delta tree of a pack: which entry is a delta of which.
//!
//! Invariant: following `first` and `next` from the roots meets every node at most once, so a
//! walk ends whatever the pack holds. Entries in a cycle of deltas are failures, not nodes that
//! a root reaches.

use rayon::prelude::*;

use super::{EntryKind, Failure, Pack};
use crate::model::ObjectId;
use crate::source::git::error::ObjectError;
use crate::source::git::known::Skip;
use crate::source::git::object::{Kind, Kinds};

/// No node.
pub(super) const NONE: u32 = u32::MAX;

/// The entries of a pack by offset, linked from each base to its deltas.
pub(in crate::source::git) struct Plan {
    pub(super) nodes: Vec<Node>,
    roots: Vec<Root>,
    /// What is known to be lost or damaged before anything is rebuilt.
    pub(in crate::source::git) failures: Vec<Failure>,
    /// Whether the index lists an id more than once.
    pub(in crate::source::git) repeats: bool,
    /// Objects that are not shown, with their sizes in bytes.
    pub(in crate::source::git) known: Vec<(ObjectId, u64)>,
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
    /// Whether it is not shown, and only rebuilt for the sake of others.
    pub(super) known: bool,
}

/// An entry that no other entry of the pack is needed for.
#[derive(Clone, Copy)]
pub(in crate::source::git) struct Root {
    pub(super) node: u32,
    /// Where its bytes come from.
    pub(in crate::source::git) start: Start,
}

/// What a delta tree begins with.
#[derive(Clone, Copy)]
pub(in crate::source::git) enum Start {
    /// A whole object.
    Whole(Kind),
    /// A delta of an object outside the pack.
    Outside(ObjectId),
}

impl Plan {
    /// Reads all entry headers of `pack`, and leaves out what `skip` makes needless.
    pub(in crate::source::git) fn new(pack: &Pack, skip: Option<Skip<'_>>) -> Self {
        let mut failures = Vec::new();
        let nodes = locate(pack, &mut failures);
        let mut links = Links::read(pack, &nodes, &mut failures);
        let mut plan = Self {
            nodes,
            roots: links.roots.clone(),
            failures,
            repeats: repeats(pack),
            known: Vec::new(),
        };
        let order = plan.order(&links);
        plan.report_cycles(pack, order.as_deref());
        if let Some(skip) = skip {
            plan.prune(pack, skip, &mut links, order.as_deref());
        }
        plan.link(&links, order.as_deref());
        plan.report_lost(pack, &links.lost);
        plan.failures.extend(check_sums(pack, &plan.nodes));
        plan
    }

    /// The roots whose objects may be of `kinds`.
    pub(in crate::source::git) fn roots(&self, kinds: Kinds) -> Vec<Root> {
        let wanted = |root: &&Root| match root.start {
            Start::Whole(kind) => kinds.contains(kind),
            Start::Outside(_) => true,
        };
        self.roots.iter().filter(wanted).copied().collect()
    }

    /// The failures of `node` and of all its deltas, direct or not.
    pub(super) fn lost(&self, pack: &Pack, node: u32, error: ObjectError) -> Vec<Failure> {
        let first = Failure::new(pack, self.nodes[node as usize], error);
        let rest = first.id.map_or(error, ObjectError::BadBase);
        let mut failures = vec![first];
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            let mut child = self.nodes[node as usize].first;
            while child != NONE {
                let node = self.nodes[child as usize];
                failures.push(Failure::new(pack, node, rest));
                pending.push(child);
                child = node.next;
            }
        }
        failures
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

    /// Takes out entries that are known, unless an unknown one is made from them.
    fn prune(&mut self, pack: &Pack, skip: Skip<'_>, links: &mut Links, order: Option<&[u32]>) {
        self.mark_known(pack, skip);
        let mut needed: Vec<bool> = self.nodes.iter().map(|node| !node.known).collect();
        let count = order.map_or(self.nodes.len(), <[u32]>::len);
        let at = |at: usize| order.map_or(at, |order| order[at] as usize);
        if skip.read_commits {
            let mut commits = self.commit_roots();
            for node in (0..count).map(at) {
                let base = links.bases[node];
                commits[node] |= base != NONE && commits[base as usize];
                needed[node] |= commits[node];
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

    /// Asks in the order of ids, so that neighbours in what is known are asked for one after the
    /// other.
    fn mark_known(&mut self, pack: &Pack, skip: Skip<'_>) {
        let look = |position: usize| {
            let id = pack.index.id(position)?;
            Some((position, id, skip.known.size(&id)?))
        };
        let all = (0..pack.index.len()).into_par_iter().with_min_len(4096);
        let found: Vec<_> = all.filter_map(look).collect();
        let mut known = vec![false; pack.index.len()];
        found.iter().for_each(|found| known[found.0] = true);
        for node in &mut self.nodes {
            node.known = known[node.position as usize];
        }
        self.known = found.into_iter().map(|(_, id, size)| (id, size)).collect();
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
}

/// The base of every node, and the nodes without one.
struct Links {
    bases: Vec<u32>,
    roots: Vec<Root>,
    lost: Vec<(u32, ObjectError)>,
    /// Whether some delta stands before its base.
    forward: bool,
}

impl Links {
    fn read(pack: &Pack, nodes: &[Node], failures: &mut Vec<Failure>) -> Self {
        let mut links = Self {
            bases: vec![NONE; nodes.len()],
            roots: Vec::new(),
            lost: Vec::new(),
            forward: false,
        };
        for (at, node) in nodes.iter().enumerate() {
            if let Err(error) = links.add(pack, nodes, at, node.offset) {
                links.lost.push((at as u32, error));
            }
        }
        // Several ids at one offset: the entry is read for each of them.
        let shared = nodes
            .windows(2)
            .filter(|pair| pair[0].offset == pair[1].offset);
        failures.extend(shared.map(|pair| Failure::new(pack, pair[1], ObjectError::Offset)));
        links
    }

    fn add(
        &mut self,
        pack: &Pack,
        nodes: &[Node],
        at: usize,
        offset: u64,
    ) -> Result<(), ObjectError> {
        let node = at as u32;
        match pack.entry(offset)?.kind {
            EntryKind::Whole(kind) => self.roots.push(Root {
                node,
                start: Start::Whole(kind),
            }),
            EntryKind::OffsetDelta(base) => {
                let base = before(&nodes[..at], base).ok_or(ObjectError::BaseOffset(base))?;
                self.bases[at] = base as u32;
            }
            EntryKind::IdDelta(id) => {
                let Some(base) = inside(pack, nodes, &id) else {
                    let start = Start::Outside(id);
                    self.roots.push(Root { node, start });
                    return Ok(());
                };
                self.bases[at] = base as u32;
                self.forward |= base >= at;
            }
        }
        Ok(())
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
    let mut nodes = Vec::with_capacity(pack.index.len());
    for position in 0..pack.index.len() {
        let node = Node {
            offset: pack.index.offset(position).unwrap_or(u64::MAX),
            position: position as u32,
            first: NONE,
            next: NONE,
            known: false,
        };
        match node.offset {
            u64::MAX => failures.push(Failure::new(pack, node, ObjectError::Offset)),
            _ => nodes.push(node),
        }
    }
    nodes.sort_unstable_by_key(|node| (node.offset, node.position));
    nodes
}

fn repeats(pack: &Pack) -> bool {
    let ids = |at: usize| pack.index.id(at).zip(pack.index.id(at + 1));
    (0..pack.index.len()).any(|at| ids(at).is_some_and(|(one, next)| one == next))
}

/// Compares the checksum of every entry's packed bytes. It costs a few percent of a sweep, and
/// without it a flipped bit in a header can turn a blob into something that is not scanned.
fn check_sums(pack: &Pack, nodes: &[Node]) -> Vec<Failure> {
    let end = pack.body().len() as u64;
    let check = |at: usize| {
        let node = nodes[at];
        let next = nodes.get(at + 1).map_or(end, |next| next.offset);
        let stated = pack.index.crc(node.position as usize)?;
        let range = usize::try_from(node.offset).ok()?..usize::try_from(next).ok()?;
        let bytes = pack.body().get(range).unwrap_or(&[]);
        let matches = crc32fast::hash(bytes) == stated;
        (!matches).then(|| Failure::new(pack, node, ObjectError::Checksum))
    };
    let all = (0..nodes.len()).into_par_iter().with_min_len(4096);
    all.filter_map(check).collect()
}
