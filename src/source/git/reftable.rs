//! Reads reftables: refs and reflogs in sorted tables, newer ones over older ones.
//!
//! The format is git's (`Documentation/technical/reftable`), versions 1 and 2 with SHA-1 ids. A
//! table is read whole, so its indexes, which serve to find single refs, are passed over.
//! Invariant: a table is taken as a whole or, when something in it does not fit, refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::inflate::Inflater;
use super::layout::{read_limited, to_path};
use crate::model::ObjectId;

/// What a ref names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Value {
    /// An object.
    Id(ObjectId),
    /// Another ref, by its full name.
    Symbolic(Vec<u8>),
}

/// All refs and reflogs of a stack of tables.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct Reftable {
    /// By full name; `HEAD` and the like among them.
    pub(super) refs: BTreeMap<Vec<u8>, Value>,
    /// By full name and number of the update, as it was and as it became.
    pub(super) logs: BTreeMap<(Vec<u8>, u64), [ObjectId; 2]>,
}

/// How often the list of tables is read anew, when another process has merged some meanwhile.
const ATTEMPTS: usize = 3;

impl Reftable {
    /// Reads the tables in `directory`, a `reftable` folder; without one there are no refs. What
    /// cannot be read is told by its file.
    pub(super) fn read(directory: &Path) -> Result<Self, PathBuf> {
        let list = directory.join("tables.list");
        for attempt in 1.. {
            let names = read_limited(&list).map_err(|_| list.clone())?;
            let names = names.unwrap_or_default();
            let names = names.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
            let mut all = Self::default();
            let mut broken = None;
            for name in names.filter(|name| !name.is_empty()) {
                // A name and no path: a hostile list could lead anywhere.
                let file = to_path(name).filter(|name| name.components().count() == 1);
                let file = directory.join(file.ok_or_else(|| list.clone())?);
                let bytes = read_limited(&file).ok().flatten();
                if bytes.and_then(|bytes| all.add(&bytes)).is_none() {
                    broken = Some(file);
                    break;
                }
            }
            match broken {
                None => return Ok(all),
                Some(file) if attempt == ATTEMPTS || file.exists() => return Err(file),
                Some(_) => {}
            }
        }
        unreachable!("the last attempt returns")
    }

    /// The ref that `HEAD` names, if it names one.
    pub(super) fn head(&self) -> Option<Vec<u8>> {
        match self.refs.get(&b"HEAD"[..])? {
            Value::Symbolic(name) => Some(name.clone()),
            Value::Id(_) => None,
        }
    }

    /// Lays a table over those before.
    fn add(&mut self, bytes: &[u8]) -> Option<()> {
        let table = Table::open(bytes)?;
        table.refs(|name, value| {
            match value {
                Some(value) => self.refs.insert(name.to_vec(), value),
                None => self.refs.remove(name),
            };
        })?;
        table.logs(|name, update, sides| {
            let key = (name.to_vec(), update);
            match sides {
                Some(sides) => self.logs.insert(key, sides),
                None => self.logs.remove(&key),
            };
        })
    }
}

/// One table.
struct Table<'a> {
    /// All but the footer.
    bytes: &'a [u8],
    /// Bytes before the first block's own header.
    header: usize,
    /// What blocks of refs are padded to; 0 when they are not.
    block_size: usize,
    /// Where the blocks of reflogs begin; 0 when there are none, or nothing else.
    logs: usize,
}

/// Types of blocks.
const REFS: u8 = b'r';
const LOGS: u8 = b'g';

