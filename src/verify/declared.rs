//! The verifiers that are data: requests and clauses of the detector files.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::net::{HttpRequest, Place};
use super::render::{self, Values};
use super::{Asker, Settings, Subject, Target, Verdict, Verifier, judge};
use crate::detector::{
    Detector, IdentityField, Phrase, RequestSpec, RevocationSpec, VerifierClass, VerifierSpec,
    host_fits, is_host, is_whole,
};
use crate::model::{Outcome, Reason};

/// A verifier of a detector file.
pub(super) struct Declared {
    spec: VerifierSpec,
}

/// Where requests go.
struct Base {
    url: String,
    /// Whether the user named it.
    own: bool,
    /// Whether a value of scanned text stands in it.
    from_text: bool,
}

impl Declared {
    /// The verifier that the file of `detector` declares for it.
    pub(super) fn of(detector: &Detector) -> Option<Arc<dyn Verifier>> {
        let json = detector.verifier.as_deref()?;
        let spec = serde_json::from_str(json).expect("written by us from a checked file");
        Some(Arc::new(Self { spec }))
    }

    /// The revocation that the file of `detector` declares for it, as a verifier whose live says
    /// that it is done, and what it does.
    pub(super) fn revocation(detector: &Detector) -> Option<(Self, String)> {
        let json = detector.revocation.as_deref()?;
        let spec: RevocationSpec =
            serde_json::from_str(json).expect("written by us from a checked file");
        let verifier = Self {
            spec: spec.as_verifier(),
        };
        Some((verifier, spec.effect))
    }

    fn bases(&self, values: &Values<'_>, settings: &Settings) -> Result<Vec<Base>, Reason> {
        let endpoint = &self.spec.endpoint;
        if let Some(url) = settings.endpoint(&endpoint.name) {
            return Ok(vec![Base {
                url: url.to_owned(),
                own: true,
                from_text: false,
            }]);
        }
        if endpoint.default.is_empty() && self.is_whole() {
            return Ok(vec![Base {
                url: String::new(),
                own: false,
                from_text: true,
            }]);
        }
        if endpoint.default.is_empty() {
            return Err(Reason::NoEndpoint);
        }
        let base = |template: &String| {
            Ok(Base {
                url: render::base(template, values)?,
                own: false,
                from_text: template.contains("${"),
            })
        };
        endpoint.default.iter().map(base).collect()
    }

    /// Whether the secret is itself the URL that is asked.
    fn is_whole(&self) -> bool {
        self.spec
            .requests
            .iter()
            .all(|request| is_whole(&request.url))
    }

    fn values<'a>(&self, subject: &Subject<'a>, now: i64, nonce: &str) -> Values<'a> {
        let mut values = Values::at(now, nonce);
        values.set("secret", subject.secret.expose());
        for (name, part) in &subject.parts {
            values.set(name, part.expose());
        }
        values
    }

    /// All requests, base by base, and where each goes; none to a host that is not declared.
    fn requests(
        &self,
        subject: &Subject<'_>,
        settings: &Settings,
        now: i64,
        nonce: &str,
    ) -> Result<Vec<Vec<(HttpRequest, Target)>>, Reason> {
        let values = self.values(subject, now, nonce);
        let mut all = Vec::new();
        for base in self.bases(&values, settings)? {
            // A token of somebody's own server is unknown to the provider's, and none of its business.
            let theirs = subject.part("host").map(str::to_ascii_lowercase);
            let theirs = theirs.filter(|host| host.contains('.') && is_host(host));
            let elsewhere = |host: String| !self.spec.hosts.iter().any(|it| same_site(it, &host));
            if !base.own && theirs.is_some_and(elsewhere) {
                return Err(Reason::HostNotAllowed);
            }
            let specs = self.spec.requests.iter();
            let calls = specs.map(|spec| self.call(spec, &base, &values, subject, settings));
            all.push(calls.collect::<Result<Vec<_>, Reason>>()?);
        }
        Ok(all)
    }

    /// A request to `base`, and where it goes.
    fn call(
        &self,
        spec: &RequestSpec,
        base: &Base,
        values: &Values<'_>,
        subject: &Subject<'_>,
        settings: &Settings,
    ) -> Result<(HttpRequest, Target), Reason> {
        let mut request = render::request(spec, &base.url, values)?;
        if base.own && is_whole(&spec.url) {
            request.url = moved(&request.url, &base.url)?;
        }
        let place = Place::of(&request.url).ok_or(Reason::BadValue)?;
        let declared = || {
            let mut hosts = self.spec.hosts.iter();
            let fits = hosts.any(|pattern| host_fits(pattern, &place.host));
            fits && !settings.own_only && place.https
        };
        let named = settings.names(&place.host) && place.https;
        if !base.own && !named && !declared() {
            return Err(Reason::HostNotAllowed);
        }
        let url = match base.own {
            true => spec.url.clone(),
            false => self.shown_url(&spec.url, base),
        };
        let target = Target {
            method: spec.method.as_str().to_owned(),
            url,
            host: place.host,
            port: place.port,
            from_text: base.from_text,
            user: (self.spec.class == VerifierClass::Login)
                .then(|| user_of(subject))
                .flatten(),
        };
        Ok((request, target))
    }

    /// The further call about what the base number `at` says to be live, when the user wants it.
    fn detail(
        &self,
        at: usize,
        subject: &Subject<'_>,
        settings: &Settings,
        (now, nonce): (i64, &str),
    ) -> Option<Result<(HttpRequest, Target), Reason>> {
        let detail = self.spec.detail.as_ref().filter(|_| settings.detail)?;
        let values = self.values(subject, now, nonce);
        let bases = self.bases(&values, settings).ok()?;
        Some(self.call(&detail.request, bases.get(at)?, &values, subject, settings))
    }

    fn shown_url(&self, template: &str, base: &Base) -> String {
        match base.url.is_empty() {
            true => template.to_owned(),
            false => template.replacen("${endpoint}", base.url.trim_end_matches('/'), 1),
        }
    }
}

