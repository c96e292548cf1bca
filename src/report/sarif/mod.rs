//! SARIF 2.1.0 for GitHub code scanning and whatever else reads it.
//!
//! Findings in files of now are one run; what only history has is another, on request, because
//! code scanning annotates files of the analysed commit and no edit closes such an alert.
//! "Rule" is SARIF's word for a detector and stays in this folder.

mod collect;
mod result;
mod rule;
mod taxonomy;
mod uri;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Message, MultiformatMessageString, Notification,
    ReportingDescriptor, ReportingDescriptorReference, Run, RunAutomationDetails, Sarif as Log,
    Tool, ToolComponent, VersionControlDetails,
};

use self::collect::{Entries, MAX_RESULTS, Scope, collect, only_in_history};
use self::taxonomy::Taxonomies;
use super::{Format, RenderOptions, Report};
use crate::model::{DetectorIndex, DiagnosticKind, RepositoryInfo, printable};

/// `--format sarif`.
pub(super) struct Sarif;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What relative URIs are relative to.
const SRCROOT: &str = "SRCROOT";
/// Diagnostics told one by one.
const MAX_NOTIFICATIONS: usize = 100;

impl Format for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn about(&self) -> &'static str {
        "SARIF 2.1.0 for code scanning: files of now; --sarif-history adds a run for the rest"
    }

    fn write(
        &self,
        report: &Report,
        options: &RenderOptions,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let mut runs = vec![run(report, options, Scope::Tree)];
        if options.sarif_history {
            runs.push(run(report, options, Scope::History));
        }
        let log = Log::builder()
            .schema(SCHEMA)
            .version("2.1.0")
            .runs(runs)
            .build();
        serde_json::to_writer_pretty(&mut *out, &log)?;
        writeln!(out)
    }
}

fn run(report: &Report, options: &RenderOptions, scope: Scope) -> Run {
    let entries = collect(report, options, scope);
    let rules: BTreeSet<DetectorIndex> =
        entries.kept.iter().map(|it| it.finding.detector).collect();
    let taxonomies = taxonomies(report, &entries, &rules);
    let indexes: BTreeMap<_, _> = rules.iter().enumerate().map(|(at, &it)| (it, at)).collect();
    let results: Vec<_> = entries
        .kept
        .iter()
        .map(|entry| {
            let rule = indexes[&entry.finding.detector];
            let others = entries.other_spots(entry);
            result::result(report, entry, &others, scope, rule, &taxonomies)
        })
        .collect();
    let rules = rules
        .iter()
        .map(|&index| rule::rule(report.detectors.get(index), &taxonomies));
    let mut run = Run::builder()
        .tool(tool(rules.collect()))
        .results(results)
        .taxonomies(taxonomies.components())
        .invocations(vec![invocation(report, options, entries.cut)])
        .column_kind("unicodeCodePoints")
        .original_uri_base_ids(BTreeMap::from([(SRCROOT.to_owned(), source_root())]))
        .build();
    let provenance = provenance(report);
    run.version_control_provenance = (!provenance.is_empty()).then_some(provenance);
    // Without a second run the upload step's own category counts, which a name in the file
    // would override.
    if options.sarif_history {
        let id = match scope {
            Scope::Tree => "straykey/tree/",
            Scope::History => "straykey/history/",
        };
        run.automation_details = Some(RunAutomationDetails::builder().id(id).build());
    }
    run
}

fn taxonomies(
    report: &Report,
    entries: &Entries<'_>,
    rules: &BTreeSet<DetectorIndex>,
) -> Taxonomies {
    let mut taxonomies = Taxonomies::default();
    for &index in rules {
        for taxon in rule::taxa(report.detectors.get(index)) {
            taxonomies.add(taxon);
        }
    }
    for entry in &entries.kept {
        let detector = report.detectors.get(entry.finding.detector);
        for taxon in result::extra_taxa(entry.finding, detector) {
            taxonomies.add(taxon);
        }
    }
    taxonomies
}

