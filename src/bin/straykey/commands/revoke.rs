//! `straykey revoke`

use std::io::{self, Write};

use anyhow::{Result, bail};
use straykey::model::{Outcome, printable};
use straykey::verify::{self, Revoked};

use super::{asking, request, verify as given};
use crate::args::RevokeCommand;
use crate::exit::Exit;

pub(crate) fn run(args: &RevokeCommand) -> Result<Exit> {
    let given::Taken { report, missing } = given::taken(&args.what)?;
    if report.findings.is_empty() {
        bail!("nothing to revoke: no finding of the report is found");
    }
    let now = request::now();
    let settings = asking::settings(&args.reaching, &report.detectors, now)?;
    let detectors = &*report.detectors;
    let planned = verify::plan_revocations(&report.findings, detectors, &settings);
    let mut out = io::stdout().lock();
    let mut possible = 0;
    for (plan, finding) in planned.iter().zip(&report.findings) {
        let detector = detectors.get(finding.detector);
        let redacted = finding.secret.redacted();
        writeln!(
            out,
            "{}  {}  {redacted}",
            plan.finding,
            printable(&detector.name)
        )?;
        match (&plan.call, plan.obstacle) {
            (Some(call), _) => {
                possible += 1;
                writeln!(
                    out,
                    "  {} {}  ({}:{})",
                    call.method, call.url, call.host, call.port
                )?;
                writeln!(out, "  {}", plan.effect)?;
            }
            (None, obstacle) => {
                let why = obstacle.and_then(Outcome::reason);
                let why = why.map_or("cannot be done", |reason| reason.as_str());
                writeln!(out, "  not possible: {why}")?;
                if let Some(link) = &detector.rotate {
                    writeln!(out, "  by hand: {}", printable(link))?;
                }
            }
        }
    }
    if !args.yes || args.offline {
        let why = if args.offline {
            "--offline"
        } else {
            "add --yes to do it"
        };
        writeln!(
            out,
            "{possible} of {} can be revoked; nothing was sent, {why}",
            planned.len()
        )?;
        return Ok(Exit::Clean);
    }
    out.flush()?;
    let network = asking::network(&args.reaching, planned.len() as u64)?;
    let ended = verify::revoke(&report.findings, detectors, &settings, network)?;
    for (plan, revoked) in planned.iter().zip(&ended) {
        let said = match revoked {
            Revoked::Done => "revoked".to_owned(),
            Revoked::Dead => "did not work any more".to_owned(),
            Revoked::Failed(reason) => format!("NOT revoked: {reason}"),
        };
        writeln!(out, "{}  {said}", plan.finding)?;
    }
    let failed = ended.iter().any(|it| matches!(it, Revoked::Failed(_)));
    Ok(match failed || missing > 0 {
        true => Exit::Incomplete,
        false => Exit::Clean,
    })
}
