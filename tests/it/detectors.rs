//! Every built-in detector does what its file says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use straykey::detector::{self, Detector, DetectorError, DetectorFile, DetectorSet, Pass};
use straykey::engine::{Engine, Scratch, selftest};
use straykey::model::Blob;

pub(crate) fn files() -> Vec<(DetectorFile, Vec<Detector>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("detectors");
    detector::load(&folder).expect("the build has checked the same files")
}

#[test]
fn examples_match_and_counterexamples_do_not() {
    let engine = Engine::new(Arc::new(DetectorSet::builtin()));
    let failures: Vec<_> = files()
        .iter()
        .flat_map(|(file, _)| selftest::run(&engine, file))
        .map(|failure| failure.to_string())
        .collect();
    let count = failures.len();
    assert!(count == 0, "{count} failures:\n{}", failures.join("\n"));
}

#[test]
fn every_file_is_built_in_and_there_are_many_providers() {
    let builtin = DetectorSet::builtin();
    let files = files();
    assert!(files.len() >= 80, "{} providers", files.len());
    let specs = files.iter().flat_map(|(file, _)| &file.detectors);
    assert_eq!(specs.clone().count(), builtin.len());
    for spec in specs {
        assert!(builtin.find(&spec.id).is_some(), "{}", spec.id);
    }
}

#[test]
fn a_file_is_called_as_its_provider() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("detectors");
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let files = detector::load(&path).expect("the build has checked the same file");
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        for (file, _) in files {
            assert_eq!(Some(file.provider.id.as_str()), stem);
        }
    }
}

