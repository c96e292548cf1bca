//! `straykey hook install|uninstall|pre-commit|pre-push`

use std::env;
use std::fs;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser as _;
use straykey::model::ObjectId;
use straykey::scan::Scope;
use straykey::source::git::range::{PushUpdate, RangeSpec};
use straykey::source::git::{Repository, hooks_dir};

use super::{output, request, scan};
use crate::args::{Args, Command, Hook, HookKind, Scan};
use crate::exit::Exit;

/// Stands in every hook that we wrote.
const MARK: &str = "# straykey hook v1";
/// Ending of a hook that was there before.
const BEFORE: &str = "before-straykey";

pub(crate) fn run(command: &Hook) -> Result<Exit> {
    match command {
        Hook::Install { hook, print } => install(hook, *print),
        Hook::Uninstall => uninstall(),
        Hook::PreCommit => pre_commit(),
        Hook::PrePush { remote, url: _ } => pre_push(remote.as_deref()),
    }
}

impl HookKind {
    const ALL: [Self; 2] = [Self::PreCommit, Self::PrePush];

    fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PrePush => "pre-push",
        }
    }

    /// The hook file. A hook that was there before runs first and sees the same input.
    fn script(self) -> String {
        let name = self.name();
        let run = match self {
            Self::PreCommit => format!(
                "if [ -x \"$before\" ]; then \"$before\" \"$@\" || exit $?; fi\n\
                 exec straykey hook {name}\n"
            ),
            Self::PrePush => format!(
                "lines=$(cat)\n\
                 if [ -x \"$before\" ]; then printf '%s\\n' \"$lines\" | \"$before\" \"$@\" || exit $?; fi\n\
                 printf '%s\\n' \"$lines\" | straykey hook {name} \"$@\"\n"
            ),
        };
        format!(
            "#!/bin/sh\n{MARK}; remove it with: straykey hook uninstall\n\
             command -v straykey >/dev/null 2>&1 || {{\n\
             \x20 echo 'straykey: not on PATH; install it, or remove this hook' >&2\n\
             \x20 exit 1\n\
             }}\n\
             before=\"$0.{BEFORE}\"\n{run}"
        )
    }
}

fn install(kinds: &[HookKind], print: bool) -> Result<Exit> {
    let mut kinds = kinds.to_vec();
    if kinds.is_empty() {
        kinds.extend(HookKind::ALL);
    }
    kinds.sort();
    kinds.dedup();
    if print {
        for kind in kinds {
            anstream::print!("{}", kind.script());
        }
        return Ok(Exit::Clean);
    }
    let folder = hooks_folder()?;
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for kind in kinds {
        let path = folder.join(kind.name());
        let kept = folder.join(format!("{}.{BEFORE}", kind.name()));
        let there = fs::read(&path).ok();
        let ours = there.as_deref().is_some_and(is_ours);
        if there.is_some() && !ours {
            if kept.exists() {
                bail!("{}: exists already; move it away first", kept.display());
            }
            fs::rename(&path, &kept).with_context(|| path.display().to_string())?;
            anstream::println!("{}: kept, and called first", kept.display());
        }
        fs::write(&path, kind.script()).with_context(|| path.display().to_string())?;
        make_executable(&path)?;
        anstream::println!("{}: installed", path.display());
    }
    Ok(Exit::Clean)
}

fn uninstall() -> Result<Exit> {
    let folder = hooks_folder()?;
    let mut found = false;
    for kind in HookKind::ALL {
        let path = folder.join(kind.name());
        if !fs::read(&path).is_ok_and(|text| is_ours(&text)) {
            continue;
        }
        found = true;
        let kept = folder.join(format!("{}.{BEFORE}", kind.name()));
        let done = match kept.exists() {
            true => fs::rename(&kept, &path),
            false => fs::remove_file(&path),
        };
        done.with_context(|| path.display().to_string())?;
        anstream::println!("{}: removed", path.display());
    }
    if !found {
        anstream::println!("{}: no hook of straykey here", folder.display());
    }
    Ok(Exit::Clean)
}

fn hooks_folder() -> Result<PathBuf> {
    let repository = Repository::discover(Path::new("."));
    let repository = repository.ok_or_else(|| anyhow!("not in a git repository"))??;
    Ok(hooks_dir(&repository)?)
}

fn is_ours(text: &[u8]) -> bool {
    text.windows(MARK.len())
        .any(|window| window == MARK.as_bytes())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(path, mode).with_context(|| path.display().to_string())
}

