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
