//! The pack reader over a repository that is built for it: packed deltas, loose objects, and one
//! object at a time. Every run's objects are counted.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use straykey::model::{Diagnostics, ObjectId};
use straykey::source::git::{Object, Store};

mod made;

use made::{FILES, VERSIONS, git, open, repository};

/// Objects and bytes of one sweep.
fn sweep(store: &Store) -> (u64, u64) {
    let (count, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    let visit = |object: Object<'_>| {
        count.fetch_add(1, Relaxed);
        bytes.fetch_add(black_box(object.bytes).len() as u64, Relaxed);
        ControlFlow::Continue(())
    };
    store.sweep(&visit, &Diagnostics::new());
    (count.into_inner(), bytes.into_inner())
}

fn reader(c: &mut Criterion) {
    let directory = repository();
    let store = open(directory.path());
    let (objects, bytes) = sweep(&store);
    // Every commit and every version of every file; trees are not shown.
    assert!(objects > (VERSIONS * FILES / 2) as u64, "{objects}");
    let mut group = c.benchmark_group("reader");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("sweep", |b| {
        b.iter(|| assert_eq!(sweep(&store), (objects, bytes)));
    });
    group.bench_function("open and sweep", |b| {
        b.iter(|| assert_eq!(sweep(&open(directory.path())), (objects, bytes)));
    });
    let ids: Vec<ObjectId> = store.ids().into_iter().step_by(10).collect();
    group.throughput(Throughput::Elements(ids.len() as u64));
    group.bench_function("by id", |b| {
        b.iter(|| {
            let mut reader = store.reader();
            for id in &ids {
                assert!(matches!(reader.find(id), Ok(Some(_))));
            }
        });
    });
    group.finish();
}

/// The history of [`repository`] in packs of a few commits each, which overlap as fetched ones do.
fn many_packs() -> tempfile::TempDir {
    let directory = repository();
    let git = |args: &[&str], input: &[u8]| git(directory.path(), args, input);
    let pack = ["pack-objects", "--revs", "-q", "objects/pack/pack"];
    for back in (0..VERSIONS).step_by(4) {
        let revs = format!("main~{back}\n^main~{}\n", (back + 8).min(VERSIONS - 1));
        git(&pack, revs.as_bytes());
    }
    directory
}

/// The history of [`repository`], one file for each object.
fn loose_objects() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let packed = repository();
    git(directory.path(), &["init", "-q", "--bare"], b"");
    let packs = packed.path().join("objects/pack");
    for entry in std::fs::read_dir(packs).expect("listable") {
        let path = entry.expect("readable").path();
        if path.extension() == Some("pack".as_ref()) {
            let pack = std::fs::read(path).expect("readable");
            git(directory.path(), &["unpack-objects", "-q"], &pack);
        }
    }
    directory
}

/// What other places of objects cost, against the same objects in one pack.
fn places(c: &mut Criterion) {
    let expected = sweep(&open(repository().path()));
    let mut group = c.benchmark_group("places");
    group.throughput(Throughput::Bytes(expected.1));
    for (name, directory) in [("many packs", many_packs()), ("loose", loose_objects())] {
        group.bench_function(name, |b| {
            b.iter(|| assert_eq!(sweep(&open(directory.path())), expected));
        });
    }
    group.finish();
}

criterion_group!(benches, reader, places);
criterion_main!(benches);
