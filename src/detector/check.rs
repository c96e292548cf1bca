//! The rules of a detector file that serde cannot state. `build.rs` includes this file.
//!
//! The central one: every match of a pattern contains one of its keywords, proved on the parsed
//! expression, so that the prefilter can never lose a match; and has a greatest length, so that
//! the engine's windows are bounded.

use std::collections::BTreeSet;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::required::required;
use super::shape::Shape;
use super::spec::{DetectorFile, DetectorSpec, PartSpec};

/// Provider categories.
pub(super) const CATEGORIES: &[&str] = &[
    "ai", "cloud", "comms", "crypto", "data", "finance", "generic", "registry", "saas", "vcs-ci",
];

/// Offline proofs that a detector may name; `engine::judge::proof` implements each.
pub const PROOFS: &[&str] = &[
    "apify-crc32",
    "atlassian-crc32",
    "aws-account",
    "azure-identifiable-key",
    "azure-sas",
    "base58check",
    "base64-user-password",
    "bech32",
    "bip39",
    "bitcoin-extended",
    "bitcoin-wif",
    "cloudflare-crc32",
    "discord-bot",
    "ed25519-pair",
    "ethereum-address",
    "gcp-service-account",
    "github-app-crc32",
    "github-crc32",
    "github-fine-grained",
    "gitlab-routable",
    "grafana-cloud",
    "grafana-crc32",
    "jfrog-reference",
    "jwt",
    "macaroon-fly",
    "macaroon-pypi",
    "onepassword-service-account",
    "opaque-token",
    "openai-marker",
    "pkcs12",
    "bitbucket-data-center",
    "private-key",
    "private-key-der",
    "salad-crc32",
    "sentry-org",
    "signed-url",
    "slack-ids",
    "stellar-seed",
    "stripe-mode",
    "telegram-bot",
    "vercel-crc32",
    "zuplo-crc32",
    "age-bech32",
    "npm-crc32",
];

/// Code that finds the end of a long secret from its start; `engine::extent` implements each.
pub const EXTENTS: &[&str] = &["der", "der-base64", "pem", "putty", "service-account-json"];

/// What must stand around a keyword; [`super::Glance`] has one for each.
pub(super) const GLANCES: &[&str] = &["userinfo"];

/// Longest match that a pattern may have, in bytes; what is longer needs an extent.
pub(super) const MAX_LEN: usize = 8192;

/// Most literals that a part of a pattern is expanded to when looking for keywords.
const MAX_STRINGS: usize = 512;

/// Longest word of `pass = "context"`.
pub(super) const MAX_WORD: usize = 32;

/// Most lines between a secret and a part of it.
pub(super) const MAX_PART_LINES: u32 = 100;

/// How far from the value a word of `pass = "context"` may stand.
pub(super) const NEAR: &[&str] = &["key", "line", "block"];

