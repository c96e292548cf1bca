//! The engine over generated text with few and with many secrets. Every run's result is counted,
//! so an engine that finds less is not faster but wrong.

use std::cell::RefCell;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use data_encoding::BASE64;
use straykey::detector::{DetectorSet, template};
use straykey::engine::prefilter::{Anchor, Hit, Prefilter, Simd, Strip};
use straykey::engine::{Engine, Scratch};
use straykey::model::{Blob, Copied, Kinship, Trace};

/// Bytes of each text.
const SIZE: usize = 4 << 20;

/// Words of ordinary code, and how they are put together: enough to look like it to a filter.
const WORDS: &[&str] = &[
    "if", "return", "static", "struct", "int", "char", "const", "void", "size_t", "for", "while",
    "buffer", "length", "index", "object", "commit", "tree", "parse", "option", "config", "error",
    "string", "list", "node", "next", "path", "file", "name", "value", "token", "state", "flags",
    "result", "self", "def", "import", "class", "None", "True", "function", "var", "let", "this",
    "->", "==", "!=", "&&", "(", ")", "{", "}", ";", ",", "=", "+", "0", "1", "NULL", "\"%s\"",
    "/*", "*/", "password", "user", "secret", "client", "server", "access", "the", "of", "and",
];

/// A linear congruential generator (the constants of Knuth's MMIX): the same text on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        const FACTOR: u64 = 6_364_136_223_846_793_005;
        const STEP: u64 = 1_442_695_040_888_963_407;
        self.0 = self.0.wrapping_mul(FACTOR).wrapping_add(STEP);
        (self.0 >> 33) as usize % limit
    }
}

/// About `size` bytes of lines of words, one line in `every` being a secret; and their number.
fn text(size: usize, every: Option<usize>) -> (Vec<u8>, usize) {
    let mut random = Random(1);
    let mut text = String::with_capacity(size + 100);
    let mut secrets = 0;
    let mut line = 0;
    while text.len() < size {
        line += 1;
        if every.is_some_and(|every| line % every == 0) {
            let template = "deploy {{crc-base62:ghp_:30}}";
            let example = template::expand(template, line as u64).expect("a template");
            text.push_str(&example.text);
            secrets += 1;
        } else {
            text.push_str(&" ".repeat(4 * random.below(4)));
            for _ in 0..2 + random.below(9) {
                text.push_str(WORDS[random.below(WORDS.len())]);
                text.push(' ');
            }
        }
        text.push('\n');
    }
    (text.into_bytes(), secrets)
}

/// Ordinary code below a folder of this repository, again and again; nothing when it is not there.
fn code(folder: &str) -> Option<Vec<u8>> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    if !folders[0].exists() {
        return None;
    }
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    let read = |path: &PathBuf| std::fs::read(path).expect("a readable file");
    // Every so many files, so that all kinds of them are there.
    let step = files.len().div_ceil(1000);
    let once: Vec<u8> = files.iter().step_by(step).flat_map(read).collect();
    Some(once.repeat(SIZE.div_ceil(once.len())))
}

fn builtin() -> Engine {
    Engine::new(Arc::new(DetectorSet::builtin()))
}

fn count(engine: &Engine, text: &[u8], scratch: &mut Scratch) -> usize {
    let mut found = 0;
    engine.scan(&Blob::new(text), scratch, &mut |_| found += 1);
    found
}

