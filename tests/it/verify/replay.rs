//! Every declared verifier against its recordings, and against what any server may answer.
//!
//! The recordings were written from the vendors' documentation; nothing here was tested against a
//! vendor. They are replayed by a server on the loopback, and asked through the real client.

use std::collections::BTreeMap;
use std::sync::Arc;

use straykey::detector::template::expand;
use straykey::detector::{AnswerSpec, Detector, DetectorFile, DetectorSet, Expect, VerifierSpec};
use straykey::finding::Finding;
use straykey::model::{Liveness, Outcome, Reason};
use straykey::verify::{self, Revoked};

use super::server::Server;
use super::{findings, network, set, settings};
use crate::detectors::files;

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> AnswerSpec {
    let header = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    AnswerSpec {
        status,
        headers: headers.iter().map(header).collect(),
        body: body.to_owned(),
    }
}

/// A finding of `id` with all parts that `verifier` needs, from the examples of the file.
fn found(
    file: &DetectorFile,
    detectors: &Arc<DetectorSet>,
    id: &str,
    verifier: &VerifierSpec,
) -> Option<Finding> {
    let spec = file.detectors.iter().find(|spec| spec.id == id)?;
    let with_parts = |name: &String| {
        let mut parts = spec.parts.iter().filter(move |part| part.name == *name);
        parts.find_map(|part| part.examples.first())
    };
    // Each example alone, then those of the needed parts together.
    let mut texts: Vec<String> = Vec::new();
    let parts = spec.parts.iter().flat_map(|part| &part.examples);
    for example in spec.examples.iter().chain(parts) {
        texts.push(expand(example, 1).expect("a template").text);
    }
    let together = verifier.needs.iter().filter_map(with_parts);
    let together: Vec<_> = together
        .map(|example| expand(example, 1).expect("a template").text)
        .collect();
    texts.push(together.join("\n"));
    texts.into_iter().find_map(|text| {
        let index = detectors.find(id)?.0;
        let mut found = findings(detectors, &text).into_iter();
        found.find(|finding| {
            let has = |need: &String| {
                let mut occurrences = finding.occurrences.iter();
                occurrences.any(|seen| seen.parts.iter().any(|part| part.name == *need))
            };
            finding.detector == index && verifier.needs.iter().all(has)
        })
    })
}

fn ask(
    finding: &Finding,
    detectors: &DetectorSet,
    verifier: &VerifierSpec,
    answers: Vec<AnswerSpec>,
) -> Liveness {
    let server = Server::new(answers);
    let settings = settings(&verifier.endpoint.name, &server.url());
    let mut findings = vec![finding.clone()];
    verify::verify(
        &mut findings,
        detectors,
        &settings,
        network(),
        None,
        &|_, _| {},
    )
    .expect("a network");
    findings.remove(0).liveness.expect("verified")
}

fn word(outcome: Outcome) -> &'static str {
    match outcome.reason() {
        Some(reason) => reason.as_str(),
        None => outcome.as_str(),
    }
}