/// What is wrong with a detector, naming it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("detector `{id}`: {message}")]
pub struct CheckError {
    /// The detector, or the provider when it is not about one.
    pub id: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What the checks learn about a pattern on the way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Analysis {
    /// Longest possible match in bytes.
    pub max_len: usize,
    /// Every match has a keyword that starts at most this many bytes after the match does.
    pub max_lead: usize,
    /// Every match begins with a keyword, before which no letter, digit or underscore stands.
    pub starts_word: bool,
    /// In lower case, what every match holds in some case beside a keyword; empty when there is no
    /// such text.
    pub required: String,
}

/// Checks a file whose stem is `stem`; the built-in set is held to more than a user's.
pub(super) fn file(file: &DetectorFile, stem: Option<&str>, builtin: bool) -> Vec<CheckError> {
    let mut errors = Vec::new();
    let provider = &file.provider.id;
    let mut fail = |id: &str, message: String| {
        errors.push(CheckError {
            id: id.to_owned(),
            message,
        });
    };
    if !is_kebab(provider) {
        fail(provider, "the provider id is not kebab-case".into());
    }
    if builtin && stem != Some(provider) {
        fail(provider, "the provider id is not the file's name".into());
    }
    if !CATEGORIES.contains(&file.provider.category.as_str()) {
        fail(
            provider,
            format!("unknown category, use one of {CATEGORIES:?}"),
        );
    }
    if file.detectors.is_empty() {
        fail(provider, "the file holds no [[detector]]".into());
    }
    let mut seen = BTreeSet::new();
    for detector in &file.detectors {
        if !seen.insert(&detector.id) {
            fail(&detector.id, "the id stands twice".into());
        }
        for message in one(file, detector, builtin) {
            fail(&detector.id, message);
        }
    }
    for (id, message) in super::verifier_check::verifiers(file, builtin) {
        fail(&id, message);
    }
    errors
}

/// What parts name detectors that are not there, or the one that they belong to.
pub(super) fn unknown_ids(file: &DetectorFile, is_known: impl Fn(&str) -> bool) -> Vec<CheckError> {
    let mut errors = Vec::new();
    for detector in &file.detectors {
        let named = detector.parts.iter().filter_map(|part| {
            let id = part.detector.as_deref()?;
            Some((part, id))
        });
        for (part, id) in named.filter(|(_, id)| !is_known(id) || *id == detector.id) {
            errors.push(CheckError {
                id: detector.id.clone(),
                message: format!("part `{}`: no other detector is called `{id}`", part.name),
            });
        }
    }
    errors
}

fn one(file: &DetectorFile, detector: &DetectorSpec, builtin: bool) -> Vec<String> {
    let mut wrong: Vec<_> = detector
        .parts
        .iter()
        .flat_map(|p| part(p, builtin))
        .collect();
    let mut need = |holds: bool, message: &str| {
        if !holds {
            wrong.push(message.to_owned());
        }
    };
    need(is_kebab(&detector.id), "the id is not kebab-case");
    need(
        detector.is_context() || !detector.keywords.is_empty(),
        "no keywords: name a literal that every match contains",
    );
    let known = |name: &Option<String>, list: &[&str]| {
        name.as_deref().is_none_or(|name| list.contains(&name))
    };
    need(known(&detector.proof, PROOFS), "unknown proof");
    need(known(&detector.extent, EXTENTS), "unknown extent");
    need(known(&detector.glance, GLANCES), "unknown glance");
    need(
        known(&detector.value, &["token", "password"]),
        "value is `token` or `password`",
    );
    let nhi = detector
        .owasp_nhi
        .as_ref()
        .or(file.defaults.owasp_nhi.as_ref());
    for id in nhi.into_iter().flatten() {
        need(
            nhi_number(id).is_some(),
            "an OWASP NHI id is written NHI1:2025 to NHI10:2025",
        );
    }
    if builtin {
        let defaults = &file.defaults;
        need(
            detector.severity.or(defaults.severity).is_some(),
            "no severity",
        );
        need(
            detector.lifetime.or(defaults.lifetime).is_some(),
            "no lifetime",
        );
        need(
            detector.mints_trust.or(defaults.mints_trust).is_some(),
            "no mints_trust",
        );
        let remediation = detector
            .remediation
            .as_ref()
            .or(defaults.remediation.as_ref());
        need(remediation.is_some(), "no remediation");
        need(nhi.is_some_and(|list| !list.is_empty()), "no owasp_nhi");
        let cwe = detector.cwe.as_ref().or(defaults.cwe.as_ref());
        need(cwe.is_some_and(|list| !list.is_empty()), "no cwe");
        need(!detector.sources.is_empty(), "no source of the format");
        need(!detector.examples.is_empty(), "no example");
        need(!detector.counterexamples.is_empty(), "no counterexample");
        need(
            detector.keywords.iter().all(|word| word.len() >= 4),
            "a keyword has under 4 bytes",
        );
    }
    need(
        known(&detector.pass, &["pattern", "assignment", "context"]),
        "pass is `pattern`, `assignment` or `context`",
    );
    if detector.is_context() {
        wrong.extend(context(detector));
        return wrong;
    }
    need(
        detector.words.is_empty()
            && detector.names.is_empty()
            && detector.shapes.is_empty()
            && detector.near.is_none(),
        "words, names, shapes and near belong to `pass = \"context\"`",
    );
    if detector.pass.as_deref() == Some("assignment") {
        need(
            detector.pattern.is_empty(),
            "the assignment pass takes no pattern",
        );
        return wrong;
    }
    if let Err(message) = analyse(&detector.pattern, &detector.keywords, detector.ignore_case) {
        wrong.push(message);
    }
    wrong
}

/// What is wrong with a part.
fn part(part: &PartSpec, builtin: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut need = |holds: bool, message: &str| {
        if !holds {
            wrong.push(format!("part `{}`: {message}", part.name));
        }
    };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    need(
        part.name.starts_with(|c: char| c.is_ascii_lowercase()) && part.name.bytes().all(plain),
        "a name is a lower-case letter, then letters, digits and `_`",
    );
    let ways = [
        part.pattern.is_some(),
        !part.names.is_empty(),
        part.detector.is_some(),
        part.inside.is_some(),
    ];
    need(
        ways.iter().filter(|&&way| way).count() == 1,
        "it is found by one of pattern, names, detector and inside",
    );
    need(
        part.shapes.is_empty() || !part.names.is_empty(),
        "shapes belong to names",
    );
    let place = part.lines.is_none() && !part.same_block;
    need(
        part.inside.is_none() || place,
        "inside looks at the line of the secret: no lines, no same_block",
    );
    need(
        part.lines.is_none_or(|lines| lines <= MAX_PART_LINES),
        &format!("at most {MAX_PART_LINES} lines"),
    );
    for name in &part.names {
        need(
            is_joined(name),
            "names are lower-case letters and digits, written together",
        );
    }
    for text in &part.shapes {
        if let Err(message) = Shape::parse(text) {
            need(false, &message);
        }
    }
    for pattern in part.pattern.iter().chain(&part.inside) {
        if let Err(message) = part_pattern(pattern) {
            need(false, &message);
        }
    }
    need(!builtin || !part.examples.is_empty(), "no example");
    wrong
}

/// Parses the pattern of a part and sees to it that it has a group `part` and a greatest length.
fn part_pattern(pattern: &str) -> Result<(), String> {
    let hir = parse(pattern)?;
    if !has_group(&hir, "part") {
        return Err("the pattern has no group (?<part>…)".into());
    }
    if hir.properties().minimum_len().unwrap_or(0) == 0 {
        return Err("the pattern matches the empty text".into());
    }
    match hir.properties().maximum_len() {
        Some(len) if len <= MAX_LEN => Ok(()),
        _ => Err(format!(
            "a match can have over {MAX_LEN} bytes: bound every * and +"
        )),
    }
}

/// Whether a word is written as identifiers are compared: `clientid`.
fn is_joined(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    word.bytes().all(plain) && (1..=MAX_WORD).contains(&word.len())
}

fn parse(pattern: &str) -> Result<Hir, String> {
    ParserBuilder::new()
        .utf8(false)
        .unicode(false)
        .build()
        .parse(pattern)
        .map_err(|error| format!("the pattern does not parse: {error}"))
}

/// What is wrong with the words and shapes of a `pass = "context"`.
fn context(detector: &DetectorSpec) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut need = |holds: bool, message: &str| {
        if !holds {
            wrong.push(message.to_owned());
        }
    };
    need(
        detector.keywords.is_empty() && detector.pattern.is_empty() && !detector.ignore_case,
        "the context pass takes words and shapes, no keywords and no pattern",
    );
    need(
        detector.extent.is_none(),
        "the context pass takes no extent",
    );
    need(!detector.words.is_empty(), "no words of the provider");
    need(!detector.shapes.is_empty(), "no shapes of the value");
    let near = detector.near.as_deref();
    need(
        near.is_none_or(|near| NEAR.contains(&near)),
        "near is `key`, `line` or `block`",
    );
    let letters = |word: &str| word.bytes().filter(u8::is_ascii_lowercase).count();
    for word in &detector.words {
        need(letters(word) >= 3, "a word has under 3 letters");
    }
    for word in detector.words.iter().chain(&detector.names) {
        need(
            is_joined(word),
            "words and names are lower-case letters and digits, written together",
        );
    }
    let shapes = detector.shapes.iter();
    wrong.extend(shapes.filter_map(|text| Shape::parse(text).err()));
    wrong
}

