//! Runs the engine over what sources yield, and keeps what it finds with its place.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};

use crate::engine::judge::guess::{self, Strength};
use crate::engine::judge::path;
use crate::engine::judge::proof::{may_hold_public, public_halves};
use crate::engine::{Engine, Neighbour, PartMemory, Scratch, decode};
use crate::finding::{Markers, RawFinding, inline_suppression, line_hashes, place};
use crate::machine::heap;
use crate::model::{
    Blob, Content, Decoding, DetectorIndex, LineIndex, Location, Match, ObjectId, Occurrence,
    Reachability, Role, Secret, SourceKind, Span,
};
use crate::pairs::{Seen, SeenAt};
use crate::source::git::{Kind, Passed, blob_id};
use crate::source::{Item, Origin, Place};
use crate::state::State;

use super::Progress;

/// What is kept of a scan while it runs.
pub(super) struct Collector<'a> {
    engine: &'a Engine,
    markers: Markers,
    line_hashes: bool,
    progress: &'a dyn Progress,
    /// Is told which objects hold nothing.
    pub(super) state: Option<&'a State>,
    within: RwLock<Within>,
    found: Mutex<Vec<Pending>>,
    publics: Mutex<BTreeSet<Seen>>,
    files: AtomicU64,
    objects: AtomicU64,
    bytes: AtomicU64,
    known: AtomicU64,
}

/// The root below which items are: its number, and its name when there are several.
#[derive(Clone, Default)]
pub(super) struct Within {
    pub(super) root: Option<usize>,
    pub(super) name: Option<Arc<str>>,
}

/// A secret whose path and commits may still have to be looked up.
pub(super) struct Pending {
    pub(super) raw: RawFinding,
    /// The object to attribute.
    pub(super) object: Option<(ObjectId, Kind)>,
    /// The number of the root that it is below.
    pub(super) root: Option<usize>,
}

/// What a collector ends with.
pub(super) struct Collected {
    pub(super) found: Vec<Pending>,
    /// Public halves of keys.
    pub(super) publics: BTreeSet<Seen>,
    pub(super) files: u64,
    pub(super) objects: u64,
    pub(super) bytes: u64,
    /// Objects among them that were not read again.
    pub(super) known: u64,
}

/// Proofs of detectors that find private keys.
const KEY_PROOFS: &[&str] = &[
    "age-bech32",
    "gcp-service-account",
    "private-key",
    "private-key-der",
];

thread_local! {
    static SCRATCH: RefCell<(Scratch, Vec<Match>, PartMemory)> = RefCell::default();
}

