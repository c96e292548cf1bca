//! `--state`: what is remembered changes how much is read, and never what is said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use straykey::detector::template::expand;
use straykey::model::ObjectId;

use crate::cli::{Ran, straykey, token};
use crate::git_fixture::{Fixture, START, copy_dir};

/// A folder for a state, outside of any repository.
struct Memory(tempfile::TempDir);

impl Memory {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a scratch directory"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("state")
    }

    fn args(&self) -> [String; 2] {
        ["--state".into(), self.path().display().to_string()]
    }

    /// The files whose names start with `prefix`.
    fn files(&self, prefix: &str) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.path()).into_iter().flatten();
        let folders = folders.map(|entry| entry.expect("readable").path());
        let entries = folders
            .filter(|path| path.is_dir())
            .flat_map(|path| fs::read_dir(path).expect("listable"));
        let paths = entries.map(|entry| entry.expect("readable").path());
        let mut paths: Vec<_> = paths
            .filter(|path| {
                let name = path.file_name().expect("named");
                name.as_encoded_bytes().starts_with(prefix.as_bytes())
            })
            .collect();
        paths.sort();
        paths
    }

    fn only(&self, prefix: &str) -> PathBuf {
        let mut files = self.files(prefix);
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }
}

fn json(directory: &Path, more: &[&str]) -> Ran {
    let fixed = ["scan", "--format", "json", "--show-secrets"];
    straykey(directory, &[&fixed[..], more].concat(), b"")
}

/// Scans with the state, and holds the result to a scan without. Returns what was read.
fn compare(directory: &Path, memory: &Memory, more: &[&str]) -> Read {
    let [flag, path] = memory.args();
    let plain = json(directory, more);
    assert_ne!(plain.code, 2, "{}", plain.err);
    let summary = memory.0.path().join("summary");
    let text = format!("text={}", summary.display());
    let with = ["--format", &text, flag.as_str(), &path];
    let ran = json(directory, &[&with, more].concat());
    assert!(ran.out == plain.out, "{}\nnot\n{}", ran.out, plain.out);
    assert_eq!((ran.code, ran.err), (plain.code, plain.err));
    Read::from_summary(&fs::read_to_string(summary).expect("written"))
}

/// What a scan read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Read {
    /// Objects that the report is about.
    objects: usize,
    /// Of them, those that were known.
    known: usize,
}

impl Read {
    /// From `… 52 objects, 3.1 KiB (50 objects known), …`.
    fn from_summary(text: &str) -> Self {
        let words: Vec<_> = text.split_whitespace().collect();
        let number = |at: usize| words[at].trim_start_matches('(').parse().ok();
        let objects = words.iter().rposition(|word| *word == "objects,");
        let known = words.iter().rposition(|word| word.starts_with("known)"));
        Self {
            objects: objects.and_then(|at| number(at - 1)).expect("a summary"),
            known: known.and_then(|at| number(at - 2)).unwrap_or(0),
        }
    }
}

fn line(seed: u64) -> String {
    format!("TOKEN={}\n", token(seed))
}

/// Secrets at several places, one with versions, one in a message, one that nothing reaches.
fn repository() -> Fixture {
    let fixture = Fixture::new();
    fixture.commit_file("a.env", &line(1));
    for n in 0..20 {
        let text: String = (0..30).map(|l| format!("line {l} of {n}\n")).collect();
        fixture.commit_file("plain.txt", &text);
    }
    fixture.commit_file("a.env", "moved\n");
    fixture.commit(&format!("uses {}", token(2)));
    fixture.git(&["tag", "-a", "v1", "-m", &format!("for {}", token(3))]);
    fixture.commit_tree(&[("loose.env", &line(4))], None);
    fixture
}

