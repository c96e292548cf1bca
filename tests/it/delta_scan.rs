//! A scan that knows what a text was made from finds what a scan of the whole text finds.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use data_encoding::BASE64;
use proptest::prelude::*;
use straykey::detector::template;
use straykey::model::Copied;

use super::bodies::delta_scan::{Version, check, draw};
use super::corpus;
use super::detectors;
use super::git_fixture::Fixture;

/// The examples of every detector, the corpus, and texts that the assignment and base64 passes
/// like; each also in base64.
static PHRASES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let files = detectors::files();
    let specs = files.into_iter().flat_map(|(file, _)| file.detectors);
    let templates = specs.flat_map(|spec| spec.examples);
    let extra = [
        "db_password = \"{{[a-z]:6}}7!{{[A-Z]:6}}\"\n",
        "passwd: {{[a-z0-9]:14}}\n",
        "x = {{[A-Za-z0-9]:80}}==\n",
        "{{[A-Za-z0-9+/]:33}}",
        "===",
        "secret = os.environ\n",
        "user,password,note\nann,{{alnum:12}},\n",
        "bob,{{alnum:9}}7!x,\n",
        "token_key_password_secret",
    ];
    templates
        .chain(extra.map(str::to_owned))
        .map(|text| {
            template::expand(&text, 7)
                .expect("a checked template")
                .text
                .into_bytes()
        })
        .chain(corpus::texts())
        .flat_map(|text| [BASE64.encode(&text).into_bytes(), text])
        .collect()
});

/// How the next text is made.
#[derive(Clone, Debug)]
enum Edit {
    /// From the last text, in thousandths of its length.
    Copy(usize, usize),
    /// From the last text, in bytes.
    CopyBytes(usize, usize),
    /// A phrase or a part of it, in thousandths.
    Phrase(usize, usize, usize),
    Text(String),
    /// So many lines without anything.
    Filler(usize),
    /// Bytes that no text has.
    Raw(Vec<u8>),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        6 => (0..1000usize, 0..1000usize).prop_map(|(a, b)| Edit::Copy(a.min(b), a.max(b))),
        2 => Just(Edit::Copy(0, 1000)),
        1 => (0..1000usize).prop_map(|end| Edit::Copy(0, end)),
        1 => (0..1000usize).prop_map(|start| Edit::Copy(start, 1000)),
        4 => (any::<usize>(), 0..1000usize, 0..1000usize)
            .prop_map(|(phrase, a, b)| Edit::Phrase(phrase, a.min(b), a.max(b))),
        4 => any::<usize>().prop_map(|phrase| Edit::Phrase(phrase, 0, 1000)),
        4 => "[ -~\n]{0,60}".prop_map(Edit::Text),
        3 => (1..12usize).prop_map(Edit::Filler),
        1 => prop::collection::vec(any::<u8>(), 0..8).prop_map(Edit::Raw),
    ]
}

/// More than what lies between is searched when two changes are near; this keeps them apart.
const FILLER: &str = "Lorem ipsum dolor sit amet, consectetur adipisici elit.\n";

fn part(bytes: &[u8], start: usize, end: usize) -> (usize, &[u8]) {
    let start = bytes.len() * start / 1000;
    (start, &bytes[start..bytes.len() * end / 1000])
}

/// Applies `edits` to `old`.
fn apply(old: &[u8], edits: &[Edit]) -> (Vec<u8>, Vec<Copied>) {
    let mut new = Vec::new();
    let mut copies = Vec::new();
    for edit in edits {
        match edit {
            Edit::Copy(..) | Edit::CopyBytes(..) => {
                let (from, bytes) = match *edit {
                    Edit::CopyBytes(start, end) => (start, &old[start..end]),
                    Edit::Copy(start, end) => part(old, start, end),
                    _ => unreachable!("matched above"),
                };
                if !bytes.is_empty() {
                    copies.push(Copied {
                        from,
                        to: new.len(),
                        len: bytes.len(),
                    });
                }
                new.extend_from_slice(bytes);
            }
            Edit::Phrase(index, start, end) => {
                new.extend_from_slice(part(&PHRASES[index % PHRASES.len()], *start, *end).1);
            }
            Edit::Text(text) => new.extend_from_slice(text.as_bytes()),
            Edit::Filler(lines) => new.extend_from_slice(FILLER.repeat(*lines).as_bytes()),
            Edit::Raw(bytes) => new.extend_from_slice(bytes),
        }
    }
    (new, copies)
}

/// Scans a line of texts, each made from the one before, in both ways. Returns the number of
/// matches.
fn compare(generations: &[Vec<Edit>]) -> usize {
    let mut versions: Vec<Version> = Vec::new();
    for edits in generations {
        let old = versions.last().map_or(&[][..], |(text, _)| text);
        versions.push(apply(old, edits));
    }
    check(&versions)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn equals_the_scan_of_the_whole(
        first in prop::collection::vec(edit(), 1..12),
        rest in prop::collection::vec(prop::collection::vec(edit(), 1..8), 1..6),
    ) {
        let generations: Vec<_> = std::iter::once(first).chain(rest).collect();
        compare(&generations);
    }

    #[test]
    fn equals_the_scan_of_the_whole_on_what_a_fuzzer_sees(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        check(&draw(&bytes, &PHRASES));
    }
}

