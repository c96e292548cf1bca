//! Macaroons: version 2 of libmacaroons for the Python index, msgpack for Fly.io.

use serde_json::Value;

use super::claims::seconds;
use super::{Candidate, Verdict, decode_base64, shown};

/// Host of the Python index and of its test twin, in two pieces so that no client is led there.
const INDEX_HOST: &[u8] = concat!("py", "pi.org").as_bytes();
const SIGNATURE: usize = 32;

/// `pypi-<base64url>`: must parse to the last byte; caveats state projects and an end.
pub(super) fn pypi(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let body = secret.strip_prefix(b"pypi-").unwrap_or(secret);
    match decode_base64(body).as_deref().and_then(parse_v2) {
        Some(limits) => Verdict::structure(limits.describe(), limits.ends_at),
        None => Verdict::Refuted,
    }
}

/// What caveats restrict a token to.
#[derive(Default)]
struct Limits {
    projects: Vec<String>,
    ends_at: Option<i64>,
}

impl Limits {
    fn describe(&self) -> String {
        match self.projects.as_slice() {
            [] => "macaroon".to_owned(),
            names => format!("macaroon for {}", names.join(", ")),
        }
    }

    fn end(&mut self, at: Option<i64>) {
        if let Some(at) = at {
            self.ends_at = Some(self.ends_at.map_or(at, |earlier| earlier.min(at)));
        }
    }

    /// Unknown caveats are no error: more of them may be invented.
    fn add(&mut self, caveat: &[u8]) {
        match serde_json::from_slice(caveat) {
            Ok(Value::Array(fields)) => self.add_tagged(&fields),
            Ok(Value::Object(members)) => {
                self.end(members.get("exp").and_then(seconds));
                if let Some(names) = members.get("permissions").and_then(|p| p.get("projects")) {
                    self.add_projects(names);
                }
            }
            _ => {}
        }
    }

    /// `[0, end, start]` and `[1, [name…]]`.
    fn add_tagged(&mut self, fields: &[Value]) {
        match (fields.first().and_then(Value::as_u64), fields.get(1)) {
            (Some(0), Some(end)) => self.end(seconds(end)),
            (Some(1), Some(names)) => self.add_projects(names),
            _ => {}
        }
    }

    fn add_projects(&mut self, names: &Value) {
        let names = names
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        self.projects.extend(names.take(3).map(shown));
    }
}

/// Version byte; location and identifier; caveats; signature. Sections end in a zero.
fn parse_v2(bytes: &[u8]) -> Option<Limits> {
    const LOCATION: u64 = 1;
    const IDENTIFIER: u64 = 2;
    const VERIFICATION: u64 = 4;
    const KEYED_HASH: u64 = 6;

    let mut rest = Packets(bytes.strip_prefix(&[2])?);
    let (kind, location) = rest.field()?;
    if kind != LOCATION || !location.ends_with(INDEX_HOST) || rest.field()?.0 != IDENTIFIER {
        return None;
    }
    rest.end_of_section()?;
    let mut limits = Limits::default();
    while rest.0.first() != Some(&0) {
        while rest.0.first() != Some(&0) {
            match rest.field()? {
                (IDENTIFIER, caveat) => limits.add(caveat),
                (LOCATION | VERIFICATION, _) => {}
                _ => return None,
            }
        }
        rest.end_of_section()?;
    }
    rest.end_of_section()?;
    let (kind, signature) = rest.field()?;
    (kind == KEYED_HASH && signature.len() == SIGNATURE && rest.0.is_empty()).then_some(limits)
}

/// The fields that are left: kind, length, value.
struct Packets<'a>(&'a [u8]);