#[test]
fn a_second_scan_reads_only_what_gave_a_match_and_says_the_same() {
    let fixture = repository();
    let memory = Memory::new();
    let first = compare(fixture.path(), &memory, &["--history-only"]);
    assert_eq!(first.known, 0);
    let all = Read {
        known: first.objects - 4,
        ..first
    };
    for more in [&[][..], &["--no-delta-scan"], &["--threads", "1"]] {
        let args = [&["--history-only"], more].concat();
        assert_eq!(compare(fixture.path(), &memory, &args), all);
    }
    assert_eq!(memory.files("objects-").len(), 1);
    // However it is packed, and wherever it lies.
    fixture.git(&["gc", "-q", "--prune=never"]);
    assert_eq!(compare(fixture.path(), &memory, &["--history-only"]), all);
    let elsewhere = tempfile::tempdir().expect("a scratch directory");
    copy_dir(fixture.path(), elsewhere.path());
    let moved = compare(elsewhere.path(), &memory, &["--history-only"]);
    assert_eq!(moved, all);
    fixture.git(&["repack", "-adq", "--depth=0"]);
    compare(fixture.path(), &memory, &["--history-only"]);
}

/// A pack that git completes after a fetch has bases behind their deltas, and other packs have them too.
#[test]
fn a_fetched_pack_is_read_where_it_is_new() {
    let fixture = Fixture::new();
    let mut lines: Vec<String> = (0..400u32)
        .map(|n| format!("{:08x}\n", n.wrapping_mul(2_654_435_761)))
        .collect();
    fixture.commit_file("a.txt", &lines.concat());
    let clones = tempfile::tempdir().expect("a scratch directory");
    let clone = clones.path().join("clone");
    let target = clone.to_str().expect("a plain path");
    let url = format!("file://{}", fixture.path().display());
    fixture.git(&["clone", "-q", "--bare", &url, target]);
    let memory = Memory::new();
    compare(&clone, &memory, &[]);
    for version in 0..6 {
        lines[version * 50] = line(version as u64);
        fixture.commit_file("a.txt", &lines.concat());
    }
    let fetch = ["fetch", "-q", "origin", "main:new"];
    fixture.git(&[&["-C", target, "-c", "fetch.unpackLimit=1"], &fetch[..]].concat());
    let packs = fs::read_dir(clone.join("objects/pack")).expect("listable");
    let packs = packs.filter(|entry| {
        let path = entry.as_ref().expect("readable").path();
        path.extension().is_some_and(|end| end == "pack")
    });
    assert_eq!(packs.count(), 2);
    let read = compare(&clone, &memory, &[]);
    assert_eq!((read.objects, read.known), (14, 2));
    let again = compare(&clone, &memory, &["--no-delta-scan"]);
    assert_eq!((again.objects, again.known), (14, 8));
}

/// The same objects loose, in a pack of all and in packs of some.
#[test]
fn what_several_places_hold_counts_once_and_is_read_once() {
    let fixture = repository();
    let memory = Memory::new();
    let loose = compare(fixture.path(), &memory, &["--history-only"]);
    let pack = |revs: &str| {
        let args = ["pack-objects", "--revs", "-q", ".git/objects/pack/pack"];
        fixture.git_input(&args, revs.as_bytes());
    };
    pack("HEAD~5\n");
    pack("HEAD\n^HEAD~12\n");
    fixture.git(&["multi-pack-index", "write"]);
    let mixed = compare(fixture.path(), &memory, &["--history-only"]);
    assert_eq!(mixed.objects, loose.objects);
    assert_eq!(mixed.known, loose.objects - 4);
    fixture.git(&["prune-packed"]);
    for more in [&[][..], &["--no-delta-scan"], &["--threads", "3"]] {
        let args = [&["--history-only"], more].concat();
        assert_eq!(compare(fixture.path(), &memory, &args), mixed);
    }
    let fresh = Memory::new();
    let packed = compare(fixture.path(), &fresh, &["--history-only"]);
    assert_eq!((packed.objects, packed.known), (loose.objects, 0));
}

#[test]
fn what_came_since_is_found_and_what_was_found_is_told_anew() {
    let fixture = repository();
    let memory = Memory::new();
    compare(fixture.path(), &memory, &[]);
    fixture.git(&["repack", "-adq"]);
    fixture.commit_file("new.env", &line(9));
    let after = compare(fixture.path(), &memory, &[]);
    assert!(json(fixture.path(), &[]).out.contains(&token(9)));
    // The old secret comes back, and a name goes: other commits and classes for known objects.
    fixture.commit_file("b.env", &line(1));
    fixture.git(&["tag", "-d", "v1"]);
    fixture.commit_file("new.env", "gone\n");
    let last = compare(fixture.path(), &memory, &[]);
    assert!(last.known > after.known);
    // Only refs have moved.
    fixture.git(&["checkout", "-q", "-b", "side", "HEAD~3"]);
    fixture.git(&["branch", "-q", "-D", "main"]);
    let moved = compare(fixture.path(), &memory, &[]);
    assert_eq!(moved.objects, last.objects);
    assert!(moved.known > last.known);
}

