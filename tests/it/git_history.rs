//! What reaches an object and since when, in repositories with every hiding place.

use std::collections::BTreeMap;
use std::path::Path;

use straykey::model::{Diagnostic, Diagnostics, ObjectId, Reachability, Role};
use straykey::source::git::{Attribution, History, Repository, Store, StoreOptions};

use crate::git_fixture::{Fixture, copy_dir, import_stream};

type Answer = BTreeMap<ObjectId, Attribution>;

/// What is expected of one object; ids as git prints them.
struct Expected {
    what: &'static str,
    id: String,
    role: Role,
    reachability: Reachability,
    path: Option<&'static str>,
    in_head: bool,
    introduced: Option<String>,
    removed: Option<String>,
}

#[test]
fn every_hiding_place_is_named() {
    let (fixture, expected) = hiding_places();
    let (answer, diagnostics) = attribute(fixture.path(), &ids(&expected));
    assert_eq!(diagnostics, []);
    check(&answer, &expected);
}

#[test]
fn packs_alternates_and_threads_change_no_answer() {
    let (fixture, expected) = hiding_places();
    let ids = ids(&expected);
    let (loose, _) = attribute(fixture.path(), &ids);
    let objects = fixture.path().join(".git/objects");
    let lent = fixture.path().join(".git/lent/objects");
    std::fs::create_dir(fixture.path().join(".git/lent")).expect("writable");
    copy_dir(&objects, &lent);
    fixture.git(&["repack", "-adkq"]);
    fixture.git(&["pack-refs", "--all"]);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("threads");
        let packed = pool.install(|| attribute(fixture.path(), &ids).0);
        assert!(packed == loose, "{threads} threads");
    }
    std::fs::remove_dir_all(&objects).expect("removable");
    std::fs::create_dir(&objects).expect("writable");
    fixture.write(".git/objects/info/alternates", "../lent/objects\n");
    let (borrowed, diagnostics) = attribute(fixture.path(), &ids);
    assert_eq!(diagnostics, []);
    assert!(borrowed == loose);
}

#[test]
fn names_that_lead_nowhere_are_told_and_harm_nothing() {
    let fixture = Fixture::new();
    fixture.commit_file("a.txt", "a\n");
    let blob = fixture.git(&["rev-parse", "HEAD:a.txt"]);
    fixture.write(".git/refs/heads/gone", format!("{}\n", "1".repeat(40)));
    let (answer, diagnostics) = attribute(fixture.path(), &[id(&blob)]);
    assert_eq!(answer[&id(&blob)].reachability, Reachability::Head);
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].subject, "refs/heads/gone");
}

#[test]
fn an_empty_repository_has_no_history_and_no_trouble() {
    let fixture = Fixture::new();
    let blob = hash(&fixture, "lonely\n");
    let (answer, diagnostics) = attribute(fixture.path(), &[id(&blob)]);
    assert_eq!(diagnostics, []);
    let attribution = &answer[&id(&blob)];
    assert_eq!(attribution.reachability, Reachability::Unreachable);
    assert_eq!(attribution.path, None);
    assert_eq!(origins(fixture.path(), &["x"]), ["x"]);
}

#[test]
fn paths_first_and_last_commits_follow_the_blob() {
    let fixture = Fixture::new();
    let first = fixture.commit_file("b.txt", "the blob\n");
    let blob = fixture.git(&["rev-parse", "HEAD:b.txt"]);
    fixture.commit_file("a.txt", "the blob\n");
    let one = &attribute(fixture.path(), &[id(&blob)]).0[&id(&blob)];
    // The copy comes first by name; the place that had it first counts.
    assert_eq!(text(&one.path), Some("b.txt"));
    assert_eq!(one.other_paths, [b"a.txt"]);
    assert!(one.in_head && one.removed.is_none());
    fixture.git(&["rm", "-q", "b.txt"]);
    fixture.commit("remove one");
    let one = &attribute(fixture.path(), &[id(&blob)]).0[&id(&blob)];
    assert_eq!(text(&one.path), Some("a.txt"));
    assert!(one.in_head && one.removed.is_none());
    let last = fixture.commit_file("a.txt", "something else\n");
    let one = &attribute(fixture.path(), &[id(&blob)]).0[&id(&blob)];
    assert_eq!(point(&one.introduced), Some(first));
    assert_eq!(point(&one.removed), Some(last));
    assert!(!one.in_head);
}

