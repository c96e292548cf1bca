//! The buffer that a stream is written to, which grows by what the stream has proved.

use crate::source::git::error::ObjectError;

/// Room allocated without proof.
pub(super) const FIRST_STEP: usize = 64 << 10;

/// Room past the end: one step of the decoder may write two literals and a match of 258 bytes, its
/// copy up to 31 bytes more.
pub(super) const SLACK: usize = 512;

/// A buffer being filled.
pub(super) struct Output<'a> {
    /// What is written, then room, then the slack. All of it has been given a value before, so that
    /// the decoder can write anywhere without growing it.
    bytes: &'a mut Vec<u8>,
    /// How many bytes are written.
    at: usize,
    /// How many may be written before the buffer has to grow.
    room: usize,
    /// How many there shall be in the end.
    size: usize,
}

impl<'a> Output<'a> {
    /// An empty output of `size` bytes to come.
    pub(super) fn new(bytes: &'a mut Vec<u8>, size: usize) -> Self {
        let mut output = Self {
            bytes,
            at: 0,
            room: 0,
            size,
        };
        output.widen();
        output
    }

    /// The bytes written so far.
    pub(super) fn written(&self) -> &[u8] {
        &self.bytes[..self.at]
    }

    /// Whether there are as many bytes as there shall be.
    pub(super) fn is_complete(&self) -> bool {
        self.at == self.size
    }

    /// Cuts off what was not written.
    pub(super) fn finish(self) {
        self.bytes.truncate(self.at);
    }

    /// The bytes, how many of them are written, and how many may be before [`Output::ensure`] has
    /// to be asked. [`SLACK`] bytes follow.
    pub(super) fn parts(&mut self) -> (&mut [u8], usize, usize) {
        (self.bytes, self.at, self.room)
    }

    /// Notes that `at` bytes are written.
    pub(super) fn set(&mut self, at: usize) {
        self.at = at;
    }

    /// Makes room when more was written than there was room for.
    pub(super) fn ensure(&mut self) -> Result<(), ObjectError> {
        if self.at > self.size {
            return Err(ObjectError::Size);
        }
        if self.at > self.room {
            self.widen();
        }
        Ok(())
    }

    /// Appends bytes, as many as there may be.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        let fitting = bytes.len().min(self.size - self.at);
        while fitting > self.room - self.at {
            self.widen();
        }
        let end = self.at + fitting;
        self.bytes[self.at..end].copy_from_slice(&bytes[..fitting]);
        self.at = end;
        match fitting == bytes.len() {
            true => Ok(()),
            false => Err(ObjectError::Size),
        }
    }

    /// Makes room for as much as is written already, or [`FIRST_STEP`], but for no more than is
    /// missing.
    fn widen(&mut self) {
        let missing = self.size - self.at;
        self.room = self.at + missing.min(self.at.max(FIRST_STEP));
        let wanted = self.room + SLACK;
        self.bytes
            .reserve_exact(wanted.saturating_sub(self.bytes.len()));
        self.bytes.resize(wanted, 0);
    }
}
