//! A repository that is built for a benchmark.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use straykey::model::Diagnostics;
use straykey::source::git::{Repository, Store, StoreOptions};

/// Versions of each file.
pub(crate) const VERSIONS: usize = 200;
/// Files.
pub(crate) const FILES: usize = 20;
/// Lines of each file.
const LINES: usize = 800;

/// Runs git, which has to succeed.
pub(crate) fn git(directory: &Path, args: &[&str], input: &[u8]) {
    let mut child = Command::new("git")
        .args(args)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("git runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input).expect("it reads");
    drop(stdin);
    assert!(child.wait().expect("it ends").success(), "git {args:?}");
}

/// A bare repository with a commit for each version of all files.
pub(crate) fn repository() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a scratch directory");
    git(directory.path(), &["init", "-q", "--bare"], b"");
    let mut stream = Vec::new();
    for version in 0..VERSIONS {
        let head = format!(
            "commit refs/heads/main\ncommitter A <a@example.org> {} +0000\ndata 2\nv\n",
            1_700_000_000 + version
        );
        stream.extend(head.into_bytes());
        for file in 0..FILES {
            let line = |n: usize| {
                // One line in fifty changes in each version.
                let changed = if n % 50 == version % 50 { version } else { 0 };
                format!("line {n} of file {file}, changed in version {changed}\n")
            };
            let text: String = (0..LINES).map(line).collect();
            let entry = format!("M 100644 inline f{file}.txt\ndata {}\n{text}\n", text.len());
            stream.extend(entry.into_bytes());
        }
    }
    git(directory.path(), &["fast-import", "--quiet"], &stream);
    git(directory.path(), &["repack", "-adfq", "--window=20"], b"");
    directory
}

/// Its objects.
pub(crate) fn open(path: &Path) -> Store {
    let repository = Repository::discover(path)
        .expect("there")
        .expect("a repository");
    Store::open(&repository, &StoreOptions::default(), &Diagnostics::new()).expect("it opens")
}