/// All keywords of the built-in detectors.
fn prefilter(c: &mut Criterion) {
    let detectors = DetectorSet::builtin();
    let words = |(_, detector): (_, &straykey::detector::Detector)| {
        let ignore_case = detector.ignore_case;
        let words = detector
            .keywords
            .iter()
            .map(|word| word.as_bytes()[..word.len().min(Anchor::LONGEST)].to_vec());
        words
            .map(move |word| (word, ignore_case))
            .collect::<Vec<_>>()
    };
    let mut words: Vec<_> = detectors.iter().flat_map(words).collect();
    words.sort();
    words.dedup();
    let anchors = words.iter().map(|(word, case)| Anchor::new(word, *case));
    let anchors: Vec<_> = anchors.collect();
    let mut hits: Vec<Hit> = Vec::new();
    let mut strip = Strip::default();
    let mut group = c.benchmark_group("prefilter");
    let texts = [
        ("sources", code("src")),
        // What `benches/reference.py` fetches.
        ("reference", code("target/reference/text")),
        ("words", Some(text(SIZE, None).0)),
    ];
    for (name, text) in texts {
        let Some(text) = text else {
            eprintln!("{name}: no such text here");
            continue;
        };
        let expected = reference(&words, &text);
        group.throughput(Throughput::Bytes(text.len() as u64));
        for simd in Simd::supported() {
            let prefilter = Prefilter::new(anchors.clone(), simd);
            group.bench_function(format!("{name}/{simd}"), |b| {
                b.iter(|| {
                    hits.clear();
                    prefilter.find(black_box(&text), &mut strip, &mut hits);
                    assert_eq!(hits.len(), expected);
                });
            });
        }
    }
    group.finish();
}

/// Hits of `aho-corasick`.
fn reference(words: &[(Vec<u8>, bool)], text: &[u8]) -> usize {
    let of = |case: bool| {
        words
            .iter()
            .filter(move |word| word.1 == case)
            .map(|word| &word.0)
    };
    let hits = |case: bool| {
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(case)
            .build(of(case));
        automaton
            .expect("it fits")
            .find_overlapping_iter(text)
            .count()
    };
    hits(true) + hits(false)
}

fn scan(c: &mut Criterion) {
    let engine = builtin();
    let mut scratch = Scratch::default();
    let mut group = c.benchmark_group("scan");
    for (name, every) in [("clean", None), ("few", Some(5000)), ("many", Some(20))] {
        let (text, expected) = text(SIZE, every);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| assert_eq!(count(&engine, black_box(&text), &mut scratch), expected));
        });
    }
    let (inner, expected) = text(SIZE / 4 * 3, Some(5000));
    let lines = inner
        .chunks(57 * 800)
        .map(|chunk| BASE64.encode(chunk) + "\n");
    let encoded: String = lines.collect();
    group.throughput(Throughput::Bytes(encoded.len() as u64));
    group.bench_function("base64", |b| {
        b.iter(|| {
            let found = count(&engine, black_box(encoded.as_bytes()), &mut scratch);
            // A secret that the cut between two chunks divides is in neither.
            assert!(
                found + 3 >= expected && found <= expected,
                "{found} of {expected}"
            );
        });
    });
    group.finish();
}

/// A version of a file that differs from the last one in a single line.
fn delta(c: &mut Criterion) {
    let engine = builtin();
    let mut scratch = Scratch::default();
    let (old, expected) = text(SIZE / 16, Some(500));
    let old_trace = RefCell::new(Trace::default());
    let whole = Kinship {
        base: None,
        trace: &old_trace,
    };
    engine.scan_kin(&Blob::new(&old), Some(&whole), &mut scratch, &mut |_| {});
    let old_trace = old_trace.into_inner();
    let middle = old.len() / 2;
    let line = b"\nanother line of text\n";
    let new = [&old[..middle], line, &old[middle..]].concat();
    let copies = [
        Copied {
            from: 0,
            to: 0,
            len: middle,
        },
        Copied {
            from: middle,
            to: middle + line.len(),
            len: old.len() - middle,
        },
    ];
    let trace = RefCell::new(Trace::default());
    let kinship = Kinship {
        base: Some((&old_trace, &copies)),
        trace: &trace,
    };
    let mut group = c.benchmark_group("delta");
    group.throughput(Throughput::Bytes(new.len() as u64));
    group.bench_function("one line", |b| {
        b.iter(|| {
            let mut found = 0;
            let blob = Blob::new(black_box(&new));
            engine.scan_kin(&blob, Some(&kinship), &mut scratch, &mut |_| found += 1);
            assert_eq!(found, expected);
        });
    });
    group.finish();
}

fn startup(c: &mut Criterion) {
    c.bench_function("startup", |b| {
        b.iter(|| {
            let mut scratch = Scratch::default();
            assert_eq!(count(&builtin(), b"nothing to see", &mut scratch), 0);
        });
    });
}

criterion_group!(benches, prefilter, scan, delta, startup);
criterion_main!(benches);
