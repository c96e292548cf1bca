//! Writes packs and indexes that git would not.

use std::io::Write as _;
use std::path::Path;

use sha1::Digest as _;
use straykey::model::ObjectId;

/// A pack under construction: ids, and the packed bytes of each entry.
#[derive(Default)]
pub(crate) struct PackFile(Vec<(ObjectId, Vec<u8>)>);

impl PackFile {
    /// Adds an entry under `id`, whatever its content.
    pub(crate) fn add(&mut self, id: ObjectId, entry: Vec<u8>) {
        self.0.push((id, entry));
    }

    /// Writes `pack-<name>.pack` and its index, with right checksums, into a repository.
    pub(crate) fn write(self, repository: &Path, name: &str) {
        self.write_with(repository, name, |_, crc| crc);
    }

    /// As [`PackFile::write`], with checksums of entries that `crc` makes of the right ones.
    pub(crate) fn write_with(
        self,
        repository: &Path,
        name: &str,
        crc: impl Fn(ObjectId, u32) -> u32,
    ) {
        let mut pack = b"PACK\0\0\0\x02".to_vec();
        pack.extend((self.0.len() as u32).to_be_bytes());
        let mut rows = Vec::new();
        for (id, entry) in &self.0 {
            rows.push((*id, crc(*id, crc32fast::hash(entry)), pack.len() as u32));
            pack.extend(entry);
        }
        seal(&mut pack);
        let mut index = b"\xfftOc\0\0\0\x02".to_vec();
        rows.sort();
        for first in 0..=255u8 {
            let count = rows.iter().filter(|row| row.0.as_bytes()[0] <= first);
            index.extend((count.count() as u32).to_be_bytes());
        }
        rows.iter().for_each(|row| index.extend(row.0.as_bytes()));
        rows.iter()
            .for_each(|row| index.extend(row.1.to_be_bytes()));
        rows.iter()
            .for_each(|row| index.extend(row.2.to_be_bytes()));
        index.extend_from_slice(&pack[pack.len() - 20..]);
        seal(&mut index);
        let packs = repository.join(".git/objects/pack");
        std::fs::create_dir_all(&packs).expect("writable");
        for (extension, bytes) in [("pack", pack), ("idx", index)] {
            let path = packs.join(format!("pack-{name}.{extension}"));
            std::fs::write(path, bytes).expect("writable");
        }
    }
}

/// A whole blob whose header states `size`.
pub(crate) fn blob_entry(content: &[u8], size: u64) -> Vec<u8> {
    entry(3, size, &[], &deflate(content))
}

/// A delta of the object `base` whose header states `size`.
pub(crate) fn delta_entry(base: ObjectId, size: u64, delta: &[u8]) -> Vec<u8> {
    entry(7, size, base.as_bytes(), &deflate(delta))
}

/// An entry of any `kind`: its header, the `base` of a delta, and compressed `data`.
pub(crate) fn entry(kind: u8, size: u64, base: &[u8], data: &[u8]) -> Vec<u8> {
    [&header(kind, size), base, data].concat()
}

/// A number as deltas state sizes.
pub(crate) fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// The id that git gives to an object.
pub(crate) fn object_id(kind: &str, content: &[u8]) -> ObjectId {
    let header = format!("{kind} {}\0", content.len());
    let hash = sha1::Sha1::new()
        .chain_update(header.as_bytes())
        .chain_update(content)
        .finalize();
    ObjectId::from_slice(hash.as_slice()).expect("20 bytes")
}

fn header(kind: u8, size: u64) -> Vec<u8> {
    let mut bytes = vec![(kind & 7) << 4 | (size & 15) as u8];
    let mut rest = size >> 4;
    while rest > 0 {
        *bytes.last_mut().expect("not empty") |= 0x80;
        bytes.push((rest & 0x7f) as u8);
        rest >>= 7;
    }
    bytes
}

/// A zlib stream.
pub(crate) fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).expect("a Vec takes all");
    encoder.finish().expect("a Vec takes all")
}

fn seal(bytes: &mut Vec<u8>) {
    let checksum = sha1::Sha1::digest(&*bytes);
    bytes.extend_from_slice(checksum.as_slice());
}
