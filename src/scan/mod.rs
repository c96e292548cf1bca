//! The pipeline: targets → sources → engine → findings → what a report shows.

mod collect;
mod swept;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use globset::GlobSet;

use crate::engine::Engine;
use crate::engine::judge::path;
use crate::finding::{
    Allowances, Finding, Grouping, Markers, RawFinding, fingerprint::FingerprintKey, group,
    hide_secret_parts,
};
use crate::machine::{heap, threads};
use crate::model::{
    Confidence, Diagnostic, Diagnostics, ObjectId, Reachability, RepositoryInfo, Role, SourceKind,
    Stats,
};
use crate::pairs::pair;
use crate::source::files::Files;
use crate::source::git::objects::Objects;
use crate::source::git::range::{Range, RangeSpec};
use crate::source::git::staged::Staged;
use crate::source::git::{Attribution, Repository, StoreOptions};
use crate::source::stdin::Stream;
use crate::source::{Source, SourceError};
use crate::state::State;

use collect::{Collector, Pending, Within};
use swept::{Swept, Told};
use target::Located;

/// What to scan and how to judge it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// What the user named.
    pub targets: Vec<Target>,
    /// A target's absolute path and the repository that it lies in, where that is known already.
    pub found: Option<(PathBuf, Repository)>,
    /// What of it is read.
    pub scope: Scope,
    /// Untracked files that git ignores too.
    pub include_ignored: bool,
    /// Paths that are left out.
    pub exclude: GlobSet,
    /// Whether [`Request::exclude`] also holds for files named as targets.
    pub force_exclude: bool,
    /// How object stores are read.
    pub store: StoreOptions,
    /// What earlier scans learnt of histories; with it they are scanned where they are new.
    pub state: Option<Arc<State>>,
    /// Which comments silence findings.
    pub markers: Markers,
    /// Whether code scanning's line hashes are needed.
    pub line_hashes: bool,
    /// The organisation's key for finding ids.
    pub key: Option<FingerprintKey>,
    /// What is accepted.
    pub allowances: Allowances,
    /// Whether findings say what the model makes of them.
    pub explain: bool,
    /// Least confidence that is kept.
    pub min_confidence: Option<Confidence>,
    /// The time that expiry dates are held against, in seconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// Threads; 0 means one for each core.
    pub threads: usize,
}

/// Something to scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A repository, folder or file.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

/// What of a target is read.
#[derive(Clone, Debug)]
pub enum Scope {
    /// The present and the past.
    Full {
        /// The work tree.
        tree: bool,
        /// Every object of the git database.
        history: Past,
    },
    /// The index against `HEAD`.
    Staged {
        /// The index file, when it is not the usual one (`GIT_INDEX_FILE`).
        index_file: Option<PathBuf>,
    },
    /// The commits of a range.
    Range(RangeSpec),
}

/// Whether the history is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Past {
    /// No.
    Skip,
    /// When there is one.
    IfAny,
    /// Yes, and its absence is an error.
    Required,
}

impl Default for Scope {
    fn default() -> Self {
        Self::Full {
            tree: true,
            history: Past::IfAny,
        }
    }
}

/// What a scan ends with: what a report shows, without its detectors.
#[derive(Debug)]
pub struct Outcome {
    /// Findings that count, worst first.
    pub findings: Vec<Finding>,
    /// Findings that something silences.
    pub suppressed: Vec<Finding>,
    /// What went wrong on the way, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// Counts; the time is the caller's to fill in.
    pub stats: Stats,
    /// The repository of the first target that has one.
    pub repository: Option<RepositoryInfo>,
    /// All of them by their names, when targets have several roots.
    pub repositories: Vec<(Arc<str>, RepositoryInfo)>,
    /// Paths of history occurrences, each below its root, at which the tree at `HEAD` has no file;
    /// only looked up with [`Request::line_hashes`], whose report needs it.
    pub gone_paths: BTreeSet<(Option<Arc<str>>, Vec<u8>)>,
}

/// Is told how far a scan is, from any thread.
pub trait Progress: Sync {
    /// A phase begins, with the number of its steps where it is known.
    fn phase(&self, name: &str, steps: Option<u64>);
    /// A blob of `bytes` bytes was scanned.
    fn scanned(&self, bytes: u64);
}

/// Tells nobody.
#[derive(Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn phase(&self, _: &str, _: Option<u64>) {}
    fn scanned(&self, _: u64) {}
}

/// Runs `request`. `stdin` is read when it is a target.
pub fn run(
    request: &Request,
    engine: &Engine,
    stdin: Box<dyn Read + Send>,
    progress: &dyn Progress,
) -> Result<Outcome, SourceError> {
    match request.threads {
        0 => run_here(request, engine, stdin, progress),
        threads => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.map_err(|error| SourceError::Git {
                path: PathBuf::from("thread pool"),
                message: error.to_string(),
            })?;
            pool.install(|| run_here(request, engine, stdin, progress))
        }
    }
}

