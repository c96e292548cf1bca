//! `straykey verify`

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser as _;
use serde_json::Value;
use straykey::detector::{self, DetectorSet};
use straykey::finding;
use straykey::model::{Outcome, Part, Secret, Stats};
use straykey::report::Report;

use super::{asking, output, request, scan};
use crate::args::{Args, Command, Given, Scan, VerifyCommand};
use crate::exit::Exit;

/// Longest secret on standard input, in bytes.
const LONGEST: u64 = 1 << 20;

pub(crate) fn run(args: &VerifyCommand) -> Result<Exit> {
    let scan_args = scan_args(&args.what, &args.format)?;
    let outputs = output::outputs(&scan_args)?;
    let Taken {
        mut report,
        missing,
    } = taken(&args.what)?;
    let now = request::now();
    if args.asking.verify_plan {
        let json = outputs.iter().any(|output| output.format.name() == "json");
        asking::plan(&report, &args.asking, now, json)?;
        return Ok(Exit::Clean);
    }
    let watched = asking::watched(false);
    asking::ask(&mut report, &args.asking, args.offline, now, watched)?;
    output::write(&outputs, &report, &scan_args)?;
    let outcomes = report.findings.iter().filter_map(|it| it.liveness.as_ref());
    let outcomes: Vec<_> = outcomes.map(|liveness| liveness.outcome).collect();
    let open = |outcome: &Outcome| outcome.reason().is_some();
    Ok(if outcomes.iter().any(|outcome| outcome.is_live()) {
        Exit::Findings
    } else if missing > 0 || outcomes.iter().any(open) {
        Exit::Incomplete
    } else {
        Exit::Clean
    })
}

/// Findings that were known already.
pub(crate) struct Taken {
    pub(crate) report: Report,
    /// How many of them are not found any more.
    pub(crate) missing: usize,
}

/// The secret on standard input, or the findings that a report names.
pub(crate) fn taken(args: &Given) -> Result<Taken> {
    let (report, missing) = match args.report.as_os_str() == "-" {
        true => (given(args)?, 0),
        false => again(args)?,
    };
    if missing > 0 {
        anstream::eprintln!(
            "straykey: {missing} findings of the report are not found any more; name what it is of"
        );
    }
    Ok(Taken { report, missing })
}

/// The scan that finds again what a report names.
fn scan_args(args: &Given, formats: &[String]) -> Result<Scan> {
    let mut words = vec!["straykey".into(), "scan".into(), "--quiet".into()];
    for path in &args.detectors {
        words.extend(["--detectors".into(), path.clone().into_os_string()]);
    }
    for format in formats {
        words.extend(["--format".into(), format.into()]);
    }
    words.push("--".into());
    words.extend(
        args.targets
            .iter()
            .map(|path| path.clone().into_os_string()),
    );
    match Args::try_parse_from(words)?.command {
        Command::Scan(args) => Ok(*args),
        _ => bail!("not a scan"),
    }
}

/// Scans again what the report is of, and keeps the findings that it names. Says how many of them
/// are gone.
fn again(args: &Given) -> Result<(Report, usize)> {
    let scan_args = scan_args(args, &[])?;
    if args.detector.is_some() || !args.part.is_empty() {
        bail!(
            "--detector and --part are for a secret on standard input: straykey verify --detector ID -"
        );
    }
    let mut ids = ids(&args.report)?;
    if !args.id.is_empty() {
        ids.retain(|id| args.id.contains(id));
        if ids.is_empty() {
            bail!("--id: none of these is in {}", args.report.display());
        }
    }
    let prepared = request::prepare(&scan_args.what, &scan_args.how)?;
    let mut report = scan::report(&prepared, true)?;
    report
        .findings
        .retain(|finding| ids.contains(finding.id.as_str()));
    report.suppressed.clear();
    let found: BTreeSet<_> = report.findings.iter().map(|it| it.id.as_str()).collect();
    let missing = ids.iter().filter(|id| !found.contains(id.as_str())).count();
    Ok((report, missing))
}

/// The ids of the findings of a report in JSON or JSON Lines.
fn ids(path: &Path) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let id = |value: &Value| value.get("id").and_then(Value::as_str).map(str::to_owned);
    if let Ok(report) = serde_json::from_str::<Value>(&text)
        && let Some(findings) = report.get("findings").and_then(Value::as_array)
    {
        return Ok(findings.iter().filter_map(id).collect());
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let lines: Result<Vec<Value>, _> = lines.map(serde_json::from_str).collect();
    let lines = lines.ok().filter(|lines| !lines.is_empty());
    let lines = lines.ok_or_else(|| {
        anyhow!(
            "{}: not a report of `straykey scan --format json` or jsonl",
            path.display()
        )
    })?;
    Ok(lines.iter().filter_map(id).collect())
}

/// The secret on standard input.
fn given(args: &Given) -> Result<Report> {
    let id = args.detector.as_deref().ok_or_else(|| {
        anyhow!("`-` reads one secret; say its kind with --detector ID (`straykey detectors list`)")
    })?;
    let mut set = DetectorSet::builtin();
    for path in &args.detectors {
        let files = detector::load(path)?;
        set = set.with(files.into_iter().flat_map(|(_, detectors)| detectors));
    }
    let (index, _) = set
        .find(id)
        .ok_or_else(|| anyhow!("no detector `{id}`; `straykey detectors list` shows all"))?;
    let mut bytes = Vec::new();
    io::stdin().take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        bail!("standard input: longer than a secret of 1 MiB");
    }
    let secret = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
    if secret.is_empty() {
        bail!("standard input: no secret");
    }
    let parts = args.part.iter().map(|part| {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| anyhow!("--part: write NAME=VALUE"))?;
        // Other processes see a command line.
        let value = match value.strip_prefix('@') {
            Some(path) => {
                let bytes = fs::read(path).with_context(|| format!("--part {name}: {path}"))?;
                Secret::new(bytes.strip_suffix(b"\n").unwrap_or(&bytes))
            }
            None => Secret::new(value.as_bytes()),
        };
        Ok(Part {
            name: name.to_owned().into(),
            value,
            shown: false,
            line: 1,
            distance: 0,
        })
    });
    let parts = parts.collect::<Result<_>>()?;
    let finding = finding::single(&set, index, Secret::new(secret), parts);
    Ok(Report {
        detectors: set.into(),
        findings: vec![finding],
        suppressed: Vec::new(),
        diagnostics: Vec::new(),
        stats: Stats::default(),
        repository: None,
        repositories: Vec::new(),
        gone_paths: BTreeSet::new(),
    })
}
