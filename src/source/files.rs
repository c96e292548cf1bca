//! Files of a directory tree: hidden ones too, what git ignores not, what git tracks always.
//!
//! Symbolic links are not followed, `.git` is never entered, and only regular files are opened.
//! Files are read into a buffer that each thread reuses; large ones in chunks that overlap by
//! more than the longest match, so that memory stays bounded and nothing is lost at a seam. A map
//! would be faster on very large files, but a file cut short while mapped kills the process.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use globset::GlobSet;
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::git::Repository;
use super::{Item, Origin, Place, Source, SourceError, Visit};
use crate::model::{Blob, Content, Diagnostics};

/// A file or directory tree.
#[derive(Debug)]
pub struct Files {
    root: PathBuf,
    options: FilesOptions,
}

/// What of a tree is read.
#[derive(Debug, Clone, Default)]
pub struct FilesOptions {
    /// Untracked files that git ignores too.
    pub include_ignored: bool,
    /// Paths (below the target) that are left out.
    pub exclude: GlobSet,
    /// Put before each path: where the target lies below the repository's root, ending in `/`.
    pub prefix: Vec<u8>,
    /// Paths that git tracks, below the target, sorted; read even when they are ignored.
    pub tracked: Vec<Vec<u8>>,
    /// A folder of our own that is left out: what we keep there is no part of what is scanned.
    pub own: Option<PathBuf>,
    /// Whether to say which repositories lie below the target, whose histories are not read.
    pub tell_repositories: bool,
    /// Threads; 0 means one for each core.
    pub threads: usize,
}

/// Repositories below a target that are named; of more only the number is said.
const NAMED: usize = 3;

impl Files {
    /// The tree at `root`, which may be a single file.
    pub fn new(root: &Path, options: FilesOptions) -> Self {
        Self {
            root: root.to_owned(),
            options,
        }
    }

    /// Repositories below the target are added to `found` on the way.
    fn walker(&self, found: Arc<Mutex<Vec<PathBuf>>>) -> ignore::WalkParallel {
        let respect = !self.options.include_ignored;
        let tell = self.options.tell_repositories;
        let own = self.options.own.as_ref();
        let own = own.and_then(|own| own.canonicalize().ok());
        let is_own = move |entry: &DirEntry| {
            own.as_ref().is_some_and(|own| {
                own.file_name() == Some(entry.file_name())
                    && entry.path().canonicalize().is_ok_and(|path| path == *own)
            })
        };
        WalkBuilder::new(&self.root)
            .hidden(false)
            .ignore(false)
            .follow_links(false)
            .parents(respect)
            .git_ignore(respect)
            .git_exclude(respect)
            .git_global(respect)
            .threads(self.options.threads)
            .filter_entry(move |entry| {
                let is_git = entry.depth() > 0 && entry.file_name() == ".git";
                if tell && entry.depth() > 0 {
                    // Bare ones are named like that by convention.
                    let is_bare = entry.path().extension() == Some("git".as_ref());
                    let folder = match is_git {
                        true => entry.path().parent(),
                        false => is_bare.then_some(entry.path()),
                    };
                    lock(&found).extend(folder.map(Path::to_owned));
                }
                !is_git && (entry.depth() == 0 || !is_own(entry))
            })
            .build_parallel()
    }

    /// The path of `file` below the target, `/`-separated.
    fn relative(&self, file: &Path) -> Vec<u8> {
        let below = file.strip_prefix(&self.root).unwrap_or(file);
        let below = match below.as_os_str().is_empty() {
            true => file.file_name().map(Path::new).unwrap_or(file),
            false => below,
        };
        let bytes = below.as_os_str().as_encoded_bytes();
        match std::path::MAIN_SEPARATOR {
            '/' => bytes.to_vec(),
            other => bytes
                .iter()
                .map(|&b| if b == other as u8 { b'/' } else { b })
                .collect(),
        }
    }

    fn is_excluded(&self, path: &[u8]) -> bool {
        !self.options.exclude.is_empty()
            && self
                .options
                .exclude
                .is_match(&*String::from_utf8_lossy(path))
    }
}

