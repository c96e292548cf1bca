//! Detectors are data: one kind of secret each, read from TOML.
//!
//! `spec` is the file format, `check` the rules that serde cannot state; `build.rs` includes both
//! and embeds the built-in set, and the same code reads a user's files. `template` expands
//! the examples. The engine sees a [`DetectorSet`] and nothing of TOML.

mod builtin;
mod check;
mod load;
mod phrase;
mod required;
mod set;
mod shape;
mod spec;
pub mod template;
mod verifier;
mod verifier_check;

use std::borrow::Cow;

use crate::model::{Confidence, Lifetime, MintsTrust, Severity};

pub use check::{Analysis, CheckError, EXTENTS, PROOFS, analyse};
pub use load::{DetectorError, files, load};
#[cfg(feature = "verify")]
pub(crate) use phrase::{Filter, Phrase, Piece};
pub use set::DetectorSet;
pub(crate) use shape::is_uuid;
pub use shape::{Class, Part, Shape};
pub use spec::{Counterexample, DetectorFile, DetectorSpec, PartSpec, Strings};
pub use verifier::{
    AnswerSpec, AuthSpec, BodySpec, ClauseSpec, EndpointSpec, Expect, IdentityField, JsonOp,
    JsonTest, Method, RecordingSpec, RequestSpec, RevocationRequest, RevocationSpec, Scalar,
    VerifierClass, VerifierSpec,
};
#[cfg(feature = "verify")]
pub(crate) use verifier_check::{host_fits, is_host, is_whole};

pub(crate) type Text = Cow<'static, str>;
type List<T> = Cow<'static, [T]>;

/// One kind of secret.
#[derive(Clone, Debug)]
pub struct Detector {
    /// Kebab-case, never reused, never renamed.
    pub id: Text,
    /// File stem of its provider: `github`.
    pub provider: Text,
    /// The provider's name for people: `GitHub`.
    pub provider_name: Text,
    /// Kind of provider: `cloud`, `vcs-ci`, `generic`.
    pub category: Text,
    /// The provider's page on its credentials.
    pub docs: Text,
    /// Whether its provider is nobody in particular (categories `generic` and `crypto`).
    pub general: bool,
    /// What the secret is called: `GitHub personal access token (classic)`.
    pub name: Text,
    /// What it gives access to, in a sentence.
    pub description: Text,
    /// How bad if real.
    pub severity: Severity,
    /// How sure when only the shape speaks.
    pub confidence: Confidence,
    /// How long such a credential lives.
    pub lifetime: Lifetime,
    /// Whether it creates further credentials.
    pub mints_trust: MintsTrust,
    /// Who chose the value.
    pub value: ValueKind,
    /// Literals one of which every match contains; none for [`Pass::Context`].
    pub keywords: List<Text>,
    /// Whether keywords stand in any case.
    pub ignore_case: bool,
    /// What looks for it.
    pub pass: Pass,
    /// Regular expression with a group named `secret`, without Unicode classes; empty but for
    /// [`Pass::Pattern`].
    pub pattern: Text,
    /// What it goes by; for [`Pass::Context`] only.
    pub context: Option<Context>,
    /// Longest possible match in bytes.
    pub max_len: usize,
    /// Every match has a keyword that starts at most this many bytes after the match does.
    pub max_lead: usize,
    /// Every match begins with a keyword, before which no letter, digit or underscore stands.
    pub starts_word: bool,
    /// In lower case, what every match holds in some case beside a keyword; empty when there is no
    /// such text.
    pub required: Text,
    /// What must stand around a keyword for a look with the pattern.
    pub glance: Glance,
    /// Least Shannon entropy of the secret, in bits per byte.
    pub min_entropy: f32,
    /// Name of the offline proof, one of [`PROOFS`].
    pub proof: Option<Text>,
    /// Name of the code that finds the end of a long secret, one of [`EXTENTS`].
    pub extent: Option<Text>,
    /// What to do about a leak.
    pub remediation: Text,
    /// Where the vendor says how to revoke it.
    pub rotate: Option<Text>,
    /// Where the format is documented.
    pub sources: List<Text>,
    /// The same thing in other scanners: (scanner, rule id).
    pub aliases: List<(Text, Text)>,
    /// Numbers in the OWASP NHI Top 10 of 2025: 2 is `NHI2:2025`.
    pub owasp_nhi: List<u8>,
    /// CWE numbers, most specific first.
    pub cwe: List<u16>,
    /// What else makes the credential usable, and how it is found.
    pub parts: List<PartRule>,
    /// How its provider is asked whether it still works: a [`VerifierSpec`] as JSON, which nothing
    /// reads before it is needed.
    pub verifier: Option<Text>,
    /// How its provider ends it: a [`RevocationSpec`] as JSON.
    pub revocation: Option<Text>,
}

/// How a part of a credential is found beside its secret.
#[derive(Clone, Debug)]
pub struct PartRule {
    /// What it is, in a word that requests can name: `account_sid`.
    pub name: Text,
    /// The way to find it.
    pub find: FindPart,
    /// Most lines between it and the secret.
    pub lines: u32,
    /// Whether no blank line and no head of a section may stand between.
    pub same_block: bool,
    /// Whether it is no secret itself and may be printed.
    pub shown: bool,
    /// Whether the secret cannot be used without it.
    pub required: bool,
}

/// A way to find a part of a credential.
#[derive(Clone, Debug)]
pub enum FindPart {
    /// A regular expression with a group `part`, in the lines around the secret.
    Pattern(Text),
    /// The value of an assigned key in the lines around.
    Names {
        /// Words of which the key holds one, lower case and written together.
        names: List<Text>,
        /// Shapes of which the value has one; any when there are none.
        shapes: List<Shape>,
    },
    /// What the detector with this id finds in the lines around.
    Detector(Text),
    /// A regular expression with a group `part` whose match on the line of the secret holds the
    /// secret too.
    Inside(Text),
}

/// The part of the engine that looks for a kind of secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pass {
    /// The pattern, in a window around a keyword.
    Pattern,
    /// The structural pass over `key = value`.
    Assignment,
    /// Words and shapes, on what the structural pass looks at anyway.
    Context,
}

/// What tells a value without a literal of its own.
#[derive(Clone, Debug)]
pub struct Context {
    /// Words of the provider, lower case and written together.
    pub words: List<Text>,
    /// Words of which the key holds one; any key when there are none.
    pub names: List<Text>,
    /// Shapes of which the value has one.
    pub shapes: List<Shape>,
    /// How far from the value a word may stand.
    pub near: Near,
}

/// How far from a value something may stand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Near {
    /// In its key.
    Key,
    /// On its line.
    Line,
    /// In the lines just before it.
    Block,
}

/// What the bytes beside a keyword tell at once, before the pattern is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Glance {
    /// Nothing.
    #[default]
    None,
    /// Whether a user and a password stand in the address that the keyword begins.
    Userinfo,
}

/// Who chose a secret's value, which decides how its finding id is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueKind {
    /// A machine, at random.
    Token,
    /// Perhaps a person.
    Password,
}
