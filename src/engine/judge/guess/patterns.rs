//! What hands and habits make: repetitions, sequences and walks over a keyboard.

/// Length of the longest pattern that starts at `at`; 0 when there is none.
pub(super) fn pattern_length(text: &[u8], at: usize) -> usize {
    repeated(text, at)
        .max(sequence(text, at))
        .max(walk(text, at))
}

/// Length of the block at `at` that stood before, at least 4.
fn repeated(text: &[u8], at: usize) -> usize {
    let Some(block) = text.get(at..at + 4) else {
        return 0;
    };
    // What is the same but for case is the same but for this bit, and hardly anything else is.
    let folded = |four: &[u8]| {
        let four = four.first_chunk().expect("four bytes");
        u32::from_le_bytes(*four) | 0x2020_2020
    };
    let wanted = folded(block);
    let fours = text[..at + 3].windows(4).map(folded).enumerate();
    let starts = fours
        .filter(|(_, four)| *four == wanted)
        .map(|(from, _)| from)
        .filter(|&from| text[from..from + 4].eq_ignore_ascii_case(block));
    let same = |from: usize| {
        let pairs = text[from..].iter().zip(&text[at..]);
        pairs.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    };
    starts.map(same).max().unwrap_or(0)
}

/// Length of a run at `at` that rises, falls or stays: at least 3 digits or equal bytes, at least
/// 4 letters.
fn sequence(text: &[u8], at: usize) -> usize {
    let Some(&[first, second]) = text[at..].first_chunk() else {
        return 0;
    };
    let step = i16::from(second) - i16::from(first);
    if !(-1..=1).contains(&step) || step != 0 && !first.is_ascii_alphanumeric() {
        return 0;
    }
    let pairs = text[at..].windows(2);
    let holds = |pair: &&[u8]| i16::from(pair[1]) - i16::from(pair[0]) == step;
    let length = 1 + pairs.take_while(holds).count();
    let least = if step == 0 || first.is_ascii_digit() {
        3
    } else {
        4
    };
    if length >= least { length } else { 0 }
}

/// Length of a keyboard walk at `at`, at least 4.
fn walk(text: &[u8], at: usize) -> usize {
    let Some(start) = text.get(at..at + 4) else {
        return 0;
    };
    if !are_beside(start[0], start[1]) {
        return 0;
    }
    let mut longest = 0;
    for keys in WALKS {
        let forward = (0..keys.len()).filter(|&from| keys[from].eq_ignore_ascii_case(&start[0]));
        for from in forward {
            let along = |keys: &mut dyn Iterator<Item = &u8>| {
                let pairs = keys.zip(&text[at..]);
                pairs
                    .take_while(|(key, c)| key.eq_ignore_ascii_case(c))
                    .count()
            };
            let right = along(&mut keys[from..].iter());
            let left = along(&mut keys[..=from].iter().rev());
            longest = longest.max(right).max(left);
        }
    }
    if longest >= 4 { longest } else { 0 }
}

/// Whether two keys follow each other in some walk, in any case.
fn are_beside(one: u8, two: u8) -> bool {
    let [one, two] = [one, two].map(|key| usize::from(key.to_ascii_lowercase()));
    one < KEYS && two < KEYS && BESIDE[one] >> two & 1 == 1
}

/// Codes of ASCII.
const KEYS: usize = 128;

/// For each key a bit for each of those that follow it.
static BESIDE: [u128; KEYS] = {
    let mut beside = [0; KEYS];
    let mut walk = 0;
    while walk < WALKS.len() {
        let keys = WALKS[walk];
        let mut at = 1;
        while at < keys.len() {
            beside[keys[at - 1] as usize] |= 1 << keys[at];
            beside[keys[at] as usize] |= 1 << keys[at - 1];
            at += 1;
        }
        walk += 1;
    }
    beside
};

/// Walks over a keyboard, read in both directions, in lower case.
const WALKS: &[&[u8]] = &[
    b"qwertyuiop[]",
    b"qwertzuiop",
    b"azertyuiop",
    b"asdfghjkl;'",
    b"zxcvbnm,./",
    b"yxcvbnm",
    b"1234567890-=",
    b"!@#$%^&*()",
    b"1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    b"zaq12wsxcde34rfv",
    b"1q2w3e4r5t6y7u8i9o0p",
    b"q1w2e3r4t5y6",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_stood_before_and_walks_are_patterns_in_any_case() {
        for (text, at, length) in [
            ("abcXabcx", 4, 4),
            ("xAb1!yaB1!y", 6, 5),
            ("a@b`cA@B`c", 5, 5),
            // These differ by the bit that parts cases, and are no letters.
            ("a@b[a`b{", 4, 0),
            ("QwErTy", 0, 6),
            ("ytrewq", 0, 6),
            ("4rfV", 0, 4),
            ("qaz", 0, 0),
            ("qwex", 0, 0),
            ("\u{e9}\u{e9}\u{e9}", 0, 0),
        ] {
            assert_eq!(pattern_length(text.as_bytes(), at), length, "{text}");
        }
    }
}
