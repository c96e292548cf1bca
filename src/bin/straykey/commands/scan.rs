//! `straykey scan`

use std::io;
use std::time::Instant;

use anyhow::Result;
use straykey::model::Severity;
use straykey::report::Report;
use straykey::scan::{self, Progress, Quiet};
use straykey::state::State;

use super::output;
use super::progress::Bar;
use super::request::{self, Prepared};
use crate::args::{self, Scan};
use crate::exit::Exit;

pub(crate) fn run(args: &Scan) -> Result<Exit> {
    let outputs = output::outputs(args)?;
    let mut prepared = request::prepare(&args.what, &args.how)?;
    prepared.request.explain = args.explain;
    prepared.request.line_hashes = outputs.iter().any(|output| output.format.name() == "sarif");
    let report = report(&prepared, args.quiet)?;
    output::write(&outputs, &report, args)?;
    let fail_on = args
        .fail_on
        .as_deref()
        .map(args::severity)
        .or(prepared.config.fail_on);
    Ok(exit(
        &report,
        fail_on.unwrap_or(Severity::Note),
        args.exit_zero,
    ))
}

/// Runs the scan, with progress where somebody watches.
pub(crate) fn report(prepared: &Prepared, quiet: bool) -> Result<Report> {
    let started = Instant::now();
    let engine = request::engine(prepared.detectors.clone())?;
    let bar = (!quiet && output::watched()).then(Bar::new);
    let progress: &dyn Progress = match &bar {
        Some(bar) => bar,
        None => &Quiet,
    };
    let outcome = scan::run(&prepared.request, &engine, Box::new(io::stdin()), progress);
    if let Some(bar) = &bar {
        bar.finish();
    }
    let outcome = outcome?;
    let state = prepared.request.state.as_deref();
    for warning in state.into_iter().flat_map(State::warnings) {
        anstream::eprintln!("straykey: warning: {warning}");
    }
    let mut stats = outcome.stats;
    stats.elapsed = started.elapsed();
    Ok(Report {
        detectors: prepared.detectors.clone(),
        findings: outcome.findings,
        suppressed: outcome.suppressed,
        diagnostics: outcome.diagnostics,
        stats,
        repository: outcome.repository,
        gone_paths: outcome.gone_paths,
    })
}

/// The exit code of a report.
pub(crate) fn exit(report: &Report, fail_on: Severity, exit_zero: bool) -> Exit {
    let counts = report
        .findings
        .iter()
        .any(|finding| finding.severity >= fail_on);
    match (report.is_complete(), counts && !exit_zero) {
        (false, _) => Exit::Incomplete,
        (true, true) => Exit::Findings,
        (true, false) => Exit::Clean,
    }
}
