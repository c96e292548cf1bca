//! What only libgit2's view of a repository tells: the index's paths, the hooks folder, the URL.

use std::path::PathBuf;

use super::layout::read_limited;
use super::refs::Refs;
use super::reftable::Reftable;
use super::{GitError, Repository};
use crate::model::{Diagnostics, ObjectId, RepositoryInfo, printable, printable_bytes};

/// The paths that git tracks, from the root of the work tree. An index that cannot be read is a
/// warning: the files are still scanned, only ignored ones are not known to be tracked.
pub fn tracked_paths(repository: &Repository, diagnostics: &Diagnostics) -> Vec<Vec<u8>> {
    let path = repository.git_dir.join("index");
    if !path.exists() {
        return Vec::new();
    }
    match git2::Index::open(&path) {
        Ok(index) => index.iter().map(|entry| entry.path).collect(),
        Err(error) => {
            let message = format_args!(
                "the index cannot be read ({}), so tracked files that git ignores were not \
                 scanned; use --include-ignored",
                error.message()
            );
            diagnostics.incomplete(path.display(), message);
            Vec::new()
        }
    }
}

/// The commit at `HEAD`; `None` before the first one.
pub(super) fn head(repository: &Repository) -> Option<ObjectId> {
    if repository.reftable {
        return Refs::read(repository, &Diagnostics::new()).head;
    }
    let git = git2::Repository::open_bare(&repository.git_dir).ok()?;
    let commit = git.head().ok()?.peel_to_commit().ok()?;
    ObjectId::from_slice(commit.id().as_bytes())
}

/// Where git looks for hooks: `core.hooksPath`, also of the user's own configuration, or `hooks`
/// of the git directory that worktrees share.
pub fn hooks_dir(repository: &Repository) -> Result<PathBuf, GitError> {
    let mut config = git2::Config::open_default().unwrap_or_else(|_| empty_config());
    // The repository's own file outranks the user's.
    let own = repository.common_dir.join("config");
    let added = config.add_file(&own, git2::ConfigLevel::Local, false);
    let named = added.and_then(|()| config.get_path("core.hooksPath"));
    Ok(match named {
        Ok(path) if path.is_absolute() => path,
        Ok(path) => repository
            .work_tree
            .as_ref()
            .unwrap_or(&repository.git_dir)
            .join(path),
        Err(_) => repository.common_dir.join("hooks"),
    })
}

fn empty_config() -> git2::Config {
    git2::Config::new().expect("an empty configuration needs nothing")
}

impl Repository {
    /// What reports say of it. The URL loses user and password: they may be a secret.
    pub fn info(&self) -> RepositoryInfo {
        let config = git2::Config::open(&self.common_dir.join("config"));
        let url = config.and_then(|config| config.get_string("remote.origin.url"));
        let name = match self.reftable {
            true => Reftable::read(&self.git_dir.join("reftable"))
                .ok()
                .and_then(|table| table.head()),
            false => read_limited(&self.git_dir.join("HEAD"))
                .ok()
                .flatten()
                .and_then(|text| Some(text.strip_prefix(b"ref:")?.trim_ascii().to_vec())),
        };
        let branch = name
            .as_deref()
            .and_then(|name| name.strip_prefix(b"refs/heads/"));
        RepositoryInfo {
            url: url.ok().map(|url| without_userinfo(&printable(&url))),
            head: head(self).map(|id| id.to_string()),
            branch: branch.map(printable_bytes),
        }
    }
}

fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest
        .split_once('/')
        .map_or((rest, None), |(a, p)| (a, Some(p)));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    match path {
        Some(path) => format!("{scheme}://{host}/{path}"),
        None => format!("{scheme}://{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_credentials() {
        for (url, shown) in [
            (
                "https://user:word@host.example/a/b.git",
                "https://host.example/a/b.git",
            ),
            ("https://host.example/a@b", "https://host.example/a@b"),
            ("ssh://git@host.example:22/a", "ssh://host.example:22/a"),
            ("git@host.example:a/b.git", "git@host.example:a/b.git"),
            ("https://word@host.example", "https://host.example"),
        ] {
            assert_eq!(without_userinfo(url), shown);
        }
    }
}
