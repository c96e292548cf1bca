//! A fingerprint of what matters of a directory and of all below it: the names, and where the
//! files are that somebody asked for.
//!
//! Most commits change what is in files and nothing else. Then the root directories have the same
//! shape, and nothing below them has to be compared. A shape is a sum over entries, so a delta's
//! follows from its base's and the edits. Two shapes could be equal by accident, and then a change
//! would be overlooked; with 128 bits that does not happen to trees that were not made for it.
//!
//! All threads find shapes at once, each beginning with a part of the trees. Two may find the same
//! one; that of the first stays, as trees that depend on themselves may look different to the two.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::{NONE, NameKey, Node, TreeLog};
use crate::source::git::changes::{BUDGET, MAX_DEPTH};

/// What is known of a directory.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Shape {
    hash: u128,
    /// Directories, itself included, each as often as it stands somewhere below.
    directories: u32,
    /// Directories among its entries whose shape is not known.
    unknown: u32,
    /// At most so many directories stand in each other.
    height: u16,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    #[default]
    New,
    Done,
    /// It depends on itself, as a tree can be the delta of one that holds it; or there are too
    /// many directories.
    Lost,
}

/// A shape that any thread may find.
#[derive(Default)]
struct Cell {
    hash: [AtomicU64; 2],
    counts: AtomicU64,
    /// Height and state; written last and read first.
    rest: AtomicU64,
}

/// What stands in the place of a state while a cell is written.
const WRITING: u64 = 3;

impl Cell {
    fn get(&self) -> Shape {
        let rest = self.rest.load(Ordering::Acquire);
        let [hash, high] = [0, 1].map(|at| self.hash[at].load(Ordering::Relaxed));
        let counts = self.counts.load(Ordering::Relaxed);
        Shape {
            hash: u128::from(high) << 64 | u128::from(hash),
            directories: counts as u32,
            unknown: (counts >> 32) as u32,
            height: rest as u16,
            state: match rest >> 16 {
                0 | WRITING => State::New,
                1 => State::Done,
                _ => State::Lost,
            },
        }
    }

    /// Keeps a shape, unless there is one; there is one afterwards.
    fn set(&self, shape: &Shape) {
        let (free, writing) = (0, WRITING << 16);
        let claim = self
            .rest
            .compare_exchange(free, writing, Ordering::Acquire, Ordering::Acquire);
        if claim.is_err() {
            while self.get().state == State::New {
                std::hint::spin_loop();
            }
            return;
        }
        self.hash[0].store(shape.hash as u64, Ordering::Relaxed);
        self.hash[1].store((shape.hash >> 64) as u64, Ordering::Relaxed);
        let counts = u64::from(shape.unknown) << 32 | u64::from(shape.directories);
        self.counts.store(counts, Ordering::Relaxed);
        let rest = (shape.state as u64) << 16 | u64::from(shape.height);
        self.rest.store(rest, Ordering::Release);
    }
}

/// What to compare a directory by, in the least memory.
#[derive(Clone, Copy)]
pub(super) struct Known([u64; 2]);

impl Known {
    fn of(cell: &Cell) -> Self {
        // 0 is kept for those that are not known.
        let hash = cell.get().known().map_or(0, |hash| hash.max(1));
        Self([hash as u64, (hash >> 64) as u64])
    }

    /// `None` when something below is not in the log, or when there is more below than a comparison
    /// of trees looks at.
    pub(super) fn hash(self) -> Option<[u64; 2]> {
        Some(self.0).filter(|hash| *hash != [0; 2])
    }
}

impl Shape {
    /// What to compare by: `None` when something below is not in the log, or when there is more
    /// below than a comparison of trees looks at.
    fn known(&self) -> Option<u128> {
        let is_known =
            self.state == State::Done && self.unknown == 0 && usize::from(self.height) <= MAX_DEPTH;
        is_known.then_some(self.hash)
    }
}

/// The shapes of all trees of `log`.
pub(super) fn shapes(log: &TreeLog) -> Vec<Known> {
    let shapes = Shapes {
        log,
        all: log.nodes.par_iter().map(|_| Cell::default()).collect(),
    };
    let nodes: Vec<u32> = (0..log.nodes.len() as u32).collect();
    let part = nodes.len().div_ceil(rayon::current_num_threads()).max(1);
    nodes.par_chunks(part).for_each(|some| shapes.find(some));
    let cells = shapes.all.into_iter();
    let mut known: Vec<_> = cells.map(|cell| Known::of(&cell)).collect();
    // It has the room of the cells, half of which goes back.
    known.shrink_to_fit();
    known
}

struct Shapes<'a> {
    log: &'a TreeLog,
    all: Vec<Cell>,
}

