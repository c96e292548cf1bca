//! The command line as a user meets it: real repositories, the real binary.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use straykey::detector::template::expand;
use straykey::engine::prefilter::Simd;

use straykey::model::ObjectId;

use crate::git_fixture::{Fixture, copy_dir};
use crate::git_pack::{PackFile, blob_entry, object_id};

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The records of a jsonl report that are occurrences, by their secret.
    fn by_secret(&self) -> BTreeMap<String, Vec<Value>> {
        let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for line in self.out.lines() {
            let record: Value = serde_json::from_str(line).expect("one record a line");
            if let Some(secret) = record["secret"].as_str() {
                found.entry(secret.to_owned()).or_default().push(record);
            }
        }
        found
    }
}

pub(crate) fn straykey(directory: &Path, args: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_straykey"))
        .args(args)
        .current_dir(directory)
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(input)
        .expect("it reads its input");
    let output = child.wait_with_output().expect("it ends");
    Ran {
        code: output.status.code().expect("no signal"),
        out: String::from_utf8(output.stdout).expect("reports are UTF-8"),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn jsonl(directory: &Path, args: &[&str]) -> Ran {
    let fixed = ["scan", "--format", "jsonl", "--show-secrets"];
    straykey(directory, &[&fixed[..], args].concat(), b"")
}

pub(crate) fn token(seed: u64) -> String {
    expand("{{crc-base62:ghp_:30}}", seed).expect("valid").text
}

/// A secret in every hiding place, each with the reachability that it must get.
struct Hidden {
    fixture: Fixture,
    expected: Vec<(&'static str, String, Option<&'static str>)>,
}

impl Hidden {
    fn new() -> Self {
        let fixture = Fixture::new();
        let mut expected = Vec::new();
        let mut seed = 100;
        let mut hide = |place: &'static str, reachability: Option<&'static str>| {
            seed += 1;
            expected.push((place, token(seed), reachability));
            token(seed)
        };
        let line = |token: &str| format!("TOKEN={token}\n");

        fixture.commit_file("kept.env", &line(&hide("file at HEAD", Some("head"))));
        fixture.commit_file("deleted.env", &line(&hide("deleted file", Some("head"))));
        fixture.git(&["rm", "-q", "deleted.env"]);
        fixture.commit("remove");
        let message = format!("look: {}", hide("commit message", Some("head")));
        fixture.commit(&message);

        fixture.git(&["checkout", "-q", "-b", "side"]);
        fixture.commit_file("side.env", &line(&hide("other branch", Some("branch"))));
        fixture.git(&["checkout", "-q", "main"]);

        fixture.git(&["checkout", "-q", "-b", "merged"]);
        fixture.commit_file("merged.txt", "harmless\n");
        fixture.git(&["checkout", "-q", "main"]);
        fixture.commit_file("ours.txt", "harmless\n");
        fixture.git(&["merge", "-q", "--no-commit", "--no-ff", "merged"]);
        fixture.write("evil.env", line(&hide("merge-only content", Some("head"))));
        fixture.git(&["add", "-A"]);
        fixture.commit("merge");

        fixture.git(&["checkout", "-q", "-b", "tagged"]);
        fixture.commit_file("tagged.env", &line(&hide("tag only", Some("tag"))));
        let text = format!("release {}", hide("tag message", Some("tag")));
        fixture.git(&["tag", "-a", "v1", "-m", &text]);
        fixture.git(&["checkout", "-q", "main"]);
        fixture.git(&["branch", "-q", "-D", "tagged"]);

        fixture.git(&["checkout", "-q", "-b", "pull"]);
        let pull = fixture.commit_file("pull.env", &line(&hide("pull ref", Some("pull-ref"))));
        fixture.git(&["update-ref", "refs/pull/7/head", &pull]);
        fixture.git(&["checkout", "-q", "main"]);
        fixture.git(&["branch", "-q", "-D", "pull"]);

        let note = format!("note {}", hide("note", Some("notes")));
        fixture.git(&["notes", "add", "-m", &note, "HEAD"]);

        fixture.commit_file("reflog.env", &line(&hide("reflog only", Some("reflog"))));
        fixture.git(&["reset", "-q", "--hard", "HEAD~1"]);

        fixture.write("kept.env", line(&hide("stash", Some("stash"))));
        fixture.git(&["stash", "push", "-q"]);

        let blob = line(&hide("dangling blob", Some("unreachable")));
        fixture.git_input(&["hash-object", "-w", "--stdin"], blob.as_bytes());
        let blob = line(&hide("dangling commit", Some("unreachable")));
        let id = fixture.git_input(&["hash-object", "-w", "--stdin"], blob.as_bytes());
        let id = String::from_utf8(id).expect("hex");
        let tree = format!("100644 blob {}\tdangling.env\n", id.trim());
        let tree = fixture.git_input(&["mktree"], tree.as_bytes());
        let tree = String::from_utf8(tree).expect("hex");
        fixture.git(&["commit-tree", "-m", "nobody", tree.trim()]);

        // Everything so far into a pack; what comes now stays loose.
        fixture.git(&["repack", "-q", "-a", "-d", "-k"]);
        fixture.commit_file("loose.env", &line(&hide("loose object", Some("head"))));

        let borrowed = line(&hide("alternate", Some("unreachable")));
        fixture.git(&["init", "-q", "--bare", ".git/lent"]);
        let lend = ["--git-dir", ".git/lent", "hash-object", "-w", "--stdin"];
        fixture.git_input(&lend, borrowed.as_bytes());
        fixture.write(".git/objects/info/alternates", "../lent/objects\n");

        fixture.write("staged.env", line(&hide("staged", None)));
        fixture.git(&["add", "staged.env"]);
        fixture.write(".gitignore", "ignored.env\ntracked.env\n");
        fixture.write("untracked.env", line(&hide("untracked", None)));
        fixture.write("tracked.env", line(&hide("tracked although ignored", None)));
        fixture.git(&["add", "-f", "tracked.env"]);
        fixture.write(".hidden/deep.env", line(&hide("hidden folder", None)));
        Self { fixture, expected }
    }
}

#[test]
fn every_hiding_place_is_found_once_with_its_reachability() {
    let hidden = Hidden::new();
    let path = hidden.fixture.path();
    let ignored = token(1);
    hidden
        .fixture
        .write("ignored.env", format!("TOKEN={ignored}\n"));
    let ran = jsonl(path, &["."]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let found = ran.by_secret();
    for (place, secret, reachability) in &hidden.expected {
        let records = found.get(secret).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(records.len(), 1, "{place}: {records:#?}");
        let seen = records[0]["reachability"].as_str();
        assert_eq!(seen, *reachability, "{place}: {:#}", records[0]);
    }
    assert_eq!(found.len(), hidden.expected.len(), "nothing else is found");
    let all = jsonl(path, &[".", "--include-ignored"]).by_secret();
    assert!(all.contains_key(&ignored));
}

#[test]
fn the_report_is_the_same_at_any_thread_count() {
    let hidden = Hidden::new();
    let runs =
        ["1", "2", "7"].map(|threads| jsonl(hidden.fixture.path(), &[".", "-j", threads]).out);
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0], runs[2]);
}

#[test]
fn introduction_and_removal_are_named() {
    let fixture = Fixture::new();
    let secret = token(5);
    let added = fixture.commit_file("a.env", &format!("TOKEN={secret}\n"));
    fixture.commit_file("b.txt", "harmless\n");
    fixture.git(&["rm", "-q", "a.env"]);
    fixture.commit("remove");
    let found = jsonl(fixture.path(), &["."]).by_secret();
    let record = &found[&secret][0];
    assert_eq!(record["commit"], Value::from(added));
    assert_eq!(record["path"], "a.env");
    assert_eq!(record["source"], "history");
    assert_eq!(record["in_head"], false);
}

#[test]
fn of_several_repositories_each_place_says_in_which_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = |number| {
        expand("{{crc-base62:ghp_:30}}", number)
            .expect("a template")
            .text
    };
    let both = format!("token = {}\n", token(1));
    for (name, own) in [("web", token(2)), ("api", token(3))] {
        let fixture = Fixture::new();
        fixture.write("both.txt", &both);
        fixture.commit_file("own.txt", &format!("{own}\n"));
        copy_dir(fixture.path(), &folder.path().join(name));
    }
    let places = |args: &[&str]| {
        let mut args = args.to_vec();
        args.extend(["--format", "jsonl", "--show-secrets"]);
        let ran = straykey(folder.path(), &[&["scan"], &args[..]].concat(), b"");
        assert_eq!(ran.code, 1, "{}", ran.err);
        let places = ran.by_secret().into_iter().map(|(secret, all)| {
            let place = |record: &Value| {
                assert_eq!(record["reachability"], "head", "{record}");
                assert!(record["commit"].is_string(), "{record}");
                let part = |name: &str| record[name].as_str().expect("it is there").to_owned();
                format!("{}:{}", part("root"), part("path"))
            };
            (secret, all.iter().map(place).collect::<Vec<_>>())
        });
        places.collect::<BTreeMap<_, _>>()
    };
    let all = BTreeMap::from([
        (
            token(1),
            vec!["api:both.txt".to_owned(), "web:both.txt".into()],
        ),
        (token(2), vec!["web:own.txt".into()]),
        (token(3), vec!["api:own.txt".into()]),
    ]);
    assert_eq!(places(&["web", "api"]), all);
    assert_eq!(places(&["--history-only", "./api/", "web"]), all);
    // The root is named as the way to it was, whatever was named of it.
    let ran = straykey(
        folder.path(),
        &["scan", "api/both.txt", "api/own.txt", "web/both.txt"],
        b"",
    );
    for path in ["api/both.txt:1:9", "web/both.txt:1:9", "api/own.txt:1:1"] {
        assert!(ran.out.contains(path), "{}", ran.out);
    }
    // Of one repository nobody has to be told which it is.
    let ran = straykey(
        &folder.path().join("api"),
        &["scan", "both.txt", "own.txt"],
        b"",
    );
    assert!(ran.out.contains(" both.txt:1:9"), "{}", ran.out);
}

