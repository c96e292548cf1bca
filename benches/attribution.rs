//! Attribution of blobs against the scan that finds them: a sweep that looks at nothing, a scan with
//! all detectors, and then the attribution of one blob and of a hundred.
//!
//! `STRAYKEY_BENCH_REPOSITORY` names a repository; without it a small one is built. With
//! `RAYON_NUM_THREADS=1` times are processor times.

use std::cell::RefCell;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use straykey::detector::DetectorSet;
use straykey::engine::{Engine, Scratch};
use straykey::model::{Blob, Diagnostics, ObjectId};
use straykey::source::Item;
use straykey::source::git::objects::Objects;
use straykey::source::git::{Kind, Object, Repository, Store, StoreOptions};

mod made;

use made::open;

/// Blobs of all ages: drawn from all by a fixed seed (the constants are those of Knuth's MMIX).
fn drawn(store: &Store, count: usize) -> Vec<ObjectId> {
    const FACTOR: u64 = 6_364_136_223_846_793_005;
    const STEP: u64 = 1_442_695_040_888_963_407;
    let ids = store.ids();
    let mut reader = store.reader();
    let mut state = 7u64;
    let mut chosen = Vec::new();
    for _ in 0..100 * count {
        state = state.wrapping_mul(FACTOR).wrapping_add(STEP);
        let id = ids[(state >> 33) as usize % ids.len()];
        let is_blob = matches!(reader.find(&id), Ok(Some((Kind::Blob, _))));
        if is_blob && chosen.len() < count && !chosen.contains(&id) {
            chosen.push(id);
        }
    }
    chosen
}

/// Calls `each` for every object of a store that was just opened, and counts them.
fn sweep(repository: &Repository, each: impl Fn(Object<'_>) + Sync) -> u64 {
    let count = AtomicU64::new(0);
    let visit = |object: Object<'_>| {
        count.fetch_add(1, Relaxed);
        each(object);
        ControlFlow::Continue(())
    };
    open(&repository.git_dir).sweep(&visit, &Diagnostics::new());
    count.into_inner()
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

fn attribution(c: &mut Criterion) {
    let named = std::env::var_os("STRAYKEY_BENCH_REPOSITORY").map(PathBuf::from);
    let built = named.is_none().then(made::repository);
    let path = named.unwrap_or_else(|| built.as_ref().expect("built").path().to_owned());
    let repository = Repository::discover(&path)
        .expect("there")
        .expect("a repository");
    let store = open(&path);
    let diagnostics = Diagnostics::new();
    let objects = sweep(&repository, |_| {});
    let ids = drawn(&store, 100);
    let engine = Engine::new(Arc::new(DetectorSet::builtin()));
    let mut group = c.benchmark_group("attribution");
    group.sample_size(10);
    group.bench_function("sweep", |b| {
        b.iter(|| {
            assert_eq!(
                sweep(&repository, |object| {
                    black_box(object.bytes);
                }),
                objects
            )
        });
    });
    group.bench_function("scan", |b| {
        b.iter(|| {
            let each = |object: Object<'_>| {
                let (blob, kin) = (Blob::new(object.bytes), object.kinship.as_ref());
                SCRATCH.with_borrow_mut(|scratch| {
                    engine.scan_kin(&blob, kin, scratch, &mut |found| drop(black_box(found)));
                });
            };
            assert_eq!(sweep(&repository, each), objects);
        });
    });
    // As a scan does it: after a sweep, which leaves the commits and the plans of the packs.
    let swept = || {
        let objects = Objects::open(&repository, &StoreOptions::default(), &diagnostics);
        let objects = objects.expect("it opens");
        let visit = |_: &Item<'_>| ControlFlow::Continue(());
        objects.visit(None, &visit, &diagnostics, &diagnostics);
        objects
    };
    for count in [1, ids.len()] {
        let told = |objects: Objects| {
            let (_, answer) = objects.attribute(&ids[..count], &diagnostics);
            assert_eq!(answer.len(), count);
        };
        group.bench_function(format!("{count} blobs"), |b| {
            b.iter_batched(swept, told, BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, attribution);
criterion_main!(benches);
