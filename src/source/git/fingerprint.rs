//! A hash of all that a repository's answers depend on.

use sha2::{Digest, Sha256};

use super::refs::Refs;
use super::{Repository, Store};
use crate::model::Diagnostics;

/// The hash of the ids of all objects, and of everything that names one. Two repositories with the
/// same hash have the same history, wherever they lie and however they are packed. What is wrong
/// with refs is told, and is part of the hash.
pub(super) fn fingerprint(
    repository: &Repository,
    store: &Store,
    diagnostics: &Diagnostics,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    let ids = store.ids();
    hash.update((ids.len() as u64).to_le_bytes());
    ids.iter().for_each(|id| hash.update(id.as_bytes()));
    hash.update((repository.shallow.len() as u64).to_le_bytes());
    let shallow = repository.shallow.iter();
    shallow.for_each(|id| hash.update(id.as_bytes()));
    hash.update([repository.partial.into(), repository.reftable.into()]);
    hash.update(store.options.max_object_bytes.to_le_bytes());
    let told = Diagnostics::new();
    let refs = Refs::read(repository, &told);
    let told = told.into_sorted();
    for text in told.iter().map(ToString::to_string) {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    diagnostics.extend(told);
    hash.update(refs.head.map_or([0; 20], |id| *id.as_bytes()));
    for tip in &refs.tips {
        hash.update([tip.class as u8]);
        hash.update(tip.id.as_bytes());
        hash.update((tip.name.len() as u64).to_le_bytes());
        hash.update(&tip.name);
    }
    hash.finalize().into()
}
