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
pub(super) struct Cache {
    young: HashMap<Key, Shared>,
    old: HashMap<Key, Shared>,
    young_bytes: usize,
    /// Bytes of one generation.
    limit: usize,
}

impl Cache {
    /// A cache for one of `threads`. What the log of trees tells is not read, so little is asked
    /// for twice; below 4 MiB the loss is steep all the same.
    pub(super) fn for_one_of(threads: usize) -> Self {
        const ALL_THREADS: usize = 12 << 20;
        let limit = (ALL_THREADS / threads.max(1)).clamp(4 << 20, 6 << 20);
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            young_bytes: 0,
            limit,
        }
    }

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
        if bytes > self.limit / 4 {
            return;
        }
        if self.young_bytes + bytes > self.limit {
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
        let mut cache = Cache::for_one_of(64);
        let size = cache.limit / 8;
        let object = || (Kind::Tree, Arc::new(vec![0; size]));
        cache.insert((0, 0), object());
        for offset in 1..100 {
            cache.insert((0, offset), object());
            assert!(cache.get((0, 0)).is_some(), "{offset}");
        }
        assert!(cache.get((0, 1)).is_none());
        assert!(cache.young.len() + cache.old.len() <= 17);
    }
}
