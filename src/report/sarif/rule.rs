//! A detector as a SARIF rule.

use serde_sarif::sarif::{
    MultiformatMessageString, PropertyBag, ReportingConfiguration, ReportingDescriptor,
    ReportingDescriptorRelationship,
};

use super::taxonomy::{Taxon, Taxonomies};
use super::uri;
use crate::detector::Detector;
use crate::model::{Confidence, Severity, printable};
use crate::report::markdown::escape;
use crate::report::words::{self, Level};

/// Tags that code scanning keeps.
const MAX_TAGS: usize = 10;
/// Characters that code scanning accepts in a description.
const MAX_DESCRIPTION: usize = 1024;

/// The taxa of `detector`, the most specific first.
pub(super) fn taxa(detector: &Detector) -> Vec<Taxon> {
    let cwe = match detector.cwe.as_ref() {
        [] => &[798],
        given => given,
    };
    let nhi = match detector.owasp_nhi.as_ref() {
        [] => &[2],
        given => given,
    };
    let cwe = cwe.iter().map(|&n| Taxon::Cwe(n));
    cwe.chain(nhi.iter().map(|&n| Taxon::Nhi(n))).collect()
}

/// The rule; its taxa have been added to `taxonomies`.
pub(super) fn rule(detector: &Detector, taxonomies: &Taxonomies) -> ReportingDescriptor {
    let taxa = taxa(detector);
    let mut rule = ReportingDescriptor::builder()
        .id(detector.id.as_ref())
        .name(pascal_case(&detector.id))
        .short_description(text(&sentence(&detector.name)))
        .full_description(text(&sentence(&detector.description)))
        .help(help(detector))
        .default_configuration(
            ReportingConfiguration::builder()
                .level(level(Level::of_severity(detector.severity)))
                .build(),
        )
        .properties(properties(detector, &taxa))
        .relationships(
            taxa.iter()
                .map(|&taxon| {
                    ReportingDescriptorRelationship::builder()
                        .target(taxonomies.reference(taxon))
                        .kinds(vec![taxon.relationship().to_owned()])
                        .build()
                })
                .collect::<Vec<_>>(),
        )
        .build();
    let links = detector.rotate.iter().chain(detector.sources.iter());
    let link = links.filter_map(|link| uri::web(link)).next();
    rule.help_uri = link.map(str::to_owned);
    rule
}

/// SARIF's word for a level.
pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::Note => "note",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

fn properties(detector: &Detector, taxa: &[Taxon]) -> PropertyBag {
    let mut tags = vec!["security".to_owned(), "secret".to_owned()];
    for tag in taxa.iter().map(|taxon| taxon.tag()) {
        if tags.len() < MAX_TAGS && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let mut properties = PropertyBag {
        tags: Some(tags),
        ..Default::default()
    };
    for (key, value) in [
        ("precision", precision(detector)),
        ("security-severity", security_severity(detector.severity)),
    ] {
        let bag = &mut properties.additional_properties;
        bag.insert(key.into(), value.into());
    }
    properties
}

/// A string on purpose: code scanning refuses the upload over a number.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Note => "1.0",
    }
}

fn precision(detector: &Detector) -> &'static str {
    match (detector.confidence, &detector.proof) {
        (_, Some(_)) | (Confidence::Certain, _) => "very-high",
        (Confidence::High, _) => "high",
        (Confidence::Medium, _) => "medium",
        (Confidence::Low, _) => "low",
    }
}

fn help(detector: &Detector) -> MultiformatMessageString {
    let description = sentence(&detector.description);
    let remediation = sentence(&detector.remediation);
    let power = format!(
        "It {}; it {}.",
        lifetime_clause(detector),
        words::mints_trust(detector.mints_trust)
    );
    let rotate = detector.rotate.as_deref().and_then(uri::web);
    let plain_link = rotate.map_or(String::new(), |url| format!(" How: {url}"));
    let plain = format!(
        "{description} {power}\n\nRevoke: {remediation}{plain_link}\n\n{PURGE}\n\n{SUPPRESS}"
    );
    let link = rotate.map_or(String::new(), |url| {
        format!(" [The issuer's instructions](<{url}>).")
    });
    let markdown = format!(
        "**{name}** ({provider})\n\n\
         ### What it gives away\n\n{description} {power}\n\n\
         ### Revoke and replace\n\n{remediation}{link}\n\n\
         Look through the issuer's logs for use of it since the day it was committed, and read \
         the new one from a secret manager.\n\n\
         ### History\n\n{PURGE}\n\n\
         ### Not a secret, or accepted\n\n{SUPPRESS_MARKDOWN}\n",
        name = escape(&detector.name),
        provider = escape(&detector.provider_name),
        description = escape(&description),
        remediation = escape(&remediation),
    );
    MultiformatMessageString::builder()
        .text(plain)
        .markdown(markdown)
        .build()
}

const PURGE: &str = "Removing the line does not take the secret back: every clone and fork keeps \
    it. Revoke it first. Rewriting history (git filter-repo with --replace-text), a force-push \
    and a request to the hosting service to drop its cached copies can follow.";
const SUPPRESS: &str = "To accept a place, write straykey:ignore with a reason into a comment on \
    its line, or take the finding into the baseline.";
const SUPPRESS_MARKDOWN: &str = "To accept a place, write `straykey:ignore` with a reason into a \
    comment on its line, or take the finding into the baseline.";

fn lifetime_clause(detector: &Detector) -> &'static str {
    match detector.lifetime {
        crate::model::Lifetime::Unknown => "may live for ever",
        lifetime => words::lifetime(lifetime),
    }
}

fn text(text: &str) -> MultiformatMessageString {
    let text: String = text.chars().take(MAX_DESCRIPTION).collect();
    MultiformatMessageString::builder().text(text).build()
}

/// With a full stop at its end.
fn sentence(text: &str) -> String {
    let text = printable(text.trim());
    match text.ends_with(['.', '!', '?']) {
        true => text,
        false => text + ".",
    }
}

/// `github-pat` as `GithubPat`, the form that SARIF viewers expect of a name.
fn pascal_case(id: &str) -> String {
    let mut name = String::new();
    for word in id.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut chars = word.chars();
        name.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        name.extend(chars);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_pascal_case_and_texts_are_sentences() {
        assert_eq!(pascal_case("github-app-token2"), "GithubAppToken2");
        assert_eq!(sentence("Full access"), "Full access.");
        assert_eq!(sentence("Full access."), "Full access.");
    }

    #[test]
    fn security_severities_are_in_the_bands_of_code_scanning() {
        let number = |severity| -> f64 {
            security_severity(severity)
                .parse()
                .expect("a number in a string")
        };
        assert!(number(Severity::Critical) > 9.0);
        assert!((7.0..9.0).contains(&number(Severity::High)));
        assert!((4.0..7.0).contains(&number(Severity::Medium)));
        assert!((0.1..4.0).contains(&number(Severity::Low)));
        assert!((0.1..4.0).contains(&number(Severity::Note)));
    }
}