impl Shapes<'_> {
    /// Finds the shapes of some trees and of all that they depend on.
    fn find(&self, some: &[u32]) {
        // Those for which others are found first; one that turns up among these depends on itself.
        let mut open = vec![false; self.all.len()];
        let mut pending = Vec::new();
        for &node in some {
            pending.push(node);
            // No recursion: bases and directories can be deeper than the stack.
            while let Some(&node) = pending.last() {
                let at = node as usize;
                if self.all[at].get().state != State::New {
                    pending.pop();
                } else if std::mem::replace(&mut open[at], true) {
                    self.all[at].set(&self.shape(node));
                    pending.pop();
                } else {
                    self.needed(node, |other| {
                        if !open[other as usize] {
                            pending.push(other);
                        }
                    });
                }
            }
        }
    }

    /// Calls `each` with the trees whose shape has to be known before that of `node`.
    fn needed(&self, node: u32, mut each: impl FnMut(u32)) {
        let mut need = |node: u32| {
            if node != NONE && self.all[node as usize].get().state == State::New {
                each(node);
            }
        };
        let node = &self.log.nodes[node as usize];
        need(node.base);
        for (key, thing, _) in self.parts(node) {
            if key.is_tree() {
                need(self.log.node_of(thing));
            }
        }
    }

    /// What is to be added to the shape of the base, or taken away.
    fn parts<'s>(&'s self, node: &'s Node) -> impl Iterator<Item = (NameKey, u32, Part)> + 's {
        let edits = self.log.edits(node).iter().flat_map(|edit| {
            let new = (edit.key, edit.new, Part::More);
            [new, (edit.key, edit.old, Part::Less)]
        });
        let entries = self.log.entries(node).iter();
        let entries = entries.map(|entry| (entry.key, entry.thing, Part::More));
        edits.chain(entries).filter(|part| part.1 != NONE)
    }

    fn shape(&self, node: u32) -> Shape {
        let node = &self.log.nodes[node as usize];
        let mut shape = match node.base {
            NONE => Shape {
                directories: 1,
                state: State::Done,
                ..Shape::default()
            },
            base => self.all[base as usize].get(),
        };
        let mut directories = u64::from(shape.directories);
        for (key, thing, part) in self.parts(node) {
            let below = match (key.is_tree(), self.log.node_of(thing)) {
                (false, _) => {
                    shape.hash = part.of(shape.hash, mixed(key, u128::from(thing)));
                    continue;
                }
                (true, NONE) => None,
                (true, below) => Some(self.all[below as usize].get()),
            };
            if below.is_some_and(|below| below.state == State::New) {
                shape.state = State::Lost;
            }
            let below = below.unwrap_or_default();
            match (below.known(), part) {
                (Some(hash), _) => {
                    shape.hash = part.of(shape.hash, mixed(key, hash));
                    shape.height = shape.height.max(below.height + 1);
                    let below = u64::from(below.directories);
                    directories = match part {
                        Part::More => directories + below,
                        Part::Less => directories.saturating_sub(below),
                    };
                }
                (None, Part::More) => shape.unknown += 1,
                (None, Part::Less) => shape.unknown = shape.unknown.saturating_sub(1),
            }
        }
        shape.directories = match u32::try_from(directories) {
            Ok(directories) if directories <= BUDGET => directories,
            _ => u32::MAX,
        };
        if shape.state != State::Done || shape.directories == u32::MAX {
            shape.state = State::Lost;
        }
        shape
    }
}

#[derive(Clone, Copy)]
enum Part {
    More,
    Less,
}

impl Part {
    fn of(self, sum: u128, hash: u128) -> u128 {
        match self {
            Self::More => sum.wrapping_add(hash),
            Self::Less => sum.wrapping_sub(hash),
        }
    }
}

/// The hash of one entry.
fn mixed(key: NameKey, content: u128) -> u128 {
    /// Odd numbers without a pattern: the first digits of the square roots of 2, 3 and 5.
    const FACTORS: [u64; 3] = [
        0x6a09_e667_f3bc_c909,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
    ];
    let fold = |one: u64, two: u64| {
        let product = u128::from(one) * u128::from(two);
        product as u64 ^ (product >> 64) as u64
    };
    let (low, high) = (content as u64, (content >> 64) as u64);
    let name = u64::from(key.0);
    let one = fold(low ^ FACTORS[0], name.wrapping_mul(FACTORS[1]) ^ high);
    let two = fold(high ^ FACTORS[2], name.wrapping_mul(FACTORS[0]) ^ low);
    let one = fold(one ^ FACTORS[1], two | 1);
    u128::from(one) << 64 | u128::from(fold(two ^ FACTORS[2], one | 1))
}
