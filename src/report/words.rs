//! The scales and numbers of a report in words for people.

use std::fmt;

use jiff::Timestamp;

use super::{Report, Stats};
use crate::finding::Finding;
use crate::model::{
    Confidence, Lifetime, Liveness, MintsTrust, Occurrence, Outcome, Part, Proof, Reachability,
    Reason, Severity, printable,
};

/// The severities, worst first.
pub(super) const SEVERITIES: [Severity; 5] = [
    Severity::Critical,
    Severity::High,
    Severity::Medium,
    Severity::Low,
    Severity::Note,
];

/// What a hosting service shows beside a finding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Level {
    Note,
    Warning,
    Error,
}

impl Level {
    /// Of a finding: an error when it is live, a note when its provider does not accept it, and
    /// otherwise what severity and confidence say.
    pub(super) fn of_finding(finding: &Finding) -> Self {
        match finding.liveness.as_ref().map(|liveness| liveness.outcome) {
            Some(outcome) if outcome.is_live() => Self::Error,
            Some(outcome) if outcome.is_dead() => Self::Note,
            _ => Self::of(finding.severity, finding.confidence),
        }
    }

    /// Of a severity, one step lower when little speaks for the finding.
    fn of(severity: Severity, confidence: Confidence) -> Self {
        match (Self::of_severity(severity), confidence) {
            (Self::Error, Confidence::Low) => Self::Warning,
            (_, Confidence::Low) => Self::Note,
            (level, _) => level,
        }
    }

    /// Of a kind of secret.
    pub(super) fn of_severity(severity: Severity) -> Self {
        match severity {
            Severity::Critical | Severity::High => Self::Error,
            Severity::Medium => Self::Warning,
            Severity::Low | Severity::Note => Self::Note,
        }
    }
}

/// Whether it works, in a sentence; nothing where nobody was to ask.
pub(super) fn liveness(liveness: &Liveness) -> String {
    let host = liveness.host.as_deref().map(printable);
    let by = host.map_or(String::new(), |host| format!(" by {host}"));
    let mut text = match liveness.outcome {
        Outcome::Live => format!("live: accepted{by}"),
        Outcome::LiveRestricted => format!("live, with restricted rights: known{by}"),
        Outcome::Dead => format!("dead: refused{by}"),
        Outcome::RevokedOrExpired if by.is_empty() => "expired, as it says itself".to_owned(),
        Outcome::RevokedOrExpired => format!("revoked or expired: refused{by}"),
        Outcome::Unknown(reason) => format!("not known: {}", why_not(reason)),
        Outcome::Skipped(reason) => format!("not asked: {}", why_not(reason)),
        Outcome::Canary => "a trap that reports whoever uses it: not asked".to_owned(),
    };
    for (field, value) in &liveness.identity {
        text.push_str(&format!(
            "; {} {}",
            field.replace('_', " "),
            printable(value)
        ));
    }
    text
}

/// A reason for people, with the next step where there is one.
fn why_not(reason: Reason) -> &'static str {
    match reason {
        Reason::Offline => "--offline",
        Reason::NotOptedIn => "its kind of call needs --verify-class",
        Reason::NoVerifier => "no verifier for this kind of secret",
        Reason::NoEndpoint => "the provider's address is yours to give: --endpoint NAME=URL",
        Reason::RateLimited => "too many requests",
        Reason::Timeout => "no answer in time",
        Reason::Dns => "the host's name does not resolve",
        Reason::Refused => "no connection",
        Reason::Tls => "no TLS that can be trusted",
        Reason::Proxy => "the proxy does not let it through",
        Reason::BlockedAddress => "an address of a closed network; --allow-net opens one",
        Reason::HostNotAllowed => "a host that must be named first: --verify-host or --endpoint",
        Reason::Html => "a page came back where data was expected",
        Reason::TooLarge => "the answer is too long",
        Reason::Redirect => "a redirect, which is not followed",
        Reason::UnexpectedStatus => "an answer that decides nothing",
        Reason::Protocol => "an answer that is not of the protocol",
        Reason::NoAuthentication => "the server asks for no credential",
        Reason::Unpaired => {
            "several companions stand near, and no pair is known to belong together"
        }
        Reason::NeedsCompanion => "what it is used with was not found near it",
        Reason::BadValue => "the value cannot stand in a request",
        Reason::Budget => "the most requests of this run were made; see --verify-max-requests",
        Reason::LoginNotAllowed => {
            "one log-in for this user was tried, another could lock them out"
        }
        Reason::ProviderError => "the provider has a fault",
        Reason::AccountNotAllowed => "its account was left out",
        Reason::Example => "a documented example",
    }
}

