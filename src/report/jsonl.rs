//! One JSON record per occurrence, one a line: `docs/report-schema.md`.
//!
//! Suppressed findings are left out. Diagnostics follow as records with a schema of their own, so
//! that an incomplete scan shows here too.

use std::io;

use serde::Serialize;

use super::record::{DiagnosticRecord, Head, Place};
use super::{Format, RenderOptions, Report};

/// `--format jsonl`.
pub(super) struct Jsonl;

impl Format for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn about(&self) -> &'static str {
        "JSON Lines: one record per occurrence (docs/report-schema.md)"
    }

    fn write(
        &self,
        report: &Report,
        options: &RenderOptions,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        for finding in &report.findings {
            let detector = report.detectors.get(finding.detector);
            for occurrence in &finding.occurrences {
                let line = OccurrenceLine {
                    schema: "straykey/occurrence/v1",
                    head: Head::new(finding, detector),
                    place: Place::new(occurrence, options),
                };
                serde_json::to_writer(&mut *out, &line)?;
                writeln!(out)?;
            }
        }
        for diagnostic in &report.diagnostics {
            let line = DiagnosticLine {
                schema: "straykey/diagnostic/v1",
                diagnostic: DiagnosticRecord::new(diagnostic),
            };
            serde_json::to_writer(&mut *out, &line)?;
            writeln!(out)?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct OccurrenceLine<'a> {
    schema: &'static str,
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct DiagnosticLine {
    schema: &'static str,
    #[serde(flatten)]
    diagnostic: DiagnosticRecord,
}
