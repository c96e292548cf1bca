//! Prints the assignments of files with what the model sees of them, one JSON object a line: what
//! `corpus/train/train.py` reads.
//!
//! ```sh
//! cargo run --release --example assignments -- FOLDER…
//! ```
//!
//! `--corpus` in place of a folder stands for the labelled cases of `corpus/` and the examples of the
//! detectors, each drawn a few times; these have a `label`. Without arguments every line of standard
//! input is a file as JSON: `{"path": "…", "text": "…"}`.

use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

use serde_json::{Value, json};
use straykey::detector::{self, DetectorSet, template};
use straykey::engine::judge::path;
use straykey::engine::{Engine, Scratch};
use straykey::model::{Assigned, Span};

#[path = "../tests/it/bodies/cases.rs"]
mod cases;

/// How often a case is drawn.
const DRAWS: u64 = 12;

fn main() -> io::Result<()> {
    let engine = Engine::new(Arc::new(DetectorSet::builtin()));
    let mut out = io::BufWriter::new(io::stdout().lock());
    let folders: Vec<String> = env::args().skip(1).collect();
    if folders.is_empty() {
        for line in io::stdin().lock().lines() {
            let file: Value = serde_json::from_str(&line?)?;
            let field = |name: &str| file[name].as_str().unwrap_or_default().to_owned();
            let text = field("text");
            print(&engine, &field("path"), text.as_bytes(), None, &mut out)?;
        }
    }
    for folder in folders {
        if folder == "--corpus" {
            corpus(&engine, &mut out)?;
            continue;
        }
        for file in files(Path::new(&folder))? {
            let bytes = fs::read(&file)?;
            print(&engine, &file.to_string_lossy(), &bytes, None, &mut out)?;
        }
    }
    out.flush()
}

fn files(folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => folders.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The cases of the corpus and the examples of the detectors.
fn corpus(engine: &Engine, out: &mut impl io::Write) -> io::Result<()> {
    for again in 0..DRAWS {
        for (category, case) in cases::cases() {
            let drawn = cases::draw(&case, again);
            let path = format!("{category}/{}/{}", case.name, case.path);
            print(engine, &path, &drawn.bytes, Some(&drawn.secrets), out)?;
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("detectors");
    let files = detector::load(&folder).map_err(io::Error::other)?;
    let specs = files.iter().flat_map(|(file, _)| &file.detectors);
    for spec in specs.filter(|spec| spec.pass.as_deref() == Some("assignment")) {
        for seed in 0..DRAWS {
            for text in &spec.examples {
                let drawn = template::expand(text, seed).map_err(io::Error::other)?;
                let start = drawn.text.find(&drawn.secret).unwrap_or(0);
                let secrets = [Span::new(start, start + drawn.secret.len())];
                print(engine, &spec.id, drawn.text.as_bytes(), Some(&secrets), out)?;
            }
            for counter in &spec.counterexamples {
                let drawn = template::expand(&counter.text, seed).map_err(io::Error::other)?;
                print(engine, &spec.id, drawn.text.as_bytes(), Some(&[]), out)?;
            }
        }
    }
    Ok(())
}

/// Prints the assignments of `text`, labelled when it is known where the secrets are.
fn print(
    engine: &Engine,
    file: &str,
    text: &[u8],
    secrets: Option<&[Span]>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let mut scratch = Scratch::default();
    let mut found = Vec::new();
    engine.survey(text, &mut scratch, &mut |assignment| found.push(assignment));
    for assignment in found {
        let mut features: Vec<String> = assignment
            .features
            .iter()
            .map(|(group, value)| format!("{group}\t{value}"))
            .collect();
        let assigned = Assigned {
            class: assignment.class,
            quoted: assignment.quoted,
            ..Assigned::default()
        };
        path::features(file.as_bytes(), assigned, &mut |group, value| {
            features.push(format!("{group}\t{}", String::from_utf8_lossy(value)));
        });
        let span = assignment.secret;
        let line = 1 + text[..span.start]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
        let start = text[..span.start].iter().rposition(|&byte| byte == b'\n');
        let object = json!({
            "path": file,
            "line": line,
            "column": span.start - start.map_or(0, |at| at + 1),
            "start": span.start,
            "end": span.end,
            "class": assignment.class,
            "key": String::from_utf8_lossy(&text[assignment.key.range()]),
            "secret": String::from_utf8_lossy(&text[span.range()]),
            "label": secrets.map(|secrets| secrets.iter().any(|secret| secret.overlaps(span))),
            "features": features,
        });
        writeln!(out, "{object}")?;
    }
    Ok(())
}
