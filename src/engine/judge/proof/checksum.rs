//! Tokens that end in a checksum of themselves.

use data_encoding::BASE32;
use sha2::{Digest, Sha256};

use super::{Candidate, Verdict, claims, decode_base64, split_tail};
use crate::model::Proof;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Apify's order: lower case before upper case.
const BASE62_LOWER_FIRST: &[u8; 62] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// `ghp_ gho_ ghu_ ghr_`: the body ends in its CRC.
pub(super) fn github(candidate: Candidate<'_>) -> Verdict {
    decide(crc_after_prefix(candidate.secret()))
}

/// `ghs_`: as [`github`], but published samples fail, so that a mismatch says nothing; and a form
/// that holds a JWT, `ghs_<app>_<JWT>`.
pub(super) fn github_app(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    if let Some((app, token)) = app_token(secret) {
        return match claims::read_jwt(token) {
            Verdict::Proved(Proof::Structure { what, ends_at }) => {
                Verdict::structure(format!("GitHub App {app}, {what}"), ends_at)
            }
            _ => Verdict::Open,
        };
    }
    lenient(crc_after_prefix(secret))
}

/// `ghs_123_eyJ…` → app number and JWT.
fn app_token(secret: &[u8]) -> Option<(&str, &[u8])> {
    let body = secret.strip_prefix(b"ghs_")?;
    let at = body.iter().position(|&c| c == b'_')?;
    let (app, token) = (&body[..at], &body[at + 1..]);
    let number = (1..=20).contains(&app.len()) && app.iter().all(u8::is_ascii_digit);
    let app = std::str::from_utf8(app).ok()?;
    (number && token.starts_with(b"eyJ")).then_some((app, token))
}

/// `github_pat_`: before the last eight characters stand eight of the SHA-256 of all before.
pub(super) fn github_fine_grained(candidate: Candidate<'_>) -> Verdict {
    const LENGTH: usize = 93;
    let secret = candidate.secret();
    if secret.len() != LENGTH {
        return Verdict::Open;
    }
    let (head, tail) = secret.split_at(LENGTH - 16);
    let sum = BASE32.encode(&Sha256::digest(head));
    match sum.as_bytes().starts_with(&tail[..8]) {
        true => Verdict::checksum("SHA-256, base32"),
        false => Verdict::Refuted,
    }
}

/// `npm_`: as [`github`].
pub(super) fn npm(candidate: Candidate<'_>) -> Verdict {
    decide(crc_after_prefix(candidate.secret()))
}

/// `vcp_ vci_ vca_ vcr_ vck_ vct_ vcb_`: as [`github`].
pub(super) fn vercel(candidate: Candidate<'_>) -> Verdict {
    decide(crc_after_prefix(candidate.secret()))
}

/// `salad_cloud_user_ salad_cloud_org_`: the CRC of what stands between the prefix and it. The vendor
/// does not document it and few samples are known, so that a mismatch says nothing.
pub(super) fn salad(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let body = secret
        .iter()
        .rposition(|&c| c == b'_')
        .map(|at| &secret[at + 1..]);
    let split = body.and_then(|body| split_tail(body, 6));
    lenient(split.map(|(body, tail)| tail == digits::<6>(crc32fast::hash(body), BASE62)))
}

/// `cfk_ cfut_ cfat_`: 40 characters and their CRC in hex. `cfat_` is not confirmed.
pub(super) fn cloudflare(candidate: Candidate<'_>) -> Verdict {
    let passed = after_underscore(candidate.secret())
        .and_then(|body| split_tail(body, 8))
        .map(|(body, tail)| tail == format!("{:08x}", crc32fast::hash(body)).as_bytes());
    match candidate.secret().starts_with(b"cfat_") {
        true => lenient_as(passed, "CRC-32, hex"),
        false => decide_as(passed, "CRC-32, hex"),
    }
}

/// `zpka_<32>_<8>`: CRC of the 32 in hex.
pub(super) fn zuplo(candidate: Candidate<'_>) -> Verdict {
    let passed = after_underscore(candidate.secret())
        .and_then(|body| split_tail(body, 8))
        .and_then(|(body, tail)| Some((body.strip_suffix(b"_")?, tail)))
        .map(|(body, tail)| tail == format!("{:08x}", crc32fast::hash(body)).as_bytes());
    decide_as(passed, "CRC-32, hex")
}

/// `glsa_<32>_<8>`: CRC of all before the last `_`, little endian, in hex.
pub(super) fn grafana(candidate: Candidate<'_>) -> Verdict {
    let passed = split_tail(candidate.secret(), 8)
        .and_then(|(head, tail)| Some((head.strip_suffix(b"_")?, tail)))
        .map(|(head, tail)| {
            let sum = crc32fast::hash(head).swap_bytes();
            tail == format!("{sum:08x}").as_bytes()
        });
    decide_as(passed, "CRC-32, hex")
}

