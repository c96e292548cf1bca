//! AWS access-key ids, which hold their account's number.

use super::{Candidate, Verdict};

/// Length of an access-key id.
const LENGTH: usize = 20;
/// How far from a secret access key its id is looked for.
const MARGIN: usize = 512;

/// Reads the account number from the key id: the candidate itself, or the id nearest to it.
///
/// Nearly every random id decodes to some account: this informs, it does not tell real from fake.
pub(super) fn account(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let near = key_id_at(secret, 0).or_else(|| {
        let around = candidate.around(MARGIN);
        let middle = candidate.span.start.min(MARGIN);
        let starts = 0..around.len().saturating_sub(LENGTH - 1);
        let ids = starts.filter_map(|at| Some((at.abs_diff(middle), key_id_at(around, at)?)));
        ids.min_by_key(|&(distance, _)| distance).map(|(_, id)| id)
    });
    match near.and_then(|id| Some((id, account_number(id)?))) {
        Some((id, number)) => {
            let kind = match id[..4] {
                [.., b'S', b'I', b'A'] => "temporary key",
                _ if id.starts_with(b"AKIA") => "long-term key",
                _ => "key",
            };
            Verdict::structure(format!("AWS {kind}, account {number:012}"), None)
        }
        None => Verdict::Open,
    }
}

/// The number of the account of the key id that `text` is.
pub fn aws_account(text: &[u8]) -> Option<String> {
    let id = key_id_at(text, 0).filter(|_| text.len() == LENGTH)?;
    account_number(id).map(|number| format!("{number:012}"))
}

/// The key id that starts at `at` and has no further letter or digit around it.
fn key_id_at(text: &[u8], at: usize) -> Option<&[u8; LENGTH]> {
    let id: &[u8; LENGTH] = text.get(at..)?.first_chunk()?;
    let known = [b"AKIA", b"ASIA", b"ABIA", b"ACCA"].contains(&id.first_chunk()?);
    let word = |c: Option<&u8>| c.is_some_and(u8::is_ascii_alphanumeric);
    let alone = !word(at.checked_sub(1).and_then(|before| text.get(before)))
        && !word(text.get(at + LENGTH));
    let base32 = id[4..].iter().all(|&c| base32_value(c).is_some());
    (known && alone && base32).then_some(id)
}

/// Bits 1 to 40 of the base32 body; older ids, whose fifth character is I or J, do not hold it.
fn account_number(id: &[u8; LENGTH]) -> Option<u64> {
    if matches!(id[4], b'I' | b'J') {
        return None;
    }
    let bits = id[4..14]
        .iter()
        .try_fold(0u64, |bits, &c| Some(bits << 5 | base32_value(c)?))?;
    let number = bits >> 2 >> 7 & 0xff_ffff_ffff;
    (number < 1_000_000_000_000).then_some(number)
}

fn base32_value(c: u8) -> Option<u64> {
    match c {
        b'A'..=b'Z' => Some(u64::from(c - b'A')),
        b'2'..=b'7' => Some(u64::from(c - b'2' + 26)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{prove, tests::says};
    use super::*;
    use crate::detector::template::{Random, expand};
    use crate::model::{Proof, Span};

    /// A key id of account `number`, the inverse of what is tested.
    fn key_id(number: u64, random: &mut Random) -> String {
        let bits = 1 << 47 | number << 7 | random.next_u64() & 0x7f;
        let body = data_encoding::BASE32.encode(&bits.to_be_bytes()[2..]);
        format!(
            "AKIA{}{}",
            body.trim_end_matches('='),
            random.string(b"ABCXYZ234567", 6)
        )
    }

    #[test]
    fn the_account_of_a_key_id_is_read() {
        let mut random = Random(1);
        for number in [1, 29_608_264_753, 999_999_999_999] {
            let id = key_id(number, &mut random);
            assert_eq!(id.len(), LENGTH);
            let what = format!("AWS long-term key, account {number:012}");
            says("aws-account", &id, &Verdict::structure(what, None));
        }
    }

    #[test]
    fn the_id_beside_a_secret_key_is_used() {
        let id = key_id(123_456_789_012, &mut Random(2));
        let secret = expand("{{alnum:40}}", 3).expect("valid").secret;
        let text = format!("id = {id}\nsecret = {secret}\n");
        let start = text.len() - 41;
        let verdict = prove("aws-account", text.as_bytes(), Span::new(start, start + 40));
        let Verdict::Proved(Proof::Structure { what, .. }) = verdict else {
            panic!("structure expected");
        };
        assert_eq!(what, "AWS long-term key, account 123456789012");
    }

    #[test]
    fn the_account_of_an_id_alone() {
        let id = key_id(123_456_789_012, &mut Random(4));
        assert_eq!(aws_account(id.as_bytes()).as_deref(), Some("123456789012"));
        assert_eq!(aws_account(format!("{id} ").as_bytes()), None);
        assert_eq!(aws_account(b"AKIA"), None);
    }

    #[test]
    fn older_ids_and_lone_secrets_stay_open() {
        says("aws-account", "AKIAI{{base32:15}}", &Verdict::Open);
        says("aws-account", "AKIAJ{{base32:15}}", &Verdict::Open);
        says("aws-account", "{{base64:40}}", &Verdict::Open);
    }
}
