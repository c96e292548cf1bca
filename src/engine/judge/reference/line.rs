//! Values whose line says that they are names or ciphertexts.

use super::Reference;
use super::sealed::is_base64;

/// Keys whose value names a secret, in lower case.
const POINTERS: &[(&str, &str)] = &[
    ("credentialsid", "jenkins"),
    ("credentials_id", "jenkins"),
    ("from_secret", "drone"),
    ("secretname", "kubernetes"),
    ("secretkeyref", "kubernetes"),
    ("secretref", "kubernetes"),
    ("existingsecret", "kubernetes"),
    ("existingsecretname", "kubernetes"),
    ("remoteref", "external-secrets"),
    ("valuefrom", "aws"),
    ("secretarn", "aws"),
    ("secret_arn", "aws"),
    ("credential_process", "aws"),
    ("usersecretsid", "dotnet"),
];
/// Longest part of a line that is searched.
const LONGEST: usize = 4096;

/// Judges by the key before the value.
pub(super) fn by_key(value: &str, line: &str) -> Option<Reference> {
    let before = text_before(value, line)?;
    let key = key(before).to_ascii_lowercase();
    if let Some((_, system)) = POINTERS.iter().find(|(known, _)| *known == key) {
        return Some(Reference::to(system, value));
    }
    if key.starts_with("dotenv_public_key") {
        return Some(Reference::to("dotenvx", &key.to_ascii_uppercase()));
    }
    if key == "id"
        && ["type=secret", "--secret"]
            .iter()
            .any(|word| before.contains(word))
    {
        return Some(Reference::to("docker", value));
    }
    let inner = value
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let in_element = before.trim_end().ends_with('>');
    if inner.is_some_and(|inner| is_base64(inner, 20)) && in_element {
        return Some(Reference::ciphertext("maven"));
    }
    encrypted(&key, value).map(Reference::ciphertext)
}

fn encrypted(key: &str, value: &str) -> Option<&'static str> {
    let pulumi = value.starts_with("v1:") || value.starts_with("AAAB");
    match key {
        "secure" if pulumi => Some("pulumi"),
        "secure" if is_base64(value, 40) => Some("ci-secure"),
        "encryptionsalt" | "encryptedkey" => Some("pulumi"),
        "encrypted_data" | "auth_tag" => Some("chef"),
        key if key.starts_with("dotenv_vault") && is_base64(value, 24) => Some("dotenv-vault"),
        _ => None,
    }
}

/// What stands on the line before the value.
fn text_before<'a>(value: &str, line: &'a str) -> Option<&'a str> {
    let near = (0..=LONGEST.min(line.len()))
        .rev()
        .find_map(|end| line.get(..end))?;
    let at = near.find(value).or_else(|| line.find(value))?;
    // The value may also be a part of the key: the last place on the line is the value's then.
    let last = near.rfind(value).unwrap_or(at);
    line.get(..last)
}

/// The name at the end of `before`, past its separator and quotes.
fn key(before: &str) -> &str {
    let text = before.trim_end_matches(|c: char| " \t\"'`:=>|([{,".contains(c));
    let start = text.rfind(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c));
    let start = start.map_or(0, |at| {
        at + text
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(1, char::len_utf8)
    });
    text.get(start..).unwrap_or_default()
}
