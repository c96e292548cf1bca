//! A text that remembers how far it was read.
//!
//! What a value is depends on what was read behind its key; that nothing is assigned there stays true
//! as long as those bytes do. Invariant: no byte, and not that there is none, is told without its
//! being counted as read.

use std::cell::Cell;

use crate::model::Span;

/// A text, and how much of it was read.
#[derive(Clone, Copy)]
pub(super) struct Watched<'a> {
    text: &'a [u8],
    read: &'a Cell<usize>,
}

impl<'a> Watched<'a> {
    /// `read` is moved behind what is read.
    pub(super) fn new(text: &'a [u8], read: &'a Cell<usize>) -> Self {
        Self { text, read }
    }

    fn read_to(self, end: usize) {
        self.read.set(self.read.get().max(end));
    }

    pub(super) fn byte(self, at: usize) -> Option<u8> {
        self.read_to(at + 1);
        self.text.get(at).copied()
    }

    /// At most `most` bytes from `at` on, and whether there are more is not told.
    pub(super) fn stretch(self, at: usize, most: usize) -> &'a [u8] {
        self.read_to(at + most);
        let rest = self.text.get(at..).unwrap_or_default();
        &rest[..rest.len().min(most)]
    }

    /// The bytes of `span`, all of it there.
    pub(super) fn span(self, span: Span) -> &'a [u8] {
        self.read_to(span.end);
        &self.text[span.range()]
    }

    /// `at`, or the end where that comes first.
    pub(super) fn within(self, at: usize) -> usize {
        self.read_to(at);
        at.min(self.text.len())
    }

    /// How many bytes from `at` on hold; at most `most` are asked.
    pub(super) fn count(self, at: usize, most: usize, holds: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let asked = rest.iter().take(most);
        let count = asked.take_while(|&&byte| holds(byte)).count();
        self.read_to(at + count + usize::from(count < most));
        count
    }

    /// All of it, of which nobody counts what is read.
    pub(super) fn unwatched(self) -> &'a [u8] {
        self.read_to(self.text.len() + 1);
        self.text
    }
}
