//! Refs and reflogs from tables that git itself wrote (`data/reftable/make.sh`), whole and damaged.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use straykey::detector::template::expand;
use straykey::model::{Diagnostics, ObjectId, Reachability};
use straykey::source::git::Repository;
use straykey::source::git::refs::Refs;

use crate::cli::straykey;
use crate::git_fixture::{Fixture, copy_dir};

const BASE: &[u8] = include_bytes!("data/reftable/base.ref");
const UPDATE: &[u8] = include_bytes!("data/reftable/update.ref");

/// The three commits of `main`, oldest first.
const COMMITS: [&str; 3] = [
    "ad1386502fc457cfac1be9d73d888642769a5e67",
    "a5cb3ac27ec12f574ab3810034c0bccbc1d3deae",
    "6ca5158d525b2da314e722a65f570c66220e6ae0",
];
/// The tags `v1` to `v3`, of the last commit, the one before and the first.
const TAGS: [&str; 3] = [
    "db35030fd1c6da6a79d6b98ce4cc6c3f30ccb664",
    "e7a239a3ef3203a3e26c4b0d8895cd0c4f71e7a0",
    "8ec2885d610fe8f035d92de7e2e7960e875175c6",
];
const NOTES: &str = "2890c6cd2684cd3dc138cad65e5b3898cbc88e51";
const STASH: &str = "23d6847397b4967025bfb4846b136f3b51f94161";

/// A git directory with these files of its reftable.
fn with_tables(tables: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, bytes: &[u8]| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("below")).expect("writable");
        fs::write(path, bytes).expect("writable");
    };
    write("HEAD", b"ref: refs/heads/.invalid\n");
    write("refs/heads", b"this repository uses the reftable format\n");
    write("objects/info/x", b"");
    let format = "[core]\nrepositoryformatversion = 1\n[extensions]\nrefstorage = reftable\n";
    write("config", format.as_bytes());
    for (name, bytes) in tables {
        write(&format!("reftable/{name}"), bytes);
    }
    folder
}

fn read(folder: &Path) -> (Refs, Vec<String>) {
    let repository = Repository::open(folder).expect("a repository");
    let diagnostics = Diagnostics::new();
    let refs = Refs::read(&repository, &diagnostics);
    let told = diagnostics.into_sorted();
    (refs, told.iter().map(ToString::to_string).collect())
}

/// Class, id and name.
type Tip = (Reachability, String, String);

fn tips(refs: &Refs) -> BTreeSet<Tip> {
    let name = |name: &[u8]| String::from_utf8(name.to_vec()).expect("ASCII");
    let all = refs.tips.iter();
    all.map(|tip| (tip.class, tip.id.to_string(), name(&tip.name)))
        .collect()
}

/// What `git for-each-ref` and `git reflog` say of the repository.
fn expected() -> BTreeSet<Tip> {
    let [first, second, last] = COMMITS;
    let mut expected = BTreeSet::new();
    let mut is = |class, id: &str, name: &str| {
        expected.insert((class, id.to_owned(), name.to_owned()));
    };
    is(Reachability::Head, last, "HEAD");
    for name in ["refs/heads/main", "refs/heads/feature"] {
        is(Reachability::Branch, last, name);
    }
    is(Reachability::Branch, second, "refs/remotes/origin/main");
    is(Reachability::PullRef, first, "refs/pull/7/head");
    is(Reachability::Tag, second, "refs/tags/light");
    for (number, tag) in TAGS.iter().enumerate() {
        is(
            Reachability::Tag,
            tag,
            &format!("refs/tags/v{}", number + 1),
        );
    }
    is(Reachability::Notes, NOTES, "refs/notes/commits");
    is(Reachability::Stash, STASH, "refs/stash");
    is(Reachability::Reflog, first, "ORIG_HEAD");
    is(Reachability::Stash, STASH, "logs/refs/stash");
    is(Reachability::Reflog, NOTES, "logs/refs/notes/commits");
    for id in COMMITS {
        is(Reachability::Reflog, id, "logs/HEAD");
        is(Reachability::Reflog, id, "logs/refs/heads/main");
    }
    is(Reachability::Reflog, last, "logs/refs/heads/feature");
    is(
        Reachability::Reflog,
        second,
        "logs/refs/remotes/origin/main",
    );
    // One of the 300 branches was deleted, with its reflog.
    for number in (1..=300).filter(|&number| number != 7) {
        let name = format!("refs/heads/topic/number-{number}");
        is(Reachability::Branch, first, &name);
        is(Reachability::Reflog, first, &format!("logs/{name}"));
    }
    expected
}