#[test]
fn repositories_below_a_folder_are_named_as_their_histories_are_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let fixture = Fixture::new();
    fixture.commit_file("a.txt", "nothing\n");
    copy_dir(fixture.path(), &folder.path().join("web"));
    copy_dir(&fixture.path().join(".git"), &folder.path().join("api.git"));
    std::fs::create_dir_all(folder.path().join("empty/.git")).expect("a folder");
    let said = |args: &[&str]| straykey(folder.path(), &[&["scan"], args].concat(), b"").out;
    let report = said(&["."]);
    assert!(report.contains("2 repositories"), "{report}");
    assert!(report.contains("./api.git ./web"), "{report}");
    let report = said(&["--no-history", "."]);
    assert!(!report.contains("repositories"), "{report}");
    // A repository inside another is a matter of that one: a submodule, for the most part.
    copy_dir(fixture.path(), &folder.path().join("web/inner"));
    let report = said(&["web"]);
    assert!(!report.contains("repositor"), "{report}");
}

#[test]
fn a_tree_file_and_its_blob_are_one_occurrence_and_ids_do_not_move() {
    let fixture = Fixture::new();
    let secret = token(6);
    fixture.commit_file("a.env", &format!("TOKEN={secret}\n"));
    let before = jsonl(fixture.path(), &["."]).by_secret();
    assert_eq!(before[&secret].len(), 1);
    assert_eq!(before[&secret][0]["source"], "tree");
    fixture.git(&["mv", "a.env", "moved.env"]);
    fixture.write("moved.env", format!("# above\n\nTOKEN={secret}\n"));
    fixture.git(&["add", "-A"]);
    fixture.commit("move");
    let after = jsonl(fixture.path(), &["--no-history"]).by_secret();
    assert_eq!(before[&secret][0]["id"], after[&secret][0]["id"]);
}

