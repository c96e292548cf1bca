//! What belongs to a secret, through the real binary: the same wherever and however it is read.

use std::path::Path;

use serde_json::Value;
use straykey::detector::template::expand;

use crate::cli::{Ran, straykey};
use crate::git_fixture::Fixture;

/// A token with its account and a password with its server, far enough down that a later version
/// is a delta; `n` changes something far from both.
fn settings(n: u64) -> String {
    let filler: String = (0..120)
        .map(|line| format!("# {line}: nothing\n"))
        .collect();
    let template = format!(
        "VERSION={n}\n{filler}DB_HOST=db.acme.example\nDB_USER=app\nDB_PASSWORD={{{{alnum:14}}}}7\n\
         {filler}TWILIO_ACCOUNT_SID=AC{{{{hex:32}}}}\nTWILIO_AUTH_TOKEN={{{{hex:32}}}}\n"
    );
    expand(&template, 5).expect("valid").text
}

fn scan(directory: &Path, args: &[&str], input: &[u8]) -> Ran {
    let ran = straykey(
        directory,
        &[&["scan", "--format", "jsonl"], args].concat(),
        input,
    );
    assert_ne!(ran.code, 2, "{}", ran.err);
    ran
}

/// The parts of each occurrence: `detector path: name=value@line+distance …`, sorted.
fn parts(ran: &Ran) -> Vec<String> {
    let records = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let mut all: Vec<_> = records
        .map(|record: Value| {
            let parts = record["parts"].as_array().expect("parts");
            let part = |part: &Value| {
                let text = |name: &str| part[name].as_str().expect("a text").to_owned();
                let (line, distance) = (&part["line"], &part["distance"]);
                format!(" {}={}@{line}+{distance}", text("name"), text("redacted"))
            };
            let parts: String = parts.iter().map(part).collect();
            format!("{}:{parts}", record["detector"].as_str().expect("an id"))
        })
        .collect();
    all.sort();
    all
}

fn expected(text: &str) -> Vec<String> {
    let sid = text
        .lines()
        .find_map(|line| line.strip_prefix("TWILIO_ACCOUNT_SID="));
    let sid = sid.expect("there");
    vec![
        "generic-password: user=app@123+1 host=db.acme.example@122+2".to_owned(),
        format!("twilio-auth-token: account_sid={sid}@245+1"),
    ]
}

#[test]
fn every_source_sees_the_same_parts() {
    let fixture = Fixture::new();
    let text = settings(0);
    fixture.write("app.env", &text);
    fixture.git(&["add", "-A"]);
    let expected = expected(&text);
    let at = fixture.path();
    assert_eq!(parts(&scan(at, &["--staged"], b"")), expected);
    fixture.commit("settings");
    assert_eq!(parts(&scan(at, &["--no-history"], b"")), expected);
    assert_eq!(parts(&scan(at, &["--history-only"], b"")), expected);
    assert_eq!(
        parts(&scan(at, &[], b"")),
        expected,
        "one occurrence of both"
    );
    assert_eq!(parts(&scan(at, &["-"], text.as_bytes())), expected);
    fixture.commit_file("app.env", "gone\n");
    let base = fixture.git(&["rev-parse", "HEAD"]);
    fixture.commit_file("app.env", &text);
    let range = format!("{base}..HEAD");
    assert_eq!(parts(&scan(at, &["--range", &range], b"")), expected);
}

#[test]
fn a_delta_and_a_state_change_no_part() {
    let fixture = Fixture::new();
    for n in 0..6 {
        fixture.commit_file("app.env", &settings(n));
    }
    // What only a part changes is another part.
    let moved = settings(6).replace("db.acme.example", "db2.acme.example");
    fixture.commit_file("app.env", &moved);
    fixture.git(&["gc", "-q", "--prune=now"]);
    let deltas = fixture.git(&["verify-pack", "-v", &pack(&fixture)]);
    assert!(deltas.contains("chain length"), "{deltas}");
    let at = fixture.path();
    let plain = scan(at, &["--history-only"], b"");
    assert_eq!(parts(&plain).len(), 14);
    assert_eq!(
        plain.out.matches("\"db2.acme.example\"").count(),
        2,
        "value and redacted"
    );
    let whole = scan(at, &["--history-only", "--no-delta-scan"], b"");
    assert_eq!(plain.out, whole.out);
    let state = tempfile::tempdir().expect("a scratch directory");
    let state = state.path().join("state").display().to_string();
    for _ in 0..2 {
        let known = scan(at, &["--history-only", "--state", &state], b"");
        assert_eq!(plain.out, known.out);
    }
}

fn pack(fixture: &Fixture) -> String {
    let folder = fixture.path().join(".git/objects/pack");
    let index = crate::git_fixture::only_file(&folder, "idx");
    index.display().to_string()
}

#[test]
fn a_part_that_is_a_secret_elsewhere_is_not_shown() {
    let fixture = Fixture::new();
    let token = crate::cli::token(9);
    let at = fixture.path();
    let login = expand("password: {{alnum:14}}7\n", 4).expect("valid").text;
    fixture.write("a.yml", format!("user: {token}\n{login}"));
    for format in ["text", "json", "jsonl", "sarif", "github", "markdown"] {
        let ran = straykey(at, &["scan", "--no-history", "--format", format], b"");
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert!(!ran.out.contains(&token), "{format}");
    }
    let ran = straykey(at, &["scan", "--no-history"], b"");
    assert!(
        ran.out.contains("\n  with   user ghp_****\n"),
        "{}",
        ran.out
    );
    let ran = straykey(at, &["scan", "--no-history", "--show-secrets"], b"");
    assert!(
        ran.out.contains(&format!("\n  with   user {token}\n")),
        "{}",
        ran.out
    );
}

#[test]
fn the_record_of_a_table_tells_whose_password_it_is() {
    let fixture = Fixture::new();
    let template = "name,url,username,password,note\n\
        Shop,https://shop.acme.example/login,ann@acme.example,{{alnum:9}}7!x,\n\
        \"Bank, private\",https://bank.acme.example/,bob,\"{{alnum:8}},4#{{alnum:3}}\",\"two\nlines\"\n";
    let text = expand(template, 3).expect("valid").text;
    fixture.write("logins.csv", &text);
    let at = fixture.path();
    let expected = [
        "generic-password: user=ann@acme.example@2+0 host=shop.acme.example@2+0 scheme=https@2+0",
        "generic-password: user=bob@3+0 host=bank.acme.example@3+0 scheme=https@3+0",
    ];
    assert_eq!(parts(&scan(at, &["--no-history"], b"")), expected);
    assert_eq!(parts(&scan(at, &["-"], text.as_bytes())), expected);
    let ran = straykey(
        at,
        &[
            "scan",
            "--no-history",
            "--show-secrets",
            "--format",
            "jsonl",
        ],
        b"",
    );
    let records = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let secrets: Vec<String> = records
        .map(|record| record["secret"].as_str().expect("a text").to_owned())
        .collect();
    assert!(secrets.iter().all(|secret| text.contains(secret.as_str())));
    let lens: Vec<usize> = secrets.iter().map(String::len).collect();
    assert_eq!(lens, [12, 14], "the whole field and no more");
}
