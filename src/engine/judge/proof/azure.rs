//! Azure: keys that identify themselves, and shared access signatures.

use super::{Candidate, Verdict, decode_base64};

/// Where the fixed signature of a common annotated key stands, and what it is.
const SIGNATURE_AT: usize = 52;
const SIGNATURE: &[u8] = b"JQQJ9";
/// Bytes that the checksum covers: the first 80 characters.
const COVERED: usize = 60;
/// Big-endian ASCII.
const SEED: u64 = u64::from_be_bytes(*b"Default0");
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How far around a match the query of a signed URL reaches.
const MARGIN: usize = 2048;

/// 84 or 88 characters with `JQQJ9` inside: a Marvin32 checksum of all but the last bytes. Older
/// keys, with a signature of four characters and a seed of their own, stay open.
pub(super) fn identifiable_key(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let annotated = secret
        .get(SIGNATURE_AT..)
        .is_some_and(|tail| tail.starts_with(SIGNATURE));
    let stored = match secret.len() {
        84 => 3,
        88 => 4,
        _ => return Verdict::Open,
    };
    if !annotated {
        return Verdict::Open;
    }
    let Some(bytes) = decode_base64(secret).filter(|bytes| bytes.len() == COVERED + stored) else {
        return Verdict::Refuted;
    };
    let state = marvin(&bytes[..COVERED], SEED);
    let sum = ((state >> 32) as u32 ^ state as u32).to_le_bytes();
    let tail = &bytes[COVERED..];
    let passed = tail == &sum[..stored] || tail == &as_base62(sum)[..stored];
    match passed {
        true => Verdict::checksum(format!("Marvin32{}", allocated(secret))),
        false => Verdict::Refuted,
    }
}

/// `; made in 2025-06` from the characters that state year and month.
fn allocated(secret: &[u8]) -> String {
    let year = match secret[58] {
        c @ b'A'..=b'Z' => c - b'A',
        c @ b'a'..=b'z' => c - b'a' + 26,
        c @ b'0'..=b'9' => c - b'0' + 52,
        _ => return String::new(),
    };
    match secret[59] {
        month @ b'A'..=b'L' => {
            format!(
                "; made in {}-{:02}",
                2024 + u32::from(year),
                month - b'A' + 1
            )
        }
        _ => String::new(),
    }
}

/// The checksum as the bytes of its base62 form, filled up with zeros on the right.
fn as_base62(sum: [u8; 4]) -> Vec<u8> {
    let mut number = u32::from_be_bytes(sum);
    let mut digits = Vec::with_capacity(6);
    while number > 0 {
        digits.push(BASE62[(number % 62) as usize]);
        number /= 62;
    }
    digits.reverse();
    // Leading zero bytes are written as digits of their own.
    let zeros = sum.iter().take(3).take_while(|&&byte| byte == 0).count();
    digits.splice(0..0, std::iter::repeat_n(b'0', zeros));
    digits.resize(6, b'0');
    decode_base64(&digits).expect("six base64 characters")
}

/// Marvin32: the 64-bit state after `bytes`.
fn marvin(bytes: &[u8], seed: u64) -> u64 {
    let (mut low, mut high) = (seed as u32, (seed >> 32) as u32);
    let mut mix = |word: u32| {
        low = low.wrapping_add(word);
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    };
    let words = bytes.chunks_exact(4);
    let last = words.remainder();
    for word in words {
        mix(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    }
    let mut padded = [0; 4];
    padded[..last.len()].copy_from_slice(last);
    padded[last.len()] = 0x80;
    mix(u32::from_le_bytes(padded));
    mix(0);
    u64::from(high) << 32 | u64::from(low)
}

/// A shared access signature: `sig` is 32 bytes in base64, `se` and `ske` are ends.
pub(super) fn sas(candidate: Candidate<'_>) -> Verdict {
    let query = query_around(candidate);
    let mut signature = None;
    let mut ends_at: Option<i64> = None;
    for (name, value) in parameters(query) {
        match name {
            b"sig" => signature = signature.or(Some(is_signature(value))),
            b"se" | b"ske" => {
                if let Some(end) = moment(value) {
                    ends_at = Some(ends_at.map_or(end, |earlier| earlier.min(end)));
                }
            }
            _ => {}
        }
    }
    match signature {
        Some(true) => Verdict::structure("shared access signature", ends_at),
        Some(false) => Verdict::Refuted,
        None => Verdict::Open,
    }
}

/// The run of URL characters that the candidate stands in.
pub(super) fn query_around(candidate: Candidate<'_>) -> &[u8] {
    let text = candidate.text;
    let in_url = |c: &u8| c.is_ascii_graphic() && !matches!(c, b'"' | b'\'' | b'<' | b'>' | b'`');
    let (before, after) = (&text[..candidate.span.start], &text[candidate.span.end..]);
    let left = before
        .iter()
        .rev()
        .take(MARGIN)
        .take_while(|c| in_url(c))
        .count();
    let right = after.iter().take(MARGIN).take_while(|c| in_url(c)).count();
    &text[candidate.span.start - left..candidate.span.end + right]
}

/// Names and values of a query; `&amp;` and `\u0026` separate as `&` does.
pub(super) fn parameters(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pieces = query.split(|&c| matches!(c, b'&' | b'?' | b'\\' | b' ' | b';' | b','));
    pieces.filter_map(|piece| {
        let piece = piece
            .strip_prefix(b"amp;")
            .or(piece.strip_prefix(b"u0026"))
            .unwrap_or(piece);
        let at = piece.iter().position(|&c| c == b'=')?;
        Some((&piece[..at], &piece[at + 1..]))
    })
}

fn is_signature(value: &[u8]) -> bool {
    let once = percent_decode(value);
    let bytes = decode_base64(&once).or_else(|| decode_base64(&percent_decode(&once)));
    bytes.is_some_and(|bytes| bytes.len() == 32)
}

fn percent_decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&c, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|&c| char::from(c).to_digit(16));
        match (c, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high << 4 | low) as u8);
                rest = &tail[2..];
            }
            _ => {
                decoded.push(c);
                rest = tail;
            }
        }
    }
    decoded
}