const OWN_DETECTOR: &str = r#"
[provider]
id = "acme"
name = "Acme"
category = "saas"
docs = "https://docs.acme.example/"

[[detector]]
id = "acme-word"
name = "Acme word"
description = "A word that stands for a key."
severity = "low"
lifetime = "long"
mints_trust = "no"
keywords = ["WORD"]
pattern = '''\b(?<secret>WORD)\b'''
remediation = "Change it."
cwe = [798]
owasp_nhi = ["NHI2:2025"]
sources = ["https://docs.acme.example/"]
examples = ["a «WORD» 1"]
counterexamples = [{ text = "WORDS", why = "another word" }]
"#;

#[test]
fn another_detector_set_reads_everything_again() {
    let fixture = repository();
    let memory = Memory::new();
    let few = ["--history-only", "--only", "aws-access-key-id"];
    let few_read = compare(fixture.path(), &memory, &few);
    assert_eq!(few_read.known, 0);
    let all = compare(fixture.path(), &memory, &["--history-only"]);
    assert_eq!(all.known, 0);
    let few_again = compare(fixture.path(), &memory, &few);
    assert_eq!(few_again.known, few_again.objects);

    let file = memory.0.path().join("own.toml");
    let own = [
        "--history-only",
        "--detectors",
        file.to_str().expect("plain"),
    ];
    for (word, known) in [("line", false), ("line", true), ("moved", false)] {
        let text = OWN_DETECTOR.replace("WORD", word);
        fs::write(&file, text).expect("writable");
        let read = compare(fixture.path(), &memory, &own);
        assert_eq!(read.known > 0, known, "{word}");
    }
    let limited = ["--history-only", "--max-object-size", "100"];
    let limited = compare(fixture.path(), &memory, &limited);
    assert!(limited.objects < all.objects, "large ones are told again");
    assert_eq!(memory.files("objects-").len(), 5);
}