#[test]
fn a_merge_that_takes_the_other_side_removes() {
    let fixture = Fixture::new();
    fixture.commit_file("a.txt", "base\n");
    fixture.git(&["checkout", "-q", "-b", "side"]);
    fixture.commit_file("a.txt", "side\n");
    let blob = fixture.git(&["rev-parse", "HEAD:a.txt"]);
    fixture.git(&["checkout", "-q", "main"]);
    fixture.commit_file("b.txt", "main\n");
    fixture.git(&["merge", "-q", "-s", "ours", "-m", "ours", "side"]);
    let merge = fixture.git(&["rev-parse", "HEAD"]);
    fixture.git(&["branch", "-D", "-q", "side"]);
    fixture.commit_file("c.txt", "later\n");
    let one = &attribute(fixture.path(), &[id(&blob)]).0[&id(&blob)];
    assert_eq!(one.reachability, Reachability::Head);
    assert_eq!(point(&one.removed), Some(merge));
}

#[test]
fn renames_are_followed_to_where_the_file_began() {
    let fixture = Fixture::new();
    let lines: String = (0..20).map(|n| format!("line {n} of the file\n")).collect();
    fixture.commit_file("config/old.txt", &lines);
    let oldest = fixture.git(&["rev-parse", "HEAD:config/old.txt"]);
    fixture.git(&["mv", "config", "lib"]);
    fixture.git(&["mv", "lib/old.txt", "lib/new.txt"]);
    fixture.write("lib/new.txt", lines.replace("line 3 ", "LINE 3 "));
    fixture.git(&["add", "-A"]);
    fixture.commit("rename with a change");
    fixture.git(&["mv", "lib", "src"]);
    fixture.commit("move the directory");
    fixture.commit_file("src/new.txt", &lines.replace("line 5 ", "LINE 5 "));
    let newest = fixture.git(&["rev-parse", "HEAD:src/new.txt"]);
    fixture.commit_file("src/other.txt", "nothing in common\n");

    let asked = ["src/new.txt", "src/other.txt", "untracked"];
    let expected = ["config/old.txt", "src/other.txt", "untracked"];
    assert_eq!(origins(fixture.path(), &asked), expected);
    let (answer, _) = attribute(fixture.path(), &[id(&oldest), id(&newest)]);
    for blob in [oldest, newest] {
        let one = &answer[&id(&blob)];
        assert_eq!(one.origin, b"config/old.txt");
    }
}

#[test]
fn a_rename_on_a_branch_is_followed_through_the_merge() {
    let fixture = Fixture::new();
    fixture.commit_file("a.txt", "one\ntwo\nthree\n");
    fixture.git(&["checkout", "-q", "-b", "side"]);
    fixture.git(&["mv", "a.txt", "b.txt"]);
    fixture.commit("rename");
    fixture.git(&["checkout", "-q", "main"]);
    fixture.commit_file("c.txt", "main goes on\n");
    fixture.git(&["merge", "-q", "-m", "merge", "side"]);
    assert_eq!(
        origins(fixture.path(), &["b.txt", "c.txt"]),
        ["a.txt", "c.txt"]
    );
}

#[test]
fn a_path_used_again_for_a_new_file_starts_anew() {
    let fixture = Fixture::new();
    fixture.commit_file("a.txt", "one\ntwo\nthree\n");
    fixture.git(&["mv", "a.txt", "b.txt"]);
    fixture.commit("rename");
    fixture.git(&["rm", "-q", "b.txt"]);
    fixture.commit("remove");
    fixture.commit_file("b.txt", "an unrelated file\n");
    assert_eq!(origins(fixture.path(), &["b.txt"]), ["b.txt"]);
}

