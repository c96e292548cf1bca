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
    /// A bit for each of these words in which half of a long run stands.
    halves: u8,
    read: ReadWords,
}

/// Bytes that become the bits of one number.
pub(super) const WORD: usize = 64;
/// Words read at a time.
pub(super) const WORDS: usize = 8;

/// Reads words: the bits of those of their bytes that are base64. Returns a bit for each of them in
/// which half of a long run stands.
pub(super) type ReadWords = fn(&[[u8; WORD]], &mut [u64; WORDS]) -> u8;

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
            halves: 0,
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
        self.halves = (self.read)(&words[..count], &mut self.words);
        if count < WORDS {
            let mut last = [[0; WORD]];
            last[0][..rest.len()].copy_from_slice(rest);
            let mut words = [0; WORDS];
            self.halves |= (self.read)(&last, &mut words) << count;
            self.words[count] = words[0];
        }
    }

    /// The next word from `base` on in which half of a long run stands, and where the run begins that
    /// reaches it. `None` when there is no more.
    #[inline]
    fn next_half(&mut self, mut base: usize) -> Option<(usize, usize)> {
        let mut before = 0;
        while base < self.text.len() {
            if base >= self.base + WORDS * WORD {
                before = self.words[WORDS - 1];
                self.read_from(base);
            }
            let at = (base - self.base) / WORD;
            let halves = u32::from(self.halves) >> at;
            if halves != 0 {
                let at = at + halves.trailing_zeros() as usize;
                if at > 0 {
                    before = self.words[at - 1];
                }
                let base = self.base + at * WORD;
                return Some((base, base - before.leading_ones() as usize));
            }
            base = self.base + WORDS * WORD;
        }
        None
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
            if base - open < HALF {
                match self.next_half(base) {
                    Some(found) => (base, open) = found,
                    None => {
                        self.at = self.text.len();
                        return None;
                    }
                }
            }
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
fn read(words: &[[u8; WORD]], to: &mut [u64; WORDS]) -> u8 {
    for (word, to) in words.iter().zip(&mut *to) {
        *to = bits(word);
    }
    halves(&to[..words.len()])
}

/// A bit for each word in which half of a long run stands.
#[inline(always)]
pub(super) fn halves(words: &[u64]) -> u8 {
    let halves = words.iter().map(|word| u8::from(half_runs(*word) != 0));
    halves.rev().fold(0, |all, half| all << 1 | half)
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

/// Of a run, whose bytes are all base64 and not less than eight.
fn has_both_cases(run: &[u8]) -> bool {
    let each = |byte: u8| u64::from_ne_bytes([byte; 8]);
    let (mut upper, mut lower) = (0, 0);
    let mut look = |eight: &[u8; 8]| {
        let eight = u64::from_ne_bytes(*eight);
        // Letters and `_` have the bit 0x40, small ones and nothing else of these 0x20; and the
        // five bits below are all set in `_` alone.
        let letters = eight & each(0x40);
        let small = eight << 1 & each(0x40);
        let line = ((eight & each(0x1f)) + each(1)) << 1;
        lower |= letters & small;
        upper |= letters & !small & !line;
        lower != 0 && upper != 0
    };
    let (eights, _) = run.as_chunks();
    eights.iter().any(&mut look) || run.last_chunk().is_some_and(look)
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
    fn letters_of_both_cases_are_seen_at_every_place() {
        let alphabet = (0..=u8::MAX).filter(|&byte| is_base64(byte));
        for byte in alphabet {
            for place in 0..19 {
                for other in *b"a_Z9" {
                    let mut run = [other; 19];
                    run[place] = byte;
                    let has = |is: fn(&u8) -> bool| run.iter().any(is);
                    let expected = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
                    assert_eq!(has_both_cases(&run), expected, "{byte} {place} {other}");
                }
            }
        }
    }

    #[test]
    fn runs_are_found_across_words_and_groups_of_them() {
        let filler = "ab ".repeat(300).into_bytes();
        let letters = "aB".repeat(400).into_bytes();
        for start in 400..600 {
            for len in [
                20, 31, 32, 33, 47, 48, 63, 64, 65, 95, 96, 127, 128, 129, 200, 700,
            ] {
                let run = &letters[..len];
                let text = [&filler[..start], b".", run, b".", &filler[..start % 70]].concat();
                let end = start + 1 + len;
                let expected = (len >= MIN_RUN).then(|| Span::new(start + 1, end));
                let expected = Vec::from_iter(expected);
                for text in [&text[..], &text[..end]] {
                    let found: Vec<_> = Base64Runs::new(text).collect();
                    assert_eq!(found, expected, "{start} {len}");
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