/// Seconds since 1970, or a date of ISO 8601 with or without time, in UTC unless it says otherwise.
pub(super) fn moment(value: &[u8]) -> Option<i64> {
    let decoded = percent_decode(value);
    let text = std::str::from_utf8(&decoded).ok()?;
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_second());
    }
    let local: jiff::civil::DateTime = text.trim_end_matches('Z').parse().ok()?;
    let moment = jiff::tz::TimeZone::UTC.to_timestamp(local).ok()?;
    Some(moment.as_second())
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, HEXLOWER};

    use super::super::tests::{says, verdict};
    use super::super::{prove, tests::proves};
    use super::*;
    use crate::detector::template::{Random, expand};
    use crate::model::{Proof, Span};

    /// Vectors of the .NET runtime's own tests.
    #[test]
    fn marvin_gives_the_published_states() {
        for (input, state) in [
            ("", 0x30ED_35C1_00CD_3C7D),
            ("af", 0x48E7_3FC7_7D75_DDC1),
            ("e70f", 0xB5F6_E1FC_485D_BFF8),
        ] {
            let bytes = HEXLOWER.decode(input.as_bytes()).expect("hex");
            assert_eq!(marvin(&bytes, 0x004F_B61A_001B_DBCC), state, "{input}");
        }
    }

    /// A key with the checksum that `encode` makes of the right one, `stored` bytes long.
    fn key(seed: u64, stored: usize, encode: fn([u8; 4]) -> Vec<u8>) -> String {
        let mut random = Random(seed);
        let head = format!(
            "{}JQQJ99BFACAA{}AZDO",
            random.string(b"abcdefghABCDEFGH0123", 52),
            random.string(b"abcdABCD0123", 12)
        );
        let mut bytes = decode_base64(head.as_bytes()).expect("80 characters");
        let state = marvin(&bytes, SEED);
        let sum = ((state >> 32) as u32 ^ state as u32).to_le_bytes();
        bytes.extend(&encode(sum)[..stored]);
        BASE64.encode(&bytes)
    }

    #[test]
    fn annotated_keys_pass_with_either_form_of_the_checksum() {
        let expected = Verdict::checksum("Marvin32; made in 2025-06");
        for seed in 0..50 {
            for stored in [3, 4] {
                let plain = key(seed, stored, |sum| sum.to_vec());
                let base62 = key(seed, stored, as_base62);
                assert_eq!(plain.len(), if stored == 3 { 84 } else { 88 });
                assert_eq!(verdict("azure-identifiable-key", &plain), expected);
                assert_eq!(verdict("azure-identifiable-key", &base62), expected);
            }
        }
    }

    #[test]
    fn edited_keys_are_refuted_and_older_ones_open() {
        let name = "azure-identifiable-key";
        says(
            name,
            "{{alnum:52}}JQQJ99BFACAA{{alnum:12}}AZDO{{alnum:4}}",
            &Verdict::Refuted,
        );
        says(name, "{{base64:76}}AStS{{base64:6}}==", &Verdict::Open);
    }

    #[test]
    fn a_signature_is_found_around_the_match_with_its_end() {
        let sig = expand("{{b64:32}}", 4).expect("valid").secret;
        let encoded = sig
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        for (end, seconds) in [
            ("2030-01-02T03:04:05Z", Some(1_893_553_445)),
            ("2030-01-02T03%3A04%3A05Z", Some(1_893_553_445)),
            ("2030-01-02T03:04Z", Some(1_893_553_440)),
            ("2030-01-02", Some(1_893_542_400)),
            ("1893553445", Some(1_893_553_445)),
            ("never", None),
        ] {
            let text =
                format!("\"https://a.example/c?sv=2022-11-02&amp;se={end}&amp;sig={encoded}\"");
            let start = text.find(&encoded).expect("inside");
            let span = Span::new(start, start + encoded.len());
            let expected = Verdict::structure("shared access signature", seconds);
            assert_eq!(prove("azure-sas", text.as_bytes(), span), expected, "{end}");
        }
    }

    #[test]
    fn the_earlier_end_counts_and_other_signatures_are_refuted() {
        let template = "sv=2022-11-02&se=2030-01-02&ske=2029-01-02&sig={{b64:32}}";
        let Proof::Structure { ends_at, .. } = proves("azure-sas", template) else {
            panic!("structure expected");
        };
        assert_eq!(ends_at, Some(1_862_006_400));
        says(
            "azure-sas",
            "sv=2022-11-02&sig={{repeat:x:20}}",
            &Verdict::Refuted,
        );
        says("azure-sas", "{{alnum:40}}", &Verdict::Open);
    }
}
