//! The index beside a pack: sorted object ids, and where in the pack each object starts.
//!
//! Version 2, and version 1 of old repositories. Invariant: lengths are checked when the index is
//! opened, and what is read later is checked again, so no content makes a read fail otherwise
//! than by `None`.

use std::cmp::Ordering;
use std::io;
use std::path::Path;

use sha1::Digest as _;

use crate::machine::prefetch;
use crate::model::ObjectId;
use crate::source::mmap::MappedFile;

/// An opened index.
pub(in crate::source::git) struct Index {
    map: MappedFile,
    version: Version,
    count: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Version {
    One,
    Two,
}

/// Why an index cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub(in crate::source::git) enum IndexError {
    #[error("cannot be read: {}", .0.kind())]
    Io(#[from] io::Error),
    #[error("has version {0}, which is not known")]
    Version(u32),
    #[error("is cut off")]
    Truncated,
    #[error("has a damaged fan-out table")]
    FanOut,
}

const MAGIC: [u8; 4] = [0xff, b't', b'O', b'c'];
const FAN_OUT: usize = 256 * 4;
const CHECKSUM: usize = 20;
/// Marks an offset that lies in the table of 64-bit offsets.
const LARGE: u32 = 1 << 31;
/// Steps of a search that guess from the value; after that it halves, in case ids are made up.
const GUESSES: u32 = 3;

impl Index {
    pub(super) fn open(path: &Path) -> Result<Self, IndexError> {
        Self::parse(MappedFile::open(path)?)
    }

    fn parse(map: MappedFile) -> Result<Self, IndexError> {
        let version = match map.starts_with(&MAGIC) {
            true => match be32(&map, 4) {
                Some(2) => Version::Two,
                Some(other) => return Err(IndexError::Version(other)),
                None => return Err(IndexError::Truncated),
            },
            false => Version::One,
        };
        let mut index = Self {
            map,
            version,
            count: 0,
        };
        index.count = index.checked_count()?;
        Ok(index)
    }

    /// Number of objects.
    pub(in crate::source::git) fn len(&self) -> usize {
        self.count
    }

    /// The id at `position`.
    pub(in crate::source::git) fn id(&self, position: usize) -> Option<ObjectId> {
        self.raw_id(position).copied().map(ObjectId::new)
    }

    /// Says that the id at `position` will be asked for.
    pub(in crate::source::git) fn expect(&self, position: usize) {
        let at = match self.version {
            Version::One => FAN_OUT + position * 24 + 4,
            Version::Two => 8 + FAN_OUT + position * ObjectId::LEN,
        };
        prefetch(&self.map, at);
        prefetch(&self.map, at + ObjectId::LEN - 1);
    }

    /// Where in the pack the object at `position` starts.
    pub(in crate::source::git) fn offset(&self, position: usize) -> Option<u64> {
        if position >= self.count {
            return None;
        }
        if self.version == Version::One {
            return be32(&self.map, FAN_OUT + position * 24).map(u64::from);
        }
        let table = 8 + FAN_OUT + self.count * 24;
        let small = be32(&self.map, table + position * 4)?;
        if small & LARGE == 0 {
            return Some(u64::from(small));
        }
        let at = table + self.count * 4 + (small & !LARGE) as usize * 8;
        let within = at + 8 <= self.map.len().saturating_sub(2 * CHECKSUM);
        within.then(|| be64(&self.map, at)).flatten()
    }

    /// CRC-32 of the packed bytes of the object at `position`; version 1 has none.
    pub(super) fn crc(&self, position: usize) -> Option<u32> {
        let known = self.version == Version::Two && position < self.count;
        known
            .then(|| be32(&self.map, self.crc_at(position)))
            .flatten()
    }

    /// Says that the CRC-32 of `position` will be asked for.
    pub(super) fn expect_crc(&self, position: usize) {
        prefetch(&self.map, self.crc_at(position));
    }

    fn crc_at(&self, position: usize) -> usize {
        8 + FAN_OUT + self.count * 20 + position * 4
    }

    /// The position of `id`.
    pub(in crate::source::git) fn find(&self, id: &ObjectId) -> Option<usize> {
        let first = usize::from(id.as_bytes()[0]);
        let mut low = match first {
            0 => 0,
            _ => self.fan_out(first - 1)?,
        };
        let mut high = self.fan_out(first)?.min(self.count);
        let key = prefix(id.as_bytes());
        let mut guesses = GUESSES;
        while low < high {
            let at = match guesses {
                0 => low + (high - low) / 2,
                _ => self.guess(key, low, high)?,
            };
            guesses = guesses.saturating_sub(1);
            let found = self.raw_id(at)?;
            match prefix(found)
                .cmp(&key)
                .then_with(|| found.cmp(id.as_bytes()))
            {
                Ordering::Equal => return Some(at),
                Ordering::Less => low = at + 1,
                Ordering::Greater => high = at,
            }
        }
        None
    }

