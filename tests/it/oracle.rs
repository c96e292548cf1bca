//! The engine finds what the plain way of running every pattern over the whole text finds.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use straykey::detector::template::{self, expand};
use straykey::detector::{DetectorSet, Pass};
use straykey::engine::{Engine, Scratch, decode, oracle};
use straykey::model::{Blob, DetectorIndex, Match, Secret, Span};

use super::detectors;

/// Id and template of every example of every file.
static EXAMPLES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let files = detectors::files();
    let specs = files.into_iter().flat_map(|(file, _)| file.detectors);
    let examples = |spec: straykey::detector::DetectorSpec| {
        let id = spec.id;
        let own = spec.examples.into_iter();
        own.map(move |text| (id.clone(), text)).collect::<Vec<_>>()
    };
    specs.flat_map(examples).collect()
});

/// A drawn example or a part of it, and what follows.
#[derive(Clone, Debug)]
struct Piece {
    example: prop::sample::Index,
    seed: u64,
    /// Bytes cut off at the front and at the end, in thousandths.
    cut: (usize, usize),
    after: String,
}

fn piece() -> impl Strategy<Value = Piece> {
    let cut = prop_oneof![
        3 => Just((0, 0)),
        1 => (0..1000usize, Just(0)),
        1 => (Just(0), 0..1000usize),
        1 => (0..500usize, 0..500usize),
    ];
    let after = prop_oneof![
        3 => Just("\n".to_owned()),
        2 => prop::sample::select(vec!["", " ", ",", "\"", "_", "x", "=", "\\n", "é", "\0"])
            .prop_map(str::to_owned),
        1 => "[ -~\n]{0,40}",
    ];
    (any::<prop::sample::Index>(), any::<u64>(), cut, after).prop_map(
        |(example, seed, cut, after)| Piece {
            example,
            seed,
            cut,
            after,
        },
    )
}

impl Piece {
    fn id(&self) -> &str {
        &self.example.get(&EXAMPLES).0
    }

    fn append(&self, text: &mut Vec<u8>) {
        let (_, template) = self.example.get(&EXAMPLES);
        let example = template::expand(template, self.seed).expect("a checked template");
        let bytes = example.bytes();
        let (front, end) = self.cut;
        let front = bytes.len() * front / 1000;
        let end = bytes.len() - bytes.len() * end / 1000;
        text.extend_from_slice(&bytes[front..end.max(front)]);
        text.extend_from_slice(self.after.as_bytes());
    }
}

fn text_of(pieces: &[Piece]) -> Vec<u8> {
    let mut text = Vec::new();
    pieces.iter().for_each(|piece| piece.append(&mut text));
    text
}

fn scan(engine: &Engine, text: &[u8], scratch: &mut Scratch) -> Vec<Match> {
    let mut found = Vec::new();
    engine.scan(&Blob::new(text), scratch, &mut |m| found.push(m));
    found
}

type Key = (DetectorIndex, Span, Secret);

fn key(found: &Match) -> Key {
    (found.detector, found.span, found.secret.clone())
}

/// Compares the two on `text`. Assignments and decoded texts are the engine's alone, but what they
/// claim may stand in a pattern's way, as patterns do among each other.
fn compare(detectors: &Arc<DetectorSet>, text: &[u8]) -> Result<(), TestCaseError> {
    if decode::utf16(text).is_some() {
        return Ok(());
    }
    let engine = Engine::new(Arc::clone(detectors));
    let found = scan(&engine, text, &mut Scratch::default());
    let expected = oracle::scan(detectors, &Blob::new(text));
    let name = |index: DetectorIndex| detectors.get(index).id.to_string();
    let all: BTreeSet<Key> = expected.iter().map(key).collect();
    let is_plain =
        |m: &&Match| m.decoding.is_empty() && detectors.get(m.detector).pass == Pass::Pattern;
    for m in found.iter().filter(is_plain) {
        let id = name(m.detector);
        prop_assert!(all.contains(&key(m)), "not the oracle's: {id} {:?}", m.span);
    }
    for m in &expected {
        let id = name(m.detector);
        let taken = found.iter().any(|other| other.span.overlaps(m.span));
        prop_assert!(taken, "lost: {id} {:?} of {} bytes", m.span, text.len());
    }
    Ok(())
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// Few detectors, those that the text is about: many cases.
    #[test]
    fn equals_the_oracle_with_the_detectors_at_hand(pieces in prop::collection::vec(piece(), 1..8)) {
        let ids: BTreeSet<&str> = pieces.iter().map(Piece::id).collect();
        let few = DetectorSet::builtin().filtered(|detector| ids.contains(&*detector.id));
        compare(&Arc::new(few), &text_of(&pieces))?;
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        static ENGINE: LazyLock<Engine> =
            LazyLock::new(|| Engine::new(Arc::new(DetectorSet::builtin())));
        for m in scan(&ENGINE, &bytes, &mut Scratch::default()) {
            prop_assert!(m.span.end <= bytes.len());
        }
    }

    #[test]
    fn a_used_scratch_changes_nothing(
        first in prop::collection::vec(piece(), 0..4),
        second in prop::collection::vec(piece(), 1..6),
    ) {
        static ENGINE: LazyLock<Engine> =
            LazyLock::new(|| Engine::new(Arc::new(DetectorSet::builtin())));
        let text = text_of(&second);
        let mut scratch = Scratch::default();
        let fresh: Vec<_> = scan(&ENGINE, &text, &mut scratch).iter().map(key).collect();
        let again: Vec<_> = scan(&ENGINE, &text, &mut scratch).iter().map(key).collect();
        prop_assert!(fresh == again);
        scan(&ENGINE, &text_of(&first), &mut scratch);
        let later: Vec<_> = scan(&ENGINE, &text, &mut scratch).iter().map(key).collect();
        prop_assert!(fresh == later);
    }
}