impl<'a> Collector<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        markers: Markers,
        line_hashes: bool,
        progress: &'a dyn Progress,
    ) -> Self {
        Self {
            engine,
            markers,
            line_hashes,
            progress,
            state: None,
            within: RwLock::default(),
            found: Mutex::default(),
            publics: Mutex::default(),
            files: AtomicU64::new(0),
            objects: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            known: AtomicU64::new(0),
        }
    }

    /// Says below which root the items are that come next.
    pub(super) fn enter(&self, within: Within) {
        *self
            .within
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = within;
    }

    /// Scans one item; sources call this from any thread.
    pub(super) fn visit(&self, item: &Item<'_>) -> ControlFlow<()> {
        let length = item.blob.bytes.len() as u64;
        self.bytes.fetch_add(length, Relaxed);
        match item.place {
            Place::Object { .. } => self.objects.fetch_add(1, Relaxed),
            _ if item.origin.offset == 0 => self.files.fetch_add(1, Relaxed),
            _ => 0,
        };
        self.progress.scanned(length);
        SCRATCH.with_borrow_mut(|(scratch, matches, parts)| {
            matches.clear();
            let kinship = item.kinship.as_ref();
            let mut emit = |found| matches.push(found);
            self.engine
                .scan_kin(&item.blob, kinship, scratch, &mut emit);
            let size = item.blob.bytes.len();
            let holds_public = self.look_for_public(item, matches);
            let is_empty = matches.is_empty() && !holds_public;
            if let (true, Place::Object { id, .. }, Some(state)) =
                (is_empty, item.place, self.state)
            {
                state.record(id, size);
            }
            let neighbours = neighbours(item, matches);
            matches.retain(|found| item.origin.owns(found.span.start, size));
            if !matches.is_empty() && !item.before.is_empty() {
                let old = self.known_before(item.before, scratch);
                matches.retain(|found| !old.contains(&(found.detector, found.secret.clone())));
            }
            if !matches.is_empty() {
                let pending = self.describe(item, &neighbours, matches.drain(..), parts);
                self.found
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner())
                    .extend(pending);
            }
        });
        ControlFlow::Continue(())
    }

    /// Keeps public halves of keys; whether the item may hold any, and so must be read again.
    fn look_for_public(&self, item: &Item<'_>, matches: &[Match]) -> bool {
        let path = match item.place {
            Place::File { path } | Place::Staged { path, .. } => Some(path),
            Place::Commit { path, .. } => path,
            Place::Object { .. } | Place::Stdin => None,
        };
        let is_key = |found: &Match| {
            let proof = &self.engine.detectors().get(found.detector).proof;
            proof.as_deref().is_some_and(|it| KEY_PROOFS.contains(&it))
        };
        let text = item.blob.bytes;
        let worth_a_look = matches.iter().any(is_key) || may_hold_public(text, path);
        if item.origin.offset != 0 || !worth_a_look {
            return false;
        }
        let halves = public_halves(text);
        let at = match (path, item.place) {
            (Some(path), _) => SeenAt::Path(path.to_vec()),
            (None, Place::Object { id, .. } | Place::Commit { id, .. }) => SeenAt::Object(id),
            (None, _) => SeenAt::Stdin,
        };
        let holds = !halves.is_empty();
        let seen = halves.into_iter().map(|public| Seen {
            public,
            at: at.clone(),
        });
        self.publics
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .extend(seen);
        holds
    }

    /// Counts objects that need no look: an earlier scan found nothing in them.
    pub(super) fn pass(&self, passed: Passed) {
        self.known.fetch_add(passed.objects, Relaxed);
        self.objects.fetch_add(passed.objects, Relaxed);
        self.bytes.fetch_add(passed.bytes, Relaxed);
    }

    /// Gives back what the threads keep for the engine: after a history that is a few dozen MiB,
    /// which its attribution can use. For threads that have started already.
    pub(super) fn rest(&self) {
        let forget = || SCRATCH.take();
        forget();
        rayon::broadcast(|_| forget());
        heap::give_back();
    }

    pub(super) fn finish(self) -> Collected {
        Collected {
            found: self
                .found
                .into_inner()
                .unwrap_or_else(|poisoned| poisoned.into_inner()),
            publics: self
                .publics
                .into_inner()
                .unwrap_or_else(|poisoned| poisoned.into_inner()),
            files: self.files.into_inner(),
            objects: self.objects.into_inner(),
            bytes: self.bytes.into_inner(),
            known: self.known.into_inner(),
        }
    }

    fn known_before(
        &self,
        before: &[&[u8]],
        scratch: &mut Scratch,
    ) -> BTreeSet<(DetectorIndex, Secret)> {
        let mut known = BTreeSet::new();
        for bytes in before {
            let emit = &mut |found: Match| {
                known.insert((found.detector, found.secret));
            };
            self.engine.scan(&Blob::new(bytes), scratch, emit);
        }
        known
    }

    /// Lines, places and comments around each match of a blob.
    fn describe(
        &self,
        item: &Item<'_>,
        neighbours: &[Neighbour],
        matches: impl ExactSizeIterator<Item = Match>,
        memory: &mut PartMemory,
    ) -> Vec<Pending> {
        let bytes = item.blob.bytes;
        let utf16 = decode::utf16(bytes);
        let lines = LineIndex::new(utf16.as_ref().map_or(bytes, |text| text.bytes()));
        let whole = item.origin == Origin::default() && !item.origin.goes_on;
        let hashes = match self.line_hashes && whole && item.blob.content == Content::Text {
            true => line_hashes(bytes),
            false => Vec::new(),
        };
        let base = Base::of(item, whole);
        let within = self
            .within
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .clone();
        let mut values: BTreeMap<(DetectorIndex, String), Vec<Secret>> = BTreeMap::new();
        let mut pending = Vec::with_capacity(matches.len());
        for mut found in matches {
            let detector = self.engine.detectors().get(found.detector);
            // A path that only attribution finds is judged behind it.
            let known = base.to_attribute.is_none();
            let mut judged = || {
                let path = base.path.as_deref();
                path::judge(detector, path, found.confidence, found.assigned.as_mut())
            };
            let confidence = match known.then(&mut judged) {
                Some(None) => continue,
                Some(Some(confidence)) => confidence,
                None => found.confidence,
            };
            let in_text = match &utf16 {
                Some(text) => text.decoded(found.span),
                None => found.span,
            };
            let strength = guess::strength(found.secret.expose());
            let guessable = strength < Strength::Strong;
            let weak = strength == Strength::Weak;
            let key_path = match guessable {
                true => place::key_path(&lines, in_text, found.key.as_deref()),
                false => String::new(),
            };
            let known = values
                .entry((found.detector, key_path.clone()))
                .or_default();
            let ordinal = known
                .iter()
                .position(|value| *value == found.secret)
                .unwrap_or_else(|| {
                    known.push(found.secret.clone());
                    known.len() - 1
                });
            let mut parts = self
                .engine
                .parts(&lines, &found, in_text, neighbours, memory);
            for part in &mut parts {
                part.line = part.line.saturating_add(item.origin.lines);
            }
            let line = lines.line_of(in_text.start);
            let suppression = inline_suppression(&lines, in_text, detector, self.markers);
            let occurrence = Occurrence {
                location: shifted(lines.locate(in_text), item.origin),
                span: Span::new(
                    item.origin.offset + found.span.start,
                    item.origin.offset + found.span.end,
                ),
                secret: found.secret,
                decoding: found.decoding,
                key: found.key,
                parts,
                line_hash: hashes.get(line).cloned(),
                root: within.name.clone(),
                ..base.occurrence()
            };
            pending.push(Pending {
                raw: RawFinding {
                    detector: found.detector,
                    proof: found.proof,
                    confidence,
                    assigned: found.assigned,
                    occurrence,
                    guessable,
                    weak,
                    origin: base.path.clone().unwrap_or_default(),
                    key_path,
                    ordinal: ordinal as u32,
                    suppression,
                },
                object: base.to_attribute,
                root: within.root,
            });
        }
        pending
    }
}