/// Git for Windows looks at the first line, not at a permission.
#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<()> {
    Ok(())
}

fn pre_commit() -> Result<Exit> {
    scan::run(&flags(&["--staged"])?)
}

fn pre_push(remote: Option<&str>) -> Result<Exit> {
    let args = flags(&["--since", "HEAD"])?;
    let outputs = output::outputs(&args)?;
    let mut prepared = request::prepare(&args.what, &args.how)?;
    let from_framework = env::var("PRE_COMMIT_TO_REF").is_ok();
    let updates = match from_framework {
        true => framework_update()?,
        false => git_updates(io::stdin().lock())?,
    };
    let Some(updates) = updates else {
        return Ok(Exit::Clean);
    };
    let remote = remote
        .map(str::to_owned)
        .or_else(|| env::var("PRE_COMMIT_REMOTE_NAME").ok());
    prepared.request.scope = Scope::Range(RangeSpec::Push { updates, remote });
    let report = scan::report(&prepared, args.quiet)?;
    output::write(&outputs, &report, &args)?;
    let least = prepared.config.fail_on;
    let least = least.unwrap_or(straykey::model::Severity::Note);
    Ok(scan::exit(&report, false, |finding| {
        finding.severity >= least
    }))
}

/// The arguments of `straykey scan` with `flags`, and every default.
fn flags(flags: &[&str]) -> Result<Scan> {
    let words = ["straykey", "scan"].iter().chain(flags);
    match Args::try_parse_from(words)?.command {
        Command::Scan(args) => Ok(*args),
        _ => bail!("not a scan"),
    }
}

/// git's lines: `<local ref> <local id> <remote ref> <remote id>`. No line at all (a run by hand)
/// means everything that no remote has; `None` means that nothing is published.
fn git_updates(lines: impl BufRead) -> Result<Option<Vec<PushUpdate>>> {
    let mut updates = Vec::new();
    let mut seen = false;
    for line in lines.lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        seen = true;
        let fields: Vec<_> = line.split(' ').collect();
        let [_, local, _, remote] = fields[..] else {
            bail!("standard input: not a line of git's pre-push hook: four fields are expected");
        };
        let id = |hex: &str| {
            ObjectId::from_hex(hex.as_bytes()).with_context(|| format!("`{hex}` on standard input"))
        };
        let (local, remote) = (id(local)?, id(remote)?);
        if !local.is_zero() {
            let remote = (!remote.is_zero()).then_some(remote);
            updates.push(PushUpdate {
                local: Some(local),
                remote,
            });
        }
    }
    Ok(match (seen, updates.is_empty()) {
        (false, _) => Some(vec![PushUpdate {
            local: None,
            remote: None,
        }]),
        (true, true) => None,
        (true, false) => Some(updates),
    })
}

/// pre-commit's environment. A first push has no FROM.
fn framework_update() -> Result<Option<Vec<PushUpdate>>> {
    let id = |name: &str| -> Result<Option<ObjectId>> {
        let Ok(hex) = env::var(name) else {
            return Ok(None);
        };
        let id = ObjectId::from_hex(hex.trim().as_bytes()).with_context(|| name.to_owned())?;
        Ok((!id.is_zero()).then_some(id))
    };
    let update = PushUpdate {
        local: id("PRE_COMMIT_TO_REF")?,
        remote: id("PRE_COMMIT_FROM_REF")?,
    };
    Ok(Some(vec![update]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pushed_ref_counts_and_deletions_do_not() {
        let (one, two, zero) = ("1".repeat(40), "2".repeat(40), "0".repeat(40));
        let text = format!(
            "refs/heads/a {one} refs/heads/a {zero}\n\
             refs/heads/b {two} refs/heads/b {one}\n\
             (delete) {zero} refs/heads/c {one}\n"
        );
        let updates = git_updates(text.as_bytes()).expect("valid").expect("two");
        assert_eq!(updates.len(), 2);
        assert!(updates[0].remote.is_none() && updates[1].remote.is_some());
        let deletion = format!("(delete) {zero} refs/heads/c {one}\n");
        assert!(git_updates(deletion.as_bytes()).expect("valid").is_none());
        assert_eq!(
            git_updates(&b""[..]).expect("valid").expect("by hand")[0].local,
            None
        );
        assert!(git_updates(&b"nonsense\n"[..]).is_err());
    }
}
