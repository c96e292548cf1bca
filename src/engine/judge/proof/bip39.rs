//! Mnemonics of wallets (BIP-39): words of a list of 2048, the last of which ends in a checksum.
//!
//! `bip39_english.txt` is the English list of the specification, as it is
//! (<https://github.com/bitcoin/bips/blob/master/bip-0039/english.txt>); a test holds its sum.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::{Candidate, Verdict};
use crate::engine::judge::placeholder::is_documented;

const ENGLISH: &str = include_str!("bip39_english.txt");

/// Words of the list with single spaces between, as many as there can be, and a right checksum.
/// Phrases of few different words, and those that tools print as
/// their default, protect nothing.
pub(super) fn mnemonic(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let words: Vec<_> = secret.split(|&c| c == b' ').collect();
    let Some(numbers) = numbers(&words) else {
        return Verdict::Refuted;
    };
    let different = numbers.iter().collect::<BTreeSet<_>>().len();
    let is_example = different * 4 <= numbers.len() * 3 || is_documented(secret);
    match !is_example && ends_in_checksum(&numbers) {
        true => Verdict::checksum(format!("BIP-39, {} words", numbers.len())),
        false => Verdict::Refuted,
    }
}

/// Where the words stand in the list.
fn numbers(words: &[&[u8]]) -> Option<Vec<u16>> {
    if !matches!(words.len(), 12 | 15 | 18 | 21 | 24) {
        return None;
    }
    let list: Vec<_> = ENGLISH.lines().map(str::as_bytes).collect();
    let number = |word: &&[u8]| list.binary_search(word).ok().map(|at| at as u16);
    words.iter().map(number).collect()
}

/// Eleven bits of each word: entropy, and of its SHA-256 one bit for each 32.
fn ends_in_checksum(numbers: &[u16]) -> bool {
    let bit = |at: usize| numbers[at / 11] >> (10 - at % 11) & 1 == 1;
    let entropy = numbers.len() * 11 * 32 / 33;
    let bytes: Vec<u8> = (0..entropy / 8)
        .map(|byte| (0..8).fold(0, |sum, at| sum << 1 | u8::from(bit(byte * 8 + at))))
        .collect();
    let sum = Sha256::digest(&bytes);
    (entropy..numbers.len() * 11)
        .enumerate()
        .all(|(at, place)| (sum[0] >> (7 - at) & 1 == 1) == bit(place))
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::super::tests::{proves, says};
    use super::*;
    use crate::model::Proof;

    #[test]
    fn the_list_is_that_of_the_specification() {
        let sum = HEXLOWER.encode(&Sha256::digest(ENGLISH));
        assert!(sum.starts_with("2f5eed53a4727b4b"), "{sum}");
        let words: Vec<_> = ENGLISH.lines().collect();
        assert!(words.len() == 2048 && words.is_sorted());
    }

    #[test]
    fn phrases_with_their_checksum_are_proved() {
        for count in [12, 15, 18, 21, 24] {
            let what = format!("BIP-39, {count} words");
            let proof = proves("bip39", &format!("{{{{mnemonic:{count}}}}}"));
            assert_eq!(proof, Proof::Checksum { what });
        }
    }

    /// The first vectors of the specification: entropy of zeros, and of ones.
    #[test]
    fn checksums_are_those_of_the_specification() {
        let fits = |words: &str| {
            let words: Vec<_> = words.split(' ').map(str::as_bytes).collect();
            ends_in_checksum(&numbers(&words).expect("words of the list"))
        };
        assert!(fits(&("abandon ".repeat(11) + "about")));
        assert!(fits(&("zoo ".repeat(11) + "wrong")));
        assert!(fits(&("abandon ".repeat(23) + "art")));
        assert!(fits(&("zoo ".repeat(23) + "vote")));
        assert!(!fits(&("abandon ".repeat(11) + "above")));
    }

    /// Ganache's, put together from places in the list so that it stands nowhere.
    #[test]
    fn phrases_that_tools_have_as_default_are_refuted() {
        const PLACES: [usize; 12] = [
            1172, 1037, 203, 1538, 1263, 1371, 342, 1046, 1321, 1728, 679, 364,
        ];
        let list: Vec<_> = ENGLISH.lines().collect();
        let phrase = PLACES.map(|at| list[at]).join(" ");
        assert!(is_documented(phrase.as_bytes()));
        says("bip39", &phrase, &Verdict::Refuted);
    }

    #[test]
    fn other_words_and_examples_are_refuted() {
        for text in [
            "{{repeat:abandon :11}}about",
            "{{repeat:test :11}}junk",
            "the quick brown fox jumps over the lazy dog and runs away",
            "{{mnemonic:12}} zoo",
            "about",
            "",
        ] {
            says("bip39", text, &Verdict::Refuted);
        }
    }
}