impl<'a> Packets<'a> {
    fn field(&mut self) -> Option<(u64, &'a [u8])> {
        let kind = self.varint()?;
        let length = usize::try_from(self.varint()?).ok()?;
        let (value, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some((kind, value))
    }

    fn end_of_section(&mut self) -> Option<()> {
        self.0 = self.0.strip_prefix(&[0])?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

/// `fm2_<base64 of msgpack>`: `[nonce, location, caveats, tail]`. What does not parse stays open,
/// since only one of the vendor's versions is published.
pub(super) fn fly(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let first = secret.split(|&c| c == b',').next().unwrap_or_default();
    let body = [&b"fm2_"[..], b"fm1r_", b"fm1a_"]
        .iter()
        .find_map(|prefix| first.strip_prefix(*prefix));
    let decoded = body.and_then(decode_base64);
    match decoded.as_deref().and_then(parse_msgpack) {
        Some((location, ends_at)) => {
            Verdict::structure(format!("macaroon of {}", shown(&location)), ends_at)
        }
        None => Verdict::Open,
    }
}

fn parse_msgpack(bytes: &[u8]) -> Option<(String, Option<i64>)> {
    const VALIDITY_WINDOW: i64 = 4;
    let mut rest = Msgpack(bytes);
    if rest.array()? != 4 || !matches!(rest.array()?, 2 | 3) {
        return None;
    }
    // The nonce had two fields before it got a third, whether the macaroon is closed.
    rest.blob()?;
    if rest.blob()?.len() != 16 {
        return None;
    }
    if matches!(rest.0.first(), Some(0xc2 | 0xc3)) {
        rest.skip(1)?;
    }
    let location = std::str::from_utf8(rest.blob()?).ok()?.to_owned();
    let caveats = rest.array()?;
    let mut ends_at: Option<i64> = None;
    for _ in 0..caveats / 2 {
        let kind = rest.integer()?;
        if kind == VALIDITY_WINDOW && rest.array()? == 2 {
            rest.integer()?;
            let end = rest.integer()?;
            ends_at = Some(ends_at.map_or(end, |earlier| earlier.min(end)));
        } else {
            rest.value(0)?;
        }
    }
    (rest.blob()?.len() == SIGNATURE && rest.0.is_empty()).then_some((location, ends_at))
}

/// As much of a msgpack reader as macaroons need.
struct Msgpack<'a>(&'a [u8]);

impl<'a> Msgpack<'a> {
    const DEEPEST: usize = 16;

    fn skip(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn big_endian(&mut self, count: usize) -> Option<u64> {
        let bytes = self.skip(count)?;
        Some(
            bytes
                .iter()
                .fold(0, |number, &byte| number << 8 | u64::from(byte)),
        )
    }

    fn length(&mut self, count: usize) -> Option<usize> {
        usize::try_from(self.big_endian(count)?).ok()
    }

    fn tag(&mut self) -> Option<u8> {
        self.skip(1).map(|tag| tag[0])
    }

    fn array(&mut self) -> Option<usize> {
        match self.tag()? {
            tag @ 0x90..=0x9f => Some(usize::from(tag & 15)),
            0xdc => self.length(2),
            _ => None,
        }
    }

    /// A text or binary value.
    fn blob(&mut self) -> Option<&'a [u8]> {
        let length = match self.tag()? {
            tag @ 0xa0..=0xbf => usize::from(tag & 31),
            0xc4 | 0xd9 => self.length(1)?,
            0xc5 | 0xda => self.length(2)?,
            0xc6 | 0xdb => self.length(4)?,
            _ => return None,
        };
        self.skip(length)
    }

    fn integer(&mut self) -> Option<i64> {
        match self.tag()? {
            tag @ 0..=0x7f => Some(i64::from(tag)),
            tag @ 0xcc..=0xcf => i64::try_from(self.big_endian(1 << (tag - 0xcc))?).ok(),
            0xd0 => self.big_endian(1).map(|n| i64::from(n as i8)),
            0xd1 => self.big_endian(2).map(|n| i64::from(n as i16)),
            0xd2 => self.big_endian(4).map(|n| i64::from(n as i32)),
            0xd3 => self.big_endian(8).map(|n| n as i64),
            tag @ 0xe0..=0xff => Some(i64::from(tag as i8)),
            _ => None,
        }
    }

    /// Steps over any value.
    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > Self::DEEPEST {
            return None;
        }
        let &tag = self.0.first()?;
        let items = match tag {
            0x90..=0x9f | 0xdc => self.array()?,
            0x80..=0x8f => 2 * usize::from(self.tag()? & 15),
            0xde => {
                self.tag()?;
                2 * self.length(2)?
            }
            0xa0..=0xbf | 0xc4..=0xc6 | 0xd9..=0xdb => return self.blob().map(drop),
            0xc0 | 0xc2 | 0xc3 => return self.tag().map(drop),
            0xca => return self.skip(5).map(drop),
            0xcb => return self.skip(9).map(drop),
            _ => return self.integer().map(drop),
        };
        (0..items).try_for_each(|_| self.value(depth + 1))
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, BASE64URL_NOPAD};

    use super::super::tests::{proves, says, verdict};
    use super::*;
    use crate::detector::template::Random;

    /// A token of the index with `caveats`.
    fn index_token(caveats: &[&str]) -> String {
        let mut bytes = vec![2];
        let mut field = |kind: u8, value: &[u8], end: &[u8]| {
            bytes.extend([kind, value.len() as u8]);
            bytes.extend(value);
            bytes.extend(end);
        };
        field(1, INDEX_HOST, &[]);
        field(2, b"some-identifier", &[0]);
        for caveat in caveats {
            field(2, caveat.as_bytes(), &[0]);
        }
        bytes.push(0);
        bytes.extend([6, 32]);
        bytes.extend(Random(5).bytes(SIGNATURE));
        format!("pypi-{}", BASE64URL_NOPAD.encode(&bytes))
    }

    #[test]
    fn tokens_of_the_index_parse_to_the_last_byte() {
        assert_eq!(proves("macaroon-pypi", "{{pypi}}").as_str(), "structure");
        says("macaroon-pypi", "{{pypi}}AAAA", &Verdict::Refuted);
        says(
            "macaroon-pypi",
            "pypi-AgEI{{base64url:160}}",
            &Verdict::Refuted,
        );
    }

    #[test]
    fn caveats_state_projects_and_the_earliest_end() {
        let said = |caveats: &[&str]| verdict("macaroon-pypi", &index_token(caveats));
        let structure = Verdict::structure;
        assert_eq!(said(&[]), structure("macaroon", None));
        assert_eq!(
            said(&[r#"[0, 2000000000, 5]"#, r#"{"exp": 1900000000, "nbf": 1}"#]),
            structure("macaroon", Some(1_900_000_000))
        );
        assert_eq!(
            said(&[r#"[1, ["acme"]]"#]),
            structure("macaroon for acme", None)
        );
        assert_eq!(
            said(&[r#"{"version": 1, "permissions": {"projects": ["a", "b"]}}"#]),
            structure("macaroon for a, b", None)
        );
    }

    #[test]
    fn a_fly_macaroon_is_parsed_and_random_bytes_stay_open() {
        let mut bytes = vec![0x94, 0x93, 0xc4, 2, 1, 2, 0xc4, 16];
        bytes.extend(Random(1).bytes(16));
        bytes.push(0xc2);
        bytes.extend(b"\xb3https://api.fly.io/");
        // Two caveats: an organisation, and a window of validity.
        bytes.extend([0x94, 0, 0x92, 5, 31, 4, 0x92, 0, 0xce]);
        bytes.extend(1_900_000_000_u32.to_be_bytes());
        bytes.extend([0xc4, 32]);
        bytes.extend(Random(2).bytes(SIGNATURE));
        let token = format!("fm2_{}", BASE64.encode(&bytes));
        let expected = Verdict::structure("macaroon of https://api.fly.io/", Some(1_900_000_000));
        assert_eq!(verdict("macaroon-fly", &token), expected);
        assert_eq!(
            verdict("macaroon-fly", &format!("{token},fm2_AAAA")),
            expected
        );
        says("macaroon-fly", "{{fly}}", &Verdict::Open);
    }
}
