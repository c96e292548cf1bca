//! Pointers into secret managers, by their own form.

use super::{Reference, is_path, quoted};

/// Schemes whose whole rest names the secret.
const SCHEMES: &[(&str, &str)] = &[
    ("op://", "1password"),
    ("sm://", "gcp"),
    ("berglas://", "gcp"),
    ("secrets://", "helm-secrets"),
    ("sops://", "sops"),
    ("vals!", "vals"),
    ("ref+", "vals"),
    ("infisical://", "infisical"),
    ("keyvaultref:", "azure"),
];
/// Tags of CloudFormation and of Conjur's Summon.
const TAGS: &[(&str, &str)] = &[
    ("!Ref ", "cloudformation"),
    ("!GetAtt ", "cloudformation"),
    ("!ImportValue ", "cloudformation"),
    ("!var ", "conjur"),
    ("!var:file ", "conjur"),
];
/// Tools that fetch a secret when a shell runs them.
const TOOLS: &[(&str, &str)] = &[
    ("vault", "vault"),
    ("op", "1password"),
    ("aws", "aws"),
    ("chamber", "aws"),
    ("gcloud", "gcp"),
    ("az", "azure"),
    ("kubectl", "kubernetes"),
    ("doppler", "doppler"),
    ("infisical", "infisical"),
    ("bw", "bitwarden"),
    ("pass", "pass"),
    ("sops", "sops"),
    ("security", "keychain"),
];

/// A value that names a secret in a manager.
pub(super) fn pointer(value: &str, _: &str) -> Option<Reference> {
    scheme(value)
        .or_else(|| tag(value))
        .or_else(|| vault(value))
        .or_else(|| aws(value))
        .or_else(|| gcp(value))
        .or_else(|| azure(value))
        .or_else(|| other(value))
}

/// `op://vault/item`, `ref+vault://path`; also inside `${…}` and `{{ … }}`.
pub(super) fn scheme(value: &str) -> Option<Reference> {
    let (rest, system) = strip_any(value, SCHEMES)?;
    let named = !rest.is_empty() && !rest.contains(char::is_whitespace);
    let fits = !value.starts_with("ref+") || rest.contains("://");
    (named && fits).then(|| Reference::to(system, rest))
}

fn tag(value: &str) -> Option<Reference> {
    let (name, system) = strip_any(value, TAGS)?;
    Some(Reference::to(system, name))
}

fn strip_any<'a>(
    value: &'a str,
    starts: &[(&str, &'static str)],
) -> Option<(&'a str, &'static str)> {
    let mut found = starts
        .iter()
        .filter_map(|&(start, system)| Some((value.strip_prefix(start)?, system)));
    found.next()
}

/// `vault:path#key`, `secret/data/path`.
fn vault(value: &str) -> Option<Reference> {
    let path = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.#:${}".contains(c);
        text.contains('/') && text.chars().all(plain)
    };
    let name = match value.strip_prefix("vault:") {
        Some(rest) => Some(rest),
        None => value.starts_with("secret/data/").then_some(value),
    };
    name.filter(|name| path(name))
        .map(|name| Reference::to("vault", name))
}

/// Dynamic references and ARNs.
fn aws(value: &str) -> Option<Reference> {
    let resolve = value
        .strip_prefix("{{resolve:")
        .and_then(|rest| rest.strip_suffix("}}"));
    if let Some(name) = resolve {
        let services = ["secretsmanager:", "ssm:", "ssm-secure:"];
        let known = services.iter().any(|service| name.starts_with(service));
        return known.then(|| Reference::to("aws", name));
    }
    let rest = value.strip_prefix("arn:aws")?;
    let service = rest.split(':').nth(1)?;
    let name = match service {
        "secretsmanager" => rest.split_once(":secret:")?.1,
        "ssm" => rest.split_once(":parameter/")?.1,
        _ => return None,
    };
    Some(Reference::to("aws", name))
}

/// `projects/<p>/secrets/<s>`, with or without a version.
fn gcp(value: &str) -> Option<Reference> {
    let mut parts = value.split('/');
    let named = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
    let fits = parts.next() == Some("projects")
        && named(parts.next())
        && parts.next() == Some("secrets")
        && named(parts.next());
    let rest: Vec<_> = parts.collect();
    let version = matches!(rest.as_slice(), [] | ["versions", _]);
    (fits && version).then(|| Reference::to("gcp", value))
}

fn azure(value: &str) -> Option<Reference> {
    let call = value
        .strip_prefix("@Microsoft.KeyVault(")
        .and_then(|rest| rest.strip_suffix(')'));
    if let Some(name) = call {
        return Some(Reference::to("azure", name));
    }
    let (host, path) = value.strip_prefix("https://")?.split_once('/')?;
    let name = path.strip_prefix("secrets/")?.split('/').next()?;
    host.ends_with(".vault.azure.net")
        .then(|| Reference::to("azure", name))
}

fn other(value: &str) -> Option<Reference> {
    if let Some(name) = value
        .strip_prefix("<path:")
        .and_then(|rest| rest.strip_suffix('>'))
    {
        return name
            .contains('#')
            .then(|| Reference::to("argocd-vault-plugin", name));
    }
    if let Some(id) = value.strip_prefix("credentialsJSON:") {
        let uuid = id.len() == 36 && id.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-');
        return uuid.then(|| Reference::to("teamcity", id));
    }
    if ["/run/secrets/", "/var/run/secrets/"]
        .iter()
        .any(|start| value.starts_with(start))
    {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
        return value
            .chars()
            .all(plain)
            .then(|| Reference::to("docker", value));
    }
    let call = value
        .strip_prefix("credentials(")
        .and_then(|rest| rest.strip_suffix(')'))?;
    Some(Reference::to("jenkins", call.get(quoted(call, 0)?)?))
}

/// What the command of `$(…)` fetches; `None` when it prints a text that stands in it.
pub(super) fn command(command: &str) -> Option<Reference> {
    let words: Vec<_> = command.split_whitespace().collect();
    let first = *words.first()?;
    if words.len() == 1 && is_path(first) {
        return Some(Reference::to("azure-pipelines", first));
    }
    if matches!(first, "echo" | "printf" | "base64" | "<<<") {
        return None;
    }
    let name = words
        .iter()
        .position(|word| matches!(*word, "--secret-id" | "--name" | "--secret"));
    let name = name.and_then(|at| words.get(at + 1)).copied();
    let inline = words.iter().find_map(|word| word.strip_prefix("--secret="));
    let until_pipe = words
        .iter()
        .take_while(|word| !matches!(**word, "|" | "||" | "&&" | ";"));
    let last = until_pipe.filter(|word| !word.starts_with('-')).last();
    let name = name.or(inline).or(last.copied()).unwrap_or_default();
    let name = name.trim_matches(['"', '\'']);
    let tool = TOOLS.iter().find(|(tool, _)| *tool == first);
    let system = match tool {
        Some((_, system)) => system,
        None if first == "cat" && name.contains("/secrets/") => "docker",
        None => "command",
    };
    Some(Reference::to(system, name))
}
