//! Reports in every format: snapshots, hostile names, leaks, schemas.

mod fixture;
mod leaks;
mod sarif;
mod schema;

use straykey::model::printable_bytes;
use straykey::report::{FORMATS, RenderOptions, Report, format};

/// Renders `report` as text.
fn render(name: &str, report: &Report, options: &RenderOptions) -> String {
    let mut out = Vec::new();
    let format = format(name).expect("a format of this name");
    format
        .write(report, options, &mut out)
        .expect("a Vec takes all");
    String::from_utf8(out).expect("reports are UTF-8")
}

/// The snapshot must not change with the version of the package.
fn without_version(text: &str) -> String {
    let quoted = |version: &str| format!("\"{version}\"");
    text.replace(&quoted(env!("CARGO_PKG_VERSION")), &quoted("VERSION"))
}

#[test]
fn every_format_has_a_snapshot_of_the_fixed_report() {
    let report = fixture::report(0);
    for format in FORMATS {
        let text = render(format.name(), &report, &RenderOptions::default());
        insta::assert_snapshot!(format.name(), without_version(&text));
    }
}

#[test]
fn every_format_has_a_snapshot_of_a_clean_report() {
    for format in FORMATS {
        let text = render(format.name(), &fixture::clean(), &RenderOptions::default());
        let name = format!("{}-clean", format.name());
        insta::assert_snapshot!(name, without_version(&text));
    }
}

#[test]
fn the_same_report_gives_the_same_bytes_whatever_the_time_it_took() {
    let mut slow = fixture::report(3);
    slow.stats.elapsed *= 100;
    for format in FORMATS.iter().filter(|format| format.name() != "text") {
        let options = RenderOptions::default();
        let (one, other) = (
            render(format.name(), &fixture::report(3), &options),
            render(format.name(), &slow, &options),
        );
        assert_eq!(one, other, "{}", format.name());
    }
}

#[test]
fn format_names_are_unique_words() {
    let mut names: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
    assert!(
        names
            .iter()
            .all(|name| { name.bytes().all(|byte| byte.is_ascii_lowercase()) && !name.is_empty() })
    );
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FORMATS.len());
    assert!(format("no-such-format").is_none());
}

#[test]
fn colours_are_only_where_they_are_asked_for() {
    let report = fixture::report(0);
    let plain = render("text", &report, &RenderOptions::default());
    let colour = RenderOptions {
        colour: true,
        ..Default::default()
    };
    let coloured = render("text", &report, &colour);
    assert!(!plain.contains('\x1b'));
    assert!(coloured.contains("\x1b["));
    assert_eq!(without_escapes(&coloured), plain);
}

/// Removes `ESC [ … m`.
fn without_escapes(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut out, part| {
        let (_, rest) = part.split_once('m').expect("a colour ends with m");
        out.push_str(rest);
        out
    })
}

#[test]
fn text_shows_five_places_and_twenty_messages_and_counts_the_rest() {
    let mut report = fixture::report(0);
    let message = report.diagnostics[0].clone();
    report.diagnostics = (0..23).map(|_| message.clone()).collect();
    let text = render("text", &report, &RenderOptions::default());
    assert!(text.contains("and 1 more\n"), "{text}");
    assert_eq!(text.matches("incomplete: assets/big.bin").count(), 20);
    assert!(text.contains("and 3 more such messages"), "{text}");
}

#[test]
fn github_shows_ten_and_counts_the_rest() {
    let mut report = fixture::report(0);
    let finding = report.findings[0].clone();
    report.findings = (0..14).map(|_| finding.clone()).collect();
    let text = render("github", &report, &RenderOptions::default());
    assert_eq!(text.matches("::error file=src/config.py,").count(), 10);
    assert!(
        text.contains("::notice title=straykey::4 more findings"),
        "{text}"
    );
}

#[test]
fn markdown_shows_two_hundred_and_counts_the_rest() {
    let mut report = fixture::report(0);
    let finding = report.findings[0].clone();
    report.findings = (0..201).map(|_| finding.clone()).collect();
    let text = render("markdown", &report, &RenderOptions::default());
    assert_eq!(text.matches("\n| critical, live |").count(), 200);
    assert!(text.contains("and 1 more finding."), "{text}");
}

