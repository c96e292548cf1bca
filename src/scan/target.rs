//! Turns what the user named into what is read.

use std::path::{Path, PathBuf};

use crate::model::{Diagnostics, RepositoryInfo};
use crate::source::SourceError;
use crate::source::files::FilesOptions;
use crate::source::git::range::RangeSpec;
use crate::source::git::{GitError, Repository, tracked_paths};

use super::{Past, Request, Scope, Target};

/// Something to read.
pub(super) enum Located {
    Stdin,
    Tree {
        root: PathBuf,
        options: FilesOptions,
    },
    History(Repository),
    Staged {
        repository: Repository,
        index_file: Option<PathBuf>,
    },
    Range {
        repository: Repository,
        spec: RangeSpec,
    },
}

/// All that is read.
pub(super) struct Plan {
    pub(super) targets: Vec<Located>,
    /// The repository of the first target that has one.
    pub(super) repository: Option<Repository>,
    pub(super) info: Option<RepositoryInfo>,
}

pub(super) fn locate(request: &Request, diagnostics: &Diagnostics) -> Result<Plan, SourceError> {
    let mut plan = Plan {
        targets: Vec::new(),
        repository: None,
        info: None,
    };
    for target in &request.targets {
        match target {
            Target::Stdin => plan.targets.push(Located::Stdin),
            Target::Path(path) => plan.path(path, request, diagnostics)?,
        }
    }
    plan.info = plan.repository.as_ref().map(Repository::info);
    Ok(plan)
}

impl Plan {
    fn path(
        &mut self,
        path: &Path,
        request: &Request,
        diagnostics: &Diagnostics,
    ) -> Result<(), SourceError> {
        std::fs::metadata(path).map_err(|source| SourceError::Open {
            path: path.to_owned(),
            source,
        })?;
        let needed = || SourceError::NotARepository {
            path: path.to_owned(),
        };
        let known = request.found.as_ref();
        let known =
            known.filter(|known| std::path::absolute(path).is_ok_and(|path| path == known.0));
        let found = match known {
            Some((_, repository)) => Some(Ok(repository.clone())),
            None => Repository::discover(path),
        };
        let found = match found {
            None => None,
            Some(Ok(repository)) => Some(repository),
            Some(Err(error)) => {
                self.broken(path, &error, request, diagnostics)?;
                None
            }
        };
        if let Some(repository) = found.as_ref().filter(|found| !found.has_sound_head()) {
            diagnostics.incomplete(
                repository.git_dir.join("HEAD").display(),
                "HEAD is damaged, so that git sees no repository here: all objects of the history \
                 are scanned where it was asked for, but what HEAD holds, what is staged, and which \
                 ignored files are tracked is not known",
            );
        }
        if self.repository.is_none() {
            self.repository.clone_from(&found);
        }
        match &request.scope {
            Scope::Staged { index_file } => {
                let repository = found.ok_or_else(needed)?;
                let index_file = index_file.clone();
                self.targets.push(Located::Staged {
                    repository,
                    index_file,
                });
            }
            Scope::Range(spec) => {
                let repository = found.ok_or_else(needed)?;
                let spec = spec.clone();
                self.targets.push(Located::Range { repository, spec });
            }
            &Scope::Full { tree, history } => {
                if history == Past::Required && found.is_none() {
                    return Err(needed());
                }
                let below = found
                    .as_ref()
                    .and_then(|repository| below_root(path, repository));
                if tree && !found.as_ref().is_some_and(|found| is_git_side(path, found)) {
                    self.tree(path, found.as_ref(), below.as_deref(), request, diagnostics);
                }
                let Some(repository) = found.filter(|_| history != Past::Skip) else {
                    return Ok(());
                };
                match below.as_deref() {
                    None | Some([]) => self.targets.push(Located::History(repository)),
                    Some(_) if history == Past::Required => {
                        self.targets.push(Located::History(repository));
                    }
                    Some(_) if path.is_dir() => diagnostics.warning(
                        path.display(),
                        "the history was not scanned, since this is not the repository's root; \
                         name the root, or --no-history to say that it is meant",
                    ),
                    Some(_) => {}
                }
            }
        }
        Ok(())
    }

    /// A repository that cannot be read: its files still can.
    fn broken(
        &self,
        path: &Path,
        error: &GitError,
        request: &Request,
        diagnostics: &Diagnostics,
    ) -> Result<(), SourceError> {
        match request.scope {
            Scope::Full {
                history: Past::Skip,
                ..
            } => Ok(()),
            Scope::Full {
                history: Past::IfAny,
                tree: true,
            } => {
                let cause = std::error::Error::source(error);
                let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
                diagnostics.incomplete(
                    path.display(),
                    format_args!("the history was not scanned: {error}{cause}"),
                );
                Ok(())
            }
            _ => Err(SourceError::Git {
                path: path.to_owned(),
                message: error.to_string(),
            }),
        }
    }

    fn tree(
        &mut self,
        path: &Path,
        repository: Option<&Repository>,
        below: Option<&[u8]>,
        request: &Request,
        diagnostics: &Diagnostics,
    ) {
        let is_dir = path.is_dir();
        let mut options = FilesOptions {
            include_ignored: request.include_ignored,
            threads: request.threads,
            own: request.state.as_ref().map(|state| state.root().to_owned()),
            ..FilesOptions::default()
        };
        if is_dir || request.force_exclude {
            options.exclude = request.exclude.clone();
        }
        match (repository, below) {
            (Some(repository), Some(below)) => {
                let folder = match is_dir {
                    true => below,
                    false => parent(below),
                };
                options.prefix = folder.to_vec();
                if !folder.is_empty() {
                    options.prefix.push(b'/');
                }
                if is_dir && !request.include_ignored {
                    let all = tracked_paths(repository, diagnostics);
                    let own = all
                        .into_iter()
                        .filter_map(|path| Some(path.strip_prefix(&options.prefix[..])?.to_vec()));
                    options.tracked = own.collect();
                    options.tracked.sort();
                }
            }
            _ => options.prefix = given_prefix(path, is_dir),
        }
        self.targets.push(Located::Tree {
            root: path.to_owned(),
            options,
        });
    }
}

/// A target without a repository keeps the name that the user gave, when it is a relative one.
fn given_prefix(path: &Path, is_dir: bool) -> Vec<u8> {
    let folder = match is_dir {
        true => Some(path),
        false => path.parent(),
    };
    let Some(folder) = folder.filter(|folder| folder.is_relative()) else {
        return Vec::new();
    };
    let folder = folder.strip_prefix(".").unwrap_or(folder);
    let mut prefix = slashed(folder);
    if !prefix.is_empty() {
        prefix.push(b'/');
    }
    prefix
}

/// Where `path` lies below the root of the work tree, empty at the root itself; `None` without a
/// work tree or outside of it.
fn below_root(path: &Path, repository: &Repository) -> Option<Vec<u8>> {
    let root = repository.work_tree.as_ref()?.canonicalize().ok()?;
    let path = path.canonicalize().ok()?;
    Some(slashed(path.strip_prefix(root).ok()?))
}

/// Whether `path` is a bare repository or lies inside a git directory: then it has no tree.
fn is_git_side(path: &Path, repository: &Repository) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    let (Some(path), Some(git_dir)) = (real(path), real(&repository.git_dir)) else {
        return false;
    };
    path.is_dir() && path.starts_with(git_dir)
}

fn slashed(path: &Path) -> Vec<u8> {
    let parts = path
        .components()
        .map(|part| part.as_os_str().as_encoded_bytes());
    parts.collect::<Vec<_>>().join(&b'/')
}

fn parent(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    &path[..end]
}
