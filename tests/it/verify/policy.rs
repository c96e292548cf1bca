//! Who is asked, how often, at which addresses, and what is left of it on disk.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use straykey::detector::template::expand;
use straykey::detector::{AnswerSpec, DetectorSet, VerifierClass};
use straykey::finding::Finding;
use straykey::model::{Outcome, Reason};
use straykey::verify::net::{Audit, NetOptions, Resolve};
use straykey::verify::{self, Cache, Settings};

use super::server::Server;
use super::{findings, network, settings};

const FILE: &str = r#"
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
pattern = '\b(?<secret>acme_live_[0-9a-z]{16})\b'
remediation = "Delete it."

[[detector.part]]
name = "user"
pattern = '\buser=(?<part>[a-z0-9]{1,20})\b'

[[detector.part]]
name = "host"
pattern = '\bhost=(?<part>[a-z0-9.]{1,40})'

[[verifier]]
id = "acme-me"
detectors = ["acme-key"]
class = "CLASS"
hosts = ["api.acme.example"]
endpoint = { name = "acme", default = ["https://api.acme.example"] }
needs = [NEEDS]

[[verifier.request]]
url = "${endpoint}/me"
auth = { AUTH }
live = [{ status = [200], json = [{ path = "id", op = "nonempty" }] }]
dead = [{ status = [401] }]

[verifier.identity]
account = "json:id"
"#;

/// The detectors of [`FILE`]: asked with a bearer, or with a user.
fn acme(class: &str, with_user: bool) -> Arc<DetectorSet> {
    let auth = match with_user {
        true => r#"basic = ["${user}", "${secret}"]"#,
        false => r#"bearer = "${secret}""#,
    };
    let text = FILE
        .replace("CLASS", class)
        .replace("NEEDS", if with_user { "\"user\"" } else { "" })
        .replace("AUTH", auth);
    load(&text)
}

fn load(text: &str) -> Arc<DetectorSet> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("acme.toml");
    fs::write(&path, text).expect("written");
    let files = straykey::detector::load(&path).expect("a detector file");
    let detectors = files.into_iter().flat_map(|(_, detectors)| detectors);
    Arc::new(DetectorSet::new(detectors.collect()))
}

fn key(n: usize) -> String {
    let drawn = expand("acme_live_{{hex:16}}", n as u64).expect("a template");
    drawn.text
}

fn answer(status: u16, body: &str) -> AnswerSpec {
    AnswerSpec {
        status,
        headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
        body: body.to_owned(),
    }
}

fn live() -> AnswerSpec {
    answer(200, r#"{"id":"a1"}"#)
}

fn dead() -> AnswerSpec {
    answer(401, "{}")
}

fn retry_after(seconds: u64) -> AnswerSpec {
    let mut answer = answer(429, "{}");
    let header = ("retry-after".to_owned(), seconds.to_string());
    answer.headers.extend([header]);
    answer
}

fn ask(
    set: &DetectorSet,
    found: &mut [Finding],
    settings: &Settings,
    network: NetOptions,
) -> Vec<Outcome> {
    verify::verify(found, set, settings, network, None, &|_, _| {}).expect("a network");
    outcomes(found)
}

fn outcomes(found: &[Finding]) -> Vec<Outcome> {
    let liveness = found.iter().map(|finding| finding.liveness.as_ref());
    liveness.map(|it| it.expect("verified").outcome).collect()
}

/// Findings of several keys, one a line.
fn several(set: &Arc<DetectorSet>, count: usize) -> Vec<Finding> {
    let lines: Vec<_> = (0..count).map(|n| format!("key = {}", key(n))).collect();
    let found = findings(set, &lines.join("\n"));
    assert_eq!(found.len(), count);
    found
}

/// Counts connections and answers none.
struct Listener {
    port: u16,
    count: Arc<AtomicUsize>,
}

impl Listener {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let count = Arc::new(AtomicUsize::new(0));
        let seen = count.clone();
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                seen.fetch_add(1, Ordering::SeqCst);
                held.push(stream);
            }
        });
        Self { port, count }
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
struct Names(Vec<&'static str>, AtomicUsize);

impl Resolve for Names {
    fn lookup(&self, _: &str, _: Duration) -> io::Result<Vec<IpAddr>> {
        let turn = self.1.fetch_add(1, Ordering::SeqCst);
        let answer = self.0[turn.min(self.0.len() - 1)];
        let addresses = answer.split(' ').map(|ip| ip.parse().expect("an address"));
        Ok(addresses.collect())
    }
}

/// Fails the test when anything is looked up.
#[derive(Debug)]
struct Nobody;

impl Resolve for Nobody {
    fn lookup(&self, host: &str, _: Duration) -> io::Result<Vec<IpAddr>> {
        panic!("{host} was looked up");
    }
}

#[test]
fn no_spelling_of_a_closed_address_is_connected_to() {
    let set = acme("read", false);
    let listener = Listener::new();
    let port = listener.port;
    for scheme in ["http", "https"] {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "localhost",
            "LOCALHOST",
            "0.0.0.0",
            "169.254.169.254",
            "[fd00:ec2::254]",
        ] {
            let mut found = several(&set, 1);
            let settings = settings("acme", &format!("{scheme}://{host}:{port}"));
            let closed = NetOptions {
                allowed: Vec::new(),
                ..network()
            };
            let said = ask(&set, &mut found, &settings, closed);
            assert_eq!(
                said,
                [Outcome::Unknown(Reason::BlockedAddress)],
                "{scheme} {host}"
            );
        }
    }
    assert_eq!(listener.count(), 0);
}

