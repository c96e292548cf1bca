//! Finds the parts of a repository on disk.
//!
//! Reads no environment, follows no include of a configuration file, and executes nothing.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::config::Config;
use super::error::GitError;
use crate::model::{ObjectId, printable_bytes};

/// Where the parts of a repository lie, and what is special about it.
///
/// The fields may be changed before the repository is used, as `GIT_OBJECT_DIRECTORY` asks for.
#[derive(Clone, Debug)]
pub struct Repository {
    /// The checked-out files; `None` for a bare repository.
    pub work_tree: Option<PathBuf>,
    /// The git directory, of a linked worktree its own one.
    pub git_dir: PathBuf,
    /// The directory that linked worktrees share; mostly the git directory.
    pub common_dir: PathBuf,
    /// The object database.
    pub objects_dir: PathBuf,
    /// Commits whose parents were left out when the repository was cloned.
    pub shallow: Vec<ObjectId>,
    /// Whether objects may be missing because they were left out when the repository was cloned.
    pub partial: bool,
    /// Whether refs are kept in reftables, and not in files of their own.
    pub reftable: bool,
}

impl Repository {
    /// Finds the repository that `path` lies in: `path` itself or a directory above.
    ///
    /// `None` when there is none; an error when there is one that cannot be read.
    pub fn discover(path: &Path) -> Option<Result<Self, GitError>> {
        let start = std::path::absolute(path).ok()?;
        start
            .ancestors()
            .find(|dir| dir.join(".git").exists() || is_git_dir(dir))
            .map(Self::open)
    }

    /// Opens the repository at `path`: a work tree, a git directory, or a bare repository.
    pub fn open(path: &Path) -> Result<Self, GitError> {
        let dot_git = path.join(".git");
        if dot_git.is_dir() && is_git_dir(&dot_git) {
            return Self::at(dot_git, Some(path.to_path_buf()));
        }
        if dot_git.is_file() {
            let git_dir = named_git_dir(&dot_git)?;
            return Self::at(git_dir, Some(path.to_path_buf()));
        }
        if !is_git_dir(path) {
            return Err(GitError::NotARepository {
                path: path.to_path_buf(),
            });
        }
        let work_tree = (path.file_name() == Some(".git".as_ref()))
            .then(|| path.parent().map(Path::to_path_buf))
            .flatten();
        Self::at(path.to_path_buf(), work_tree)
    }

    fn at(git_dir: PathBuf, work_tree: Option<PathBuf>) -> Result<Self, GitError> {
        let common_dir = common_dir(&git_dir);
        let config = match read_limited(&common_dir.join("config"))? {
            Some(bytes) => Config::parse(&bytes),
            None => Config::default(),
        };
        if let Some(format) = config.object_format.filter(|format| format != b"sha1") {
            return Err(GitError::ObjectFormat {
                path: git_dir,
                format: printable_bytes(&format),
            });
        }
        let named = config.work_tree.as_deref().and_then(to_path);
        Ok(Self {
            work_tree: work_tree.or_else(|| named.map(|path| git_dir.join(path))),
            objects_dir: common_dir.join("objects"),
            shallow: read_shallow(&common_dir)?,
            partial: config.partial || has_promisor_pack(&common_dir),
            reftable: config.reftable,
            git_dir,
            common_dir,
        })
    }

    /// Whether `HEAD` is what git accepts: a symbolic link, the name of a ref, or an id. With
    /// anything else git takes the folder for no repository.
    pub fn has_sound_head(&self) -> bool {
        let path = self.git_dir.join("HEAD");
        if path.symlink_metadata().is_ok_and(|it| it.is_symlink()) {
            return true;
        }
        let bytes = read_limited(&path).ok().flatten().unwrap_or_default();
        let text = bytes.trim_ascii();
        let named = text.strip_prefix(b"ref:").map(<[u8]>::trim_ascii_start);
        named.is_some_and(|name| name.starts_with(b"refs/")) || ObjectId::from_hex(text).is_ok()
    }

    /// The directories that belong to the repository, without links.
    pub(super) fn own_directories(&self) -> Vec<PathBuf> {
        // A work tree that only the configuration names (`core.worktree`) is not its own: a hostile
        // repository could name any directory.
        let work_tree = self
            .work_tree
            .as_ref()
            .filter(|dir| dir.join(".git").exists());
        [&self.git_dir, &self.common_dir]
            .into_iter()
            .chain(work_tree)
            .filter_map(|dir| dir.canonicalize().ok())
            .collect()
    }
}

/// The text of a small file; `None` when it does not exist.
pub(super) fn read_limited(path: &Path) -> Result<Option<Vec<u8>>, GitError> {
    const LIMIT: u64 = 64 << 20;
    let failed = |source| GitError::Io {
        path: path.to_path_buf(),
        source,
    };
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("not a regular file")));
    }
    let mut bytes = Vec::new();
    file.take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    match bytes.len() as u64 > LIMIT {
        true => Err(failed(io::ErrorKind::FileTooLarge.into())),
        false => Ok(Some(bytes)),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Bytes from inside a repository as a path.
pub(super) fn to_path(bytes: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
    }
    #[cfg(not(unix))]
    {
        std::str::from_utf8(bytes).ok().map(PathBuf::from)
    }
}

fn is_git_dir(path: &Path) -> bool {
    let common = common_dir(path);
    // A symbolic link as HEAD may point to a branch that is not born yet.
    path.join("HEAD").symlink_metadata().is_ok()
        && common.join("objects").is_dir()
        && common.join("refs").is_dir()
}

