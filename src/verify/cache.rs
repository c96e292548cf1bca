//! Verdicts of earlier runs, kept on disk when the user wants that.
//!
//! A folder with a key of its own and a file of lines, each written as soon as a verdict is there,
//! so that a run that is killed loses none. What identifies a line is an HMAC under that key of
//! verifier, hosts, secret and parts: the file tells nobody what was asked. What is unknown is not
//! kept.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::detector::IdentityField;
use crate::model::Outcome;

/// How long a live verdict is believed, in seconds.
const LIVE: i64 = 3600;
/// How long a dead one is believed, in seconds.
const DEAD: i64 = 24 * 3600;

/// Why a cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The folder or a file in it.
    #[error("{}: cannot be used to remember verdicts", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The key.
    #[error("{}: not a key of 32 bytes; remove the folder to begin anew", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
    },
}

/// Verdicts that are remembered.
#[derive(Debug)]
pub struct Cache {
    key: [u8; 32],
    known: BTreeMap<String, Line>,
    out: Mutex<File>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// Not called a key, which scanners look for.
    of: String,
    at: i64,
    outcome: String,
    identity: Vec<(IdentityField, String)>,
}

impl Cache {
    /// Opens the cache in `folder`, which is made when it is not there. Lines that cannot be read
    /// are forgotten.
    pub fn open(folder: &Path) -> Result<Self, CacheError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| CacheError::Io { path, source }
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        let key_path = folder.join("key");
        let key = match fs::read(&key_path) {
            Ok(bytes) => bytes.try_into().map_err(|_| CacheError::Key {
                path: key_path.clone(),
            })?,
            Err(_) => {
                let key = super::net::random();
                private(&key_path, false)
                    .and_then(|mut file| file.write_all(&key))
                    .map_err(failed(&key_path))?;
                key
            }
        };
        let path = folder.join("verdicts.jsonl");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines = text.lines().filter_map(|line| {
            let line: Line = serde_json::from_str(line).ok()?;
            Some((line.of.clone(), line))
        });
        let known = lines.collect();
        let mut out = private(&path, true).map_err(failed(&path))?;
        // What a killed run left half written ends here.
        if !text.is_empty() && !text.ends_with('\n') {
            out.write_all(b"\n").map_err(failed(&path))?;
        }
        Ok(Self {
            key,
            known,
            out: Mutex::new(out),
        })
    }

    /// What keys of checks are made with.
    pub(super) fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The verdict that is remembered under `key`, if it is young enough at `now`.
    pub(super) fn get(&self, key: &[u8], now: i64) -> Option<Verdict> {
        let line = self.known.get(&HEXLOWER.encode(key))?;
        let outcome = Outcome::parse(&line.outcome, None)?;
        let age = now.checked_sub(line.at)?;
        let believed = if outcome.is_live() { LIVE } else { DEAD };
        (0..believed).contains(&age).then(|| Verdict {
            identity: line.identity.clone(),
            ..Verdict::of(outcome)
        })
    }

    /// Remembers `verdict`, unless it is not known.
    pub(super) fn put(&self, key: &[u8], verdict: &Verdict, now: i64) {
        if !verdict.outcome.is_live() && !verdict.outcome.is_dead() {
            return;
        }
        let line = Line {
            of: HEXLOWER.encode(key),
            at: now,
            outcome: verdict.outcome.as_str().to_owned(),
            identity: verdict.identity.clone(),
        };
        let Ok(mut text) = serde_json::to_vec(&line) else {
            return;
        };
        text.push(b'\n');
        let mut out = self.out.lock().unwrap_or_else(|held| held.into_inner());
        // A verdict that cannot be kept is asked for again.
        let _ = out.write_all(&text).and_then(|()| out.flush());
    }
}

/// A file that its owner alone may read, where the system knows owners.
fn private(path: &Path, append: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true);
    match append {
        true => options.append(true),
        false => options.write(true).truncate(true),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}
