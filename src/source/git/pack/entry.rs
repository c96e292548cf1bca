//! The header of one pack entry.

use crate::model::ObjectId;
use crate::source::git::error::ObjectError;
use crate::source::git::object::Kind;

/// What stands before an entry's compressed bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::source::git) struct Entry {
    /// Whole object or delta.
    pub(in crate::source::git) kind: EntryKind,
    /// Size of the inflated bytes, as claimed.
    pub(in crate::source::git) size: u64,
    /// Where the compressed bytes start.
    pub(in crate::source::git) data: usize,
}

/// Whether an entry is whole or a delta, and of what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::source::git) enum EntryKind {
    /// A whole object.
    Whole(Kind),
    /// A delta of the entry at this offset.
    OffsetDelta(u64),
    /// A delta of the object with this id.
    IdDelta(ObjectId),
}

impl Entry {
    /// Reads the header at `offset` of a pack's bytes (without the checksum at its end).
    pub(super) fn parse(pack: &[u8], offset: u64) -> Result<Self, ObjectError> {
        let start = usize::try_from(offset).map_err(|_| ObjectError::Truncated)?;
        if start < super::HEADER {
            return Err(ObjectError::Header);
        }
        let mut bytes = Cursor { pack, at: start };
        let first = bytes.next()?;
        let size = bytes.size(first)?;
        let kind = match first >> 4 & 7 {
            1 => EntryKind::Whole(Kind::Commit),
            2 => EntryKind::Whole(Kind::Tree),
            3 => EntryKind::Whole(Kind::Blob),
            4 => EntryKind::Whole(Kind::Tag),
            6 => EntryKind::OffsetDelta(bytes.base_offset(offset)?),
            7 => EntryKind::IdDelta(bytes.id()?),
            _ => return Err(ObjectError::Header),
        };
        Ok(Self {
            kind,
            size,
            data: bytes.at,
        })
    }
}

struct Cursor<'a> {
    pack: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn next(&mut self) -> Result<u8, ObjectError> {
        let byte = *self.pack.get(self.at).ok_or(ObjectError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    /// The rest of the size whose lowest four bits are in `first`.
    fn size(&mut self, first: u8) -> Result<u64, ObjectError> {
        let mut size = u64::from(first & 15);
        let mut shift = 4;
        let mut byte = first;
        while byte & 0x80 != 0 {
            byte = self.next()?;
            if shift > 56 {
                return Err(ObjectError::Header);
            }
            size |= u64::from(byte & 0x7f) << shift;
            shift += 7;
        }
        Ok(size)
    }

    /// The base's offset: the distance back from `own`, in a big-endian base-128 number whose
    /// continuation adds one.
    fn base_offset(&mut self, own: u64) -> Result<u64, ObjectError> {
        let mut byte = self.next()?;
        let mut distance = u64::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            byte = self.next()?;
            if distance >= 1 << 55 {
                return Err(ObjectError::Header);
            }
            distance = (distance + 1) << 7 | u64::from(byte & 0x7f);
        }
        match own.checked_sub(distance) {
            Some(base) if distance > 0 => Ok(base),
            _ => Err(ObjectError::Header),
        }
    }

    fn id(&mut self) -> Result<ObjectId, ObjectError> {
        let rest = self.pack.get(self.at..).unwrap_or(&[]);
        let id = ObjectId::from_slice(rest).ok_or(ObjectError::Truncated)?;
        self.at += ObjectId::LEN;
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &[u8]) -> Result<Entry, ObjectError> {
        let mut pack = vec![0; 1000];
        pack.extend_from_slice(header);
        Entry::parse(&pack, 1000)
    }

    #[test]
    fn whole_entries_have_a_kind_and_a_size() {
        let entry = parse(&[0b1011_0101, 0b0000_0011]).expect("a header");
        assert_eq!(entry.kind, EntryKind::Whole(Kind::Blob));
        assert_eq!((entry.size, entry.data), (5 + (3 << 4), 1002));
    }

    #[test]
    fn offset_deltas_count_backwards() {
        let entry = parse(&[0b0110_0001, 0x80, 0x00]).expect("a header");
        assert_eq!(entry.kind, EntryKind::OffsetDelta(1000 - 128));
    }

    #[test]
    fn hostile_headers_are_refused() {
        assert_eq!(parse(&[]), Err(ObjectError::Truncated));
        assert_eq!(parse(&[0b0101_0000]), Err(ObjectError::Header), "kind 5");
        assert_eq!(parse(&[0b0110_0000, 0]), Err(ObjectError::Header), "itself");
        let far = [0b0110_0000, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(parse(&far), Err(ObjectError::Header), "before the pack");
        let long = [[0xb0].as_slice(), &[0xff; 20], &[0]].concat();
        assert_eq!(parse(&long), Err(ObjectError::Header), "size of 140 bits");
        let cut = [[0x70].as_slice(), &[1; 19]].concat();
        assert_eq!(parse(&cut), Err(ObjectError::Truncated), "id of 19 bytes");
    }
}
