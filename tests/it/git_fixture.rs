//! Repositories built by running git with fixed names, dates and no configuration.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};

use straykey::model::ObjectId;
use straykey::source::git::Kind;

/// A repository in a scratch directory. Every command runs one minute after the one before.
pub(crate) struct Fixture {
    directory: tempfile::TempDir,
    clock: AtomicI64,
}

/// Time of the first command.
pub(crate) const START: i64 = 1_700_000_000;

impl Fixture {
    /// An empty repository with a work tree, on branch `main`.
    pub(crate) fn new() -> Self {
        let fixture = Self {
            directory: tempfile::tempdir().expect("a scratch directory"),
            clock: AtomicI64::new(START - 60),
        };
        fixture.git(&["init", "-q", "-b", "main"]);
        fixture
    }

    /// The work tree.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file, with the directories above it.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("under the root")).expect("writable");
        std::fs::write(path, content).expect("writable");
    }

    /// Writes and commits one file; returns the commit's id.
    pub(crate) fn commit_file(&self, path: &str, content: &str) -> String {
        self.write(path, content);
        self.git(&["add", "-A"]);
        self.commit(&format!("change {path}"))
    }

    /// Commits what is staged; returns the commit's id.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Makes a commit that adds files to those of its parent, without touching work tree, index
    /// and refs; returns its id.
    pub(crate) fn commit_tree(&self, files: &[(&str, &str)], parent: Option<&str>) -> String {
        let mut entries = match parent {
            Some(parent) => self.git_input(&["ls-tree", parent], b""),
            None => Vec::new(),
        };
        for (name, content) in files {
            let id = self.git_input(&["hash-object", "-w", "--stdin"], content.as_bytes());
            let id = String::from_utf8(id).expect("text");
            writeln!(entries, "100644 blob {}\t{name}", id.trim()).expect("a Vec takes all");
        }
        let tree = self.git_input(&["mktree"], &entries);
        let tree = String::from_utf8(tree).expect("text");
        let parent = parent.map_or(vec![], |parent| vec!["-p", parent]);
        let args = [
            &["commit-tree", "-m", "plumbed"],
            &parent[..],
            &[tree.trim()],
        ]
        .concat();
        self.git(&args)
    }

    /// Runs git and returns what it prints, without the line end.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let out = self.git_input(args, b"");
        String::from_utf8(out).expect("text").trim_end().to_owned()
    }

    /// Runs git with `input` and returns what it prints.
    pub(crate) fn git_input(&self, args: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git is installed");
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.to_vec();
        // A thread, so that neither side waits for the other with full pipes.
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("git ran");
        let written = writer.join().expect("the writer ended");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {text}");
        written.expect("git read its input");
        output.stdout
    }

    fn command(&self, args: &[&str]) -> Command {
        let time = self.clock.fetch_add(60, Ordering::Relaxed) + 60;
        let mut command = plain_git();
        command
            .current_dir(self.path())
            .env("GIT_AUTHOR_DATE", format!("{time} +0000"))
            .env("GIT_COMMITTER_DATE", format!("{time} +0000"))
            .args(args);
        command
    }
}

/// `git` without configuration and with fixed names.
fn plain_git() -> Command {
    let mut command = Command::new("git");
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@example.com")
        .env("GIT_COMMITTER_NAME", "C")
        .env("GIT_COMMITTER_EMAIL", "c@example.com")
        .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"])
        .args(["-c", "protocol.file.allow=always"]);
    command
}

/// Calls `each` for every object that `git cat-file` lists.
pub(crate) fn cat_file(git_dir: &Path, mut each: impl FnMut(ObjectId, Kind, &[u8])) {
    let mut child = plain_git()
        .arg(format!("--git-dir={}", git_dir.display()))
        .args(["cat-file", "--batch-all-objects", "--batch"])
        .args(["--unordered", "--buffer"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("git is installed");
    let mut out = BufReader::with_capacity(1 << 20, child.stdout.take().expect("piped"));
    let mut header = String::new();
    while out.read_line(&mut header).expect("readable") > 0 {
        let parts: Vec<_> = header.split_whitespace().collect();
        let id = ObjectId::from_hex(parts[0].as_bytes()).expect("an id");
        let kind = match parts[1] {
            "commit" => Kind::Commit,
            "tree" => Kind::Tree,
            "blob" => Kind::Blob,
            "tag" => Kind::Tag,
            other => panic!("unknown kind {other}"),
        };
        let mut bytes = vec![0; parts[2].parse().expect("a size")];
        out.read_exact(&mut bytes).expect("readable");
        each(id, kind, &bytes);
        out.read_exact(&mut [0]).expect("the line end");
        header.clear();
    }
    assert!(child.wait().expect("git ran").success());
}

/// A `git fast-import` stream: one commit on `main` per list of paths and contents.
pub(crate) fn import_stream(commits: Vec<Vec<(String, String)>>) -> Vec<u8> {
    let mut stream = Vec::new();
    for (n, files) in commits.iter().enumerate() {
        let time = START + 60 * n as i64;
        let message = format!("commit {n}");
        write!(
            stream,
            "commit refs/heads/main\ncommitter C <c@example.com> {time} +0000\n\
             data {}\n{message}\n",
            message.len()
        )
        .expect("a Vec takes all");
        for (path, content) in files {
            write!(stream, "M 100644 inline {path}\ndata {}\n", content.len())
                .expect("a Vec takes all");
            stream.extend_from_slice(content.as_bytes());
            stream.push(b'\n');
        }
    }
    stream
}

/// The one file with `extension` in `directory`.
pub(crate) fn only_file(directory: &Path, extension: &str) -> PathBuf {
    let mut found = std::fs::read_dir(directory)
        .expect("listable")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension() == Some(extension.as_ref()));
    let path = found.next().expect("there is one");
    assert!(found.next().is_none(), "more than one .{extension}");
    path
}

/// Copies a directory with all below it.
pub(crate) fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("writable");
    for entry in std::fs::read_dir(from).expect("listable") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("known").is_dir() {
            true => copy_dir(&entry.path(), &target),
            false => {
                std::fs::copy(entry.path(), target).expect("copied");
            }
        }
    }
}