#[test]
fn tables_of_git_are_read_as_git_reads_them() {
    let list = b"base.ref\nupdate.ref\n";
    let tables = [
        ("tables.list", &list[..]),
        ("base.ref", BASE),
        ("update.ref", UPDATE),
    ];
    let folder = with_tables(&tables);
    let (refs, told) = read(folder.path());
    assert_eq!(told, [""; 0]);
    assert_eq!(
        refs.head.map(|id| id.to_string()).as_deref(),
        Some(COMMITS[2])
    );
    let (found, expected) = (tips(&refs), expected());
    let more: Vec<_> = found.difference(&expected).collect();
    let fewer: Vec<_> = expected.difference(&found).collect();
    assert!(more.is_empty() && fewer.is_empty(), "{more:?} {fewer:?}");
    let repository = Repository::open(folder.path()).expect("a repository");
    assert_eq!(repository.info().branch.as_deref(), Some("feature"));
}

#[test]
fn a_table_that_is_damaged_or_lies_elsewhere_is_named_and_not_read() {
    let inside = with_tables(&[("tables.list", b"base.ref\n"), ("base.ref", BASE)]);
    let place = inside.path().join("reftable/base.ref");
    let elsewhere = format!("{}\n", place.display());
    let cases: [(&str, &[u8], &[u8]); 5] = [
        ("base.ref", b"base.ref\n", &BASE[..BASE.len() - 1]),
        ("base.ref", b"base.ref\n", &[BASE, b"x"].concat()),
        ("base.ref", b"base.ref\n", b"REFT"),
        ("tables.list", elsewhere.as_bytes(), BASE),
        ("tables.list", b"../reftable/base.ref\n", BASE),
    ];
    for (named, list, table) in cases {
        let folder = with_tables(&[("tables.list", list), ("base.ref", table)]);
        let (refs, told) = read(folder.path());
        assert!(refs.tips.is_empty() && refs.head.is_none());
        assert!(
            !told.is_empty() && told.iter().all(|it| it.contains(named)),
            "{told:?}"
        );
    }
    // A table that the list names and nobody has.
    let folder = with_tables(&[("tables.list", b"gone.ref\n")]);
    assert!(read(folder.path()).1[0].contains("gone.ref"));
    // No list: a repository without refs.
    let folder = with_tables(&[]);
    let (refs, told) = read(folder.path());
    assert!(refs.tips.is_empty() && told.is_empty(), "{told:?}");
}

/// A table with one block of refs: name, and an id or another name.
fn table(version: u8, refs: &[(&str, Result<ObjectId, &str>)]) -> Vec<u8> {
    let mut header = [b"REFT", &[version][..], &[0; 3], &[0; 16]].concat();
    if version == 2 {
        header.extend(b"sha1");
    }
    let mut records = Vec::new();
    for (name, value) in refs {
        let kind = 1 + 2 * u8::from(value.is_err());
        // Nothing shared with the name before; a length of up to 2^11, as offsets of packs are written.
        let packed = name.len() << 3 | usize::from(kind);
        records.push(0);
        match packed {
            0..=0x7f => records.push(packed as u8),
            _ => records.extend([0x80 | ((packed >> 7) - 1) as u8, packed as u8 & 0x7f]),
        }
        records.extend(name.as_bytes());
        records.push(0);
        match value {
            Ok(id) => records.extend(id.as_bytes()),
            Err(name) => {
                records.push(name.len() as u8);
                records.extend(name.as_bytes());
            }
        }
    }
    // The only place that has a whole name for sure.
    let first = header.len() as u8 + 4;
    let end = [0, 0, first, 0, 1];
    let len = header.len() + 4 + records.len() + end.len();
    let block = [
        &[b'r'][..],
        &(len as u32).to_be_bytes()[1..],
        &records,
        &end,
    ]
    .concat();
    let footer = [&header[..], &[0; 40]].concat();
    let sum = crc32fast::hash(&footer).to_be_bytes();
    [&header[..], &block, &footer, &sum].concat()
}

