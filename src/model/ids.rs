//! Identifiers as types, so that they cannot be mixed up.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A git object id: the SHA-1 of the object's header and bytes.
///
/// SHA-256 repositories are not supported; the sources say so (`docs/limits.md`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectId([u8; 20]);

impl Hash for ObjectId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // All ids are of one length, so that need not be hashed.
        state.write(&self.0);
    }
}

/// A text that is not 40 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a git object id (40 hexadecimal digits expected)")]
pub struct ObjectIdError;

impl ObjectId {
    /// Length in bytes.
    pub const LEN: usize = 20;

    /// Git's way to write "no object".
    pub const NULL: Self = Self([0; Self::LEN]);

    /// Wraps raw bytes.
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Reads the first 20 bytes of `bytes`, `None` when there are fewer.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().copied().map(Self)
    }

    /// Parses 40 hexadecimal digits.
    pub fn from_hex(hex: &[u8]) -> Result<Self, ObjectIdError> {
        let mut bytes = [0; Self::LEN];
        if hex.len() != 2 * Self::LEN {
            return Err(ObjectIdError);
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let digit = |c: u8| char::from(c).to_digit(16).ok_or(ObjectIdError);
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        Ok(Self(bytes))
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Whether all bytes are zero, git's way to write "no object".
    pub fn is_zero(&self) -> bool {
        self.0 == [0; Self::LEN]
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 2 * Self::LEN];
        let (pairs, _) = text.as_chunks_mut::<2>();
        for (pair, byte) in pairs.iter_mut().zip(&self.0) {
            *pair = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
        }
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The position of a detector in its set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DetectorIndex(pub u32);

impl DetectorIndex {
    /// As an index into a slice.
    pub fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// The public id of a finding: equal on every machine, no dictionary oracle (ADR 0002).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FindingId(String);

impl FindingId {
    /// Wraps an id made by `finding::fingerprint` or read from a baseline.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_ids_round_trip_through_hex() {
        let id = ObjectId::new(std::array::from_fn(|i| (i * 13) as u8));
        assert_eq!(ObjectId::from_hex(id.to_string().as_bytes()), Ok(id));
    }

    #[test]
    fn wrong_lengths_and_letters_are_refused() {
        assert_eq!(ObjectId::from_hex(b"abc"), Err(ObjectIdError));
        assert_eq!(ObjectId::from_hex(&[b'g'; 40]), Err(ObjectIdError));
    }
}
