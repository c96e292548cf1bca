//! What a tree has that its delta base has not, without reading what they share.

use std::ops::Range;

use crate::model::{Copied, ObjectId};
use crate::source::git::tree::{Entries, TreeEntry, compare};

/// Is told in what a tree and its base differ.
pub(super) trait Edits<'a> {
    /// An entry of the same mode and name has another id. Both sides are its bytes.
    fn other_id(&mut self, new: &'a [u8], old: &'a [u8]);

    /// An entry is in only one of the two, or in both with other content.
    fn other(&mut self, new: Option<TreeEntry<'a>>, old: Option<TreeEntry<'a>>);
}

/// Where the entries of a sound tree start, and where the last one ends. Sound means that all
/// bytes are entries, in git's order and each name once.
#[derive(Clone, Copy)]
pub(super) struct Layout<'a>(pub(super) &'a [u32]);

impl Layout<'_> {
    fn len(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    fn start(&self, entry: usize) -> usize {
        self.0[entry] as usize
    }

    /// The entry that starts at `offset`, from entry `first` on.
    fn at(&self, offset: usize, first: usize) -> Option<usize> {
        let offset = u32::try_from(offset).ok()?;
        let found = self.0[first..self.len()].binary_search(&offset);
        found.ok().map(|at| first + at)
    }

    /// The entries from `first` on that end at `offset` or before.
    fn whole(&self, first: usize, offset: usize) -> Range<usize> {
        let starts = self.0[first..].partition_point(|&start| start as usize <= offset);
        first..first + starts.saturating_sub(1)
    }
}

/// A tree that is compared with its base.
pub(super) struct Derived<'a> {
    pub(super) base: &'a [u8],
    /// Of the base.
    pub(super) layout: Layout<'a>,
    pub(super) bytes: &'a [u8],
    pub(super) copied: &'a [Copied],
}

/// How far both sides are dealt with.
struct Progress<'l> {
    /// Entries of the base.
    passed: usize,
    /// Bytes of the new tree.
    done: usize,
    /// Bytes of the new tree whose entries are in `layout`; those behind `done` are still to be
    /// compared.
    seen: usize,
    /// Where the entry before `done` starts.
    last: Option<usize>,
    /// Of the new tree, when somebody needs it.
    layout: Option<&'l mut Vec<u32>>,
}

impl Progress<'_> {
    fn push(&mut self, start: usize) {
        if let Some(layout) = &mut self.layout {
            layout.push(start as u32);
        }
    }
}

impl<'a> Derived<'a> {
    /// Tells `edits` in what the two differ, and fills in the layout of the new tree where it is
    /// asked for. `false` when that is no sound tree; something may have been told then.
    pub(super) fn edits(&self, layout: Option<&mut Vec<u32>>, edits: &mut impl Edits<'a>) -> bool {
        if u32::try_from(self.bytes.len()).is_err() {
            return false;
        }
        let mut at = Progress {
            passed: 0,
            done: 0,
            seen: 0,
            last: None,
            layout,
        };
        for copy in self.copied {
            let met = match at.seen == at.done && self.pair(&mut at, copy, edits) {
                true => Some(at.passed),
                false => self.meet(&mut at, copy),
            };
            let Some(entry) = met else { continue };
            let shared = self.layout.whole(entry, copy.from + copy.len);
            if shared.is_empty() {
                continue;
            }
            if !self.region(&at, entry, edits) {
                return false;
            }
            self.share(&mut at, shared);
        }
        let end = Copied {
            from: self.base.len(),
            to: self.bytes.len(),
            len: 0,
        };
        if at.seen > at.done || !self.pair(&mut at, &end, edits) {
            let mut entries = Entries::starting_at(self.bytes, at.seen);
            while at.seen < self.bytes.len() {
                at.push(at.seen);
                if !entries.pass() {
                    return false;
                }
                at.seen = entries.offset();
            }
            if !self.region(&at, self.layout.len(), edits) {
                return false;
            }
        }
        at.push(self.bytes.len());
        true
    }

