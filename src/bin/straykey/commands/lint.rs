//! `straykey detectors lint`

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail};
use straykey::detector::{self, DetectorSet};
use straykey::engine::lint::{self, AnchorCount, Count, Discipline};
use straykey::model::{DiagnosticKind, Diagnostics};
use straykey::source::files::{Files, FilesOptions};
use straykey::source::{Item, Source};

use super::request;
use crate::args::Lint;
use crate::exit::Exit;

pub(crate) fn run(args: &Lint) -> Result<Exit> {
    let (discipline, files, whole) = measure(args)?;
    let mut out = io::stdout().lock();
    write_tables(&mut out, &discipline, args.top)?;
    let kept = write_verdict(&mut out, &discipline, files, args)?;
    Ok(match (whole, kept) {
        (false, _) => Exit::Incomplete,
        (true, false) => Exit::Findings,
        (true, true) => Exit::Clean,
    })
}

/// Reads the corpus; with the number of its files, and whether all of it could be read.
fn measure(args: &Lint) -> Result<(Discipline, usize, bool)> {
    let lint = lint::Lint::new(request::engine(detectors(args)?)?);
    let files = AtomicUsize::new(0);
    let diagnostics = Diagnostics::new();
    let visit = |item: &Item<'_>| {
        let origin = item.origin;
        let length = item.blob.bytes.len();
        // The last chunk knows how long the file is.
        let bytes = match origin.goes_on {
            true => 0,
            false => origin.offset + length,
        };
        files.fetch_add(usize::from(!origin.goes_on), Ordering::Relaxed);
        lint.add(&item.blob, bytes, |start| origin.owns(start, length));
        ControlFlow::Continue(())
    };
    for path in &args.corpus {
        let options = FilesOptions {
            include_ignored: true,
            ..FilesOptions::default()
        };
        Files::new(path, options).visit(&visit, &diagnostics)?;
    }
    let mut whole = true;
    for diagnostic in diagnostics.into_sorted() {
        whole &= diagnostic.kind != DiagnosticKind::Incomplete;
        anstream::eprintln!("straykey: {diagnostic}");
    }
    let discipline = lint.finish();
    if discipline.bytes == 0 {
        bail!("the corpus holds no text; name a folder with ordinary code");
    }
    Ok((discipline, files.into_inner(), whole))
}

fn detectors(args: &Lint) -> Result<Arc<DetectorSet>> {
    if args.detectors.is_empty() {
        return Ok(Arc::new(DetectorSet::builtin()));
    }
    let mut own = Vec::new();
    for path in &args.detectors {
        let files = detector::load(path)?;
        own.extend(files.into_iter().flat_map(|(_, detectors)| detectors));
    }
    Ok(Arc::new(DetectorSet::new(own)))
}

fn write_tables(out: &mut impl Write, discipline: &Discipline, top: usize) -> io::Result<()> {
    let rate = |count| discipline.per_megabyte(count);
    let is_shown = |count: u64, at: usize| top == 0 || (at < top && count > 0);
    writeln!(out, "candidates/MB  detector")?;
    for (at, entry) in discipline.detectors.iter().enumerate() {
        if is_shown(entry.candidates, at) {
            writeln!(out, "{:13.2}  {}", rate(entry.candidates), entry.id)?;
        }
    }
    writeln!(out, "\ncandidates/MB  hits/MB  anchor")?;
    for (at, entry) in discipline.anchors.iter().enumerate() {
        let Count { hits, candidates } = entry.count;
        if is_shown(hits, at) {
            let (name, owners) = (quoted(entry), entry.owners.join(", "));
            let (candidates, hits) = (rate(candidates), rate(hits));
            writeln!(out, "{candidates:13.2} {hits:8.2}  {name:24}  {owners}")?;
        }
    }
    writeln!(out)
}

/// Writes what breaks the discipline and the sums; whether the limits hold.
fn write_verdict(
    out: &mut impl Write,
    discipline: &Discipline,
    files: usize,
    args: &Lint,
) -> io::Result<bool> {
    let rate = |count| discipline.per_megabyte(count);
    for entry in discipline.anchors.iter().filter(|entry| entry.is_short()) {
        let (name, owners) = (quoted(entry), entry.owners.join(", "));
        let least = lint::LEAST_LEN;
        writeln!(out, "{owners}: anchor {name} has under {least} bytes")?;
    }
    let mut kept = true;
    for entry in &discipline.detectors {
        let (rate, limit) = (rate(entry.candidates), args.max_detector);
        if rate > limit {
            kept = false;
            writeln!(out, "{}: {rate:.2} candidates/MB, over {limit}", entry.id)?;
        }
    }
    let mut total = Count::default();
    for (name, count) in [
        ("patterns", discipline.patterns),
        ("key words of assignments", discipline.key_words),
    ] {
        let (candidates, hits) = (rate(count.candidates), rate(count.hits));
        writeln!(
            out,
            "{candidates:.2} candidates/MB of {hits:.2} hits/MB: {name}"
        )?;
        total.candidates += count.candidates;
        total.hits += count.hits;
    }
    let (candidates, hits) = (rate(total.candidates), rate(total.hits));
    let holds = candidates <= args.max_total;
    let verdict = match holds {
        true => "at most",
        false => "over",
    };
    let (limit, megabytes) = (args.max_total, discipline.bytes as f64 / 1e6);
    writeln!(
        out,
        "{candidates:.2} candidates/MB of {hits:.2} hits/MB in {megabytes:.1} MB of {files} files, \
         {verdict} {limit}"
    )?;
    Ok(kept && holds)
}

/// The anchor as it is searched, with what does not show as an escape.
fn quoted(entry: &AnchorCount) -> String {
    let case = match entry.ignore_case {
        true => " (any case)",
        false => "",
    };
    format!("\"{}\"{case}", entry.anchor.escape_ascii())
}
