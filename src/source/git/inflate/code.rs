//! A Huffman code, given by the lengths of its codes (RFC 1951, section 3.2.2).

/// Room for all symbols of a code.
pub(super) const SORTED: usize = 320;

/// The lengths of the codes of the symbols, in the order of these; zero is no code.
pub(super) struct Code<'a> {
    pub(super) lengths: &'a [u8],
    pub(super) counts: &'a Counts,
}

/// How many codes there are of each length. Lengths of 16 and more are those of no code.
#[derive(Clone, Default)]
pub(super) struct Counts([u16; 32]);

impl Counts {
    /// How many codes have this length.
    #[inline(always)]
    pub(super) fn of(&self, length: u32) -> usize {
        usize::from(self.0[length as usize & 31])
    }

    /// Notes `more` codes of a length.
    #[inline(always)]
    pub(super) fn add(&mut self, length: u8, more: u16) {
        self.0[usize::from(length) & 31] += more;
    }

    /// Takes back `fewer` codes of a length.
    pub(super) fn remove(&mut self, length: u8, fewer: u16) {
        self.0[usize::from(length) & 31] -= fewer;
    }

    /// Takes back one code of a length.
    pub(super) fn take(&mut self, length: u32) {
        self.0[length as usize & 31] -= 1;
    }

    /// The length of the longest code, zero when there is none.
    pub(super) fn longest(&self) -> u32 {
        let longest = (1..16).rev().find(|&length| self.of(length) != 0);
        longest.unwrap_or(0)
    }
}

impl Code<'_> {
    /// Whether the code has one code of one bit or none at all. Nothing when it is neither that nor
    /// complete: when some sequence of bits is no code, or is two.
    pub(super) fn is_partial(&self) -> Option<bool> {
        let all = 1 << 15;
        let taken = (1..16).map(|length| self.counts.of(length) << (15 - length));
        match taken.sum::<usize>() {
            0 => Some(true),
            taken if taken == all => Some(false),
            taken if taken == all / 2 && self.counts.of(1) == 1 => Some(true),
            _ => None,
        }
    }

    /// Orders the symbols that have a code by its length, then by their value, and returns how many
    /// they are. The counts must be those of the lengths.
    pub(super) fn sort(&self, sorted: &mut [u16; SORTED]) -> usize {
        // Symbols without a code are written after all others. They are many, and counting them in
        // one place makes each wait for the one before, so they have sixteen places.
        let mut offsets = [0u16; 32];
        let mut offset = 0;
        for (slot, count) in offsets[1..16].iter_mut().zip(&self.counts.0[1..16]) {
            *slot = offset;
            offset += count;
        }
        offsets[16..].fill(offset);
        let mut place = |symbol: usize, length: u8| {
            let slot = match length {
                0 => 16 | symbol & 15,
                _ => usize::from(length) & 15,
            };
            let offset = &mut offsets[slot];
            if let Some(target) = sorted.get_mut(usize::from(*offset)) {
                *target = symbol as u16;
            }
            *offset += 1;
        };
        let (groups, rest) = self.lengths.as_chunks::<8>();
        for (group, lengths) in groups.iter().enumerate() {
            // Bytes that no text has, for the most part.
            if u64::from_ne_bytes(*lengths) == 0 {
                continue;
            }
            for (index, &length) in lengths.iter().enumerate() {
                place(8 * group + index, length);
            }
        }
        for (index, &length) in rest.iter().enumerate() {
            place(8 * groups.len() + index, length);
        }
        usize::from(offset)
    }
}
