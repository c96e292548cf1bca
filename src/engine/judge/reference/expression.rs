//! Expressions that a shell, a CI system or a template engine replaces.

use super::{Reference, code, is_identifier, is_path, quoted, store};

/// Contexts of expressions in `${{ … }}`.
const CONTEXTS: &[(&str, &str)] = &[
    ("secrets", "github-actions"),
    ("vars", "github-actions"),
    ("env", "github-actions"),
    ("github", "github-actions"),
    ("inputs", "github-actions"),
    ("steps", "github-actions"),
    ("needs", "github-actions"),
    ("matrix", "github-actions"),
    ("job", "github-actions"),
    ("jobs", "github-actions"),
    ("runner", "github-actions"),
    ("strategy", "github-actions"),
    ("variables", "azure-pipelines"),
    ("parameters", "azure-pipelines"),
    ("dependencies", "azure-pipelines"),
    ("stageDependencies", "azure-pipelines"),
];

/// Sources before the colon of `${source:name}`, which is not a default then.
pub(super) const SOURCES: &[(&str, &str)] = &[
    ("env", "environment"),
    ("ENV", "environment"),
    ("sys", "environment"),
    ("ssm", "aws"),
    ("secretsmanager", "aws"),
    ("aws", "aws"),
    ("cf", "cloudformation"),
    ("s3", "aws"),
    ("vault", "vault"),
    ("sm", "gcp"),
    ("keyvault", "azure"),
    ("file", "file"),
    ("opt", "serverless"),
    ("self", "serverless"),
    ("param", "serverless"),
    ("sls", "serverless"),
];

/// Words beside an expression that are no part of a secret.
const COMPANIONS: &[&str] = &["apikey", "basic", "bearer", "bot", "token"];

/// A value that is one expression, or several with nothing but signs and `Bearer` beside them.
pub(super) fn expressions(value: &str, _: &str) -> Option<Reference> {
    if let Some(whole) = marked(value) {
        return Some(whole);
    }
    let mut first = None;
    let mut rest = value;
    while let Some(c) = rest.chars().next() {
        if let Some(length) = expression_length(rest) {
            let (expression, after) = rest.split_at_checked(length)?;
            let found = interpret(expression)?;
            first.get_or_insert(found);
            rest = after;
        } else if c.is_ascii_alphabetic() {
            let end = rest
                .find(|c: char| !c.is_ascii_alphabetic())
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at_checked(end)?;
            if !COMPANIONS.contains(&word.to_ascii_lowercase().as_str()) {
                return None;
            }
            rest = after;
        } else if c.is_ascii_punctuation() && c != '$' || c == ' ' {
            rest = rest.strip_prefix(c)?;
        } else {
            return None;
        }
    }
    first
}

/// Forms that stand for the whole value only: `%X%`, `__X__`, `@x@`, `%(x)s`, `<X>`.
fn marked(value: &str) -> Option<Reference> {
    let between = |open: &str, close: &str| value.strip_prefix(open)?.strip_suffix(close);
    if let Some(name) = between("%env(", ")%") {
        let name = name.rsplit(':').next().unwrap_or(name);
        return is_identifier(name).then(|| Reference::to("environment", name));
    }
    if let Some(name) = between("%", "%").filter(|name| is_path(name)) {
        return Some(match name.contains('.') {
            true => Reference::template("teamcity", name),
            false => Reference::to("environment", name),
        });
    }
    let plain = |name: &&str| is_path(name);
    let sentence = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || " _-.:/".contains(c))
    };
    let name = between("__", "__")
        .filter(plain)
        .or_else(|| between("@", "@").filter(plain))
        .or_else(|| between("%(", ")s").filter(plain))
        .or_else(|| between("<", ">").filter(sentence));
    if let Some(name) = name {
        return Some(Reference::template("generic", name));
    }
    let crosses = value.len() >= 4 && value.bytes().all(|c| c.eq_ignore_ascii_case(&b'x'));
    crosses.then(|| Reference::template("generic", ""))
}

