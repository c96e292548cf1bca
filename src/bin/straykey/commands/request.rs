//! Flags, environment and `straykey.toml` → a request.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};
use straykey::config::{self, Config};
use straykey::detector::{self, DetectorSet};
use straykey::engine::Engine;
use straykey::engine::prefilter::Simd;
use straykey::finding::fingerprint::FingerprintKey;
use straykey::finding::{Allowances, Baseline, IGNORE_FILES, IgnoreFile, Markers};
use straykey::scan::{Past, Request, Scope, Target};
use straykey::source::git::range::RangeSpec;
use straykey::source::git::{Repository, StoreOptions};
use straykey::state::{Key, State};

use crate::args::{self, How, What};

/// A request with what goes beside it.
pub(crate) struct Prepared {
    pub(crate) request: Request,
    pub(crate) detectors: Arc<DetectorSet>,
    pub(crate) config: Config,
    /// Where the baseline is, whether it exists or not.
    pub(crate) baseline: PathBuf,
}

/// Name of the baseline file that is read unasked, at the repository's root.
const BASELINE: &str = "straykey.baseline";

pub(crate) fn prepare(what: &What, how: &How) -> Result<Prepared> {
    let scope = scope(what);
    let targets = targets(what)?;
    let start = targets.iter().find_map(|target| match target {
        Target::Path(path) => Some(path.clone()),
        Target::Stdin => None,
    });
    let start = std::path::absolute(start.unwrap_or_else(|| ".".into()))?;
    let found = Repository::discover(&start).and_then(Result::ok);
    let root = root(&start, found.as_ref());
    let builtin = DetectorSet::builtin();
    let config = match (&how.config, how.no_config) {
        (_, true) => Config::default(),
        (Some(path), _) => config::load(path, &builtin)?,
        (None, _) => match config::discover(&start, &root) {
            Some(path) => config::load(&path, &builtin)?,
            None => Config::default(),
        },
    };
    for warning in &config.warnings {
        let file = config.path.as_deref().unwrap_or(Path::new("straykey.toml"));
        anstream::eprintln!("straykey: warning: {}: {warning}", file.display());
    }
    let detectors = detectors(builtin, how, &config)?;
    let given = how.baseline.clone().or_else(|| config.baseline.clone());
    let baseline = given.clone().unwrap_or_else(|| root.join(BASELINE));
    let patterns = config
        .exclude
        .iter()
        .chain(&what.exclude)
        .map(String::as_str);
    let exclude = config::globs(patterns).context("--exclude")?;
    let history = match (&scope, config.history) {
        (
            Scope::Full {
                tree: true,
                history: Past::IfAny,
            },
            Some(false),
        ) => Some(Past::Skip),
        _ => None,
    };
    let scope = match history {
        Some(history) => Scope::Full {
            tree: true,
            history,
        },
        None => scope,
    };
    let markers = match how.no_foreign_ignores || config.foreign_ignores == Some(false) {
        true => Markers::Own,
        false => Markers::All,
    };
    let store = StoreOptions {
        follow_alternates: what.follow_alternates || config.follow_alternates.unwrap_or(false),
        max_object_bytes: what.max_object_size,
        delta_scan: !what.no_delta_scan,
    };
    let state = match &what.state {
        Some(directory) => Some(State::open(directory, Key::new(&detectors, &store))?),
        None => None,
    };
    let request = Request {
        targets,
        found: found.map(|repository| (start, repository)),
        scope,
        include_ignored: what.include_ignored || config.include_ignored.unwrap_or(false),
        exclude,
        force_exclude: what.force_exclude,
        store,
        state: state.map(Arc::new),
        markers,
        line_hashes: false,
        explain: false,
        key: how.fingerprint_key_file.as_deref().map(key).transpose()?,
        allowances: Allowances {
            baseline: read_baseline(&baseline, given.is_some())?,
            allow: config.allow.clone(),
            ignore_files: match markers {
                Markers::Own => Vec::new(),
                Markers::All => ignore_files(&root),
            },
        },
        min_confidence: how
            .min_confidence
            .as_deref()
            .map(args::confidence)
            .or(config.min_confidence),
        now: now(),
        threads: how.threads,
    };
    Ok(Prepared {
        request,
        detectors,
        config,
        baseline,
    })
}

/// The engine for `detectors`, with the kernel that `STRAYKEY_SIMD` names or the fastest.
pub(crate) fn engine(detectors: Arc<DetectorSet>) -> Result<Engine> {
    let simd = match env::var("STRAYKEY_SIMD") {
        Ok(name) if !name.is_empty() => name.parse().context("STRAYKEY_SIMD")?,
        _ => Simd::best(),
    };
    Ok(Engine::with_simd(detectors, simd))
}

