//! One fixed report. Its detectors are its own, so that new ones do not churn the snapshots; its
//! secrets are drawn from templates, so that none stands in a file.

use std::borrow::Cow::{self, Borrowed};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use straykey::detector::{Detector, DetectorSet, Glance, Pass, ValueKind, template};
use straykey::finding::line_hashes;
use straykey::finding::{Finding, Suppression, SuppressionSource};
use straykey::model::{
    CommitPoint, Confidence, Decoding, DetectorIndex, Diagnostic, DiagnosticKind, FindingId,
    Lifetime, LineIndex, Liveness, MintsTrust, ObjectId, Occurrence, Outcome, Part, Proof,
    Reachability, Reason, Role, Secret, Severity, SourceKind, Span,
};
use straykey::model::{RepositoryInfo, Stats};
use straykey::report::Report;

/// Templates of plain classes only: a change of a generator must not churn the snapshots.
const SESSION: &str = "eyJh{{base64url:16}}.eyJ{{base64url:40}}.{{base64url:43}}";

fn block() -> String {
    let label = "RSA PRIVATE KEY";
    let lines = "{{base64:64}}\n".repeat(6);
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----")
}

/// The report, with secrets drawn from `seed`.
pub(crate) fn report(seed: u64) -> Report {
    let detectors = Arc::new(DetectorSet::new(vec![
        acme(),
        session_token(),
        private_key(),
    ]));
    let set = &detectors;
    let acme = |n: u64| draw("acme_live_{{alnum:32}}", seed + n);
    let jwt = |n: u64| draw(SESSION, seed + n);
    let pem = draw(&block(), seed);

    let mut everywhere = finding(set, "acme-api-key", 1, &acme(1));
    everywhere.proof = Proof::Checksum {
        what: "CRC-32, base62".into(),
    };
    everywhere.confidence = Confidence::Certain;
    everywhere.reasons = vec!["the key is called api_key".into()];
    everywhere.occurrences = vec![
        Occurrence {
            parts: vec![
                part("account", b"4711", true, 10),
                part("account", b"4712", true, 14),
                part("key_id", acme(9).expose(), false, 11),
            ],
            ..tree("src/config.py", 12, &acme(1))
        },
        tree("deploy/docker compose.yml", 3, &acme(1)),
        Occurrence {
            decoding: vec![Decoding::Base64],
            ..tree("k8s/secret.yaml", 7, &acme(1))
        },
        history("old/settings.py", 40, &acme(1)),
        history("old/settings2.py", 41, &acme(1)),
        history("old/settings3.py", 42, &acme(1)),
    ];
    let mut twin = finding(set, "acme-api-key", 2, &acme(2));
    twin.occurrences = vec![Occurrence {
        location: locate(&format!("{}{}", "\n".repeat(11), " ".repeat(60)), &acme(2)),
        ..tree("src/config.py", 12, &acme(2))
    }];
    let mut key = finding(set, "private-key", 3, &pem);
    key.occurrences = vec![Occurrence {
        location: locate("\n", &pem),
        key: None,
        ..tree("certs/server.pem", 2, &pem)
    }];
    let mut session = finding(set, "session-token", 4, &jwt(0));
    session.proof = Proof::Structure {
        what: "JWT, HS256".into(),
        ends_at: Some(1_900_000_000),
    };
    session.lifetime = Lifetime::Long;
    session.occurrences = vec![history("src/config.py", 5, &jwt(0))];
    session.liveness = Some(Liveness {
        outcome: Outcome::Unknown(Reason::RateLimited),
        verifier: Some("acme-session@1".into()),
        host: Some("api.acme.example".into()),
        identity: Vec::new(),
    });
    everywhere.liveness = Some(Liveness {
        outcome: Outcome::Live,
        verifier: Some("acme-me@2".into()),
        host: Some("api.acme.example".into()),
        identity: vec![
            ("account".into(), "a1".into()),
            ("expires_at".into(), "2030-01-01".into()),
        ],
    });
    let mut gone = finding(set, "acme-api-key", 5, &acme(5));
    gone.severity = Severity::Medium;
    gone.occurrences = vec![history("gone/old.env", 9, &acme(5))];
    let mut said = finding(set, "acme-api-key", 6, &acme(6));
    said.severity = Severity::Low;
    said.confidence = Confidence::Low;
    said.occurrences = vec![
        Occurrence {
            role: Role::CommitMessage,
            path: None,
            reachability: Some(Reachability::Reflog),
            ..history("", 6, &acme(6))
        },
        Occurrence {
            role: Role::Note,
            path: None,
            reachability: Some(Reachability::Notes),
            ..history("", 1, &acme(6))
        },
    ];

    let mut accepted = finding(set, "acme-api-key", 7, &acme(7));
    accepted.occurrences = vec![tree("tests/fixture.py", 2, &acme(7))];
    accepted.suppression = Some(Suppression {
        source: SuppressionSource::Inline("straykey:ignore".into()),
        reason: Some("revoked in 2023, kept as a sample".into()),
    });
    let mut known = finding(set, "session-token", 8, &jwt(8));
    known.occurrences = vec![history("gone/known.txt", 1, &known.secret)];
    known.suppression = Some(Suppression {
        source: SuppressionSource::Baseline,
        reason: None,
    });

    Report {
        detectors,
        findings: vec![everywhere, twin, key, session, gone, said],
        suppressed: vec![accepted, known],
        diagnostics: vec![
            Diagnostic {
                kind: DiagnosticKind::Incomplete,
                subject: "assets/big.bin".into(),
                message: "larger than the limit, raise --max-file-size".into(),
            },
            Diagnostic {
                kind: DiagnosticKind::Warning,
                subject: ".git".into(),
                message: "shallow clone, older commits are not here".into(),
            },
        ],
        stats: Stats {
            known: 0,
            files: 120,
            objects: 3456,
            bytes: 7_890_123,
            below_confidence: 3,
            elapsed: Duration::from_millis(420),
        },
        repository: Some(RepositoryInfo {
            url: Some("https://github.com/acme-example/shop.git".into()),
            head: Some("89abcdef0123456789abcdef0123456789abcdef".into()),
            branch: Some("main".into()),
        }),
        repositories: Vec::new(),
        gone_paths: BTreeSet::from([
            (None, b"gone/old.env".to_vec()),
            (None, b"gone/known.txt".to_vec()),
        ]),
    }
}

