//! How hard a value is to guess for somebody who knows how people choose passwords.
//!
//! A value that a dictionary attack finds must not be turned into an id that is a hash of it, and
//! is a password rather than a key. The estimate errs on the low side for what people make up and
//! stays near the truth for what a machine drew: words, walks over the keyboard, dates and
//! repetitions count little, everything else by the size of its alphabet.

mod patterns;
mod words;

use patterns::pattern_length;
use words::{LEAKED, word_bits};

pub use words::pair_cost;

/// A value below this many bits can be found from its hash with a few graphics cards.
const GUESSABLE_BELOW: f64 = 56.0;
/// A value below this many bits is among the first million that are tried.
const WEAK_BELOW: f64 = 20.0;
/// Bytes looked at: what is longer only gets harder.
const LONGEST: usize = 256;

/// What a repeated block, a sequence or a keyboard walk counts: where it starts and how long it is.
const PATTERN_BITS: f64 = 6.0;
const DIGIT_BITS: f64 = 3.32;
const SYMBOL_BITS: f64 = 5.0;
/// `-`, `_`, `.` and the like between words, and a `!` at the end.
const SEPARATOR_BITS: f64 = 2.0;
/// Per byte of what is not ASCII: people write words in their own script.
const OTHER_BITS: f64 = 3.0;
const HEX_BITS: f64 = 4.0;
const LEAKED_BITS: f64 = 4.0;
const YEAR_BITS: f64 = 6.0;
const DATE_BITS: f64 = 13.0;

/// An estimate of the bits that an attacker has to guess.
pub fn entropy_bits(secret: &[u8]) -> f64 {
    let secret = &secret[..secret.len().min(LONGEST)];
    if let Some(hex) = hex_digits(secret) {
        return literal_bits(&hex, |_| HEX_BITS);
    }
    if let Some(decoration) = leaked(secret) {
        return LEAKED_BITS + Estimate::new(decoration).bits();
    }
    Estimate::new(secret).bits()
}

/// Whether the value is one of the passwords that every list begins with, up to digits and signs at
/// its end.
pub fn is_leaked(secret: &[u8]) -> bool {
    leaked(secret).is_some()
}

/// What guessing a value takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Strength {
    /// A few guesses at a log-in prompt.
    Weak,
    /// A hash of it and a dictionary.
    Guessable,
    /// More than anybody has.
    Strong,
}

/// What guessing `secret` takes.
pub fn strength(secret: &[u8]) -> Strength {
    let bits = entropy_bits(secret);
    match () {
        () if bits < WEAK_BELOW => Strength::Weak,
        () if bits < GUESSABLE_BELOW => Strength::Guessable,
        () => Strength::Strong,
    }
}

/// The digits and signs at the end of a leaked password.
fn leaked(secret: &[u8]) -> Option<&[u8]> {
    let lower = secret.to_ascii_lowercase();
    let stem = lower.len() - trailing_decoration(&lower);
    let whole = LEAKED.contains(&&lower[..]);
    match whole {
        true => Some(&[]),
        false => LEAKED.contains(&&lower[..stem]).then(|| &secret[stem..]),
    }
}

/// Whether a dictionary attack on a hash of the value is likely to succeed.
pub fn is_guessable(secret: &[u8]) -> bool {
    strength(secret) < Strength::Strong
}

/// The digits of a value that is hexadecimal from end to end, with letters among them; a UUID's
/// dashes are left out.
fn hex_digits(secret: &[u8]) -> Option<Vec<u8>> {
    let dashes = [8, 13, 18, 23];
    let is_uuid = secret.len() == 36 && dashes.iter().all(|&at| secret[at] == b'-');
    let digits: Vec<u8> = match is_uuid {
        true => secret.iter().copied().filter(|&c| c != b'-').collect(),
        false => secret.to_vec(),
    };
    let hex = digits.len() >= 16 && digits.iter().all(u8::is_ascii_hexdigit);
    let mixed = digits.iter().any(u8::is_ascii_digit) && digits.iter().any(u8::is_ascii_alphabetic);
    (hex && mixed).then_some(digits)
}

