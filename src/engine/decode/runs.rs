//! Finds runs of base64 characters.

use crate::model::Span;

/// Shortest base64 run that is decoded, in characters: 24 bytes of content.
pub(in crate::engine) const MIN_RUN: usize = 32;

/// The maximal runs of base64 characters (either alphabet of RFC 4648) of at least 32, with letters
/// of both cases: what has none of one case is a path, a rule or a name, and no encoded text.
#[derive(Debug)]
pub struct Base64Runs<'a> {
    text: &'a [u8],
    at: usize,
    /// A bit for each byte of the stretch that starts at `base`.
    words: [u64; WORDS],
    base: usize,
    read: ReadWords,
}

/// Bytes that become the bits of one number.
pub(super) const WORD: usize = 64;
/// Words read at a time.
pub(super) const WORDS: usize = 8;

/// Reads words: the bits of those of their bytes that are base64.
pub(super) type ReadWords = fn(&[[u8; WORD]], &mut [u64; WORDS]);

impl<'a> Base64Runs<'a> {
    /// All runs of `text`.
    pub fn new(text: &'a [u8]) -> Self {
        #[cfg(target_arch = "x86_64")]
        let read = super::x86_64::read().unwrap_or(read);
        #[cfg(not(target_arch = "x86_64"))]
        let read = read;
        let mut runs = Self {
            text,
            at: 0,
            words: [0; WORDS],
            base: 0,
            read,
        };
        runs.read_from(0);
        runs
    }

    /// Reads the words from `base` on.
    fn read_from(&mut self, base: usize) {
        self.base = base;
        let rest = self.text.get(base..).unwrap_or_default();
        let (words, rest) = rest.as_chunks::<WORD>();
        let count = words.len().min(WORDS);
        (self.read)(&words[..count], &mut self.words);
        if count < WORDS {
            let mut last = [[0; WORD]];
            last[0][..rest.len()].copy_from_slice(rest);
            let mut words = [0; WORDS];
            (self.read)(&last, &mut words);
            self.words[count] = words[0];
        }
    }

    /// The word at `base`, which is no less than at the last call.
    #[inline]
    fn word(&mut self, base: usize) -> u64 {
        if base >= self.base + WORDS * WORD {
            self.read_from(base);
        }
        self.words[(base - self.base) / WORD]
    }

    /// The next run that is long enough, and moves to its end.
    fn next_long(&mut self) -> Option<Span> {
        let mut base = self.at - self.at % WORD;
        // Where the run begins that reaches `base`: there, when none does.
        let mut open = base;
        while base < self.text.len() {
            let seen = self.at.saturating_sub(base);
            let word = self.word(base) & u64::MAX << seen;
            let next = base + WORD;
            // A long run has half of its bytes in this word or behind it.
            if half_runs(word) != 0 || base - open >= HALF {
                let first = word.trailing_ones() as usize;
                let run = match long_run(word) {
                    _ if first < WORD && base + first - open >= MIN_RUN => {
                        Some(Span::new(open, base + first))
                    }
                    Some((start, end)) if end < WORD => Some(Span::new(base + start, base + end)),
                    _ => None,
                };
                if let Some(run) = run {
                    self.at = run.end;
                    return Some(run);
                }
                if first == WORD {
                    base = next;
                    continue;
                }
            }
            open = next - word.leading_ones() as usize;
            base = next;
        }
        // A run to the very end of a text of whole words.
        self.at = self.text.len();
        let end = self.text.len();
        (open + MIN_RUN <= end).then(|| Span::new(open, end))
    }
}

impl Iterator for Base64Runs<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        loop {
            let run = self.next_long()?;
            if has_both_cases(&self.text[run.range()]) {
                let after = self.text[run.end..].iter().take(2);
                let padding = after.take_while(|&&byte| byte == b'=').count();
                return Some(Span::new(run.start, run.end + padding));
            }
        }
    }
}