/// Parses `pattern` and proves that it has a greatest length, a group `secret`, and that every
/// match contains one of `keywords`; the error says what to change.
pub fn analyse(pattern: &str, keywords: &[String], ignore_case: bool) -> Result<Analysis, String> {
    let hir = parse(pattern)?;
    if !has_group(&hir, "secret") {
        return Err("the pattern has no group (?<secret>…)".into());
    }
    if hir.properties().minimum_len().unwrap_or(0) == 0 {
        return Err("the pattern matches the empty text".into());
    }
    let max_len = match hir.properties().maximum_len() {
        Some(len) if len <= MAX_LEN => len,
        Some(len) => {
            return Err(format!(
                "a match can have {len} bytes, at most {MAX_LEN} allowed"
            ));
        }
        None => return Err("a match has no greatest length: bound every * and +".into()),
    };
    let needed = Needed::new(keywords, ignore_case);
    match needed.lead(&hir) {
        Some(max_lead) => Ok(Analysis {
            max_len,
            max_lead,
            starts_word: max_lead == 0 && starts_word(&hir, keywords),
            required: required(&hir, keywords),
        }),
        None => Err("the pattern can match without any of the keywords".into()),
    }
}

/// `NHI7:2025` → 7.
pub(super) fn nhi_number(id: &str) -> Option<u8> {
    let number: u8 = id
        .strip_prefix("NHI")?
        .strip_suffix(":2025")?
        .parse()
        .ok()?;
    (1..=10).contains(&number).then_some(number)
}