    /// Goes forward while both sides have entries of the same mode and name. Whether it comes to
    /// where `copy` holds the same entry on both sides.
    fn pair(&self, at: &mut Progress<'_>, copy: &Copied, edits: &mut impl Edits<'a>) -> bool {
        loop {
            if let Some(into) = at.done.checked_sub(copy.to) {
                if into > copy.len {
                    return false;
                }
                if copy.from + into == self.layout.start(at.passed) {
                    return true;
                }
            }
            if at.passed == self.layout.len() {
                return false;
            }
            let old = self.layout.start(at.passed)..self.layout.start(at.passed + 1);
            let Some(new) = self.bytes.get(at.done..at.done + old.len()) else {
                return false;
            };
            let old = &self.base[old];
            let (header, id) = old.split_at(old.len() - ObjectId::LEN);
            let (new_header, new_id) = new.split_at(header.len());
            if new_header != header {
                return false;
            }
            if new_id != id {
                edits.other_id(new, old);
            }
            at.push(at.done);
            at.last = Some(at.done);
            at.passed += 1;
            at.done += new.len();
            at.seen = at.done;
        }
    }

    /// Goes forward in the new tree to an entry that also starts in the base, within `copy` and
    /// not before what was passed, and returns the base's.
    fn meet(&self, at: &mut Progress<'_>, copy: &Copied) -> Option<usize> {
        if copy.from + copy.len <= self.layout.start(at.passed) {
            return None;
        }
        let mut entries = Entries::starting_at(self.bytes, at.seen);
        while at.seen < copy.to + copy.len {
            if let Some(into) = at.seen.checked_sub(copy.to) {
                let there = self.layout.at(copy.from + into, at.passed);
                if there.is_some() {
                    return there;
                }
            }
            if !entries.pass() {
                return None;
            }
            at.push(at.seen);
            at.seen = entries.offset();
        }
        None
    }

    /// Compares what was seen of the new tree with the entries of the base up to `entry`. `false`
    /// when the new ones are out of order.
    fn region(&self, at: &Progress<'_>, entry: usize, edits: &mut impl Edits<'a>) -> bool {
        if at.done < at.seen {
            // With one entry more on either side.
            let mut around = Entries::starting_at(self.bytes, at.seen);
            around.pass();
            let around = &self.bytes[..around.offset()];
            let around = Entries::starting_at(around, at.last.unwrap_or(at.done));
            if !around.is_sorted_by(|one, next| one.is_before(next)) {
                return false;
            }
        }
        let old = self.layout.start(at.passed)..self.layout.start(entry);
        compare(
            &self.bytes[at.done..at.seen],
            &self.base[old],
            |new, old| {
                edits.other(new, old);
            },
        );
        true
    }