#[test]
fn a_rewritten_file_and_an_empty_one_are_no_renames() {
    let fixture = Fixture::new();
    fixture.commit_file("a.txt", "one\ntwo\nthree\n");
    fixture.commit_file("empty", "");
    fixture.git(&["mv", "a.txt", "b.txt"]);
    fixture.git(&["mv", "empty", "void"]);
    fixture.write("b.txt", "four\nfive\nsix\n");
    fixture.git(&["add", "-A"]);
    fixture.commit("rewrite");
    assert_eq!(
        origins(fixture.path(), &["b.txt", "void"]),
        ["b.txt", "void"]
    );
}

#[test]
fn a_shallow_clone_says_so_and_starts_at_its_edge() {
    let source = Fixture::new();
    source.commit_file("a.txt", "one\ntwo\nthree\n");
    source.git(&["mv", "a.txt", "b.txt"]);
    source.commit("rename");
    source.commit_file("c.txt", "more\n");
    let clone = cloned(&source, &["--depth=1"]);
    let blob = source.git(&["rev-parse", "HEAD:b.txt"]);
    let edge = source.git(&["rev-parse", "HEAD"]);
    let (answer, diagnostics) = attribute(&clone.path().join("clone"), &[id(&blob)]);
    let one = &answer[&id(&blob)];
    assert_eq!(one.origin, b"b.txt");
    assert_eq!(point(&one.introduced), Some(edge));
    assert_eq!(diagnostics.len(), 1);
    let message = &diagnostics[0].message;
    assert!(message.contains("fetch-depth: 0") && message.contains("--no-history"));
}

#[test]
fn a_partial_clone_counts_what_it_lacks() {
    let source = Fixture::new();
    source.git(&["config", "uploadpack.allowFilter", "true"]);
    for n in 0..5 {
        source.commit_file("a.txt", &format!("{n}\n"));
        source.commit_file("dir/b.txt", &format!("b {n}\n"));
    }
    let clone = cloned(&source, &["--filter=blob:none", "--no-checkout"]);
    let path = clone.path().join("clone");
    let message = |count: usize| format!("a partial clone: at least {count} objects");
    let diagnostics = sweep(&path);
    assert_eq!(diagnostics.len(), 1);
    assert!(
        diagnostics[0].message.starts_with(&message(10)),
        "{diagnostics:?}"
    );
    let blob = source.git(&["rev-parse", "HEAD~3:a.txt"]);
    let (answer, _) = attribute(&path, &[id(&blob)]);
    assert_eq!(text(&answer[&id(&blob)].path), Some("a.txt"));
    let path = path.to_str().expect("text");
    clone.git(&["-C", path, "fetch", "-q", "--refetch", "--no-filter"]);
    assert_eq!(sweep(Path::new(path)), []);
}

#[test]
fn a_linked_worktree_has_its_own_head() {
    let fixture = Fixture::new();
    fixture.commit_file("a.txt", "main\n");
    fixture.git(&["worktree", "add", "-q", "-b", "other", "linked"]);
    fixture.write("linked/b.txt", "linked\n");
    fixture.git(&["-C", "linked", "add", "-A"]);
    fixture.git(&["-C", "linked", "commit", "-q", "-m", "linked"]);
    let blob = fixture.git(&["rev-parse", "other:b.txt"]);
    let class = |path: &Path| attribute(path, &[id(&blob)]).0[&id(&blob)].reachability;
    assert_eq!(class(fixture.path()), Reachability::Branch);
    assert_eq!(class(&fixture.path().join("linked")), Reachability::Head);
}

