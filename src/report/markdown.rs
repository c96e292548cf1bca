//! A table for a job summary or a comment.

use std::io;

use super::{Format, RenderOptions, Report, place, words};
use crate::finding::Finding;
use crate::model::printable;

/// `--format markdown`.
pub(super) struct Markdown;

/// Rows of the table: a job summary may have a mebibyte.
const ROWS: usize = 200;

impl Format for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn about(&self) -> &'static str {
        "a table for a job summary or a comment"
    }

    fn write(
        &self,
        report: &Report,
        _options: &RenderOptions,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        writeln!(out, "## straykey: {}\n", words::findings(report))?;
        if !report.findings.is_empty() {
            writeln!(out, "| severity | secret | where | since | id |")?;
            writeln!(out, "| --- | --- | --- | --- | --- |")?;
            for finding in report.findings.iter().take(ROWS) {
                row(report, finding, out)?;
            }
            writeln!(out)?;
        }
        match report.findings.len().saturating_sub(ROWS) {
            0 => {}
            more => writeln!(
                out,
                "… and {}.\n",
                words::count(more as u64, "more finding")
            )?,
        }
        if let Some(first) = report.diagnostics.first() {
            let n = words::count(words::len(&report.diagnostics), "message");
            let state = match report.is_complete() {
                true => "Warnings",
                false => "**The scan is incomplete**",
            };
            let first = code(&first.to_string());
            writeln!(out, "{state}: {n}, the first {first}\n")?;
        }
        let volume = words::volume(&report.stats);
        writeln!(out, "Scanned {volume}; {}.", words::left_out(report))
    }
}

fn row(report: &Report, finding: &Finding, out: &mut dyn io::Write) -> io::Result<()> {
    let detector = report.detectors.get(finding.detector);
    let first = finding.occurrences.first();
    let position = first.map_or(String::new(), |it| code(&place::position(it)));
    let more = match finding.occurrences.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let since = first.and_then(|it| it.introduced.as_ref());
    let since = since.map_or(String::new(), place::commit);
    let live = finding.liveness.as_ref();
    let live = live.map_or(String::new(), |it| format!(", {}", it.outcome.as_str()));
    writeln!(
        out,
        "| {}{live} | {} {} | {position}{more} | {since} | {} |",
        finding.severity,
        escape(&detector.name),
        code(&finding.secret.redacted()),
        code(finding.id.as_str()),
    )
}

/// Text in which nothing is markup.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '#' | '!'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A code span, in which markup, links and mentions are neutral. A bar would end the table's cell
/// even there, so it is spelled as other harmful characters are.
fn code(text: &str) -> String {
    let text = printable(text).replace('|', "\\u{7c}");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    match text.starts_with('`') || text.ends_with('`') {
        true => format!("{fence} {text} {fence}"),
        false => format!("{fence}{text}{fence}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_neutral_in_text_and_code() {
        assert_eq!(escape("a|<b> [x](y) \\"), "a\\|\\<b\\> \\[x\\](y) \\\\");
        assert_eq!(code("a|b<c>\n"), "`a\\u{7c}b<c>\\u{a}`");
        assert_eq!(code("x``y"), "```x``y```");
        assert_eq!(code("`"), "`` ` ``");
    }
}
