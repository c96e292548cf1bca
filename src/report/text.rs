//! For people at a terminal: worst first, where it is, why we believe it, what to do.

use std::fmt::Display;
use std::io;

use anstyle::{AnsiColor, Style};

use super::{Format, RenderOptions, Report, place, words};
use crate::finding::Finding;
use crate::model::{DiagnosticKind, Occurrence, Severity, printable, printable_bytes};

/// `--format text`.
pub(super) struct Text;

/// Places shown of one finding.
const PLACES: usize = 5;
/// Diagnostics shown.
const DIAGNOSTICS: usize = 20;

impl Format for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn about(&self) -> &'static str {
        "for people at a terminal (the default)"
    }

    fn write(
        &self,
        report: &Report,
        options: &RenderOptions,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let mut page = Page { options, out };
        for finding in &report.findings {
            page.finding(report, finding)?;
        }
        page.diagnostics(report)?;
        page.summary(report)
    }
}

struct Page<'a> {
    options: &'a RenderOptions,
    out: &'a mut dyn io::Write,
}

impl Page<'_> {
    fn finding(&mut self, report: &Report, finding: &Finding) -> io::Result<()> {
        let detector = report.detectors.get(finding.detector);
        let severity = self.paint(colour(finding.severity), finding.severity);
        let name = self.paint(Style::new().bold(), printable(&detector.name));
        writeln!(self.out, "{severity}  {name}  {}", self.value(finding))?;
        self.row("id", finding.id.as_str())?;
        let places = finding.occurrences.iter().take(PLACES);
        for (at, occurrence) in places.enumerate() {
            let text = self.place(occurrence);
            self.row(if at == 0 { "where" } else { "" }, text)?;
        }
        match finding.occurrences.len().saturating_sub(PLACES) {
            0 => {}
            more => self.row("", format_args!("and {more} more"))?,
        }
        let with = finding.occurrences.iter().find(|it| !it.parts.is_empty());
        if let Some(occurrence) = with {
            self.row("with", self.parts(occurrence))?;
        }
        let sure = format!("confidence {}", finding.confidence);
        let why: Vec<_> = std::iter::once(sure).chain(words::why(finding)).collect();
        self.row("why", why.join("; "))?;
        if let Some(liveness) = &finding.liveness {
            let style = match liveness.outcome {
                outcome if outcome.is_live() => AnsiColor::Red.on_default().bold(),
                outcome if outcome.is_dead() => AnsiColor::Green.on_default(),
                _ => Style::new(),
            };
            self.row("state", self.paint(style, words::liveness(liveness)))?;
        }
        let lifetime = words::life(finding);
        let mints = words::mints_trust(finding.mints_trust);
        self.row("power", format_args!("{lifetime}; {mints}"))?;
        self.row("do", printable(&detector.remediation))?;
        if let Some(link) = &detector.rotate {
            self.row("", self.paint(Style::new().underline(), printable(link)))?;
        }
        writeln!(self.out)
    }

    fn value(&self, finding: &Finding) -> String {
        match self.options.show_secrets {
            true => printable_bytes(finding.secret.expose()),
            false => finding.secret.redacted(),
        }
    }

    /// The nearest part of each name: `user app, host db.example`.
    fn parts(&self, occurrence: &Occurrence) -> String {
        let parts = words::nearest(&occurrence.parts).map(|part| {
            let value = match self.options.show_secrets {
                true => printable_bytes(part.value.expose()),
                false => part.safe(),
            };
            format!("{} {value}", part.name)
        });
        parts.collect::<Vec<_>>().join(", ")
    }

    fn place(&self, occurrence: &Occurrence) -> String {
        let mut details = place::history(occurrence);
        if let Some(key) = &occurrence.key {
            details.insert(0, format!("as {}", printable(key)));
        }
        for decoding in &occurrence.decoding {
            details.push(format!("inside {decoding}"));
        }
        let position = place::position(occurrence);
        match details.is_empty() {
            true => position,
            false => {
                let details = self.paint(Style::new().dimmed(), details.join(", "));
                format!("{position}  {details}")
            }
        }
    }

    fn diagnostics(&mut self, report: &Report) -> io::Result<()> {
        let all = &report.diagnostics;
        for diagnostic in all.iter().take(DIAGNOSTICS) {
            let (word, style) = match diagnostic.kind {
                DiagnosticKind::Incomplete => ("incomplete", AnsiColor::Red.on_default()),
                DiagnosticKind::Warning => ("warning", AnsiColor::Yellow.on_default()),
            };
            let word = self.paint(style, word);
            writeln!(self.out, "{word}: {}", printable(&diagnostic.to_string()))?;
        }
        match all.len().saturating_sub(DIAGNOSTICS) {
            0 => {}
            more => writeln!(self.out, "and {more} more such messages")?,
        }
        match all.is_empty() {
            true => Ok(()),
            false => writeln!(self.out),
        }
    }

    fn summary(&mut self, report: &Report) -> io::Result<()> {
        let volume = words::volume(&report.stats) + &words::known(&report.stats);
        let seconds = report.stats.elapsed.as_secs_f64();
        let left_out = words::left_out(report);
        let partly = match report.is_complete() {
            true => "",
            false => "; the scan is incomplete",
        };
        match report.findings.is_empty() {
            true => writeln!(
                self.out,
                "no secrets found in {volume}, {seconds:.1} s; {left_out}{partly}"
            ),
            false => writeln!(
                self.out,
                "{}{}; {left_out}; {volume}, {seconds:.1} s{partly}",
                words::findings(report),
                words::verdicts(report).map_or(String::new(), |verdicts| format!(": {verdicts}"))
            ),
        }
    }

    fn row(&mut self, label: &str, text: impl Display) -> io::Result<()> {
        let label = self.paint(Style::new().dimmed(), format_args!("{label:<5}"));
        writeln!(self.out, "  {label}  {text}")
    }

    fn paint(&self, style: Style, text: impl Display) -> String {
        match self.options.colour {
            true => format!("{style}{text}{style:#}"),
            false => text.to_string(),
        }
    }
}

fn colour(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold().invert(),
        Severity::High => AnsiColor::Red.on_default().bold(),
        Severity::Medium => AnsiColor::Yellow.on_default().bold(),
        Severity::Low => AnsiColor::Cyan.on_default(),
        Severity::Note => Style::new().dimmed(),
    }
}
