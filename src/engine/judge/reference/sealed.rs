//! Encrypted values, by their own form.

use super::Reference;

/// A value that a tool encrypted, with a key that is elsewhere.
pub(super) fn ciphertext(value: &str, _: &str) -> Option<Reference> {
    by_prefix(value)
        .or_else(|| in_brackets(value))
        .or_else(|| is_rails(value).then_some("rails"))
        .or_else(|| is_sealed_secret(value).then_some("sealed-secrets"))
        .map(Reference::ciphertext)
}

fn by_prefix(value: &str) -> Option<&'static str> {
    let starts = [
        ("-----BEGIN AGE ENCRYPTED FILE-----", "age"),
        ("age-encryption.org/v1", "age"),
        ("-----BEGIN PGP MESSAGE-----", "pgp"),
        ("\0GITCRYPT\0", "git-crypt"),
        ("$ANSIBLE_VAULT;1.", "ansible-vault"),
        ("!vault", "ansible-vault"),
    ];
    if let Some((_, system)) = starts.iter().find(|(start, _)| value.starts_with(start)) {
        return Some(system);
    }
    // The salt's magic; base64 of it and of at least one block.
    if value.starts_with("U2FsdGVkX1") && is_base64(value, 32) {
        return Some("openssl");
    }
    if let Some(rest) = value.strip_prefix("encrypted:") {
        return is_base64(rest, 40).then_some("dotenvx");
    }
    if let Some(rest) = value.strip_prefix("{cipher}") {
        let hex = rest.len() >= 32 && rest.bytes().all(|c| c.is_ascii_hexdigit());
        return (hex || is_base64(rest, 32)).then_some("spring-cloud-config");
    }
    let (version, sealed) = value.strip_prefix("vault:v")?.split_once(':')?;
    let number = !version.is_empty() && version.bytes().all(|c| c.is_ascii_digit());
    (number && is_base64(sealed, 16)).then_some("vault-transit")
}

fn in_brackets(value: &str) -> Option<&'static str> {
    if let Some(inner) = value
        .strip_prefix("ENC[")
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let (kind, rest) = inner.split_once(',')?;
        return match kind {
            "AES256_GCM" if is_sops(rest) => Some("sops"),
            "PKCS7" | "GPG" | "KMS" if is_base64(rest, 16) => Some("eyaml"),
            _ => None,
        };
    }
    if let Some(inner) = value
        .strip_prefix("ENC(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return is_base64(inner, 16).then_some("jasypt");
    }
    let inner = value.strip_prefix('{')?.strip_suffix('}')?;
    (inner.starts_with("AQAAABAAAA") && is_base64(inner, 32)).then_some("jenkins")
}

/// `data:…,iv:…,tag:…,type:str`; the data of an empty value is empty.
fn is_sops(fields: &str) -> bool {
    let mut names = fields.split(',').map(|field| field.split_once(':'));
    let mut next = |name: &str| matches!(names.next(), Some(Some((got, _))) if got == name);
    next("data") && next("iv") && next("tag") && next("type")
}

/// `<data>--<iv of 12 bytes>--<tag of 16 bytes>`.
fn is_rails(value: &str) -> bool {
    let parts: Vec<_> = value.split("--").collect();
    let &[data, iv, tag] = parts.as_slice() else {
        return false;
    };
    is_base64(data, 4)
        && iv.len() == 16
        && is_base64(iv, 16)
        && tag.len() == 24
        && is_base64(tag, 22)
}

/// The length of an RSA-4096 block, 0x0200, and the block.
fn is_sealed_secret(value: &str) -> bool {
    let head = value
        .strip_prefix("Ag")
        .is_some_and(|rest| rest.starts_with(['A', 'B', 'C', 'D']));
    head && is_base64(value, 690)
}

/// Base64 of the standard alphabet, at least `least` characters, line breaks allowed.
pub(super) fn is_base64(text: &str, least: usize) -> bool {
    let digit = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'\n' | b'\r');
    text.len() >= least && text.trim_end_matches('=').bytes().all(digit)
}