/// A text with made-up passwords in the place of their names.
fn filled(text: &str) -> String {
    let value = |number| expand("{{alnum:10}}", number).expect("a template").text;
    let (one, other) = (value(1), value(2));
    let halves = one.split_at(4);
    text.replace("{A}", &one)
        .replace("{A1}", halves.0)
        .replace("{A2}", halves.1)
        .replace("{B}", &other)
}

/// A line in which a key is given something; many of these are alike but for what decides.
fn assignment() -> impl Strategy<Value = String> {
    const KEYS: &[&str] = &[
        "password",
        "db_password",
        "nonce",
        "api_token",
        "client.secret",
        "-password",
    ];
    const SIGNS: &[&str] = &[" = ", ": ", "=", "=>", "(", ", ", " ", "': '", " == "];
    const VALUES: &[&str] = &[
        "\"{A}\"",
        "{A}",
        "'{A}'",
        "'changeme'",
        "\"${password}\"",
        "\"changeme\"",
        "get(\"{A}\")",
        "\"{A}\" + \"Yt6\"",
        "\"{A1}\\\n{A2}\"",
        "[\"dbpasswd\", \"{A}\"]",
        "1*VCHAR",
    ];
    const AFTERS: &[&str] = &[
        "\n",
        " digest realm=\n",
        ";\n\n",
        "<script\n",
        " # example\n",
        ",\n",
        ", db_password = '{B}'\n",
    ];
    const BEFORES: &[&str] = &["", "  ", "{", "user = admin, ", "<b>", "// "];
    let one = |all: &'static [&'static str]| prop::sample::select(all);
    (
        one(BEFORES),
        one(KEYS),
        one(SIGNS),
        one(VALUES),
        one(AFTERS),
    )
        .prop_map(|(before, key, sign, value, after)| {
            filled(&[before, key, sign, value, after].concat())
        })
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_byte_order_mark_hides_nothing(lines in prop::collection::vec(assignment(), 1..4)) {
        static ENGINE: LazyLock<Engine> =
            LazyLock::new(|| Engine::new(Arc::new(DetectorSet::builtin())));
        let text = lines.concat();
        let told = |text: &[u8], before: usize| -> Vec<_> {
            let found = scan(&ENGINE, text, &mut Scratch::default());
            let place = |m: &Match| (m.span.start - before, m.detector, m.confidence);
            found.iter().map(|m| (place(m), m.secret.clone())).collect()
        };
        let mark = "\u{feff}";
        let marked = format!("{mark}{text}");
        prop_assert!(told(marked.as_bytes(), mark.len()) == told(text.as_bytes(), 0), "{text}");
    }

    #[test]
    fn what_was_judged_before_is_judged_the_same(
        texts in prop::collection::vec(prop::collection::vec(assignment(), 1..6), 2..12),
    ) {
        static ENGINE: LazyLock<Engine> =
            LazyLock::new(|| Engine::new(Arc::new(DetectorSet::builtin())));
        let mut used = Scratch::default();
        for text in texts.iter().map(|lines| lines.concat()) {
            let told = |scratch: &mut Scratch| -> Vec<_> {
                let found = scan(&ENGINE, text.as_bytes(), scratch);
                found.iter().map(|m| (key(m), m.confidence)).collect()
            };
            prop_assert!(told(&mut used) == told(&mut Scratch::default()), "{text}");
        }
    }
}

proptest! {
    // The oracle compiles every pattern anew for each text.
    #![proptest_config(cases(16))]

    #[test]
    fn equals_the_oracle_with_all_detectors(pieces in prop::collection::vec(piece(), 8..32)) {
        compare(&Arc::new(DetectorSet::builtin()), &text_of(&pieces))?;
    }
}

/// All literals of a line are in one place of what is remembered, but for where they stand and
/// how they are written.
#[test]
fn a_literal_is_not_taken_for_another_of_its_line() {
    let engine = Engine::new(Arc::new(DetectorSet::builtin()));
    for line in [
        "password = 'changeme', db_password = '{B}'\n",
        "db_password = '{B}', password = 'changeme'\n",
    ] {
        let line = filled(line);
        let found = scan(&engine, line.as_bytes(), &mut Scratch::default());
        let found: Vec<_> = found.iter().map(|m| m.secret.expose()).collect();
        assert_eq!(found, [filled("{B}").as_bytes()], "{line}");
    }
}

#[test]
fn equals_the_oracle_on_the_examples_of_every_file() {
    for (file, own) in detectors::files() {
        let mut text = String::new();
        for template in file.detectors.iter().flat_map(|spec| &spec.examples) {
            let example = template::expand(template, 1).expect("a checked template");
            text.push_str(&example.text);
            text.push('\n');
        }
        let detectors = Arc::new(DetectorSet::new(own));
        let compared = compare(&detectors, text.as_bytes());
        assert!(compared.is_ok(), "{}: {compared:?}", file.provider.id);
    }
}

/// The line behind it opens as it would without.
#[test]
fn a_byte_order_mark_opens_no_line() {
    let engine = Engine::new(Arc::new(DetectorSet::builtin()));
    let text = filled("<b>password([\"dbpasswd\", \"{A}\"]\napi_token = \"{A}\" + \"Yt6\"\n");
    let lens = |text: &str| -> Vec<usize> {
        let found = scan(&engine, text.as_bytes(), &mut Scratch::default());
        found.iter().map(|found| found.span.len()).collect()
    };
    let plain = lens(&text);
    assert_eq!(lens(&format!("\u{feff}{text}")), plain);
    assert!(!plain.is_empty());
}