#[test]
fn the_id_of_a_password_survives_edits_and_renames_and_does_not_depend_on_it() {
    let password = expand("{{alnum:6}}7Aq", 3).expect("valid").text;
    let config = |password: &str, above: &str| {
        format!("{above}database:\n  host: db\n  password: \"{password}\"\n")
    };
    let ids = |fixture: &Fixture, password: &str, args: &[&str]| {
        let found = jsonl(fixture.path(), args).by_secret();
        found.get(password).map(|records| records[0]["id"].clone())
    };
    let fixture = Fixture::new();
    fixture.commit_file("conf/app.yml", &config(&password, ""));
    let first = ids(&fixture, &password, &["."]).expect("found");
    assert!(first.as_str().is_some_and(|id| id.starts_with("p1-")));
    fixture.commit_file("conf/app.yml", &config(&password, "# a comment\nname: x\n"));
    assert_eq!(ids(&fixture, &password, &["."]), Some(first.clone()));
    fixture.git(&["mv", "conf/app.yml", "settings.yml"]);
    fixture.commit("rename");
    assert_eq!(ids(&fixture, &password, &["."]), Some(first.clone()));
    assert_eq!(
        ids(&fixture, &password, &["--no-history"]),
        Some(first.clone())
    );

    let other = Fixture::new();
    let another = expand("{{alnum:6}}3Zb", 4).expect("valid").text;
    other.commit_file("conf/app.yml", &config(&another, ""));
    assert_eq!(ids(&other, &another, &["."]), Some(first));
}

