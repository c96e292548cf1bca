//! No report holds a secret in any form, unless it was asked for.

use aho_corasick::AhoCorasick;
use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use straykey::model::Secret;
use straykey::report::{FORMATS, RenderOptions};

use super::{fixture, render};

/// The forms in which a value could hide: raw, hex, percent and base64 at any alignment.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let percent = |digits: &str| -> Vec<u8> {
        let pairs = digits.as_bytes().chunks(2);
        pairs.flat_map(|pair| [b"%", pair].concat()).collect()
    };
    let (lower, upper) = (HEXLOWER.encode(secret), HEXUPPER.encode(secret));
    let mut forms = vec![secret.to_vec(), percent(&lower), percent(&upper)];
    forms.extend([lower.into_bytes(), upper.into_bytes()]);
    for shift in 0..3 {
        let shifted = [&[0; 2][..shift], secret].concat();
        for encoding in [BASE64, BASE64URL] {
            let text = encoding.encode(&shifted);
            // The first and last group also hold bits of what stands beside the value.
            let inner = text.as_bytes().get(4..text.len() - 4);
            forms.extend(inner.filter(|inner| inner.len() > 7).map(<[u8]>::to_vec));
        }
    }
    forms
}

fn contains(text: &str, form: &[u8]) -> bool {
    text.as_bytes()
        .windows(form.len())
        .any(|window| window == form)
}

#[test]
fn the_forms_are_found_where_they_are() {
    let secret = b"not a secret, but long enough";
    let text = format!("x{}", BASE64.encode(&[b"k=", &secret[..]].concat()));
    assert!(forms(secret).iter().any(|form| contains(&text, form)));
}

#[test]
fn no_format_holds_a_secret() {
    let all = RenderOptions {
        colour: true,
        sarif_history: true,
        sarif_suppressed: true,
        ..Default::default()
    };
    for seed in 0..8 {
        let report = fixture::report(100 * seed);
        let findings = report.findings.iter().chain(&report.suppressed);
        let parts = findings.clone().flat_map(|finding| &finding.occurrences);
        let parts = parts
            .flat_map(|seen| &seen.parts)
            .filter(|part| !part.shown);
        assert!(parts.clone().count() > 0);
        let values = findings.map(|finding| finding.secret.expose());
        let values = values.chain(parts.map(|part| part.value.expose()));
        // A block is looked for line by line too: quoting could change its line ends.
        let pieces = values.flat_map(|value| {
            let lines = value.split(|&byte| byte == b'\n');
            lines.filter(|line| line.len() >= 20 && !line.starts_with(b"-----"))
        });
        let forms: Vec<_> = pieces.flat_map(forms).collect();
        assert!(forms.len() > 50);
        let forms = AhoCorasick::new(&forms).expect("few patterns");
        for format in FORMATS {
            let text = render(format.name(), &report, &all);
            assert!(
                !forms.is_match(&text),
                "{} leaks a secret of seed {seed}",
                format.name()
            );
        }
    }
}

#[test]
fn asked_for_secrets_are_shown_by_text_and_json_only() {
    let report = fixture::report(0);
    let options = RenderOptions {
        show_secrets: true,
        sarif_history: true,
        sarif_suppressed: true,
        ..Default::default()
    };
    for format in FORMATS {
        let text = render(format.name(), &report, &options);
        let shows = contains(&text, report.findings[0].secret.expose());
        let may = ["text", "json", "jsonl"].contains(&format.name());
        assert_eq!(shows, may, "{}", format.name());
    }
}

#[test]
fn a_secret_that_is_not_utf8_is_shown_as_base64() {
    let mut report = fixture::report(0);
    let bytes = b"\xff\xfe binary key material";
    report.findings.truncate(1);
    report.findings[0].occurrences.truncate(1);
    report.findings[0].occurrences[0].secret = Secret::new(bytes);
    let options = RenderOptions {
        show_secrets: true,
        ..Default::default()
    };
    let line = render("jsonl", &report, &options);
    let record: serde_json::Value =
        serde_json::from_str(line.lines().next().expect("a line")).expect("JSON");
    assert_eq!(record["secret_base64"], BASE64.encode(bytes));
    assert!(record.get("secret").is_none());
}
