//! Turns what the user named into what is read.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

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
#[derive(Default)]
pub(super) struct Plan {
    /// Each with the number of its root, which standard input has not.
    pub(super) targets: Vec<(Option<usize>, Located)>,
    pub(super) roots: Vec<Root>,
}

/// What paths count from: the root of a repository, or a folder that is in none.
pub(super) struct Root {
    /// As the user would name it; `None` when the paths in it begin with that.
    name: Option<Arc<str>>,
    pub(super) repository: Option<Repository>,
    /// The number of the first root with the same history: work trees may share one.
    pub(super) past: usize,
}

pub(super) fn locate(request: &Request, diagnostics: &Diagnostics) -> Result<Plan, SourceError> {
    let mut plan = Plan::default();
    for target in &request.targets {
        match target {
            Target::Stdin => plan.targets.push((None, Located::Stdin)),
            Target::Path(path) => plan.path(path, request, diagnostics)?,
        }
    }
    Ok(plan)
}

impl Plan {
    /// What to call a root: nothing, when there is no other.
    pub(super) fn name(&self, root: usize) -> Option<Arc<str>> {
        self.roots[root]
            .name
            .clone()
            .filter(|_| self.roots.len() > 1)
    }

    /// The repositories by their names, when there are several roots.
    pub(super) fn repositories(&self) -> Vec<(Arc<str>, RepositoryInfo)> {
        let known = self.roots.iter().filter(|_| self.roots.len() > 1);
        known
            .filter_map(|root| Some((root.name.clone()?, root.repository.as_ref()?.info())))
            .collect()
    }

    /// The repository of the first target that has one.
    pub(super) fn first(&self) -> Option<RepositoryInfo> {
        let mut all = self.roots.iter();
        all.find_map(|root| Some(root.repository.as_ref()?.info()))
    }

    /// The number of the root that `path` is in, at `below` when that is a repository's work tree.
    fn root(
        &mut self,
        path: &Path,
        repository: Option<&Repository>,
        below: Option<&[u8]>,
    ) -> usize {
        let is_it = |root: &Root| match (&root.repository, repository) {
            (Some(known), Some(this)) => {
                known.common_dir == this.common_dir && known.work_tree == this.work_tree
            }
            (None, None) => root.name == given(path),
            _ => false,
        };
        if let Some(known) = self.roots.iter().position(is_it) {
            return known;
        }
        let name = match repository {
            Some(repository) => Some(root_name(path, repository, below).into()),
            None => given(path),
        };
        let shares = |root: &Root| {
            let store = |repository: &Repository| repository.common_dir.clone();
            root.repository.is_some()
                && root.repository.as_ref().map(store) == repository.map(store)
        };
        let past = self.roots.iter().position(shares);
        self.roots.push(Root {
            name,
            repository: repository.cloned(),
            past: past.unwrap_or(self.roots.len()),
        });
        self.roots.len() - 1
    }

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
        let below = found
            .as_ref()
            .and_then(|repository| below_root(path, repository));
        let root = self.root(path, found.as_ref(), below.as_deref());
        let mut push = |target| self.targets.push((Some(root), target));
        match &request.scope {
            Scope::Staged { index_file } => {
                let repository = found.ok_or_else(needed)?;
                let index_file = index_file.clone();
                push(Located::Staged {
                    repository,
                    index_file,
                });
            }
            Scope::Range(spec) => {
                let repository = found.ok_or_else(needed)?;
                let spec = spec.clone();
                push(Located::Range { repository, spec });
            }
            &Scope::Full { tree, history } => {
                if history == Past::Required && found.is_none() {
                    return Err(needed());
                }
                if tree && !found.as_ref().is_some_and(|found| is_git_side(path, found)) {
                    push(tree_of(
                        path,
                        found.as_ref(),
                        below.as_deref(),
                        request,
                        diagnostics,
                    ));
                }
                let Some(repository) = found.filter(|_| history != Past::Skip) else {
                    return Ok(());
                };
                match below.as_deref() {
                    None | Some([]) => push(Located::History(repository)),
                    Some(_) if history == Past::Required => push(Located::History(repository)),
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
}

fn tree_of(
    path: &Path,
    repository: Option<&Repository>,
    below: Option<&[u8]>,
    request: &Request,
    diagnostics: &Diagnostics,
) -> Located {
    let is_dir = path.is_dir();
    let mut options = FilesOptions {
        include_ignored: request.include_ignored,
        tell_repositories: repository.is_none() && reads_history(request),
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
    Located::Tree {
        root: path.to_owned(),
        options,
    }
}

/// Whether histories are read where there are any.
fn reads_history(request: &Request) -> bool {
    let Scope::Full { history, .. } = request.scope else {
        return false;
    };
    history != Past::Skip
}

/// A path as reports write them, `/`-separated.
fn shown(path: &Path) -> String {
    path.display().to_string().replace(MAIN_SEPARATOR, "/")
}

/// The folder of `path`, which lies in no repository; nothing when paths begin with it
/// ([`given_prefix`]).
fn given(path: &Path) -> Option<Arc<str>> {
    let folder = match path.is_dir() {
        true => Some(path),
        false => path.parent(),
    };
    let folder = folder.filter(|folder| folder.is_absolute())?;
    Some(shown(folder).into())
}

/// What the user would call the root of `repository`, who named `path`, which lies `below` it.
fn root_name(path: &Path, repository: &Repository, below: Option<&[u8]>) -> String {
    let path: PathBuf = path.components().collect();
    let path = path.strip_prefix(".").unwrap_or(&path);
    let here = |path: &Path| match path.as_os_str().is_empty() {
        true => ".".to_owned(),
        false => shown(path),
    };
    let (Some(below), Some(tree)) = (below, &repository.work_tree) else {
        return here(path);
    };
    let depth = below
        .split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty());
    let real = |path: &Path| path.canonicalize().ok();
    // Where a link leads into the repository, no part of what was named is its root.
    match path.ancestors().nth(depth.count()).map(here) {
        Some(root) if real(Path::new(&root)) == real(tree) => root,
        _ => shown(tree),
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
