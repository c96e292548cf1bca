//! Reads detector files of the user: the same format and checks as the built-in ones.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use super::check::{self, Analysis, CheckError};
use super::spec::{DetectorFile, DetectorSpec, PartSpec, ProviderSpec};
use super::{
    Context, Detector, DetectorSet, FindPart, Glance, Near, PartRule, Pass, Shape, Text, ValueKind,
};
use crate::model::{Confidence, Lifetime, MintsTrust, Severity};

/// Why a detector file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectorError {
    /// The file or folder cannot be read.
    #[error("{}: cannot read detectors", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a detector file.
    #[error("{}: not a detector file\n{message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The parser's message with line and column.
        message: String,
    },
    /// The file breaks rules of the format.
    #[error("{}: {}", path.display(), list(errors))]
    Check {
        /// The file.
        path: PathBuf,
        /// All that is wrong.
        errors: Vec<CheckError>,
    },
    /// A folder without a single detector file.
    #[error("{}: no .toml file in this folder", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

/// Reads one file, or all `.toml` files of a folder in name order. Returns the parsed files (with
/// their examples) beside the detectors.
pub fn load(path: &Path) -> Result<Vec<(DetectorFile, Vec<Detector>)>, DetectorError> {
    let files = files(path)?;
    files.iter().map(|file| load_file(file)).collect()
}

/// The files that [`load`] reads: `path` itself, or all `.toml` files of a folder in name order.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, DetectorError> {
    let read = |source| DetectorError::Read {
        path: path.to_owned(),
        source,
    };
    if !fs::metadata(path).map_err(read)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(read)? {
        let file = entry.map_err(read)?.path();
        if file
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(file);
        }
    }
    if files.is_empty() {
        let path = path.to_owned();
        return Err(DetectorError::Empty { path });
    }
    files.sort();
    Ok(files)
}

