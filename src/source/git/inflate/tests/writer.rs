//! Writes streams bit by bit, sound ones and others.

/// The order in which the lengths of the code of code lengths come (RFC 1951, section 3.2.7).
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// A stream in the making.
pub(super) struct Writer {
    bytes: Vec<u8>,
    bits: u32,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0x78, 0x9c],
            bits: 0,
        }
    }

    /// Appends bits, the lowest first, and zeros past those of the value.
    pub(super) fn bits(&mut self, value: u32, count: u32) -> &mut Self {
        for bit in 0..count {
            if self.bits == 0 {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().expect("there is one");
            *last |= (value.checked_shr(bit).unwrap_or(0) as u8 & 1) << self.bits;
            self.bits = (self.bits + 1) % 8;
        }
        self
    }

    /// Appends a code, the highest bit first.
    pub(super) fn code(&mut self, (code, length): (u32, u32)) -> &mut Self {
        assert!(length > 0, "the symbol has a code");
        self.bits(code.reverse_bits() >> (32 - length), length)
    }

    /// Begins a last block of this kind.
    pub(super) fn block(&mut self, kind: u32) -> &mut Self {
        self.bits(1, 1).bits(kind, 2)
    }

    /// The head of a block with dynamic codes, each length written as it is.
    pub(super) fn lengths(&mut self, literals: &[u8], distances: &[u8]) -> &mut Self {
        let all: Vec<(u8, u32, u32)> = literals
            .iter()
            .chain(distances)
            .map(|&length| (length, 0, 0))
            .collect();
        self.runs(literals.len(), distances.len(), &all)
    }

    /// The same with given symbols of the code of code lengths, and their extra bits.
    pub(super) fn runs(
        &mut self,
        literals: usize,
        distances: usize,
        runs: &[(u8, u32, u32)],
    ) -> &mut Self {
        self.block(2)
            .bits(literals as u32 - 257, 5)
            .bits(distances as u32 - 1, 5)
            .bits(15, 4);
        // 13 codes of four bits and six of five.
        let mut lengths = [4u8; 19];
        lengths[13..].fill(5);
        for symbol in ORDER {
            self.bits(u32::from(lengths[symbol]), 3);
        }
        let codes = codes(&lengths);
        for &(symbol, extra, count) in runs {
            self.code(codes[symbol as usize]).bits(extra, count);
        }
        self
    }

    /// The stream, with the checksum of `content`.
    pub(super) fn finish(&mut self, content: &[u8]) -> Vec<u8> {
        let mut stream = self.bytes.clone();
        stream.extend(simd_adler32::adler32(&content).to_be_bytes());
        stream
    }
}

/// The codes that lengths stand for (RFC 1951, section 3.2.2).
pub(super) fn codes(lengths: &[u8]) -> Vec<(u32, u32)> {
    let mut codes = vec![(0, 0); lengths.len()];
    let mut next = 0;
    for length in 1..16 {
        next <<= 1;
        for (code, _) in codes
            .iter_mut()
            .zip(lengths)
            .filter(|&(_, &has)| u32::from(has) == length)
        {
            *code = (next, length);
            next += 1;
        }
    }
    codes
}

/// The lengths of the fixed codes (RFC 1951, section 3.2.6).
pub(super) fn fixed() -> (Vec<u8>, Vec<u8>) {
    let mut literals = vec![8; 288];
    literals[144..256].fill(9);
    literals[256..280].fill(7);
    (literals, vec![5; 30])
}