fn run_here(
    request: &Request,
    engine: &Engine,
    stdin: Box<dyn Read + Send>,
    progress: &dyn Progress,
) -> Result<Outcome, SourceError> {
    let diagnostics = Diagnostics::new();
    let state = request.state.as_deref();
    let mut collector = Collector::new(engine, request.markers, request.line_hashes, progress);
    collector.state = state;
    let located = target::locate(request, &diagnostics)?;
    let stdin = Mutex::new(Some(stdin));
    let mut pasts: BTreeMap<PathBuf, (usize, Repository)> = BTreeMap::new();
    let within = |root: Option<usize>| Within {
        root,
        name: root.and_then(|root| located.name(root)),
    };
    for (root, target) in &located.targets {
        collector.enter(within(*root));
        match target {
            Located::Stdin => {
                let reader = stdin.lock().ok().and_then(|mut reader| reader.take());
                if let Some(reader) = reader {
                    read(&Stream::new(reader), &collector, &diagnostics)?;
                }
            }
            Located::Tree { root, options } => {
                progress.phase("files", None);
                read(&Files::new(root, options.clone()), &collector, &diagnostics)?;
            }
            Located::History(repository) => {
                if let Some(root) = *root {
                    let past = (located.roots[root].past, repository.clone());
                    pasts.entry(repository.common_dir.clone()).or_insert(past);
                }
            }
            Located::Staged {
                repository,
                index_file,
            } => {
                progress.phase("staged changes", None);
                let staged = Staged::new(repository, index_file.clone(), request.store);
                read(&staged, &collector, &diagnostics)?;
            }
            Located::Range { repository, spec } => {
                progress.phase("commits", None);
                let range = Range::new(repository, spec.clone(), request.store);
                read(&range, &collector, &diagnostics)?;
            }
        }
    }
    let mut swept = Vec::new();
    if !pasts.is_empty() {
        heap::map_large_pieces();
    }
    for (root, repository) in pasts.values() {
        progress.phase("history", None);
        collector.enter(within(Some(*root)));
        let objects = Objects::open(repository, &request.store, &diagnostics)?;
        let past = Swept::sweep(objects, state, &collector, &diagnostics);
        swept.push((*root, past));
    }
    if !swept.is_empty() {
        collector.rest();
    }
    let collected = collector.finish();
    let mut stats = Stats {
        files: collected.files,
        objects: collected.objects,
        bytes: collected.bytes,
        known: collected.known,
        below_confidence: 0,
        elapsed: Duration::ZERO,
    };
    progress.phase("attribution", None);
    let raw = attributed(
        collected.found,
        &mut swept,
        &located,
        request,
        engine,
        &diagnostics,
    );
    if let Some(state) = state {
        state.finish();
    }
    let grouping = Grouping {
        key: request.key.clone(),
        now: request.now,
        explain: request.explain,
    };
    let grouped = || group(raw, engine.detectors(), &grouping);
    let mut all = match swept.is_empty() {
        true => grouped(),
        false => {
            // Whoever asks for the paths that are gone asks the histories again.
            let rest = || match request.line_hashes {
                true => swept.iter().for_each(|(_, past)| past.objects.rest()),
                false => swept.clear(),
            };
            rayon::join(grouped, rest).0
        }
    };
    pair(&mut all, &collected.publics, request.now);
    hide_secret_parts(&mut all);
    let least = request.min_confidence.unwrap_or(Confidence::Low);
    let before = all.len();
    let all: Vec<_> = all
        .into_iter()
        .filter(|finding| finding.confidence >= least)
        .collect();
    stats.below_confidence = (before - all.len()) as u64;
    let mut findings = Vec::new();
    let mut suppressed = Vec::new();
    for mut finding in all {
        if finding.suppression.is_none() {
            finding.suppression = request.allowances.suppression(&finding, engine.detectors());
        }
        match finding.suppression {
            None => findings.push(finding),
            Some(_) => suppressed.push(finding),
        }
    }
    let gone_paths = match request.line_hashes {
        true => gone_paths(findings.iter().chain(&suppressed), &swept, &located),
        false => BTreeSet::new(),
    };
    Ok(Outcome {
        findings,
        suppressed,
        gone_paths,
        diagnostics: diagnostics.into_sorted(),
        stats,
        repository: located.first(),
        repositories: located.repositories(),
    })
}

fn read(
    source: &dyn Source,
    collector: &Collector<'_>,
    diagnostics: &Diagnostics,
) -> Result<(), SourceError> {
    source.visit(&|item| collector.visit(item), diagnostics)
}

