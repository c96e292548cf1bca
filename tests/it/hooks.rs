//! The hooks, end to end: real git, real hook files, the binary on PATH.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use straykey::detector::template::expand;

/// A repository in a scratch directory, with a bare one to push to.
struct Repo {
    directory: tempfile::TempDir,
}

impl Repo {
    fn new() -> Self {
        let repo = Self {
            directory: tempfile::tempdir().expect("a scratch directory"),
        };
        fs::create_dir(repo.path()).expect("writable");
        repo.pass(&["git", "init", "-q", "-b", "main"]);
        repo.pass(&["git", "init", "-q", "--bare", "../origin.git"]);
        repo.pass(&["git", "remote", "add", "origin", "../origin.git"]);
        repo
    }

    /// One with both hooks and a first commit.
    fn hooked() -> Self {
        let repo = Self::new();
        repo.pass(&["straykey", "hook", "install"]);
        repo.write("README", "hello\n");
        repo.pass(&["git", "add", "-A"]);
        repo.pass(&["git", "commit", "-q", "-m", "first"]);
        repo
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("under the root")).expect("writable");
        fs::write(path, text).expect("writable");
    }

    fn script(&self, path: &str, body: &str) {
        self.write(path, &format!("#!/bin/sh\n{body}"));
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.path().join(path), mode).expect("ours");
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path().join(path)).ok()
    }

    fn run(&self, words: &[&str]) -> Output {
        let binary = Path::new(env!("CARGO_BIN_EXE_straykey"));
        let folder = binary.parent().expect("a file is in a folder");
        let before = std::env::var("PATH").expect("a PATH");
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .current_dir(self.path())
            .env("PATH", format!("{}:{before}", folder.display()))
            .env("HOME", self.directory.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "A")
                .env(format!("GIT_{who}_EMAIL"), "a@example.com");
        }
        for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX"] {
            command.env_remove(name);
        }
        command.output().expect("it starts")
    }

    fn pass(&self, words: &[&str]) -> String {
        let out = self.run(words);
        assert!(out.status.success(), "{words:?}: {}", said(&out));
        String::from_utf8_lossy(&out.stdout).trim_end().to_owned()
    }

    /// Runs what must be refused because of a finding, not for some other reason.
    fn blocked(&self, words: &[&str]) {
        let out = self.run(words);
        assert!(
            !out.status.success(),
            "{words:?} was let through: {}",
            said(&out)
        );
        assert!(said(&out).contains("ghp_****"), "{words:?}: {}", said(&out));
    }

    fn head(&self) -> String {
        self.pass(&["git", "rev-parse", "HEAD"])
    }
}

fn said(out: &Output) -> String {
    let (out, err) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    format!("{out}{err}")
}

/// A line with a token that the built-in detectors know.
fn secret(seed: u64) -> String {
    let token = expand("{{crc-base62:ghp_:30}}", seed)
        .expect("a template")
        .text;
    format!("GITHUB_TOKEN={token}\n")
}

#[test]
fn install_writes_both_hooks_and_twice_is_once() {
    let repo = Repo::new();
    repo.pass(&["straykey", "hook", "install"]);
    let first = [
        repo.read(".git/hooks/pre-commit"),
        repo.read(".git/hooks/pre-push"),
    ];
    assert!(first.iter().all(Option::is_some));
    repo.pass(&["straykey", "hook", "install"]);
    let second = [
        repo.read(".git/hooks/pre-commit"),
        repo.read(".git/hooks/pre-push"),
    ];
    assert_eq!(first, second);
    assert_eq!(repo.read(".git/hooks/pre-commit.before-straykey"), None);
    repo.pass(&["straykey", "hook", "uninstall"]);
    assert_eq!(repo.read(".git/hooks/pre-commit"), None);
    assert_eq!(repo.read(".git/hooks/pre-push"), None);
}

