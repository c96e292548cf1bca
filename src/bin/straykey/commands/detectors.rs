//! `straykey detectors list|show|test`; `lint` and `coverage` have files of their own.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use straykey::detector::{self, Detector, DetectorSet, FindPart, Pass, Shape};
use straykey::engine::selftest;

use super::{coverage, lint, request};
use crate::args::Detectors;
use crate::exit::Exit;

pub(crate) fn run(command: Detectors) -> Result<Exit> {
    match command {
        Detectors::List => list(),
        Detectors::Show { id } => show(&id),
        #[cfg(feature = "verify")]
        Detectors::Verifiers => verifiers(),
        Detectors::Test { files } => test(&files),
        Detectors::Lint(args) => lint::run(&args),
        Detectors::Coverage(args) => coverage::run(&args),
    }
}

fn list() -> Result<Exit> {
    let set = DetectorSet::builtin();
    let mut out = io::stdout().lock();
    let width = set
        .iter()
        .map(|(_, detector)| detector.id.len())
        .max()
        .unwrap_or(0);
    for (_, detector) in set.iter() {
        let Detector {
            id,
            severity,
            lifetime,
            name,
            ..
        } = detector;
        writeln!(out, "{id:width$}  {severity:8}  {lifetime:12}  {name}")?;
    }
    let providers: BTreeSet<_> = set.iter().map(|(_, detector)| &detector.provider).collect();
    eprintln!("{} detectors of {} providers", set.len(), providers.len());
    Ok(Exit::Clean)
}

#[cfg(feature = "verify")]
fn verifiers() -> Result<Exit> {
    let set = DetectorSet::builtin();
    let known = straykey::verify::catalogue(&set);
    let mut out = io::stdout().lock();
    for it in &known {
        let endpoint = it.endpoint.as_deref().unwrap_or("-");
        let hosts = match it.hosts.is_empty() {
            true => "hosts that you name".to_owned(),
            false => it.hosts.join(" "),
        };
        let class = match it.revokes {
            true => "revokes",
            false => it.class.as_str(),
        };
        let (name, serves) = (&it.verifier, it.serves.join(" "));
        writeln!(
            out,
            "{name:32}  {class:11}  {endpoint:20}  {hosts}  <- {serves}"
        )?;
    }
    let verifiers: Vec<_> = known.iter().filter(|it| !it.revokes).collect();
    let serves = |id: &str| {
        let mut all = verifiers.iter().flat_map(|it| &it.serves);
        all.any(|known| known == id)
    };
    let detectors: Vec<_> = set.iter().filter(|(_, it)| serves(&it.id)).collect();
    let providers: BTreeSet<_> = detectors.iter().map(|(_, it)| &it.provider).collect();
    eprintln!(
        "{} verifiers for {} detectors of {} providers, {} revocations",
        verifiers.len(),
        detectors.len(),
        providers.len(),
        known.len() - verifiers.len()
    );
    Ok(Exit::Clean)
}

fn show(id: &str) -> Result<Exit> {
    let set = DetectorSet::builtin();
    let alias = |detector: &Detector| detector.aliases.iter().any(|(_, known)| known == id);
    let found = set
        .find(id)
        .or_else(|| set.iter().find(|(_, detector)| alias(detector)));
    let Some((_, d)) = found else {
        return Err(anyhow!(
            "no detector `{id}`; `straykey detectors list` shows all"
        ));
    };
    let mut out = io::stdout().lock();
    writeln!(out, "{}\n  {}\n", d.id, d.name)?;
    writeln!(out, "  {}\n", d.description)?;
    let mut row = |name: &str, value: &str| writeln!(out, "  {name:12} {value}");
    row("provider", &d.provider_name)?;
    row("severity", d.severity.as_str())?;
    row("lifetime", d.lifetime.as_str())?;
    row("mints trust", d.mints_trust.as_str())?;
    match (d.pass, &d.context) {
        (Pass::Context, Some(context)) => {
            row("words", &context.words.join("  "))?;
            row("names", &context.names.join("  "))?;
            let shapes: Vec<_> = context.shapes.iter().map(Shape::to_string).collect();
            row("shapes", &shapes.join("  "))?;
        }
        (pass, _) => {
            row("keywords", &d.keywords.join("  "))?;
            let structural = "structural pass over assignments";
            let pattern = if pass == Pass::Pattern {
                &d.pattern
            } else {
                structural
            };
            row("pattern", pattern)?;
        }
    }
    for part in d.parts.iter() {
        row("part", &format!("{} {}", part.name, how(&part.find)))?;
    }
    row("confidence", d.confidence.as_str())?;
    row("proof", d.proof.as_deref().unwrap_or("none"))?;
    let nhi: Vec<_> = d.owasp_nhi.iter().map(|n| format!("NHI{n}:2025")).collect();
    row("OWASP NHI", &nhi.join("  "))?;
    let cwe: Vec<_> = d.cwe.iter().map(|n| format!("CWE-{n}")).collect();
    row("CWE", &cwe.join("  "))?;
    let aliases: Vec<_> = d
        .aliases
        .iter()
        .map(|(tool, id)| format!("{tool}:{id}"))
        .collect();
    row("aliases", &aliases.join("  "))?;
    row("sources", &d.sources.join("\n               "))?;
    row("what to do", &d.remediation)?;
    row("rotate", d.rotate.as_deref().unwrap_or("-"))?;
    Ok(Exit::Clean)
}

/// How a part of a credential is found.
fn how(find: &FindPart) -> String {
    match find {
        FindPart::Pattern(pattern) => format!("by pattern {pattern}"),
        FindPart::Inside(pattern) => format!("around the secret by {pattern}"),
        FindPart::Detector(id) => format!("by detector {id}"),
        FindPart::Names { names, shapes } => {
            let shapes: Vec<_> = shapes.iter().map(Shape::to_string).collect();
            let shaped = if shapes.is_empty() { "" } else { ", of shape " };
            format!("by name {}{shaped}{}", names.join(" "), shapes.join(" "))
        }
    }
}

fn test(paths: &[PathBuf]) -> Result<Exit> {
    let mut files = Vec::new();
    let mut broken = 0;
    for path in paths {
        for file in detector::files(path)? {
            match detector::load(&file) {
                Ok(loaded) => files.extend(loaded),
                Err(error) => {
                    broken += 1;
                    anstream::eprintln!("straykey: error: {:#}", anyhow!(error));
                }
            }
        }
    }
    let own = files
        .iter()
        .flat_map(|(_, detectors)| detectors.iter().cloned());
    let engine = request::engine(Arc::new(DetectorSet::builtin().with(own)))?;
    let mut out = io::stdout().lock();
    let (mut tested, mut failed) = (0, 0);
    for (file, detectors) in &files {
        tested += detectors.len();
        for failure in selftest::run(&engine, file) {
            failed += 1;
            writeln!(out, "{}/{failure}", file.provider.id)?;
        }
    }
    let unread = match broken {
        0 => String::new(),
        broken => format!(", {broken} files cannot be used"),
    };
    writeln!(
        out,
        "{tested} detectors tested, {failed} examples failed{unread}"
    )?;
    Ok(match (broken, failed) {
        (0, 0) => Exit::Clean,
        (0, _) => Exit::Findings,
        _ => Exit::Usage,
    })
}