fn is_kebab(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !id.is_empty() && id.chars().all(plain) && !id.starts_with('-') && !id.ends_with('-')
}

/// Whether a pattern begins with the boundary of a word, and each keyword with a byte of one.
fn starts_word(hir: &Hir, keywords: &[String]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    begins_at_boundary(hir)
        && keywords
            .iter()
            .all(|word| word.as_bytes().first().is_some_and(is_word))
}

fn begins_at_boundary(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Look(Look::WordAscii | Look::WordStartAscii) => true,
        HirKind::Capture(group) => begins_at_boundary(&group.sub),
        HirKind::Concat(parts) => parts.first().is_some_and(begins_at_boundary),
        HirKind::Alternation(parts) => parts.iter().all(begins_at_boundary),
        _ => false,
    }
}

fn has_group(hir: &Hir, name: &str) -> bool {
    match hir.kind() {
        HirKind::Capture(group) => {
            group.name.as_deref() == Some(name) || has_group(&group.sub, name)
        }
        HirKind::Repetition(repetition) => has_group(&repetition.sub, name),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().any(|part| has_group(part, name))
        }
        _ => false,
    }
}

/// The keywords of a pattern, one of which every match must contain.
struct Needed {
    words: Vec<Vec<u8>>,
    ignore_case: bool,
}

impl Needed {
    fn new(keywords: &[String], ignore_case: bool) -> Self {
        let mut needed = Self {
            words: Vec::new(),
            ignore_case,
        };
        needed.words = keywords
            .iter()
            .map(|word| needed.fold(word.as_bytes()))
            .collect();
        needed
    }

    fn fold(&self, text: &[u8]) -> Vec<u8> {
        match self.ignore_case {
            true => text.to_ascii_lowercase(),
            false => text.to_vec(),
        }
    }

    /// The latest start of a keyword in `texts`, `None` when one of them has none.
    fn lead_in(&self, texts: &[Vec<u8>]) -> Option<usize> {
        let find = |text: &[u8], word: &[u8]| {
            let mut windows = text.windows(word.len().max(1));
            windows.position(|window| window == word)
        };
        let first = |text: &Vec<u8>| self.words.iter().filter_map(|word| find(text, word)).min();
        texts
            .iter()
            .try_fold(0, |lead, text| Some(lead.max(first(text)?)))
    }