/// `2 live, 1 dead, 3 not known, 4 not asked`; nothing when nobody was to ask.
pub(super) fn verdicts(report: &Report) -> Option<String> {
    let outcomes = report
        .findings
        .iter()
        .filter_map(|finding| finding.liveness.as_ref());
    let outcomes: Vec<_> = outcomes.map(|liveness| liveness.outcome).collect();
    let kind = |name: &str, holds: fn(Outcome) -> bool| {
        let n = outcomes.iter().filter(|outcome| holds(**outcome)).count();
        (n > 0).then(|| format!("{n} {name}"))
    };
    let kinds: Vec<_> = [
        kind("live", Outcome::is_live),
        kind("dead", Outcome::is_dead),
        kind("traps", |it| it == Outcome::Canary),
        kind("not known", |it| matches!(it, Outcome::Unknown(_))),
        kind("not asked", |it| matches!(it, Outcome::Skipped(_))),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!kinds.is_empty()).then(|| kinds.join(", "))
}

/// The nearest part of each name, which is its first.
pub(super) fn nearest(parts: &[Part]) -> impl Iterator<Item = &Part> {
    let is_first = |at: &usize| parts[..*at].iter().all(|part| part.name != parts[*at].name);
    (0..parts.len()).filter(is_first).map(|at| &parts[at])
}

/// How long this credential lives: until the end that it states, or as its kind does.
pub(super) fn life(finding: &Finding) -> String {
    match (finding.lifetime, finding.proof.ends_at().and_then(date)) {
        (Lifetime::Expired, Some(day)) => format!("expired on {day}"),
        (_, Some(day)) => format!("valid until {day}"),
        (kind, None) => lifetime(kind).to_owned(),
    }
}

/// How long a kind of credential lives.
pub(super) fn lifetime(lifetime: Lifetime) -> &'static str {
    match lifetime {
        Lifetime::Ephemeral => "lives at most an hour, or as long as its job",
        Lifetime::Short => "lives at most seven days",
        Lifetime::Long => "lives longer than seven days",
        Lifetime::NonExpiring => "lives until somebody revokes it",
        Lifetime::Expired => "has expired",
        Lifetime::Unknown => "its lifetime is not known, so take it as endless",
    }
}

/// Whether a credential creates further ones.
pub(super) fn mints_trust(mints: MintsTrust) -> &'static str {
    match mints {
        MintsTrust::No => "creates no further credentials",
        MintsTrust::IfPrivileged => "creates further credentials if its privileges allow",
        MintsTrust::Yes => "creates further credentials",
    }
}

/// How git reaches the place, `None` outside a repository.
pub(super) fn reachability(occurrence: &Occurrence) -> Option<&'static str> {
    if occurrence.in_head {
        return Some("in HEAD");
    }
    Some(match occurrence.reachability? {
        Reachability::Head => "in the history of HEAD",
        Reachability::Branch => "on another branch",
        Reachability::Tag => "under a tag only",
        Reachability::PullRef => "under a ref of the hosting service",
        Reachability::Stash => "in the stash",
        Reachability::Notes => "in the notes",
        Reachability::Reflog => "in the reflog only",
        Reachability::Unreachable => "unreachable, but still in the database",
    })
}

/// Why we believe that it is a secret: the proof, then the reasons; safe to print.
pub(super) fn why(finding: &Finding) -> Vec<String> {
    let mut why: Vec<_> = finding.reasons.iter().map(|text| printable(text)).collect();
    let proof = match &finding.proof {
        Proof::None => None,
        Proof::Checksum { what } => Some((what, format!("its checksum is right ({what})"))),
        Proof::Structure { what, .. } => Some((what, format!("it parses as {what}"))),
        Proof::Cryptographic { what, .. } => Some((what, what.clone())),
    };
    if let Some((what, sentence)) = proof
        && !finding
            .reasons
            .iter()
            .any(|reason| reason.contains(what.as_str()))
    {
        why.insert(0, printable(&sentence));
    }
    why
}