fn scope(what: &What) -> Scope {
    if what.staged {
        return Scope::Staged {
            index_file: env::var_os("GIT_INDEX_FILE").map(PathBuf::from),
        };
    }
    if let Some(range) = &what.range {
        return Scope::Range(RangeSpec::Revisions(range.clone()));
    }
    if let Some(since) = &what.since {
        return Scope::Range(RangeSpec::Revisions(format!("{since}..HEAD")));
    }
    Scope::Full {
        tree: !what.history_only,
        history: match (what.no_history, what.history_only) {
            (true, _) => Past::Skip,
            (_, true) => Past::Required,
            _ => Past::IfAny,
        },
    }
}

fn targets(what: &What) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for path in &what.targets {
        let target = match path.as_os_str() == "-" {
            true => Target::Stdin,
            false => Target::Path(path.clone()),
        };
        if target == Target::Stdin && (what.staged || what.range.is_some() || what.history_only) {
            bail!("`-` is standard input; it has no history and no index");
        }
        targets.push(target);
    }
    if what.state.is_some() && targets == [Target::Stdin] {
        bail!("--state remembers the objects of a history, and standard input has none");
    }
    if targets.is_empty() {
        targets.push(Target::Path(".".into()));
    }
    Ok(targets)
}

/// The root of the repository `found`, which `start` is in, or `start` itself.
fn root(start: &Path, found: Option<&Repository>) -> PathBuf {
    let work_tree = found.and_then(|repository| repository.work_tree.clone());
    work_tree.unwrap_or_else(|| match start.is_file() {
        true => start.parent().unwrap_or(start).to_owned(),
        false => start.to_owned(),
    })
}

fn detectors(builtin: DetectorSet, how: &How, config: &Config) -> Result<Arc<DetectorSet>> {
    let mut set = builtin;
    for path in &config.detector_files {
        let files = detector::load(path)?;
        let mut detectors: Vec<_> = files.into_iter().flat_map(|(_, all)| all).collect();
        // Whoever wrote what is scanned must not say whom its secrets are sent to, and a
        // configuration mostly lies there.
        for detector in &mut detectors {
            detector.verifier = None;
            detector.revocation = None;
        }
        set = set.with(detectors);
    }
    for path in &how.detectors {
        let files = detector::load(path)?;
        set = set.with(files.into_iter().flat_map(|(_, detectors)| detectors));
    }
    for id in how.only.iter().chain(&config.disable) {
        if set.find(id).is_none() {
            return Err(anyhow!(
                "no detector `{id}`; `straykey detectors list` shows all"
            ));
        }
    }
    let set = set.filtered(|detector| {
        let id = detector.id.as_ref();
        (how.only.is_empty() || how.only.iter().any(|only| only == id))
            && !config.disable.iter().any(|off| off == id)
    });
    Ok(Arc::new(set))
}

fn read_baseline(path: &Path, must_exist: bool) -> Result<Baseline> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => {
            return Ok(Baseline::default());
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!(
                "{}: no such baseline; `straykey baseline create` makes one",
                path.display()
            );
        }
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    Baseline::parse(&text).with_context(|| path.display().to_string())
}

/// Largest file of another scanner, in bytes: it belongs to the scanned repository.
const MAX_IGNORE_FILE: u64 = 16 << 20;

/// The files of other scanners at the root. What of them cannot be used is a warning: it only
/// makes the report longer.
fn ignore_files(root: &Path) -> Vec<IgnoreFile> {
    let mut files = Vec::new();
    for name in IGNORE_FILES {
        let path = root.join(name);
        let Ok(about) = fs::symlink_metadata(&path) else {
            continue;
        };
        if !about.is_file() {
            continue;
        }
        if about.len() > MAX_IGNORE_FILE {
            let file = path.display();
            anstream::eprintln!("straykey: warning: {file}: larger than 16 MiB; not read");
            continue;
        }
        match fs::read(&path) {
            Ok(bytes) => {
                let (file, warnings) = IgnoreFile::parse(name, &String::from_utf8_lossy(&bytes));
                for warning in warnings {
                    anstream::eprintln!("straykey: warning: {}: {warning}", path.display());
                }
                files.push(file);
            }
            Err(error) => {
                anstream::eprintln!("straykey: warning: {}: {error}", path.display());
            }
        }
    }
    files
}

fn key(path: &Path) -> Result<FingerprintKey> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    FingerprintKey::new(&bytes).with_context(|| path.display().to_string())
}

/// The clock is read here and nowhere else.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    since.as_secs() as i64
}
