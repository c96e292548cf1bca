//! What the entries of the decoding tables hold (RFC 1951, section 3.2.5).

use super::lengths::{DISTANCES, LITERALS};

/// What the bits at hand stand for. It holds all that is needed to go on, so that a symbol takes
/// one look-up.
///
/// ```text
/// bits 0..6   bits of the code and its extra bits
/// bit  6      TOKEN: no literal
/// bit  7      SPECIAL: no symbol of data, see KIND
/// bits 8..12  bits of the code alone
/// bits 12..16 extra bits alone
/// bits 16..32 the literal, or the base of the length or distance
/// ```
///
/// In an entry that is `LONGER`, bits 8..12 are the number of further bits to look at, and bits
/// 16..32 the place where the entries they choose from begin.
pub(super) type Entry = u32;

/// No literal.
pub(super) const TOKEN: Entry = 1 << 6;
/// The end of the block, a code longer than the first look-up, or no code at all.
pub(super) const SPECIAL: Entry = 1 << 7;
/// Where literals, bases and places are held.
pub(super) const VALUE_SHIFT: u32 = 16;

/// What tells the special entries from each other.
pub(super) const KIND: Entry = SPECIAL | TOKEN | 3 << 12;
/// No code.
pub(super) const INVALID: Entry = SPECIAL | TOKEN;
/// A code longer than the first look-up.
pub(super) const LONGER: Entry = SPECIAL | TOKEN | 1 << 12;
/// The end of the block.
pub(super) const END: Entry = SPECIAL | TOKEN | 2 << 12;

/// One bit of a code.
pub(super) const CODE_BIT: Entry = 1 | 1 << 8;
/// One extra bit.
const EXTRA_BIT: Entry = 1 | 1 << 12;

/// The number in an entry's bits 8..12.
#[inline(always)]
pub(super) fn code_bits(entry: Entry) -> u32 {
    entry >> 8 & 15
}

/// The base that an entry holds, and the extra bits that follow its code in `held`.
#[inline(always)]
pub(super) fn value(entry: Entry, held: u64) -> usize {
    // The mask is made of the extra bits and not of all bits: with these, the compiler shares an
    // instruction with the shift that the next look-up waits for, which makes it one later.
    let extra = (held >> code_bits(entry)) as u32 & !(u32::MAX << (entry >> 12 & 15));
    ((entry >> VALUE_SHIFT) + extra) as usize
}

/// Entries of literals and lengths, but for their codes.
pub(super) const LITERAL_ENTRIES: [Entry; LITERALS] = {
    let mut entries = [INVALID; LITERALS];
    let mut symbol = 0;
    while symbol < 256 {
        entries[symbol] = (symbol as u32) << VALUE_SHIFT;
        symbol += 1;
    }
    entries[256] = END;
    // 257 to 264 have no extra bits, and each four that follow have one more.
    symbol = 257;
    let mut base = 3;
    while symbol < 285 {
        let extra = match symbol < 265 {
            true => 0,
            false => (symbol as u32 - 261) / 4,
        };
        entries[symbol] = TOKEN | base << VALUE_SHIFT | (extra * EXTRA_BIT);
        base += 1 << extra;
        symbol += 1;
    }
    entries[285] = TOKEN | 258 << VALUE_SHIFT;
    entries
};

/// Entries of distances, but for their codes.
pub(super) const DISTANCE_ENTRIES: [Entry; DISTANCES] = {
    let mut entries = [INVALID; DISTANCES];
    // 0 to 3 have no extra bits, and each two that follow have one more.
    let mut symbol = 0;
    let mut base = 1;
    while symbol < 30 {
        let extra = match symbol < 4 {
            true => 0,
            false => (symbol as u32 - 2) / 2,
        };
        entries[symbol] = TOKEN | base << VALUE_SHIFT | (extra * EXTRA_BIT);
        base += 1 << extra;
        symbol += 1;
    }
    entries
};
