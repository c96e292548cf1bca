//! `straykey detectors coverage`: what the built-in detectors are, in numbers, and which providers
//! of a list they know.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use straykey::detector::{Detector, DetectorSet, Pass};

use crate::args::Coverage;
use crate::exit::Exit;

pub(crate) fn run(args: &Coverage) -> Result<Exit> {
    let set = DetectorSet::builtin();
    let list = args.list.as_deref().map(read).transpose()?;
    let mut out = io::stdout().lock();
    write_categories(&mut out, &set)?;
    write_kinds(&mut out, &set)?;
    let missing = match &list {
        Some(names) => write_list(&mut out, &set, names)?,
        None => 0,
    };
    Ok(if missing > 0 {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

fn write_categories(out: &mut impl Write, set: &DetectorSet) -> io::Result<()> {
    let mut providers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut detectors: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, detector) in set.iter() {
        let of_category = providers.entry(&detector.category).or_default();
        of_category.insert(&detector.provider);
        *detectors.entry(&detector.category).or_default() += 1;
    }
    writeln!(out, "category  providers  detectors")?;
    for (category, count) in &detectors {
        let providers = providers[category].len();
        writeln!(out, "{category:8}  {providers:9}  {count:9}")?;
    }
    let providers: BTreeSet<_> = providers.into_values().flatten().collect();
    let (providers, detectors) = (providers.len(), set.len());
    writeln!(out, "all       {providers:9}  {detectors:9}\n")
}

fn write_kinds(out: &mut impl Write, set: &DetectorSet) -> io::Result<()> {
    let count = |holds: fn(&Detector) -> bool| set.iter().filter(|(_, d)| holds(d)).count();
    let rows = [
        ("found by a pattern", count(|d| d.pass == Pass::Pattern)),
        (
            "found as an assignment",
            count(|d| d.pass == Pass::Assignment),
        ),
        (
            "found by what stands around it",
            count(|d| d.pass == Pass::Context),
        ),
        ("with an offline proof", count(|d| d.proof.is_some())),
        ("without one", count(|d| d.proof.is_none())),
        ("without a vendor's source", count(|d| !names_vendor(d))),
    ];
    for (name, count) in rows {
        writeln!(out, "{count:9}  {name}")?;
    }
    Ok(())
}

/// Domains of standards and of lists of weaknesses.
const CATALOGUES: &[&str] = &["mitre.org", "owasp.org", "rfc-editor.org"];

/// Whether a source stands on the pages of whoever the detector is about: on the host of the
/// provider's own documentation, or one whose name holds the provider's.
fn names_vendor(detector: &Detector) -> bool {
    let own = host(&detector.docs);
    let name = folded(&detector.provider);
    // Kinds of nobody in particular are documented by whoever made the program or the format.
    let is_nobody = CATALOGUES.contains(&domain(own));
    let is_vendor = |source: &str| {
        let there = host(source);
        let is_catalogue = CATALOGUES.contains(&domain(there));
        domain(there) == domain(own) || folded(source).contains(&name) || is_nobody && !is_catalogue
    };
    detector.sources.iter().any(|source| is_vendor(source))
}

fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// The last two labels of a host.
fn domain(host: &str) -> &str {
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let second = dots.nth(1);
    second.map_or(host, |at| host.get(at + 1..).unwrap_or(host))
}

/// Writes which of `names` are covered; how many are not.
fn write_list(
    out: &mut impl Write,
    set: &DetectorSet,
    names: &BTreeSet<String>,
) -> io::Result<usize> {
    let is_covered = |name: &&String| set.iter().any(|(_, detector)| is_called(detector, name));
    let (covered, missing): (Vec<_>, Vec<_>) = names.iter().partition(is_covered);
    writeln!(out, "\n{} of {} covered", covered.len(), names.len())?;
    for name in covered {
        writeln!(out, "  covered  {name}")?;
    }
    for name in &missing {
        writeln!(out, "  missing  {name}")?;
    }
    Ok(missing.len())
}

/// Whether `name` is the detector's provider, another scanner's name for it, or how its id begins.
fn is_called(detector: &Detector, name: &str) -> bool {
    let begins = |id: &str| {
        id.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('-'))
    };
    let aliases = detector.aliases.iter().map(|(_, id)| id);
    let names = [&detector.provider, &detector.provider_name, &detector.id];
    let aliases = aliases.map(AsRef::as_ref);
    let mut names = names.into_iter().map(AsRef::as_ref).chain(aliases);
    // Ids of other scanners are paths: `kingfisher.acme.1`.
    let is_one = |known: &str| {
        folded(known) == folded(name) || known.split('.').any(|part| folded(part) == folded(name))
    };
    begins(&detector.id) || names.any(is_one)
}

/// Letters and digits in lower case: `Azure-OpenAI` is `azureopenai`.
fn folded(name: &str) -> String {
    let plain = name.chars().filter(char::is_ascii_alphanumeric);
    plain.map(|c| c.to_ascii_lowercase()).collect()
}

/// The names in a list: one a line, or in Markdown the first words of what stands between commas
/// behind the colon of a list item (`- tier 1 (2): aws gk, gcp k`).
fn read(path: &Path) -> Result<BTreeSet<String>> {
    let shown = path.display();
    let text =
        fs::read_to_string(path).with_context(|| format!("{shown}: cannot read the list"))?;
    let names: BTreeSet<_> = names(&text).collect();
    if names.is_empty() {
        bail!("{shown}: no names in the list; write one a line");
    }
    Ok(names)
}

fn names(text: &str) -> impl Iterator<Item = String> {
    let is_markdown = text.lines().any(|line| line.starts_with("- tier "));
    let lines = text.lines().map(str::trim);
    lines.flat_map(move |line| match is_markdown {
        true => items(line),
        false if line.is_empty() || line.starts_with('#') => Vec::new(),
        false => vec![line.to_owned()],
    })
}

fn items(line: &str) -> Vec<String> {
    let tier = line.strip_prefix("- tier ");
    let Some((_, list)) = tier.and_then(|rest| rest.split_once(": ")) else {
        return Vec::new();
    };
    let first = |item: &str| item.split_whitespace().next().map(str::to_owned);
    list.split(',').filter_map(first).collect()
}
