//! One JSON document, findings with their occurrences: `docs/report-schema.md`.

use std::collections::BTreeMap;
use std::io;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::ser::{Formatter as _, PrettyFormatter, Serializer};

use super::record::{DiagnosticRecord, FindingRecord};
use super::{Format, RenderOptions, Report, words};
use crate::finding::Finding;
use crate::model::{RepositoryInfo, printable};

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
        let mut document = Object {
            out,
            is_empty: true,
        };
        document.fields(&Head::new(report))?;
        document.list("findings", records(&report.findings, report, options))?;
        document.list("suppressed", records(&report.suppressed, report, options))?;
        document.fields(&Tail::new(report))?;
        document.end()
    }
}

/// What stands before the findings.
#[derive(Serialize)]
struct Head {
    schema: &'static str,
    tool: Tool,
    repository: Option<Repository>,
    repositories: Vec<Named>,
    complete: bool,
    counts: Counts,
    stats: Stats,
}

/// What stands behind them.
#[derive(Serialize)]
struct Tail {
    diagnostics: Vec<DiagnosticRecord>,
}

impl Head {
    fn new(report: &Report) -> Self {
        Self {
            schema: SCHEMA,
            tool: Tool {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
            },
            repository: report.repository.as_ref().map(Repository::new),
            repositories: report
                .repositories
                .iter()
                .map(|(root, repository)| Named {
                    root: printable(root),
                    repository: Repository::new(repository),
                })
                .collect(),
            complete: report.is_complete(),
            counts: Counts::new(report),
            stats: Stats {
                files: report.stats.files,
                objects: report.stats.objects,
                bytes: report.stats.bytes,
            },
        }
    }
}

impl Tail {
    fn new(report: &Report) -> Self {
        let diagnostics = report.diagnostics.iter();
        Self {
            diagnostics: diagnostics.map(DiagnosticRecord::new).collect(),
        }
    }
}

/// Places of findings from which on all threads write records.
const MANY: usize = 1 << 10;
/// Findings whose records are made before they are written: a history can have tens of thousands
/// of places.
const AT_ONCE: usize = 64;

/// The records of `findings` as they stand in the list of a document, in pieces.
fn records<'a>(
    findings: &'a [Finding],
    report: &'a Report,
    options: &'a RenderOptions,
) -> impl Iterator<Item = io::Result<Vec<Vec<u8>>>> + 'a {
    let record = |finding| pretty(&FindingRecord::new(finding, &report.detectors, options), 2);
    let places = findings.iter().map(|one| one.occurrences.len());
    let are_many = places.sum::<usize>() >= MANY;
    findings.chunks(AT_ONCE).map(move |some| match are_many {
        true => some.par_iter().map(record).collect(),
        false => some.iter().map(record).collect(),
    })
}

/// `value` as it stands `depth` objects or lists deep.
fn pretty(value: &impl Serialize, depth: usize) -> io::Result<Vec<u8>> {
    let mut formatter = PrettyFormatter::new();
    for _ in 0..depth {
        formatter.begin_object(&mut io::sink())?;
    }
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, formatter))?;
    Ok(text)
}

/// An object that is written piece by piece.
struct Object<'o> {
    out: &'o mut dyn io::Write,
    is_empty: bool,
}

impl Object<'_> {
    /// Writes the fields of another one.
    fn fields(&mut self, fields: &impl Serialize) -> io::Result<()> {
        let text = pretty(fields, 0)?;
        let fields = text
            .strip_prefix(b"{\n")
            .and_then(|text| text.strip_suffix(b"\n}"));
        self.begin_field()?;
        self.out.write_all(fields.unwrap_or_default())
    }

    /// Writes a list.
    fn list(
        &mut self,
        name: &str,
        pieces: impl Iterator<Item = io::Result<Vec<Vec<u8>>>>,
    ) -> io::Result<()> {
        self.begin_field()?;
        write!(self.out, "  \"{name}\": [")?;
        let mut is_empty = true;
        for piece in pieces {
            for value in piece? {
                let before: &[u8] = if is_empty { b"\n    " } else { b",\n    " };
                self.out.write_all(before)?;
                self.out.write_all(&value)?;
                is_empty = false;
            }
        }
        self.out.write_all(if is_empty { b"]" } else { b"\n  ]" })
    }

    fn begin_field(&mut self) -> io::Result<()> {
        let is_first = std::mem::replace(&mut self.is_empty, false);
        self.out.write_all(if is_first { b"{\n" } else { b",\n" })
    }

    fn end(self) -> io::Result<()> {
        self.out.write_all(b"\n}\n")
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

impl Repository {
    fn new(repository: &RepositoryInfo) -> Self {
        Self {
            url: repository.url.as_deref().map(printable),
            head: repository.head.clone(),
            branch: repository.branch.as_deref().map(printable),
        }
    }
}

/// One of several repositories.
#[derive(Serialize)]
struct Named {
    root: String,
    #[serde(flatten)]
    repository: Repository,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_written_as_it_stands_in_a_document() {
        let value = json!({"a": [1, {"b": [], "c": {}}], "d": "x"});
        let whole = serde_json::to_string_pretty(&json!([[value]])).expect("no maps with odd keys");
        let text = String::from_utf8(pretty(&value, 2).expect("a Vec takes all")).expect("UTF-8");
        assert_eq!(whole, format!("[\n  [\n    {text}\n  ]\n]"));
    }

    #[test]
    fn lists_and_fields_make_one_document() {
        let mut text = Vec::new();
        let mut object = Object {
            out: &mut text,
            is_empty: true,
        };
        let piece = |value| Ok(vec![pretty(&value, 2)?]);
        let mut write = || {
            object.fields(&json!({"a": 1, "b": {"c": []}}))?;
            object.list("none", std::iter::empty())?;
            object.list(
                "some",
                [piece(json!({"x": 1})), piece(json!([2]))].into_iter(),
            )?;
            object.fields(&json!({"z": null}))
        };
        write().expect("a Vec takes all");
        object.end().expect("a Vec takes all");
        let whole = json!({"a": 1, "b": {"c": []}, "none": [], "some": [{"x": 1}, [2]], "z": null});
        let whole = serde_json::to_string_pretty(&whole).expect("no maps with odd keys");
        assert_eq!(String::from_utf8(text).expect("UTF-8"), whole + "\n");
    }
}
