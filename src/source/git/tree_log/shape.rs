//! A fingerprint of what matters of a directory and of all below it: the names, and where the
//! files are that somebody asked for.
//!
//! Most commits change what is in files and nothing else. Then the root directories have the same
//! shape, and nothing below them has to be compared. A shape is a sum over entries, so a delta's
//! follows from its base's and the edits. Two shapes can be equal by accident, with a chance of
//! one in 2^128 for trees that were not made for it; then a change is overlooked.

use super::{NONE, NameKey, Node, TreeLog};
use crate::source::git::changes::{BUDGET, MAX_DEPTH};

/// What is known of a directory.
#[derive(Clone, Copy, Default)]
pub(super) struct Shape {
    hash: u128,
    /// Directories, itself included, each as often as it stands somewhere below.
    directories: u64,
    /// Directories among its entries whose shape is not known.
    unknown: u32,
    /// At most so many directories stand in each other.
    height: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    New,
    /// What it depends on is looked at.
    Open,
    Done,
    /// It depends on itself: a tree can be the delta of one that holds it.
    Lost,
}

impl Shape {
    /// What to compare by: `None` when something below is not in the log, or when there is more
    /// below than a comparison of trees looks at.
    pub(super) fn known(&self) -> Option<u128> {
        let is_known = self.state == State::Done
            && self.unknown == 0
            && self.directories <= u64::from(BUDGET)
            && self.height as usize <= MAX_DEPTH;
        is_known.then_some(self.hash)
    }
}

/// The shapes of all trees of `log`.
pub(super) fn shapes(log: &TreeLog) -> Vec<Shape> {
    let mut shapes = Shapes {
        log,
        all: vec![Shape::default(); log.nodes.len()],
    };
    let mut pending = Vec::new();
    for node in 0..log.nodes.len() as u32 {
        pending.push(node);
        // No recursion: bases and directories can be deeper than the stack.
        while let Some(&node) = pending.last() {
            match shapes.all[node as usize].state {
                State::New => {
                    shapes.all[node as usize].state = State::Open;
                    shapes.needed(node, |other| pending.push(other));
                }
                State::Open => {
                    shapes.all[node as usize] = shapes.shape(node);
                    pending.pop();
                }
                State::Done | State::Lost => {
                    pending.pop();
                }
            }
        }
    }
    shapes.all
}

struct Shapes<'a> {
    log: &'a TreeLog,
    all: Vec<Shape>,
}

impl Shapes<'_> {
    /// Calls `each` with the trees whose shape has to be known before that of `node`.
    fn needed(&self, node: u32, mut each: impl FnMut(u32)) {
        let mut need = |node: u32| {
            if node != NONE && self.all[node as usize].state == State::New {
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
        let entries = self.log.entries(node);
        let entries = entries.map(|(key, thing)| (key, thing, Part::More));
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
            base => self.all[base as usize],
        };
        for (key, thing, part) in self.parts(node) {
            let below = match (key.is_tree(), self.log.node_of(thing)) {
                (false, _) => {
                    shape.count(part, mixed(key, u128::from(thing)), 0, 0);
                    continue;
                }
                (true, NONE) => Shape::default(),
                (true, below) => self.all[below as usize],
            };
            match below.known() {
                Some(hash) => {
                    shape.count(part, mixed(key, hash), below.directories, 0);
                    shape.height = shape.height.max(below.height + 1);
                }
                None => shape.count(part, 0, 0, 1),
            }
            if below.state == State::Open {
                shape.state = State::Lost;
            }
        }
        if shape.state != State::Done {
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

impl Shape {
    fn count(&mut self, part: Part, hash: u128, directories: u64, unknown: u32) {
        // Sums of a shape that is lost may be anything.
        match part {
            Part::More => {
                self.hash = self.hash.wrapping_add(hash);
                self.directories = self.directories.wrapping_add(directories);
                self.unknown = self.unknown.wrapping_add(unknown);
            }
            Part::Less => {
                self.hash = self.hash.wrapping_sub(hash);
                self.directories = self.directories.wrapping_sub(directories);
                self.unknown = self.unknown.wrapping_sub(unknown);
            }
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
