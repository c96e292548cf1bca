//! Keeps recently rebuilt objects, within a number of bytes.

use std::collections::HashMap;
use std::sync::Arc;

use super::object::Kind;

/// A kind and the bytes, shared with a reader's cache.
pub type Shared = (Kind, Arc<Vec<u8>>);

/// Where an object starts: which pack, which offset.
pub(super) type Key = (usize, u64);

/// Two generations: when the young one is full, it becomes the old one and the old one is
/// dropped. What is used moves to the young one, so this keeps what was used of late, at the cost
/// of one look-up.
#[derive(Default)]
pub(super) struct Cache {
    young: HashMap<Key, Shared>,
    old: HashMap<Key, Shared>,
    young_bytes: usize,
}

impl Cache {
    /// Bytes of one generation.
    const GENERATION: usize = 24 << 20;

    pub(super) fn get(&mut self, key: Key) -> Option<Shared> {
        if let Some(found) = self.young.get(&key) {
            return Some(found.clone());
        }
        let found = self.old.remove(&key)?;
        self.insert(key, found.clone());
        Some(found)
    }

    pub(super) fn insert(&mut self, key: Key, object: Shared) {
        let bytes = object.1.len();
        if bytes > Self::GENERATION / 4 {
            return;
        }
        if self.young_bytes + bytes > Self::GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        self.young.insert(key, object);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut cache = Cache::default();
        let object = || (Kind::Tree, Arc::new(vec![0; Cache::GENERATION / 8]));
        cache.insert((0, 0), object());
        for offset in 1..100 {
            cache.insert((0, offset), object());
            assert!(cache.get((0, 0)).is_some(), "{offset}");
        }
        assert!(cache.get((0, 1)).is_none());
        assert!(cache.young.len() + cache.old.len() <= 17);
    }
}