/// Openers and closers, longest opener first.
const BRACES: &[(&str, &str)] = &[("${{", "}}"), ("{{", "}}"), ("<%", "%>"), ("<<", ">>")];

/// Whether an expression can begin with `byte`.
pub(super) fn may_open(byte: u8) -> bool {
    matches!(byte, b'$' | b'#' | b'{' | b'%' | b'<')
}

/// Length of the expression at the start of `text`, braces included.
pub(super) fn expression_length(text: &str) -> Option<usize> {
    for (open, close) in BRACES {
        if text.starts_with(open) {
            let end = text.find(close)? + close.len();
            // `{{{x}}}` and the braces of an object before the end.
            let more = text
                .get(end..)?
                .bytes()
                .take_while(|&c| *close == "}}" && c == b'}')
                .count();
            return Some(end + more);
        }
    }
    match text.as_bytes() {
        [b'$' | b'#', b'{', ..] => balanced(text, b'{', b'}'),
        [b'$', b'(', ..] => balanced(text, b'(', b')'),
        [b'$', b'[', ..] => balanced(text, b'[', b']'),
        [b'$', ..] => variable_length(text),
        [b'%', b's' | b'd' | b'v' | b'q', ..] => Some(2),
        [b'{', ..] => argument_length(text),
        _ => None,
    }
}

/// `{}`, `{0}`, `{name}` of a format text. A name has one case and no digits: `{aB3x}` may be a
/// password.
fn argument_length(text: &str) -> Option<usize> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let number = name.bytes().all(|c| c.is_ascii_digit());
    let letters = |case: fn(&u8) -> bool| {
        is_path(name)
            && name
                .bytes()
                .all(|c| case(&c) || matches!(c, b'_' | b'.' | b'-'))
    };
    let named = letters(u8::is_ascii_lowercase) || letters(u8::is_ascii_uppercase);
    (number && name.len() <= 2 || named).then_some(name.len() + 2)
}

/// Length up to the closer of the first opener.
fn balanced(text: &str, open: u8, close: u8) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.bytes().enumerate().skip(1) {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some(at + 1);
            }
        }
    }
    None
}

/// `$NAME`, `$$NAME`, `$env:NAME`, and `$name` with members: `$this->x`, `$config['x']`.
///
/// Names in lower or mixed case have no digits inside: `$aB3x` is rather the start of a password.
fn variable_length(text: &str) -> Option<usize> {
    let signs = text.len() - text.trim_start_matches('$').len();
    let rest = text.get(signs..)?;
    let rest_start = rest.strip_prefix("env:").map_or(0, |_| "env:".len());
    let name_text = rest.get(rest_start..)?;
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let length = name_text.find(ends).unwrap_or(name_text.len());
    let name = name_text.get(..length)?;
    let shouted = name.len() > 1 && !name.bytes().any(|c| c.is_ascii_lowercase());
    let spoken = name.len() > 1
        && !name
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .bytes()
            .any(|c| c.is_ascii_digit());
    if signs > 2 || !is_identifier(name) || !(shouted || spoken) {
        return None;
    }
    let mut members = name_text.get(length..)?;
    while let Some(after) = member(members) {
        members = after;
    }
    Some(text.len() - members.len())
}

/// What follows one `->name`, `['name']` or `["name"]`.
fn member(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix("->") {
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        return rest.get(end..).filter(|_| end > 0);
    }
    let rest = text
        .strip_prefix("['")
        .or_else(|| text.strip_prefix("[\""))?;
    let (_, after) = rest.split_once(['\'', '"'])?;
    after.strip_prefix(']')
}

