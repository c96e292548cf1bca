//! What outlives a scan: a folder that remembers which objects of histories hold nothing.
//!
//! It knows ids and sizes of objects that the engine looked at in vain, and where objects with
//! findings lie in the history ([`Answers`]). It knows no secret and no hash of one: an object that
//! gave a match is not in it, and is read again by every scan. What is remembered holds for one
//! [`Key`]; another detector set has a folder of its own.
//!
//! Invariant: every file is written under a passing name, synced and renamed, and says its length
//! and checksum; so a file is whole or not there, whenever a process ends. All that is remembered
//! is a set that only grows, so processes that share a folder cannot contradict each other: at
//! worst one forgets what another knew. Nothing is locked.

mod answers;
mod directory;
mod file;
mod key;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

pub use answers::{Answers, Question};
pub use directory::StateError;
pub use key::Key;

use crate::model::ObjectId;
use crate::source::git::Known;
use file::{Content, Damage};
use table::{Record, Table};

/// The memory of one key, opened. Shared by all threads of a scan.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
    key: Key,
    /// What earlier scans left.
    table: Table,
    fresh: Mutex<Fresh>,
    warnings: Mutex<BTreeSet<String>>,
}

/// What this scan adds.
#[derive(Debug, Default)]
struct Fresh {
    records: Vec<Record>,
    /// How many of them are in a file.
    written: usize,
    /// Bytes of the objects that are not.
    unwritten: u64,
    /// Files of records that were read or written.
    files: BTreeSet<PathBuf>,
}

/// A file is written whenever this many objects, or objects of this many bytes, came together:
/// every second or so. That is what an interrupted scan loses.
const FLUSH_OBJECTS: usize = 8192;
const FLUSH_BYTES: u64 = 256 << 20;

/// First part of the names of files.
const OBJECTS: &str = "objects-";
const ANSWERS: &str = "history-";

/// Answers that are kept, the newest ones: about one for each repository.
const KEPT_ANSWERS: usize = 1024;

impl State {
    /// Opens what `directory` remembers for `key`, and makes sure that it can be written. Files that
    /// are damaged are removed, with a warning.
    pub fn open(directory: &Path, key: Key) -> Result<Self, StateError> {
        let mut warnings = BTreeSet::new();
        let folder = directory::prepare(directory, &key, &mut warnings)?;
        let mut state = Self {
            folder,
            key,
            table: Table::default(),
            fresh: Mutex::default(),
            warnings: Mutex::new(warnings),
        };
        state.load();
        Ok(state)
    }

    /// Notes that nothing is in object `id` of `size` bytes.
    pub fn record(&self, id: ObjectId, size: usize) {
        // Larger ones are few, and are scanned again.
        let Ok(size) = u32::try_from(size) else {
            return;
        };
        let mut fresh = lock(&self.fresh);
        fresh.records.push(Record { id, size });
        fresh.unwritten += u64::from(size);
        let objects = fresh.records.len() - fresh.written;
        if objects < FLUSH_OBJECTS && fresh.unwritten < FLUSH_BYTES {
            return;
        }
        let part = fresh.records[fresh.written..].to_vec();
        fresh.written = fresh.records.len();
        fresh.unwritten = 0;
        drop(fresh);
        self.write_records(part);
    }

    /// What is remembered of the history with this fingerprint, in a repository at `place`.
    pub fn answers(&self, fingerprint: &[u8; 32], place: &Path) -> Option<Answers> {
        let path = self.answers_path(fingerprint);
        let found = file::read(&path, Content::Answers, &self.key);
        let decoded = found.and_then(|payload| Answers::decode(&payload).ok_or(Damage::Content));
        match decoded {
            Ok(answers) => answers.holds_at(place).then_some(answers),
            Err(damage) => {
                self.discard(&path, &damage);
                None
            }
        }
    }

    /// Remembers `answers` for the history with this fingerprint.
    pub fn keep_answers(&self, fingerprint: &[u8; 32], answers: &Answers) {
        let path = self.answers_path(fingerprint);
        let written = file::write(&path, Content::Answers, &self.key, &answers.encode());
        if let Err(error) = written {
            self.warn_unwritten(&error);
        }
        directory::keep_newest(&self.folder, ANSWERS, KEPT_ANSWERS);
    }

    /// Brings all that is remembered into one file. Without it nothing is lost that is worth more
    /// than a second.
    pub fn finish(&self) {
        let mut fresh = lock(&self.fresh);
        if fresh.records.is_empty() && fresh.files.len() <= 1 {
            return;
        }
        let records = std::mem::take(&mut fresh.records);
        fresh.written = 0;
        let parts = std::mem::take(&mut fresh.files);
        drop(fresh);
        let merged = self.table.merged(records);
        if let Some(path) = self.write_records(merged) {
            for part in parts.iter().filter(|part| **part != path) {
                // Another process may have been faster.
                let _ = std::fs::remove_file(part);
            }
        }
    }

    /// The folder that the user named.
    pub fn root(&self) -> &Path {
        self.folder.parent().unwrap_or(&self.folder)
    }

    /// What went wrong with the folder; nothing of it touches the result of a scan.
    pub fn warnings(&self) -> Vec<String> {
        lock(&self.warnings).iter().cloned().collect()
    }

    /// Number of objects that earlier scans left.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether earlier scans left nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn load(&mut self) {
        let mut records = Vec::new();
        // Whoever finishes while we read takes away parts that it has put together.
        for _ in 0..3 {
            let mut vanished = false;
            for path in directory::files(&self.folder, OBJECTS) {
                if lock(&self.fresh).files.contains(&path) {
                    continue;
                }
                let found = file::read(&path, Content::Objects, &self.key);
                match found.and_then(|payload| table::decode(&payload).ok_or(Damage::Content)) {
                    Ok(part) => {
                        records.extend(part);
                        lock(&self.fresh).files.insert(path);
                    }
                    Err(damage) => {
                        vanished |= matches!(damage, Damage::Absent);
                        self.discard(&path, &damage);
                    }
                }
            }
            if !vanished {
                break;
            }
        }
        self.table = Table::new(records);
    }

    fn write_records(&self, mut records: Vec<Record>) -> Option<PathBuf> {
        records.sort_unstable();
        records.dedup();
        let payload = table::encode(&records);
        // Named by content: two processes that write one name write the same.
        let path = self
            .folder
            .join(format!("{OBJECTS}{}", key::name(&payload)));
        match file::write(&path, Content::Objects, &self.key, &payload) {
            Ok(()) => {
                lock(&self.fresh).files.insert(path.clone());
                Some(path)
            }
            Err(error) => {
                self.warn_unwritten(&error);
                None
            }
        }
    }

    fn answers_path(&self, fingerprint: &[u8; 32]) -> PathBuf {
        self.folder
            .join(format!("{ANSWERS}{}", key::name(fingerprint)))
    }

    fn discard(&self, path: &Path, damage: &Damage) {
        if matches!(damage, Damage::Absent) {
            return;
        }
        let _ = std::fs::remove_file(path);
        self.warn(format!(
            "{}: {damage}; it is made anew, and what it knew is scanned again",
            path.display()
        ));
    }

    fn warn_unwritten(&self, error: &std::io::Error) {
        self.warn(format!(
            "{}: cannot be written ({}), so what is scanned now is not remembered",
            self.folder.display(),
            error.kind()
        ));
    }

    fn warn(&self, text: String) {
        lock(&self.warnings).insert(text);
    }
}

impl Known for State {
    fn size(&self, id: &ObjectId) -> Option<u64> {
        self.table.size(id)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