/// Bits of a value without words, in which only patterns are looked for.
fn literal_bits(text: &[u8], bits: impl Fn(u8) -> f64) -> f64 {
    let mut total = 0.0;
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        match pattern_length(text, at) {
            0 => {
                total += bits(c);
                at += 1;
            }
            length => {
                total += PATTERN_BITS;
                at += length;
            }
        }
    }
    total
}

/// Digits and signs at the end of a value.
fn trailing_decoration(text: &[u8]) -> usize {
    text.iter()
        .rev()
        .take_while(|c| !c.is_ascii_alphabetic() && c.is_ascii())
        .count()
}

/// Walks over a value and adds up the bits of its parts.
struct Estimate<'a> {
    text: &'a [u8],
    at: usize,
    /// Bits of what was recognised.
    known: f64,
    /// Letters and digits in which nothing was recognised.
    free_letters: usize,
    free_digits: usize,
}

impl<'a> Estimate<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            known: 0.0,
            free_letters: 0,
            free_digits: 0,
        }
    }

    fn bits(mut self) -> f64 {
        while let Some(&c) = self.text.get(self.at) {
            let pattern = pattern_length(self.text, self.at);
            match c {
                _ if pattern > 0 => {
                    self.at += pattern;
                    self.known += PATTERN_BITS;
                }
                c if c.is_ascii_alphabetic() => self.letters(),
                c if c.is_ascii_digit() => self.digits(),
                _ => self.sign(c),
            }
        }
        self.known + self.free_bits()
    }

    /// What nothing was recognised in: of its alphabet when that is half of the value, as in what
    /// a machine drew; otherwise letters as letters and digits as digits.
    fn free_bits(&self) -> f64 {
        let has = |member: fn(&u8) -> bool| self.text.iter().any(member);
        let both = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
        let letters = if both { 52.0 } else { 26.0 };
        let free = self.free_letters + self.free_digits;
        if 2 * free >= self.text.len() && self.free_letters > 0 && self.free_digits > 0 {
            return free as f64 * f64::log2(letters + 10.0);
        }
        self.free_letters as f64 * letters.log2() + self.free_digits as f64 * DIGIT_BITS
    }

    fn sign(&mut self, c: u8) {
        self.at += 1;
        self.known += match c {
            b'!' if self.at == self.text.len() => SEPARATOR_BITS,
            b'-' | b'_' | b'.' | b' ' | b'/' | b':' => SEPARATOR_BITS,
            c if c.is_ascii() => SYMBOL_BITS,
            _ => OTHER_BITS,
        };
    }

    fn digits(&mut self) {
        let run = self.until_pattern(self.run(|c| c.is_ascii_digit()));
        let digits = &self.text[self.at..self.at + run];
        self.at += run;
        match run {
            4 if is_year(digits) => self.known += YEAR_BITS,
            8 if is_date(digits) => self.known += DATE_BITS,
            _ => self.free_digits += run,
        }
    }

    fn letters(&mut self) {
        if let Some((length, bits)) = self.disguised_word() {
            self.at += length;
            self.known += bits;
            return;
        }
        let token = self.until_pattern(self.camel_hump());
        let text = &self.text[self.at..self.at + token];
        let separated = self.beside_separator(self.at, token);
        self.at += token;
        match word_bits(text, separated) {
            Some(bits) => self.known += bits,
            None => self.free_letters += token,
        }
    }

    /// `length`, or less when a pattern begins before that.
    fn until_pattern(&self, length: usize) -> usize {
        let starts = |&at: &usize| pattern_length(self.text, self.at + at) > 0;
        (1..length).find(starts).unwrap_or(length)
    }

    fn run(&self, member: impl Fn(&u8) -> bool) -> usize {
        self.text[self.at..]
            .iter()
            .take_while(|c| member(c))
            .count()
    }

    /// Length of `Word`, `word` or `WORD`; of `JSONFile` the first four.
    fn camel_hump(&self) -> usize {
        let rest = &self.text[self.at..];
        let upper = rest.iter().take_while(|c| c.is_ascii_uppercase()).count();
        let lower = rest[upper..]
            .iter()
            .take_while(|c| c.is_ascii_lowercase())
            .count();
        match (upper, lower) {
            (0 | 1, lower) => upper + lower,
            (upper, 0) => upper,
            (upper, _) => upper - 1,
        }
    }

    /// A word with digits and signs for some of its letters, `P4ssw0rd`: its length and bits.
    fn disguised_word(&self) -> Option<(usize, f64)> {
        let mut word = Vec::new();
        let mut swapped = 0;
        for pair in self.text[self.at..].windows(2) {
            let beside = |c: u8| c.is_ascii_alphabetic() || letter_for(c).is_some();
            match pair[0] {
                c if c.is_ascii_alphabetic() => word.push(c),
                c if beside(pair[1]) => {
                    word.push(letter_for(c)?);
                    swapped += 1;
                }
                _ => break,
            }
        }
        let end = self.at + word.len();
        let last = self.text.get(end).filter(|c| c.is_ascii_alphabetic());
        word.extend(last);
        let plain = word.iter().skip(1).all(u8::is_ascii_lowercase);
        // A random run of lower-case letters and digits must not pass for one: the word begins
        // where words begin, few of its letters are swapped, and it reads well.
        let swapped_few = swapped > 0 && swapped * 4 <= word.len();
        if !plain || !swapped_few || !self.begins_word() || pair_cost(&word) > 4.1 {
            return None;
        }
        let bits = word_bits(&word, false)?;
        Some((word.len(), bits + swapped as f64))
    }

    /// Whether a word may begin here: at the start, after a sign, or at a capital after a letter.
    fn begins_word(&self) -> bool {
        match self.at.checked_sub(1).map(|before| self.text[before]) {
            None => true,
            Some(before) if before.is_ascii_lowercase() => self.text[self.at].is_ascii_uppercase(),
            Some(before) => !before.is_ascii_alphanumeric(),
        }
    }

    /// Whether a separator stands on one side of a token and a separator or an end on the other.
    fn beside_separator(&self, start: usize, length: usize) -> bool {
        let separator = |c: &u8| matches!(c, b'-' | b'_' | b'.' | b' ' | b'/' | b':');
        let before = start.checked_sub(1).map(|at| separator(&self.text[at]));
        let after = self.text.get(start + length).map(separator);
        matches!(
            (before, after),
            (Some(true), None | Some(true)) | (None, Some(true))
        )
    }
}

