//! Hashes of passwords, by their own form: what a server compares with, not what logs in.

use super::Reference;
use super::sealed::is_base64;
use crate::engine::judge::proof::decode_base64;

/// A value that was computed from a password and cannot be turned back.
pub(super) fn hash(value: &str, _: &str) -> Option<Reference> {
    let kind = if is_crypt(value) {
        "crypt"
    } else if is_ldap(value) {
        "ldap"
    } else if is_named(value) {
        "pbkdf2"
    } else if is_postgres(value) {
        "postgres"
    } else if is_mysql(value) {
        "mysql"
    } else if is_user_file(value) {
        "htpasswd"
    } else {
        return None;
    };
    Some(Reference::hash(kind))
}

/// Base64 of lines of a user and a hash, as Kubernetes keeps the users of an ingress:
/// `user:{SHA}…`, `user:$apr1$…`.
fn is_user_file(value: &str) -> bool {
    let decoded = match value.len() {
        24..=4096 if is_base64(value, 24) => decode_base64(value.as_bytes()),
        _ => None,
    };
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let is_user = |line: &str| {
        let hash = line.split_once(':').map(|(_, hash)| hash);
        hash.is_some_and(|hash| is_crypt(hash) || is_ldap(hash))
    };
    text.is_some_and(|text| !text.trim().is_empty() && text.trim().lines().all(is_user))
}

/// `$6$salt$hash`, `$argon2id$v=19$m=65536,t=3,p=4$salt$hash`, `$2b$12$salt-and-hash`.
fn is_crypt(value: &str) -> bool {
    let parts: Vec<_> = value.split('$').collect();
    let [empty, id, rest @ .., last] = parts.as_slice() else {
        return false;
    };
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"./+-_=,".contains(&c);
    let named = (1..=12).contains(&id.len())
        && id
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
    let known =
        named && (id.len() > 3 || id.starts_with(|c: char| c.is_ascii_digit()) || *id == "y");
    empty.is_empty()
        && known
        && !rest.is_empty()
        && last.len() >= 20
        && rest
            .iter()
            .chain([last])
            .all(|part| part.bytes().all(plain))
}

/// `{SSHA}base64`, and the hash of any scheme behind its name: `{bcrypt}$2a$10$…`.
fn is_ldap(value: &str) -> bool {
    let parts = value
        .strip_prefix('{')
        .and_then(|rest| rest.split_once('}'));
    parts.is_some_and(|(scheme, hash)| {
        let named = scheme.contains("SHA") || scheme.contains("MD5") || scheme == "CRYPT";
        named && is_base64(hash, 20) || is_crypt(hash) || is_named(hash)
    })
}

/// `pbkdf2_sha256$600000$salt$hash`, `pbkdf2:sha256:600000$salt$hash`
fn is_named(value: &str) -> bool {
    let names = ["pbkdf2", "argon2", "bcrypt", "scrypt"];
    names.iter().any(|name| value.starts_with(name)) && value.matches('$').count() >= 2
}

/// `SCRAM-SHA-256$4096:salt$keys`, `md5` and MD5 in hex.
fn is_postgres(value: &str) -> bool {
    let digits = value.strip_prefix("md5").unwrap_or_default();
    let md5 = digits.len() == 32 && digits.bytes().all(|c| c.is_ascii_hexdigit());
    md5 || value.starts_with("SCRAM-SHA-") && value.contains('$')
}

/// `*` and SHA-1 in hex of one case.
fn is_mysql(value: &str) -> bool {
    let digits = value.strip_prefix('*').unwrap_or_default().as_bytes();
    let hex = digits.iter().all(u8::is_ascii_hexdigit);
    let mixed =
        digits.iter().any(u8::is_ascii_lowercase) && digits.iter().any(u8::is_ascii_uppercase);
    digits.len() == 40 && hex && !mixed
}
