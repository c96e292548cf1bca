//! One JSON document, findings with their occurrences: `docs/report-schema.md`.

use std::collections::BTreeMap;
use std::io;

use rayon::prelude::*;
use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};

use super::record::{DiagnosticRecord, FindingRecord};
use super::{Format, RenderOptions, Report, words};
use crate::detector::DetectorSet;
use crate::finding::Finding;
use crate::model::printable;

/// `--format json`.
pub(super) struct Json;

/// Name and version of the document's schema.
const SCHEMA: &str = "straykey/report/v1";

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "one JSON document: findings with their occurrences (docs/report-schema.md)"
    }

    fn write(
        &self,
        report: &Report,
        options: &RenderOptions,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &Document::new(report, options))?;
        writeln!(out)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: Tool,
    repository: Option<Repository>,
    complete: bool,
    counts: Counts,
    stats: Stats,
    findings: Records<'a>,
    suppressed: Records<'a>,
    diagnostics: Vec<DiagnosticRecord>,
}

/// Records that are made one after the other while they are written: a history can hold tens of
/// thousands of places.
struct Records<'a> {
    findings: &'a [Finding],
    detectors: &'a DetectorSet,
    options: &'a RenderOptions,
}

/// Places of findings from which on all threads make records.
const MANY: usize = 1 << 10;
/// Findings whose records are made at once, before they are written.
const AT_ONCE: usize = 64;

impl Serialize for Records<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = |finding| FindingRecord::new(finding, self.detectors, self.options);
        let places = self.findings.iter().map(|one| one.occurrences.len());
        if places.sum::<usize>() < MANY {
            return serializer.collect_seq(self.findings.iter().map(record));
        }
        let mut sequence = serializer.serialize_seq(Some(self.findings.len()))?;
        for some in self.findings.chunks(AT_ONCE) {
            let records: Vec<_> = some.par_iter().map(record).collect();
            for record in records {
                sequence.serialize_element(&record)?;
            }
        }
        sequence.end()
    }
}

impl<'a> Document<'a> {
    fn new(report: &'a Report, options: &'a RenderOptions) -> Self {
        let records = |findings: &'a [Finding]| Records {
            findings,
            detectors: &report.detectors,
            options,
        };
        Self {
            schema: SCHEMA,
            tool: Tool {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
            },
            repository: report.repository.as_ref().map(|repository| Repository {
                url: repository.url.as_deref().map(printable),
                head: repository.head.clone(),
                branch: repository.branch.as_deref().map(printable),
            }),
            complete: report.is_complete(),
            counts: Counts::new(report),
            stats: Stats {
                files: report.stats.files,
                objects: report.stats.objects,
                bytes: report.stats.bytes,
            },
            findings: records(&report.findings),
            suppressed: records(&report.suppressed),
            diagnostics: report
                .diagnostics
                .iter()
                .map(DiagnosticRecord::new)
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Repository {
    url: Option<String>,
    head: Option<String>,
    branch: Option<String>,
}

#[derive(Serialize)]
struct Counts {
    findings: usize,
    occurrences: usize,
    by_severity: BTreeMap<&'static str, usize>,
    below_confidence: u64,
    suppressed: usize,
    suppressed_by: BTreeMap<&'static str, usize>,
}

impl Counts {
    fn new(report: &Report) -> Self {
        let places = report
            .findings
            .iter()
            .map(|finding| finding.occurrences.len());
        Self {
            findings: report.findings.len(),
            occurrences: places.sum(),
            by_severity: words::SEVERITIES
                .iter()
                .map(|&severity| (severity.as_str(), words::severity_count(report, severity)))
                .collect(),
            below_confidence: report.stats.below_confidence,
            suppressed: report.suppressed.len(),
            suppressed_by: words::suppressed_by(report).into_iter().collect(),
        }
    }
}

#[derive(Serialize)]
struct Stats {
    files: u64,
    objects: u64,
    bytes: u64,
}
