//! The folder that the user named, and what lies in it.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Key, file};

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// It cannot be made, read or written.
    #[error("{}: the state cannot be kept here", path.display())]
    Io {
        /// The folder, or the file in it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else, which is better not mixed with a state.
    #[error(
        "{}: neither empty nor the state of an earlier scan; name a folder that holds nothing else",
        path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
}

/// Says to backup programs that nothing here is worth keeping, and to us that the folder is ours.
const TAG: &str = "CACHEDIR.TAG";
const TAG_TEXT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # Made by straykey scan --state: ids of objects without findings. Safe to delete.\n";
/// Keeps the folder out of commits, and of scans of the work tree around it.
const IGNORE: &str = ".gitignore";

/// First part of the names of the folders, one for each key.
const FOLDER: &str = "detectors-";
/// Written by every scan, so that its time says when a folder was used last.
const USED: &str = "used";
/// Folders that are kept, those used last.
const KEPT_FOLDERS: usize = 8;

/// Makes `directory` ready and returns its folder for `key`.
pub(super) fn prepare(
    directory: &Path,
    key: &Key,
    warnings: &mut BTreeSet<String>,
) -> Result<PathBuf, StateError> {
    let failed = |path: &Path, source| StateError::Io {
        path: path.to_owned(),
        source,
    };
    make(directory).map_err(|error| failed(directory, error))?;
    let tag = directory.join(TAG);
    if !tag.is_file() {
        let mut entries = fs::read_dir(directory).map_err(|error| failed(directory, error))?;
        // Another scan may make the folder at this moment, beginning with the tag.
        if entries.next().is_some() && !tag.is_file() {
            let path = directory.to_owned();
            return Err(StateError::Foreign { path });
        }
        fs::write(&tag, TAG_TEXT).map_err(|error| failed(&tag, error))?;
        restrict(directory).map_err(|error| failed(directory, error))?;
    }
    let ignore = directory.join(IGNORE);
    if !ignore.is_file() {
        fs::write(&ignore, "*\n").map_err(|error| failed(&ignore, error))?;
    }
    if is_open_to_others(directory) {
        warnings.insert(format!(
            "{}: others can write to it, and whoever can is able to hide findings; take that \
             right away",
            directory.display()
        ));
    }
    let folder = directory.join(format!("{FOLDER}{}", key.name()));
    make(&folder).map_err(|error| failed(&folder, error))?;
    let used = folder.join(USED);
    fs::write(&used, "\n").map_err(|error| failed(&used, error))?;
    for leftover in files(&folder, file::PASSING) {
        // Should it be one of a process that lives, that process writes it again.
        let _ = fs::remove_file(leftover);
    }
    forget_oldest(directory);
    Ok(folder)
}

/// The files of `folder` whose names start with `prefix`, sorted.
pub(super) fn files(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| {
        let name = entry.file_name();
        name.as_encoded_bytes().starts_with(prefix.as_bytes())
    });
    let mut paths: Vec<_> = named.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Removes files that start with `prefix`, but for the `count` newest.
pub(super) fn keep_newest(folder: &Path, prefix: &str, count: usize) {
    let all = files(folder, prefix);
    for path in oldest(all, count, |path| path.to_owned()) {
        let _ = fs::remove_file(path);
    }
}

fn forget_oldest(directory: &Path) {
    let all = files(directory, FOLDER);
    for path in oldest(all, KEPT_FOLDERS, |path| path.join(USED)) {
        let _ = fs::remove_dir_all(path);
    }
}

/// All but the `count` that are newest by the time of the file that `dated` names.
fn oldest(
    mut all: Vec<PathBuf>,
    count: usize,
    dated: impl Fn(&Path) -> PathBuf,
) -> impl Iterator<Item = PathBuf> {
    if all.len() <= count {
        all.clear();
    }
    let time = |path: &PathBuf| {
        let about = fs::metadata(dated(path)).and_then(|about| about.modified());
        about.unwrap_or(SystemTime::UNIX_EPOCH)
    };
    all.sort_by_cached_key(|path| std::cmp::Reverse(time(path)));
    all.into_iter().skip(count)
}

fn make(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Takes all rights from others.
#[cfg(unix)]
fn restrict(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn is_open_to_others(directory: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(directory).is_ok_and(|about| about.permissions().mode() & 0o022 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_something_else_is_refused_and_left_alone() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let key = Key::of_bytes([1; 32]);
        let mut warnings = BTreeSet::new();
        let file = scratch.path().join("file");
        fs::write(&file, "text").expect("writable");
        let refused = prepare(scratch.path(), &key, &mut warnings);
        assert!(matches!(refused, Err(StateError::Foreign { .. })));
        let refused = prepare(&file, &key, &mut warnings);
        assert!(matches!(refused, Err(StateError::Io { .. })));
        assert_eq!(fs::read_dir(scratch.path()).expect("listable").count(), 1);
    }

    #[test]
    fn the_folders_used_last_are_kept() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = scratch.path().join("state");
        let mut warnings = BTreeSet::new();
        for n in 0..12 {
            prepare(&root, &Key::of_bytes([n; 32]), &mut warnings).expect("prepared");
        }
        let left = files(&root, FOLDER);
        assert_eq!(left.len(), KEPT_FOLDERS);
        let last = format!("{FOLDER}{}", Key::of_bytes([11; 32]).name());
        assert!(left.iter().any(|path| path.ends_with(&last)));
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}
