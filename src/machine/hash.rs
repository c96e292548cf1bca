//! Hashes for tables that are asked a million times.
//!
//! What is scanned may hold any id, name or text, so the hash is keyed, as that of the standard library is; it is a few
//! multiplications where that one is a few dozen steps.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// A map with a fast hash. The order of its entries must reach no result.
pub(crate) type FastMap<K, V> = HashMap<K, V, Keys>;

/// The keys of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys([u64; 2]);

impl Default for Keys {
    fn default() -> Self {
        let random = RandomState::new();
        Self([random.hash_one(0), random.hash_one(1)])
    }
}

impl BuildHasher for Keys {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded {
            key: self.0[1],
            state: self.0[0],
        }
    }
}

pub(crate) struct Folded {
    key: u64,
    state: u64,
}

impl Folded {
    fn fold(&mut self, word: u64) {
        self.fold_two(word, 0);
    }

    /// Two words with one multiplication. Whoever does not know the keys cannot choose words that
    /// make a factor zero.
    fn fold_two(&mut self, one: u64, two: u64) {
        let product = u128::from(self.state ^ one) * u128::from(self.key ^ two);
        self.state = (product as u64 ^ (product >> 64) as u64).wrapping_add(self.key);
    }
}

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        let two = |bytes: [u8; 16]| {
            let both = u128::from_le_bytes(bytes);
            (both as u64, (both >> 64) as u64)
        };
        let (pairs, rest) = bytes.as_chunks::<16>();
        for pair in pairs {
            let (one, two) = two(*pair);
            self.fold_two(one, two);
        }
        if !rest.is_empty() {
            let mut pair = [0; 16];
            pair[..rest.len()].copy_from_slice(rest);
            let (one, two) = two(pair);
            self.fold_two(one, two);
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.fold(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.fold(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.fold(number as u64);
    }

    fn write_u8(&mut self, number: u8) {
        self.fold(u64::from(number));
    }

    fn finish(&self) -> u64 {
        self.state
    }
}