/// `1 file`, `2 files`.
pub(super) fn count(n: impl Into<u64>, noun: &str) -> String {
    match n.into() {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

/// The length of a list, for [`count`].
pub(super) fn len<T>(list: &[T]) -> u64 {
    list.len() as u64
}

/// RFC 3339 in UTC; `None` for a time that no calendar has.
pub(super) fn rfc3339(seconds: i64) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?;
    Some(time.to_string())
}

/// The day in UTC.
pub(super) fn date(seconds: i64) -> Option<String> {
    let time = rfc3339(seconds)?;
    time.split_once('T').map(|(day, _)| day.to_owned())
}

/// `3 findings (1 critical, 2 high)`.
pub(super) fn findings(report: &Report) -> String {
    let kinds: Vec<_> = SEVERITIES
        .iter()
        .filter_map(|&severity| match severity_count(report, severity) {
            0 => None,
            n => Some(format!("{n} {severity}")),
        })
        .collect();
    let total = count(len(&report.findings), "finding");
    match kinds.is_empty() {
        true => total,
        false => format!("{total} ({})", kinds.join(", ")),
    }
}

/// How many findings have `severity`.
pub(super) fn severity_count(report: &Report, severity: Severity) -> usize {
    let has = |finding: &&Finding| finding.severity == severity;
    report.findings.iter().filter(has).count()
}

/// How many findings each source of suppression silences, in the order of the names.
pub(super) fn suppressed_by(report: &Report) -> Vec<(&'static str, usize)> {
    ["baseline", "config", "ignore-file", "inline"]
        .into_iter()
        .map(|source| {
            let by = |finding: &&Finding| {
                let suppression = finding.suppression.as_ref();
                suppression.is_some_and(|suppression| suppression.source.as_str() == source)
            };
            (source, report.suppressed.iter().filter(by).count())
        })
        .filter(|&(_, n)| n > 0)
        .collect()
}

/// What was found but does not count: `3 suppressed by 2 sources (baseline 2, inline 1)`, and
/// what is less sure than was asked for.
pub(super) fn left_out(report: &Report) -> String {
    let suppressed = suppressed(report);
    match report.stats.below_confidence {
        0 => suppressed,
        n => format!("{suppressed}; {n} below the confidence asked for"),
    }
}

fn suppressed(report: &Report) -> String {
    let by = suppressed_by(report);
    let sources: Vec<_> = by.iter().map(|(name, n)| format!("{name} {n}")).collect();
    let total = report.suppressed.len();
    let head = format!("{total} suppressed by {}", count(len(&by), "source"));
    match sources.is_empty() {
        true => head,
        false => format!("{head} ({})", sources.join(", ")),
    }
}

/// `12 files, 3 objects, 1.5 MiB`.
pub(super) fn volume(stats: &Stats) -> String {
    let (files, objects) = (count(stats.files, "file"), count(stats.objects, "object"));
    format!("{files}, {objects}, {}", Bytes(stats.bytes))
}

/// ` (2 objects known)`, when an earlier scan had read some.
pub(super) fn known(stats: &Stats) -> String {
    match stats.known {
        0 => String::new(),
        known => format!(" ({} known)", count(known, "object")),
    }
}

/// A number of bytes with a binary unit.
pub(super) struct Bytes(pub(super) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut unit = "B";
        let mut size = self.0 as f64;
        for larger in ["KiB", "MiB", "GiB", "TiB"] {
            if size < 1024.0 {
                break;
            }
            (unit, size) = (larger, size / 1024.0);
        }
        match unit {
            "B" => write!(f, "{} B", self.0),
            _ => write!(f, "{size:.1} {unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_binary_units() {
        let texts = [0, 1023, 1536, 5 << 20, u64::MAX].map(|n| Bytes(n).to_string());
        assert_eq!(
            texts,
            ["0 B", "1023 B", "1.5 KiB", "5.0 MiB", "16777216.0 TiB"]
        );
    }

    #[test]
    fn times_are_utc_and_out_of_range_is_none() {
        assert_eq!(
            rfc3339(1_600_000_000).as_deref(),
            Some("2020-09-13T12:26:40Z")
        );
        assert_eq!(date(0).as_deref(), Some("1970-01-01"));
        assert_eq!(rfc3339(i64::MAX), None);
    }

    #[test]
    fn little_confidence_lowers_the_level_by_one() {
        assert_eq!(
            Level::of(Severity::Critical, Confidence::Low),
            Level::Warning
        );
        assert_eq!(Level::of(Severity::High, Confidence::Certain), Level::Error);
        assert_eq!(Level::of(Severity::Medium, Confidence::Low), Level::Note);
        assert_eq!(Level::of(Severity::Note, Confidence::Certain), Level::Note);
    }
}
