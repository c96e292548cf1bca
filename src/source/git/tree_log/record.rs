//! Notes trees while they are swept, for one thread.

use std::cell::RefCell;
use std::ops::Range;

use super::edits::{Derived, Edits, Layout};
use super::shape::Known;
use super::{Edit, Entry, NONE, NameKey, Names, Node, SOME_FILE, Things};
use crate::machine::hash::FastMap;
use crate::model::ObjectId;
use crate::source::git::Object;
use crate::source::git::tree::{Entries, TreeEntry};
use crate::source::git::wanted::Wanted;

/// Memory of the log, of all threads together.
const MAX_BYTES: usize = 64 << 20;

/// What one thread noted.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) nodes: Vec<Node>,
    pub(super) edits: Vec<Edit>,
    pub(super) entries: Vec<Entry>,
    pub(super) names: Names,
    pub(super) things: Things,
    /// The last whole tree that begins with a name, as a range of `entries`.
    similar: FastMap<NameKey, Range<usize>>,
    /// In what the tree that is noted differs from its base.
    pending: Vec<Pending>,
    owed: Vec<Owed>,
}

/// An id whose number is still to be written. Finding one is a few looks into memory that nothing
/// foresees; many are found at once, as their looks need not wait for each other.
#[derive(Clone, Copy)]
struct Owed {
    id: ObjectId,
    place: Place,
}

/// Where a number goes.
#[derive(Clone, Copy)]
enum Place {
    /// What an edit makes of its entry.
    New(usize),
    /// What it was.
    Old(usize),
    Entry(usize),
    Node(usize),
}

/// Numbers that are found at once.
const AT_ONCE: usize = 256;

/// An edit before its ids have numbers.
struct Pending {
    key: NameKey,
    new: Side,
    old: Side,
}

/// What stands on one side of an edit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Nothing,
    SomeFile,
    Thing(ObjectId),
}

impl Recorder {
    pub(super) fn note(&mut self, tree: &Object<'_>, wanted: &Wanted) {
        if self.is_full() {
            return;
        }
        if self.owed.len() >= AT_ONCE {
            self.settle();
        }
        let descent = tree.descent;
        let base = descent.and_then(|descent| descent.base);
        let known = base.and_then(|base| Some((base, base.mark?, base.mark?.number?)));
        let mut mark = descent
            .and_then(|descent| descent.mark)
            .map(RefCell::borrow_mut);
        let layout = mark.as_deref_mut().map(|mark| &mut mark.entries);
        let node = match known {
            Some((base, mark, number)) => {
                let derived = Derived {
                    base: base.bytes,
                    layout: Layout(&mark.entries),
                    bytes: tree.bytes,
                    copied: base.copied,
                };
                self.derived(number, &derived, layout, wanted)
            }
            None => self.whole(tree.bytes, layout, wanted),
        };
        if let Some(node) = node {
            if let Some(mark) = &mut mark {
                mark.number = Some(self.nodes.len() as u32);
            }
            let place = Place::Node(self.nodes.len());
            self.owed.push(Owed { id: tree.id, place });
            self.nodes.push(node);
        }
    }

    /// Writes the numbers that are owed.
    pub(super) fn settle(&mut self) {
        for some in self.owed.chunks(AT_ONCE) {
            let expected: Vec<_> = some.iter().map(|one| self.things.expect(one.id)).collect();
            expected.iter().for_each(|one| self.things.expect_id(one));
            for (one, expected) in some.iter().zip(&expected) {
                let number = self.things.number_of(expected);
                match one.place {
                    Place::New(at) => self.edits[at].new = number,
                    Place::Old(at) => self.edits[at].old = number,
                    Place::Entry(at) => self.entries[at].thing = number,
                    Place::Node(at) => self.nodes[at].thing = number,
                }
            }
        }
        self.owed.clear();
    }

    /// Whether the log takes more memory than the time it saves is worth.
    fn is_full(&self) -> bool {
        /// Of an id, its number, and the number of its node.
        const ID: usize = Things::EACH + size_of::<u32>();
        let held = self.edits.len() * size_of::<Edit>()
            + self.entries.len() * size_of::<Entry>()
            + self.nodes.len() * (size_of::<Node>() + size_of::<Known>())
            + self.things.len() * ID
            + self.names.held();
        held > MAX_BYTES / rayon::current_num_threads()
    }