    /// Where in `low..high` an id that starts with `key` would be, ids being as good as random.
    fn guess(&self, key: u64, low: usize, high: usize) -> Option<usize> {
        let first = prefix(self.raw_id(low)?);
        let last = prefix(self.raw_id(high - 1)?);
        let width = u128::from(last.saturating_sub(first)).max(1);
        let into = u128::from(key.saturating_sub(first)).min(width);
        let at = (into * (high - 1 - low) as u128 / width) as usize;
        Some(low + at)
    }

    fn raw_id(&self, position: usize) -> Option<&[u8; ObjectId::LEN]> {
        let at = match self.version {
            Version::One => FAN_OUT + position * 24 + 4,
            Version::Two => 8 + FAN_OUT + position * 20,
        };
        match position < self.count {
            true => self.map.get(at..)?.first_chunk(),
            false => None,
        }
    }

    /// The checksum that the pack of this index ends with.
    pub(super) fn pack_checksum(&self) -> Option<&[u8]> {
        let at = self.map.len().checked_sub(2 * CHECKSUM)?;
        self.map.get(at..at + CHECKSUM)
    }

    /// Whether the index is what git wrote: its own checksum holds.
    pub(super) fn is_sound(&self) -> bool {
        let Some(at) = self.map.len().checked_sub(CHECKSUM) else {
            return false;
        };
        let (body, checksum) = self.map.split_at(at);
        sha1::Sha1::digest(body).as_slice() == checksum
    }

    fn fan_out(&self, byte: usize) -> Option<usize> {
        let start = match self.version {
            Version::One => 0,
            Version::Two => 8,
        };
        be32(&self.map, start + byte * 4).map(|count| count as usize)
    }

    fn checked_count(&self) -> Result<usize, IndexError> {
        let mut last = 0;
        for byte in 0..256 {
            let next = self.fan_out(byte).ok_or(IndexError::Truncated)?;
            if next < last {
                return Err(IndexError::FanOut);
            }
            last = next;
        }
        let (head, each) = match self.version {
            Version::One => (FAN_OUT, 24),
            Version::Two => (8 + FAN_OUT, 28),
        };
        let tables = last.checked_mul(each).ok_or(IndexError::Truncated)?;
        match head + tables + 2 * CHECKSUM <= self.map.len() {
            true => Ok(last),
            false => Err(IndexError::Truncated),
        }
    }
}

/// The first bytes of an id, in the order of ids.
fn prefix(id: &[u8; ObjectId::LEN]) -> u64 {
    let first = id.first_chunk().expect("an id has more than eight bytes");
    u64::from_be_bytes(*first)
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index of version 2 with the given ids (sorted) at offsets 12, 13, 14 and so on.
    fn version_two(ids: &[ObjectId]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(2u32.to_be_bytes());
        for first in 0..=255u8 {
            let count = ids.iter().filter(|id| id.as_bytes()[0] <= first).count();
            bytes.extend((count as u32).to_be_bytes());
        }
        ids.iter().for_each(|id| bytes.extend(id.as_bytes()));
        ids.iter().for_each(|_| bytes.extend([0; 4]));
        for at in 0..ids.len() as u32 {
            bytes.extend((12 + at).to_be_bytes());
        }
        bytes.extend([9; 20]);
        let checksum = sha1::Sha1::digest(&bytes);
        bytes.extend_from_slice(checksum.as_slice());
        bytes
    }

    fn open(bytes: &[u8]) -> Result<Index, IndexError> {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("pack-1.idx");
        std::fs::write(&path, bytes).expect("writable");
        Index::open(&path)
    }

    fn ids() -> Vec<ObjectId> {
        (0..200u8)
            .map(|i| ObjectId::new([i.wrapping_add(20); 20]))
            .collect()
    }

    #[test]
    fn ids_are_found_and_others_are_not() {
        let index = open(&version_two(&ids())).expect("sound");
        assert!(index.is_sound());
        for (at, id) in ids().iter().enumerate() {
            assert_eq!(index.find(id), Some(at));
            assert_eq!(index.offset(at), Some(12 + at as u64));
        }
        assert_eq!(index.find(&ObjectId::new([3; 20])), None);
        assert_eq!(index.id(200), None);
        assert_eq!(index.offset(200), None);
    }

    #[test]
    fn a_cut_index_is_refused_at_every_length() {
        let bytes = version_two(&ids()[..5]);
        for end in 0..bytes.len() {
            assert!(open(&bytes[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn a_fan_out_that_falls_is_refused_and_a_large_offset_out_of_range_is_none() {
        let mut bytes = version_two(&ids());
        bytes[8 + 4 * 100] = 0x7f;
        assert!(matches!(open(&bytes), Err(IndexError::FanOut)));
        let mut bytes = version_two(&ids());
        let table = 8 + FAN_OUT + 200 * 24;
        bytes[table..table + 4].copy_from_slice(&[0xff; 4]);
        let index = open(&bytes).expect("opens");
        assert!(!index.is_sound());
        assert_eq!(index.offset(0), None);
    }
}