#[test]
fn recordings_say_what_their_verifier_reads_in_them() {
    let mut wrong = Vec::new();
    let mut verifiers = 0;
    for (file, detectors) in files() {
        let detectors: &Vec<Detector> = &detectors;
        let set = set(detectors);
        for verifier in &file.verifiers {
            verifiers += 1;
            for id in &verifier.detectors {
                let Some(finding) = found(&file, &set, id, verifier) else {
                    wrong.push(format!("{}: no example of {id} has all parts", verifier.id));
                    continue;
                };
                for recording in &verifier.recordings {
                    let said = ask(&finding, &set, verifier, recording.answers.clone());
                    if word(said.outcome) != recording.outcome {
                        wrong.push(format!(
                            "{} on {id}: {} where the recording is of {}",
                            verifier.id, said.outcome, recording.outcome
                        ));
                    }
                    let identity: BTreeMap<_, _> = said.identity.into_iter().collect();
                    for (field, text) in &recording.identity {
                        if identity.get(field.as_str()) != Some(text) {
                            wrong.push(format!(
                                "{}: identity `{}` is {:?}, not {text}",
                                verifier.id,
                                field.as_str(),
                                identity.get(field.as_str())
                            ));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(verifiers > 0);
}

/// What a recording of a further call says comes on top, and whatever else is answered to it takes
/// nothing away; without the user's word it is not made.
#[test]
fn details_are_asked_of_the_living_once_and_only_when_wanted() {
    let mut wrong = Vec::new();
    let mut details = 0;
    for (file, detectors) in files() {
        let set = set(&detectors);
        for verifier in &file.verifiers {
            let Some(detail) = &verifier.detail else {
                continue;
            };
            details += 1;
            let finding = found(&file, &set, &verifier.detectors[0], verifier);
            let finding = finding.expect("told by the test of recordings");
            let of = |outcome: &str| {
                let mut all = verifier.recordings.iter();
                all.find(|it| it.outcome == outcome)
            };
            let live = of("live").expect("the build wants one");
            let recording = detail.recording.as_ref().expect("the build wants one");
            let ask = |first: &[AnswerSpec], last: &AnswerSpec, detail: bool| {
                let mut answers = first.to_vec();
                answers.push(last.clone());
                let server = Server::new(answers);
                let mut settings = settings(&verifier.endpoint.name, &server.url());
                settings.detail = detail;
                let mut findings = vec![finding.clone()];
                let planned = verify::plan(&findings, &set, &settings).findings[0]
                    .calls
                    .len();
                let none = &|_, _| {};
                verify::verify(&mut findings, &set, &settings, network(), None, none)
                    .expect("a network");
                let said = findings.remove(0).liveness.expect("verified");
                (said, server.asked(), planned)
            };
            let calls = live.answers.len();
            let (said, asked, planned) = ask(&live.answers, &recording.answer, true);
            let identity: BTreeMap<_, _> = said.identity.iter().cloned().collect();
            for (field, text) in live.identity.iter().chain(&recording.identity) {
                if identity.get(field.as_str()) != Some(text) {
                    let field = field.as_str();
                    wrong.push(format!(
                        "{}: `{field}` is {:?}",
                        verifier.id,
                        identity.get(field)
                    ));
                }
            }
            if asked.len() != calls + 1 || planned != verifier.requests.len() + 1 {
                wrong.push(format!(
                    "{}: {} calls, {planned} planned",
                    verifier.id,
                    asked.len()
                ));
            }
            let plain = ask(&live.answers, &recording.answer, false);
            for status in [200, 403, 500] {
                let other = answer(status, &[("content-type", "application/json")], "{}");
                let (said, ..) = ask(&live.answers, &other, true);
                if said.outcome != Outcome::Live || said.identity != plain.0.identity {
                    wrong.push(format!("{}: {status} changes what is known", verifier.id));
                }
            }
            if plain.1.len() != calls {
                wrong.push(format!("{}: asked without being told to", verifier.id));
            }
            if let Some(dead) = of("dead") {
                let (said, asked, _) = ask(&dead.answers, &recording.answer, true);
                if said.outcome.is_live() || asked.len() > dead.answers.len() {
                    wrong.push(format!("{}: more was asked about the dead", verifier.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(details >= 12, "{details}");
}

#[test]
fn revocations_are_done_only_when_the_provider_says_so() {
    let mut wrong = Vec::new();
    let mut recordings = 0;
    for (file, detectors) in files() {
        let set = set(&detectors);
        for revocation in &file.revocations {
            let verifier = revocation.as_verifier();
            for id in &revocation.detectors {
                let Some(finding) = found(&file, &set, id, &verifier) else {
                    wrong.push(format!(
                        "{}: no example of {id} has all parts",
                        revocation.id
                    ));
                    continue;
                };
                for recording in &revocation.recordings {
                    recordings += 1;
                    let server = Server::new(recording.answers.clone());
                    let settings = settings(&revocation.endpoint.name, &server.url());
                    let findings = [finding.clone()];
                    let planned = verify::plan_revocations(&findings, &set, &settings);
                    assert!(server.asked().is_empty(), "a plan sends nothing");
                    let call = planned[0].call.as_ref();
                    let method = revocation.request.method.as_str();
                    assert_eq!(call.map(|call| call.method.as_str()), Some(method));
                    let ended = verify::revoke(&findings, &set, &settings, network());
                    let said = match ended.expect("a network")[0] {
                        Revoked::Done => "revoked",
                        Revoked::Dead => "dead",
                        Revoked::Failed(reason) => reason.as_str(),
                    };
                    if said != recording.outcome {
                        wrong.push(format!(
                            "{} on {id}: {said} where the recording is of {}",
                            revocation.id, recording.outcome
                        ));
                    }
                    assert_eq!(server.asked().len(), 1, "once and no more");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(recordings >= 8, "{recordings}");
}

/// What a provider, or what stands before it, may answer to anything: none of it proves a thing.
#[test]
fn no_verifier_takes_noise_for_an_answer() {
    let html = [("content-type", "text/html; charset=utf-8")];
    let json = [("content-type", "application/json")];
    let page = "<!doctype html><html><body>Access denied, success: true, id: 1</body></html>";
    let cases: [(&str, AnswerSpec, Option<Reason>); 9] = [
        (
            "429",
            answer(429, &[("retry-after", "3600")], "{}"),
            Some(Reason::RateLimited),
        ),
        (
            "503",
            answer(503, &[("retry-after", "3600")], ""),
            Some(Reason::RateLimited),
        ),
        (
            "a page with 200",
            answer(200, &html, page),
            Some(Reason::Html),
        ),
        (
            "a page with 403",
            answer(403, &html, page),
            Some(Reason::Html),
        ),
        (
            "a redirect",
            answer(302, &[("location", "http://127.0.0.1:9/")], ""),
            Some(Reason::Redirect),
        ),
        (
            "500",
            answer(500, &json, "{\"error\":\"internal\"}"),
            Some(Reason::ProviderError),
        ),
        ("an empty table", answer(200, &json, "{}"), None),
        (
            "broken JSON",
            answer(200, &json, "{\"id\": 1, \"login\": \"x"),
            None,
        ),
        ("418", answer(418, &json, "{}"), None),
    ];
    let mut wrong = Vec::new();
    for (file, detectors) in files() {
        let set = set(&detectors);
        for verifier in &file.verifiers {
            let id = &verifier.detectors[0];
            let Some(finding) = found(&file, &set, id, verifier) else {
                continue; // told by the test above
            };
            let any = verifier.requests.iter().any(|r| r.expect == Expect::Any);
            for (name, answer, reason) in &cases {
                let said = ask(&finding, &set, verifier, vec![answer.clone()]).outcome;
                let exact = reason.is_none_or(|reason| said == Outcome::Unknown(reason));
                let page = *reason == Some(Reason::Html) && any;
                if said.is_live() || !(exact || page) {
                    wrong.push(format!("{}: {name} is taken for {said}", verifier.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_redirect_is_not_followed_and_the_secret_stays_where_it_was_sent() {
    let elsewhere = Server::new(vec![answer(200, &[], "{\"login\":\"x\"}")]);
    let to = format!("{}/user", elsewhere.url());
    let (file, detectors) = files()
        .into_iter()
        .find(|(file, _)| file.provider.id == "github")
        .expect("GitHub");
    let set = set(&detectors);
    let verifier = &file.verifiers[0];
    let finding = found(&file, &set, "github-pat", verifier).expect("an example");
    for status in [301, 302, 303, 307, 308] {
        let said = ask(
            &finding,
            &set,
            verifier,
            vec![answer(status, &[("location", &to)], "")],
        );
        assert_eq!(said.outcome, Outcome::Unknown(Reason::Redirect));
    }
    assert!(elsewhere.asked().is_empty());
}