    /// Passes over entries that the new tree has from where it is seen.
    fn share(&self, at: &mut Progress<'_>, shared: Range<usize>) {
        let (from, to) = (self.layout.start(shared.start), at.seen);
        if let Some(layout) = &mut at.layout {
            let starts = self.layout.0[shared.clone()].iter();
            layout.extend(starts.map(|start| start - from as u32 + to as u32));
        }
        at.last = Some(to + (self.layout.start(shared.end - 1) - from));
        at.passed = shared.end;
        at.done = to + (self.layout.start(shared.end) - from);
        at.seen = at.done;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Names that git sorts in its own way, by number; the odd ones are directories.
    const NAMES: [&str; 8] = ["a", "a", "a-b", "a.c", "ab", "b", "c", "c0"];

    /// The entries of a tree: names by number, and the first byte of the id.
    type Tree = BTreeMap<usize, u8>;

    /// The plain way to the layout of a tree. `false` when it is no sound one.
    fn read_layout(bytes: &[u8], layout: &mut Vec<u32>) -> bool {
        let mut entries = Entries::new(bytes);
        layout.push(0);
        while entries.pass() {
            layout.push(entries.offset() as u32);
        }
        let is_sorted = Entries::new(bytes).is_sorted_by(|one, next| one.is_before(next));
        is_sorted && entries.offset() == bytes.len()
    }

    fn bytes(tree: &Tree) -> Vec<u8> {
        let mut entries: Vec<_> = tree.iter().collect();
        entries.sort_by(|one, two| {
            let place = |number: &usize| (NAMES[*number].as_bytes(), number % 2 == 1);
            crate::source::git::tree::order(place(one.0), place(two.0))
        });
        in_this_order(&entries)
    }

    fn in_this_order(entries: &[(&usize, &u8)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, id) in entries {
            let mode = if *number % 2 == 1 { "40000" } else { "100644" };
            bytes.extend(format!("{mode} {}\0", NAMES[**number]).into_bytes());
            bytes.extend([**id; ObjectId::LEN]);
        }
        bytes
    }

    /// Stretches of `base` that stand in `new`, at least `least` bytes long, as some packer might
    /// choose them.
    fn copies(base: &[u8], new: &[u8], least: usize) -> Vec<Copied> {
        let mut copied = Vec::new();
        let mut to = 0;
        while to < new.len() {
            let shared = |from: usize| {
                let pairs = base[from..].iter().zip(&new[to..]);
                pairs.take_while(|(one, two)| one == two).count()
            };
            let best = (0..base.len()).map(|from| (shared(from), from)).max();
            match best.filter(|best| best.0 >= least) {
                Some((len, from)) => {
                    copied.push(Copied { from, to, len });
                    to += len;
                }
                None => to += 1,
            }
        }
        copied
    }

    /// Name, whether it is a directory, first byte of the id.
    type Side = Option<(Vec<u8>, bool, u8)>;

    /// Both sides of each difference.
    #[derive(Default, PartialEq, Debug)]
    struct Told(Vec<[Side; 2]>);

    impl<'a> Edits<'a> for Told {
        fn other_id(&mut self, new: &'a [u8], old: &'a [u8]) {
            self.other(Entries::new(new).next(), Entries::new(old).next());
        }

        fn other(&mut self, new: Option<TreeEntry<'a>>, old: Option<TreeEntry<'a>>) {
            let side = |entry: Option<TreeEntry<'_>>| {
                entry.map(|one| (one.name.to_vec(), one.is_tree(), one.id.as_bytes()[0]))
            };
            self.0.push([side(new), side(old)]);
        }
    }

    fn tree() -> impl Strategy<Value = Tree> {
        prop::collection::btree_map(0..NAMES.len(), 1u8..4, 0..NAMES.len())
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 1000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn what_deltas_say_is_what_a_comparison_says(
            old in tree(),
            new in tree(),
            least in 1usize..30,
            cut in prop::option::of(0usize..100),
            disorder in any::<bool>(),
        ) {
            let (base, mut bytes) = (bytes(&old), bytes(&new));
            if disorder {
                bytes = in_this_order(&new.iter().collect::<Vec<_>>());
            }
            if let Some(cut) = cut {
                bytes.truncate(cut);
            }
            let mut layout = Vec::new();
            prop_assert!(read_layout(&base, &mut layout));
            let copied = copies(&base, &bytes, least);
            let derived = Derived {
                base: &base,
                layout: Layout(&layout),
                bytes: &bytes,
                copied: &copied,
            };
            let (mut told, mut found) = (Told::default(), Vec::new());
            let is_sound = derived.edits(Some(&mut found), &mut told);
            let mut expected = Vec::new();
            prop_assert_eq!(is_sound, read_layout(&bytes, &mut expected));
            if is_sound {
                prop_assert_eq!(found, expected);
                let mut plain = Told::default();
                compare(&bytes, &base, |new, old| plain.other(new, old));
                prop_assert_eq!(told, plain);
            }
        }
    }
}