#[test]
fn trees_that_hold_each_other_many_times_over_end() {
    let fixture = Fixture::new();
    let blob = hash(&fixture, "needle\n");
    let mut tree = mktree(&fixture, &format!("100644 blob {blob}\tneedle\n"));
    for _ in 0..20 {
        let entries: String = (0..9)
            .map(|n| format!("040000 tree {tree}\t{n}\n"))
            .collect();
        tree = mktree(&fixture, &entries);
    }
    let commit = fixture.git(&["commit-tree", "-m", "bomb", &tree]);
    let tree = mktree(
        &fixture,
        &format!("100644 blob {}\ta\n", hash(&fixture, "1\n")),
    );
    let next = fixture.git(&["commit-tree", "-m", "defused", "-p", &commit, &tree]);
    fixture.git(&["update-ref", "HEAD", &next]);
    let (answer, _) = attribute(fixture.path(), &[id(&blob)]);
    let one = &answer[&id(&blob)];
    assert_eq!(point(&one.introduced), Some(commit));
    assert_eq!(point(&one.removed), Some(next));
    assert_eq!(origins(fixture.path(), &["a"]), ["a"]);
}

#[test]
fn all_blobs_of_a_long_history_equal_git_log() {
    let fixture = Fixture::new();
    let commits = (0..300).map(|n| {
        vec![
            (format!("d{}/f", n % 5), format!("{}\n", n / 2)),
            (format!("g{}", n % 3), format!("g {n}\n")),
        ]
    });
    let stream = import_stream(commits.collect());
    fixture.git_input(&["fast-import", "--quiet"], &stream);
    let log = fixture.git(&[
        "log",
        "--reverse",
        "--raw",
        "--no-abbrev",
        "--no-renames",
        "--format=%H",
        "-m",
        "--root",
    ]);
    let mut commit = "";
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for line in log.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix(':') {
            None => commit = line,
            Some(change) => {
                let new = change.split(' ').nth(3).expect("an id");
                first.entry(new).or_insert(commit);
            }
        }
    }
    let ids: Vec<_> = first.keys().map(|text| id(text)).collect();
    let (answer, _) = attribute(fixture.path(), &ids);
    assert!(ids.len() > 400);
    for (blob, commit) in first {
        assert_eq!(
            point(&answer[&id(blob)].introduced).as_deref(),
            Some(commit)
        );
    }
}