#[test]
fn staged_scans_the_index_and_only_what_is_new() {
    let fixture = Fixture::new();
    let (old, new) = (token(11), token(12));
    fixture.commit_file("a.env", &format!("OLD={old}\n"));
    fixture.write("a.env", format!("OLD={old}\nNEW={new}\n"));
    fixture.git(&["add", "a.env"]);
    fixture.write("a.env", "the work tree is clean\n");
    let ran = jsonl(fixture.path(), &["--staged"]);
    let found = ran.by_secret();
    assert_eq!(ran.code, 1);
    assert_eq!(found.keys().collect::<Vec<_>>(), [&new]);
    assert_eq!(found[&new][0]["source"], "staged");
    assert_eq!(found[&new][0]["line"], 2);
    fixture.commit("take it");
    assert_eq!(jsonl(fixture.path(), &["--staged"]).code, 0);
    fixture.git(&["mv", "a.env", "b.env"]);
    fixture.git(&["add", "-A"]);
    assert_eq!(jsonl(fixture.path(), &["--staged"]).code, 0);
}

#[test]
fn a_pack_whose_index_lies_hides_nothing_that_is_staged() {
    let fixture = Fixture::new();
    let new = token(13);
    let text = format!("NEW={new}\n");
    fixture.commit_file("a.env", "what stands in the pack for this\n");
    let old = fixture.git(&["rev-parse", "HEAD:a.env"]);
    let old = ObjectId::from_hex(old.as_bytes()).expect("an id");
    // Under the ids of the old file and of one that is staged the pack has the new one.
    let staged = object_id("blob", b"something else");
    let mut pack = PackFile::default();
    for id in [old, staged] {
        pack.add(id, blob_entry(text.as_bytes(), text.len() as u64));
    }
    pack.write(fixture.path(), "lies");
    let entry = format!("100644,{staged},b.env");
    fixture.git(&["update-index", "--add", "--cacheinfo", &entry]);
    fixture.write("a.env", &text);
    fixture.git(&["add", "a.env"]);
    let ran = jsonl(fixture.path(), &["--staged"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let told: Vec<&str> = ran
        .out
        .lines()
        .filter(|one| one.contains("another content"))
        .collect();
    assert!(
        matches!(told[..], [one] if one.contains("b.env")),
        "{}",
        ran.out
    );
    let found = &ran.by_secret()[&new];
    let paths: Vec<_> = found.iter().map(|one| one["path"].as_str()).collect();
    assert_eq!(paths, [Some("a.env"), Some("b.env")]);
}

#[test]
fn a_range_sees_what_was_added_and_removed_inside_and_nothing_older() {
    let fixture = Fixture::new();
    let (old, gone, kept) = (token(21), token(22), token(23));
    let base = fixture.commit_file("old.env", &format!("T={old}\n"));
    fixture.commit_file("gone.env", &format!("T={gone}\n"));
    fixture.git(&["rm", "-q", "gone.env"]);
    fixture.commit("remove");
    fixture.commit_file("old.env", &format!("T={old}\nU={kept}\n"));
    for args in [["--range", &format!("{base}..HEAD")], ["--since", &base]] {
        let ran = jsonl(fixture.path(), &args);
        let found = ran.by_secret();
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert_eq!(found.len(), 2, "{args:?}");
        assert_eq!(found[&gone][0]["in_head"], false);
        assert_eq!(found[&kept][0]["in_head"], true);
    }
    let excluded = jsonl(fixture.path(), &["--since", &base, "--exclude", "*.env"]);
    assert_eq!(excluded.code, 0);
    let missing = jsonl(fixture.path(), &["--range", "nowhere..HEAD"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("nowhere") && missing.err.contains("fetch-depth"));
}

#[test]
fn a_merge_in_a_range_is_compared_with_all_its_parents() {
    let fixture = Fixture::new();
    let base = fixture.commit_file("a.txt", "harmless\n");
    fixture.git(&["checkout", "-q", "-b", "side"]);
    fixture.commit_file("b.txt", "harmless\n");
    fixture.git(&["checkout", "-q", "main"]);
    fixture.commit_file("c.txt", "harmless\n");
    fixture.git(&["merge", "-q", "--no-commit", "--no-ff", "side"]);
    let secret = token(31);
    fixture.write("evil.env", format!("T={secret}\n"));
    fixture.git(&["add", "-A"]);
    let merge = fixture.commit("merge");
    let found = jsonl(fixture.path(), &["--since", &base]).by_secret();
    assert_eq!(found[&secret].len(), 1);
    assert_eq!(found[&secret][0]["commit"], Value::from(merge));
}

#[test]
fn standard_input_is_scanned_and_nothing_is_shown_in_clear() {
    let directory = tempfile::tempdir().expect("scratch");
    let secret = token(41);
    let text = format!("x\nTOKEN={secret}\n");
    let ran = straykey(directory.path(), &["scan", "-"], text.as_bytes());
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("line 2, column 7"), "{}", ran.out);
    assert!(!ran.out.contains(&secret) && !ran.err.contains(&secret));
    let zero = straykey(
        directory.path(),
        &["scan", "--exit-zero", "-"],
        text.as_bytes(),
    );
    assert_eq!(zero.code, 0);
    let high = ["scan", "--fail-on", "critical", "-"];
    let medium = expand("password = \"{{alnum:6}}7Aq\"", 1)
        .expect("valid")
        .text;
    assert_eq!(straykey(directory.path(), &high, medium.as_bytes()).code, 0);
}

#[test]
fn a_password_that_everybody_tries_is_of_low_severity() {
    let directory = tempfile::tempdir().expect("scratch");
    let severity = |template: &str| {
        let drawn = expand(template, 5).expect("valid");
        let ran = straykey(
            directory.path(),
            &["scan", "-f", "jsonl", "-"],
            drawn.text.as_bytes(),
        );
        let found: Value = serde_json::from_str(&ran.out).expect("one finding");
        found["severity"].clone()
    };
    assert_eq!(severity("password = \"«summer{{digits:2}}»\"\n"), "low");
    assert_eq!(severity("password = \"«{{alnum:11}}!7aQ»\"\n"), "medium");
}

#[test]
fn the_model_explains_itself_without_the_value() {
    let directory = tempfile::tempdir().expect("scratch");
    let drawn = expand("db_password = \"«{{alnum:9}}7Aq»\"\n", 3).expect("valid");
    let scan = |args: &[&str]| straykey(directory.path(), args, drawn.text.as_bytes());
    let explained = scan(&["scan", "--explain", "-"]);
    assert!(
        explained.out.contains("the model says +"),
        "{}",
        explained.out
    );
    assert!(!explained.out.contains(&drawn.secret));
    let plain = scan(&["scan", "-"]);
    assert!(!plain.out.contains("the model says"), "{}", plain.out);
}

#[test]
fn encodings_are_seen_through() {
    let directory = tempfile::tempdir().expect("scratch");
    let secret = token(51);
    let inner = data_encoding::BASE64.encode(format!("TOKEN={secret}").as_bytes());
    std::fs::write(directory.path().join("a.yml"), format!("data: {inner}\n")).expect("writable");
    let twice = data_encoding::BASE64.encode(inner.as_bytes());
    std::fs::write(directory.path().join("b.yml"), format!("data: {twice}\n")).expect("writable");
    let wide: Vec<u8> = format!("\u{feff}x\nTOKEN={secret}\n")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    std::fs::write(directory.path().join("c.ini"), wide).expect("writable");
    let ran = jsonl(directory.path(), &["."]);
    let found = ran.by_secret();
    let mut places: Vec<_> = found[&secret]
        .iter()
        .map(|r| {
            (
                r["path"].as_str().unwrap_or_default(),
                r["line"].as_u64().unwrap_or(0),
            )
        })
        .collect();
    places.sort();
    assert_eq!(places, [("a.yml", 1), ("b.yml", 1), ("c.ini", 2)]);
}

#[test]
fn mistakes_are_named_with_the_next_step_and_exit_2() {
    let directory = tempfile::tempdir().expect("scratch");
    let path = directory.path();
    for (args, expected) in [
        (&["scan", "nope"][..], "nope"),
        (&["scan", "--staged"], "not a git repository"),
        (&["scan", "--history-only"], "not a git repository"),
        (&["scan", "--format", "nope"], "no format `nope`"),
        (
            &["scan", "--format", "json", "--format", "sarif"],
            "standard output",
        ),
        (&["scan", "--only", "nope"], "detectors list"),
        (&["scan", "--baseline", "nope"], "baseline create"),
        (&["scna"], "scan"),
    ] {
        let ran = straykey(path, args, b"");
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.err.contains(expected), "{args:?}: {}", ran.err);
        assert!(ran.out.is_empty(), "{args:?}");
    }
    std::fs::write(path.join("straykey.toml"), "[scan]\nexclud = []\n").expect("writable");
    let ran = straykey(path, &["scan"], b"");
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("straykey.toml") && ran.err.contains("exclud"),
        "{}",
        ran.err
    );
    std::fs::write(path.join("straykey.toml"), "[scan]\nexclude = [\"**\"]\n").expect("writable");
    let ran = straykey(path, &["scan"], b"");
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("every file"), "{}", ran.err);
}