/// What a scanner finds in the files as they lie in git is no template.
#[test]
fn no_example_holds_a_token_outside_of_its_template() {
    let engine = Engine::new(Arc::new(DetectorSet::builtin()));
    let mut scratch = Scratch::default();
    let mut wrong = Vec::new();
    for (file, _) in files() {
        for spec in &file.detectors {
            let counterexamples = spec.counterexamples.iter().map(|counter| &counter.text);
            let parts = spec.parts.iter().flat_map(|part| &part.examples);
            for text in spec.examples.iter().chain(counterexamples).chain(parts) {
                let raw = text.replace(['«', '»'], "");
                engine.scan(&Blob::new(raw.as_bytes()), &mut scratch, &mut |found| {
                    let claims = engine.detectors().get(found.detector);
                    if claims.pass == Pass::Pattern && found.decoding.is_empty() {
                        wrong.push(format!("{}: {} in `{text}`", spec.id, claims.id));
                    }
                });
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_two_detectors_have_equal_patterns() {
    let builtin = DetectorSet::builtin();
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (_, detector) in builtin.iter() {
        if detector.pass == Pass::Pattern {
            let same = owners.entry(detector.pattern.trim()).or_default();
            same.push(&detector.id);
        }
    }
    let equal: Vec<_> = owners.values().filter(|ids| ids.len() > 1).collect();
    assert!(equal.is_empty(), "{equal:?}");
}

#[test]
fn what_every_match_holds_beside_a_keyword_is_required() {
    let of = |pattern: &str, keyword: &str| {
        let analysis = detector::analyse(pattern, &[keyword.to_owned()], false);
        analysis.expect("a fit pattern").required
    };
    let secret = "(?<secret>[0-9]{8})";
    assert_eq!(
        of(&format!("machine .{{1,9}} Password {secret}"), "machine"),
        " password "
    );
    assert_eq!(
        of(
            &format!("grant[^;]{{0,9}}(?i:identified by){{1,2}} '{secret}"),
            "grant"
        ),
        "identified by"
    );
    for pattern in [
        "key=(?:password)?",
        "key=(?:password|passphrase)",
        "key=abc.def",
        "my key=",
    ] {
        assert_eq!(of(&format!("{pattern}{secret}"), "key="), "", "{pattern}");
    }
}

#[test]
fn a_pattern_starts_a_word_when_each_match_begins_with_a_keyword_at_a_boundary() {
    let starts = |pattern: &str, keywords: &[&str]| {
        let keywords: Vec<_> = keywords.iter().map(|word| word.to_string()).collect();
        let analysis = detector::analyse(pattern, &keywords, false).expect("a fit pattern");
        analysis.starts_word
    };
    assert!(starts(r"\b(?<secret>ab_[0-9]{8})\b", &["ab_"]));
    assert!(starts(
        r"(?x) \b (?<secret> (?:ab_|cd_) [0-9]{8} )",
        &["ab_", "cd_"]
    ));
    assert!(starts(r"\bab_(?<secret>[0-9]{8})|\bcd_", &["ab_", "cd_"]));
    assert!(
        !starts(r"(?<secret>ab_[0-9]{8})\b", &["ab_"]),
        "no boundary"
    );
    assert!(
        !starts(r"\b(?<secret>ab_[0-9]{8})|cd_", &["ab_", "cd_"]),
        "not in all"
    );
    assert!(
        !starts(r"\b(?<secret>x{0,2}ab_[0-9]{8})", &["ab_"]),
        "not first"
    );
    assert!(
        !starts(r"\b(?<secret>-ab_[0-9]{8})", &["-ab_"]),
        "not of a word"
    );
}

/// A detector file of a user, as it is read.
fn user_file(detector: &str) -> Result<(DetectorFile, Vec<Detector>), DetectorError> {
    let folder = tempfile::tempdir().expect("scratch");
    let path = folder.path().join("acme.toml");
    let text = format!(
        "[provider]\nid = \"acme\"\nname = \"Acme\"\ncategory = \"saas\"\ndocs = \"-\"\n
         [[detector]]\nid = \"acme-key\"\nname = \"Acme key\"\ndescription = \"-\"\n{detector}"
    );
    fs::write(&path, text).expect("a writable folder");
    let mut files = detector::load(&path)?;
    Ok(files.pop().expect("one file"))
}

#[test]
fn a_context_detector_of_a_user_needs_no_other() {
    let (file, own) = user_file(
        r#"
        pass = "context"
        words = ["acme"]
        shapes = ["'ak-'+hex:16", "hex:32"]
        examples = ["ACME_API_KEY=«ak-{{hex:16}}»", "acme:\n  token: '«{{hex:32}}»'"]
        counterexamples = [{ text = "OTHER_API_KEY={{hex:32}}", why = "another's" }]
        "#,
    )
    .expect("a fit file");
    let engine = Engine::new(Arc::new(DetectorSet::new(own.clone())));
    assert_eq!(selftest::run(&engine, &file), []);
    let engine = Engine::new(Arc::new(DetectorSet::builtin().with(own)));
    assert_eq!(selftest::run(&engine, &file), []);
}

#[test]
fn what_is_wrong_with_a_context_detector_is_said() {
    let fits = "pass = \"context\"\nwords = [\"acme\"]\nshapes = [\"hex:32\"]\n";
    assert!(user_file(fits).is_ok());
    for (detector, said) in [
        (fits.replace("acme", "ab1"), "under 3 letters"),
        (fits.replace("acme", "ac_me"), "written together"),
        (fits.replace("[\"acme\"]", "[]"), "no words"),
        (fits.replace("[\"hex:32\"]", "[]"), "no shapes"),
        (fits.replace("hex:32", "hax:32"), "`hax:32` is none of"),
        (format!("{fits}near = \"file\""), "near is"),
        (format!("{fits}keywords = [\"acme\"]"), "no keywords"),
        (format!("{fits}pattern = \"acme\""), "no pattern"),
        (
            fits.replace("context", "assignment") + "keywords = [\"acme\"]",
            "belong to `pass = \"context\"`",
        ),
    ] {
        let error = user_file(&detector).expect_err("not fit").to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn what_is_wrong_with_a_part_is_said() {
    let detector = "keywords = [\"acme_\"]\npattern = \"(?<secret>acme_[0-9]{8})\"\n";
    let with = |part: &str| user_file(&format!("{detector}[[detector.part]]\n{part}"));
    for part in [
        "name = \"host\"\npattern = \"(?<part>[a-z]{1,9}).acme.example\"",
        "name = \"account_id\"\nnames = [\"accountid\"]\nshapes = [\"hex:4\"]\nlines = 3",
        "name = \"key_id\"\ndetector = \"aws-access-key-id\"\nsame_block = true",
        "name = \"user\"\ninside = \"(?<part>[a-z]{1,9}):acme_\"\nrequired = true",
    ] {
        let (_, own) = with(part).expect("a fit part");
        let rule = &own[0].parts[0];
        assert_eq!(rule.shown, !part.contains("detector ="), "{part}");
        assert_eq!(rule.lines, if part.contains("lines") { 3 } else { 10 });
    }
    for (part, said) in [
        ("name = \"Host\"\nnames = [\"host\"]", "a lower-case letter"),
        ("name = \"host\"", "by one of"),
        (
            "name = \"host\"\nnames = [\"host\"]\ndetector = \"acme-id\"",
            "by one of",
        ),
        (
            "name = \"host\"\nnames = [\"api_host\"]",
            "written together",
        ),
        (
            "name = \"host\"\nnames = [\"host\"]\nshapes = [\"hax:1\"]",
            "`hax:1` is none",
        ),
        (
            "name = \"host\"\npattern = \"[a-z]{4}\"",
            "no group (?<part>",
        ),
        (
            "name = \"host\"\ninside = \"(?<part>[a-z]+)@\"",
            "bound every",
        ),
        (
            "name = \"host\"\ninside = \"(?<part>[a-z])@\"\nlines = 3",
            "no lines",
        ),
        (
            "name = \"host\"\ndetector = \"acme-id\"",
            "no other detector is called `acme-id`",
        ),
        (
            "name = \"host\"\ndetector = \"acme-key\"",
            "no other detector is called `acme-key`",
        ),
        (
            "name = \"host\"\nnames = [\"host\"]\nlines = 101",
            "at most 100 lines",
        ),
    ] {
        let error = with(part).expect_err("not fit").to_string();
        assert!(error.contains(said), "{error}");
    }
}
