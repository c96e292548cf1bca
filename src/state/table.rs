//! Objects and their sizes, sorted, in memory and as bytes.

use crate::model::ObjectId;

/// An object that nothing was found in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Record {
    pub(super) id: ObjectId,
    /// Bytes of the object: the numbers in a report are those of a scan of everything.
    pub(super) size: u32,
}

/// Bytes of a record in a file.
const RECORD: usize = ObjectId::LEN + 4;

/// Records that are looked up by id.
#[derive(Debug, Default)]
pub(super) struct Table {
    records: Vec<Record>,
    /// Number of records whose id starts with a smaller pair of bytes, for each pair; empty
    /// without records.
    starts: Vec<u32>,
}

impl Table {
    pub(super) fn new(mut records: Vec<Record>) -> Self {
        // One file is sorted as it is, which the sort notices.
        records.sort();
        records.dedup();
        let mut starts = Vec::new();
        if !records.is_empty() {
            starts.resize((1 << 16) + 1, 0);
            records
                .iter()
                .for_each(|record| starts[first_pair(&record.id) + 1] += 1);
            for at in 1..starts.len() {
                starts[at] += starts[at - 1];
            }
        }
        Self { records, starts }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// The size of `id` in bytes, when it is here.
    pub(super) fn size(&self, id: &ObjectId) -> Option<u64> {
        let pair = first_pair(id);
        let range = *self.starts.get(pair)? as usize..*self.starts.get(pair + 1)? as usize;
        let near = &self.records[range];
        // Eight bytes tell nearly all ids apart, and are one number.
        let key = first_eight(id);
        let order = |record: &Record| {
            let order = first_eight(&record.id).cmp(&key);
            order.then_with(|| record.id.cmp(id))
        };
        let at = near.binary_search_by(order).ok()?;
        Some(u64::from(near[at].size))
    }

    /// The records of the table and `more`.
    pub(super) fn merged(&self, mut more: Vec<Record>) -> Vec<Record> {
        more.extend_from_slice(&self.records);
        more
    }
}

fn first_pair(id: &ObjectId) -> usize {
    let [high, low, ..] = *id.as_bytes();
    usize::from(high) << 8 | usize::from(low)
}

fn first_eight(id: &ObjectId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *id.as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

pub(super) fn encode(records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.len() * RECORD);
    for record in records {
        bytes.extend_from_slice(record.id.as_bytes());
        bytes.extend_from_slice(&record.size.to_le_bytes());
    }
    bytes
}

/// `None` when the bytes do not come out even.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Record>> {
    let (all, rest) = bytes.as_chunks::<RECORD>();
    let record = |bytes: &[u8; RECORD]| {
        let (id, size) = bytes.split_at(ObjectId::LEN);
        Some(Record {
            id: ObjectId::from_slice(id)?,
            size: u32::from_le_bytes(*size.first_chunk()?),
        })
    };
    rest.is_empty().then(|| all.iter().map(record).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: u8, size: u32) -> Record {
        let id = ObjectId::new([n; 20]);
        Record { id, size }
    }

    #[test]
    fn records_survive_as_bytes_and_are_found_by_id() {
        let records = vec![
            record(9, 1),
            record(2, u32::MAX),
            record(255, 0),
            record(9, 1),
        ];
        let read = decode(&encode(&records)).expect("even");
        assert_eq!(read, records);
        let table = Table::new(read);
        assert_eq!(table.len(), 3);
        let sizes = [2, 9, 255, 3].map(|n| table.size(&ObjectId::new([n; 20])));
        assert_eq!(sizes, [Some(u64::from(u32::MAX)), Some(1), Some(0), None]);
        assert!(decode(&[0; RECORD + 1]).is_none());
        assert_eq!(Table::default().size(&ObjectId::new([0; 20])), None);
    }
}