#[test]
fn a_baseline_and_comments_silence_and_are_counted() {
    let fixture = Fixture::new();
    let (known, marked, new) = (token(61), token(62), token(63));
    fixture.commit_file(
        "a.env",
        &format!("T={known}\nU={marked} # straykey:ignore -- test\n"),
    );
    let created = straykey(fixture.path(), &["baseline", "create"], b"");
    assert_eq!(created.code, 0, "{}", created.err);
    let text = straykey(fixture.path(), &["scan"], b"");
    assert_eq!(text.code, 0, "{}", text.out);
    assert!(
        text.out.contains("2 suppressed by 2 sources"),
        "{}",
        text.out
    );
    fixture.commit_file("b.env", &format!("T={new}\n"));
    assert_eq!(straykey(fixture.path(), &["scan"], b"").code, 1);
    let baseline = std::fs::read_to_string(fixture.path().join("straykey.baseline"));
    let baseline = baseline.expect("written");
    assert!(!baseline.contains(&known));
    assert_eq!(
        straykey(fixture.path(), &["baseline", "create"], b"").code,
        2
    );
    assert_eq!(
        straykey(fixture.path(), &["baseline", "update"], b"").code,
        0
    );
    assert_eq!(straykey(fixture.path(), &["scan"], b"").code, 0);
}

