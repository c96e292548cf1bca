//! Asks many trees whether they have certain objects at certain paths.
//!
//! The paths form a tree of names themselves, and each is walked beside the other, so that a
//! directory is read once for all the paths in it; what was answered for a directory is
//! remembered, because neighbours share most of theirs.

use std::collections::HashMap;
use std::rc::Rc;

use rayon::prelude::*;

use super::object::Kind;
use super::reader::Reader;
use super::tree::{Entries, order};
use crate::model::ObjectId;

/// Paths, and what is expected at each.
pub(super) struct Questions {
    nodes: Vec<Node>,
}

/// The names asked for in one directory, in the order of trees.
#[derive(Default)]
struct Node {
    names: Vec<Name>,
}

struct Name {
    name: Vec<u8>,
    ask: Ask,
}

enum Ask {
    /// Is it this object? The number is the question's.
    Object(usize, ObjectId),
    /// The names inside are asked for.
    Directory(usize),
}

impl Name {
    fn is_tree(&self) -> bool {
        matches!(self.ask, Ask::Directory(_))
    }

    /// What git sorts by.
    fn key(&self) -> (&[u8], bool) {
        (&self.name, self.is_tree())
    }
}

/// What was answered: the numbers of questions with a yes, by directory and node.
pub(super) type Answers = HashMap<(ObjectId, usize), Rc<[usize]>>;

impl Questions {
    /// Questions are numbered in the order given: a path, and the object expected there.
    pub(super) fn new<'p>(questions: impl Iterator<Item = (&'p [u8], ObjectId)>) -> Self {
        let mut all = Self {
            nodes: vec![Node::default()],
        };
        // Directories by parent and name; their names are sorted when all are there.
        let mut directories: HashMap<(usize, &[u8]), usize> = HashMap::new();
        for (number, (path, id)) in questions.enumerate() {
            let mut names = path.split(|&byte| byte == b'/').peekable();
            let mut node = 0;
            while let Some(name) = names.next() {
                if names.peek().is_none() {
                    all.push(node, name, Ask::Object(number, id));
                    continue;
                }
                node = *directories.entry((node, name)).or_insert_with(|| {
                    let inside = all.nodes.len();
                    all.nodes.push(Node::default());
                    all.push(node, name, Ask::Directory(inside));
                    inside
                });
            }
        }
        let nodes = all.nodes.par_iter_mut();
        nodes.for_each(|node| node.names.sort_by(|one, two| order(one.key(), two.key())));
        all
    }

    /// The numbers of the questions that `tree` answers with yes.
    pub(super) fn ask(
        &self,
        reader: &mut Reader<'_>,
        tree: &ObjectId,
        answers: &mut Answers,
    ) -> Rc<[usize]> {
        self.ask_node(reader, tree, 0, answers)
    }

    fn push(&mut self, node: usize, name: &[u8], ask: Ask) {
        let name = name.to_vec();
        self.nodes[node].names.push(Name { name, ask });
    }

    fn ask_node(
        &self,
        reader: &mut Reader<'_>,
        tree: &ObjectId,
        node: usize,
        answers: &mut Answers,
    ) -> Rc<[usize]> {
        if let Some(known) = answers.get(&(*tree, node)) {
            return Rc::clone(known);
        }
        let mut yes = Vec::new();
        if let Ok(Some((Kind::Tree, bytes))) = reader.find(tree) {
            let mut entries = Entries::new(&bytes);
            for name in &self.nodes[node].names {
                let Some(entry) = entries.seek(&name.name, name.is_tree()) else {
                    continue;
                };
                match name.ask {
                    Ask::Object(number, id) if entry.id == id => yes.push(number),
                    Ask::Object(..) => {}
                    Ask::Directory(inside) => {
                        let below = self.ask_node(reader, &entry.id, inside, answers);
                        yes.extend(below.iter());
                    }
                }
            }
        }
        let yes: Rc<[usize]> = yes.into();
        answers.insert((*tree, node), Rc::clone(&yes));
        yes
    }
}
