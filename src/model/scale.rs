//! The scales that detectors and findings are rated on. `build.rs` includes this file too, so it
//! imports nothing of ours.

use serde::{Deserialize, Serialize};

/// Gives enums their word in reports, and `Display` with it.
macro_rules! as_str {
    ($($type:ty { $($variant:ident => $text:literal),* $(,)? })*) => {$(
        impl $type {
            /// The word used in reports and files.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    )*};
}

pub(crate) use as_str;

/// How bad it is if the secret is real.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing: expired, or public by design.
    Note,
    /// Little access, or a test system.
    Low,
    /// Access to one service.
    Medium,
    /// Broad access to an account.
    High,
    /// Controls an account or a supply chain, or creates further credentials.
    Critical,
}

/// How sure it is that the match is a secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The shape fits, little else speaks for it.
    Low,
    /// Shape and surroundings fit.
    Medium,
    /// A shape that hardly anything else has.
    High,
    /// A checksum or structure that chance does not produce; says well-formed, not live.
    Certain,
}

/// How long a credential of this kind lives: the classes of `docs/detectors.md`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifetime {
    /// Bound to a job or session, or at most an hour.
    Ephemeral,
    /// At most seven days.
    Short,
    /// More than seven days, but it ends.
    Long,
    /// No end unless somebody acts.
    NonExpiring,
    /// Its decoded end is past.
    Expired,
    /// Not known; ranked as [`Lifetime::NonExpiring`].
    Unknown,
}

/// Whether the credential can create further credentials or assertions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MintsTrust {
    /// It cannot.
    No,
    /// It can if its privileges allow.
    IfPrivileged,
    /// It can by itself.
    Yes,
}

as_str! {
    Severity {
        Note => "note", Low => "low", Medium => "medium", High => "high", Critical => "critical",
    }
    Confidence { Low => "low", Medium => "medium", High => "high", Certain => "certain" }
    Lifetime {
        Ephemeral => "ephemeral", Short => "short", Long => "long",
        NonExpiring => "non-expiring", Expired => "expired", Unknown => "unknown",
    }
    MintsTrust { No => "no", IfPrivileged => "if-privileged", Yes => "yes" }
}