const HOSTILE: &[&[u8]] = &[
    b"a\x1b[2J\x1b]0;owned\x07.txt",
    b"new\nline\r::error::owned",
    b"pipe|cell `code` <script>alert(1)</script> [x](javascript:y).md",
    b"::error file=x,line=1::owned, really",
    "bidi\u{202e}txt.exe \u{2028} \u{85}".as_bytes(),
    b"not\xffutf8\xc3",
    b"100%25,a:b",
    b"]\" }\\ \x00",
];

#[test]
fn hostile_names_are_neutral_in_every_format() {
    for &name in HOSTILE {
        let mut report = fixture::report(0);
        for finding in report.findings.iter_mut().chain(&mut report.suppressed) {
            finding.reasons = vec![String::from_utf8_lossy(name).into_owned()];
            for occurrence in &mut finding.occurrences {
                occurrence.key = Some(String::from_utf8_lossy(name).into_owned());
                occurrence.path = occurrence.path.as_ref().map(|_| name.to_vec());
                occurrence.other_paths = vec![name.to_vec()];
            }
        }
        if let Some(repository) = &mut report.repository {
            repository.branch = Some(String::from_utf8_lossy(name).into_owned());
        }
        let options = RenderOptions {
            sarif_history: true,
            sarif_suppressed: true,
            ..Default::default()
        };
        let seen = printable_bytes(name);
        for format in FORMATS {
            let text = render(format.name(), &report, &options);
            let harmless = |c: char| {
                c == '\n' || !straykey::model::printable(&c.to_string()).starts_with("\\u")
            };
            assert!(text.chars().all(harmless), "{}: {seen}", format.name());
            match format.name() {
                "json" | "sarif" => {
                    let _: serde_json::Value = serde_json::from_str(&text).expect("one document");
                }
                "jsonl" => each_line_is_json(&text),
                "github" => commands_are_ours(&text),
                "markdown" => rows_have_five_cells(&text),
                _ => assert!(text.contains(&seen), "{seen}"),
            }
        }
    }
}

fn each_line_is_json(text: &str) {
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("a record a line");
        assert!(record.is_object());
    }
}

/// As many commands as findings and notices, each at a line's beginning, properties unforged.
fn commands_are_ours(text: &str) {
    assert_eq!(text.lines().count(), 7, "{text}");
    for line in text.lines() {
        let (command, rest) = line
            .strip_prefix("::")
            .and_then(|rest| rest.split_once(' '))
            .expect("a command");
        assert!(["error", "warning", "notice"].contains(&command), "{line}");
        let (properties, _) = rest.split_once("::").expect("properties, then the text");
        let allowed = ["file", "line", "endLine", "col", "endColumn", "title"];
        for property in properties.split(',') {
            let (key, _) = property.split_once('=').expect("key=value");
            assert!(allowed.contains(&key), "{line}");
        }
    }
}

/// Bars that are not escaped part the cells, and names stand in code spans only.
fn rows_have_five_cells(text: &str) {
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        let bars = row.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 6, "{row}");
        let outside = outside_code(row);
        assert!(!outside.contains(['<', '[', '@']), "{outside}");
        assert!(!outside.contains("::"), "{outside}");
    }
}

/// What is left of `text` without its code spans, which end with as many backticks as they began.
fn outside_code(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('`') {
        out.push_str(before);
        let more = after.chars().take_while(|&c| c == '`').count();
        let fence = "`".repeat(more + 1);
        let inner = after.trim_start_matches('`');
        let (_, after) = inner.split_once(&fence).expect("the span ends");
        rest = after;
    }
    out + rest
}

#[test]
fn a_path_that_is_not_utf8_keeps_its_bytes_in_json() {
    let mut report = fixture::report(0);
    report.findings.truncate(1);
    report.findings[0].occurrences.truncate(1);
    report.findings[0].occurrences[0].path = Some(b"caf\xe9".to_vec());
    let line = render("jsonl", &report, &RenderOptions::default());
    let record: serde_json::Value =
        serde_json::from_str(line.lines().next().expect("a line")).expect("JSON");
    assert_eq!(record["path"], "caf\\xe9");
    let bytes = record["path_base64"].as_str().expect("a string");
    let bytes = data_encoding::BASE64.decode(bytes.as_bytes());
    assert_eq!(bytes.expect("base64"), b"caf\xe9");
}