/// Whether `host` and the hosts of `pattern` end in the same two labels.
fn same_site(pattern: &str, host: &str) -> bool {
    let site = |host: &str| {
        let labels: Vec<_> = host.rsplit('.').take(2).map(str::to_owned).collect();
        labels
    };
    site(pattern) == site(host)
}

/// Whom a password is for.
pub(super) fn user_of(subject: &Subject<'_>) -> Option<String> {
    let names = ["user", "username", "email", "login"];
    let user = names.iter().find_map(|name| subject.part(name));
    user.map(str::to_owned)
}

/// `url` with the scheme and the authority of `base`.
fn moved(url: &str, base: &str) -> Result<String, Reason> {
    let (_, rest) = url.split_once("://").ok_or(Reason::BadValue)?;
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    Ok(base.trim_end_matches('/').to_owned() + path)
}

impl Verifier for Declared {
    fn name(&self) -> String {
        format!("{}@{}", self.spec.id, self.spec.version)
    }

    fn class(&self) -> VerifierClass {
        self.spec.class
    }

    fn endpoint(&self) -> Option<&str> {
        Some(&self.spec.endpoint.name)
    }

    fn hosts(&self) -> Vec<String> {
        self.spec.hosts.clone()
    }

    fn needs(&self) -> Vec<&str> {
        self.spec.needs.iter().map(String::as_str).collect()
    }

    /// What only the provider's own address is made of, when the user gives another.
    fn waived(&self, settings: &Settings) -> Vec<&str> {
        if settings.endpoint(&self.spec.endpoint.name).is_none() {
            return Vec::new();
        }
        let templates = self.spec.requests.iter().flat_map(RequestSpec::templates);
        let phrases: Vec<_> = templates.filter_map(|it| Phrase::parse(it).ok()).collect();
        let named = |need: &&str| {
            phrases
                .iter()
                .any(|it| it.names().any(|name| name == *need))
        };
        let mut needs = self.needs();
        needs.retain(|need| !named(need));
        needs
    }

    /// The host that stands beside a secret, to tell whose it is.
    fn takes(&self) -> Vec<&str> {
        match self.spec.needs.iter().any(|need| need == "host") {
            true => Vec::new(),
            false => vec!["host"],
        }
    }

    fn rate(&self) -> Option<f64> {
        self.spec.rate.map(f64::from)
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        let requests = self.requests(subject, settings, settings.now, "0");
        let requests = requests.map_err(Outcome::Skipped)?;
        let targets = requests.into_iter().flatten().map(|(_, target)| target);
        let mut targets: Vec<_> = targets.collect();
        // One base says live at most, so that one call is counted.
        if let Some(detail) = self.detail(0, subject, settings, (settings.now, "0")) {
            targets.push(detail.map_err(Outcome::Skipped)?.1);
        }
        Ok(targets)
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let requests = match self.requests(subject, settings, asker.now, &asker.nonce) {
            Ok(requests) => requests,
            Err(reason) => return Verdict::of(Outcome::Skipped(reason)),
        };
        let mut verdicts = Vec::new();
        for (at, of_base) in requests.iter().enumerate() {
            let mut verdict = self.ask(subject, of_base, settings, asker);
            if verdict.outcome == Outcome::Live {
                let more = self.more(at, subject, settings, asker).unwrap_or_default();
                let said: BTreeSet<_> = verdict.identity.iter().map(|(field, _)| *field).collect();
                let new = more.into_iter().filter(|(field, _)| !said.contains(field));
                verdict.identity.extend(new);
            }
            let ends = verdict.outcome.is_live()
                || verdict.outcome == Outcome::Unknown(Reason::RateLimited);
            verdicts.push(verdict);
            if ends {
                break;
            }
        }
        judge::over_hosts(verdicts)
    }
}