#[test]
fn a_hook_that_exists_runs_first_and_comes_back() {
    let repo = Repo::new();
    repo.script(".git/hooks/pre-commit", "echo called >> calls\n");
    let before = repo.read(".git/hooks/pre-commit");
    repo.pass(&["straykey", "hook", "install", "--hook", "pre-commit"]);
    repo.pass(&["straykey", "hook", "install", "--hook", "pre-commit"]);
    repo.write("a.txt", "nothing\n");
    repo.pass(&["git", "add", "a.txt"]);
    repo.pass(&["git", "commit", "-q", "-m", "clean"]);
    assert_eq!(repo.read("calls").as_deref(), Some("called\n"));

    repo.write("a.txt", &secret(1));
    repo.pass(&["git", "add", "a.txt"]);
    repo.blocked(&["git", "commit", "-q", "-m", "secret"]);

    repo.script(
        ".git/hooks/pre-commit.before-straykey",
        "echo refused; exit 7\n",
    );
    repo.write("a.txt", "nothing more\n");
    repo.pass(&["git", "add", "a.txt"]);
    assert!(
        !repo
            .run(&["git", "commit", "-q", "-m", "clean"])
            .status
            .success()
    );

    repo.script(
        ".git/hooks/pre-commit.before-straykey",
        "echo called >> calls\n",
    );
    repo.pass(&["straykey", "hook", "uninstall"]);
    assert_eq!(repo.read(".git/hooks/pre-commit"), before);
}

#[test]
fn a_push_hook_that_exists_sees_the_same_lines() {
    let repo = Repo::new();
    repo.script(".git/hooks/pre-push", "cat > lines; echo \"$1\" >> lines\n");
    repo.pass(&["straykey", "hook", "install"]);
    repo.write("a.txt", "nothing\n");
    repo.pass(&["git", "add", "a.txt"]);
    repo.pass(&["git", "commit", "-q", "-m", "clean"]);
    repo.pass(&["git", "push", "-q", "origin", "main"]);
    let lines = repo.read("lines").expect("written by the hook");
    let zero = "0".repeat(40);
    assert_eq!(
        lines,
        format!(
            "refs/heads/main {} refs/heads/main {zero}\norigin\n",
            repo.head()
        )
    );
}

#[test]
fn core_hooks_path_is_where_hooks_go() {
    let repo = Repo::new();
    repo.pass(&["git", "config", "core.hooksPath", "my-hooks"]);
    repo.pass(&["straykey", "hook", "install"]);
    assert!(repo.read("my-hooks/pre-commit").is_some());
    assert_eq!(repo.read(".git/hooks/pre-commit"), None);
    repo.write("a.txt", &secret(2));
    repo.pass(&["git", "add", "a.txt"]);
    repo.blocked(&["git", "commit", "-q", "-m", "secret"]);
    repo.pass(&["straykey", "hook", "uninstall"]);
    assert_eq!(repo.read("my-hooks/pre-commit"), None);
}

#[test]
fn a_commit_of_a_secret_is_blocked_and_its_fix_is_not() {
    let repo = Repo::hooked();
    let before = repo.head();
    repo.write("a.env", &secret(3));
    repo.pass(&["git", "add", "a.env"]);
    repo.blocked(&["git", "commit", "-q", "-m", "secret"]);
    assert_eq!(repo.head(), before);
    repo.write("a.env", "GITHUB_TOKEN=\n");
    repo.pass(&["git", "add", "a.env"]);
    repo.pass(&["git", "commit", "-q", "-m", "no secret"]);
    assert_ne!(repo.head(), before);
}

#[test]
fn the_index_counts_not_the_work_tree() {
    let repo = Repo::hooked();
    repo.write("a.env", &secret(4));
    repo.pass(&["git", "add", "a.env"]);
    repo.write("a.env", "GITHUB_TOKEN=\n");
    repo.blocked(&["git", "commit", "-q", "-m", "the index has it"]);

    repo.pass(&["git", "add", "a.env"]);
    repo.write("a.env", &secret(4));
    repo.pass(&["git", "commit", "-q", "-m", "only the work tree has it"]);
}

#[test]
fn commit_all_and_commit_path_have_an_index_of_their_own() {
    let repo = Repo::hooked();
    repo.write("README", &secret(5));
    repo.blocked(&["git", "commit", "-q", "-a", "-m", "all"]);
    repo.blocked(&["git", "commit", "-q", "-m", "path", "README"]);

    // The real index has a secret that a partial commit leaves out.
    repo.pass(&["git", "add", "README"]);
    repo.write("other", "hello\n");
    repo.pass(&["git", "add", "other"]);
    repo.pass(&["git", "commit", "-q", "-m", "path", "other"]);
    assert_eq!(
        repo.pass(&["git", "show", "--format=", "--name-only"]),
        "other"
    );
}

