//! What all built-in detectors together find in the labelled cases of `corpus/`, as a golden table.
//!
//! A scan of the drawn cases as files, path and all. `corpus/README.md` says how to write a case and
//! how to accept a new table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io;
use std::sync::Arc;

use straykey::detector::{DetectorSet, ValueKind};
use straykey::engine::judge::path;
use straykey::engine::{Engine, Scratch};
use straykey::model::{Blob, Confidence, Span};
use straykey::scan::{self, Past, Request, Scope, Target};

use crate::bodies::cases::{cases, draw, folder};

/// A secret that the scan reports.
struct Claim {
    detector: String,
    confidence: Confidence,
    span: Span,
}

/// A case and what the scan makes of it.
struct Judged {
    category: String,
    name: String,
    secrets: Vec<Span>,
    claims: Vec<Claim>,
}

/// The bytes of every case, for other tests to scan.
pub(crate) fn texts() -> Vec<Vec<u8>> {
    cases()
        .iter()
        .map(|(_, case)| draw(case, 0).bytes)
        .collect()
}

/// Scans all cases, each in a folder of its own.
fn judge() -> Vec<Judged> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut judged = Vec::new();
    for (number, (category, case)) in cases().into_iter().enumerate() {
        let drawn = draw(&case, 0);
        let path = folder.path().join(format!("c{number}")).join(&case.path);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("a new folder");
        fs::write(&path, &drawn.bytes).expect("a new file");
        judged.push(Judged {
            category,
            name: case.name,
            secrets: drawn.secrets,
            claims: Vec::new(),
        });
    }
    let request = Request {
        targets: vec![Target::Path(folder.path().to_owned())],
        scope: Scope::Full {
            tree: true,
            history: Past::Skip,
        },
        ..Request::default()
    };
    let engine = Engine::new(Arc::new(DetectorSet::builtin()));
    let stdin = Box::new(io::empty());
    let outcome = scan::run(&request, &engine, stdin, &scan::Quiet).expect("a readable folder");
    for finding in &outcome.findings {
        for occurrence in &finding.occurrences {
            let path = occurrence.path.as_deref().expect("it is a file");
            let path = std::str::from_utf8(path).expect("the cases are so named");
            let number = path.split('/').find_map(|part| part.strip_prefix('c'));
            let number: usize = number.and_then(|n| n.parse().ok()).expect("as above");
            judged[number].claims.push(Claim {
                detector: engine.detectors().get(finding.detector).id.to_string(),
                confidence: finding.confidence,
                span: occurrence.span,
            });
        }
    }
    judged
}

/// How often the scan is right.
#[derive(Clone, Copy, Default)]
struct Tally {
    found: usize,
    wrong: usize,
    missed: usize,
}

impl Tally {
    /// Counts what is said with at least `confidence`.
    fn of<'a>(cases: impl Iterator<Item = &'a Judged>, confidence: Confidence) -> Self {
        let mut tally = Self::default();
        for case in cases {
            let said = |claim: &&Claim| claim.confidence >= confidence;
            let spans: Vec<_> = case.claims.iter().filter(said).map(|c| c.span).collect();
            let hit = |secret: &&Span| spans.iter().any(|span| span.overlaps(**secret));
            let found = case.secrets.iter().filter(hit).count();
            tally.found += found;
            tally.missed += case.secrets.len() - found;
            tally.wrong += spans.iter().filter(|span| !case.is_secret(**span)).count();
        }
        tally
    }

    /// Precision, recall and their harmonic mean, in percent.
    fn scores(self) -> String {
        let percent = |part: usize, whole: usize| match whole {
            0 => "–".to_owned(),
            _ => format!("{:.1}", 100.0 * part as f64 / whole as f64),
        };
        let precision = percent(self.found, self.found + self.wrong);
        let recall = percent(self.found, self.found + self.missed);
        let f1 = percent(2 * self.found, 2 * self.found + self.wrong + self.missed);
        format!("{precision} / {recall} / {f1}")
    }
}

impl Judged {
    fn is_secret(&self, span: Span) -> bool {
        self.secrets.iter().any(|secret| secret.overlaps(span))
    }
}

