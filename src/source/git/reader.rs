//! Reads single objects by id, with a cache of what deltas were built on.

use std::sync::Arc;

use super::cache::{Cache, Shared};
use super::error::{GitError, ObjectError};
use super::inflate::Inflater;
use super::loose::Wanted;
use super::object::{Kind, Kinds};
use super::pack::{EntryKind, apply};
use super::store::Store;
use crate::model::{ObjectId, printable};

/// Reads objects by id. Meant for one thread; its cache goes back to the store when it is
/// dropped, for the next reader.
pub struct Reader<'a> {
    store: &'a Store,
    state: State,
}

/// What a reader keeps from object to object.
pub(super) struct State {
    cache: Cache,
    inflater: Inflater,
    delta: Vec<u8>,
    /// The pack that had the last object.
    recent: usize,
}

/// Where an object is.
#[derive(Clone, Copy)]
enum Place {
    Pack { pack: usize, offset: u64 },
    Loose { directory: usize, id: ObjectId },
}

/// Longest chain of deltas, over all packs; git makes none longer than 4095.
const MAX_CHAIN: usize = 1 << 16;

impl State {
    fn new() -> Self {
        Self {
            cache: Cache::for_one_of(readers()),
            inflater: Inflater::new(),
            delta: Vec::new(),
            recent: 0,
        }
    }
}