/// A report that found nothing.
pub(crate) fn clean() -> Report {
    Report {
        findings: Vec::new(),
        suppressed: Vec::new(),
        diagnostics: Vec::new(),
        ..report(0)
    }
}

/// A finding of the kind `detector` without a place.
pub(crate) fn finding(set: &DetectorSet, detector: &str, n: u8, secret: &Secret) -> Finding {
    let (index, detector): (DetectorIndex, &Detector) =
        set.find(detector).expect("the fixture has it");
    Finding {
        id: FindingId::new(format!("sk1_{n:020}")),
        detector: index,
        severity: detector.severity,
        confidence: detector.confidence,
        lifetime: detector.lifetime,
        mints_trust: detector.mints_trust,
        proof: Proof::None,
        reasons: Vec::new(),
        secret: secret.clone(),
        reachability: None,
        in_head: false,
        introduced: None,
        liveness: None,
        removed: None,
        occurrences: Vec::new(),
        suppression: None,
    }
}

/// What belongs to the secret in line 12.
fn part(name: &'static str, value: &[u8], shown: bool, line: u32) -> Part {
    Part {
        name: Borrowed(name),
        value: Secret::new(value),
        shown,
        line,
        distance: line.abs_diff(12),
    }
}

/// A place in the work tree.
pub(crate) fn tree(path: &str, line: usize, secret: &Secret) -> Occurrence {
    let before = format!("{}key = \"", "\n".repeat(line - 1));
    let text = [before.as_bytes(), secret.expose(), b"\"\n"].concat();
    Occurrence {
        source: SourceKind::Tree,
        role: Role::File,
        root: None,
        path: Some(path.as_bytes().to_vec()),
        other_paths: Vec::new(),
        location: locate(&before, secret),
        span: Span::new(before.len(), before.len() + secret.len()),
        object: Some(object(3)),
        reachability: Some(Reachability::Head),
        in_head: true,
        introduced: Some(point(1, 1_680_000_000)),
        removed: None,
        secret: secret.clone(),
        decoding: Vec::new(),
        key: Some("key".into()),
        parts: Vec::new(),
        line_hash: line_hashes(&text).get(line - 1).cloned(),
    }
}

