//! What all built-in detectors together find in the labelled cases of `corpus/`, as a golden table.
//!
//! A scan of the drawn cases as files, path and all. `corpus/README.md` says how to write a case and
//! how to accept a new table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::BASE64;
use serde::Deserialize;
use straykey::detector::{DetectorSet, ValueKind, template};
use straykey::engine::{Engine, Scratch};
use straykey::model::{Blob, Confidence, Span};
use straykey::scan::{self, Past, Request, Scope, Target};

/// A file of the corpus; its stem is the category of its cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Theme {
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    path: String,
    text: String,
    #[serde(default)]
    encoding: Encoding,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Encoding {
    #[default]
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// A case as bytes, and where the true secrets stand in them.
struct Drawn {
    bytes: Vec<u8>,
    secrets: Vec<Span>,
}

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

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The cases with their category, in the order of the files' names.
fn cases() -> Vec<(String, Case)> {
    let entries = fs::read_dir(folder()).expect("a readable folder");
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let files: BTreeSet<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    let mut cases = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a readable file");
        let theme: Theme =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let stem = path.file_stem().expect("a file has one").to_string_lossy();
        cases.extend(theme.cases.into_iter().map(|case| (stem.to_string(), case)));
    }
    cases
}

/// The bytes of every case, for other tests to scan.
pub(crate) fn texts() -> Vec<Vec<u8>> {
    cases().iter().map(|(_, case)| draw(case).bytes).collect()
}

/// In place of `«` and `»`, of which an expanded template keeps only the first pair.
const MARKS: (char, char) = ('\u{1}', '\u{2}');

fn draw(case: &Case) -> Drawn {
    let template = case
        .text
        .replace('«', &MARKS.0.to_string())
        .replace('»', &MARKS.1.to_string());
    let drawn = template::expand(&template, seed(&case.name));
    let text = drawn.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let text = in_base64(&text.text.replace('⟪', "{{").replace('⟫', "}}"));
    let mut drawn = Drawn {
        bytes: Vec::new(),
        secrets: Vec::new(),
    };
    if case.encoding != Encoding::Utf8 {
        push(&mut drawn.bytes, '\u{feff}', case.encoding);
    }
    let mut start = 0;
    for c in text.chars() {
        if c == MARKS.0 {
            start = drawn.bytes.len();
        } else if c == MARKS.1 {
            drawn.secrets.push(Span::new(start, drawn.bytes.len()));
        } else {
            push(&mut drawn.bytes, c, case.encoding);
        }
    }
    drawn
}

/// A seed of its own for each case, so that a new case changes no other (FNV-1a).
fn seed(name: &str) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Encodes what stands between `⟦` and `⟧`; a mark inside comes to stand around all of it.
fn in_base64(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, inner, after)) = rest.split_once('⟦').and_then(|(before, tail)| {
        let (inner, after) = tail.split_once('⟧')?;
        Some((before, inner, after))
    }) {
        let plain = inner.replace([MARKS.0, MARKS.1], "");
        let encoded = BASE64.encode(plain.as_bytes());
        result.push_str(before);
        match plain == inner {
            true => result.push_str(&encoded),
            false => {
                result.push(MARKS.0);
                result.push_str(&encoded);
                result.push(MARKS.1);
            }
        }
        rest = after;
    }
    result + rest
}

fn push(bytes: &mut Vec<u8>, c: char, encoding: Encoding) {
    let units = &mut [0; 2];
    match encoding {
        Encoding::Utf8 => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        Encoding::Utf16Le => {
            bytes.extend(c.encode_utf16(units).iter().flat_map(|u| u.to_le_bytes()))
        }
        Encoding::Utf16Be => {
            bytes.extend(c.encode_utf16(units).iter().flat_map(|u| u.to_be_bytes()))
        }
    }
}

/// Scans all cases, each in a folder of its own.
fn judge() -> Vec<Judged> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut judged = Vec::new();
    for (number, (category, case)) in cases().into_iter().enumerate() {
        let drawn = draw(&case);
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
        assert!(draw(&case).secrets.iter().all(|s| !s.is_empty()), "{name}");
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
        engine.scan(&Blob::new(raw.as_bytes()), &mut scratch, &mut |found| {
            let claims = engine.detectors().get(found.detector);
            if claims.value == ValueKind::Token {
                wrong.push(format!("{category}.toml, {}: {}", case.name, claims.id));
            }
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