impl Source for Files {
    fn visit(&self, visit: &Visit<'_>, diagnostics: &Diagnostics) -> Result<(), SourceError> {
        let metadata = fs::metadata(&self.root).map_err(|source| SourceError::Open {
            path: self.root.clone(),
            source,
        })?;
        if !metadata.is_dir() {
            let path = self.relative(&self.root);
            let mut reader = Reader::new(self, visit, diagnostics);
            // A named file is read whatever it is: a pipe is somebody's `<(command)`.
            let _ = reader.file(&self.root, &path);
            return Ok(());
        }
        let tracked = &self.options.tracked;
        let seen: Vec<_> = tracked.iter().map(|_| AtomicBool::new(false)).collect();
        let stopped = AtomicBool::new(false);
        let repositories = Arc::default();
        self.walker(Arc::clone(&repositories)).run(|| {
            let mut reader = Reader::new(self, visit, diagnostics);
            let (seen, stopped) = (&seen, &stopped);
            Box::new(move |entry| {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(error) => {
                        report(&error, diagnostics);
                        return WalkState::Continue;
                    }
                };
                if let Some(error) = entry.error() {
                    let subject = entry.path().display();
                    diagnostics.warning(subject, format_args!("ignore rules not read: {error}"));
                }
                if !is_regular(&entry) {
                    return WalkState::Continue;
                }
                let path = self.relative(entry.path());
                if let Ok(at) = tracked.binary_search(&path) {
                    seen[at].store(true, Ordering::Relaxed);
                }
                match reader.file(entry.path(), &path) {
                    ControlFlow::Continue(()) => WalkState::Continue,
                    ControlFlow::Break(()) => {
                        stopped.store(true, Ordering::Relaxed);
                        WalkState::Quit
                    }
                }
            })
        });
        if stopped.into_inner() {
            return Ok(());
        }
        let found = std::mem::take(&mut *lock(&repositories));
        report_repositories(&self.root, found, diagnostics);
        let mut reader = Reader::new(self, visit, diagnostics);
        for (path, seen) in tracked.iter().zip(seen) {
            if seen.into_inner() {
                continue;
            }
            let Some(file) = join(&self.root, path) else {
                continue;
            };
            // Deleted, or replaced by a link or folder, in the work tree: nothing to read.
            let regular = fs::symlink_metadata(&file).is_ok_and(|found| found.is_file());
            if regular && reader.file(&file, path).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Says that the histories of `found` are not read.
fn report_repositories(root: &Path, mut found: Vec<PathBuf>, diagnostics: &Diagnostics) {
    found.retain(|folder| Repository::open(folder).is_ok());
    if found.is_empty() {
        return;
    }
    found.sort();
    let named = found.iter().take(NAMED);
    let named: Vec<_> = named.map(|folder| folder.display().to_string()).collect();
    let more = match found.len() > NAMED {
        true => ", …",
        false => "",
    };
    let message = format_args!(
        "holds {} of which only the files were scanned; name them as targets to scan their \
         histories: {}{more}",
        match found.len() {
            1 => "a repository".to_owned(),
            count => format!("{count} repositories"),
        },
        named.join(" "),
    );
    diagnostics.warning(root.display(), message);
}

fn lock(found: &Mutex<Vec<PathBuf>>) -> MutexGuard<'_, Vec<PathBuf>> {
    found
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn is_regular(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_file())
}

fn report(error: &ignore::Error, diagnostics: &Diagnostics) {
    let mut subject = "work tree".to_owned();
    let mut cause = error;
    loop {
        match cause {
            ignore::Error::WithPath { path, err } => {
                subject = path.display().to_string();
                cause = err;
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
                cause = err;
            }
            ignore::Error::Partial(_) | ignore::Error::Glob { .. } => {
                diagnostics.warning(subject, format_args!("ignore rules not read: {error}"));
                return;
            }
            _ => break,
        }
    }
    diagnostics.incomplete(subject, format_args!("not scanned: {cause}"));
}

/// `path` of a repository below `root`; `None` when this system cannot name it.
fn join(root: &Path, path: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        Some(root.join(std::ffi::OsStr::from_bytes(path)))
    }
    #[cfg(not(unix))]
    {
        Some(root.join(std::str::from_utf8(path).ok()?))
    }
}

/// Reads files one after another into one buffer.
struct Reader<'a> {
    files: &'a Files,
    visit: &'a Visit<'a>,
    diagnostics: &'a Diagnostics,
    chunks: Chunks,
}

impl<'a> Reader<'a> {
    fn new(files: &'a Files, visit: &'a Visit<'a>, diagnostics: &'a Diagnostics) -> Self {
        Self {
            files,
            visit,
            diagnostics,
            chunks: Chunks::default(),
        }
    }

    fn file(&mut self, file: &Path, path: &[u8]) -> ControlFlow<()> {
        if self.files.is_excluded(path) {
            return ControlFlow::Continue(());
        }
        let path = [&self.files.options.prefix, path].concat();
        let opened = File::open(file).map_err(Stop::Failed);
        let read = opened.and_then(|mut opened| {
            self.chunks
                .read(&mut opened, Place::File { path: &path }, self.visit)
        });
        match read {
            Ok(()) => ControlFlow::Continue(()),
            Err(Stop::Asked) => ControlFlow::Break(()),
            Err(Stop::Failed(error)) => {
                let why = match error.kind() {
                    ErrorKind::NotFound => "vanished while the tree was read; scan again".into(),
                    ErrorKind::PermissionDenied => {
                        "permission denied; scan as a user who may read it, or exclude it".into()
                    }
                    _ => format!("cannot be read: {error}"),
                };
                self.diagnostics.incomplete(file.display(), why);
                ControlFlow::Continue(())
            }
        }
    }
}

/// Why reading ended early.
pub(super) enum Stop {
    /// The visitor has enough.
    Asked,
    /// The system says no.
    Failed(io::Error),
}

