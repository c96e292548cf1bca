//! Names of what values, keys and bytes look like.

use crate::detector::is_uuid;
use crate::engine::judge::guess;

pub(super) fn style(key: &[u8]) -> &'static str {
    let has = |kind: fn(&u8) -> bool| key.iter().any(kind);
    match () {
        () if key.starts_with(b"--") => "flag",
        () if key.contains(&b'.') => "dotted",
        () if key.contains(&b'-') => "kebab",
        () if !has(u8::is_ascii_lowercase) => "upper",
        () if has(u8::is_ascii_uppercase) && key[0].is_ascii_uppercase() => "pascal",
        () if has(u8::is_ascii_uppercase) => "camel",
        () if key.contains(&b'_') => "snake",
        () => "lower",
    }
}

pub(super) fn byte_name(byte: u8) -> &'static str {
    match byte {
        b'a'..=b'z' => "lower",
        b'A'..=b'Z' => "upper",
        b'0'..=b'9' => "digit",
        b' ' | b'\t' => "blank",
        b'\n' | b'\r' => "line",
        b'"' => "\"",
        b'\'' => "'",
        b'`' => "`",
        b'(' => "(",
        b')' => ")",
        b'[' => "[",
        b']' => "]",
        b'{' => "{",
        b'}' => "}",
        b'<' => "<",
        b'>' => ">",
        b'=' => "=",
        b':' => ":",
        b';' => ";",
        b',' => ",",
        b'.' => ".",
        b'/' => "/",
        b'\\' => "\\",
        b'$' => "$",
        b'@' => "@",
        b'%' => "%",
        b'#' => "#",
        b'!' => "!",
        b'?' => "?",
        b'&' => "&",
        b'*' => "*",
        b'+' => "+",
        b'-' => "-",
        b'_' => "_",
        0x80.. => "other",
        _ => "sign",
    }
}

pub(super) fn sign_at(text: &[u8], at: usize) -> &'static str {
    text.get(at).map_or("end", |&byte| byte_name(byte))
}

pub(super) fn length_name(length: usize) -> &'static str {
    match length {
        0..=3 => "3",
        4 => "4",
        5 => "5",
        6 => "6",
        7 => "7",
        8 => "8",
        9..=10 => "10",
        11..=12 => "12",
        13..=15 => "15",
        16..=19 => "19",
        20..=23 => "23",
        24..=31 => "31",
        32 => "32",
        33..=39 => "39",
        40 => "40",
        41..=63 => "63",
        64 => "64",
        65..=127 => "127",
        _ => "128",
    }
}

pub(super) fn bits_name(bits: f64) -> &'static str {
    match bits as u32 {
        0..=7 => "0",
        8..=15 => "8",
        16..=23 => "16",
        24..=31 => "24",
        32..=39 => "32",
        40..=55 => "40",
        56..=79 => "56",
        80..=127 => "80",
        _ => "128",
    }
}

/// By tenths of a bit for each byte.
pub(super) fn density_name(tenths: f64) -> &'static str {
    match tenths as u32 {
        0..=9 => "0",
        10..=14 => "10",
        15..=19 => "15",
        20..=24 => "20",
        25..=29 => "25",
        30..=34 => "30",
        35..=39 => "35",
        40..=44 => "40",
        45..=49 => "45",
        _ => "50",
    }
}

/// How well the letters read: the mean cost of a letter after the one before it.
pub(super) fn reads_name(secret: &[u8]) -> &'static str {
    let mut runs = secret.split(|byte| !byte.is_ascii_alphabetic());
    let mut letters = Vec::new();
    for run in runs.by_ref().filter(|run| run.len() > 1) {
        letters.extend(run.windows(2).map(guess::pair_cost));
    }
    if letters.len() < 3 {
        return "few";
    }
    let mean = letters.iter().sum::<f64>() / letters.len() as f64;
    match (2.0 * mean) as u32 {
        0..=6 => "3",
        7 => "3.5",
        8 => "4",
        9 => "4.5",
        10 => "5",
        11 => "5.5",
        _ => "6",
    }
}

/// What a value is made of.
pub(super) fn shape(value: &[u8]) -> &'static str {
    let all = |kind: fn(&u8) -> bool| value.iter().all(kind);
    let has = |kind: fn(&u8) -> bool| value.iter().any(kind);
    let holds = |sign: u8| value.contains(&sign);
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let (lower, upper, digit) = (
        has(u8::is_ascii_lowercase),
        has(u8::is_ascii_uppercase),
        has(u8::is_ascii_digit),
    );
    if !value.is_ascii() {
        return "foreign";
    }
    if holds(b' ') {
        return "sentence";
    }
    if value.windows(3).any(|window| window == b"://") {
        return "url";
    }
    if is_uuid(value) {
        return "uuid";
    }
    if all(u8::is_ascii_digit) {
        return "digits";
    }
    if all(u8::is_ascii_alphabetic) {
        return match (lower, upper) {
            (true, false) => "lower",
            (false, true) => "upper",
            _ if value[0].is_ascii_uppercase() && value[1..].iter().all(u8::is_ascii_lowercase) => {
                "title"
            }
            _ => "letters",
        };
    }
    if all(u8::is_ascii_hexdigit) && value.len() >= 8 && lower != upper {
        return if lower { "hex" } else { "HEX" };
    }
    if all(u8::is_ascii_alphanumeric) {
        let stem = value
            .iter()
            .rposition(|byte| !byte.is_ascii_digit())
            .map_or(0, |last| last + 1);
        let counted = value[..stem].iter().all(u8::is_ascii_alphabetic);
        return match (lower, upper, counted) {
            (true, false, true) => "lower-count",
            (true, false, false) => "lower-digits",
            (false, true, _) => "upper-digits",
            (_, _, true) => "letters-count",
            _ => "alnum",
        };
    }
    if value.iter().all(word) {
        return match (lower, upper, digit) {
            (true, false, false) => "snake",
            (false, true, _) => "constant",
            (_, _, false) => "snake-letters",
            _ => "snake-digits",
        };
    }
    if value.iter().all(|byte| word(byte) || *byte == b'-') {
        return match (upper, digit) {
            (false, false) => "kebab",
            (_, true) => "kebab-digits",
            _ => "kebab-letters",
        };
    }
    if value.iter().all(|byte| word(byte) || b"-.".contains(byte)) {
        return if digit { "dotted-digits" } else { "dotted" };
    }
    if value
        .iter()
        .all(|byte| word(byte) || b"-./:".contains(byte))
        && holds(b'/')
        && !digit
    {
        return "path";
    }
    if value
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte))
    {
        return if value.len() >= 16 {
            "base64"
        } else {
            "signs-base64"
        };
    }
    let signs = value
        .iter()
        .filter(|byte| !byte.is_ascii_alphanumeric())
        .count();
    match (digit, 2 * signs > value.len()) {
        (_, true) => "mostly-signs",
        (true, _) => "signs-digits",
        _ => "signs",
    }
}