fn common_dir(git_dir: &Path) -> PathBuf {
    let named = read_limited(&git_dir.join("commondir")).ok().flatten();
    named
        .and_then(|bytes| to_path(bytes.trim_ascii_end()))
        .map_or_else(|| git_dir.to_path_buf(), |common| git_dir.join(common))
}

/// The git directory that a `.git` file of a worktree or submodule names.
fn named_git_dir(file: &Path) -> Result<PathBuf, GitError> {
    let bytes = read_limited(file)?.unwrap_or_default();
    let named = bytes
        .strip_prefix(b"gitdir: ")
        .and_then(|name| to_path(name.trim_ascii_end()))
        .map(|name| file.parent().unwrap_or(Path::new("")).join(name));
    match named {
        Some(dir) if is_git_dir(&dir) => Ok(dir),
        _ => Err(GitError::GitFile {
            path: file.to_path_buf(),
        }),
    }
}

fn read_shallow(common_dir: &Path) -> Result<Vec<ObjectId>, GitError> {
    let bytes = read_limited(&common_dir.join("shallow"))?.unwrap_or_default();
    let lines = bytes.split(|&byte| byte == b'\n');
    let mut ids: Vec<_> = lines
        .filter_map(|line| ObjectId::from_hex(line.trim_ascii()).ok())
        .collect();
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// Packs that were fetched with a filter carry a `.promisor` file.
fn has_promisor_pack(common_dir: &Path) -> bool {
    let Ok(entries) = fs::read_dir(common_dir.join("objects/pack")) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| Path::new(&entry.file_name()).extension() == Some("promisor".as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skeleton(dir: &Path) {
        fs::create_dir_all(dir.join("objects")).expect("writable");
        fs::create_dir_all(dir.join("refs")).expect("writable");
        fs::write(dir.join("HEAD"), "ref: refs/heads/main\n").expect("writable");
    }

    #[test]
    fn work_trees_git_files_and_bare_repositories_are_found() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = scratch.path();
        skeleton(&root.join("tree/.git"));
        fs::create_dir_all(root.join("tree/a/b")).expect("writable");
        skeleton(&root.join("bare.git"));
        fs::create_dir_all(root.join("module")).expect("writable");
        fs::write(root.join("module/.git"), "gitdir: ../tree/.git\n").expect("writable");

        let found = Repository::discover(&root.join("tree/a/b")).expect("found");
        assert_eq!(found.expect("read").work_tree, Some(root.join("tree")));
        let bare = Repository::open(&root.join("bare.git")).expect("bare");
        assert_eq!(bare.work_tree, None);
        let module = Repository::open(&root.join("module")).expect("module");
        assert_eq!(module.git_dir, root.join("module/../tree/.git"));
        let inner = Repository::open(&root.join("tree/.git")).expect("git directory");
        assert_eq!(inner.work_tree, Some(root.join("tree")));
    }

    #[test]
    fn the_common_directory_of_a_worktree_is_followed() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let git = scratch.path().join(".git");
        skeleton(&git);
        let own = git.join("worktrees/w");
        fs::create_dir_all(&own).expect("writable");
        fs::write(own.join("HEAD"), "ref: refs/heads/w\n").expect("writable");
        fs::write(own.join("commondir"), "../..\n").expect("writable");
        let repository = Repository::open(&own).expect("read");
        assert_eq!(repository.git_dir, own);
        assert_eq!(repository.objects_dir, own.join("../../objects"));
    }

    #[test]
    fn a_head_that_names_nothing_is_noticed() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        skeleton(scratch.path());
        let sound = |text: &str| {
            fs::write(scratch.path().join("HEAD"), text).expect("writable");
            Repository::open(scratch.path())
                .expect("read")
                .has_sound_head()
        };
        let id = ObjectId::new([0xab; 20]);
        for text in [
            "ref: refs/heads/main\n",
            "ref:\trefs/heads/a",
            &format!("{id}\n"),
        ] {
            assert!(sound(text), "{text}");
        }
        for text in ["", "nonsense", "ref: nowhere", "abababab"] {
            assert!(!sound(text), "{text}");
        }
    }

    #[test]
    fn other_object_formats_and_broken_git_files_are_errors() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = scratch.path();
        skeleton(&root.join(".git"));
        let config = "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256";
        fs::write(root.join(".git/config"), config).expect("writable");
        let error = Repository::open(root).expect_err("not readable");
        assert!(matches!(error, GitError::ObjectFormat { .. }));
        fs::create_dir(root.join("sub")).expect("writable");
        fs::write(root.join("sub/.git"), "gitdir: nowhere").expect("writable");
        let error = Repository::discover(&root.join("sub")).expect("found");
        assert!(matches!(error, Err(GitError::GitFile { .. })));
    }

    #[test]
    fn shallow_and_partial_clones_are_noticed() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = scratch.path();
        skeleton(root);
        assert!(!Repository::open(root).expect("read").partial);
        fs::create_dir(root.join("objects/pack")).expect("writable");
        fs::write(root.join("objects/pack/pack-1.promisor"), "").expect("writable");
        let id = ObjectId::new([0xab; 20]);
        fs::write(root.join("shallow"), format!("{id}\n")).expect("writable");
        let repository = Repository::open(root).expect("read");
        assert!(repository.partial);
        assert_eq!(repository.shallow, [id]);
    }
}
