//! Whether a secret is live: asked of whoever issued it, only when the user wants that.
//!
//! Verifiers are data in the detector files (`declared`), or code where data cannot say it
//! (`protocol`). They are planned before anything is sent (`plan`), share one network with one
//! policy (`net`), and answer with an [`Outcome`]. Invariants: a secret goes to no host but those
//! that the verifier declares or the user named; nothing says live or dead that the provider did
//! not say; what is written or printed holds no secret.

mod cache;
mod canary;
mod declared;
mod judge;
pub mod net;
mod plan;
mod protocol;
mod render;
mod revoke;
mod run;

use std::collections::{BTreeMap, BTreeSet};

use crate::detector::{Detector, DetectorSet, IdentityField, VerifierClass, host_fits};
use crate::model::{Outcome, Reason, Secret};

use declared::Declared;

pub use cache::{Cache, CacheError};
pub use net::NetError;
pub use plan::{Plan, PlannedCall, PlannedFinding, plan};
pub use revoke::{PlannedRevocation, Revoked, plan_revocations, revoke};
pub use run::{Summary, verify};

use net::{Answer, Caller, Conn, HttpRequest, Net, Trust};

/// What may be asked, of whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Classes of calls that may be made.
    pub classes: BTreeSet<VerifierClass>,
    /// The user's addresses of providers, by endpoint name; each replaces the provider's own.
    pub endpoints: BTreeMap<String, String>,
    /// Hosts from scanned text that may be asked: `vault.example.com`, `*.example.com`.
    pub hosts: Vec<String>,
    /// Whether one further call is made about what is live, where its verifier has one.
    pub detail: bool,
    /// Whether only the user's endpoints and hosts are asked.
    pub own_only: bool,
    /// Accounts that are not asked about.
    pub skip_accounts: BTreeSet<String>,
    /// The only accounts that are asked about; all when empty.
    pub only_accounts: BTreeSet<String>,
    /// Requests to one host in a second.
    pub rate: f64,
    /// Requests to one host at a time.
    pub in_flight: usize,
    /// Requests at a time.
    pub workers: usize,
    /// Requests in all; further ones are skipped.
    pub budget: u64,
    /// The time, in seconds since 1970-01-01T00:00:00Z.
    pub now: i64,
}

impl Default for Settings {
    fn default() -> Self {
        let mild = [
            VerifierClass::Read,
            VerifierClass::Introspect,
            VerifierClass::TokenMint,
        ];
        Self {
            classes: mild.into(),
            endpoints: BTreeMap::new(),
            hosts: Vec::new(),
            detail: false,
            own_only: false,
            skip_accounts: BTreeSet::new(),
            only_accounts: BTreeSet::new(),
            rate: 2.0,
            in_flight: 2,
            workers: 16,
            budget: 1000,
            now: 0,
        }
    }
}

impl Settings {
    /// The user's address of the provider called `name`.
    fn endpoint(&self, name: &str) -> Option<&str> {
        self.endpoints.get(name).map(String::as_str)
    }

    /// Whether the user named `host`.
    fn names(&self, host: &str) -> bool {
        self.hosts.iter().any(|pattern| host_fits(pattern, host))
    }

    /// Whether `account` may be asked about: who is left out stays out, whoever let them in.
    fn admits_account(&self, account: &str) -> bool {
        !self.skip_accounts.contains(account)
            && (self.only_accounts.is_empty() || self.only_accounts.contains(account))
    }
}

/// A secret with one choice of its parts.
#[derive(Clone)]
pub(crate) struct Subject<'a> {
    /// The finding's id.
    pub(crate) finding: &'a str,
    pub(crate) detector: &'a Detector,
    pub(crate) secret: &'a Secret,
    /// Companions by name.
    pub(crate) parts: BTreeMap<&'a str, &'a Secret>,
}

impl Subject<'_> {
    /// The secret as text.
    pub(crate) fn secret_text(&self) -> Result<&str, Reason> {
        std::str::from_utf8(self.secret.expose()).map_err(|_| Reason::BadValue)
    }

    /// The text of a part.
    pub(crate) fn part(&self, name: &str) -> Option<&str> {
        let part = self.parts.get(name)?;
        std::str::from_utf8(part.expose()).ok()
    }

    /// The text of a part without which nothing can be asked.
    pub(crate) fn need(&self, name: &str) -> Result<&str, Reason> {
        self.part(name).ok_or(Reason::NeedsCompanion)
    }
}

/// A call that a verifier would make.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Target {
    /// HTTP method, or the protocol.
    pub(crate) method: String,
    /// The URL with its values left out, or the protocol's.
    pub(crate) url: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Whether the host stood in scanned text, not in the verifier.
    pub(crate) from_text: bool,
    /// Whom a log-in would be counted against.
    pub(crate) user: Option<String>,
}

/// What a verifier says of a subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) identity: Vec<(IdentityField, String)>,
    /// Seconds that the provider wants to be left alone.
    pub(crate) retry_after: Option<u64>,
}