/// Where the first run of at least [`MIN_RUN`] bits in a word starts and ends.
#[inline(always)]
fn long_run(word: u64) -> Option<(usize, usize)> {
    const { assert!(MIN_RUN == 32) };
    let halves = half_runs(word);
    let starts = halves & halves >> HALF;
    (starts != 0).then(|| {
        let start = starts.trailing_zeros();
        let len = (word >> start).trailing_ones();
        (start as usize, (start + len) as usize)
    })
}

/// Half of the shortest run.
const HALF: usize = MIN_RUN / 2;

/// The bits with which [`HALF`] set ones begin.
#[inline(always)]
fn half_runs(word: u64) -> u64 {
    const { assert!(HALF == 16) };
    [1, 2, 4, 8]
        .iter()
        .fold(word, |starts, shift| starts & starts >> shift)
}

/// Without instructions that not every processor has.
fn read(words: &[[u8; WORD]], to: &mut [u64; WORDS]) {
    for (word, to) in words.iter().zip(to) {
        *to = bits(word);
    }
}

/// Without a branch, for wide registers.
#[inline(always)]
fn bits(bytes: &[u8; WORD]) -> u64 {
    let mut is = [0u8; WORD];
    for (is, &byte) in is.iter_mut().zip(bytes) {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let digit = byte.wrapping_sub(b'0') < 10;
        let other = (byte == b'+') | (byte == b'/') | (byte == b'-') | (byte == b'_');
        *is = u8::from(letter | digit | other);
    }
    let (eights, _) = is.as_chunks::<8>();
    eights.iter().rev().fold(0, |bits, &eight| {
        // Moves the lowest bits of eight bytes into the highest byte.
        let gathered = u64::from_le_bytes(eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits << 8 | gathered
    })
}

/// Of a run. Without a branch in a block, for wide registers.
fn has_both_cases(run: &[u8]) -> bool {
    const BLOCK: usize = 16;
    let (mut upper, mut lower) = (false, false);
    let mut look = |bytes: &[u8]| {
        let any = |from: u8| {
            bytes
                .iter()
                .fold(false, |any, &byte| any | (byte.wrapping_sub(from) < 26))
        };
        upper |= any(b'A');
        lower |= any(b'a');
        upper && lower
    };
    let (blocks, rest) = run.as_chunks::<BLOCK>();
    blocks.iter().any(|block| look(block)) || look(rest)
}

/// Whether a byte is of either alphabet.
pub(in crate::engine) const fn is_base64(byte: u8) -> bool {
    IS_BASE64[byte as usize]
}

const IS_BASE64: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let c = byte as u8;
        table[byte] = c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'-' | b'_');
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_maximal_and_take_their_padding() {
        let run = "QUJk".repeat(9);
        let text = format!("x = {run}==; short QUJkQUJk {run}");
        let runs: Vec<_> = Base64Runs::new(text.as_bytes()).map(Span::range).collect();
        assert_eq!(runs.len(), 2);
        assert_eq!(text.get(runs[0].clone()), Some(&*format!("{run}==")));
        assert_eq!(text.get(runs[1].clone()), Some(&*run));
    }

    #[test]
    fn a_word_agrees_with_the_table_on_every_byte_at_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..WORD {
                let mut bytes = [0; WORD];
                bytes[place] = byte;
                let expected = u64::from(is_base64(byte)) << place;
                for read in [read, Base64Runs::new(&[]).read] {
                    let mut words = [0; WORDS];
                    read(&[bytes], &mut words);
                    assert_eq!(words[0], expected, "{byte}");
                }
            }
        }
    }

    #[test]
    fn rules_paths_and_names_are_no_runs() {
        for word in [
            "-",
            "_",
            "drivers/net/",
            "some_long_name_",
            "LONG_CONSTANT_",
        ] {
            assert_eq!(
                Base64Runs::new(word.repeat(64).as_bytes()).count(),
                0,
                "{word}"
            );
        }
    }
}