#[test]
fn a_name_that_resolves_to_a_closed_address_is_not_asked() {
    let set = acme("read", false);
    let listener = Listener::new();
    let url = format!("https://api.acme.example:{}", listener.port);
    for answers in [
        vec!["127.0.0.1"],
        vec!["8.8.8.8 127.0.0.1"],
        vec!["::1"],
        vec!["::ffff:127.0.0.1"],
    ] {
        let mut found = several(&set, 1);
        let closed = NetOptions {
            allowed: Vec::new(),
            resolver: Box::new(Names(answers, AtomicUsize::new(0))),
            ..network()
        };
        let said = ask(&set, &mut found, &settings("acme", &url), closed);
        assert_eq!(said, [Outcome::Unknown(Reason::BlockedAddress)]);
    }
    assert_eq!(listener.count(), 0);
}

#[test]
fn a_name_that_resolves_differently_the_second_time_gains_nothing() {
    let set = acme("read", false);
    let listener = Listener::new();
    // 240.0.0.1 is opened and reaches nobody; the second answer would reach the listener.
    let url = format!("https://api.acme.example:{}", listener.port);
    let mut found = several(&set, 1);
    let mut options = NetOptions {
        allowed: vec!["240.0.0.0/4".parse().expect("a range")],
        resolver: Box::new(Names(vec!["240.0.0.1", "127.0.0.1"], AtomicUsize::new(0))),
        ..network()
    };
    options.limits.connect = Duration::from_millis(200);
    options.limits.total = Duration::from_millis(400);
    let said = ask(&set, &mut found, &settings("acme", &url), options);
    assert!(matches!(said[0], Outcome::Unknown(_)), "{said:?}");
    assert_eq!(listener.count(), 0);
}

#[test]
fn plain_http_needs_an_opened_network() {
    let set = acme("read", false);
    let mut found = several(&set, 1);
    let options = NetOptions {
        resolver: Box::new(Names(vec!["8.8.8.8"], AtomicUsize::new(0))),
        ..network()
    };
    let said = ask(
        &set,
        &mut found,
        &settings("acme", "http://acme.example"),
        options,
    );
    assert_eq!(said, [Outcome::Unknown(Reason::Tls)]);
}

#[test]
fn who_is_silent_or_gone_is_told_apart() {
    let set = acme("read", false);
    let silent = Listener::new();
    let mut options = network();
    options.limits.total = Duration::from_millis(300);
    let url = format!("http://127.0.0.1:{}", silent.port);
    let said = ask(
        &set,
        &mut several(&set, 1),
        &settings("acme", &url),
        options,
    );
    assert_eq!(said, [Outcome::Unknown(Reason::Timeout)]);

    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let url = format!("http://127.0.0.1:{port}");
    let said = ask(
        &set,
        &mut several(&set, 1),
        &settings("acme", &url),
        network(),
    );
    assert_eq!(said, [Outcome::Unknown(Reason::Refused)]);
}