#[test]
fn a_repository_says_the_same_however_it_keeps_its_refs() {
    let fixture = Fixture::new();
    let token = |number| {
        expand("{{crc-base62:ghp_:30}}", number)
            .expect("a template")
            .text
    };
    fixture.commit_file("first.txt", &format!("{}\n", token(1)));
    fixture.git(&["tag", "v1"]);
    fixture.commit_file("second.txt", &format!("{}\n", token(2)));
    fixture.git(&["checkout", "-qb", "side", "HEAD~1"]);
    fixture.commit_file("third.txt", &format!("{}\n", token(3)));
    fixture.git(&["checkout", "-q", "main"]);
    fixture.write("staged.txt", format!("{}\n", token(4)));
    fixture.git(&["add", "staged.txt"]);
    let id = |name: &str| {
        let hex = fixture.git(&["rev-parse", name]);
        ObjectId::from_hex(hex.trim().as_bytes()).expect("an id")
    };
    let refs = [
        ("HEAD", Err("refs/heads/main")),
        ("refs/heads/main", Ok(id("main"))),
        ("refs/heads/side", Ok(id("side"))),
        ("refs/tags/v1", Ok(id("v1"))),
    ];
    fixture.git(&["config", "core.logAllRefUpdates", "false"]);
    fs::remove_dir_all(fixture.path().join(".git/logs")).expect("there are some");
    let requests: [&[&str]; 7] = [
        &["--history-only"],
        &["--staged"],
        &["--since", "v1"],
        &["--range", "main...side"],
        &["--range", "main~1..@"],
        &["--range", "v1..refs/heads/side^{commit}"],
        &["--range", "nothing..main"],
    ];
    let said = || {
        requests.map(|request| {
            let args = [&["scan", "--format", "json"], request].concat();
            let ran = straykey(fixture.path(), &args, b"");
            (ran.code, ran.out, ran.err)
        })
    };
    let by_files = said();
    let codes: Vec<_> = by_files.iter().map(|one| one.0).collect();
    assert_eq!(codes, [1, 1, 1, 1, 1, 1, 2]);
    let git = fixture.path().join(".git");
    fs::remove_dir_all(git.join("refs")).expect("there");
    let _ = fs::remove_file(git.join("packed-refs"));
    for version in [1, 2] {
        let tables = [
            ("tables.list", &b"all.ref\n"[..]),
            ("all.ref", &table(version, &refs)),
        ];
        let made = with_tables(&tables);
        copy_dir(&made.path().join("reftable"), &git.join("reftable"));
        copy_dir(&made.path().join("refs"), &git.join("refs"));
        for file in ["HEAD", "config"] {
            fs::copy(made.path().join(file), git.join(file)).expect("writable");
        }
        assert_eq!(said(), by_files);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn bytes_that_were_changed_do_no_harm(
        changes in prop::collection::vec((0..UPDATE.len(), any::<u8>()), 1..4),
    ) {
        let mut table = UPDATE.to_vec();
        for (at, byte) in changes {
            table[at] = byte;
        }
        let folder = with_tables(&[("tables.list", b"a.ref\n"), ("a.ref", &table)]);
        let (refs, told) = read(folder.path());
        prop_assert!(refs.tips.is_empty() || told.is_empty(), "all of a table or nothing");
    }
}
