//! The pack reader over a repository that is built for it: packed deltas, loose objects, and one
//! object at a time. Every run's objects are counted.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use straykey::model::{Diagnostics, ObjectId};
use straykey::source::git::{Object, Store};

mod made;

use made::{FILES, VERSIONS, open, repository};

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

criterion_group!(benches, reader);
criterion_main!(benches);