/// What a refusal leaves open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doubt {
    /// Nothing: the secret went alone, to where it belongs.
    None,
    /// Something that only stood near the secret was sent with it.
    Companion,
    /// Such secrets work elsewhere too.
    Place,
}

/// What `outcome` comes to with that doubt: what refuses a pair is dead when no companion of scanned
/// text was a part of it, and what is dead at one place of several is not known to be.
fn settled(outcome: Outcome, doubt: Doubt) -> Outcome {
    match (outcome, doubt) {
        (Outcome::Unknown(Reason::Unpaired), Doubt::None) => Outcome::Dead,
        (Outcome::Dead, Doubt::Place) => Outcome::Unknown(Reason::Unpaired),
        (other, _) => other,
    }
}

impl Declared {
    fn doubt(&self, subject: &Subject<'_>, settings: &Settings) -> Doubt {
        let mut needs = self.spec.needs.iter();
        if needs.any(|need| subject.parts.contains_key(need.as_str())) {
            return Doubt::Companion;
        }
        let own = settings.endpoint(&self.spec.endpoint.name).is_some();
        match self.spec.elsewhere.is_some() && !own {
            true => Doubt::Place,
            false => Doubt::None,
        }
    }

    /// What the further call says; nothing when it is not made or not answered.
    fn more(
        &self,
        at: usize,
        subject: &Subject<'_>,
        settings: &Settings,
        asker: &Asker<'_>,
    ) -> Option<Vec<(IdentityField, String)>> {
        let clock = (asker.now, asker.nonce.as_str());
        let (request, _) = self.detail(at, subject, settings, clock)?.ok()?;
        let detail = self.spec.detail.as_ref()?;
        let answer = asker.http(&request).ok()?;
        let part = |name: &str| subject.part(name).map(str::to_owned);
        (judge::judge(&detail.request, &answer) == Outcome::Live)
            .then(|| judge::identity(detail.identity.iter(), &answer, &part))
    }

    /// Asks one base, request by request, until an answer decides.
    fn ask(
        &self,
        subject: &Subject<'_>,
        requests: &[(HttpRequest, Target)],
        settings: &Settings,
        asker: &Asker<'_>,
    ) -> Verdict {
        let doubt = self.doubt(subject, settings);
        let mut last = Verdict::unknown(Reason::UnexpectedStatus);
        for (spec, (request, _)) in self.spec.requests.iter().zip(requests) {
            let answer = match asker.http(request) {
                Ok(answer) => answer,
                Err(reason) => return reason.into(),
            };
            let outcome = settled(judge::judge(spec, &answer), doubt);
            last = Verdict {
                outcome,
                identity: Vec::new(),
                retry_after: answer.retry_after(),
            };
            if outcome.is_live() {
                let part = |name: &str| subject.part(name).map(str::to_owned);
                last.identity = judge::identity(self.spec.identity.iter(), &answer, &part);
            }
            let limited = outcome == Outcome::Unknown(Reason::RateLimited);
            if limited || !matches!(outcome, Outcome::Unknown(_)) {
                break;
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_dead_only_where_nothing_else_can_be_wrong() {
        let unpaired = Outcome::Unknown(Reason::Unpaired);
        assert_eq!(settled(unpaired, Doubt::Companion), unpaired);
        assert_eq!(settled(unpaired, Doubt::None), Outcome::Dead);
        // The vendor's own words about the secret.
        assert_eq!(settled(Outcome::Dead, Doubt::Companion), Outcome::Dead);
        assert_eq!(settled(Outcome::Dead, Doubt::Place), unpaired);
        assert_eq!(settled(Outcome::Dead, Doubt::None), Outcome::Dead);
        for other in [
            Outcome::Live,
            Outcome::RevokedOrExpired,
            Outcome::Unknown(Reason::Html),
        ] {
            for doubt in [Doubt::None, Doubt::Companion, Doubt::Place] {
                assert_eq!(settled(other, doubt), other);
            }
        }
    }
}
