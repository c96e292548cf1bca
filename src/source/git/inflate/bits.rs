//! Reads a stream as bits, least significant first (RFC 1951, section 3.1.1).
//!
//! Bytes past the end of the input read as zeros, so that no step of the decoder has to look for
//! the end. Whoever decodes asks [`Bits::overrun`] before it believes what it read.

/// A position in a stream, and the bits that follow it.
#[derive(Clone)]
pub(super) struct Bits<'a> {
    /// The bytes to load next.
    rest: &'a [u8],
    /// The next bits, lowest first.
    held: u64,
    /// In its low six bits, how many bits of `held` have been loaded; those of `held` above are a
    /// preview of `rest`. The higher bits mean nothing: [`Bits::skip`] takes away whole entries of
    /// a table.
    count: u32,
    /// How many bytes past the end of the input were loaded.
    made_up: usize,
}

impl<'a> Bits<'a> {
    /// Bits that can be skipped after one [`Bits::refill`].
    const REFILLED: u32 = 56;

    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            rest: input,
            held: 0,
            count: 0,
            made_up: 0,
        }
    }

    /// Loads until at least 56 bits can be skipped; all 64 bits of [`Bits::peek`] are real
    /// afterwards.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let count = self.count & 63;
        let loaded = ((63 - count) >> 3) as usize;
        if let Some(next) = self.rest.first_chunk() {
            self.held |= u64::from_le_bytes(*next) << count;
            self.rest = &self.rest[loaded..];
        } else {
            self.held |= last_bytes(self.rest) << count;
            let real = loaded.min(self.rest.len());
            self.rest = &self.rest[real..];
            self.made_up += loaded - real;
        }
        self.count = count | Self::REFILLED;
    }

    /// The bits to come, lowest first.
    #[inline(always)]
    pub(super) fn peek(&self) -> u64 {
        self.held
    }

    /// Passes as many bits as the low six bits of `count` say, no more than can be skipped.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.held >>= count & 63;
        self.count = self.count.wrapping_sub(count);
    }

    /// Takes `count` bits, up to 16, as a number.
    pub(super) fn take(&mut self, count: u32) -> u32 {
        let bits = self.held as u32 & ((1 << count) - 1);
        self.skip(count);
        bits
    }

    /// Whether bits were taken that are not in the input.
    pub(super) fn overrun(&self) -> bool {
        self.made_up > self.bytes_held()
    }

    /// Whether there are fewer bits left than the longest code has, so that what follows may be the
    /// first part of a code.
    pub(super) fn is_exhausted(&self) -> bool {
        let left = (self.count & 63) as usize + 8 * self.rest.len();
        left < 15 + 8 * self.made_up
    }

    /// Passes the rest of the byte that was begun, and returns the input from there. `input` is
    /// all of it.
    pub(super) fn align(&mut self, input: &'a [u8]) -> &'a [u8] {
        let loaded = input.len() - self.rest.len() + self.made_up;
        let at = loaded - self.bytes_held();
        *self = Self::new(input.get(at..).unwrap_or(&[]));
        self.rest
    }

    /// Whole bytes that were loaded and not taken.
    fn bytes_held(&self) -> usize {
        ((self.count & 63) >> 3) as usize
    }
}

/// The last bytes of the input, with zeros for those that are missing.
#[cold]
#[inline(never)]
fn last_bytes(rest: &[u8]) -> u64 {
    let bytes = rest.iter().take(8).rev();
    bytes.fold(0, |bits, &byte| bits << 8 | u64::from(byte))
}