    /// How many bytes of a match of `hir` can stand before its first keyword; `None` when a
    /// match need not have one.
    fn lead(&self, hir: &Hir) -> Option<usize> {
        if let Some(texts) = self.texts(hir) {
            return self.lead_in(&texts);
        }
        match hir.kind() {
            HirKind::Capture(group) => self.lead(&group.sub),
            HirKind::Repetition(repetition) if repetition.min > 0 => self.lead(&repetition.sub),
            HirKind::Alternation(parts) => parts
                .iter()
                .try_fold(0, |lead, part| Some(lead.max(self.lead(part)?))),
            HirKind::Concat(parts) => self.lead_of_concat(parts),
            _ => None,
        }
    }

    /// Joins neighbours with few texts, so that `gh[pousr]_` is seen as five literals.
    fn lead_of_concat(&self, parts: &[Hir]) -> Option<usize> {
        let parts = flatten(parts);
        let mut before = 0;
        let mut best: Option<usize> = None;
        for (start, &part) in parts.iter().enumerate() {
            let mut found = self.lead(part);
            let mut joined = vec![Vec::new()];
            for next in &parts[start..] {
                if found.is_some() {
                    break;
                }
                let Some(more) = self.texts(next).and_then(|texts| cross(&joined, &texts)) else {
                    break;
                };
                joined = more;
                found = self.lead_in(&joined);
            }
            if let Some(lead) = found {
                best = Some(best.map_or(before + lead, |best| best.min(before + lead)));
            }
            before += part.properties().maximum_len()?;
        }
        best
    }

    /// All texts that `hir` matches, case folded where asked, when they are few.
    fn texts(&self, hir: &Hir) -> Option<Vec<Vec<u8>>> {
        let mut texts = match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => vec![Vec::new()],
            HirKind::Literal(literal) => vec![self.fold(&literal.0)],
            HirKind::Class(Class::Bytes(class)) => {
                let bytes = class.iter().flat_map(|range| range.start()..=range.end());
                few(bytes.map(|byte| self.fold(&[byte])))?
            }
            HirKind::Class(Class::Unicode(class)) => {
                let chars = class.iter().flat_map(|range| range.start()..=range.end());
                few(chars.map(|c| self.fold(c.to_string().as_bytes())))?
            }
            HirKind::Capture(group) => self.texts(&group.sub)?,
            HirKind::Concat(parts) => {
                let mut joined = vec![Vec::new()];
                for part in parts {
                    joined = cross(&joined, &self.texts(part)?)?;
                }
                joined
            }
            HirKind::Alternation(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(self.texts(part)?);
                }
                all
            }
            HirKind::Repetition(repetition) => {
                let max = repetition.max.filter(|&max| max <= 8)?;
                let one = self.texts(&repetition.sub)?;
                let mut power = vec![Vec::new()];
                let mut all = Vec::new();
                for count in 0..=max {
                    if count >= repetition.min {
                        all.extend(power.iter().cloned());
                    }
                    if count < max {
                        power = cross(&power, &one)?;
                    }
                }
                all
            }
        };
        texts.sort();
        texts.dedup();
        (texts.len() <= MAX_STRINGS).then_some(texts)
    }
}

/// The parts of a concatenation with those inside groups, so that a literal is seen across the
/// edge of a group.
fn flatten(parts: &[Hir]) -> Vec<&Hir> {
    let mut flat = Vec::new();
    for part in parts {
        match part.kind() {
            HirKind::Concat(inner) => flat.extend(flatten(inner)),
            HirKind::Capture(group) => flat.extend(flatten(std::slice::from_ref(&group.sub))),
            _ => flat.push(part),
        }
    }
    flat
}

/// The members of a class, when it is a small one.
fn few(members: impl Iterator<Item = Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    // Letters of one case and digits are few, those of a base64 alphabet are not.
    const MOST: usize = 36;
    let members: Vec<_> = members.take(MOST + 1).collect();
    (members.len() <= MOST).then_some(members)
}

fn cross(left: &[Vec<u8>], right: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if left.len() * right.len() > MAX_STRINGS {
        return None;
    }
    let pairs = left
        .iter()
        .flat_map(|l| right.iter().map(move |r| [&l[..], r].concat()));
    Some(pairs.collect())
}
