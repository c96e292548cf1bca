//! The labelled cases of `corpus/`: what `tests/it/corpus.rs` measures on and what
//! `examples/assignments.rs` trains on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use serde::Deserialize;
use straykey::detector::template;
use straykey::model::Span;

/// A file of the corpus; its stem is the category of its cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Theme {
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Unique in the corpus.
    pub(crate) name: String,
    /// Where the file lies.
    pub(crate) path: String,
    /// The template.
    pub(crate) text: String,
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
pub(crate) struct Drawn {
    pub(crate) bytes: Vec<u8>,
    pub(crate) secrets: Vec<Span>,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The cases with their category, in the order of the files' names.
pub(crate) fn cases() -> Vec<(String, Case)> {
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

/// In place of `«` and `»`, of which an expanded template keeps only the first pair.
const MARKS: (char, char) = ('\u{1}', '\u{2}');

/// Draws a case; `again` of 0 is the drawing that is measured.
pub(crate) fn draw(case: &Case, again: u64) -> Drawn {
    let template = case
        .text
        .replace('«', &MARKS.0.to_string())
        .replace('»', &MARKS.1.to_string());
    let drawn = template::expand(&template, seed(&case.name).wrapping_add(again));
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