/// All secrets of an item, whether or not they are kept, where they stand in its text.
fn neighbours(item: &Item<'_>, matches: &[Match]) -> Vec<Neighbour> {
    if matches.is_empty() {
        return Vec::new();
    }
    let utf16 = decode::utf16(item.blob.bytes);
    let neighbour = |found: &Match| Neighbour {
        detector: found.detector,
        span: utf16
            .as_ref()
            .map_or(found.span, |text| text.decoded(found.span)),
        secret: found.secret.clone(),
    };
    matches.iter().map(neighbour).collect()
}

/// A location in a chunk as one in its file.
fn shifted(location: Location, origin: Origin) -> Location {
    let column = |line: u32, column: u32| match line {
        1 => column.saturating_add(origin.columns),
        _ => column,
    };
    Location {
        line: location.line.saturating_add(origin.lines),
        column: column(location.line, location.column),
        end_line: location.end_line.saturating_add(origin.lines),
        end_column: column(location.end_line, location.end_column),
    }
}

/// What all matches of an item share.
struct Base {
    source: SourceKind,
    role: Role,
    path: Option<Vec<u8>>,
    object: Option<ObjectId>,
    commit: Option<crate::model::CommitPoint>,
    reachability: Option<Reachability>,
    in_head: bool,
    to_attribute: Option<(ObjectId, Kind)>,
}

impl Base {
    fn of(item: &Item<'_>, whole: bool) -> Self {
        let plain = Self {
            source: SourceKind::Stdin,
            role: Role::File,
            path: None,
            object: None,
            commit: None,
            reachability: None,
            in_head: false,
            to_attribute: None,
        };
        match item.place {
            Place::Stdin => plain,
            Place::File { path } => Self {
                source: SourceKind::Tree,
                path: Some(path.to_vec()),
                // Unless a filter of git changes them.
                object: whole.then(|| blob_id(item.blob.bytes)),
                ..plain
            },
            Place::Object { id, kind } => Self {
                source: SourceKind::History,
                role: match kind {
                    Kind::Commit => Role::CommitMessage,
                    Kind::Tag => Role::TagMessage,
                    Kind::Blob | Kind::Tree => Role::File,
                },
                object: Some(id),
                to_attribute: Some((id, kind)),
                ..plain
            },
            Place::Staged { path, id } => Self {
                source: SourceKind::Staged,
                path: Some(path.to_vec()),
                object: Some(id),
                ..plain
            },
            Place::Commit {
                commit,
                path,
                id,
                in_head,
            } => Self {
                source: SourceKind::Range,
                role: if path.is_some() {
                    Role::File
                } else {
                    Role::CommitMessage
                },
                path: path.map(<[u8]>::to_vec),
                object: Some(id),
                commit: Some(commit),
                in_head,
                ..plain
            },
        }
    }

    fn occurrence(&self) -> Occurrence {
        Occurrence {
            source: self.source,
            role: self.role,
            root: None,
            path: self.path.clone(),
            other_paths: Vec::new(),
            location: Location::default(),
            span: Span::new(0, 0),
            object: self.object,
            reachability: self.reachability,
            in_head: self.in_head,
            introduced: self.commit,
            removed: None,
            secret: Secret::new(b""),
            decoding: Vec::<Decoding>::new(),
            key: None,
            parts: Vec::new(),
            line_hash: None,
        }
    }
}
