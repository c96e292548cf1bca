//! `straykey scan`

use std::io;
use std::mem::ManuallyDrop;
use std::time::Instant;

use anyhow::{Result, bail};
use straykey::finding::Finding;
use straykey::model::Severity;
#[cfg(feature = "verify")]
use straykey::model::printable;
use straykey::report::Report;
use straykey::scan::{self, Progress, Quiet};
use straykey::state::State;

#[cfg(feature = "verify")]
use super::asking;
use super::output;
use super::progress::Bar;
use super::request::{self, Prepared};
use crate::args::{self, Scan};
use crate::exit::Exit;

pub(crate) fn run(args: &Scan) -> Result<Exit> {
    let outputs = output::outputs(args)?;
    let mut prepared = ManuallyDrop::new(request::prepare(&args.what, &args.how)?);
    prepared.request.explain = args.explain;
    prepared.request.line_hashes = outputs.iter().any(|output| output.format.name() == "sarif");
    let gates_live = args.fail_on.as_deref() == Some("live");
    let asks = asks(args)?;
    if gates_live && !asks {
        bail!("--fail-on live needs --verify");
    }
    #[cfg_attr(
        not(feature = "verify"),
        expect(unused_mut, reason = "nobody is asked")
    )]
    // The process ends with it: there is nobody to whom its memory would be given back.
    let mut report = ManuallyDrop::new(report(&prepared, args.quiet)?);
    #[cfg(feature = "verify")]
    if args.asking.verify_plan {
        let json = outputs.iter().any(|output| output.format.name() == "json");
        asking::plan(&report, &args.asking, prepared.request.now, json)?;
        for diagnostic in &report.diagnostics {
            anstream::eprintln!("straykey: {}", printable(&diagnostic.to_string()));
        }
        return Ok(match report.is_complete() {
            true => Exit::Clean,
            false => Exit::Incomplete,
        });
    }
    #[cfg(feature = "verify")]
    if asks {
        let (now, watched) = (prepared.request.now, asking::watched(args.quiet));
        asking::ask(&mut report, &args.asking, args.offline, now, watched)?;
    }
    output::write(&outputs, &report, args)?;
    let fail_on = args
        .fail_on
        .as_deref()
        .map(args::severity)
        .or(prepared.config.fail_on);
    Ok(match gates_live {
        true => exit(&report, args.exit_zero, is_live),
        false => {
            let least = fail_on.unwrap_or(Severity::Note);
            exit(&report, args.exit_zero, |finding| finding.severity >= least)
        }
    })
}

fn is_live(finding: &Finding) -> bool {
    let liveness = finding.liveness.as_ref();
    liveness.is_some_and(|liveness| liveness.outcome.is_live())
}

/// Whether providers are asked.
#[cfg(feature = "verify")]
fn asks(args: &Scan) -> Result<bool> {
    if !args.verify && !args.asking.verify_plan && asking::is_configured(&args.asking) {
        bail!("nobody is asked without --verify, which the other flags of verification need");
    }
    Ok(args.verify)
}

#[cfg(not(feature = "verify"))]
fn asks(_: &Scan) -> Result<bool> {
    Ok(false)
}

/// Runs the scan, with progress where somebody watches.
pub(crate) fn report(prepared: &Prepared, quiet: bool) -> Result<Report> {
    let started = Instant::now();
    let engine = ManuallyDrop::new(request::engine(prepared.detectors.clone())?);
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
        repositories: outcome.repositories,
        gone_paths: outcome.gone_paths,
    })
}

/// The exit code of a report, in which findings weigh that `counts` holds for.
pub(crate) fn exit(report: &Report, exit_zero: bool, counts: impl Fn(&Finding) -> bool) -> Exit {
    let counts = report.findings.iter().any(counts);
    match (report.is_complete(), counts && !exit_zero) {
        (false, _) => Exit::Incomplete,
        (true, true) => Exit::Findings,
        (true, false) => Exit::Clean,
    }
}
