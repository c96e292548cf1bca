//! The commands, as a user runs them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use straykey::detector::AnswerSpec;
use straykey::detector::template::expand;

use super::server::Server;

fn straykey(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_straykey"));
    command.args(words).current_dir(folder);
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(variable);
    }
    command
}

fn run(folder: &Path, words: &[&str], input: &str) -> Output {
    let mut child = straykey(folder, words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("straykey runs");
    let mut stdin = child.stdin.take().expect("piped");
    // A command that needs no input may be gone by now.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("straykey ends")
}

fn token(seed: u64) -> String {
    expand("{{crc-base62:ghp_:30}}", seed)
        .expect("a template")
        .text
}

fn answer(status: u16, body: &str) -> AnswerSpec {
    AnswerSpec {
        status,
        headers: BTreeMap::new(),
        body: body.to_owned(),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with a repository of `count` tokens.
fn folder(count: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let lines: Vec<_> = (0..count)
        .map(|n| format!("TOKEN_{n}={}", token(n)))
        .collect();
    fs::write(folder.path().join("a.env"), lines.join("\n")).expect("written");
    folder
}

#[test]
fn a_scan_asks_only_when_told_and_gates_on_live() {
    let folder = folder(1);
    let server = Server::new(vec![answer(200, r#"{"login":"octocat"}"#)]);
    let endpoint = format!("github={}", server.url());
    let open = ["--endpoint", &endpoint, "--allow-net", "127.0.0.0/8"];
    let out = run(folder.path(), &["scan"], "");
    assert_eq!(out.status.code(), Some(1));
    assert!(server.asked().is_empty());
    let plan = [&["scan", "--verify-plan"][..], &open].concat();
    let out = run(folder.path(), &plan, "");
    assert_eq!(out.status.code(), Some(0));
    assert!(
        text(&out.stdout).contains("GET ${endpoint}/user"),
        "{}",
        text(&out.stdout)
    );
    let offline = [&["scan", "--verify", "--offline"][..], &open].concat();
    let out = run(folder.path(), &offline, "");
    assert!(text(&out.stdout).contains("--offline"));
    assert!(
        server.asked().is_empty(),
        "neither a plan nor --offline asks"
    );
    let gate = ["scan", "--verify", "--fail-on", "live"];
    let out = run(folder.path(), &[&gate[..], &open].concat(), "");
    assert_eq!(out.status.code(), Some(1));
    assert!(
        text(&out.stdout).contains("user octocat"),
        "{}",
        text(&out.stdout)
    );
    assert!(!text(&out.stdout).contains(&token(0)));
    let head = server.asked()[0].head.to_ascii_lowercase();
    assert!(head.contains("user-agent: straykey/"), "{head}");
    let dead = Server::new(vec![answer(401, r#"{"message":"Bad credentials"}"#)]);
    let endpoint = format!("github={}", dead.url());
    let open = ["--endpoint", &endpoint, "--allow-net", "127.0.0.0/8"];
    let out = run(folder.path(), &[&gate[..], &open].concat(), "");
    assert_eq!(out.status.code(), Some(0), "nothing is live");
}

#[test]
fn what_is_mistyped_is_an_error_and_nothing_is_asked() {
    let folder = folder(1);
    for (words, says) in [
        (
            &["scan", "--verify", "--endpoint", "githbu=https://a.example"][..],
            "no verifier has",
        ),
        (
            &["scan", "--verify", "--endpoint", "github=a.example"],
            "write a URL",
        ),
        (
            &[
                "scan",
                "--verify",
                "--endpoint",
                "github=https://u:p@a.example",
            ],
            "write a URL",
        ),
        (
            &["scan", "--verify", "--allow-net", "10.0.0.0/99"],
            "--allow-net",
        ),
        (&["scan", "--verify-log", "x"], "without --verify"),
        (&["scan", "--fail-on", "live"], "needs --verify"),
        (&["verify", "-"], "--detector"),
        (&["verify", "--detector", "nothing", "-"], "no detector"),
        (&["verify", "a.env"], "not a report"),
        (
            &["scan", "--verify", "--ca-file", "a.env"],
            "no certificate",
        ),
    ] {
        let out = run(folder.path(), words, "x");
        assert_eq!(out.status.code(), Some(2), "{words:?}");
        assert!(
            text(&out.stderr).contains(says),
            "{words:?}: {}",
            text(&out.stderr)
        );
    }
}

#[test]
fn one_secret_and_a_report_are_asked_about() {
    let folder = folder(2);
    let server = Server::new(vec![answer(200, r#"{"login":"octocat"}"#)]);
    let endpoint = format!("github={}", server.url());
    let open = [
        "--endpoint",
        &endpoint,
        "--allow-net",
        "127.0.0.1",
        "--verify-rate",
        "100",
    ];
    let one = [&["verify", "--detector", "github-pat", "-"][..], &open].concat();
    let out = run(folder.path(), &one, &format!("{}\n", token(7)));
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains("live: accepted by 127.0.0.1"));
    assert!(server.asked()[0].head.contains(&token(7)));

    let out = run(
        folder.path(),
        &["scan", "-f", "json=report.json", "--exit-zero"],
        "",
    );
    assert_eq!(out.status.code(), Some(0));
    let report = [&["verify", "report.json", "-f", "json"][..], &open].concat();
    let out = run(folder.path(), &report, "");
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let outcomes = json["findings"].as_array().expect("findings").iter();
    let outcomes: Vec<_> = outcomes.map(|it| &it["liveness"]["outcome"]).collect();
    assert_eq!(outcomes, ["live", "live"]);
    assert_eq!(
        json["findings"][0]["liveness"]["identity"]["user"],
        "octocat"
    );
    // What is gone is told.
    fs::write(folder.path().join("a.env"), format!("TOKEN={}", token(0))).expect("written");
    let out = run(folder.path(), &report, "");
    assert!(
        text(&out.stderr).contains("1 findings of the report"),
        "{}",
        text(&out.stderr)
    );
}

#[test]
fn a_plan_of_what_could_not_be_read_says_so() {
    let folder = folder(1);
    let git = folder.path().join(".git");
    fs::create_dir_all(git.join("objects")).expect("a folder");
    fs::create_dir_all(git.join("refs")).expect("a folder");
    fs::write(git.join("HEAD"), "nonsense").expect("written");
    let out = run(folder.path(), &["scan", "--verify-plan"], "");
    assert_eq!(out.status.code(), Some(3));
    assert!(text(&out.stdout).contains("https://api.github.com/user"));
    assert!(text(&out.stderr).contains("HEAD"), "{}", text(&out.stderr));
}

/// Other processes see a command line, so a part may stand in a file.
#[test]
fn a_part_is_read_from_a_file() {
    let folder = folder(0);
    let server = Server::new(vec![answer(200, r#"{"access_token":"t"}"#)]);
    let endpoint = format!("paypal={}", server.url());
    let id = ["client", "-of-", "nobody"].concat();
    fs::write(folder.path().join("id"), format!("{id}\n")).expect("written");
    let words = [
        "verify",
        "--detector",
        "paypal-client-secret",
        "--part",
        "client_id=@id",
        "-",
        "--endpoint",
        &endpoint,
        "--allow-net",
        "127.0.0.1",
    ];
    let out = run(folder.path(), &words, "x");
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
    let basic = data_encoding::BASE64.encode(format!("{id}:x").as_bytes());
    assert!(server.asked()[0].head.contains(&basic));
    let missing = words.map(|word| match word {
        "client_id=@id" => "client_id=@nothing",
        word => word,
    });
    let out = run(folder.path(), &missing, "x");
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("--part client_id: nothing"));
}

#[test]
fn a_revocation_needs_a_yes() {
    let folder = folder(1);
    let server = Server::new(vec![answer(202, "")]);
    let endpoint = format!("github={}", server.url());
    let words = [
        "revoke",
        "--detector",
        "github-pat",
        "-",
        "--endpoint",
        &endpoint,
        "--allow-net",
        "127.0.0.1",
    ];
    let out = run(folder.path(), &words, &token(3));
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains("POST ${endpoint}/credentials/revoke"));
    assert!(text(&out.stdout).contains("nothing was sent"));
    assert!(server.asked().is_empty());
    let log = folder.path().join("log");
    let log = log.to_str().expect("UTF-8");
    let yes = [&words[..], &["--yes", "--verify-log", log]].concat();
    let out = run(folder.path(), &yes, &token(3));
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stdout));
    assert!(text(&out.stdout).contains("  revoked"));
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert!(text(&asked[0].body).contains(&token(3)));
    let kept = fs::read_to_string(log).expect("a log");
    assert_eq!(kept.lines().count(), 3);
    assert!(!kept.contains(&token(3)) && !text(&out.stdout).contains(&token(3)));
    let other = ["revoke", "--detector", "stripe-access-token", "-", "--yes"];
    let out = run(folder.path(), &other, "sk");
    assert!(matches!(out.status.code(), Some(2 | 3)));
}

#[test]
fn a_run_that_is_killed_loses_no_verdict() {
    const TOKENS: u64 = 8;
    let folder = folder(TOKENS);
    // Answers slowly, one after the other, and counts.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            if stream.read(&mut request).is_err() {
                continue;
            }
            seen.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(150));
            let body = r#"{"login":"octocat"}"#;
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ";
            let _ = stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes());
        }
    });
    let endpoint = format!("github=http://127.0.0.1:{port}");
    let words = [
        "scan",
        "--verify",
        "--exit-zero",
        "--endpoint",
        &endpoint,
        "--allow-net",
        "127.0.0.1",
        "--verify-rate",
        "1000",
        "--verify-cache",
        "cache",
        "-f",
        "json",
    ];
    let mut child = straykey(folder.path(), &words)
        .stdout(Stdio::null())
        .spawn()
        .expect("straykey runs");
    let verdicts = folder.path().join("cache/verdicts.jsonl");
    let kept = || {
        let text = fs::read_to_string(&verdicts).unwrap_or_default();
        text.matches('\n').count()
    };
    let since = Instant::now();
    while kept() < 3 {
        assert!(since.elapsed() < Duration::from_secs(60), "no verdict came");
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let known = kept();
    assert!((3..TOKENS as usize).contains(&known), "{known}");
    thread::sleep(Duration::from_millis(400));
    count.store(0, Ordering::SeqCst);
    let out = run(folder.path(), &words, "");
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let findings = json["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), TOKENS as usize);
    assert!(
        findings
            .iter()
            .all(|it| it["liveness"]["outcome"] == "live")
    );
    assert_eq!(count.load(Ordering::SeqCst), TOKENS as usize - known);
    let cache = fs::read_to_string(&verdicts).expect("verdicts");
    assert!((0..TOKENS).all(|n| !cache.contains(&token(n))));
}

/// Who wrote what is scanned must not say whom its secrets are sent to.
#[test]
fn a_scanned_repository_brings_no_verifiers() {
    let folder = folder(0);
    let server = Server::new(vec![answer(200, r#"{"id":"a1"}"#)]);
    let detector = r#"
        [provider]
        id = "acme"
        name = "Acme"
        category = "saas"
        docs = "https://acme.example/docs"
        [[detector]]
        id = "acme-key"
        name = "Acme key"
        description = "All of Acme."
        keywords = ["acme_live_"]
        pattern = '\b(?<secret>acme_live_[0-9a-f]{16})\b'
        remediation = "Delete it."
        [[verifier]]
        id = "acme-me"
        detectors = ["acme-key"]
        class = "read"
        hosts = ["api.acme.example"]
        endpoint = { name = "acme", default = ["https://api.acme.example"] }
        request = [{ url = "${endpoint}/me", auth = { bearer = "${secret}" }, live = [{ json = [{ path = "id", op = "exists" }] }], dead = [{ status = [401] }] }]
    "#;
    let key = expand("acme_live_{{hex:16}}", 1).expect("a template").text;
    fs::write(folder.path().join("acme.toml"), detector).expect("written");
    fs::write(folder.path().join("key.txt"), format!("key = {key}")).expect("written");
    let config = "[detectors]\nfiles = [\"acme.toml\"]\n";
    fs::write(folder.path().join("straykey.toml"), config).expect("written");
    let endpoint = format!("acme={}", server.url());
    let open = ["--endpoint", &endpoint, "--allow-net", "127.0.0.1"];
    let scan = ["scan", "--verify", "--only", "acme-key"];
    let out = run(folder.path(), &scan, "");
    assert!(
        text(&out.stdout).contains("no verifier for this kind"),
        "{}{}",
        text(&out.stdout),
        text(&out.stderr)
    );
    // Named by the user it is the user's.
    let own = ["--no-config", "--detectors", "acme.toml"];
    let out = run(folder.path(), &[&scan[..], &own, &open].concat(), "");
    assert!(
        text(&out.stdout).contains("live: accepted"),
        "{}{}",
        text(&out.stdout),
        text(&out.stderr)
    );
}
