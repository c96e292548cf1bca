//! The TOML format of a detector file. `build.rs` includes this file, so it imports of ours only
//! the scales.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::verifier::{RevocationSpec, VerifierSpec};
use crate::model::{Confidence, Lifetime, MintsTrust, Severity};

/// One file: a provider and its detectors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorFile {
    /// Who issues the credentials.
    pub provider: ProviderSpec,
    /// What its detectors share unless they say otherwise.
    #[serde(default)]
    pub defaults: Defaults,
    /// The kinds of secret.
    #[serde(rename = "detector", default)]
    pub detectors: Vec<DetectorSpec>,
    /// How the provider is asked whether they still work.
    #[serde(rename = "verifier", default)]
    pub verifiers: Vec<VerifierSpec>,
    /// How the provider ends those that are shown to it.
    #[serde(rename = "revocation", default)]
    pub revocations: Vec<RevocationSpec>,
}

impl DetectorFile {
    /// Fills what a detector leaves open from `[defaults]`, then from the format's own defaults.
    pub fn apply_defaults(&mut self) {
        let defaults = &self.defaults;
        for detector in &mut self.detectors {
            let d = detector;
            d.severity = d.severity.or(defaults.severity).or(Some(Severity::High));
            let confidence = match d.is_context() {
                true => Confidence::Medium,
                false => Confidence::High,
            };
            d.confidence = d.confidence.or(Some(confidence));
            d.lifetime = d.lifetime.or(defaults.lifetime).or(Some(Lifetime::Unknown));
            d.mints_trust = d
                .mints_trust
                .or(defaults.mints_trust)
                .or(Some(MintsTrust::No));
            d.rotate = d.rotate.take().or_else(|| defaults.rotate.clone());
            d.remediation = d
                .remediation
                .take()
                .or_else(|| defaults.remediation.clone());
            d.owasp_nhi = d.owasp_nhi.take().or_else(|| defaults.owasp_nhi.clone());
            d.cwe = d.cwe.take().or_else(|| defaults.cwe.clone());
        }
    }
}

/// `[provider]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSpec {
    /// Same as the file stem, kebab-case.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// One of `check::CATEGORIES`.
    pub category: String,
    /// The vendor's page on its credentials.
    pub docs: String,
}

impl ProviderSpec {
    /// Whether it is nobody in particular, so that a named provider's claim goes first.
    pub fn is_general(&self) -> bool {
        matches!(self.category.as_str(), "generic" | "crypto")
    }
}

/// `[defaults]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// See [`DetectorSpec::severity`].
    pub severity: Option<Severity>,
    /// See [`DetectorSpec::lifetime`].
    pub lifetime: Option<Lifetime>,
    /// See [`DetectorSpec::mints_trust`].
    pub mints_trust: Option<MintsTrust>,
    /// See [`DetectorSpec::remediation`].
    pub remediation: Option<String>,
    /// See [`DetectorSpec::rotate`].
    pub rotate: Option<String>,
    /// See [`DetectorSpec::owasp_nhi`].
    pub owasp_nhi: Option<Strings>,
    /// See [`DetectorSpec::cwe`].
    pub cwe: Option<Vec<u16>>,
}

/// A list of texts.
pub type Strings = Vec<String>;