/// What one expression, braces included, points to.
fn interpret(text: &str) -> Option<Reference> {
    let inside =
        |open: &str, close: &str| Some(text.strip_prefix(open)?.strip_suffix(close)?.trim());
    if let Some(inner) = inside("${{", "}}") {
        return Some(ci_expression(inner));
    }
    if let Some(inner) = inside("{{", "}}") {
        return Some(template(inner.trim_matches(['{', '}', '-']).trim()));
    }
    if let Some(inner) = inside("<%", "%>") {
        let inner = inner.trim_start_matches('=').trim_end_matches('-').trim();
        return Some(
            code::lookup(inner, "").unwrap_or_else(|| Reference::template("generic", inner)),
        );
    }
    if let Some(inner) = inside("<<", ">>") {
        return Some(match inner.split('.').next() {
            Some("parameters" | "pipeline" | "matrix") => Reference::to("circleci", inner),
            _ => Reference::template("generic", inner),
        });
    }
    if let Some(inner) = inside("#{", "}") {
        return Some(
            code::lookup(inner, "").unwrap_or_else(|| Reference::template("octopus", inner)),
        );
    }
    if let Some(inner) = inside("${", "}") {
        return Some(braced(inner));
    }
    if let Some(inner) = inside("$[", "]") {
        return Some(Reference::to("azure-pipelines", inner));
    }
    if let Some(inner) = inside("$(", ")") {
        return store::command(inner);
    }
    if let Some(inner) = inside("{", "}") {
        return Some(Reference::template("generic", inner));
    }
    if text.starts_with('%') {
        return Some(Reference::template("generic", text));
    }
    let name = text.trim_start_matches('$');
    Some(Reference::to(
        "environment",
        name.strip_prefix("env:").unwrap_or(name),
    ))
}

/// The first context of a GitHub or Azure expression.
fn ci_expression(inner: &str) -> Reference {
    let ends = |c: char| !c.is_ascii_alphanumeric() && !"_.-['\"]".contains(c);
    let words = inner.split(ends);
    let found = words.filter_map(|word| {
        let head = word.split(['.', '[']).next()?;
        let &(_, system) = CONTEXTS.iter().find(|(context, _)| *context == head)?;
        Some((word, system))
    });
    match found.into_iter().next() {
        Some((path, system)) => Reference::to(system, path),
        None => Reference::template("generic", inner),
    }
}

/// The inside of `{{ … }}`: Helm, Ansible, Vault's agent, 1Password, or any template engine.
fn template(inner: &str) -> Reference {
    if let Some(pointer) = store::scheme(inner) {
        return pointer;
    }
    let first_quoted = || {
        quoted(inner, 0)
            .and_then(|range| inner.get(range))
            .unwrap_or(inner)
    };
    if inner.starts_with("with secret") || inner.starts_with("secret ") {
        return Reference::to("vault", first_quoted());
    }
    let path = inner.split([' ', '|']).next().unwrap_or(inner);
    if path.starts_with(".Data.") {
        return Reference::to("vault", path);
    }
    if ["lookup(", "query(", "q("]
        .iter()
        .any(|call| inner.starts_with(call))
    {
        let second = quoted(inner, 0).and_then(|first| quoted(inner, first.end + 1));
        let name = second
            .and_then(|range| inner.get(range))
            .unwrap_or_else(first_quoted);
        return Reference::to("ansible", name);
    }
    if path.starts_with("vault_") {
        return Reference::to("ansible", path);
    }
    match path.contains(".Values.") {
        true => Reference::template("helm", path),
        false => Reference::template("generic", path),
    }
}

/// The inside of `${…}`.
fn braced(inner: &str) -> Reference {
    if let Some(found) = store::scheme(inner).or_else(|| code::lookup(inner, "")) {
        return found;
    }
    let source = inner.split_once(':').and_then(|(source, name)| {
        let &(_, system) = SOURCES.iter().find(|(known, _)| *known == source)?;
        Some((system, name.split(',').next().unwrap_or(name)))
    });
    if let Some((system, name)) = source {
        return Reference::to(system, name);
    }
    let ends = |c: char| !c.is_ascii_alphanumeric() && !"_.-".contains(c);
    let end = inner.find(ends).unwrap_or(inner.len());
    let (name, rest) = inner.split_at_checked(end).unwrap_or((inner, ""));
    let modified =
        rest.is_empty() || rest.starts_with([':', '?', '+', '=', '#', '%', '/', '^', ',', '@']);
    match is_path(name.trim_end_matches('-')) && modified {
        true => Reference::to("environment", name),
        false => Reference::template("generic", inner),
    }
}