impl<'a> Table<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let (header, footer) = match bytes.get(..5)? {
            b"REFT\x01" => (24, 68),
            b"REFT\x02" => (28, 72),
            _ => return None,
        };
        let (bytes, footer) = bytes.split_at_checked(bytes.len().checked_sub(footer)?)?;
        if header == 28 && bytes.get(24..28)? != b"sha1"
            || bytes.get(..header) != footer.get(..header)
        {
            return None;
        }
        let (summed, sum) = footer.split_last_chunk()?;
        if crc32fast::hash(summed) != u32::from_be_bytes(*sum) {
            return None;
        }
        // Behind the header: index of refs, objects, their index, logs, their index.
        let logs = footer.get(header + 24..)?.first_chunk()?;
        Some(Self {
            bytes,
            header,
            block_size: number(bytes.get(5..8)?),
            logs: usize::try_from(u64::from_be_bytes(*logs)).ok()?,
        })
    }

    /// The block at `start`, when it is of `kind`: its length as it states it, and what follows that.
    fn block(&self, start: usize, kind: u8) -> Option<(usize, &'a [u8])> {
        let header = start + self.header_at(start);
        let (of, rest) = self.bytes.get(header..)?.split_first_chunk::<4>()?;
        (of[0] == kind).then(|| (number(&of[1..]), rest))
    }

    /// The table's header is a part of the first block.
    fn header_at(&self, start: usize) -> usize {
        match start {
            0 => self.header,
            _ => 0,
        }
    }

    /// Tells the refs; no value where one was deleted.
    fn refs(&self, mut tell: impl FnMut(&[u8], Option<Value>)) -> Option<()> {
        let mut start = 0;
        while let Some((len, rest)) = self.block(start, REFS) {
            let own = len.checked_sub(self.header_at(start) + 4)?;
            let mut records = Records::of(rest.get(..own)?)?;
            while let Some(kind) = records.key()? {
                records.varint()?;
                let value = match kind {
                    0 => None,
                    1 => Some(Value::Id(records.id()?)),
                    2 => {
                        let id = records.id()?;
                        // What a tag names.
                        records.id()?;
                        Some(Value::Id(id))
                    }
                    3 => Some(Value::Symbolic(records.text()?.to_vec())),
                    _ => return None,
                };
                tell(&records.key, value);
            }
            let end = start + len;
            // The next one follows at once, or behind zeros.
            let is_padded = len < self.block_size && self.bytes.get(end) == Some(&0);
            start = match is_padded {
                true => start + self.block_size,
                false => end,
            };
        }
        Some(())
    }

    /// Tells the entries of reflogs: name, number of the update, and both sides unless it was deleted.
    fn logs(&self, mut tell: impl FnMut(&[u8], u64, Option<[ObjectId; 2]>)) -> Option<()> {
        let mut start = self.logs;
        let mut inflater = Inflater::new();
        let mut block = Vec::new();
        while let Some((len, packed)) = self.block(start, LOGS) {
            let before = self.header_at(start) + 4;
            let size = len.checked_sub(before)? as u64;
            let packed_len = inflater.inflate_front(packed, size, &mut block).ok()?;
            let mut records = Records::of(&block)?;
            while let Some(kind) = records.key()? {
                let sides = match kind {
                    0 => None,
                    1 => {
                        let sides = [records.id()?, records.id()?];
                        // Who, by what address, when, in which time zone, why.
                        records.text()?;
                        records.text()?;
                        records.varint()?;
                        records.take(2)?;
                        records.text()?;
                        Some(sides)
                    }
                    _ => return None,
                };
                let (name, update) = records.key.split_last_chunk()?;
                let name = name.strip_suffix(b"\0")?;
                tell(name, !u64::from_be_bytes(*update), sides);
            }
            start += before + packed_len;
        }
        Some(())
    }
}

/// The records of a block, each of which has a key that begins as that of the one before.
struct Records<'a> {
    rest: &'a [u8],
    key: Vec<u8>,
}

impl<'a> Records<'a> {
    /// Of a block without its header: records, then where some of them start, and the number of these.
    fn of(block: &'a [u8]) -> Option<Self> {
        let (block, count) = block.split_last_chunk::<2>()?;
        let starts = 3 * number(count);
        Some(Self {
            rest: block.get(..block.len().checked_sub(starts)?)?,
            key: Vec::new(),
        })
    }

    /// Goes to the next record and returns its type; nothing at the end.
    fn key(&mut self) -> Option<Option<usize>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        let shared = self.varint()?;
        let packed = self.varint()?;
        let suffix = self.take(packed >> 3)?;
        if shared > self.key.len() {
            return None;
        }
        self.key.truncate(shared);
        self.key.extend(suffix);
        Some(Some(packed & 7))
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn id(&mut self) -> Option<ObjectId> {
        ObjectId::from_slice(self.take(ObjectId::LEN)?)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let len = self.varint()?;
        self.take(len)
    }

    /// A number as the offsets of packs are written.
    fn varint(&mut self) -> Option<usize> {
        let mut value = 0usize;
        loop {
            let byte = self.take(1)?[0];
            value = value.checked_mul(128)? | usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Some(value);
            }
            value = value.checked_add(1)?;
        }
    }
}

/// A number of a few bytes, the highest first.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |n, &byte| n << 8 | usize::from(byte))
}
