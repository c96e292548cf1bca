//! Inflates zlib streams whose stated size may be a lie (RFC 1950 and RFC 1951).
//!
//! Made for the streams of git packs: many, short, all in memory, of a size known beforehand. It
//! does not stream and knows no preset dictionaries.
//!
//! Invariant: a buffer grows by what the stream has proved so far, never by what a header claims,
//! and no stream yields more than the stated size plus the slack.

mod bits;
mod code;
mod entry;
mod lengths;
mod output;
mod symbols;
mod tables;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use crate::source::git::error::ObjectError;
use bits::Bits;
use lengths::Lengths;
use output::Output;
use tables::{FIXED, Tables};

/// A zlib decoder whose memory is reused from stream to stream.
pub(super) struct Inflater {
    /// The tables of the last block with dynamic codes.
    tables: Box<Tables>,
    /// The first bytes of the stream that [`Inflater::start`] looked at.
    head: Vec<u8>,
}

impl Inflater {
    /// A decoder for any number of streams.
    pub(super) fn new() -> Self {
        Self {
            tables: Box::new(Tables::new()),
            head: Vec::new(),
        }
    }

    /// Inflates one stream at the start of `input` into `out`, which it must fill with exactly
    /// `size` bytes. What `out` held before is lost.
    pub(super) fn inflate(
        &mut self,
        input: &[u8],
        size: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), ObjectError> {
        self.inflate_front(input, size, out).map(drop)
    }

    /// As [`Inflater::inflate`]; returns how many bytes of `input` the stream has.
    pub(super) fn inflate_front(
        &mut self,
        input: &[u8],
        size: u64,
        out: &mut Vec<u8>,
    ) -> Result<usize, ObjectError> {
        let size = usize::try_from(size).map_err(|_| ObjectError::Size)?;
        let mut output = Output::new(out, size);
        let outcome = stream(&mut self.tables, input, &mut output);
        output.finish();
        outcome
    }

    /// Inflates the first bytes of the stream in `input` into `head` and returns their number.
    /// [`Inflater::resume`] goes on from there.
    pub(super) fn start(&mut self, input: &[u8], head: &mut [u8]) -> Result<usize, ObjectError> {
        let mut output = Output::new(&mut self.head, head.len());
        let outcome = stream(&mut self.tables, input, &mut output);
        output.finish();
        let is_full = self.head.len() >= head.len();
        self.head.truncate(head.len());
        // A stream may be longer, shorter, or cut off: whoever asks for its head finds out by
        // reading all of it.
        if outcome == Err(ObjectError::Inflate) && !is_full {
            return Err(ObjectError::Inflate);
        }
        head[..self.head.len()].copy_from_slice(&self.head);
        Ok(self.head.len())
    }

    /// Goes on after [`Inflater::start`] with the same `input`; `out` holds the bytes that are
    /// known already and must end with `size` of them.
    ///
    /// The few bytes known are inflated a second time, which is cheaper than to be able to stop
    /// anywhere.
    pub(super) fn resume(
        &mut self,
        input: &[u8],
        size: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), ObjectError> {
        let before = self.head.len().checked_sub(out.len());
        let before = before.ok_or(ObjectError::Size)?;
        let whole = size.checked_add(before as u64).ok_or(ObjectError::Size)?;
        self.inflate(input, whole, out)?;
        out.drain(..before);
        Ok(())
    }
}

/// A whole stream (RFC 1950, section 2.2), whose length is returned.
fn stream(
    tables: &mut Tables,
    input: &[u8],
    output: &mut Output<'_>,
) -> Result<usize, ObjectError> {
    let mut bits = Bits::new(input);
    bits.refill();
    read_header(&mut bits)?;
    match blocks(tables, input, &mut bits, output) {
        // What could not be understood was not all there.
        Err(ObjectError::Inflate) if bits.is_exhausted() => return Err(ObjectError::Truncated),
        outcome => outcome?,
    }
    if !output.is_complete() {
        return Err(ObjectError::Size);
    }
    let rest = bits.align(input);
    let (stated, rest) = rest.split_first_chunk().ok_or(ObjectError::Truncated)?;
    match simd_adler32::adler32(&output.written()) == u32::from_be_bytes(*stated) {
        true => Ok(input.len() - rest.len()),
        false => Err(ObjectError::Inflate),
    }
}

/// All blocks (RFC 1951, section 3.2.3).
fn blocks<'a>(
    tables: &mut Tables,
    input: &'a [u8],
    bits: &mut Bits<'a>,
    output: &mut Output<'_>,
) -> Result<(), ObjectError> {
    loop {
        bits.refill();
        let is_last = bits.take(1) == 1;
        match bits.take(2) {
            0 => stored(input, bits, output)?,
            1 => symbols::decode(bits, &FIXED, output)?,
            2 => {
                let lengths = Lengths::read(bits)?;
                tables.build(&lengths).ok_or(ObjectError::Inflate)?;
                symbols::decode(bits, tables, output)?;
            }
            _ => return Err(ObjectError::Inflate),
        }
        if is_last {
            return Ok(());
        }
    }
}

/// The two first bytes (RFC 1950, section 2.2).
fn read_header(bits: &mut Bits<'_>) -> Result<(), ObjectError> {
    let method = bits.take(8);
    let flags = bits.take(8);
    if bits.overrun() {
        return Err(ObjectError::Truncated);
    }
    let is_deflate = method & 0xf == 8 && method >> 4 <= 7;
    let has_dictionary = flags & 0x20 != 0;
    match is_deflate && !has_dictionary && (method << 8 | flags).is_multiple_of(31) {
        true => Ok(()),
        false => Err(ObjectError::Inflate),
    }
}

/// A block that is not compressed (RFC 1951, section 3.2.4).
fn stored<'a>(
    input: &'a [u8],
    bits: &mut Bits<'a>,
    output: &mut Output<'_>,
) -> Result<(), ObjectError> {
    let rest = bits.align(input);
    let (&[low, high, not_low, not_high], rest) =
        rest.split_first_chunk().ok_or(ObjectError::Truncated)?;
    if low != !not_low || high != !not_high {
        return Err(ObjectError::Inflate);
    }
    let length = usize::from(u16::from_le_bytes([low, high]));
    let (bytes, rest) = rest.split_at(length.min(rest.len()));
    output.append(bytes)?;
    *bits = Bits::new(rest);
    match bytes.len() == length {
        true => Ok(()),
        false => Err(ObjectError::Truncated),
    }
}
