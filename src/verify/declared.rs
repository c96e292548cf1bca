//! The verifiers that are data: requests and clauses of the detector files.

use std::sync::Arc;

use super::net::{HttpRequest, Place};
use super::render::{self, Values};
use super::{Asker, Settings, Subject, Target, Verdict, Verifier, judge};
use crate::detector::{
    Detector, Phrase, RequestSpec, RevocationSpec, VerifierClass, VerifierSpec, host_fits, is_host,
    is_whole,
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
            let mut of_base = Vec::new();
            for spec in &self.spec.requests {
                let mut request = render::request(spec, &base.url, &values)?;
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
                    false => self.shown_url(&spec.url, &base),
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
                of_base.push((request, target));
            }
            all.push(of_base);
        }
        Ok(all)
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
        Ok(targets.collect())
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let requests = match self.requests(subject, settings, asker.now, &asker.nonce) {
            Ok(requests) => requests,
            Err(reason) => return Verdict::of(Outcome::Skipped(reason)),
        };
        let mut verdicts = Vec::new();
        for of_base in &requests {
            let verdict = self.ask(subject, of_base, asker);
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

impl Declared {
    /// Asks one base, request by request, until an answer decides.
    fn ask(
        &self,
        subject: &Subject<'_>,
        requests: &[(HttpRequest, Target)],
        asker: &Asker<'_>,
    ) -> Verdict {
        let mut last = Verdict::unknown(Reason::UnexpectedStatus);
        for (spec, (request, _)) in self.spec.requests.iter().zip(requests) {
            let answer = match asker.http(request) {
                Ok(answer) => answer,
                Err(reason) => return reason.into(),
            };
            let outcome = judge::judge(spec, &answer);
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
