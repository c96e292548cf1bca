//! Tokens that hold JSON: JWTs, and the claims that Sentry, Grafana and Google put beside a key.

use serde_json::{Map, Value};

use super::{Candidate, Verdict, contains, decode_base64, find, private_key, shown};
use crate::model::Span;

/// Signing algorithms of RFC 7518, RFC 8037, RFC 8812, RFC 9864 and the ML-DSA draft.
const SIGNING: &[&str] = &[
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "ES256",
    "ES384",
    "ES512",
    "PS256",
    "PS384",
    "PS512",
    "ES256K",
    "EdDSA",
    "Ed25519",
    "Ed448",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
];
/// Key-management algorithms of encrypted tokens.
const WRAPPING: &[&str] = &[
    "dir",
    "RSA1_5",
    "RSA-OAEP",
    "RSA-OAEP-256",
    "RSA-OAEP-384",
    "RSA-OAEP-512",
    "A128KW",
    "A192KW",
    "A256KW",
    "A128GCMKW",
    "A192GCMKW",
    "A256GCMKW",
    "ECDH-ES",
    "ECDH-ES+A128KW",
    "ECDH-ES+A192KW",
    "ECDH-ES+A256KW",
    "PBES2-HS256+A128KW",
    "PBES2-HS384+A192KW",
    "PBES2-HS512+A256KW",
];
/// How far around a match the members of a service-account file are looked for.
const MARGIN: usize = 4096;

/// A JSON Web Token, signed or encrypted. Claims that nothing signs open nothing.
pub(super) fn jwt(candidate: Candidate<'_>) -> Verdict {
    match read_jwt(candidate.secret()) {
        Verdict::Refuted if is_long(candidate.secret()) => Verdict::Open,
        verdict => verdict,
    }
}

/// Three parts in base64, a brace at the start and a signature at the end, and so long that it is
/// hardly anything else, whatever happened to its JSON.
fn is_long(token: &[u8]) -> bool {
    const SHORTEST: usize = 200;
    const SHORTEST_SIGNATURE: usize = 40;
    let parts: Vec<_> = token.split(|&c| c == b'.').collect();
    let [header, payload, signature] = parts[..] else {
        return false;
    };
    let begins = decode_base64(header).is_some_and(|header| header.starts_with(b"{"));
    token.len() >= SHORTEST
        && signature.len() >= SHORTEST_SIGNATURE
        && begins
        && decode_base64(payload).is_some()
}