/// `ATATT3… ATCTT3… ATBB…`: CRC of all before, in upper-case hex.
pub(super) fn atlassian(candidate: Candidate<'_>) -> Verdict {
    let passed = split_tail(candidate.secret(), 8)
        .map(|(head, tail)| tail == format!("{:08X}", crc32fast::hash(head)).as_bytes());
    decide_as(passed, "CRC-32, hex")
}

/// `apify_api_`: CRC of all before, prefix included. The vendor does not document it, so that a
/// mismatch says nothing.
pub(super) fn apify(candidate: Candidate<'_>) -> Verdict {
    let passed = split_tail(candidate.secret(), 6)
        .map(|(head, tail)| tail == digits::<6>(crc32fast::hash(head), BASE62_LOWER_FIRST));
    lenient(passed)
}

/// Routable tokens, `<prefix><payload>.01.<length><CRC>` and the older form without the version.
/// Classic tokens have no check.
pub(super) fn gitlab_routable(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let Some(dot) = secret.iter().rposition(|&c| c == b'.') else {
        return Verdict::Open;
    };
    let trailer = &secret[dot + 1..];
    if trailer.len() != 9 || !trailer.iter().all(|c| BASE36.contains(c)) {
        return Verdict::Open;
    }
    let (head, tail) = secret.split_at(secret.len() - 7);
    let sum = crc32fast::hash(head);
    if tail == digits::<7>(sum, BASE36) {
        let body = secret[..dot].strip_suffix(b".01").unwrap_or(&secret[..dot]);
        return Verdict::checksum(format!("CRC-32, base36{}", routing(body)));
    }
    match secret[..dot].ends_with(b".01") {
        true => Verdict::Refuted,
        false => Verdict::Open,
    }
}

/// The routing lines of a GitLab payload, for people; empty when they cannot be read.
fn routing(body: &[u8]) -> String {
    // The prefix may hold `-` and `_`, which base64url has too: all cuts after a separator are tried.
    let cuts = (0..body.len().min(16)).filter(|&at| matches!(body[at], b'-' | b'_'));
    for cut in cuts {
        let names = decode_base64(&body[cut + 1..]).and_then(|payload| routing_names(&payload));
        if let Some(names) = names {
            return format!("; {}", names.join(", "));
        }
    }
    String::new()
}

/// A payload is routing lines, random bytes before or after them, and the count of the latter.
fn routing_names(payload: &[u8]) -> Option<Vec<String>> {
    let (&random, rest) = payload.split_last()?;
    let random = usize::from(random);
    let lines = rest.len().checked_sub(random)?;
    let parse = |lines: &[u8]| -> Option<Vec<String>> {
        let lines = lines.strip_prefix(b"\n").unwrap_or(lines);
        lines.split(|&c| c == b'\n').map(routing_line).collect()
    };
    parse(&rest[random..]).or_else(|| parse(&rest[..lines]))
}

/// `o:1` → `organisation 1`; the number is in base 36.
fn routing_line(line: &[u8]) -> Option<String> {
    let (&[kind, b':'], number) = line.split_first_chunk()? else {
        return None;
    };
    let name = match kind {
        b'c' => "cell",
        b'g' => "group",
        b'o' => "organisation",
        b'p' => "project",
        b'u' => "user",
        _ => return None,
    };
    let id = u64::from_str_radix(std::str::from_utf8(number).ok()?, 36).ok()?;
    Some(format!("{name} {id}"))
}

/// Whether the six last characters are the CRC of what stands between the first `_` and them.
fn crc_after_prefix(secret: &[u8]) -> Option<bool> {
    let (body, tail) = split_tail(after_underscore(secret)?, 6)?;
    Some(tail == digits::<6>(crc32fast::hash(body), BASE62))
}

fn after_underscore(secret: &[u8]) -> Option<&[u8]> {
    let at = secret.iter().position(|&c| c == b'_')?;
    Some(&secret[at + 1..])
}

/// `number` in the base of `alphabet`, padded on the left to `WIDTH` digits.
pub(super) fn digits<const WIDTH: usize>(mut number: u32, alphabet: &[u8]) -> [u8; WIDTH] {
    let base = alphabet.len() as u32;
    let mut digits = [alphabet[0]; WIDTH];
    for digit in digits.iter_mut().rev() {
        *digit = alphabet[(number % base) as usize];
        number /= base;
    }
    digits
}