/// The fixed report as if its places were in two repositories.
pub(crate) fn two_roots() -> Report {
    let mut report = report(0);
    let info = report.repository.clone().expect("the fixed report has one");
    let other = RepositoryInfo {
        url: Some("https://github.com/acme-example/api.git".into()),
        ..info.clone()
    };
    report.repositories = vec![("web".into(), info), ("/outside/a b".into(), other)];
    let all = report.findings.iter_mut().chain(&mut report.suppressed);
    for (number, place) in all.flat_map(|it| &mut it.occurrences).enumerate() {
        place.root = Some(report.repositories[number % 2].0.clone());
    }
    report.gone_paths = report
        .gone_paths
        .into_iter()
        .flat_map(|(_, path)| {
            let roots = report.repositories.iter();
            roots.map(move |(root, _)| (Some(root.clone()), path.clone()))
        })
        .collect();
    report
}

/// A place that only history has.
pub(crate) fn history(path: &str, line: usize, secret: &Secret) -> Occurrence {
    Occurrence {
        source: SourceKind::History,
        in_head: false,
        removed: Some(point(2, 1_690_000_000)),
        ..tree(path, line, secret)
    }
}

fn locate(before: &str, secret: &Secret) -> straykey::model::Location {
    let text = [before.as_bytes(), secret.expose()].concat();
    let span = Span::new(before.len(), text.len());
    LineIndex::new(&text).locate(span)
}

pub(crate) fn draw(template: &str, seed: u64) -> Secret {
    let example = template::expand(template, seed).expect("a valid template");
    Secret::new(example.secret.as_bytes())
}

fn point(n: u8, time: i64) -> CommitPoint {
    CommitPoint {
        id: object(n),
        time,
    }
}

fn object(n: u8) -> ObjectId {
    ObjectId::new([n; ObjectId::LEN])
}

fn acme() -> Detector {
    Detector {
        id: Borrowed("acme-api-key"),
        provider: Borrowed("acme"),
        provider_name: Borrowed("Acme Cloud"),
        category: Borrowed("generic"),
        docs: Borrowed("https://docs.acme.example/tokens"),
        general: false,
        name: Borrowed("Acme API key"),
        description: Borrowed("Full access to the account until it is revoked."),
        severity: Severity::Critical,
        confidence: Confidence::High,
        lifetime: Lifetime::NonExpiring,
        mints_trust: MintsTrust::IfPrivileged,
        value: ValueKind::Token,
        keywords: Cow::Owned(vec![Borrowed("acme_live_")]),
        ignore_case: false,
        pass: Pass::Pattern,
        pattern: Borrowed(r"\b(?<secret>acme_live_[0-9A-Za-z]{32})\b"),
        context: None,
        max_len: 42,
        max_lead: 0,
        starts_word: false,
        required: Borrowed(""),
        glance: Glance::None,
        min_entropy: 0.0,
        proof: Some(Borrowed("acme-crc32")),
        extent: None,
        remediation: Borrowed("Revoke the key in the console and issue a new one."),
        rotate: Some(Borrowed("https://docs.acme.example/revoke")),
        sources: Cow::Owned(vec![Borrowed("https://docs.acme.example/format")]),
        aliases: Cow::Owned(Vec::new()),
        owasp_nhi: Cow::Owned(vec![2, 7]),
        cwe: Cow::Owned(vec![798, 312]),
        parts: Cow::Owned(Vec::new()),
        verifier: None,
        revocation: None,
    }
}

fn session_token() -> Detector {
    Detector {
        id: Borrowed("session-token"),
        provider: Borrowed("generic"),
        provider_name: Borrowed("Generic"),
        category: Borrowed("generic"),
        docs: Borrowed("https://docs.acme.example/tokens"),
        name: Borrowed("Session token"),
        description: Borrowed("Acts as its user until it ends"),
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        lifetime: Lifetime::Short,
        mints_trust: MintsTrust::No,
        keywords: Cow::Owned(vec![Borrowed("eyJ0")]),
        proof: None,
        remediation: Borrowed("End the session at the issuer"),
        rotate: None,
        sources: Cow::Owned(Vec::new()),
        owasp_nhi: Cow::Owned(vec![2]),
        cwe: Cow::Owned(vec![]),
        ..acme()
    }
}

fn private_key() -> Detector {
    Detector {
        id: Borrowed("private-key"),
        provider: Borrowed("generic"),
        provider_name: Borrowed("Generic"),
        category: Borrowed("generic"),
        docs: Borrowed("https://docs.acme.example/tokens"),
        name: Borrowed("Private key"),
        description: Borrowed("Proves to be its owner wherever the public key is trusted."),
        severity: Severity::High,
        mints_trust: MintsTrust::Yes,
        remediation: Borrowed("Replace the key pair wherever the public key is trusted."),
        rotate: None,
        cwe: Cow::Owned(vec![321, 798]),
        ..acme()
    }
}
