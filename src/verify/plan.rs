//! Who would be asked what: decided for all findings before anything is sent.
//!
//! Everything that limits a run is settled here, in the order of the report, so that it does not
//! depend on which answer comes first: pairs of companions, the one log-in that a user gets, the
//! budget. Sends nothing, looks nothing up.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::declared::Declared;
use super::{Settings, Subject, Target, Verifier, canary, protocol, render};
use crate::detector::{DetectorSet, VerifierClass};
use crate::finding::Finding;
use crate::model::{DetectorIndex, Lifetime, Occurrence, Outcome, Reason, Secret};

/// Most choices of companions that are tried for one secret.
const PAIRS: usize = 8;

/// Who asks.
#[derive(Clone)]
pub(super) enum Who {
    Data(Arc<dyn Verifier>),
    Code(&'static dyn Verifier),
}

impl Deref for Who {
    type Target = dyn Verifier;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Data(verifier) => &**verifier,
            Self::Code(verifier) => *verifier,
        }
    }
}

/// A check to make.
pub(super) struct Job<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) who: Who,
    pub(super) targets: Vec<Target>,
    /// What equal checks have in common.
    pub(super) key: Vec<u8>,
}

/// What is decided about one choice of a finding's parts.
pub(super) enum Decision<'a> {
    Ask(Box<Job<'a>>),
    Decided {
        outcome: Outcome,
        verifier: Option<String>,
        host: Option<String>,
    },
}

/// What would be asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Plan {
    /// One for each finding, in the order of the report.
    pub findings: Vec<PlannedFinding>,
}

/// What would be asked about a finding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PlannedFinding {
    /// The finding's id.
    pub finding: String,
    /// Its detector.
    pub detector: String,
    /// `github-user@1`, when there is a verifier.
    pub verifier: Option<String>,
    /// What asking does to the other side.
    pub class: Option<VerifierClass>,
    /// Names of the parts that are sent along.
    pub companions: Vec<String>,
    /// The calls; none when an outcome is known without.
    pub calls: Vec<PlannedCall>,
    /// What is known without asking.
    #[serde(serialize_with = "word")]
    pub outcome: Option<Outcome>,
}

fn word<S: Serializer>(outcome: &Option<Outcome>, to: S) -> Result<S::Ok, S::Error> {
    outcome.map(|outcome| outcome.to_string()).serialize(to)
}

/// A call that would be made.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct PlannedCall {
    /// HTTP method, or the protocol.
    pub method: String,
    /// The URL with its values left out.
    pub url: String,
    /// Who would be asked.
    pub host: String,
    /// At which port.
    pub port: u16,
    /// Whether the host stood in scanned text.
    pub from_text: bool,
}

impl From<Target> for PlannedCall {
    fn from(target: Target) -> Self {
        Self {
            method: target.method,
            url: target.url,
            host: target.host,
            port: target.port,
            from_text: target.from_text,
        }
    }
}

/// Who would be asked what about `findings`. Sends nothing.
pub fn plan(findings: &[Finding], detectors: &DetectorSet, settings: &Settings) -> Plan {
    let decided = decide(findings, detectors, settings, &[]);
    let planned = findings.iter().zip(decided).map(|(finding, decisions)| {
        let mut planned = PlannedFinding {
            finding: finding.id.as_str().to_owned(),
            detector: detectors.get(finding.detector).id.to_string(),
            verifier: None,
            class: None,
            companions: Vec::new(),
            calls: Vec::new(),
            outcome: None,
        };
        for decision in decisions {
            match decision {
                Decision::Ask(job) => {
                    planned.verifier = Some(job.who.name());
                    planned.class = Some(job.who.class());
                    let names = job.subject.parts.keys();
                    planned.companions = names.map(|name| (*name).to_owned()).collect();
                    let calls = job.targets.into_iter().map(PlannedCall::from);
                    planned.calls.extend(calls);
                }
                Decision::Decided {
                    outcome, verifier, ..
                } => {
                    planned.outcome = Some(outcome);
                    planned.verifier = planned.verifier.or(verifier);
                }
            }
        }
        if !planned.calls.is_empty() {
            planned.outcome = None;
        }
        planned
    });
    Plan {
        findings: planned.collect(),
    }
}

/// Decides about all of `findings`, one list for each. `key` makes the keys of jobs.
pub(super) fn decide<'a>(
    findings: &'a [Finding],
    detectors: &'a DetectorSet,
    settings: &Settings,
    key: &[u8],
) -> Vec<Vec<Decision<'a>>> {
    let mut planner = Planner {
        detectors,
        settings,
        key,
        declared: BTreeMap::new(),
        budget: settings.budget,
        asked: BTreeSet::new(),
        logins: BTreeMap::new(),
    };
    findings
        .iter()
        .map(|finding| planner.finding(finding))
        .collect()
}

struct Planner<'a, 's> {
    detectors: &'a DetectorSet,
    settings: &'s Settings,
    key: &'s [u8],
    declared: BTreeMap<DetectorIndex, Option<Arc<dyn Verifier>>>,
    /// Calls that are left.
    budget: u64,
    /// Keys of jobs that stand already.
    asked: BTreeSet<Vec<u8>>,
    /// Which job may log in as whom, and where.
    logins: BTreeMap<(String, u16, String), Vec<u8>>,
}