#[test]
fn a_shallow_clone_says_what_is_missing_and_how_to_go_on() {
    let fixture = Fixture::new();
    for n in 0..4 {
        fixture.commit_file("a.txt", &format!("{n}\n"));
    }
    let clone = tempfile::tempdir().expect("scratch");
    let url = format!("file://{}", fixture.path().display());
    let target = clone.path().join("clone");
    let target = target.to_str().expect("a plain path");
    fixture.git(&["clone", "-q", "--depth", "2", &url, target]);
    let ran = straykey(Path::new(target), &["scan"], b"");
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(
        ran.out.contains("fetch-depth: 0") && ran.out.contains("--no-history"),
        "{}",
        ran.out
    );
    assert_eq!(
        straykey(Path::new(target), &["scan", "--no-history"], b"").code,
        0
    );
    let base = fixture.git(&["rev-parse", "HEAD~3"]);
    let range = format!("{base}..HEAD");
    assert_eq!(
        straykey(Path::new(target), &["scan", "--range", &range], b"").code,
        2
    );
}

#[test]
fn a_broken_repository_is_incomplete_and_its_files_are_scanned() {
    let fixture = Fixture::new();
    let secret = token(71);
    fixture.commit_file("a.env", &format!("T={secret}\n"));
    fixture.git(&["repack", "-q", "-a", "-d"]);
    let packs = fixture.path().join(".git/objects/pack");
    for entry in std::fs::read_dir(packs).expect("a folder") {
        let path = entry.expect("readable").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "pack")
        {
            let bytes = std::fs::read(&path).expect("readable");
            std::fs::remove_file(&path).expect("ours");
            std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("ours");
        }
    }
    let ran = jsonl(fixture.path(), &["."]);
    assert_eq!(ran.code, 3);
    assert!(ran.by_secret().contains_key(&secret));
    assert!(ran.out.contains("pack-"), "the pack is named: {}", ran.out);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_or_named_does_not_stop_the_rest() {
    use std::os::unix::ffi::OsStrExt as _;
    let directory = tempfile::tempdir().expect("scratch");
    let secret = token(81);
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9\x1b[31m.env");
    std::fs::write(directory.path().join(odd), format!("T={secret}\n")).expect("writable");
    std::os::unix::fs::symlink("/", directory.path().join("root")).expect("a link");
    let fifo = directory.path().join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .expect("coreutils")
            .success()
    );
    let ran = straykey(directory.path(), &["scan"], b"");
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("caf\\xe9\\u{1b}[31m.env"), "{}", ran.out);
}

#[test]
fn nothing_that_a_repository_says_is_run() {
    let fixture = Fixture::new();
    fixture.commit_file("a.txt", "harmless\n");
    let witness = fixture.path().join("witness");
    let run = format!("touch {}", witness.display());
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.editor",
        "credential.helper",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.external",
        "core.gitProxy",
    ] {
        fixture.git(&["config", key, &run]);
    }
    fixture.write(".gitattributes", "* filter=evil diff=evil\n");
    let hooks = [
        "pre-commit",
        "post-checkout",
        "post-index-change",
        "fsmonitor-watchman",
    ];
    for hook in hooks {
        fixture.write(&format!(".git/hooks/{hook}"), format!("#!/bin/sh\n{run}\n"));
    }
    for args in [
        &["scan"][..],
        &["scan", "--staged"],
        &["scan", "--range", "HEAD"],
    ] {
        let ran = straykey(fixture.path(), args, b"");
        assert_eq!(ran.code, 0, "{args:?} {} {}", ran.out, ran.err);
    }
    assert!(!witness.exists());
}