#[test]
fn an_answer_is_read_up_to_its_limit() {
    let set = acme("read", false);
    let long = format!("{{\"pad\":\"{}\",\"id\":\"a1\"}}", "x".repeat(100_000));
    let server = Server::new(vec![answer(200, &long)]);
    let said = ask(
        &set,
        &mut several(&set, 1),
        &settings("acme", &server.url()),
        network(),
    );
    assert_eq!(said, [Outcome::Unknown(Reason::TooLarge)]);
}

#[test]
fn rest_is_given_once_and_then_the_host_is_left_alone() {
    let set = acme("read", false);
    let server = Server::new(vec![retry_after(1), live()]);
    let since = Instant::now();
    let said = ask(
        &set,
        &mut several(&set, 1),
        &settings("acme", &server.url()),
        network(),
    );
    assert_eq!(said, [Outcome::Live]);
    assert!(since.elapsed() >= Duration::from_secs(1));

    let server = Server::new(vec![live(), retry_after(3600), live()]);
    let one_by_one = Settings {
        in_flight: 1,
        ..settings("acme", &server.url())
    };
    let said = ask(&set, &mut several(&set, 5), &one_by_one, network());
    let limited = Outcome::Unknown(Reason::RateLimited);
    assert_eq!(said, [Outcome::Live, limited, limited, limited, limited]);
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_host_gets_its_pace() {
    let set = acme("read", false);
    let server = Server::new(vec![live()]);
    let slow = Settings {
        rate: 10.0,
        ..settings("acme", &server.url())
    };
    let since = Instant::now();
    ask(&set, &mut several(&set, 6), &slow, network());
    // Five pauses of a tenth of a second lie between six requests.
    assert!(
        since.elapsed() >= Duration::from_millis(490),
        "{:?}",
        since.elapsed()
    );
}

#[test]
fn equal_requests_are_made_once() {
    let set = acme("read", false);
    let server = Server::new(vec![live()]);
    let mut found = several(&set, 2);
    found.extend(found.clone());
    let said = ask(
        &set,
        &mut found,
        &settings("acme", &server.url()),
        network(),
    );
    assert_eq!(said, [Outcome::Live; 4]);
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn the_budget_goes_to_the_first_of_the_report() {
    let set = acme("read", false);
    let server = Server::new(vec![live()]);
    let little = Settings {
        budget: 2,
        ..settings("acme", &server.url())
    };
    let said = ask(&set, &mut several(&set, 4), &little, network());
    let skipped = Outcome::Skipped(Reason::Budget);
    assert_eq!(said, [Outcome::Live, Outcome::Live, skipped, skipped]);
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_user_is_logged_in_once() {
    let set = acme("login", true);
    let server = Server::new(vec![dead()]);
    let text = format!(
        "user=alice\nkey = {}\n{}key = {}\nuser=alice",
        key(1),
        "\n".repeat(30),
        key(2)
    );
    let mut found = findings(&set, &text);
    let said = ask(
        &set,
        &mut found,
        &settings("acme", &server.url()),
        network(),
    );
    assert_eq!(
        said,
        [Outcome::Dead, Outcome::Skipped(Reason::LoginNotAllowed)]
    );
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_password_is_not_tried_with_guessed_users() {
    let set = acme("login", true);
    let text = format!("user=alice\nuser=bob\nkey = {}", key(1));
    let said = ask(
        &set,
        &mut findings(&set, &text),
        &settings("acme", "http://127.0.0.1:9"),
        network(),
    );
    assert_eq!(said, [Outcome::Skipped(Reason::Unpaired)]);
}

#[test]
fn classes_that_were_not_asked_for_are_skipped() {
    for (class, user) in [("login", true), ("probe-write", false)] {
        let set = acme(class, user);
        let text = format!("user=alice\nkey = {}", key(1));
        let mild = Settings {
            classes: Settings::default().classes,
            ..settings("acme", "http://127.0.0.1:9")
        };
        let said = ask(&set, &mut findings(&set, &text), &mild, network());
        assert_eq!(said, [Outcome::Skipped(Reason::NotOptedIn)], "{class}");
        assert!(!mild.classes.contains(&VerifierClass::Login));
    }
}

#[test]
fn pairs_are_tried_and_none_that_works_says_nothing() {
    let set = acme("read", true);
    let text = format!("user=alice\nuser=bob\nkey = {}", key(1));
    let server = Server::new(vec![dead(), live()]);
    let one_by_one = Settings {
        in_flight: 1,
        ..settings("acme", &server.url())
    };
    let said = ask(&set, &mut findings(&set, &text), &one_by_one, network());
    assert_eq!(said, [Outcome::Live]);
    let server = Server::new(vec![dead()]);
    let said = ask(
        &set,
        &mut findings(&set, &text),
        &settings("acme", &server.url()),
        network(),
    );
    assert_eq!(said, [Outcome::Unknown(Reason::Unpaired)]);
    let alone = format!("key = {}", key(1));
    let said = ask(
        &set,
        &mut findings(&set, &alone),
        &settings("acme", &server.url()),
        network(),
    );
    assert_eq!(said, [Outcome::Skipped(Reason::NeedsCompanion)]);
}

#[test]
fn traps_are_not_even_looked_up() {
    let set = acme("read", false);
    let nobody = NetOptions {
        resolver: Box::new(Nobody),
        ..network()
    };
    let url = "https://x.canarytokens.com";
    let said = ask(&set, &mut several(&set, 1), &settings("acme", url), nobody);
    assert_eq!(said, [Outcome::Canary]);
}

/// A token of somebody's own server is none of the provider's business.
#[test]
fn a_secret_that_stands_beside_another_host_is_not_sent_to_the_provider() {
    let set = acme("read", false);
    let said = |host: &str| {
        let found = findings(&set, &format!("host={host}\nkey = {}", key(1)));
        let plan = verify::plan(&found, &set, &Settings::default());
        plan.findings[0].outcome
    };
    let other = Some(Outcome::Skipped(Reason::HostNotAllowed));
    assert_eq!(said("git.umbrella.example"), other);
    assert_eq!(said("eu.acme.example"), None);
    assert_eq!(said("localhost"), None);
}

#[test]
fn what_only_the_providers_address_needs_is_not_needed_for_another() {
    let text = FILE
        .replace("CLASS", "read")
        .replace("NEEDS", "\"user\"")
        .replace("AUTH", r#"bearer = "${secret}""#)
        .replace(
            "[\"https://api.acme.example\"]",
            "[\"https://${user}.acme.example\"]",
        )
        .replace("[\"api.acme.example\"]", "[\"*.acme.example\"]");
    let set = load(&text);
    let server = Server::new(vec![live()]);
    let mut found = findings(&set, &format!("key = {}", key(1)));
    let said = ask(
        &set,
        &mut found,
        &settings("acme", &server.url()),
        network(),
    );
    assert_eq!(said, [Outcome::Live]);
    let plan = verify::plan(&found, &set, &Settings::default());
    let outcome = plan.findings[0].outcome;
    assert_eq!(outcome, Some(Outcome::Skipped(Reason::NeedsCompanion)));
}

#[test]
fn a_plan_looks_nothing_up_and_names_what_would_be_asked() {
    let set = acme("read", false);
    let found = several(&set, 2);
    let plan = verify::plan(&found, &set, &Settings::default());
    let calls: Vec<_> = plan.findings.iter().flat_map(|it| &it.calls).collect();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].url, "https://api.acme.example/me");
    assert_eq!(
        (calls[0].host.as_str(), calls[0].port),
        ("api.acme.example", 443)
    );
    let text = serde_json::to_string(&plan).expect("JSON");
    assert!((0..2).all(|n| !text.contains(&key(n))));
}

#[test]
fn verdicts_are_remembered_and_tell_nobody_what_was_asked() {
    let set = acme("read", false);
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::new(vec![live(), dead(), answer(500, "{}")]);
    let mut one_by_one = settings("acme", &server.url());
    one_by_one.in_flight = 1;
    let run = |settings: &Settings| {
        let cache = Cache::open(folder.path()).expect("a cache");
        let mut found = several(&set, 3);
        let said = verify::verify(
            &mut found,
            &set,
            settings,
            network(),
            Some(&cache),
            &|_, _| {},
        );
        (said.expect("a network"), outcomes(&found))
    };
    let unknown = Outcome::Unknown(Reason::ProviderError);
    let (_, said) = run(&one_by_one);
    assert_eq!(said, [Outcome::Live, Outcome::Dead, unknown]);
    // A run that was killed while it wrote leaves half a line.
    let path = folder.path().join("verdicts.jsonl");
    let mut text = fs::read_to_string(&path).expect("verdicts");
    assert_eq!(text.lines().count(), 2);
    text.push_str("{\"of\":\"00");
    fs::write(&path, &text).expect("written");
    let (summary, said) = run(&one_by_one);
    assert_eq!(said, [Outcome::Live, Outcome::Dead, unknown]);
    assert_eq!((summary.remembered, summary.checks), (2, 1));
    // Live is believed for an hour, dead for a day.
    one_by_one.now += 2 * 3600;
    assert_eq!(run(&one_by_one).0.remembered, 1);
    one_by_one.now += 24 * 3600;
    assert_eq!(run(&one_by_one).0.remembered, 0);
    let kept = fs::read(&path).expect("verdicts");
    assert_nowhere(&kept, 3);
}

/// None of the first `count` keys stands in `bytes`, whatever it is wrapped in.
fn assert_nowhere(bytes: &[u8], count: usize) {
    let text = String::from_utf8_lossy(bytes);
    for n in 0..count {
        let key = key(n);
        let forms: BTreeSet<String> = [
            key.clone(),
            BASE64.encode(key.as_bytes()),
            BASE64URL_NOPAD.encode(key.as_bytes()),
            HEXLOWER.encode(key.as_bytes()),
            key.replace('_', "%5F"),
        ]
        .into();
        assert!(forms.iter().all(|form| !text.contains(form)), "key {n}");
    }
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn each_call_is_recorded_before_and_after_without_the_secret() {
    let set = acme("read", false);
    let echo = answer(200, &format!("{{\"id\":\"{}\"}}", key(0)));
    let server = Server::new(vec![echo]);
    let buffer = Buffer::default();
    let options = NetOptions {
        audit: Some(Audit::new(Box::new(buffer.clone()))),
        ..network()
    };
    let mut found = several(&set, 1);
    let said = ask(&set, &mut found, &settings("acme", &server.url()), options);
    assert_eq!(said, [Outcome::Live]);
    // The provider sends the key back: it is no identity.
    assert_eq!(found[0].liveness.as_ref().expect("verified").identity, []);
    let bytes = buffer.0.lock().expect("not poisoned").clone();
    assert_nowhere(&bytes, 1);
    let text = String::from_utf8(bytes).expect("UTF-8");
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let events: Vec<_> = lines.iter().map(|line| line["event"].as_str()).collect();
    assert_eq!(events, [Some("call"), Some("answer"), Some("verdict")]);
    assert_eq!(lines[1]["status"], 200);
    assert_eq!(lines[1]["address"], "127.0.0.1");
    assert_eq!(lines[1]["via"], "acme-me@1");
    assert_eq!(lines[2]["outcome"], "live");
    assert!(
        lines
            .iter()
            .all(|line| line["finding"] == found[0].id.as_str())
    );
}

#[test]
fn a_certificate_that_nobody_vouches_for_ends_it() {
    // Something that speaks no TLS at all.
    let server = Server::new(vec![live()]);
    let set = acme("read", false);
    let url = server.url().replace("http://", "https://");
    let said = ask(
        &set,
        &mut several(&set, 1),
        &settings("acme", &url),
        network(),
    );
    assert!(
        matches!(
            said[0],
            Outcome::Unknown(Reason::Tls | Reason::Timeout | Reason::Refused)
        ),
        "{said:?}"
    );
    assert!(server.asked().is_empty());
}
