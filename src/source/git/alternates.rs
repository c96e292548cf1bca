//! Object directories that a repository borrows from (`objects/info/alternates`).
//!
//! The file may name any directory of the machine, so only those inside the repository's own
//! directories are followed unless the user asks for all of them.

use std::path::{Path, PathBuf};

use super::layout::{Repository, read_limited, to_path};
use crate::model::Diagnostics;

/// The object directory of `repository` and every one it borrows from, each once.
pub(super) fn object_directories(
    repository: &Repository,
    follow: bool,
    diagnostics: &Diagnostics,
) -> Vec<PathBuf> {
    let own = repository.own_directories();
    let mut found = vec![repository.objects_dir.clone()];
    let mut seen: Vec<PathBuf> = found[0].canonicalize().into_iter().collect();
    let mut at = 0;
    while let Some(directory) = found.get(at).cloned() {
        at += 1;
        for named in named_by(&directory, diagnostics) {
            let Ok(real) = named.canonicalize() else {
                let message = "an alternate object directory that does not exist; what it held \
                               is not scanned";
                diagnostics.incomplete(named.display(), message);
                continue;
            };
            if seen.contains(&real) {
                continue;
            }
            seen.push(real.clone());
            if follow || own.iter().any(|own| real.starts_with(own)) {
                found.push(named);
            } else {
                let message = "an alternate object directory outside of the repository is not \
                               read; allow it with --follow-alternates";
                diagnostics.incomplete(real.display(), message);
            }
        }
    }
    found
}

fn named_by(directory: &Path, diagnostics: &Diagnostics) -> Vec<PathBuf> {
    let file = directory.join("info/alternates");
    let bytes = match read_limited(&file) {
        Ok(bytes) => bytes.unwrap_or_default(),
        Err(error) => {
            diagnostics.incomplete(file.display(), error);
            return Vec::new();
        }
    };
    let lines = bytes.split(|&byte| byte == b'\n');
    lines
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .filter_map(to_path)
        .map(|path| directory.join(path))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn repository(root: &Path) -> Repository {
        Repository {
            work_tree: None,
            git_dir: root.to_path_buf(),
            common_dir: root.to_path_buf(),
            objects_dir: root.join("objects"),
            shallow: Vec::new(),
            partial: false,
            reftable: false,
        }
    }

    fn alternates(objects: &Path, text: &str) {
        fs::create_dir_all(objects.join("info")).expect("writable");
        fs::write(objects.join("info/alternates"), text).expect("writable");
    }

    #[test]
    fn inside_is_followed_outside_needs_the_flag_and_cycles_end() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = scratch.path().join("repository");
        let inside = root.join("forks/objects");
        let outside = scratch.path().join("outside");
        alternates(&root.join("objects"), "# first\n../forks/objects\n\n");
        alternates(&inside, "../../objects\n../../../outside\nnowhere\n");
        alternates(&outside, "../repository/objects\n");

        let diagnostics = Diagnostics::new();
        let found = object_directories(&repository(&root), false, &diagnostics);
        assert_eq!(found.len(), 2);
        let messages = diagnostics.into_sorted();
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(
            messages
                .iter()
                .any(|one| one.message.contains("--follow-alternates"))
        );

        let found = object_directories(&repository(&root), true, &Diagnostics::new());
        assert_eq!(found.len(), 3);
    }
}
