//! Tokens that are, or hold, base64 of something readable.

use super::{Candidate, Verdict, contains, decode_base64, find, split_tail};
use crate::engine::judge::{guess, is_stand_in, placeholder};
use crate::model::Span;

/// base64 of `user:password`. The user may be empty, as with tokens sent by basic authentication;
/// the password may not be a placeholder. What is no text at all, and no word either, stays open:
/// a server may take other bytes.
pub(super) fn user_password(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let decoded = decode_base64(secret).map(String::from_utf8);
    let text = match decoded {
        Some(Ok(text)) => text,
        Some(Err(_)) if is_canonical_and_mixed(secret) => return Verdict::Open,
        _ => return Verdict::Refuted,
    };
    let Some((user, password)) = text.split_once(':') else {
        return Verdict::Refuted;
    };
    let at = Span::new(user.len() + 1, text.len());
    let stands_for_another =
        is_stand_in(text.as_bytes(), at) || placeholder::placeholder(password.as_bytes()).is_some();
    match stands_for_another || password.is_empty() || text.chars().any(char::is_control) {
        true => Verdict::Refuted,
        false => Verdict::structure("base64 of user:password", None),
    }
}

/// base64 with its padding, and with digits and letters of both cases in it.
fn is_canonical_and_mixed(secret: &[u8]) -> bool {
    const SHORTEST: usize = 12;
    let has = |kind: fn(&u8) -> bool| secret.iter().any(kind);
    secret.len() >= SHORTEST
        && secret.len().is_multiple_of(4)
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
}

/// `NTLMSSP` and a zero byte in base64: how every message of NTLM begins ([MS-NLMP], 2.2.1). Such a
/// message, as one of Kerberos behind `Negotiate` (RFC 4559), answers one challenge and logs nobody
/// in again.
const NTLM: &[u8] = b"TlRMTVNTUA";

/// A token of an issuer that is not known, as headers carry it: one of its parts was made by a
/// machine. A JSON Web Token is judged by what it holds instead.
pub(super) fn opaque_token(candidate: Candidate<'_>) -> Verdict {
    const SHORTEST: usize = 16;
    let secret = candidate.secret();
    let is_made = |part: &[u8]| {
        let has = |kind: fn(&u8) -> bool| part.iter().any(kind);
        part.len() >= SHORTEST
            && has(u8::is_ascii_digit)
            && has(u8::is_ascii_alphabetic)
            && !guess::is_guessable(part)
    };
    let is_jwt = secret.starts_with(b"eyJ") && secret.contains(&b'.');
    // The name of a scheme that signs requests: `AWS4-HMAC-SHA256`.
    let is_scheme = contains(secret, b"-HMAC-SHA");
    // Basic credentials have a proof of their own.
    let before = &candidate.text[..candidate.span.start];
    let is_after = |scheme: &[u8]| {
        let word = split_tail(before, scheme.len()).map(|(_, word)| word);
        word.is_some_and(|word| word.eq_ignore_ascii_case(scheme))
    };
    let is_other = is_after(b"basic ") || is_after(b"negotiate ") || secret.starts_with(NTLM);
    match !is_jwt && !is_scheme && !is_other && secret.split(|&c| c == b'.').any(is_made) {
        true => Verdict::Open,
        false => Verdict::Refuted,
    }
}

/// base64 of a decimal id of at least four digits, `:`, and random bytes; Bitbucket puts `BBDC-`
/// before it.
pub(super) fn bitbucket_data_center(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let encoded = secret.strip_prefix(b"BBDC-").unwrap_or(secret);
    let decoded = decode_base64(encoded).unwrap_or_default();
    let digits = decoded.iter().take_while(|c| c.is_ascii_digit()).count();
    match digits >= 4 && decoded.get(digits) == Some(&b':') && decoded.len() > digits + 8 {
        true => Verdict::structure("token id and random bytes", None),
        false => Verdict::Refuted,
    }
}

/// `<base64 of the bot's id>.<time>.<HMAC>`; the id is a snowflake.
pub(super) fn discord_bot(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let first = secret.split(|&c| c == b'.').next().unwrap_or_default();
    let id = decode_base64(first)
        .filter(|id| (17..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit))
        .and_then(|id| String::from_utf8(id).ok())
        .and_then(|id| id.parse::<u64>().ok());
    match id {
        Some(id) => Verdict::structure(format!("Discord bot {id}"), None),
        None => Verdict::Refuted,
    }
}