/// `[[detector]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorSpec {
    /// Kebab-case, never reused, never renamed.
    pub id: String,
    /// What the secret is called.
    pub name: String,
    /// What it gives access to.
    pub description: String,
    /// How bad if real.
    pub severity: Option<Severity>,
    /// How sure when only the shape speaks; unless said `high`, or `medium` for `pass = "context"`.
    pub confidence: Option<Confidence>,
    /// How long such a credential lives.
    pub lifetime: Option<Lifetime>,
    /// Whether it creates further credentials.
    pub mints_trust: Option<MintsTrust>,
    /// `token` (the default) or `password`.
    pub value: Option<String>,
    /// Literals one of which every match contains; none for `pass = "context"`.
    #[serde(default)]
    pub keywords: Strings,
    /// Whether keywords stand in any case.
    #[serde(default)]
    pub ignore_case: bool,
    /// Regular expression with a group named `secret`; only for `pass = "pattern"`.
    #[serde(default)]
    pub pattern: String,
    /// `pattern` (the default); `assignment`: the structural pass over `key = value`, whose
    /// key words are the keywords; or `context`: what that pass finds near one of `words`.
    pub pass: Option<String>,
    /// Words of the provider, one of which stands near a value of `pass = "context"`.
    #[serde(default)]
    pub words: Strings,
    /// Words of which the key must hold one; any key when there are none.
    #[serde(default)]
    pub names: Strings,
    /// Shapes of which the value must have one.
    #[serde(default)]
    pub shapes: Strings,
    /// `key`, `line` or `block` (the default): how far from the value the words may stand.
    pub near: Option<String>,
    /// What must stand around a keyword for a look with the pattern, one of `check::GLANCES`.
    pub glance: Option<String>,
    /// Least Shannon entropy of the secret in bits per byte; 0 unless said.
    pub entropy: Option<f32>,
    /// Name of an offline proof.
    pub proof: Option<String>,
    /// Name of the code that finds the end of a long secret.
    pub extent: Option<String>,
    /// What to do about a leak.
    pub remediation: Option<String>,
    /// Where the vendor says how to revoke it.
    pub rotate: Option<String>,
    /// Where the format is documented: vendor pages first.
    #[serde(default)]
    pub sources: Strings,
    /// Scanner → its rule ids for the same thing.
    #[serde(default)]
    pub aliases: BTreeMap<String, Strings>,
    /// `NHI2:2025` …
    pub owasp_nhi: Option<Strings>,
    /// CWE numbers, most specific first.
    pub cwe: Option<Vec<u16>>,
    /// What else makes the credential usable.
    #[serde(rename = "part", default)]
    pub parts: Vec<PartSpec>,
    /// Templates that must match; the secret stands between `«` and `»`.
    #[serde(default)]
    pub examples: Strings,
    /// Templates that must not match.
    #[serde(default)]
    pub counterexamples: Vec<Counterexample>,
}

impl DetectorSpec {
    /// Whether it goes by the words around a value.
    pub fn is_context(&self) -> bool {
        self.pass.as_deref() == Some("context")
    }
}

/// `[[detector.part]]`: something that belongs to the secret, and the one way in which it is found.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartSpec {
    /// A word that requests can name: `[a-z][a-z0-9_]*`. Several parts of one name are several
    /// ways to find it.
    pub name: String,
    /// Regular expression with a group named `part`, searched in the lines around the secret.
    pub pattern: Option<String>,
    /// Words of which an assigned key near the secret holds one; the part is its value.
    #[serde(default)]
    pub names: Strings,
    /// Shapes of which a value found by `names` must have one.
    #[serde(default)]
    pub shapes: Strings,
    /// Id of another detector whose finding near the secret is the part.
    pub detector: Option<String>,
    /// Regular expression with a group named `part` whose match on the secret's line holds the
    /// secret too.
    pub inside: Option<String>,
    /// Most lines between it and the secret; [`PartSpec::LINES`] unless said.
    pub lines: Option<u32>,
    /// Whether no blank line and no head of a section may stand between.
    #[serde(default)]
    pub same_block: bool,
    /// Whether it may be printed; unless said, all but what another detector finds.
    pub shown: Option<bool>,
    /// Whether the secret cannot be used without it.
    #[serde(default)]
    pub required: bool,
    /// Templates in which the detector finds a secret with this part, which stands between `«` and
    /// `»`.
    #[serde(default)]
    pub examples: Strings,
}

impl PartSpec {
    /// Lines that are looked at unless said otherwise.
    pub const LINES: u32 = 10;

    /// Whether it may be printed.
    pub fn is_shown(&self) -> bool {
        self.shown.unwrap_or(self.detector.is_none())
    }
}

/// A template that must not match, and why somebody could think that it does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counterexample {
    /// The template.
    pub text: String,
    /// What it is instead.
    pub why: String,
}