/// A buffer that is reused from stream to stream.
pub(super) struct Chunks {
    buffer: Vec<u8>,
    size: usize,
}

impl Default for Chunks {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            size: CHUNK,
        }
    }
}

/// Bytes handed out at once.
const CHUNK: usize = 16 << 20;
/// Bytes that the next chunk repeats: more than the longest match or key block.
const OVERLAP: usize = 160 << 10;
/// Of the overlap, what is left to the chunk before: context for a match that begins behind it.
const SEAM: usize = 16 << 10;
/// Bytes read when nothing is known of the size.
const FIRST: usize = 64 << 10;

impl Chunks {
    /// Reads all of `reader`, in one piece when it fits.
    pub(super) fn read(
        &mut self,
        reader: &mut impl Read,
        place: Place<'_>,
        visit: &Visit<'_>,
    ) -> Result<(), Stop> {
        let mut origin = Origin::default();
        let mut content = None;
        let mut filled = 0;
        loop {
            let ended = self.fill(reader, &mut filled).map_err(Stop::Failed)?;
            let bytes = &self.buffer[..filled];
            // The first block decides for the whole file.
            let content = *content.get_or_insert_with(|| Content::sniff(bytes));
            origin.goes_on = !ended;
            let item = Item {
                origin,
                ..Item::new(Blob { bytes, content }, place)
            };
            if visit(&item).is_break() {
                return Err(Stop::Asked);
            }
            if ended {
                return Ok(());
            }
            let keep = filled - OVERLAP;
            // CR LF is one line end: it must not be cut.
            let keep = keep - usize::from(self.buffer[keep - 1] == b'\r');
            origin.advance(&self.buffer[..keep]);
            self.buffer.copy_within(keep..filled, 0);
            filled -= keep;
        }
    }

    /// Fills the buffer up to a chunk; true when the stream has ended.
    fn fill(&mut self, reader: &mut impl Read, filled: &mut usize) -> io::Result<bool> {
        while *filled < self.size {
            if *filled == self.buffer.len() {
                let larger = (2 * self.buffer.len()).clamp(FIRST, self.size);
                self.buffer.resize(larger, 0);
            }
            match reader.read(&mut self.buffer[*filled..]) {
                Ok(0) => return Ok(true),
                Ok(count) => *filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

impl Origin {
    /// Whether a match that begins at `start` of a chunk of `length` bytes is this chunk's: near
    /// its edges the neighbour sees more.
    pub fn owns(&self, start: usize, length: usize) -> bool {
        let after_seam = self.offset == 0 || start >= SEAM;
        let before_next = !self.goes_on || start < length - OVERLAP + SEAM;
        after_seam && before_next
    }

    /// Moves past `bytes`.
    fn advance(&mut self, bytes: &[u8]) {
        self.offset += bytes.len();
        let index = crate::model::LineIndex::new(bytes);
        let last = index.len() - 1;
        if last > 0 {
            self.columns = 0;
        }
        self.lines = self.lines.saturating_add(last as u32);
        let chars = index
            .locate(crate::model::Span::new(bytes.len(), bytes.len()))
            .column
            - 1;
        self.columns = self.columns.saturating_add(chars);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_long_stream_comes_in_overlapping_chunks_with_their_origin() {
        let size = 3 * OVERLAP;
        let text: Vec<u8> = (0..4 * size)
            .map(|n| if n % 1000 == 999 { b'\n' } else { b'a' })
            .collect();
        let seen = Mutex::new(Vec::new());
        let mut chunks = Chunks {
            buffer: Vec::new(),
            size,
        };
        let read = chunks.read(&mut &text[..], Place::Stdin, &|item| {
            let at = item.origin.offset;
            assert_eq!(item.blob.bytes, &text[at..at + item.blob.bytes.len()]);
            assert_eq!(item.origin.lines as usize, at / 1000);
            assert_eq!(item.origin.columns as usize, at % 1000);
            assert_eq!(item.origin.goes_on, at + item.blob.bytes.len() < text.len());
            seen.lock()
                .expect("one thread")
                .push((at, at + item.blob.bytes.len()));
            ControlFlow::Continue(())
        });
        assert!(read.is_ok());
        let seen = seen.into_inner().expect("one thread");
        assert!(seen.windows(2).all(|pair| pair[0].1 - pair[1].0 == OVERLAP));
        let first = Origin {
            goes_on: true,
            ..Origin::default()
        };
        let second = Origin {
            offset: size - OVERLAP,
            ..Origin::default()
        };
        let owners = |at: usize| {
            let in_second = at
                .checked_sub(size - OVERLAP)
                .is_some_and(|at| second.owns(at, size));
            (at < size && first.owns(at, size)) as u8 + in_second as u8
        };
        assert!((0..2 * size - OVERLAP).all(|at| owners(at) == 1));
        assert_eq!(seen.last().expect("chunks").1, text.len());
    }
}