fn tool(rules: Vec<ReportingDescriptor>) -> Tool {
    let driver = ToolComponent::builder()
        .name(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .information_uri(env!("CARGO_PKG_REPOSITORY"))
        .short_description(text(env!("CARGO_PKG_DESCRIPTION")))
        .rules(rules)
        .notifications(Notice::ALL.map(Notice::descriptor).to_vec())
        .supported_taxonomies(Taxonomies::supported())
        .build();
    Tool::builder().driver(driver).build()
}

fn source_root() -> ArtifactLocation {
    ArtifactLocation {
        description: Some(message(
            "The root of the repository, or of what was scanned.",
        )),
        ..Default::default()
    }
}

/// The repositories whose addresses are known.
fn provenance(report: &Report) -> Vec<VersionControlDetails> {
    let several = report.repositories.iter();
    let several = several.map(|(root, repository)| (Some(&**root), repository));
    let one = report
        .repository
        .iter()
        .map(|repository| (None, repository));
    let one = one.filter(|_| report.repositories.is_empty());
    let all = one.chain(several);
    all.filter_map(|(root, repository)| details(root, repository))
        .collect()
}

fn details(root: Option<&str>, repository: &RepositoryInfo) -> Option<VersionControlDetails> {
    let address = uri::repository(repository.url.as_deref()?)?;
    let mut details = VersionControlDetails::builder()
        .repository_uri(address)
        .build();
    details.revision_id = repository.head.clone();
    details.branch = repository.branch.as_deref().map(printable);
    let folder = root.map(uri::of_root);
    let is_absolute = folder.as_deref().is_some_and(uri::is_absolute);
    details.mapped_to = Some(ArtifactLocation {
        uri_base_id: (!is_absolute).then(|| SRCROOT.to_owned()),
        uri: folder,
        ..Default::default()
    });
    Some(details)
}

fn invocation(report: &Report, options: &RenderOptions, cut: usize) -> Invocation {
    let mut notifications = Vec::new();
    if cut > 0 {
        let text = format!(
            "{cut} more results are not in this file: code scanning shows {MAX_RESULTS} at most. \
             The json format has all of them."
        );
        notifications.push(Notice::ResultsCut.notification(&text));
    }
    let past = only_in_history(report);
    if past > 0 && !options.sarif_history {
        let text = format!(
            "{past} more findings are in git history only and not in this file: \
             --sarif-history adds them, the json format has them."
        );
        notifications.push(Notice::HistoryLeftOut.notification(&text));
    }
    for diagnostic in report.diagnostics.iter().take(MAX_NOTIFICATIONS) {
        let notice = match diagnostic.kind {
            DiagnosticKind::Incomplete => Notice::ScanIncomplete,
            DiagnosticKind::Warning => Notice::ScanWarning,
        };
        let text = printable(&diagnostic.to_string());
        notifications.push(notice.notification(&format!("{text}.")));
    }
    let more = report.diagnostics.len().saturating_sub(MAX_NOTIFICATIONS);
    if more > 0 {
        let notice = match report.is_complete() {
            true => Notice::ScanWarning,
            false => Notice::ScanIncomplete,
        };
        notifications.push(notice.notification(&format!("And {more} more such messages.")));
    }
    Invocation::builder()
        .execution_successful(report.is_complete())
        .tool_execution_notifications(notifications)
        .build()
}

/// The kinds of notification.
#[derive(Clone, Copy)]
enum Notice {
    ScanIncomplete,
    ScanWarning,
    ResultsCut,
    HistoryLeftOut,
}

impl Notice {
    const ALL: [Self; 4] = [
        Self::ScanIncomplete,
        Self::ScanWarning,
        Self::ResultsCut,
        Self::HistoryLeftOut,
    ];

    fn id(self) -> &'static str {
        match self {
            Self::ScanIncomplete => "scan-incomplete",
            Self::ScanWarning => "scan-warning",
            Self::ResultsCut => "results-cut",
            Self::HistoryLeftOut => "history-left-out",
        }
    }

    /// GitHub requires all these texts of it, as of a rule.
    fn descriptor(self) -> ReportingDescriptor {
        let (name, about, help) = match self {
            Self::ScanIncomplete => (
                "ScanIncomplete",
                "Something that was asked for could not be scanned.",
                "See to what the message names and scan again: it may hold secrets.",
            ),
            Self::ScanWarning => (
                "ScanWarning",
                "Worth knowing; everything was scanned.",
                "Nothing has to be done.",
            ),
            Self::ResultsCut => (
                "ResultsCut",
                "There are more results than code scanning shows.",
                "Work on the worst first, or read the json format, which has all results.",
            ),
            Self::HistoryLeftOut => (
                "HistoryLeftOut",
                "Some findings are in git history only.",
                "Revoke them: an alert on history cannot be closed by an edit.",
            ),
        };
        ReportingDescriptor::builder()
            .id(self.id())
            .name(name)
            .short_description(text(about))
            .full_description(text(about))
            .help(text(help))
            .build()
    }

    fn notification(self, text: &str) -> Notification {
        let level = match self {
            Self::ScanIncomplete => "error",
            Self::ScanWarning | Self::ResultsCut => "warning",
            Self::HistoryLeftOut => "note",
        };
        let text = text.replace('[', "(").replace(']', ")");
        Notification::builder()
            .level(level)
            .message(message(&text))
            .descriptor(ReportingDescriptorReference {
                id: Some(self.id().to_owned()),
                index: Some(self as i64),
                ..Default::default()
            })
            .build()
    }
}

fn message(text: &str) -> Message {
    Message {
        text: Some(text.to_owned()),
        ..Default::default()
    }
}

fn text(text: &str) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text).build()
}
