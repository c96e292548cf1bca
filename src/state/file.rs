//! Files that are whole or not there: a header, a payload, and a checksum over both.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::Key;

/// What a payload is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Content {
    Objects = 1,
    Answers = 2,
}

/// Why a file is of no use.
#[derive(Debug)]
pub(super) enum Damage {
    /// Another process took it away, or it never was.
    Absent,
    Unreadable(ErrorKind),
    Foreign,
    Version(u32),
    Length,
    Checksum,
    /// The checksum holds, but what was written makes no sense, or belongs elsewhere.
    Content,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("not there"),
            Self::Unreadable(kind) => write!(f, "cannot be read ({kind})"),
            Self::Foreign => f.write_str("not a file of a straykey state"),
            Self::Version(version) => write!(f, "has the unknown format {version}"),
            Self::Length => f.write_str("is cut off"),
            Self::Checksum => f.write_str("is damaged: its checksum does not hold"),
            Self::Content => f.write_str("is damaged: its content does not fit its place"),
        }
    }
}

/// No text starts so, and neither does anything that was copied as one.
const MAGIC: [u8; 8] = *b"\x89SKST\r\n\x1a";
/// Version of the format of files.
pub(super) const VERSION: u32 = 1;
/// Magic, version, content, key, length of the payload.
const HEADER: usize = 8 + 4 + 4 + 32 + 8;
const CHECKSUM: usize = 4;

/// First part of the passing names of files that are being written.
pub(super) const PASSING: &str = "writing-";

/// The payload of the file at `path`.
pub(super) fn read(path: &Path, content: Content, key: &Key) -> Result<Vec<u8>, Damage> {
    let mut bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Damage::Absent),
        Err(error) => return Err(Damage::Unreadable(error.kind())),
    };
    check(&bytes, content, key)?;
    bytes.truncate(bytes.len() - CHECKSUM);
    bytes.drain(..HEADER);
    Ok(bytes)
}

fn check(bytes: &[u8], content: Content, key: &Key) -> Result<(), Damage> {
    if !bytes.starts_with(&MAGIC) {
        return Err(Damage::Foreign);
    }
    let version = bytes[MAGIC.len()..].first_chunk().ok_or(Damage::Length)?;
    match u32::from_le_bytes(*version) {
        VERSION => {}
        other => return Err(Damage::Version(other)),
    }
    let body = bytes.len().checked_sub(CHECKSUM).ok_or(Damage::Length)?;
    let payload = body.checked_sub(HEADER).ok_or(Damage::Length)?;
    if bytes[HEADER - 8..HEADER] != (payload as u64).to_le_bytes() {
        return Err(Damage::Length);
    }
    let (body, checksum) = bytes.split_at(body);
    if crc32fast::hash(body).to_le_bytes() != checksum {
        return Err(Damage::Checksum);
    }
    match body.starts_with(&header(content, key, payload)) {
        true => Ok(()),
        false => Err(Damage::Content),
    }
}

fn header(content: Content, key: &Key, payload: usize) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend(VERSION.to_le_bytes());
    header.extend((content as u32).to_le_bytes());
    header.extend(key.as_bytes());
    header.extend((payload as u64).to_le_bytes());
    header
}

/// Tries, when another process takes the file under its passing name for a leftover.
const TRIES: usize = 4;

/// Writes a file, so that it appears under its name when all of it is on disk.
pub(super) fn write(path: &Path, content: Content, key: &Key, payload: &[u8]) -> io::Result<()> {
    let mut bytes = header(content, key, payload.len());
    bytes.extend_from_slice(payload);
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    let mut tried = 1;
    loop {
        match write_once(path, &bytes) {
            Err(error) if error.kind() == ErrorKind::NotFound && tried < TRIES => tried += 1,
            done => return done,
        }
    }
}

fn write_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // A scan under other keys may have taken the folder away as one of the oldest.
    fs::create_dir_all(folder)?;
    let (passing, mut file) = create(folder)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| {
            drop(file);
            fs::rename(&passing, path)
        });
    if written.is_err() {
        let _ = fs::remove_file(&passing);
    }
    written
}

/// A new file under a name that no other process has, were it in another container.
fn create(folder: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let number = RandomState::new().build_hasher().finish();
        let path = folder.join(format!("{PASSING}{number:016x}"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            opened => return Ok((path, opened?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_byte_and_every_cut_is_noticed() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let path = scratch.path().join("file");
        let key = Key::of_bytes([7; 32]);
        write(&path, Content::Objects, &key, b"payload").expect("writable");
        let read = |path: &Path| super::read(path, Content::Objects, &key);
        assert_eq!(read(&path).expect("whole"), b"payload");
        let whole = fs::read(&path).expect("readable");
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, &bytes).expect("writable");
            assert!(read(&path).is_err(), "byte {at} was flipped");
            fs::write(&path, &whole[..at]).expect("writable");
            assert!(read(&path).is_err(), "cut at {at}");
        }
        fs::write(&path, [&whole[..], b"x"].concat()).expect("writable");
        assert!(matches!(read(&path), Err(Damage::Length)));
        fs::write(&path, &whole).expect("writable");
        let other = Key::of_bytes([8; 32]);
        let moved = super::read(&path, Content::Objects, &other);
        assert!(matches!(moved, Err(Damage::Content)));
        let other = super::read(&path, Content::Answers, &key);
        assert!(matches!(other, Err(Damage::Content)));
        let gone = read(&scratch.path().join("none"));
        assert!(matches!(gone, Err(Damage::Absent)));
    }

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let path = scratch.path().join("new").join("file");
        let key = Key::of_bytes([7; 32]);
        for payload in [b"one", b"two"] {
            write(&path, Content::Answers, &key, payload).expect("writable");
            let read = super::read(&path, Content::Answers, &key).expect("whole");
            assert_eq!(read, payload);
        }
        let beside = fs::read_dir(path.parent().expect("below")).expect("listable");
        assert_eq!(beside.count(), 1);
    }
}
