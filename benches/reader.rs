//! The pack reader over a repository that is built for it: packed deltas, loose objects, and one
//! object at a time. Every run's objects are counted.

use std::hint::black_box;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use straykey::model::{Diagnostics, ObjectId};
use straykey::source::git::{Object, Repository, Store, StoreOptions};

/// Versions of each file, and files.
const VERSIONS: usize = 200;
const FILES: usize = 20;
/// Lines of each file.
const LINES: usize = 800;

fn git(directory: &Path, args: &[&str], input: &[u8]) {
    let mut child = Command::new("git")
        .args(args)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("git runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input).expect("it reads");
    drop(stdin);
    assert!(child.wait().expect("it ends").success(), "git {args:?}");
}

/// A bare repository with a commit for each version of all files.
fn repository() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a scratch directory");
    git(directory.path(), &["init", "-q", "--bare"], b"");
    let mut stream = Vec::new();
    for version in 0..VERSIONS {
        let head = format!(
            "commit refs/heads/main\ncommitter A <a@example.org> {} +0000\ndata 2\nv\n",
            1_700_000_000 + version
        );
        stream.extend(head.into_bytes());
        for file in 0..FILES {
            let line = |n: usize| {
                // One line in fifty changes in each version.
                let changed = if n % 50 == version % 50 { version } else { 0 };
                format!("line {n} of file {file}, changed in version {changed}\n")
            };
            let text: String = (0..LINES).map(line).collect();
            let entry = format!("M 100644 inline f{file}.txt\ndata {}\n{text}\n", text.len());
            stream.extend(entry.into_bytes());
        }
    }
    git(directory.path(), &["fast-import", "--quiet"], &stream);
    git(directory.path(), &["repack", "-adfq", "--window=20"], b"");
    directory
}

fn open(path: &Path) -> Store {
    let repository = Repository::discover(path)
        .expect("there")
        .expect("a repository");
    Store::open(&repository, &StoreOptions::default(), &Diagnostics::new()).expect("it opens")
}

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