/// The letter that a digit or a sign stands for.
fn letter_for(c: u8) -> Option<u8> {
    match c {
        b'0' => Some(b'o'),
        b'1' | b'!' => Some(b'i'),
        b'3' => Some(b'e'),
        b'4' | b'@' => Some(b'a'),
        b'5' | b'$' => Some(b's'),
        b'7' => Some(b't'),
        _ => None,
    }
}

fn is_year(digits: &[u8]) -> bool {
    matches!(digits, [b'1', b'9', ..] | [b'2', b'0', b'0'..=b'4', _])
}

/// Year first or last.
fn is_date(digits: &[u8]) -> bool {
    let two = |at: usize| (digits[at] - b'0') * 10 + digits[at + 1] - b'0';
    let day = |at: usize| (1..=31).contains(&two(at));
    let month = |at: usize| (1..=12).contains(&two(at));
    let year_first = is_year(&digits[..4]) && month(4) && day(6);
    let year_last = is_year(&digits[4..]) && (day(0) && month(2) || month(0) && day(2));
    year_first || year_last
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detector::template::expand;

    #[test]
    fn what_people_choose_is_guessable() {
        for password in [
            "",
            "hunter2",
            "Passw0rd!2024",
            "P@ssw0rd123!",
            "CorrectHorseBatteryStaple1!",
            "correct-horse-battery-staple",
            "companyname-prod-db",
            "qwertyuiop1234567890",
            "1qaz2wsx3edc4rfv",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabcabcabcabc",
            "00000000-0000-0000-0000-000000000000",
            "01234567-89ab-cdef-0123-456789abcdef",
            "0123456789abcdef0123456789abcdef",
            "Summer2023!",
            "20240131",
            "31.12.1999",
            "postgres",
            "DATABASE_PASSWORD",
            "mySuperSecretPassword",
            "Welcome2Company!",
            "changeme123456",
            "iloveyou2",
            "ThisIsMyPassword",
            "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}",
        ] {
            let bits = entropy_bits(password.as_bytes());
            assert!(
                is_guessable(password.as_bytes()),
                "{password}: {bits:.1} bits"
            );
        }
    }

    /// How many of `draws` draws are taken for guessable.
    fn guessable(template: &str, draws: u64) -> usize {
        let drawn = |seed| expand(template, seed).expect("valid").secret;
        let wrong = |&seed: &u64| is_guessable(drawn(seed).as_bytes());
        (0..draws).filter(wrong).count()
    }

    #[test]
    fn what_machines_draw_is_not() {
        for template in [
            "{{alnum:16}}",
            "{{base64:16}}",
            "{{base64url:22}}",
            "{{lowernum:20}}",
            "{{base32:20}}",
            "{{hex:32}}",
            "{{uuid}}",
        ] {
            let wrong = guessable(template, 1000);
            assert!(wrong <= 1, "{template}: {wrong} of 1000");
        }
        for template in [
            "{{alnum:32}}",
            "{{lower:20}}",
            "{{HEX:40}}",
            "{{hex:64}}",
            "{{digits:24}}",
            "{{crc-base62:ghp_:30}}",
        ] {
            assert_eq!(guessable(template, 300), 0, "{template}");
        }
    }

    /// 16 characters of a small alphabet hold little more than the threshold.
    #[test]
    fn short_values_of_one_case_are_hardly_ever_guessable() {
        for template in ["{{lowernum:16}}", "{{base32:16}}"] {
            let wrong = guessable(template, 500);
            assert!(wrong <= 5, "{template}: {wrong} of 500");
        }
    }

    #[test]
    fn short_random_values_are_rated_by_their_alphabet() {
        for (template, least, most) in [
            ("{{alnum:8}}", 35.0, 48.0),
            ("{{digits:6}}", 6.0, 20.0),
            ("{{hex:16}}", 50.0, 64.0),
            ("{{alnum:12}}", 50.0, 72.0),
        ] {
            let bits: f64 = (0..500)
                .map(|seed| entropy_bits(expand(template, seed).expect("valid").secret.as_bytes()))
                .sum::<f64>()
                / 500.0;
            assert!(
                (least..=most).contains(&bits),
                "{template}: {bits:.1} on average"
            );
        }
    }

    #[test]
    fn saying_it_again_adds_little() {
        for seed in 0..200 {
            let text = expand("{{alnum:14}}", seed).expect("valid").secret;
            let once = entropy_bits(text.as_bytes());
            let again = entropy_bits(text.repeat(5).as_bytes());
            assert!(
                again <= once + 3.0 * PATTERN_BITS,
                "{once} and {again} of seed {seed}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_finite_rating(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let bits = entropy_bits(&bytes);
            prop_assert!(bits >= 0.0 && bits <= 8.0 * LONGEST as f64);
        }

        #[test]
        fn ascii_has_a_finite_rating(text in "[ -~]{0,80}") {
            let bits = entropy_bits(text.as_bytes());
            prop_assert!(bits >= 0.0 && bits <= 7.0 * text.len() as f64 + PATTERN_BITS);
        }
    }
}