/// Gives objects with findings their paths and commits, and guessable values of files the path
/// at which their file began.
fn attributed(
    found: Vec<Pending>,
    swept: &mut [(usize, Swept<'_>)],
    located: &target::Plan,
    request: &Request,
    engine: &Engine,
    diagnostics: &Diagnostics,
) -> Vec<RawFinding> {
    let mut questions = questions(&found, located);
    let mut told: Vec<Told> = Vec::new();
    told.resize_with(questions.len(), Told::default);
    for (root, past) in swept.iter_mut() {
        let Question { wanted, paths } = std::mem::take(&mut questions[*root]);
        told[*root] = past.tell(&wanted, &paths, diagnostics);
    }
    // Without a scan of the history only its commits are read.
    for ((told, question), root) in told.iter_mut().zip(questions).zip(&located.roots) {
        if let (false, Some(repository)) = (question.paths.is_empty(), &root.repository)
            && let Ok(store) = Objects::open(repository, &request.store, &Diagnostics::new())
        {
            let history = store.history(&Diagnostics::new());
            told.origins = swept::origins_of(&history, &question.paths);
        }
    }
    let settled = |mut pending: Pending| {
        // Files of a tree have been left out by the walker, unless they were named.
        let seen = &pending.raw.occurrence;
        let path = seen
            .path
            .as_deref()
            .filter(|_| seen.source != SourceKind::Tree);
        if path.is_some_and(|path| is_excluded(request, path)) {
            return None;
        }
        let told = pending.root.map(|root| &told[located.roots[root].past]);
        let known = |(id, _)| told?.attributions.get(&id);
        match pending.object.and_then(known) {
            Some(attribution) => {
                if !settle(&mut pending.raw, attribution, request, engine) {
                    return None;
                }
            }
            None if pending.object.is_some() => {
                pending.raw.occurrence.reachability = Some(Reachability::Unreachable);
            }
            None => {
                let origin = told.and_then(|told| told.origins.get(&pending.raw.origin));
                if let Some(origin) = origin {
                    pending.raw.origin.clone_from(origin);
                }
            }
        }
        Some(pending.raw)
    };
    threads::filter_map(found, settled)
}

/// Puts what git knows on a finding; false when its path speaks against it.
fn settle(
    raw: &mut RawFinding,
    attribution: &Attribution,
    request: &Request,
    engine: &Engine,
) -> bool {
    let seen = &mut raw.occurrence;
    seen.role = attribution.role;
    seen.path.clone_from(&attribution.path);
    seen.other_paths.clone_from(&attribution.other_paths);
    seen.reachability = Some(attribution.reachability);
    seen.in_head = attribution.in_head;
    seen.introduced = attribution.introduced;
    seen.removed = attribution.removed;
    raw.origin.clone_from(&attribution.origin);
    let path = seen.path.as_deref().filter(|_| seen.role == Role::File);
    if let Some(path) = path {
        let mut paths = seen.other_paths.iter().map(Vec::as_slice).chain([path]);
        if paths.all(|path| is_excluded(request, path)) {
            return false;
        }
    }
    let detector = engine.detectors().get(raw.detector);
    let judged = path::judge(detector, path, raw.confidence, raw.assigned.as_mut());
    raw.confidence = judged.unwrap_or(raw.confidence);
    judged.is_some()
}

fn is_excluded(request: &Request, path: &[u8]) -> bool {
    !request.exclude.is_empty() && request.exclude.is_match(&*String::from_utf8_lossy(path))
}

/// Paths of `findings` that the trees at `HEAD` do not have.
fn gone_paths<'f>(
    findings: impl Iterator<Item = &'f Finding>,
    swept: &[(usize, Swept<'_>)],
    located: &target::Plan,
) -> BTreeSet<(Option<Arc<str>>, Vec<u8>)> {
    let paths = findings
        .flat_map(|finding| &finding.occurrences)
        .filter_map(|o| Some((o.root.clone(), o.path.clone()?)));
    let mut paths: BTreeSet<_> = paths.collect();
    for (root, past) in swept {
        if paths.is_empty() {
            break;
        }
        let name = located.name(*root);
        let present = past.objects.head_paths();
        paths.retain(|(root, path)| *root != name || !present.contains(path));
    }
    paths
}

/// What is asked of the history of a root.
#[derive(Default)]
struct Question {
    /// Objects with findings.
    wanted: Vec<ObjectId>,
    /// Files whose findings get their ids from their place.
    paths: Vec<Vec<u8>>,
}

/// For each root what is asked of its history; the first that has it is asked for all.
fn questions(found: &[Pending], located: &target::Plan) -> Vec<Question> {
    let roots = located.roots.len();
    let mut asked: Vec<(BTreeSet<ObjectId>, BTreeSet<&[u8]>)> = vec![Default::default(); roots];
    for pending in found {
        let Some(root) = pending.root else { continue };
        let (wanted, paths) = &mut asked[located.roots[root].past];
        match pending.object {
            Some((id, _)) => drop(wanted.insert(id)),
            None if pending.raw.guessable && !pending.raw.origin.is_empty() => {
                paths.insert(&pending.raw.origin);
            }
            None => {}
        }
    }
    let question = |(wanted, paths): (BTreeSet<_>, BTreeSet<&[u8]>)| Question {
        wanted: wanted.into_iter().collect(),
        paths: paths.into_iter().map(<[u8]>::to_vec).collect(),
    };
    asked.into_iter().map(question).collect()
}
