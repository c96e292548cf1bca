//! Loose objects: one file each, under `objects/xx/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::ObjectError;
use super::inflate::Inflater;
use super::object::{Kind, Kinds};
use crate::model::{Diagnostics, ObjectId};
use crate::source::mmap::MappedFile;

/// Which objects are read, and which are left after their header.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) kinds: Kinds,
    /// Bytes of the largest.
    pub(super) limit: u64,
}

/// The loose objects of one object directory.
pub(super) struct LooseObjects {
    directory: PathBuf,
    ids: Vec<ObjectId>,
}

impl LooseObjects {
    /// Lists the loose objects under `directory`. A subdirectory that cannot be listed is a
    /// diagnostic.
    pub(super) fn list(directory: &Path, diagnostics: &Diagnostics) -> Self {
        let mut ids = Vec::new();
        for first in 0..=255u8 {
            let name = format!("{first:02x}");
            let path = directory.join(&name);
            match fs::read_dir(&path) {
                Ok(entries) => ids.extend(entries.flatten().filter_map(|entry| {
                    let rest = entry.file_name();
                    let hex = [name.as_bytes(), rest.as_encoded_bytes()].concat();
                    ObjectId::from_hex(&hex).ok()
                })),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let message = format_args!("cannot be listed: {}", error.kind());
                    diagnostics.incomplete(path.display(), message);
                }
            }
        }
        ids.sort_unstable();
        ids.dedup();
        Self {
            directory: directory.to_path_buf(),
            ids,
        }
    }

    /// Ids, sorted.
    pub(super) fn ids(&self) -> &[ObjectId] {
        &self.ids
    }

    pub(super) fn contains(&self, id: &ObjectId) -> bool {
        self.ids.binary_search(id).is_ok()
    }

    /// The file of an object.
    pub(super) fn path(&self, id: &ObjectId) -> PathBuf {
        let hex = id.to_string();
        let (first, rest) = hex.split_at(2);
        self.directory.join(first).join(rest)
    }

    /// Reads an object into `out`, or no more than its header when `wanted` says so.
    pub(super) fn read(
        &self,
        id: &ObjectId,
        wanted: Wanted,
        inflater: &mut Inflater,
        out: &mut Vec<u8>,
    ) -> Result<Option<Kind>, ObjectError> {
        let failed = |error: io::Error| ObjectError::Io(error.kind());
        let mut file = fs::File::open(self.path(id)).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() > MAP_FROM {
            let map = MappedFile::map(&file).map_err(failed)?;
            return read(&map, wanted, inflater, out);
        }
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut file, &mut bytes).map_err(failed)?;
        read(&bytes, wanted, inflater, out)
    }
}

/// Files larger than this are mapped, smaller ones are cheaper to read.
const MAP_FROM: u64 = 1 << 20;

/// Longest header: a kind, a size of 20 digits, and the NUL after them.
const HEADER: usize = 32;

fn read(
    file: &[u8],
    wanted: Wanted,
    inflater: &mut Inflater,
    out: &mut Vec<u8>,
) -> Result<Option<Kind>, ObjectError> {
    let mut head = [0; HEADER];
    let known = inflater.start(file, &mut head)?;
    let head = &head[..known];
    let end = head.iter().position(|&byte| byte == 0);
    let (header, rest) = head.split_at(end.ok_or(ObjectError::Header)?);
    let (kind, size) = parse_header(header).ok_or(ObjectError::Header)?;
    if !wanted.kinds.contains(kind) {
        return Ok(None);
    }
    let limit = wanted.limit;
    if size > limit {
        return Err(ObjectError::TooLarge { size, limit });
    }
    out.clear();
    out.extend_from_slice(&rest[1..]);
    inflater.resume(file, size, out)?;
    Ok(Some(kind))
}

fn parse_header(header: &[u8]) -> Option<(Kind, u64)> {
    let space = header.iter().position(|&byte| byte == b' ')?;
    let kind = Kind::from_name(&header[..space])?;
    let digits = std::str::from_utf8(&header[space + 1..]).ok()?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((kind, plain.then(|| digits.parse().ok()).flatten()?))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).expect("a Vec takes all");
        encoder.finish().expect("a Vec takes all")
    }

    fn run(content: &[u8]) -> Result<(Kind, Vec<u8>), ObjectError> {
        let mut out = vec![1, 2, 3];
        let kind = read(&file(content), all(1 << 20), &mut Inflater::new(), &mut out)?;
        Ok((kind.expect("all kinds are wanted"), out))
    }

    fn all(limit: u64) -> Wanted {
        let kinds = Kinds::ALL;
        Wanted { kinds, limit }
    }

    #[test]
    fn what_is_not_wanted_is_left_after_its_header() {
        let wanted = Wanted {
            kinds: Kinds::of(&[Kind::Blob]),
            limit: 1,
        };
        let mut damaged = file(&[b"tree 70000\0".as_slice(), &[7; 70_000]].concat());
        damaged.truncate(60);
        let outcome = read(&damaged, wanted, &mut Inflater::new(), &mut Vec::new());
        assert_eq!(outcome, Ok(None));
    }

    #[test]
    fn short_and_long_objects_are_read() {
        assert_eq!(run(b"blob 0\0"), Ok((Kind::Blob, vec![])));
        assert_eq!(run(b"tag 3\0abc"), Ok((Kind::Tag, b"abc".to_vec())));
        let long = [b"commit 70000\0".as_slice(), &[b'x'; 70_000]].concat();
        assert_eq!(run(&long), Ok((Kind::Commit, vec![b'x'; 70_000])));
    }

    #[test]
    fn damaged_headers_and_sizes_are_refused() {
        assert_eq!(run(b"blob +1\0a"), Err(ObjectError::Header));
        assert_eq!(run(b"blub 1\0a"), Err(ObjectError::Header));
        assert_eq!(run(&[b'a'; 100]), Err(ObjectError::Header));
        assert_eq!(run(b"blob 2\0a"), Err(ObjectError::Size));
        assert_eq!(run(b"blob 1\0ab"), Err(ObjectError::Size));
        let bomb = [b"blob 1048577\0".as_slice(), &[0; 1 << 20]].concat();
        assert!(matches!(run(&bomb), Err(ObjectError::TooLarge { .. })));
        let lie = [b"blob 9\0".as_slice(), &vec![0; 32 << 20]].concat();
        let mut out = Vec::new();
        let outcome = read(&file(&lie), all(1 << 20), &mut Inflater::new(), &mut out);
        assert_eq!(outcome, Err(ObjectError::Size));
        assert!(out.capacity() < 1 << 20);
        let cut = file(b"blob 3\0abc");
        for end in 0..cut.len() {
            let outcome = read(&cut[..end], all(9), &mut Inflater::new(), &mut out);
            assert!(outcome.is_err());
        }
    }
}
