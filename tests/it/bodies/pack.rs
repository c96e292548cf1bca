//! Whatever a pack and its index hold, a sweep and look-ups end, and hold no more than they may.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;

use straykey::model::{Diagnostics, ObjectId};
use straykey::source::git::{Kind, Object, Repository, Store, StoreOptions};

use super::bytes::Bytes;
use crate::git_pack::{PackFile, deflate, entry, varint};

/// Bytes of the largest object that is shown.
const LIMIT: u64 = 1 << 20;

/// A repository without anything.
pub(crate) fn skeleton() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let git = directory.path().join(".git");
    for folder in ["objects/pack", "refs"] {
        std::fs::create_dir_all(git.join(folder)).expect("writable");
    }
    std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").expect("writable");
    directory
}

/// Returns the number of objects shown.
pub(crate) fn check(repository: &Path) -> usize {
    let repository = Repository::open(repository).expect("a repository");
    let options = StoreOptions {
        max_object_bytes: LIMIT,
        ..StoreOptions::default()
    };
    let diagnostics = Diagnostics::new();
    let store = Store::open(&repository, &options, &diagnostics).expect("opens");
    let shown = Mutex::new(BTreeSet::new());
    let visit = |object: Object<'_>| {
        assert!(object.bytes.len() as u64 <= LIMIT);
        let first = shown.lock().expect("whole").insert(object.id);
        assert!(first, "{} was shown twice", object.id);
        ControlFlow::Continue(())
    };
    store.sweep(&visit, &diagnostics);
    let shown = shown.into_inner().expect("whole");
    let told = !diagnostics.into_sorted().is_empty();
    let mut reader = store.reader();
    for id in store.ids() {
        let Ok(Some((kind, bytes))) = reader.find(&id) else {
            continue;
        };
        assert!(bytes.len() as u64 <= LIMIT);
        assert!(
            kind == Kind::Tree || told || shown.contains(&id),
            "{id} was not shown"
        );
    }
    shown.len()
}

/// One or two packs whose entries are whole objects and deltas, mostly sound ones.
pub(crate) fn draw(bytes: &[u8]) -> Vec<PackFile> {
    let mut bytes = Bytes::new(bytes);
    let mut packs = vec![PackFile::default()];
    // Sizes that later deltas have to state.
    let mut sizes: Vec<usize> = Vec::new();
    while !bytes.is_empty() && sizes.len() < 40 {
        let number = sizes.len();
        let choice = bytes.byte();
        let (mut entry, size) = match choice % 4 {
            0 => whole(&mut bytes),
            _ => delta(choice, &sizes, &mut bytes),
        };
        if choice >= 224 {
            spoil(&mut entry, &mut bytes);
        }
        // Ids repeat now and then.
        let id = match choice % 16 {
            15 => bytes.below(number + 1),
            _ => number,
        };
        if choice % 32 == 31 && packs.len() == 1 {
            packs.push(PackFile::default());
        }
        let pack = packs.last_mut().expect("there is one");
        pack.add(id_of(id), entry);
        sizes.push(size);
    }
    packs
}

fn id_of(number: usize) -> ObjectId {
    ObjectId::new([number as u8; ObjectId::LEN])
}

fn whole(bytes: &mut Bytes<'_>) -> (Vec<u8>, usize) {
    let kind = bytes.byte();
    let content = bytes.take(usize::from(kind));
    // Now and then of a kind that there is not, or of another size than stated.
    let lie = usize::from(kind >= 250);
    let kind = 1 + kind % if kind >= 240 { 8 } else { 4 };
    let data = deflate(content);
    (
        entry(kind, (content.len() + lie) as u64, &[], &data),
        content.len(),
    )
}

fn delta(choice: u8, sizes: &[usize], bytes: &mut Bytes<'_>) -> (Vec<u8>, usize) {
    // Also of what comes later, of itself, and of what there is not.
    let base = match choice % 8 {
        7 => bytes.below(sizes.len() + 8),
        _ => bytes.below(sizes.len()),
    };
    let base_size = sizes.get(base).copied().unwrap_or(0);
    let mut instructions = Vec::new();
    let mut size = 0;
    for _ in 0..bytes.byte() % 16 {
        let part = bytes.byte();
        if part >= 0x80 && base_size > 0 {
            let from = bytes.below(base_size);
            let len = 1 + bytes.below(base_size - from);
            instructions.push(0x80 | 0x0f | 0x70);
            instructions.extend((from as u32).to_le_bytes());
            instructions.extend_from_slice(&(len as u32).to_le_bytes()[..3]);
            size += len;
        } else {
            let new = bytes.take(usize::from(part & 0x7f));
            if !new.is_empty() {
                instructions.push(new.len() as u8);
                instructions.extend_from_slice(new);
                size += new.len();
            }
        }
    }
    let delta = [varint(base_size), varint(size), instructions].concat();
    let data = deflate(&delta);
    (
        entry(7, delta.len() as u64, id_of(base).as_bytes(), &data),
        size,
    )
}

/// Changes, cuts, adds a byte, or makes something else of it.
fn spoil(entry: &mut Vec<u8>, bytes: &mut Bytes<'_>) {
    let at = bytes.below(entry.len());
    match bytes.byte() % 4 {
        0 => entry.truncate(at),
        1 => entry.insert(at, bytes.byte()),
        2 => *entry = bytes.take(60).to_vec(),
        _ => entry[at] ^= 1 << (bytes.byte() % 8),
    }
}