/// A mismatch, or a token too short to have a checksum, refutes.
fn decide(passed: Option<bool>) -> Verdict {
    decide_as(passed, "CRC-32, base62")
}

fn decide_as(passed: Option<bool>, what: &str) -> Verdict {
    match passed {
        Some(true) => Verdict::checksum(what),
        _ => Verdict::Refuted,
    }
}

/// A mismatch says nothing.
fn lenient(passed: Option<bool>) -> Verdict {
    lenient_as(passed, "CRC-32, base62")
}

fn lenient_as(passed: Option<bool>, what: &str) -> Verdict {
    match passed {
        Some(true) => Verdict::checksum(what),
        _ => Verdict::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{proves, says};
    use super::*;

    #[test]
    fn known_sums() {
        let sum = crc32fast::hash(b"hello");
        assert_eq!(&digits::<6>(sum, BASE62), b"0zNvy2");
        assert_eq!(format!("{sum:08x}"), "3610a686");
        assert!(
            BASE32
                .encode(&Sha256::digest(b"hello"))
                .starts_with("FTZE3OS7")
        );
    }

    #[test]
    fn right_checksums_are_proved() {
        for (name, template) in [
            ("github-crc32", "{{crc-base62:ghp_:30}}"),
            ("github-app-crc32", "{{crc-base62:ghs_:30}}"),
            ("github-fine-grained", "{{github-fine-grained}}"),
            ("npm-crc32", "{{crc-base62:npm_:30}}"),
            ("vercel-crc32", "{{crc-base62:vcp_:50}}"),
            ("cloudflare-crc32", "{{cloudflare:cfut_}}"),
            ("cloudflare-crc32", "{{cloudflare:cfat_}}"),
            ("zuplo-crc32", "{{zuplo}}"),
            ("grafana-crc32", "{{grafana-sa}}"),
            ("atlassian-crc32", "{{atlassian:ATATT3xFfGF0:180}}"),
            ("apify-crc32", "{{apify}}"),
            ("gitlab-routable", "{{gitlab-routable:glpat-}}"),
            ("gitlab-routable", "{{gitlab-routable:glrt-t1_}}"),
        ] {
            assert_eq!(proves(name, template).as_str(), "checksum", "{name}");
        }
    }

    #[test]
    fn wrong_checksums_are_refuted_where_every_generation_has_one() {
        for (name, template) in [
            ("github-crc32", "ghp_{{alnum:36}}"),
            ("npm-crc32", "npm_{{alnum:36}}"),
            ("npm-crc32", "npm_"),
            ("vercel-crc32", "vcp_{{alnum:56}}"),
            ("cloudflare-crc32", "cfut_{{alnum:40}}{{hex:8}}"),
            ("zuplo-crc32", "zpka_{{hex:32}}_{{hex:8}}"),
            ("grafana-crc32", "glsa_{{alnum:32}}_{{hex:8}}"),
            ("atlassian-crc32", "ATBB{{alnum:24}}{{HEX:8}}"),
            (
                "github-fine-grained",
                "github_pat_{{alnum:22}}_{{alnum:59}}",
            ),
            ("gitlab-routable", "glpat-{{alnum:27}}.01.0r{{lowernum:7}}"),
        ] {
            says(name, template, &Verdict::Refuted);
        }
    }

    #[test]
    fn families_with_other_generations_stay_open() {
        for (name, template) in [
            ("github-app-crc32", "ghs_{{alnum:36}}"),
            ("github-app-crc32", "ghs_12_eyJ{{alnum:60}}"),
            ("github-fine-grained", "github_pat_{{alnum:70}}"),
            ("gitlab-routable", "glpat-{{alnum:20}}"),
            ("gitlab-routable", "glpat-{{alnum:27}}.0r{{lowernum:7}}"),
            ("cloudflare-crc32", "cfat_{{alnum:40}}{{hex:8}}"),
            ("apify-crc32", "apify_api_{{alnum:36}}"),
        ] {
            says(name, template, &Verdict::Open);
        }
    }

    #[test]
    fn an_app_token_with_a_jwt_states_its_app_and_end() {
        let Proof::Structure { what, ends_at } = proves("github-app-crc32", "ghs_987654_{{jwt}}")
        else {
            panic!("structure expected");
        };
        assert_eq!(what, "GitHub App 987654, JWT, HS256");
        assert_eq!(ends_at, Some(4_102_444_800));
    }

    #[test]
    fn the_routing_of_a_gitlab_token_is_read() {
        let proof = proves("gitlab-routable", "{{gitlab-routable:glpat-}}");
        let what = "CRC-32, base36; organisation 1, user 223034".into();
        assert_eq!(proof, Proof::Checksum { what });
    }
}
