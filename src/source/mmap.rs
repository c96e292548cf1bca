//! Maps files into memory; the only place of the sources with `unsafe`.
//!
//! Meant for packs, their indexes, and files too large to copy. Small files are cheaper to read
//! into a reused buffer: a map costs page faults and an unmap for each of them.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;

/// A file's bytes, mapped read-only.
#[derive(Debug)]
pub(super) struct MappedFile(Option<memmap2::Mmap>);

impl MappedFile {
    /// Maps the file at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::map(&File::open(path)?)
    }

    /// Maps an open file.
    #[expect(
        unsafe_code,
        reason = "a map is how a pack of gigabytes is read without copying it"
    )]
    pub(super) fn map(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        if metadata.len() == 0 {
            return Ok(Self(None));
        }
        // SAFETY: the map is private and read-only, and git never writes to a pack or an index
        // once it has its name. Should another process change the file all the same, no invariant
        // of ours rests on two reads of a byte being equal: every offset is checked where it is
        // used. A file cut short meanwhile ends the process with a bus error, as it ends git.
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self(Some(map)))
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_shows_the_file_and_an_empty_file_is_empty() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("file");
        std::fs::write(&path, b"bytes").expect("writable");
        assert_eq!(&*MappedFile::open(&path).expect("mapped"), b"bytes");
        std::fs::write(&path, b"").expect("writable");
        assert_eq!(&*MappedFile::open(&path).expect("mapped"), b"");
        assert!(MappedFile::open(dir.path()).is_err());
    }
}
