//! Calls and names in code that fetch a secret at run time.

use super::{Reference, is_identifier, quoted};

/// Calls and indexes that read the environment; the name is what is quoted next.
pub(super) const ENVIRONMENT: &[&str] = &[
    "os.getenv(",
    "os.environ[",
    "os.environ.get(",
    "environ[",
    "environ.get(",
    "process.env[",
    "System.getenv(",
    "System.getProperty(",
    "ENV[",
    "ENV.fetch(",
    "env(",
    "getenv(",
    "Deno.env.get(",
    "std::env::var(",
    "env::var(",
    "env!(",
    "option_env!(",
    "Environment.GetEnvironmentVariable(",
    "System.Environment.GetEnvironmentVariable(",
    "os.Getenv(",
    "os.LookupEnv(",
    "Sys.getenv(",
    "$_ENV[",
    "$_SERVER[",
    "System.get_env(",
];
/// Objects whose members are the environment.
pub(super) const MEMBERS: &[&str] = &["process.env.", "import.meta.env.", "Bun.env."];

/// Calls of a manager's library; the name is what is quoted next.
const MANAGERS: &[(&str, &str)] = &[
    ("SecretValue.secretsManager(", "aws"),
    ("SecretValue.ssmSecure(", "aws"),
    ("Secret.fromSecret", "aws"),
    ("getSecretValue(", "aws"),
    ("get_secret_value(", "aws"),
    ("access_secret_version(", "gcp"),
    ("accessSecretVersion(", "gcp"),
    (".requireSecret(", "pulumi"),
    (".require_secret(", "pulumi"),
    ("getSecret(", "azure"),
    ("get_secret(", "azure"),
    ("GetSecret(", "azure"),
];
/// Heads of Terraform's expressions.
const TERRAFORM: &[&str] = &["data", "each", "ephemeral", "local", "module", "var"];

/// An expression that is nothing but a look-up.
pub(super) fn lookup(value: &str, _: &str) -> Option<Reference> {
    environment(value)
        .or_else(|| manager(value))
        .or_else(|| terraform(value))
}

fn environment(value: &str) -> Option<Reference> {
    let member = MEMBERS.iter().find_map(|object| value.strip_prefix(object));
    if let Some(member) = member {
        let end = member.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let name = member.get(..end.unwrap_or(member.len()))?;
        return is_identifier(name).then(|| Reference::to("environment", name));
    }
    let call = ENVIRONMENT.iter().find(|call| value.starts_with(**call))?;
    let name = quoted(value, call.len()).filter(|range| range.start == call.len() + 1);
    // A name that is itself a variable: `os.getenv(key)`.
    let name = name.and_then(|range| value.get(range));
    Some(Reference::to("environment", name.unwrap_or_default()))
}

fn manager(value: &str) -> Option<Reference> {
    // One of the two is in each.
    if !value.bytes().any(|byte| matches!(byte, b'(' | b'.')) {
        return None;
    }
    let (at, system) = MANAGERS.iter().find_map(|&(call, system)| {
        let at = value.find(call)?;
        Some((at + call.len(), system))
    })?;
    let name = quoted(value, at).and_then(|range| value.get(range));
    Some(Reference::to(system, name.unwrap_or_default()))
}

/// `var.x`, `data.a.b.c`, `random_password.x.result`; and members of an object in other languages.
fn terraform(value: &str) -> Option<Reference> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.[]\"*".contains(c);
    if !value.chars().all(plain) {
        return None;
    }
    let parts: Vec<_> = value.split('.').collect();
    let named = parts
        .iter()
        .skip(1)
        .all(|part| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '*'));
    let head = *parts.first()?;
    let attribute =
        |part: &&str| is_identifier(part) && !part.bytes().any(|c| c.is_ascii_uppercase());
    let resource = parts.len() == 3 && head.contains('_') && parts.iter().all(attribute);
    let known = parts.len() > 1 && named && TERRAFORM.contains(&head);
    if named && parts.len() > 1 && matches!(head, "self" | "this") {
        return Some(Reference::template("code", value));
    }
    (known || resource).then(|| Reference::to("terraform", value))
}