/// Phrases between lines without anything, cut at many places: the halves change places and come
/// together again, and then come apart.
#[test]
fn a_secret_that_two_copies_make_is_found() {
    let mut found = 0;
    for number in (0..PHRASES.len()).step_by(23) {
        let around = 4 * FILLER.len();
        let inner = PHRASES[number].len();
        let length = inner + 2 * around;
        for cut in (1..inner).step_by(1 + inner / 16).map(|cut| around + cut) {
            let first = vec![
                Edit::Filler(4),
                Edit::Phrase(number, 0, 1000),
                Edit::Filler(4),
            ];
            let turned = |cut| vec![Edit::CopyBytes(cut, length), Edit::CopyBytes(0, cut)];
            let split = vec![
                Edit::CopyBytes(0, cut),
                Edit::Filler(4),
                Edit::CopyBytes(cut, length),
            ];
            let generations = [first, turned(cut), turned(length - cut), split];
            found += compare(&generations);
        }
    }
    assert!(found > 100, "{found}");
}

/// The report of the history at `path`.
fn report(path: &Path, more: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_straykey"))
        .args(["scan", "--history-only", "--format", "jsonl", "--quiet"])
        .args(more)
        .arg(path)
        .output()
        .expect("the binary runs");
    assert!(output.status.code() != Some(2), "{}", path.display());
    output.stdout
}

/// A packed repository whose versions gain, move and lose secrets, scanned in both ways.
#[test]
fn a_packed_history_gives_the_same_report() {
    let fixture = Fixture::new();
    let mut lines: Vec<String> = (0..400).map(|n| format!("line {n} of a file\n")).collect();
    for version in 0..40usize {
        let phrase = String::from_utf8_lossy(&PHRASES[version * 13 % PHRASES.len()]).into_owned();
        lines[version * 7] = phrase + "\n";
        lines.swap(version * 3, 399 - version);
        lines.remove(version);
        lines.push(format!("the last line of version {version}\n"));
        fixture.commit_file("settings.txt", &lines.concat());
    }
    fixture.git(&["repack", "-adfq", "--depth=50", "--window=50"]);
    let scan = |more: &[&str]| report(fixture.path(), more);
    let report = scan(&[]);
    assert!(report.iter().filter(|&&byte| byte == b'\n').count() > 100);
    assert!(report == scan(&["--no-delta-scan"]), "the reports differ");
    assert!(report == scan(&["--threads", "1"]), "the reports differ");
}

#[test]
fn real_histories_give_the_same_report() {
    let Some(list) = std::env::var_os("STRAYKEY_TEST_REPOSITORIES") else {
        eprintln!("STRAYKEY_TEST_REPOSITORIES is not set: nothing compared");
        return;
    };
    for path in std::env::split_paths(&list) {
        let same = report(&path, &[]) == report(&path, &["--no-delta-scan"]);
        assert!(same, "{}: the reports differ", path.display());
    }
}

/// A copy that begins inside a key takes candidates along that the rest of the key does not make.
#[test]
fn a_key_that_is_cut_is_judged_anew() {
    let templates = [
        "}\nval encryptionKey: String = \"{{hex:64}}\"\n}\n",
        "private_key_password = \"{{alnum:20}}\"\n",
        "\"clientSecretKey\": \"{{hex:40}}\",\n",
    ];
    for template in templates {
        let text = template::expand(template, 7).expect("a template").text;
        let text = [text.as_bytes(), FILLER.repeat(4).as_bytes()].concat();
        for from in 0..40 {
            let rest = text[from..].to_vec();
            let len = rest.len();
            let copied = Copied { from, to: 0, len };
            check(&[(text.clone(), Vec::new()), (rest, vec![copied])]);
        }
    }
}

/// What a column holds is told by the first line of a table, which a copy brings along.
#[test]
fn a_record_far_from_the_head_of_its_table_is_found() {
    let record = |seed: u64| {
        let text = template::expand("u{{[0-9]:3}},{{alnum:9}}7!x\n", seed).expect("a template");
        text.text
    };
    let first = format!("user,password\n{}", "nobody,\n".repeat(900));
    let second = first.clone() + &record(1);
    let (front, back) = first.split_at(first.len() / 2 / 8 * 8 + 6);
    let third = format!("{front}one,two\n{back}");
    let fourth = third.replacen("user,password", "user,remark", 1) + &record(2);
    let copy = |from, to, len| Copied { from, to, len };
    let versions = [
        (first.clone(), vec![]),
        (second, vec![copy(0, 0, first.len())]),
        (
            third.clone(),
            vec![
                copy(0, 0, front.len()),
                copy(front.len(), front.len() + 8, back.len()),
            ],
        ),
        (fourth, vec![copy(13, 11, third.len() - 13)]),
    ];
    let bytes = |(text, copies): (String, Vec<Copied>)| (text.into_bytes(), copies);
    assert_eq!(check(&versions.map(bytes)), 1);
}