#[test]
fn files_of_other_scanners_are_honoured_until_told_not_to() {
    use sha1::{Digest as _, Sha1};
    let fixture = Fixture::new();
    let token = |seed| {
        expand("{{crc-base62:ghp_:30}}", seed)
            .expect("a template")
            .text
    };
    let (one, two, three) = (token(1), token(2), token(3));
    fixture.write("a.env", format!("# first\nA={one}\n"));
    fixture.write("b.env", format!("B={two}\n"));
    fixture.write("c.env", format!("C={three}\n"));
    fixture.write("d.env", format!("D={three}\n"));
    fixture.write(
        ".gitleaksignore",
        "# known\na.env:github-pat:2\nc.env:github-pat:1\nodd\n",
    );
    let hash = data_encoding::HEXLOWER.encode(&Sha1::digest(two.as_bytes()));
    let baseline = serde_json::json!({"results": {"b.env": [{"hashed_secret": hash}]}});
    fixture.write(".secrets.baseline", baseline.to_string());
    let secrets = |ran: &Ran| ran.by_secret().into_keys().collect::<Vec<_>>();
    let ran = jsonl(fixture.path(), &["--no-history"]);
    // The third one is accepted in one of its two files only.
    assert!(secrets(&ran) == [three], "{} records", secrets(&ran).len());
    assert!(ran.err.contains(".gitleaksignore: line 4"), "{}", ran.err);
    let all = jsonl(fixture.path(), &["--no-history", "--no-foreign-ignores"]);
    assert_eq!(all.by_secret().len(), 3);
    fixture.git(&["add", "-A"]);
    let commit = fixture.commit("all");
    let entry = |commit: &str| format!("{commit}:a.env:github-pat:2\n");
    fixture.write(".gitleaksignore", entry(&commit));
    let ran = jsonl(fixture.path(), &["--history-only"]);
    assert!(!secrets(&ran).contains(&one));
    fixture.write(".gitleaksignore", entry(&"0".repeat(40)));
    let ran = jsonl(fixture.path(), &["--history-only"]);
    assert!(secrets(&ran).contains(&one));
}

#[test]
fn every_broken_detector_file_of_a_folder_is_named() {
    let folder = tempfile::tempdir().expect("a scratch directory");
    std::fs::write(folder.path().join("a.toml"), "not = [toml").expect("writable");
    std::fs::write(folder.path().join("b.toml"), "x = 1\n").expect("writable");
    let good = concat!(env!("CARGO_MANIFEST_DIR"), "/detectors/npm.toml");
    std::fs::copy(good, folder.path().join("npm.toml")).expect("readable");
    let ran = straykey(folder.path(), &["detectors", "test", "."], b"");
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("a.toml") && ran.err.contains("b.toml"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("2 files cannot be used"), "{}", ran.out);
    assert!(
        !ran.out.starts_with('0'),
        "the good one is tested: {}",
        ran.out
    );
}

#[test]
fn a_repository_that_lost_objects_is_no_quiet_pass() {
    let fixture = Fixture::new();
    let commit = fixture.commit_file("a.txt", "hello\n");
    let tree = fixture.git(&["rev-parse", "HEAD^{tree}"]);
    let object = |id: &str| {
        let (folder, file) = id.split_at(2);
        fixture.path().join(".git/objects").join(folder).join(file)
    };
    assert_eq!(straykey(fixture.path(), &["scan"], b"").code, 0);
    std::fs::remove_file(object(&tree)).expect("a loose object");
    let ran = straykey(fixture.path(), &["scan"], b"");
    assert_eq!(ran.code, 3);
    let said = ran.out + &ran.err;
    assert!(
        said.contains("1 commits name trees that are not here"),
        "{said}"
    );
    std::fs::remove_file(object(&commit)).expect("a loose object");
    let ran = straykey(fixture.path(), &["scan"], b"");
    assert_eq!(ran.code, 3);
    let said = ran.out + &ran.err;
    assert!(
        said.contains("refs/heads/main") && said.contains("git fsck"),
        "{said}"
    );
}

#[test]
fn every_kernel_of_the_prefilter_gives_the_same_report_and_an_unknown_one_is_refused() {
    let fixture = Fixture::new();
    let token = expand("{{crc-base62:ghp_:30}}", 7)
        .expect("a template")
        .text;
    fixture.write("settings.env", format!("GITHUB_TOKEN={token}\n"));
    let with = |simd: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_straykey"))
            .args(["scan", "--format", "jsonl", "--quiet"])
            .current_dir(fixture.path())
            .env("STRAYKEY_SIMD", simd)
            .output();
        output.expect("the binary runs")
    };
    let scalar = with("scalar");
    assert_eq!(scalar.status.code(), Some(1));
    for simd in Simd::supported() {
        let output = with(&simd.to_string());
        assert_eq!(output.status.code(), Some(1), "{simd}");
        assert_eq!(output.stdout, scalar.stdout, "{simd}");
    }
    let unknown = with("mmx");
    assert_eq!(unknown.status.code(), Some(2));
    let error = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(
        error.contains("STRAYKEY_SIMD") && error.contains("scalar"),
        "{error}"
    );
}