impl<'a> Planner<'a, '_> {
    fn finding(&mut self, finding: &'a Finding) -> Vec<Decision<'a>> {
        let detector = self.detectors.get(finding.detector);
        if finding.lifetime == Lifetime::Expired {
            return vec![Decision::Decided {
                outcome: Outcome::RevokedOrExpired,
                verifier: None,
                host: None,
            }];
        }
        let mut decisions = Vec::new();
        let mut seen: BTreeSet<BTreeMap<&str, &Secret>> = BTreeSet::new();
        let mut outcome = Outcome::Skipped(Reason::NoVerifier);
        let mut name = None;
        let mut whole = false;
        for occurrence in &finding.occurrences {
            let scheme = first(occurrence, "scheme").map(|part| part.to_ascii_lowercase());
            let Some(who) = self.who(finding.detector, scheme.as_deref()) else {
                continue;
            };
            name = Some(who.name());
            if !self.settings.classes.contains(&who.class()) {
                outcome = Outcome::Skipped(Reason::NotOptedIn);
                continue;
            }
            let pairs = match pairs(occurrence, &who, self.settings) {
                Ok(pairs) => pairs,
                Err(reason) => {
                    outcome = Outcome::Skipped(reason);
                    continue;
                }
            };
            for parts in pairs {
                whole |= decisions.len() >= PAIRS;
                if whole || !seen.insert(parts.clone()) {
                    continue;
                }
                let subject = Subject {
                    finding: finding.id.as_str(),
                    detector,
                    secret: &occurrence.secret,
                    parts,
                };
                decisions.push(self.subject(subject, who.clone()));
            }
        }
        if decisions.is_empty() {
            decisions.push(Decision::Decided {
                outcome,
                verifier: name,
                host: None,
            });
        }
        decisions
    }

    fn who(&mut self, detector: DetectorIndex, scheme: Option<&str>) -> Option<Who> {
        let known = self.detectors.get(detector);
        let declared = self.declared.entry(detector);
        let declared = declared.or_insert_with(|| Declared::of(known)).clone();
        // A token that has a verifier of its own is no password of the address beside it.
        let scheme = scheme.filter(|_| declared.is_none());
        match protocol::of(&known.id, scheme) {
            Some(code) => Some(Who::Code(code)),
            None => declared.map(Who::Data),
        }
    }

    fn subject(&mut self, subject: Subject<'a>, who: Who) -> Decision<'a> {
        let verifier = Some(who.name());
        let decided = |outcome, host| Decision::Decided {
            outcome,
            verifier: verifier.clone(),
            host,
        };
        let targets = match who.targets(&subject, self.settings) {
            Ok(targets) => targets,
            Err(outcome) => return decided(outcome, None),
        };
        let host = targets.first().map(|target| target.host.clone());
        if targets.iter().any(|target| canary::is_host(&target.host)) {
            return decided(Outcome::Canary, host);
        }
        let key = self.key_of(&subject, &who, &targets);
        if self.asked.contains(&key) {
            return Decision::Ask(Box::new(Job {
                subject,
                who,
                targets,
                key,
            }));
        }
        for target in &targets {
            let Some(user) = &target.user else { continue };
            let place = (target.host.clone(), target.port, user.clone());
            let holder = self.logins.entry(place).or_insert_with(|| key.clone());
            if *holder != key {
                return decided(Outcome::Skipped(Reason::LoginNotAllowed), host);
            }
        }
        match self.budget.checked_sub(targets.len() as u64) {
            Some(left) => self.budget = left,
            None => return decided(Outcome::Skipped(Reason::Budget), host),
        }
        self.asked.insert(key.clone());
        Decision::Ask(Box::new(Job {
            subject,
            who,
            targets,
            key,
        }))
    }

    /// Verifier, hosts, secret and parts under the key of the run.
    fn key_of(&self, subject: &Subject<'_>, who: &Who, targets: &[Target]) -> Vec<u8> {
        let mut all = Vec::new();
        let mut add = |bytes: &[u8]| {
            all.extend((bytes.len() as u64).to_be_bytes());
            all.extend(bytes);
        };
        add(who.name().as_bytes());
        for target in targets {
            add(target.url.as_bytes());
            add(format!("{}:{}", target.host, target.port).as_bytes());
        }
        add(subject.secret.expose());
        for (name, part) in &subject.parts {
            add(name.as_bytes());
            add(part.expose());
        }
        render::hmac_sha256(self.key, &all)
    }
}

/// The nearest part called `name`.
fn first<'a>(occurrence: &'a Occurrence, name: &str) -> Option<&'a str> {
    let part = occurrence.parts.iter().find(|part| part.name == name)?;
    std::str::from_utf8(part.value.expose()).ok()
}

/// The choices of parts that a verifier is tried with, nearest first.
fn pairs<'a>(
    occurrence: &'a Occurrence,
    who: &Who,
    settings: &Settings,
) -> Result<Vec<BTreeMap<&'a str, &'a Secret>>, Reason> {
    let mut pairs: Vec<BTreeMap<&str, &Secret>> = vec![BTreeMap::new()];
    let waived = who.waived(settings);
    for need in who.needs() {
        if waived.contains(&need) {
            continue;
        }
        let candidates: Vec<_> = occurrence
            .parts
            .iter()
            .filter(|part| part.name == need)
            .collect();
        if candidates.is_empty() {
            return Err(Reason::NeedsCompanion);
        }
        if candidates.len() > 1 && who.class() == VerifierClass::Login {
            return Err(Reason::Unpaired); // a guess would count as a failed log-in
        }
        let with = |pair: &BTreeMap<&'a str, &'a Secret>| {
            let pair = pair.clone();
            candidates
                .iter()
                .map(|part| {
                    let mut pair = pair.clone();
                    pair.insert(part.name.as_ref(), &part.value);
                    pair
                })
                .collect::<Vec<_>>()
        };
        pairs = pairs.iter().flat_map(with).take(PAIRS).collect();
    }
    for name in who.takes() {
        let Some(part) = occurrence.parts.iter().find(|part| part.name == name) else {
            continue;
        };
        for pair in &mut pairs {
            pair.entry(part.name.as_ref()).or_insert(&part.value);
        }
    }
    Ok(pairs)
}