#[test]
fn a_commit_from_a_folder_or_a_linked_work_tree_is_blocked() {
    let repo = Repo::hooked();
    repo.write("sub/a.env", &secret(6));
    repo.pass(&["git", "add", "-A"]);
    repo.blocked(&["git", "-C", "sub", "commit", "-q", "-m", "secret"]);
    repo.pass(&["git", "reset", "-q"]);
    repo.pass(&["git", "worktree", "add", "-q", "../linked"]);
    repo.write("../linked/a.env", &secret(6));
    repo.pass(&["git", "-C", "../linked", "add", "-A"]);
    repo.blocked(&["git", "-C", "../linked", "commit", "-q", "-m", "secret"]);
}

#[test]
fn every_ref_of_a_push_counts() {
    let repo = Repo::hooked();
    repo.pass(&["git", "push", "-q", "origin", "main"]);
    for branch in ["a-clean", "b-secret", "c-clean"] {
        repo.pass(&["git", "checkout", "-q", "-b", branch, "main"]);
        let text = if branch == "b-secret" {
            secret(7)
        } else {
            "hello\n".into()
        };
        repo.write(branch, &text);
        repo.pass(&["git", "add", "-A"]);
        repo.pass(&["git", "commit", "-q", "--no-verify", "-m", branch]);
    }
    repo.blocked(&[
        "git", "push", "-q", "origin", "a-clean", "b-secret", "c-clean",
    ]);
    repo.pass(&["git", "push", "-q", "origin", "a-clean", "c-clean"]);
    let there = repo.pass(&["git", "ls-remote", "--heads", "origin"]);
    assert!(
        !there.contains("b-secret") && there.contains("c-clean"),
        "{there}"
    );
}

#[test]
fn a_secret_that_was_added_and_removed_again_is_not_pushed() {
    let repo = Repo::hooked();
    repo.pass(&["git", "push", "-q", "origin", "main"]);
    repo.write("a.env", &secret(8));
    repo.pass(&["git", "add", "-A"]);
    repo.pass(&["git", "commit", "-q", "--no-verify", "-m", "add"]);
    repo.pass(&["git", "rm", "-q", "a.env"]);
    repo.pass(&["git", "commit", "-q", "-m", "remove"]);
    repo.blocked(&["git", "push", "-q", "origin", "main"]);
}

#[test]
fn a_first_push_is_looked_through_from_the_root() {
    let repo = Repo::new();
    repo.write("a.env", &secret(9));
    repo.pass(&["git", "add", "-A"]);
    repo.pass(&["git", "commit", "-q", "-m", "root"]);
    repo.pass(&["straykey", "hook", "install"]);
    repo.blocked(&["git", "push", "-q", "origin", "main"]);
}

#[test]
fn what_the_remote_has_already_is_not_news() {
    let repo = Repo::new();
    repo.write("a.env", &secret(10));
    repo.pass(&["git", "add", "-A"]);
    repo.pass(&["git", "commit", "-q", "-m", "root"]);
    repo.pass(&["git", "push", "-q", "origin", "main"]);
    repo.pass(&["straykey", "hook", "install"]);
    repo.write("b.txt", "hello\n");
    repo.pass(&["git", "add", "-A"]);
    repo.pass(&["git", "commit", "-q", "-m", "more"]);
    repo.pass(&["git", "push", "-q", "origin", "main"]);
    repo.pass(&["git", "push", "-q", "origin", "main:other"]);
}

#[test]
fn a_deletion_publishes_nothing() {
    let repo = Repo::hooked();
    repo.pass(&["git", "push", "-q", "origin", "main", "main:gone"]);
    repo.write("a.env", &secret(11));
    repo.pass(&["git", "add", "-A"]);
    repo.pass(&["git", "commit", "-q", "--no-verify", "-m", "stays here"]);
    repo.pass(&["git", "push", "-q", "origin", ":gone"]);
    assert!(
        !repo
            .pass(&["git", "ls-remote", "--heads", "origin"])
            .contains("gone")
    );
}

#[test]
fn without_the_binary_a_hook_says_so_and_blocks() {
    let repo = Repo::hooked();
    let out = Command::new("/bin/sh")
        .arg(".git/hooks/pre-commit")
        .current_dir(repo.path())
        .env("PATH", "/nowhere")
        .output()
        .expect("a shell");
    assert!(!out.status.success());
    assert!(said(&out).contains("not on PATH"), "{}", said(&out));
}
