//! Workflow commands that GitHub Actions shows as annotations.

use std::io;

use super::words::{self, Level};
use super::{Format, RenderOptions, Report, place};
use crate::finding::Finding;
use crate::model::printable;

/// `--format github`.
pub(super) struct Github;

/// Annotations of one kind that GitHub shows of a step.
const SHOWN: usize = 10;

impl Format for Github {
    fn name(&self) -> &'static str {
        "github"
    }

    fn about(&self) -> &'static str {
        "annotations of a GitHub Actions step, the ten worst"
    }

    fn write(
        &self,
        report: &Report,
        _options: &RenderOptions,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        for finding in report.findings.iter().take(SHOWN) {
            annotate(report, finding, out)?;
        }
        let more = report.findings.len().saturating_sub(SHOWN);
        if more > 0 {
            let text = format!(
                "{} not shown here",
                words::count(more as u64, "more finding")
            );
            writeln!(out, "::notice title=straykey::{}", message(&text))?;
        }
        if let Some(first) = report.diagnostics.first() {
            let n = words::count(words::len(&report.diagnostics), "message");
            let text = format!("{n}; the first: {first}");
            let title = match report.is_complete() {
                true => "straykey: warnings",
                false => "straykey: the scan is incomplete",
            };
            let (title, text) = (property(title), message(&text));
            writeln!(out, "::warning title={title}::{text}")?;
        }
        Ok(())
    }
}

fn annotate(report: &Report, finding: &Finding, out: &mut dyn io::Write) -> io::Result<()> {
    let detector = report.detectors.get(finding.detector);
    let command = match Level::of_finding(finding) {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let shown = finding.occurrences.iter().find(|it| place::is_current(it));
    let mut properties = Vec::new();
    if let Some((occurrence, path)) = shown.and_then(|it| Some((it, place::file(it)?))) {
        let location = occurrence.location;
        properties.push(format!("file={}", property(&path)));
        properties.push(format!("line={}", location.line));
        properties.push(format!("endLine={}", location.end_line));
        properties.push(format!("col={}", location.column));
        // GitHub refuses an end column on an annotation of several lines.
        if location.end_line == location.line {
            properties.push(format!("endColumn={}", location.end_column));
        }
    }
    let title = format!("{}: {}", finding.severity, detector.name);
    properties.push(format!("title={}", property(&title)));
    let text = format!(
        "{name} {redacted} ({id}){places}.{live} {remediation}",
        name = detector.name,
        redacted = finding.secret.redacted(),
        id = finding.id,
        places = places(finding, shown.is_some()),
        live = finding
            .liveness
            .as_ref()
            .map_or(String::new(), |it| format!(
                " It is {}.",
                words::liveness(it)
            )),
        remediation = detector.remediation,
    );
    writeln!(
        out,
        "::{command} {}::{}",
        properties.join(","),
        message(&text)
    )
}

fn places(finding: &Finding, annotated: bool) -> String {
    let more = finding.occurrences.len().saturating_sub(1);
    let more = match more {
        0 => String::new(),
        n => format!(" and {}", words::count(n as u64, "more place")),
    };
    match (annotated, finding.occurrences.first()) {
        (true, _) if more.is_empty() => String::new(),
        (true, _) => format!(", here{more}"),
        (false, Some(first)) => format!(", only in history: {}{more}", place::position(first)),
        (false, None) => String::new(),
    }
}

/// The text of a command.
fn message(text: &str) -> String {
    printable(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property's value, in which `:` and `,` mean something too.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_commands_act_on_is_escaped() {
        assert_eq!(message("100%\n::error::x"), "100%25\\u{a}::error::x");
        assert_eq!(property("a,b:c%"), "a%2Cb%3Ac%25");
    }
}