    /// Notes in what a tree differs from its base; `None` when it is no sound tree.
    fn derived(
        &mut self,
        base: u32,
        derived: &Derived<'_>,
        layout: Option<&mut Vec<u32>>,
        wanted: &Wanted,
    ) -> Option<Node> {
        self.pending.clear();
        let mut notes = Notes {
            pending: &mut self.pending,
            names: &mut self.names,
            wanted,
        };
        if !derived.edits(layout, &mut notes) {
            return None;
        }
        let start = self.edits.len();
        for edit in &self.pending {
            let at = self.edits.len();
            let mut side = |side, place| match side {
                Side::Nothing => NONE,
                Side::SomeFile => SOME_FILE,
                Side::Thing(id) => {
                    self.owed.push(Owed { id, place });
                    NONE
                }
            };
            let (new, old) = (
                side(edit.new, Place::New(at)),
                side(edit.old, Place::Old(at)),
            );
            let key = edit.key;
            self.edits.push(Edit { key, new, old });
        }
        Some(Node {
            thing: NONE,
            base,
            depth: self.nodes[base as usize].depth + 1,
            range: start as u32..self.edits.len() as u32,
        })
    }

    /// Notes all entries of a tree; `None` when it is no sound one.
    fn whole(
        &mut self,
        bytes: &[u8],
        mut layout: Option<&mut Vec<u32>>,
        wanted: &Wanted,
    ) -> Option<Node> {
        let (start, owed) = (self.entries.len(), self.owed.len());
        let mut entries = Entries::new(bytes);
        let mut last: Option<TreeEntry<'_>> = None;
        let mut guess = 0..0;
        let mut is_sound = u32::try_from(bytes.len()).is_ok();
        loop {
            if let Some(layout) = &mut layout {
                layout.push(entries.offset() as u32);
            }
            let Some(entry) = entries.next() else { break };
            is_sound &= last.is_none_or(|last| last.is_before(&entry));
            last = Some(entry);
            let key = match guess.clone().next().map(|at| self.entries[at].key) {
                Some(key)
                    if key.is_tree() == entry.is_tree()
                        && self.names.get(key.name()) == entry.name =>
                {
                    guess.start += 1;
                    key
                }
                _ => {
                    let key = NameKey::new(self.names.number(entry.name), entry.is_tree());
                    if self.entries.len() == start {
                        guess = self.similar.get(&key).cloned().unwrap_or_default();
                        guess.start += usize::from(!guess.is_empty());
                    } else if guess.len() > 1 && self.entries[guess.start + 1].key == key {
                        // The other one had a name more; with a name less, the guess stays.
                        guess.start += 2;
                    }
                    key
                }
            };
            let thing = match entry.is_tree() || wanted.position(&entry.id).is_some() {
                true => {
                    let place = Place::Entry(self.entries.len());
                    self.owed.push(Owed {
                        id: entry.id,
                        place,
                    });
                    NONE
                }
                false => SOME_FILE,
            };
            self.entries.push(Entry { key, thing });
        }
        if !is_sound || entries.offset() != bytes.len() {
            self.entries.truncate(start);
            self.owed.truncate(owed);
            return None;
        }
        let range = start..self.entries.len();
        if let Some(first) = self.entries.get(start) {
            self.similar.insert(first.key, range.clone());
        }
        let node = Node {
            thing: NONE,
            base: NONE,
            depth: 0,
            range: range.start as u32..range.end as u32,
        };
        Some(node)
    }
}

struct Notes<'a> {
    pending: &'a mut Vec<Pending>,
    names: &'a mut Names,
    wanted: &'a Wanted,
}

impl<'b> Edits<'b> for Notes<'_> {
    fn other_id(&mut self, new: &'b [u8], old: &'b [u8]) {
        let is_wanted = |entry: &[u8]| {
            let id = entry.last_chunk().copied().map(ObjectId::new);
            id.is_some_and(|id| self.wanted.position(&id).is_some())
        };
        let is_file = new.first() == Some(&b'1');
        if !is_file || is_wanted(new) || is_wanted(old) {
            self.other(Entries::new(new).next(), Entries::new(old).next());
        }
    }

    fn other(&mut self, new: Option<TreeEntry<'b>>, old: Option<TreeEntry<'b>>) {
        let Some(entry) = new.or(old) else { return };
        let is_tree = entry.is_tree();
        let side = |entry: Option<TreeEntry<'_>>| match entry {
            Some(entry) if is_tree || self.wanted.position(&entry.id).is_some() => {
                Side::Thing(entry.id)
            }
            Some(_) => Side::SomeFile,
            None => Side::Nothing,
        };
        let (new, old) = (side(new), side(old));
        if new != old {
            let key = NameKey::new(self.names.number(entry.name), is_tree);
            self.pending.push(Pending { key, new, old });
        }
    }
}