const LEVELS: [Confidence; 4] = [
    Confidence::Low,
    Confidence::Medium,
    Confidence::High,
    Confidence::Certain,
];

fn table(cases: &[Judged]) -> String {
    let mut text = String::from(
        "# What the built-in detectors find in the corpus\n\n\
         Precision / recall / F1 in percent, counting findings of at least the confidence above. \
         Written by\n`tests/it/corpus.rs`.\n\n\
         | category | cases | secrets | low | medium | high | certain |\n\
         | --- | ---: | ---: | --- | --- | --- | --- |\n",
    );
    let mut categories: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
    for case in cases {
        categories.entry(&case.category).or_default().push(case);
    }
    let all = ("**all**", cases.iter().collect());
    for (category, cases) in categories.into_iter().chain([all]) {
        let secrets: usize = cases.iter().map(|case| case.secrets.len()).sum();
        let scores = LEVELS.map(|level| Tally::of(cases.iter().copied(), level).scores());
        let (count, scores) = (cases.len(), scores.join(" | "));
        writeln!(text, "| {category} | {count} | {secrets} | {scores} |").expect("memory");
    }
    text.push_str("\n## False\n\n");
    for case in cases {
        let wrong = case.claims.iter().filter(|c| !case.is_secret(c.span));
        let mut lines: Vec<_> = wrong
            .map(|c| format!("{}, {}", c.detector, c.confidence))
            .collect();
        lines.sort_unstable();
        for line in lines {
            writeln!(text, "- {}.toml, {}: {line}", case.category, case.name).expect("memory");
        }
    }
    text.push_str("\n## Missed\n\n");
    for case in cases {
        let tally = Tally::of([case].into_iter(), Confidence::Low);
        if tally.missed > 0 {
            let (missed, all) = (tally.missed, case.secrets.len());
            let (category, name) = (&case.category, &case.name);
            writeln!(text, "- {category}.toml, {name}: {missed} of {all}").expect("memory");
        }
    }
    text
}

#[test]
fn the_scores_are_those_of_the_golden_table() {
    let path = folder().join("golden.md");
    let table = table(&judge());
    if std::env::var_os("STRAYKEY_BLESS").is_some() {
        fs::write(&path, &table).expect("a writable folder");
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (old, new) = (lines(&golden), lines(&table));
    let gone: Vec<_> = old
        .difference(&new)
        .map(|line| format!("-{line}"))
        .collect();
    let come: Vec<_> = new
        .difference(&old)
        .map(|line| format!("+{line}"))
        .collect();
    assert!(
        golden == table,
        "not corpus/golden.md (STRAYKEY_BLESS=1 accepts it):\n{}\n{}\n\n{table}",
        gone.join("\n"),
        come.join("\n"),
    );
}

#[test]
fn names_are_unique_and_marks_are_closed() {
    let mut names = BTreeSet::new();
    let cases = cases();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    for (category, case) in cases {
        let name = format!("{category}.toml, {}", case.name);
        let count = |mark: char| case.text.matches(mark).count();
        assert_eq!(count('«'), count('»'), "{name}");
        assert_eq!(count('⟦'), count('⟧'), "{name}");
        assert!(
            draw(&case, 0).secrets.iter().all(|s| !s.is_empty()),
            "{name}"
        );
        assert!(names.insert(case.name), "{name} is there twice");
    }
}

/// What a scanner finds in the files as they lie in git is no template.
#[test]
fn no_case_holds_a_token_outside_of_its_template() {
    let engine = Engine::new(Arc::new(DetectorSet::builtin()));
    let mut scratch = Scratch::default();
    let mut wrong = Vec::new();
    for (category, case) in cases() {
        let raw = case.text.replace(['«', '»'], "");
        engine.scan(
            &Blob::new(raw.as_bytes()),
            &mut scratch,
            &mut |mut found| {
                let claims = engine.detectors().get(found.detector);
                let judged = path::judge(claims, None, found.confidence, found.assigned.as_mut());
                if claims.value == ValueKind::Token && judged.is_some() {
                    wrong.push(format!("{category}.toml, {}: {}", case.name, claims.id));
                }
            },
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