/// A detector file with one detector, `acme-key`.
fn acme(keywords: &str, pattern: &str) -> String {
    format!(
        "[provider]\nid = \"acme\"\nname = \"Acme\"\ncategory = \"saas\"\ndocs = \"\"\n\
         [[detector]]\nid = \"acme-key\"\nname = \"Key\"\ndescription = \"All.\"\n\
         keywords = {keywords}\npattern = '''{pattern}'''\n"
    )
}

#[test]
fn lint_measures_anchors_and_holds_them_to_limits() {
    let folder = tempfile::tempdir().expect("a scratch directory");
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::write(path, text).expect("writable");
    };
    let lint =
        |args: &[&str]| straykey(folder.path(), &[&["detectors", "lint"], args].concat(), b"");
    write(
        "acme.toml",
        acme("[\"acme_\"]", r"\b(?<secret>acme_[0-9]{9})\b").as_bytes(),
    );
    // A hundred thousand bytes with three hits, one of which is inside a word; one more in UTF-16.
    let text = " ".repeat(99_161) + "acme_ acme_ xacme_\n";
    write("corpus/a.txt", text.as_bytes());
    write("corpus/.gitignore", b"a.txt\n");
    let wide = format!("\u{feff}{:400}acme_\n", "");
    let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
    write("corpus/b.txt", &wide);
    let own = ["--detectors", "acme.toml", "corpus", "--max-detector"];

    let ran = lint(&[&own[..], &["40"]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("30.00    40.00  \"acme_\"  "),
        "{}",
        ran.out
    );
    assert!(
        ran.out.ends_with("in 0.1 MB of 3 files, at most 150\n"),
        "{}",
        ran.out
    );

    let ran = lint(&[&own[..], &["20"]].concat());
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("acme-key: 30.00 candidates/MB, over 20\n"),
        "{}",
        ran.out
    );
    let ran = lint(&[&own[..], &["40", "--max-total", "10"]].concat());
    assert_eq!(ran.code, 1);
    assert!(ran.out.ends_with("over 10\n"), "{}", ran.out);

    // Words count where they are assigned something.
    let code = "if password == other.password: reset(password)\npassword = \"x\"\n".repeat(1000);
    write("code/a.py", code.as_bytes());
    let ran = lint(&["code", "--top", "1"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("generic-password: "), "{}", ran.out);
    assert!(ran.out.contains("\"passw\" (any case)"), "{}", ran.out);

    // Short anchors are named, whatever their rate.
    write(
        "acme.toml",
        acme("[\"ac_\"]", r"\b(?<secret>ac_[0-9]{9})\b").as_bytes(),
    );
    let ran = lint(&own[..3]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out
            .contains("acme-key: anchor \"ac_\" has under 4 bytes"),
        "{}",
        ran.out
    );

    assert_eq!(lint(&[]).code, 2, "no corpus");
    assert_eq!(lint(&["nowhere"]).code, 2);
    write("empty/a.txt", b"");
    assert_eq!(lint(&["empty"]).code, 2);
}

#[test]
fn coverage_counts_detectors_and_compares_them_with_a_list() {
    let folder = tempfile::tempdir().expect("a scratch directory");
    let coverage = |args: &[&str]| {
        straykey(
            folder.path(),
            &[&["detectors", "coverage"], args].concat(),
            b"",
        )
    };
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("writable");
    };
    let ran = coverage(&[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for row in [
        "category  providers  detectors\n",
        "\ncrypto ",
        "\nall ",
        "  found by a pattern\n",
        "  without a vendor's source\n",
    ] {
        assert!(ran.out.contains(row), "{row:?} in {}", ran.out);
    }

    write("list", "# ours\ngithub\nAzure-OpenAI\nnetrc\n");
    let ran = coverage(&["--list", "list"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("3 of 3 covered\n"), "{}", ran.out);

    let tiers = "# Providers\n\n- tier 1 (2): aws gk, no-such-provider k\n- something else: x, y\n";
    write("list.md", tiers);
    let ran = coverage(&["--list", "list.md"]);
    assert_eq!(ran.code, 1);
    let end = "1 of 2 covered\n  covered  aws\n  missing  no-such-provider\n";
    assert!(ran.out.ends_with(end), "{}", ran.out);

    write("empty", "\n");
    let ran = coverage(&["--list", "empty"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no names in the list"), "{}", ran.err);
}
