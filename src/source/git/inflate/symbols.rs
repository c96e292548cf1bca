//! Decodes the symbols of a block (RFC 1951, section 3.2.3).
//!
//! The time goes into a chain: a symbol can be looked up when the bits of the one before are known.
//! So each takes one look-up, the next one comes before the copying, and copying and refilling are
//! done in its shadow. Two symbols in one look-up were tried: in the long blocks of packs, no more
//! than one look-up in six finds two in a table of eleven bits, which does not pay for building it.

use super::bits::Bits;
use super::entry::{
    END, Entry, INVALID, KIND, LONGER, SPECIAL, TOKEN, VALUE_SHIFT, code_bits, value,
};
use super::output::Output;
use super::tables::{DISTANCE_BITS, DISTANCE_START, Tables};
use crate::source::git::error::ObjectError;

/// Decodes the symbols of a block up to its end.
pub(super) fn decode(
    bits: &mut Bits<'_>,
    tables: &Tables,
    output: &mut Output<'_>,
) -> Result<(), ObjectError> {
    loop {
        let stop = match tables.root_bits {
            8 => run::<8>(bits, tables, output),
            9 => run::<9>(bits, tables, output),
            10 => run::<10>(bits, tables, output),
            _ => run::<11>(bits, tables, output),
        };
        if bits.overrun() {
            return Err(ObjectError::Truncated);
        }
        match stop {
            Stop::EndOfBlock => return output.ensure(),
            Stop::Invalid => return Err(ObjectError::Inflate),
            Stop::Room => output.ensure()?,
        }
    }
}

/// Decodes until there is a reason to stop, with what this processor has.
fn run<const ROOT_BITS: u32>(
    bits: &mut Bits<'_>,
    tables: &Tables,
    output: &mut Output<'_>,
) -> Stop {
    #[cfg(target_arch = "x86_64")]
    if super::x86_64::is_supported() {
        return super::x86_64::run::<ROOT_BITS>(bits, tables, output);
    }
    portable::<ROOT_BITS>(bits, tables, output)
}

#[inline(never)]
fn portable<const ROOT_BITS: u32>(
    bits: &mut Bits<'_>,
    tables: &Tables,
    output: &mut Output<'_>,
) -> Stop {
    steps::<ROOT_BITS>(bits, tables, output)
}

/// Why decoding stopped.
pub(super) enum Stop {
    /// The room is used up.
    Room,
    /// The block ends.
    EndOfBlock,
    /// The next bits are no code, or reach back before the start.
    Invalid,
}

/// Decodes until there is a reason to stop. `ROOT_BITS` are those of the tables.
#[inline(always)]
pub(super) fn steps<const ROOT_BITS: u32>(
    bits: &mut Bits<'_>,
    tables: &Tables,
    output: &mut Output<'_>,
) -> Stop {
    let mut source = bits.clone();
    let (bytes, mut at, room) = output.parts();
    let entries = &tables.entries;
    let near = |held: u64| entries[held as usize & ((1 << ROOT_BITS) - 1)];
    let far = |held: u64| entries[DISTANCE_START | held as usize & ((1 << DISTANCE_BITS) - 1)];
    source.refill();
    let mut entry = near(source.peek());
    let stop = loop {
        if at > room {
            break Stop::Room;
        }
        // After a refill 56 bits can be skipped. A literal, a length and a distance found by the
        // first look-up take up to 11 + 16 + 21; before longer ones there is a refill of their own.
        if entry & TOKEN == 0 {
            literal(&mut source, bytes, &mut at, entry);
            entry = near(source.peek());
            if entry & TOKEN == 0 {
                literal(&mut source, bytes, &mut at, entry);
                entry = near(source.peek());
                source.refill();
                continue;
            }
        }
        if entry & SPECIAL != 0 {
            source.refill();
            entry = longer::<ROOT_BITS>(tables, entry, source.peek());
            if entry & SPECIAL != 0 {
                if entry & KIND == END {
                    source.skip(entry);
                    break Stop::EndOfBlock;
                }
                break Stop::Invalid;
            }
            if entry & TOKEN == 0 {
                literal(&mut source, bytes, &mut at, entry);
                entry = near(source.peek());
                source.refill();
                continue;
            }
        }
        let length = value(entry, source.peek());
        source.skip(entry);
        let mut back = far(source.peek());
        if back & SPECIAL != 0 {
            source.refill();
            back = longer::<DISTANCE_BITS>(tables, back, source.peek());
            if back & SPECIAL != 0 {
                break Stop::Invalid;
            }
        }
        let distance = value(back, source.peek());
        source.skip(back);
        entry = near(source.peek());
        source.refill();
        let Some(from) = at.checked_sub(distance) else {
            break Stop::Invalid;
        };
        repeat(bytes, from, at, length);
        at += length;
    };
    *bits = source;
    output.set(at);
    stop
}

/// The entry of a code longer than the root.
#[cold]
#[inline(never)]
fn longer<const ROOT_BITS: u32>(tables: &Tables, entry: Entry, held: u64) -> Entry {
    if entry & KIND != LONGER {
        return entry;
    }
    let rest = (held >> ROOT_BITS) as usize;
    let index = rest & ((1 << code_bits(entry)) - 1);
    tables
        .entries
        .get((entry >> VALUE_SHIFT) as usize + index)
        .copied()
        .unwrap_or(INVALID)
}

/// Takes the code of a literal and writes it.
#[inline(always)]
fn literal(source: &mut Bits<'_>, bytes: &mut [u8], at: &mut usize, entry: Entry) {
    source.skip(entry);
    bytes[*at] = (entry >> VALUE_SHIFT) as u8;
    *at += 1;
}

/// Bytes that most matches take with one copy.
const WIDE: usize = 32;

/// Writes `length` bytes to `at`, which repeat those of `from..at`, and anything after them.
#[inline(always)]
fn repeat(bytes: &mut [u8], from: usize, at: usize, length: usize) {
    if let Some((done, free)) = bytes.split_at_mut_checked(at)
        && let Some(source) = done.get(from..).and_then(|done| done.first_chunk::<WIDE>())
        && let Some(target) = free.first_chunk_mut::<WIDE>()
        && length <= WIDE
    {
        *target = *source;
    } else {
        repeat_near_or_long(bytes, from, at, length);
    }
}

/// The same for matches that are too long for one copy, or that overlap themselves.
#[cold]
#[inline(never)]
fn repeat_near_or_long(bytes: &mut [u8], mut from: usize, mut at: usize, length: usize) {
    let distance = at - from;
    let end = at + length;
    if distance >= 16 {
        while at < end {
            bytes.copy_within(from..from + 16, at);
            from += 16;
            at += 16;
        }
        return;
    }
    let bytes = &mut bytes[from..end];
    if distance == 1 {
        bytes.fill(bytes[0]);
        return;
    }
    for index in distance..bytes.len() {
        bytes[index] = bytes[index - distance];
    }
}
