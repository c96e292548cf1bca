//! Ending a credential by the one call that its provider has for that.
//!
//! Nothing is tried twice and nothing is guessed: one call for each finding, with the parts that
//! are known to belong to it. Plans are made as for verification, by the same rules of hosts and
//! addresses.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::declared::Declared;
use super::net::{Caller, Event, Net, NetError, NetOptions, random};
use super::plan::{PlannedCall, Who};
use super::{Asker, Settings, Subject, Verdict, canary, protocol};
use crate::detector::DetectorSet;
use crate::finding::Finding;
use crate::model::{Outcome, Reason};

/// What revoking a finding would do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedRevocation {
    /// The finding's id.
    pub finding: String,
    /// `github-credentials@1`; none when the provider has no call for it.
    pub revocation: Option<String>,
    /// What it does.
    pub effect: String,
    /// The call.
    pub call: Option<PlannedCall>,
    /// Why it cannot be done.
    pub obstacle: Option<Outcome>,
}

/// How a revocation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Revoked {
    /// The provider says that it is done.
    Done,
    /// The provider did not accept it any more.
    Dead,
    /// It is not known to be done.
    Failed(Reason),
}

/// What would be done about `findings`. Sends nothing.
pub fn plan_revocations(
    findings: &[Finding],
    detectors: &DetectorSet,
    settings: &Settings,
) -> Vec<PlannedRevocation> {
    findings
        .iter()
        .map(|finding| Prepared::of(finding, detectors, settings).1)
        .collect()
}

/// Revokes all of `findings` that can be, and says how each ended, in their order.
pub fn revoke(
    findings: &[Finding],
    detectors: &DetectorSet,
    settings: &Settings,
    network: NetOptions,
) -> Result<Vec<Revoked>, NetError> {
    let net = Net::new(network)?;
    let one = |finding| {
        let revoked = match Prepared::of(finding, detectors, settings) {
            (Some(prepared), _) => prepared.run(&net, settings),
            (None, planned) => {
                let reason = planned.obstacle.and_then(Outcome::reason);
                Revoked::Failed(reason.unwrap_or(Reason::NoVerifier))
            }
        };
        record(&net, finding, revoked);
        revoked
    };
    Ok(findings.iter().map(one).collect())
}

fn record(net: &Net, finding: &Finding, revoked: Revoked) {
    let Some(audit) = net.audit() else { return };
    let (outcome, reason) = match revoked {
        Revoked::Done => ("revoked", None),
        Revoked::Dead => ("dead", None),
        Revoked::Failed(reason) => ("failed", Some(reason.as_str())),
    };
    audit.write(&Event {
        class: "revoke",
        reason,
        outcome: Some(outcome),
        ..Event::about("revocation", finding.id.as_str())
    });
}

/// A revocation that can be made.
struct Prepared<'a> {
    subject: Subject<'a>,
    who: Who,
}

impl<'a> Prepared<'a> {
    fn of(
        finding: &'a Finding,
        detectors: &'a DetectorSet,
        settings: &Settings,
    ) -> (Option<Self>, PlannedRevocation) {
        let detector = detectors.get(finding.detector);
        let mut planned = PlannedRevocation {
            finding: finding.id.as_str().to_owned(),
            revocation: None,
            effect: String::new(),
            call: None,
            obstacle: None,
        };
        let declared =
            Declared::revocation(detector).map(|(who, effect)| (Who::Data(Arc::new(who)), effect));
        let code = || {
            let code = protocol::revocation(&detector.id)?;
            Some((Who::Code(code.who), code.effect.to_owned()))
        };
        let Some((who, effect)) = declared.or_else(code) else {
            planned.obstacle = Some(Outcome::Skipped(Reason::NoVerifier));
            return (None, planned);
        };
        planned.revocation = Some(who.name());
        planned.effect = effect;
        let mut obstacle = Outcome::Skipped(Reason::NeedsCompanion);
        for occurrence in &finding.occurrences {
            let mut parts = BTreeMap::new();
            let names = who.needs().into_iter().chain(who.takes());
            for name in names {
                let mut named = occurrence.parts.iter().filter(|part| part.name == name);
                match (named.next(), named.next()) {
                    (Some(part), None) => {
                        parts.insert(part.name.as_ref(), &part.value);
                    }
                    // Ending the wrong credential is worse than ending none.
                    (Some(_), Some(_)) => obstacle = Outcome::Skipped(Reason::Unpaired),
                    (None, _) => {}
                }
            }
            if !who.needs().iter().all(|need| parts.contains_key(need)) {
                continue;
            }
            let subject = Subject {
                finding: finding.id.as_str(),
                detector,
                secret: &occurrence.secret,
                parts,
            };
            match who.targets(&subject, settings) {
                Err(outcome) => obstacle = outcome,
                Ok(targets) if targets.iter().any(|it| canary::is_host(&it.host)) => {
                    obstacle = Outcome::Canary;
                }
                Ok(targets) => {
                    planned.call = targets.into_iter().next().map(PlannedCall::from);
                    return (Some(Self { subject, who }), planned);
                }
            }
        }
        planned.obstacle = Some(obstacle);
        (None, planned)
    }

    fn run(&self, net: &Net, settings: &Settings) -> Revoked {
        let name = self.who.name();
        let asker = Asker {
            net,
            caller: Caller {
                finding: self.subject.finding,
                verifier: &name,
                class: "revoke",
            },
            now: settings.now,
            nonce: data_encoding::HEXLOWER.encode(&random()[..16]),
        };
        let Verdict { outcome, .. } = self.who.check(&self.subject, settings, &asker);
        match outcome {
            Outcome::Live => Revoked::Done,
            Outcome::Dead | Outcome::RevokedOrExpired => Revoked::Dead,
            other => Revoked::Failed(other.reason().unwrap_or(Reason::UnexpectedStatus)),
        }
    }
}