#[test]
fn the_state_holds_no_secret_and_no_hash_of_one() {
    let fixture = repository();
    let secret = token(1);
    let blob = fixture.git(&["rev-list", "--objects", "--all", "--", "a.env"]);
    let blob = blob
        .lines()
        .filter_map(|line| line.strip_suffix(" a.env"))
        .next_back()
        .expect("the first version")
        .to_owned();
    assert_eq!(fixture.git(&["cat-file", "blob", &blob]), line(1).trim());
    let memory = Memory::new();
    compare(fixture.path(), &memory, &[]);
    let id = ObjectId::from_hex(blob.as_bytes()).expect("hex");
    let needles = [
        secret.as_bytes().to_vec(),
        Sha1::digest(&secret).to_vec(),
        Sha256::digest(&secret).to_vec(),
        crc32fast::hash(secret.as_bytes()).to_le_bytes().to_vec(),
    ];
    let holds = |path: &Path, needle: &[u8]| {
        let bytes = fs::read(path).expect("readable");
        bytes.windows(needle.len()).any(|part| part == needle)
    };
    for path in memory.files("") {
        for needle in &needles {
            assert!(!holds(&path, needle), "{}", path.display());
        }
    }
    assert!(!holds(&memory.only("objects-"), id.as_bytes()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(memory.path())
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}

#[test]
fn damaged_files_are_named_and_made_anew() {
    let fixture = repository();
    let memory = Memory::new();
    compare(fixture.path(), &memory, &[]);
    let whole = compare(fixture.path(), &memory, &[]);
    let [flag, path] = memory.args();
    let args = [flag.as_str(), &path];
    let plain = json(fixture.path(), &[]);
    type Damage = fn(Vec<u8>) -> Vec<u8>;
    let damages: [(&str, Damage); 6] = [
        ("cut", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("empty", |_| Vec::new()),
        ("flipped", |mut bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            bytes
        }),
        ("version", |mut bytes| {
            bytes[8] = 77;
            bytes
        }),
        ("longer", |bytes| [bytes, vec![0; 24]].concat()),
        ("foreign", |_| b"# some text\n".to_vec()),
    ];
    for prefix in ["objects-", "history-"] {
        for (name, damage) in damages {
            let file = memory.only(prefix);
            let bytes = fs::read(&file).expect("readable");
            fs::write(&file, damage(bytes)).expect("writable");
            let ran = json(fixture.path(), &args);
            assert_eq!((&ran.out, ran.code), (&plain.out, plain.code), "{name}");
            let file = file.display().to_string();
            assert!(ran.err.contains("warning"), "{name}: {}", ran.err);
            assert!(ran.err.contains(&file), "{name}: {}", ran.err);
            assert!(ran.err.contains("made anew"), "{name}: {}", ran.err);
            assert_eq!(compare(fixture.path(), &memory, &[]), whole, "{name}");
        }
    }
}

#[test]
fn leftovers_of_a_writer_go_and_other_files_stay() {
    let fixture = repository();
    let memory = Memory::new();
    compare(fixture.path(), &memory, &[]);
    let folder = memory.only("objects-").with_file_name("");
    fs::write(folder.join("writing-0123456789abcdef"), "half").expect("writable");
    fs::write(folder.join("notes"), "mine").expect("writable");
    compare(fixture.path(), &memory, &[]);
    assert!(memory.files("writing-").is_empty());
    assert_eq!(memory.files("notes").len(), 1);
}

/// Many small objects: enough for several files of a state.
fn many_objects(commits: usize) -> Fixture {
    let fixture = Fixture::new();
    let mut stream = Vec::new();
    for n in 0..commits {
        let secret = match n % 1000 {
            999 => line(n as u64),
            _ => String::new(),
        };
        let text = format!("{secret}value {n} of {commits}\n");
        let message = format!("commit {n}");
        stream.extend(
            format!(
                "commit refs/heads/main\ncommitter C <c@example.com> {} +0000\n\
                 data {}\n{message}\nM 100644 inline a.txt\ndata {}\n{text}\n",
                START + 60 * n as i64,
                message.len(),
                text.len()
            )
            .into_bytes(),
        );
    }
    fixture.git_input(&["fast-import", "--quiet", "--depth=50"], &stream);
    fixture
}

/// Kills a scan as soon as it has written something more; false when it had ended by then.
#[cfg(unix)]
fn kill_midway(fixture: &Fixture, memory: &Memory) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    let left = memory.files("objects-").len();
    let mut child = Command::new(env!("CARGO_BIN_EXE_straykey"))
        .args(["scan", "--history-only"])
        .args(memory.args())
        .current_dir(fixture.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary runs");
    while memory.files("objects-").len() <= left && child.try_wait().expect("ours").is_none() {
        std::thread::yield_now();
    }
    child.kill().expect("ours");
    child.wait().expect("ours").signal() == Some(9)
}

#[cfg(unix)]
#[test]
fn a_killed_scan_goes_on_where_it_was_and_says_the_same() {
    let fixture = many_objects(20_000);
    // A machine that has other things to do may kill too late.
    let killed_twice = || {
        let memory = Memory::new();
        let killed = kill_midway(&fixture, &memory) && kill_midway(&fixture, &memory);
        killed.then_some(memory)
    };
    let memory = (0..5).find_map(|_| killed_twice());
    let memory = memory.expect("a scan that takes longer than to kill it");
    let resumed = compare(fixture.path(), &memory, &["--history-only"]);
    assert_eq!(resumed.objects, 40_000);
    assert!((8192..40_000).contains(&resumed.known), "{resumed:?}");
    assert_eq!(memory.files("objects-").len(), 1);
    assert!(memory.files("writing-").is_empty());
    let last = compare(fixture.path(), &memory, &["--history-only"]);
    assert_eq!(last.known, 40_000 - 20);
}

#[test]
fn scans_at_the_same_time_do_not_disturb_each_other() {
    let [one, two] = [many_objects(9_000), repository()];
    let memory = Memory::new();
    let [flag, path] = memory.args();
    let plain = [&one, &two].map(|fixture| json(fixture.path(), &["--history-only"]));
    for _ in 0..2 {
        let start = |fixture: &Fixture| {
            Command::new(env!("CARGO_BIN_EXE_straykey"))
                .args(["scan", "--format", "json", "--show-secrets"])
                .args(["--history-only", &flag, &path])
                .current_dir(fixture.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the binary runs")
        };
        let children = [&one, &two, &one, &two].map(start);
        for (number, child) in children.into_iter().enumerate() {
            let output = child.wait_with_output().expect("it ends");
            let report = String::from_utf8_lossy(&output.stdout);
            assert!(report == plain[number % 2].out, "run {number} differs");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        }
    }
    for fixture in [&one, &two] {
        compare(fixture.path(), &memory, &["--history-only"]);
    }
    let read = compare(one.path(), &memory, &["--history-only"]);
    assert_eq!((read.objects, read.known), (18_000, 18_000 - 9));
    assert!(memory.files("writing-").is_empty());
}

#[test]
fn what_an_unchanged_history_lacks_is_told_every_time() {
    let fixture = repository();
    let memory = Memory::new();
    let clones = tempfile::tempdir().expect("a scratch directory");
    let url = format!("file://{}", fixture.path().display());
    for (name, args) in [
        ("shallow", &["--depth", "2"][..]),
        ("partial", &["--filter=blob:none", "--no-checkout"]),
    ] {
        let target = clones.path().join(name);
        let target = target.to_str().expect("a plain path");
        fixture.git(&["config", "uploadpack.allowFilter", "true"]);
        fixture.git(&[&["clone", "-q"], args, &[&url, target]].concat());
        for _ in 0..2 {
            compare(Path::new(target), &memory, &["--history-only"]);
            let [flag, path] = memory.args();
            let ran = json(Path::new(target), &["--history-only", &flag, &path]);
            assert_eq!(ran.code, 3, "{name}: {}", ran.out);
        }
        // The messages name the place.
        let moved = clones.path().join(format!("{name}-moved"));
        fs::rename(target, &moved).expect("ours");
        compare(&moved, &memory, &["--history-only"]);
        compare(
            clones.path(),
            &memory,
            &["--history-only", &format!("{name}-moved")],
        );
    }
    let lost = fixture.git(&["rev-parse", "HEAD~2^{tree}"]);
    let (folder, file) = lost.split_at(2);
    let lost = fixture.path().join(".git/objects").join(folder).join(file);
    fs::remove_file(lost).expect("a loose object");
    for _ in 0..2 {
        compare(fixture.path(), &memory, &["--history-only"]);
    }
}

/// A damaged object is told until it is repaired, and then no more.
#[test]
fn damage_is_told_as_long_as_it_lasts() {
    let fixture = repository();
    let memory = Memory::new();
    fixture.git(&["repack", "-adq"]);
    let pack = crate::git_fixture::only_file(&fixture.path().join(".git/objects/pack"), "pack");
    let whole = fs::read(&pack).expect("readable");
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::remove_file(&pack).expect("ours");
    fs::write(&pack, bytes).expect("ours");
    for _ in 0..2 {
        compare(fixture.path(), &memory, &["--history-only"]);
        let [flag, path] = memory.args();
        assert_eq!(
            json(fixture.path(), &["--history-only", &flag, &path]).code,
            3
        );
    }
    fs::write(&pack, whole).expect("ours");
    let repaired = compare(fixture.path(), &memory, &["--history-only"]);
    assert!(repaired.known > 0);
    assert_eq!(json(fixture.path(), &["--history-only"]).code, 1);
}

#[test]
fn a_state_inside_the_work_tree_is_no_part_of_it() {
    let fixture = repository();
    let password = expand("{{[a-z]:6}}7!{{[A-Z]:6}}", 5).expect("valid").text;
    fixture.commit_file(
        "old/settings.ini",
        &format!("[db]\npassword = {password}\n"),
    );
    fixture.git(&["mv", "old", "new"]);
    fixture.commit("rename");
    let plain = json(fixture.path(), &["--include-ignored"]);
    assert!(plain.out.contains("settings.ini"), "{}", plain.out);
    for _ in 0..2 {
        let args = ["--include-ignored", "--state", ".state"];
        let ran = json(fixture.path(), &args);
        assert!(ran.out == plain.out, "{}\nnot\n{}", ran.out, plain.out);
        assert_eq!(ran.err, "");
    }
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_folder_that_cannot_be_one_is_refused_before_anything_is_read() {
    let fixture = repository();
    fs::write(fixture.path().join("file"), "text").expect("writable");
    for (place, says) in [
        ("file", "file"),
        ("file/state", "the state cannot be kept here"),
        (".", "neither empty nor the state"),
    ] {
        let ran = straykey(fixture.path(), &["scan", "--state", place], b"");
        assert_eq!(ran.code, 2, "{place}: {}", ran.err);
        assert!(ran.err.contains(says) && ran.out.is_empty(), "{}", ran.err);
    }
    assert!(!fixture.path().join("CACHEDIR.TAG").exists());
    for other in [
        &["--staged"][..],
        &["--range", "HEAD~1..HEAD"],
        &["--since", "HEAD~1"],
        &["--no-history"],
        &["-"],
    ] {
        let args = [&["scan", "--state", "new"], other].concat();
        let ran = straykey(fixture.path(), &args, b"");
        assert_eq!(ran.code, 2, "{other:?}: {}", ran.err);
        assert!(ran.err.contains("--state"), "{other:?}: {}", ran.err);
    }
    assert!(!fixture.path().join("new").exists());
}

/// Something that happens to a repository between scans.
#[derive(Clone, Debug)]
enum Step {
    Secret(u8),
    Plain(u8, u8),
    Remove(u8),
    Branch(u8),
    Tag(u8),
    Amend(u8),
    Repack,
    Gc,
    Scan,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..6u8).prop_map(Step::Secret),
        4 => (0..3u8, any::<u8>()).prop_map(|(file, n)| Step::Plain(file, n)),
        1 => (0..6u8).prop_map(Step::Remove),
        2 => (0..3u8).prop_map(Step::Branch),
        1 => any::<u8>().prop_map(Step::Tag),
        2 => (0..6u8).prop_map(Step::Amend),
        1 => Just(Step::Repack),
        1 => Just(Step::Gc),
        5 => Just(Step::Scan),
    ]
}

fn run(step: &Step, fixture: &Fixture, memory: &Memory) {
    let text = |file: u8, n: u8| -> String {
        (0..40)
            .map(|l| match l == n % 40 {
                true => format!("{n} in {file}\n"),
                false => format!("line {l} of {file}\n"),
            })
            .collect()
    };
    match *step {
        Step::Secret(n) => {
            let path = format!("dir/{}.txt", n % 3);
            fixture.commit_file(&path, &(text(n % 3, n) + &line(u64::from(n))));
        }
        Step::Plain(file, n) => {
            fixture.commit_file(&format!("dir/{file}.txt"), &text(file, n));
        }
        Step::Remove(n) => {
            let path = format!("dir/{}.txt", n % 3);
            fixture.git(&["rm", "-q", "-f", "--ignore-unmatch", &path]);
            fixture.commit(&format!("remove {}", token(u64::from(n))));
        }
        Step::Branch(n) => {
            fixture.git(&["checkout", "-q", "-f", "-B", &format!("branch-{n}"), "HEAD"]);
        }
        Step::Tag(n) => {
            let message = format!("{n} {}", token(u64::from(n)));
            fixture.git(&["tag", "-f", "-a", "-m", &message, &format!("t{}", n % 2)]);
        }
        Step::Amend(n) => {
            fixture.write("amended.txt", line(u64::from(n)));
            fixture.git(&["add", "-A"]);
            fixture.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "amended"]);
        }
        Step::Repack => {
            fixture.git(&["repack", "-q", "-d"]);
        }
        Step::Gc => {
            fixture.git(&["gc", "-q", "--prune=now"]);
        }
        Step::Scan => {
            compare(fixture.path(), memory, &[]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_history_in_parts_gives_the_report_of_the_whole(
        steps in prop::collection::vec(step(), 4..20),
    ) {
        let fixture = Fixture::new();
        fixture.commit_file("first.txt", "first\n");
        let memory = Memory::new();
        for step in &steps {
            run(step, &fixture, &memory);
        }
        compare(fixture.path(), &memory, &[]);
        let read = compare(fixture.path(), &memory, &["--history-only"]);
        prop_assert!(read.known > 0);
    }
}
