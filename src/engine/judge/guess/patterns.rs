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
    let starts = (0..at).filter(|&from| text[from..from + 4].eq_ignore_ascii_case(block));
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

/// Walks over a keyboard, read in both directions.
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
