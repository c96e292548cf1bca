//! `straykey baseline create|update`

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use straykey::finding::{Allowances, Baseline as Accepted};

use super::request::{self, Prepared};
use super::scan;
use crate::args::{Baseline, How, What};
use crate::exit::Exit;

pub(crate) fn run(command: Baseline) -> Result<Exit> {
    match command {
        Baseline::Create { what, how, force } => create(&what, how, force),
        Baseline::Update { what, how, keep } => update(&what, &how, keep),
    }
}

fn create(what: &What, how: How, force: bool) -> Result<Exit> {
    // The file that is about to be made need not exist.
    let path = how.baseline.clone();
    let mut prepared = request::prepare(
        what,
        &How {
            baseline: None,
            ..how
        },
    )?;
    prepared.baseline = path.unwrap_or(prepared.baseline);
    if prepared.baseline.exists() && !force {
        bail!(
            "{}: exists; `straykey baseline update` adds to it, --force replaces it",
            prepared.baseline.display()
        );
    }
    write(prepared, Accepted::default(), false)
}

fn update(what: &What, how: &How, keep: bool) -> Result<Exit> {
    let mut prepared = request::prepare(what, how)?;
    let known = std::mem::take(&mut prepared.request.allowances.baseline);
    write(prepared, known, !keep)
}

/// Scans without a baseline and writes what is found into `accepted`.
fn write(mut prepared: Prepared, mut accepted: Accepted, drop_gone: bool) -> Result<Exit> {
    prepared.request.allowances = Allowances {
        baseline: Accepted::default(),
        ..prepared.request.allowances
    };
    let report = scan::report(&prepared, false)?;
    for diagnostic in &report.diagnostics {
        anstream::eprintln!("straykey: {diagnostic}");
    }
    let before = accepted.len();
    accepted.accept(&report.findings, &report.detectors);
    let added = accepted.len() - before;
    let dropped = match drop_gone && report.is_complete() {
        true => accepted.retain_only(&report.findings),
        false => 0,
    };
    save(&prepared.baseline, &accepted)?;
    anstream::eprintln!(
        "{}: {} findings accepted, {added} new, {dropped} gone",
        prepared.baseline.display(),
        accepted.len()
    );
    Ok(match report.is_complete() {
        true => Exit::Clean,
        false => Exit::Incomplete,
    })
}

/// Writes beside the file and renames, so that a crash leaves the old one.
fn save(path: &Path, accepted: &Accepted) -> Result<()> {
    let beside = path.with_extension("baseline.tmp");
    fs::write(&beside, accepted.render()).with_context(|| beside.display().to_string())?;
    fs::rename(&beside, path).with_context(|| path.display().to_string())
}