/// As [`jwt`], for a token inside another.
pub(super) fn read_jwt(token: &[u8]) -> Verdict {
    let parts: Vec<_> = token.splitn(6, |&c| c == b'.').collect();
    let Some(header) = parts.first().and_then(|part| object(part)) else {
        return Verdict::Refuted;
    };
    let algorithm = header
        .get("alg")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let known = |list: &[&'static str]| list.iter().copied().find(|&name| name == algorithm);
    match parts.len() {
        5 => match known(WRAPPING) {
            Some(name) => Verdict::structure(format!("encrypted JWT, {name}"), None),
            None => Verdict::Refuted,
        },
        3 if algorithm.is_empty() || parts[2].is_empty() => Verdict::Refuted,
        3 => match (known(SIGNING), signed(algorithm, &header, parts[1])) {
            // Signed, if by an algorithm that no standard lists.
            (None, Verdict::Proved(_)) => Verdict::Open,
            (_, verdict) => verdict,
        },
        _ => Verdict::Refuted,
    }
}

fn signed(algorithm: &str, header: &Map<String, Value>, payload: &[u8]) -> Verdict {
    if let Some(claims) = object(payload) {
        let ends_at = claims.get("exp").and_then(seconds);
        return Verdict::structure(format!("JWT, {algorithm}"), ends_at);
    }
    // Compressed, nested, detached or raw payloads are no JSON.
    let opaque = ["zip", "cty", "b64"]
        .iter()
        .any(|key| header.contains_key(*key));
    match opaque {
        true => Verdict::Open,
        false => Verdict::Refuted,
    }
}

/// `sntrys_<base64 of JSON>_<secret>`; other prefixes of Sentry hold nothing.
pub(super) fn sentry_org(candidate: Candidate<'_>) -> Verdict {
    let Some(body) = candidate.secret().strip_prefix(b"sntrys_") else {
        return Verdict::Open;
    };
    let claims = body.split(|&c| c == b'_').next().and_then(object);
    let text = |key: &str| claims.as_ref()?.get(key)?.as_str().map(shown);
    match (text("org"), text("region_url").or_else(|| text("url"))) {
        (Some(org), Some(url)) => {
            Verdict::structure(format!("Sentry organisation {org}, {url}"), None)
        }
        _ => Verdict::Refuted,
    }
}

/// `ops_<base64 of JSON>`: where a service account of 1Password signs in, as whom, and the keys for
/// that. The vendor does not document the members, so that others say nothing.
pub(super) fn onepassword_service_account(candidate: Candidate<'_>) -> Verdict {
    let claims = candidate.secret().strip_prefix(b"ops_").and_then(object);
    let text = |key: &str| claims.as_ref()?.get(key)?.as_str().map(shown);
    let is_whole = ["srpX", "muk", "secretKey"]
        .iter()
        .all(|key| claims.as_ref().is_some_and(|it| it.contains_key(*key)));
    match text("signInAddress") {
        Some(address) if is_whole => {
            Verdict::structure(format!("1Password service account at {address}"), None)
        }
        _ => Verdict::Open,
    }
}

/// `glc_<base64 of JSON>`, and legacy API keys, which are the base64 alone.
pub(super) fn grafana_cloud(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let cloud = secret.strip_prefix(b"glc_");
    let Some(claims) = object(cloud.unwrap_or(secret)) else {
        return Verdict::Refuted;
    };
    let text = |key: &str| match claims.get(key)? {
        Value::String(text) => Some(shown(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let key = claims
        .get("k")
        .and_then(Value::as_str)
        .is_some_and(|key| !key.is_empty());
    let owner = if cloud.is_some() {
        text("o")
    } else {
        text("id")
    };
    match (key, owner, text("n")) {
        (true, Some(owner), Some(name)) => {
            Verdict::structure(format!("Grafana organisation {owner}, key {name}"), None)
        }
        _ => Verdict::Refuted,
    }
}

/// A match in a service-account file, or the whole file: names the account, and refutes what
/// stands there without a key.
pub(super) fn gcp_service_account(candidate: Candidate<'_>) -> Verdict {
    if !contains(candidate.secret(), b"-----BEGIN") {
        return Verdict::Refuted; // identifiers alone
    }
    let around = candidate.around(MARGIN);
    if !contains(around, b"client_email") || !contains(around, b"private_key_id") {
        return Verdict::Open;
    }
    let secret = candidate.secret();
    if let Some(at) = find(secret, b"-----BEGIN") {
        let start = candidate.span.start + at;
        let inner = Candidate {
            text: candidate.text,
            span: Span::new(start, candidate.span.end),
        };
        if private_key::private_key(inner) == Verdict::Refuted {
            return Verdict::Refuted;
        }
    }
    match account_email(around) {
        Some(email) => Verdict::structure(format!("Google service account {email}"), None),
        None => Verdict::structure("Google service account", None),
    }
}

/// The `client_email` in `text`, when there is exactly one and it looks like one.
fn account_email(text: &[u8]) -> Option<String> {
    let key = b"client_email";
    let at = find(text, key)? + key.len();
    let rest = &text[at..];
    if contains(rest, key) {
        return None;
    }
    // Quotes, escapes of quotes, a colon and blanks stand between key and value.
    let skip = rest
        .iter()
        .position(|c| !matches!(c, b'"' | b'\'' | b'\\' | b':' | b' '))?;
    let value = &rest[skip..];
    let plain = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'@');
    let length = value.iter().take_while(|&c| plain(c)).count();
    let email = std::str::from_utf8(&value[..length]).ok()?;
    email
        .ends_with(".gserviceaccount.com")
        .then(|| shown(email))
}

/// base64 of a JSON object.
fn object(part: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&decode_base64(part)?).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// A JSON number of seconds; fractions are cut.
pub(super) fn seconds(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;

    use super::super::tests::{proves, says, verdict};
    use super::*;
    use crate::detector::template::expand;
    use crate::model::Proof;

    fn token(header: &str, payload: &str) -> String {
        let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        format!("{}.{}.c2ln", encode(header), encode(payload))
    }

    #[test]
    fn a_jwt_states_its_end() {
        let ended = Proof::Structure {
            what: "JWT, HS256".into(),
            ends_at: Some(1_000_000_000),
        };
        assert_eq!(proves("jwt", "{{jwt-expired}}"), ended);
        proves("jwt", "{{jwt}}");
    }

    #[test]
    fn algorithms_and_ends_are_read() {
        let says = |header, payload| verdict("jwt", &token(header, payload));
        let structure = |what: &str, ends_at| Verdict::structure(what, ends_at);
        let rs = r#"{"alg":"RS256"}"#;
        assert_eq!(
            says(rs, r#"{"exp":1.5e9}"#),
            structure("JWT, RS256", Some(1_500_000_000))
        );
        assert_eq!(says(rs, r#"{"exp":"soon"}"#), structure("JWT, RS256", None));
        assert_eq!(says(r#"{"alg":"acme-1"}"#, "{}"), Verdict::Open);
        assert_eq!(says(r#"{"alg":"HS256","zip":"DEF"}"#, "xx"), Verdict::Open);
    }

    #[test]
    fn what_does_not_parse_is_no_jwt() {
        for (header, payload) in [
            (r#"{"alg":"HS256"}"#, "not json"),
            (r#"{"alg":"HS256"}"#, "[1]"),
            (r#"{"typ":"JWT"}"#, "{}"),
            ("{}x", "{}"),
        ] {
            let text = token(header, payload);
            assert_eq!(
                verdict("jwt", &text),
                Verdict::Refuted,
                "{header} {payload}"
            );
        }
        says(
            "jwt",
            "eyJ{{base64url:30}}.eyJ{{base64url:60}}.{{base64url:43}}",
            &Verdict::Refuted,
        );
        says("jwt", "eyJhbGciOiJIUzI1NiJ9", &Verdict::Refuted);
        says(
            "jwt",
            "eyJ{{base64url:33}}.eyJ{{base64url:125}}.{{base64url:43}}",
            &Verdict::Open,
        );
        let unsigned = token(r#"{"alg":"none"}"#, "{}");
        let unsigned = unsigned.trim_end_matches("c2ln");
        assert_eq!(verdict("jwt", unsigned), Verdict::Refuted);
    }

    #[test]
    fn an_encrypted_jwt_needs_no_readable_payload() {
        let header = BASE64URL_NOPAD.encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
        let text = format!("{header}.a.b.c.d");
        let expected = Verdict::structure("encrypted JWT, RSA-OAEP", None);
        assert_eq!(verdict("jwt", &text), expected);
    }

    #[test]
    fn claims_beside_a_secret_are_named() {
        let what = |name, template| match proves(name, template) {
            Proof::Structure {
                what,
                ends_at: None,
            } => what,
            _ => panic!("a structure without end expected"),
        };
        assert_eq!(
            what("sentry-org", "{{sentry-org}}"),
            "Sentry organisation acme, https://us.sentry.io"
        );
        assert_eq!(
            what(
                "onepassword-service-account",
                "{{onepassword-service-account}}"
            ),
            "1Password service account at acme.1password.example"
        );
        assert_eq!(
            what("grafana-cloud", "{{grafana-cloud}}"),
            "Grafana organisation 652992, key acme-ci"
        );
        assert_eq!(
            what("grafana-cloud", "{{grafana-legacy}}"),
            "Grafana organisation 1, key acme"
        );
        says(
            "sentry-org",
            "sntrys_eyJ{{base64:100}}_{{alnum:43}}",
            &Verdict::Refuted,
        );
        says("sentry-org", "sntryu_{{hex:64}}", &Verdict::Open);
        says("grafana-cloud", "glc_eyJ{{base64:100}}", &Verdict::Refuted);
    }

    #[test]
    fn a_service_account_file_is_named_and_needs_its_key() {
        let file = |key: &str| {
            format!(
                r#"{{"type": "service_account", "private_key_id": "x", "private_key": "{key}",
                    "client_email": "bot@acme.iam.gserviceaccount.com"}}"#
            )
        };
        let key = expand("{{pem-line:PRIVATE KEY}}", 1).expect("valid").secret;
        let named = "Google service account bot@acme.iam.gserviceaccount.com";
        let whole = verdict("gcp-service-account", &file(&key));
        assert_eq!(whole, Verdict::structure(named, None));
        let elided = file(r"-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n");
        assert_eq!(verdict("gcp-service-account", &elided), Verdict::Refuted);
        assert_eq!(verdict("gcp-service-account", "{}"), Verdict::Refuted);
    }
}
