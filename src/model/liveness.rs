//! Whether a secret still works, as far as anybody was asked.

use std::fmt;

use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};

/// The answer to whether a secret works. What is not known has a reason; nothing is implied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// The provider accepts it.
    Live,
    /// The provider knows it, but it may not do what was asked, or not from here.
    LiveRestricted,
    /// The provider says that it is no credential of its.
    Dead,
    /// The provider says that it was one, or it carries an end that has passed.
    RevokedOrExpired,
    /// Asked, without an answer that decides.
    Unknown(Reason),
    /// Not asked.
    Skipped(Reason),
    /// A trap that reports whoever uses it. Not asked.
    Canary,
}

/// Why an outcome is not known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The network is off.
    Offline,
    /// Its class of calls was not asked for.
    NotOptedIn,
    /// No verifier for this kind of secret.
    NoVerifier,
    /// The provider's address is the user's to give: `--endpoint NAME=URL`.
    NoEndpoint,
    /// Too many requests.
    RateLimited,
    /// No answer in time.
    Timeout,
    /// The name does not resolve.
    Dns,
    /// Nobody listens, or the connection broke.
    Refused,
    /// No trustworthy TLS.
    Tls,
    /// The proxy did not let it through.
    Proxy,
    /// The address is of a network that is not asked unless allowed.
    BlockedAddress,
    /// The host is none that this verifier may speak to.
    HostNotAllowed,
    /// A page where data was expected.
    Html,
    /// The answer is longer than is read.
    TooLarge,
    /// A redirect, which is not followed.
    Redirect,
    /// An answer that no clause knows.
    UnexpectedStatus,
    /// The answer is not what the protocol says.
    Protocol,
    /// The server asks for no credential, so it proves none.
    NoAuthentication,
    /// Refused, but perhaps for a companion that is the wrong one, or at the wrong place.
    Unpaired,
    /// What it is used with was not found.
    NeedsCompanion,
    /// The value cannot stand where the request needs it.
    BadValue,
    /// The most requests of this run were made.
    Budget,
    /// One attempt for this user was made; another may lock them out.
    LoginNotAllowed,
    /// The provider says that it has a fault.
    ProviderError,
    /// An account that the user left out.
    AccountNotAllowed,
    /// A documented example, a test fixture or a placeholder.
    Example,
}

super::scale::as_str! {
    Reason {
        Offline => "offline", NotOptedIn => "not-opted-in", NoVerifier => "no-verifier",
        NoEndpoint => "no-endpoint", RateLimited => "rate-limited", Timeout => "timeout",
        Dns => "dns", Refused => "refused", Tls => "tls", Proxy => "proxy",
        BlockedAddress => "blocked-address", HostNotAllowed => "host-not-allowed",
        Html => "html", TooLarge => "too-large", Redirect => "redirect",
        UnexpectedStatus => "unexpected-status", Protocol => "protocol",
        NoAuthentication => "no-authentication", Unpaired => "unpaired",
        NeedsCompanion => "needs-companion", BadValue => "bad-value", Budget => "budget",
        LoginNotAllowed => "login-not-allowed", ProviderError => "provider-error",
        AccountNotAllowed => "account-not-allowed", Example => "example",
    }
}

impl Outcome {
    /// The word in reports, without the reason.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::LiveRestricted => "live-restricted",
            Self::Dead => "dead",
            Self::RevokedOrExpired => "revoked-or-expired",
            Self::Unknown(_) => "unknown",
            Self::Skipped(_) => "skipped",
            Self::Canary => "canary",
        }
    }

    /// Why it is not known.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Unknown(reason) | Self::Skipped(reason) => Some(reason),
            _ => None,
        }
    }

    /// Whether the secret works.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::LiveRestricted)
    }

    /// Whether the secret is known not to work.
    pub fn is_dead(self) -> bool {
        matches!(self, Self::Dead | Self::RevokedOrExpired)
    }

    /// The outcome that [`Outcome::as_str`] and [`Reason::as_str`] wrote.
    pub fn parse(word: &str, reason: Option<&str>) -> Option<Self> {
        let reason = || {
            let word: StrDeserializer<'_, Error> = reason?.into_deserializer();
            Reason::deserialize(word).ok()
        };
        Some(match word {
            "live" => Self::Live,
            "live-restricted" => Self::LiveRestricted,
            "dead" => Self::Dead,
            "revoked-or-expired" => Self::RevokedOrExpired,
            "canary" => Self::Canary,
            "unknown" => Self::Unknown(reason()?),
            "skipped" => Self::Skipped(reason()?),
            _ => return None,
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            Some(reason) => write!(f, "{}({reason})", self.as_str()),
            None => f.write_str(self.as_str()),
        }
    }
}

/// What is known of the liveness of a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Liveness {
    /// Whether it works.
    pub outcome: Outcome,
    /// Who was or would have been asked, with its version: `github-user@1`.
    pub verifier: Option<String>,
    /// The host that was or would have been asked.
    pub host: Option<String>,
    /// What the provider said of the identity: field and text, safe to print, sorted by field.
    pub identity: Vec<(String, String)>,
}

impl Liveness {
    /// One that nobody was asked about.
    pub fn skipped(reason: Reason) -> Self {
        Self {
            outcome: Outcome::Skipped(reason),
            verifier: None,
            host: None,
            identity: Vec::new(),
        }
    }
}