/// base64 of `reftkn:<version>:<expiry>:<id>`; expiry 0 means none.
pub(super) fn jfrog_reference(candidate: Candidate<'_>) -> Verdict {
    let decoded = decode_base64(candidate.secret()).and_then(|bytes| String::from_utf8(bytes).ok());
    let fields = decoded.as_deref().and_then(|text| {
        let mut fields = text.strip_prefix("reftkn:")?.split(':');
        let version: u32 = fields.next()?.parse().ok()?;
        let ends: i64 = fields.next()?.parse().ok()?;
        let id = fields.next()?;
        (!id.is_empty() && ends >= 0).then_some((version, ends))
    });
    match fields {
        Some((version, ends)) => Verdict::structure(
            format!("JFrog reference token, version {version}"),
            (ends > 0).then_some(ends),
        ),
        None => Verdict::Refuted,
    }
}

/// base64 of `OpenAI` in the middle of the token.
pub(super) fn openai_marker(candidate: Candidate<'_>) -> Verdict {
    let marker = b"T3BlbkFJ";
    let secret = candidate.secret();
    let Some(at) = find(secret, marker) else {
        return Verdict::Open;
    };
    let (before, after) = (&secret[..at], &secret[at + marker.len()..]);
    if before.len() < 16 || after.len() < 16 || contains(after, marker) {
        return Verdict::Open;
    }
    let kind = [
        (&b"sk-proj-"[..], "project key"),
        (b"sk-svcacct-", "service-account key"),
        (b"sk-admin-", "admin key"),
    ];
    let known = kind.iter().find(|(prefix, _)| before.starts_with(prefix));
    let kind = known.map_or("key", |(_, kind)| kind);
    Verdict::structure(format!("OpenAI {kind}, marker"), None)
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::super::tests::{proves, says, verdict};
    use super::*;
    use crate::model::Proof;

    fn structure(name: &str, template: &str) -> (String, Option<i64>) {
        match proves(name, template) {
            Proof::Structure { what, ends_at } => (what, ends_at),
            other => panic!("structure expected, not {}", other.as_str()),
        }
    }

    #[test]
    fn user_and_password_are_told_from_other_base64() {
        structure("base64-user-password", "{{basic:user:16}}");
        structure("base64-user-password", "{{basic::16}}");
        says("base64-user-password", "{{b64:48}}", &Verdict::Open);
        says("base64-user-password", "Authentication", &Verdict::Refuted);
        for text in [
            "user:",
            "no colon at all",
            "me:pass\u{7}word",
            "username:password",
            "me:<password>",
        ] {
            let encoded = BASE64.encode(text.as_bytes());
            assert_eq!(verdict("base64-user-password", &encoded), Verdict::Refuted);
        }
    }

    #[test]
    fn an_opaque_token_has_a_part_that_is_hard_to_guess() {
        for template in ["{{hex:32}}", "{{alnum:40}}", "ab.{{alnum:30}}.{{alnum:6}}"] {
            says("opaque-token", template, &Verdict::Open);
        }
        for text in [
            "short-1",
            "my-access-token-0001",
            "process.env.MY_ACCESS_TOKEN1",
            "0000000000000000000000",
            "AWS4-HMAC-SHA256",
            "PROVIDER14-HMAC-SHA256",
            "TlRMTVNTUAADAAAAGAAYAEAAAAAYABgAWAAAAAAAAABwAAAACAAI9xKq",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZTEyMyJ9.",
        ] {
            assert_eq!(verdict("opaque-token", text), Verdict::Refuted, "{text}");
        }
    }

    #[test]
    fn an_end_is_read_from_a_reference_token() {
        let what = "JFrog reference token, version 1".to_owned();
        let name = "jfrog-reference";
        assert_eq!(
            structure(name, "{{jfrog-reference:0}}"),
            (what.clone(), None)
        );
        let ending = structure(name, "{{jfrog-reference:1900000000}}");
        assert_eq!(ending, (what, Some(1_900_000_000)));
        says(name, "cmVmdGtu{{alnum:56}}", &Verdict::Refuted);
    }

    #[test]
    fn ids_are_decoded() {
        structure("bitbucket-data-center", "{{bitbucket-dc}}");
        says("bitbucket-data-center", "{{b64:33}}", &Verdict::Refuted);
        assert!(
            structure("discord-bot", "{{discord-bot}}")
                .0
                .starts_with("Discord bot ")
        );
        says(
            "discord-bot",
            "{{alnum:24}}.{{alnum:6}}.{{alnum:38}}",
            &Verdict::Refuted,
        );
    }

    #[test]
    fn the_openai_marker_stands_inside() {
        let (what, _) = structure("openai-marker", "sk-proj-{{alnum:20}}T3BlbkFJ{{alnum:20}}");
        assert_eq!(what, "OpenAI project key, marker");
        says("openai-marker", "sk-{{alnum:48}}", &Verdict::Open);
    }
}