/// A repository with every place in which an object can hide, and what is expected of each.
fn hiding_places() -> (Fixture, Vec<Expected>) {
    let fixture = Fixture::new();
    let f = &fixture;
    let mut expected = Vec::new();
    let mut expect = |what, id: &str, role, reachability, path| {
        expected.push(Expected {
            what,
            id: id.to_owned(),
            role,
            reachability,
            path,
            in_head: false,
            introduced: None,
            removed: None,
        });
        expected.len() - 1
    };
    let start = f.commit_file("kept.txt", "kept\n");
    let kept = f.git(&["rev-parse", "HEAD:kept.txt"]);
    let kept = expect(
        "kept",
        &kept,
        Role::File,
        Reachability::Head,
        Some("kept.txt"),
    );
    let gone_from = f.commit_file("dir/deleted.txt", "deleted\n");
    let deleted = f.git(&["rev-parse", "HEAD:dir/deleted.txt"]);
    let deleted = expect(
        "deleted",
        &deleted,
        Role::File,
        Reachability::Head,
        Some("dir/deleted.txt"),
    );
    f.git(&["rm", "-q", "dir/deleted.txt"]);
    let gone_in = f.commit("a message");
    let message = expect(
        "message",
        &gone_in,
        Role::CommitMessage,
        Reachability::Head,
        None,
    );

    f.git(&["tag", "-a", "-m", "tagged", "v1"]);
    let tag = f.git(&["rev-parse", "v1"]);
    expect("tag", &tag, Role::TagMessage, Reachability::Tag, None);
    f.git(&["notes", "add", "-m", "noted"]);
    let note = f.git(&["notes", "list", "HEAD"]);
    let note_in = f.git(&["rev-parse", "refs/notes/commits"]);
    let note = expect("note", &note, Role::Note, Reachability::Notes, None);

    f.git(&["checkout", "-q", "-b", "topic"]);
    f.commit_file("topic.txt", "topic\n");
    f.git(&["checkout", "-q", "main"]);
    f.commit_file("main.txt", "main\n");
    f.git(&["merge", "-q", "--no-commit", "--no-ff", "topic"]);
    let merge = f.commit_file("evil.txt", "only in the merge\n");
    let evil = f.git(&["rev-parse", "HEAD:evil.txt"]);
    let evil = expect(
        "merge",
        &evil,
        Role::File,
        Reachability::Head,
        Some("evil.txt"),
    );

    let plumbed = |name: &str| {
        let content = format!("{name}\n");
        let commit = f.commit_tree(&[(name, &content)], Some(&merge));
        (f.git(&["rev-parse", &format!("{commit}:{name}")]), commit)
    };
    let (branch, branch_in) = plumbed("branch.txt");
    f.git(&["update-ref", "refs/heads/side", &branch_in]);
    let branch = expect(
        "branch",
        &branch,
        Role::File,
        Reachability::Branch,
        Some("branch.txt"),
    );
    let (light, light_in) = plumbed("light.txt");
    f.git(&["tag", "light", &light_in]);
    let light = expect(
        "tag only",
        &light,
        Role::File,
        Reachability::Tag,
        Some("light.txt"),
    );
    let (pull, pull_in) = plumbed("pull.txt");
    f.git(&["update-ref", "refs/pull/1/head", &pull_in]);
    let pull = expect(
        "pull",
        &pull,
        Role::File,
        Reachability::PullRef,
        Some("pull.txt"),
    );
    let (lost, lost_in) = plumbed("lost.txt");
    let lost = expect(
        "dangling commit",
        &lost,
        Role::File,
        Reachability::Unreachable,
        Some("lost.txt"),
    );
    expect(
        "its message",
        &lost_in,
        Role::CommitMessage,
        Reachability::Unreachable,
        None,
    );

    f.commit_file("dropped.txt", "dropped\n");
    let dropped_in = f.git(&["rev-parse", "HEAD"]);
    let dropped = f.git(&["rev-parse", "HEAD:dropped.txt"]);
    f.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let dropped = expect(
        "reflog",
        &dropped,
        Role::File,
        Reachability::Reflog,
        Some("dropped.txt"),
    );
    f.write("kept.txt", "stashed\n");
    f.git(&["stash", "-q"]);
    let stashed = f.git(&["rev-parse", "stash:kept.txt"]);
    let stashed_in = f.git(&["rev-parse", "stash"]);
    let stashed = expect(
        "stash",
        &stashed,
        Role::File,
        Reachability::Stash,
        Some("kept.txt"),
    );

    let blob = hash(f, "a dangling blob\n");
    expect(
        "dangling blob",
        &blob,
        Role::File,
        Reachability::Unreachable,
        None,
    );
    let blob = hash(f, "in a dangling tree\n");
    let tree = mktree(f, &format!("100644 blob {blob}\tleaf.txt\n"));
    mktree(f, &format!("040000 tree {tree}\tlimb\n"));
    expect(
        "dangling tree",
        &blob,
        Role::File,
        Reachability::Unreachable,
        Some("limb/leaf.txt"),
    );
    let blob = hash(f, "a tagged blob\n");
    f.git(&["tag", "-a", "-m", "of a blob", "blob", &blob]);
    expect("tagged blob", &blob, Role::File, Reachability::Tag, None);

    let mut set = |at: usize, introduced: &str| expected[at].introduced = Some(introduced.into());
    set(kept, &start);
    set(deleted, &gone_from);
    set(message, &gone_in);
    set(note, &note_in);
    set(evil, &merge);
    set(branch, &branch_in);
    set(light, &light_in);
    set(pull, &pull_in);
    set(lost, &lost_in);
    set(dropped, &dropped_in);
    set(stashed, &stashed_in);
    expected[deleted].removed = Some(gone_in);
    expected[kept].in_head = true;
    expected[evil].in_head = true;
    (fixture, expected)
}