/// How many readers share the memory for caches. Asking for the number of threads would start
/// them, which costs more than a few staged files do.
fn readers() -> usize {
    match rayon::current_thread_index() {
        Some(_) => rayon::current_num_threads(),
        None => 2,
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        let idle = store
            .idle
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .pop();
        Self {
            store,
            state: idle.unwrap_or_else(State::new),
        }
    }

    /// The object `id`, `None` when it is not here.
    pub fn find(&mut self, id: &ObjectId) -> Result<Option<Shared>, GitError> {
        self.find_of(id, Kinds::ALL)
    }

    /// As [`Reader::find`], but goes on to the next place when what is in one is of none of `kinds`.
    /// Of a packed object that is known before any of its bytes is read.
    pub(super) fn find_of(
        &mut self,
        id: &ObjectId,
        kinds: Kinds,
    ) -> Result<Option<Shared>, GitError> {
        let mut first_error = None;
        for turn in 0..self.places() {
            let Some(place) = self.place(turn, id) else {
                continue;
            };
            match self.read(place, kinds) {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(error) => {
                    first_error.get_or_insert((place, error));
                }
            }
        }
        match first_error {
            None => Ok(None),
            Some((place, source)) => Err(GitError::Object {
                id: *id,
                place: self.name(place),
                source,
            }),
        }
    }

    fn places(&self) -> usize {
        self.store.packs.len() + self.store.loose.len()
    }

    /// Looks for `id` in one place: first the pack that had the last object, then all others.
    fn place(&mut self, turn: usize, id: &ObjectId) -> Option<Place> {
        let packs = self.store.packs.len();
        if turn >= packs {
            let directory = turn - packs;
            let found = self.store.loose[directory].contains(id);
            return found.then_some(Place::Loose { directory, id: *id });
        }
        let pack = match turn {
            0 => self.state.recent,
            turn if turn <= self.state.recent => turn - 1,
            turn => turn,
        };
        let index = &self.store.packs.get(pack)?.index;
        let offset = index.offset(index.find(id)?)?;
        self.state.recent = pack;
        Some(Place::Pack { pack, offset })
    }

    /// What is in `place`; `None` when it is of none of `kinds`.
    fn read(&mut self, place: Place, kinds: Kinds) -> Result<Option<Shared>, ObjectError> {
        match place {
            Place::Pack { pack, offset } => self.read_packed(pack, offset, kinds),
            Place::Loose { directory, id } => self.read_loose(directory, &id, kinds),
        }
    }

    fn read_loose(
        &mut self,
        directory: usize,
        id: &ObjectId,
        kinds: Kinds,
    ) -> Result<Option<Shared>, ObjectError> {
        let mut bytes = Vec::new();
        let wanted = Wanted {
            kinds,
            limit: self.store.options.max_object_bytes,
        };
        let inflater = &mut self.state.inflater;
        let kind = self.store.loose[directory].read(id, wanted, inflater, &mut bytes)?;
        Ok(kind.map(|kind| (kind, Arc::new(bytes))))
    }

    fn read_packed(
        &mut self,
        pack: usize,
        offset: u64,
        kinds: Kinds,
    ) -> Result<Option<Shared>, ObjectError> {
        let mut deltas = Vec::new();
        let mut next = (pack, offset);
        let mut passed = next;
        let (kind, mut bytes) = loop {
            if let Some(found) = self.state.cache.get(next) {
                if !kinds.contains(found.0) {
                    return Ok(None);
                }
                break found;
            }
            let (pack, offset) = next;
            let entry = self.store.packs[pack].entry(offset)?;
            let base = match entry.kind {
                EntryKind::Whole(kind) if !kinds.contains(kind) => return Ok(None),
                EntryKind::Whole(kind) => break self.whole(next, kind)?,
                EntryKind::OffsetDelta(base) => Place::Pack { pack, offset: base },
                EntryKind::IdDelta(id) => self.base(pack, &id)?,
            };
            deltas.push(next);
            // The place that is waited for moves on at powers of two, so that a cycle is noticed
            // after a few rounds.
            if deltas.len().is_power_of_two() {
                passed = next;
            }
            match base {
                Place::Pack { pack, offset } => next = (pack, offset),
                Place::Loose { directory, id } => match self.read_loose(directory, &id, kinds)? {
                    Some(found) => break found,
                    None => return Ok(None),
                },
            }
            if next == passed || deltas.len() > MAX_CHAIN {
                return Err(ObjectError::Cycle);
            }
        };
        for &key in deltas.iter().rev() {
            bytes = self.patched(key, &bytes)?;
            self.state.cache.insert(key, (kind, Arc::clone(&bytes)));
        }
        Ok(Some((kind, bytes)))
    }

    /// Where the base of a delta in `pack` is; git looks in the same pack first.
    fn base(&self, pack: usize, id: &ObjectId) -> Result<Place, ObjectError> {
        let packs = &self.store.packs;
        let others = (0..packs.len()).filter(|&other| other != pack);
        for pack in std::iter::once(pack).chain(others) {
            let index = &packs[pack].index;
            if let Some(offset) = index.find(id).and_then(|at| index.offset(at)) {
                return Ok(Place::Pack { pack, offset });
            }
        }
        let directory = self.store.loose.iter().position(|loose| loose.contains(id));
        match directory {
            Some(directory) => Ok(Place::Loose { directory, id: *id }),
            None => Err(ObjectError::MissingBase(*id)),
        }
    }

    fn whole(&mut self, key: (usize, u64), kind: Kind) -> Result<Shared, ObjectError> {
        let mut bytes = Vec::new();
        self.inflate(key, &mut bytes)?;
        let shared = (kind, Arc::new(bytes));
        self.state.cache.insert(key, shared.clone());
        Ok(shared)
    }

    fn patched(&mut self, key: (usize, u64), base: &[u8]) -> Result<Arc<Vec<u8>>, ObjectError> {
        let mut delta = std::mem::take(&mut self.state.delta);
        let mut bytes = Vec::new();
        let limit = self.store.options.max_object_bytes;
        let outcome = self
            .inflate(key, &mut delta)
            .and_then(|()| apply(base, &delta, limit, &mut bytes, |_| {}));
        self.state.delta = delta;
        outcome.map(|()| Arc::new(bytes))
    }

    fn inflate(
        &mut self,
        (pack, offset): (usize, u64),
        out: &mut Vec<u8>,
    ) -> Result<(), ObjectError> {
        let pack = &self.store.packs[pack];
        let entry = pack.entry(offset)?;
        let limit = self.store.options.max_object_bytes;
        if entry.size > limit {
            let size = entry.size;
            return Err(ObjectError::TooLarge { size, limit });
        }
        self.state
            .inflater
            .inflate(pack.packed(entry.data), entry.size, out)
    }

    fn name(&self, place: Place) -> String {
        let path = match place {
            Place::Pack { pack, .. } => self.store.packs[pack].path.clone(),
            Place::Loose { directory, id } => self.store.loose[directory].path(&id),
        };
        printable(&path.display().to_string())
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut self.state, State::new());
        self.store
            .idle
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .push(state);
    }
}