impl Verdict {
    /// One without more to say.
    pub(crate) fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            identity: Vec::new(),
            retry_after: None,
        }
    }

    /// One that is not known.
    pub(crate) fn unknown(reason: Reason) -> Self {
        Self::of(Outcome::Unknown(reason))
    }

    /// A live one and what it says of the identity; empty texts are left out.
    pub(crate) fn live(identity: impl IntoIterator<Item = (IdentityField, String)>) -> Self {
        let safe = identity
            .into_iter()
            .map(|(field, text)| (field, judge::safe(&text)));
        Self {
            identity: safe.filter(|(_, text)| !text.is_empty()).collect(),
            ..Self::of(Outcome::Live)
        }
    }
}

impl From<Reason> for Verdict {
    fn from(reason: Reason) -> Self {
        Self::unknown(reason)
    }
}

/// A verifier, for lists.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Known {
    /// Id and version.
    pub verifier: String,
    /// Whether it revokes instead of asking.
    pub revokes: bool,
    /// What asking does to the other side.
    pub class: VerifierClass,
    /// What `--endpoint` calls the provider's address.
    pub endpoint: Option<String>,
    /// Hosts that are asked without the user's word.
    pub hosts: Vec<String>,
    /// Detectors whose secrets it asks about, and schemes of addresses: `postgres:`.
    pub serves: Vec<String>,
}

impl Known {
    fn of(verifier: &dyn Verifier, revokes: bool, serves: Vec<String>) -> Self {
        Self {
            verifier: verifier.name(),
            revokes,
            class: verifier.class(),
            endpoint: verifier.endpoint().map(str::to_owned),
            hosts: verifier.hosts(),
            serves,
        }
    }
}

/// The verifiers and revocations for secrets of `detectors`, by name.
pub fn catalogue(detectors: &DetectorSet) -> Vec<Known> {
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    let mut add = |it: Known| match known.get_mut(&it.verifier) {
        Some(there) => there.serves.extend(it.serves),
        None => {
            known.insert(it.verifier.clone(), it);
        }
    };
    let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    for (_, detector) in detectors.iter() {
        let serves = || vec![detector.id.to_string()];
        if let Some(verifier) = Declared::of(detector) {
            add(Known::of(&*verifier, false, serves()));
        }
        if let Some((revocation, _)) = Declared::revocation(detector) {
            add(Known::of(&revocation, true, serves()));
        }
    }
    for code in protocol::REVOCATIONS {
        add(Known::of(code.who, true, texts(code.serves)));
    }
    for code in protocol::PROTOCOLS {
        let schemes = code.schemes().iter().map(|scheme| format!("{scheme}:"));
        let serves = texts(code.serves()).into_iter().chain(schemes);
        add(Known::of(*code, false, serves.collect()));
    }
    known.into_values().collect()
}

/// Whether `url` can be the base of a provider: http or https, or the scheme of a protocol that is
/// spoken by hand; a host, no user and no query.
pub fn is_base(url: &str) -> bool {
    let place = net::Place::of(url).is_some() || protocol::is_place(url);
    place && !url.contains(['?', '#'])
}

/// Which of several outcomes is told: dead only where all are.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Live => 0,
        Outcome::LiveRestricted => 1,
        Outcome::Canary => 2,
        Outcome::RevokedOrExpired => 3,
        Outcome::Unknown(_) => 4,
        Outcome::Skipped(_) => 5,
        Outcome::Dead => 6,
    }
}

/// Asks somebody whether secrets of some kinds work.
pub(crate) trait Verifier: Send + Sync {
    /// Id and version: `github-user@1`. What answers are remembered by.
    fn name(&self) -> String;

    /// What asking does to the other side.
    fn class(&self) -> VerifierClass;

    /// What `--endpoint` calls the provider's address.
    fn endpoint(&self) -> Option<&str> {
        None
    }

    /// Hosts that are asked without the user's word, as patterns.
    fn hosts(&self) -> Vec<String> {
        Vec::new()
    }

    /// Parts without which nothing is asked.
    fn needs(&self) -> Vec<&str>;

    /// Those of [`Verifier::needs`] that are not needed under these settings.
    fn waived(&self, _: &Settings) -> Vec<&str> {
        Vec::new()
    }

    /// Parts that are used where they are known.
    fn takes(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Requests to one host in a second at most, when fewer than usual.
    fn rate(&self) -> Option<f64> {
        None
    }

    /// Whom `check` would ask, without asking. Outcomes that need nobody come as errors: expired,
    /// no endpoint, a host that is not allowed.
    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome>;

    /// Asks, nobody but the targets.
    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict;
}

/// The network on behalf of one check.
pub(crate) struct Asker<'a> {
    net: &'a Net,
    caller: Caller<'a>,
    /// The time, in seconds since 1970-01-01T00:00:00Z.
    pub(crate) now: i64,
    /// A number used once.
    pub(crate) nonce: String,
}

impl Asker<'_> {
    /// One HTTP exchange.
    pub(crate) fn http(&self, request: &HttpRequest) -> Result<Answer, Reason> {
        self.net.http(self.caller, request)
    }

    /// One HTTP exchange with other certificates than usual.
    pub(crate) fn http_with(
        &self,
        request: &HttpRequest,
        trust: &Trust<'_>,
    ) -> Result<Answer, Reason> {
        self.net.http_with(self.caller, request, trust)
    }

    /// A connection for a protocol that is spoken by hand; `what` is its name in the record.
    pub(crate) fn connect(
        &self,
        what: &'static str,
        host: &str,
        port: u16,
    ) -> Result<Conn, Reason> {
        self.net.connect(self.caller, what, host, port)
    }
}