fn check(answer: &Answer, expected: &[Expected]) {
    for expected in expected {
        let what = expected.what;
        let got = &answer[&id(&expected.id)];
        assert_eq!(got.role, expected.role, "{what}");
        assert_eq!(got.reachability, expected.reachability, "{what}");
        if expected.role != Role::Note {
            assert_eq!(text(&got.path), expected.path, "{what}");
        }
        assert_eq!(got.in_head, expected.in_head, "{what}");
        // An object that only a commit holds is introduced by it; others by nothing.
        let messages = [Role::CommitMessage, Role::TagMessage].contains(&got.role);
        if expected.introduced.is_some() || !messages {
            assert_eq!(point(&got.introduced), expected.introduced, "{what}");
        }
        assert_eq!(point(&got.removed), expected.removed, "{what}");
        assert_eq!(got.origin, got.path.clone().unwrap_or_default(), "{what}");
    }
}

fn attribute(path: &Path, ids: &[ObjectId]) -> (Answer, Vec<Diagnostic>) {
    let diagnostics = Diagnostics::new();
    let repository = Repository::open(path).expect("a repository");
    let store = Store::open(&repository, &StoreOptions::default(), &diagnostics).expect("opens");
    let history = History::open(&repository, &store, &diagnostics);
    let answer = history.attribute(ids, &diagnostics);
    (answer, diagnostics.into_sorted())
}

fn origins(path: &Path, paths: &[&str]) -> Vec<String> {
    let diagnostics = Diagnostics::new();
    let repository = Repository::open(path).expect("a repository");
    let store = Store::open(&repository, &StoreOptions::default(), &diagnostics).expect("opens");
    let history = History::open(&repository, &store, &diagnostics);
    let paths: Vec<_> = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
    let origins = history.origins(&paths).into_iter();
    origins
        .map(|path| String::from_utf8(path).expect("text"))
        .collect()
}

fn sweep(path: &Path) -> Vec<Diagnostic> {
    let diagnostics = Diagnostics::new();
    let repository = Repository::open(path).expect("a repository");
    let store = Store::open(&repository, &StoreOptions::default(), &diagnostics).expect("opens");
    store.sweep(&|_| std::ops::ControlFlow::Continue(()), &diagnostics);
    diagnostics.into_sorted()
}

/// A clone over the git protocol, in the directory `clone` of another fixture.
fn cloned(source: &Fixture, options: &[&str]) -> Fixture {
    let clone = Fixture::new();
    let url = format!("file://{}", source.path().display());
    clone.git(&[&["clone", "-q"], options, &[&url, "clone"]].concat());
    clone
}

fn hash(fixture: &Fixture, content: &str) -> String {
    let id = fixture.git_input(&["hash-object", "-w", "--stdin"], content.as_bytes());
    String::from_utf8(id).expect("text").trim().to_owned()
}

fn mktree(fixture: &Fixture, entries: &str) -> String {
    let id = fixture.git_input(&["mktree"], entries.as_bytes());
    String::from_utf8(id).expect("text").trim().to_owned()
}

fn ids(expected: &[Expected]) -> Vec<ObjectId> {
    expected.iter().map(|expected| id(&expected.id)).collect()
}

fn id(hex: &str) -> ObjectId {
    ObjectId::from_hex(hex.as_bytes()).expect("an id")
}

fn point(point: &Option<straykey::model::CommitPoint>) -> Option<String> {
    point.map(|point| point.id.to_string())
}

fn text(path: &Option<Vec<u8>>) -> Option<&str> {
    let path = path.as_deref()?;
    Some(std::str::from_utf8(path).expect("text"))
}
