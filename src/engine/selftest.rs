//! Runs the examples and counterexamples of a detector file.

use std::fmt;

use crate::detector::template::{self, Example};
use crate::detector::{DetectorFile, DetectorSpec};
use crate::model::{Blob, LineIndex, Match};

use super::{Engine, Neighbour, PartMemory, Scratch, judge};

/// How often each template is drawn.
const DRAWS: u64 = 20;

/// An example that did not do what its file says. Never holds the drawn text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The detector.
    pub detector: String,
    /// The template as written.
    pub template: String,
    /// What happened instead.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: `{}`", self.detector, self.what, self.template)
    }
}

/// Draws every example and counterexample of `file` and scans it with `engine`, which holds the
/// file's detectors (and any others that might claim the same text). One failure a template.
pub fn run(engine: &Engine, file: &DetectorFile) -> Vec<Failure> {
    let mut failures = Vec::new();
    for spec in &file.detectors {
        for text in &spec.examples {
            failures.extend(first_failure(spec, text, |example| {
                matches(engine, spec, example)
            }));
        }
        for part in &spec.parts {
            for text in &part.examples {
                failures.extend(first_failure(spec, text, |example| {
                    part_is_found(engine, spec, &part.name, example)
                }));
            }
        }
        for counter in &spec.counterexamples {
            let holds = |example: &Example| silent(engine, spec, example);
            failures.extend(first_failure(spec, &counter.text, holds));
        }
    }
    failures
}

fn first_failure(
    spec: &DetectorSpec,
    text: &str,
    holds: impl Fn(&Example) -> Result<(), String>,
) -> Option<Failure> {
    let failure = |what| Failure {
        detector: spec.id.clone(),
        template: text.to_owned(),
        what,
    };
    for seed in 0..DRAWS {
        let example = match template::expand(text, seed) {
            Ok(example) => example,
            Err(error) => return Some(failure(error.to_string())),
        };
        if let Err(what) = holds(&example) {
            return Some(failure(what));
        }
    }
    None
}

/// The detector finds exactly the marked secret, and nothing else claims it.
fn matches(engine: &Engine, spec: &DetectorSpec, example: &Example) -> Result<(), String> {
    let lower = example.text.to_ascii_lowercase();
    let has_keyword = spec.keywords.iter().any(|word| match spec.ignore_case {
        true => lower.contains(&word.to_ascii_lowercase()),
        false => example.text.contains(word.as_str()),
    });
    if !has_keyword && !example.text.is_ascii() {
        return Err("the example holds no keyword".into());
    }
    let found = scan(engine, &example.bytes());
    let id = |m: &Match| engine.detectors().get(m.detector).id.to_string();
    let own: Vec<_> = found.iter().filter(|m| id(m) == spec.id).collect();
    if own.is_empty() {
        let others: Vec<_> = found.iter().map(id).collect();
        return Err(match others.is_empty() {
            true => "the example does not match".into(),
            false => format!("the example is claimed by {} instead", others.join(", ")),
        });
    }
    match own
        .iter()
        .any(|m| m.secret.expose() == example.secret_bytes())
    {
        true => Ok(()),
        false => {
            let lengths: Vec<_> = own.iter().map(|m| m.secret.len().to_string()).collect();
            Err(format!(
                "the secret found has {} bytes, the marked one {}",
                lengths.join(" and "),
                example.secret.len()
            ))
        }
    }
}

/// The detector finds a secret whose first part of that name is the marked one.
fn part_is_found(
    engine: &Engine,
    spec: &DetectorSpec,
    name: &str,
    example: &Example,
) -> Result<(), String> {
    let found = scan(engine, &example.bytes());
    let neighbour = |m: &Match| Neighbour {
        detector: m.detector,
        span: m.span,
        secret: m.secret.clone(),
    };
    let all: Vec<_> = found.iter().map(neighbour).collect();
    let bytes = example.bytes();
    let lines = LineIndex::new(&bytes);
    let is_own = |m: &&Match| engine.detectors().get(m.detector).id == spec.id;
    let mut own = found.iter().filter(is_own).peekable();
    if own.peek().is_none() {
        return Err(format!("no secret beside the part `{name}`"));
    }
    let holds = own.any(|m| {
        let parts = engine.parts(&lines, m, m.span, &all, &mut PartMemory::default());
        let first = parts.iter().find(|part| part.name == name);
        first.is_some_and(|part| part.value.expose() == example.secret_bytes())
    });
    match holds {
        true => Ok(()),
        false => Err(format!("the part `{name}` is not the marked text")),
    }
}

/// The detector finds nothing.
fn silent(engine: &Engine, spec: &DetectorSpec, example: &Example) -> Result<(), String> {
    let found = scan(engine, &example.bytes());
    let is_own = |m: &Match| engine.detectors().get(m.detector).id == spec.id;
    match found.iter().any(is_own) {
        true => Err("the counterexample matches".into()),
        false => Ok(()),
    }
}

fn scan(engine: &Engine, text: &[u8]) -> Vec<Match> {
    let mut found = Vec::new();
    let mut scratch = Scratch::default();
    engine.scan(&Blob::new(text), &mut scratch, &mut |m| found.push(m));
    found.retain_mut(|m| {
        let detector = engine.detectors().get(m.detector);
        judge::path::judge(detector, None, m.confidence, m.assigned.as_mut()).is_some()
    });
    found
}