fn load_file(path: &Path) -> Result<(DetectorFile, Vec<Detector>), DetectorError> {
    let text = fs::read_to_string(path).map_err(|source| DetectorError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut file: DetectorFile = toml::from_str(&text).map_err(|error| DetectorError::Parse {
        path: path.to_owned(),
        message: error.to_string(),
    })?;
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let mut errors = check::file(&file, stem, false);
    let builtin = DetectorSet::builtin();
    let is_known =
        |id: &str| builtin.find(id).is_some() || file.detectors.iter().any(|other| other.id == id);
    errors.extend(check::unknown_ids(&file, is_known));
    if !errors.is_empty() {
        return Err(DetectorError::Check {
            path: path.to_owned(),
            errors,
        });
    }
    file.apply_defaults();
    let detectors = file
        .detectors
        .iter()
        .map(|spec| detector(&file, spec))
        .collect();
    Ok((file, detectors))
}

/// `spec` has passed the checks and its defaults are applied.
fn detector(file: &DetectorFile, spec: &DetectorSpec) -> Detector {
    let provider: &ProviderSpec = &file.provider;
    let mut verifiers = file.verifiers.iter();
    let verifier = verifiers.find(|verifier| verifier.detectors.contains(&spec.id));
    let verifier = verifier.and_then(|verifier| serde_json::to_string(verifier).ok());
    let mut revocations = file.revocations.iter();
    let revocation = revocations.find(|revocation| revocation.detectors.contains(&spec.id));
    let revocation = revocation.and_then(|it| serde_json::to_string(it).ok());
    let analysis = match spec.pass.as_deref() {
        Some("assignment" | "context") => Analysis::default(),
        _ => check::analyse(&spec.pattern, &spec.keywords, spec.ignore_case)
            .expect("the file has been checked"),
    };
    let own = |text: &String| -> Text { Cow::Owned(text.clone()) };
    let texts = |list: &[String]| -> Vec<Text> { list.iter().map(own).collect() };
    let aliases = spec
        .aliases
        .iter()
        .flat_map(|(scanner, ids)| ids.iter().map(move |id| (own(scanner), own(id))));
    let nhi = spec.owasp_nhi.iter().flatten();
    Detector {
        id: own(&spec.id),
        provider: own(&provider.id),
        provider_name: own(&provider.name),
        category: own(&provider.category),
        docs: own(&provider.docs),
        general: provider.is_general(),
        name: own(&spec.name),
        description: own(&spec.description),
        severity: spec.severity.unwrap_or(Severity::High),
        confidence: spec.confidence.unwrap_or(Confidence::High),
        lifetime: spec.lifetime.unwrap_or(Lifetime::Unknown),
        mints_trust: spec.mints_trust.unwrap_or(MintsTrust::No),
        value: match spec.value.as_deref() {
            Some("password") => ValueKind::Password,
            _ => ValueKind::Token,
        },
        keywords: Cow::Owned(texts(&spec.keywords)),
        ignore_case: spec.ignore_case || spec.is_context(),
        pass: match spec.pass.as_deref() {
            Some("assignment") => Pass::Assignment,
            Some("context") => Pass::Context,
            _ => Pass::Pattern,
        },
        pattern: own(&spec.pattern),
        context: spec.is_context().then(|| Context {
            words: Cow::Owned(texts(&spec.words)),
            names: Cow::Owned(texts(&spec.names)),
            shapes: spec.shapes.iter().map(|text| shape(text)).collect(),
            near: match spec.near.as_deref() {
                Some("key") => Near::Key,
                Some("line") => Near::Line,
                _ => Near::Block,
            },
        }),
        max_len: analysis.max_len,
        max_lead: analysis.max_lead,
        starts_word: analysis.starts_word,
        required: Cow::Owned(analysis.required),
        glance: match spec.glance.as_deref() {
            Some("userinfo") => Glance::Userinfo,
            _ => Glance::None,
        },
        min_entropy: spec.entropy.unwrap_or(0.0),
        proof: spec.proof.as_ref().map(own),
        extent: spec.extent.as_ref().map(own),
        remediation: spec
            .remediation
            .as_ref()
            .map_or(Cow::Borrowed(DEFAULT_REMEDIATION), own),
        rotate: spec.rotate.as_ref().map(own),
        sources: Cow::Owned(texts(&spec.sources)),
        aliases: Cow::Owned(aliases.collect()),
        owasp_nhi: Cow::Owned(nhi.filter_map(|id| check::nhi_number(id)).collect()),
        cwe: Cow::Owned(spec.cwe.clone().unwrap_or_default()),
        parts: spec.parts.iter().map(part).collect(),
        verifier: verifier.map(Cow::Owned),
        revocation: revocation.map(Cow::Owned),
    }
}

fn part(spec: &PartSpec) -> PartRule {
    let own = |text: &String| -> Text { Cow::Owned(text.clone()) };
    let find = match (&spec.pattern, &spec.detector, &spec.inside) {
        (Some(pattern), ..) => FindPart::Pattern(own(pattern)),
        (_, Some(id), _) => FindPart::Detector(own(id)),
        (.., Some(pattern)) => FindPart::Inside(own(pattern)),
        _ => FindPart::Names {
            names: spec.names.iter().map(own).collect(),
            shapes: spec.shapes.iter().map(|text| shape(text)).collect(),
        },
    };
    PartRule {
        name: own(&spec.name),
        find,
        lines: spec.lines.unwrap_or(PartSpec::LINES),
        same_block: spec.same_block,
        shown: spec.is_shown(),
        required: spec.required,
    }
}

fn shape(text: &str) -> Shape {
    Shape::parse(text).expect("the file has been checked")
}

const DEFAULT_REMEDIATION: &str =
    "Revoke it at the issuer, issue a new one into a secret manager, and remove it from the text.";

fn list(errors: &[CheckError]) -> String {
    let lines: Vec<_> = errors.iter().map(CheckError::to_string).collect();
    lines.join("\n  ")
}
