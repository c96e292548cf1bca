//! The object reader against `git cat-file`, and against hostile files.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;

use straykey::model::{Diagnostic, Diagnostics, ObjectId};
use straykey::source::git::{Kind, Repository, Store, StoreOptions};

use crate::git_fixture::{Fixture, import_stream};
use crate::git_pack::{PackFile, blob_entry, delta_entry, object_id, varint};

pub(crate) type Objects = BTreeMap<ObjectId, (Kind, Vec<u8>)>;

#[test]
fn loose_objects_equal_cat_file() {
    assert_equal(&small());
}

#[test]
fn one_pack_equals_cat_file() {
    let fixture = small();
    fixture.git(&["repack", "-adq"]);
    assert_equal(&fixture);
}

#[test]
fn several_packs_that_overlap_and_loose_objects_equal_cat_file() {
    let fixture = small();
    fixture.git(&["repack", "-dq"]);
    fixture.commit_file("more.txt", "more\n");
    fixture.git(&["repack", "-dq"]);
    fixture.git(&["repack", "-q", "-a", "--keep-unreachable"]);
    fixture.git_input(&["hash-object", "-w", "--stdin"], b"loose and dangling\n");
    assert_equal(&fixture);
}

#[test]
fn deltas_named_by_id_equal_cat_file() {
    let fixture = deep();
    repack_by_hand(&fixture, &["--window=20"], &[]);
    assert_equal(&fixture);
}

#[test]
fn a_completed_thin_pack_equals_cat_file() {
    let fixture = small();
    let base = fixture.git(&["rev-parse", "HEAD"]);
    let text = "line\n".repeat(400);
    fixture.commit_file("a.txt", &format!("{text}end\n"));
    let revs = format!("HEAD\n^{base}\n");
    let thin = fixture.git_input(
        &["pack-objects", "--revs", "--thin", "--stdout", "-q"],
        revs.as_bytes(),
    );
    fixture.git_input(&["index-pack", "--fix-thin", "--stdin"], &thin);
    assert_equal(&fixture);
}

#[test]
fn a_thousand_objects_with_deep_deltas_equal_cat_file() {
    let fixture = deep();
    let args = ["repack", "-adfq", "--depth=300", "--window=40"];
    fixture.git(&args);
    assert!(assert_equal(&fixture) > 1000);
}

#[test]
fn version_one_and_64_bit_indexes_equal_cat_file() {
    for version in ["1", "2,0x80"] {
        let fixture = deep();
        let option = format!("--index-version={version}");
        repack_by_hand(&fixture, &["--delta-base-offset"], &[&option]);
        assert_equal(&fixture);
    }
}

#[test]
fn real_repositories_equal_cat_file() {
    let Some(list) = std::env::var_os("STRAYKEY_TEST_REPOSITORIES") else {
        return;
    };
    for path in std::env::split_paths(&list) {
        let ours = Mutex::new(BTreeMap::new());
        let repository = Repository::discover(&path).expect("there").expect("read");
        let diagnostics = Diagnostics::new();
        let store = Store::open(&repository, &all_alternates(), &diagnostics).expect("opens");
        let visit = |object: straykey::source::git::Object<'_>| {
            let entry = (object.kind, checksum(object.bytes));
            let again = ours.lock().expect("whole").insert(object.id, entry);
            assert_eq!(again, None, "{} twice", object.id);
            ControlFlow::Continue(())
        };
        store.sweep(&visit, &diagnostics);
        let ours = ours.into_inner().expect("whole");
        let mut count = 0;
        crate::git_fixture::cat_file(&repository.git_dir, |id, kind, bytes| {
            if kind != Kind::Tree {
                assert_eq!(ours.get(&id), Some(&(kind, checksum(bytes))), "{id}");
                count += 1;
            }
        });
        assert_eq!(count, ours.len(), "{}", path.display());
    }
}

#[test]
fn alternates_inside_are_read_and_outside_only_when_asked() {
    let lender = small();
    let fixture = Fixture::new();
    let objects = lender.path().join(".git/objects");
    fixture.write(
        ".git/objects/info/alternates",
        format!("{}\n", objects.display()),
    );
    fixture.commit_file("own.txt", "own\n");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!(swept.len(), 2, "one commit and one blob of its own");
    assert_eq!(diagnostics.len(), 1);
    assert!(diagnostics[0].message.contains("--follow-alternates"));
    assert_equal(&fixture);

    std::fs::create_dir(fixture.path().join(".git/borrowed")).expect("writable");
    let inside = fixture.path().join(".git/borrowed/objects");
    crate::git_fixture::copy_dir(&objects, &inside);
    fixture.write(".git/objects/info/alternates", "../borrowed/objects\n");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert!(swept.len() > 2);
    assert_eq!(diagnostics, []);
}

#[test]
fn damage_is_told_whenever_an_object_is_lost() {
    let fixture = small();
    fixture.git(&["repack", "-adfq", "--depth=10"]);
    let expected = without_trees(expected(&fixture));
    let packs = fixture.path().join(".git/objects/pack");
    let mut random = Random(0x5eed);
    for extension in ["pack", "idx"] {
        let path = crate::git_fixture::only_file(&packs, extension);
        let sound = std::fs::read(&path).expect("readable");
        make_writable(&path);
        for round in 0..300 {
            let damaged = random.damage(&sound);
            std::fs::write(&path, &damaged).expect("writable");
            let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
            let same = swept == expected;
            assert!(same || !diagnostics.is_empty(), "{extension} {round}");
            find_all(fixture.path(), expected.keys());
        }
        std::fs::write(&path, &sound).expect("writable");
    }
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!((swept, diagnostics), (expected, vec![]));
}

#[test]
fn a_damaged_loose_object_is_told_and_the_rest_is_read() {
    let fixture = small();
    let id = fixture.git(&["rev-parse", "HEAD:a.txt"]);
    let path = loose_path(&fixture, &id);
    make_writable(&path);
    std::fs::write(&path, b"nonsense").expect("writable");
    let lost = ObjectId::from_hex(id.as_bytes()).expect("an id");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert!(!swept.contains_key(&lost) && swept.len() > 3);
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].subject, path.display().to_string());
}

#[test]
fn a_sound_copy_elsewhere_makes_damage_harmless() {
    let fixture = small();
    let expected = without_trees(expected(&fixture));
    fixture.git(&["repack", "-aq"]);
    let id = fixture.git(&["rev-parse", "HEAD:a.txt"]);
    let path = loose_path(&fixture, &id);
    make_writable(&path);
    std::fs::write(&path, b"nonsense").expect("writable");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!((swept, diagnostics), (expected, vec![]));
}

#[test]
fn delta_cycles_end_and_are_told() {
    let fixture = Fixture::new();
    let [one, two, sound] = [1, 2, 3].map(|n| ObjectId::new([n; 20]));
    let mut pack = PackFile::default();
    pack.add(one, delta_entry(two, 3, &[3, 1, 1, b'x']));
    pack.add(two, delta_entry(one, 3, &[3, 1, 1, b'x']));
    pack.add(sound, blob_entry(b"sound", 5));
    pack.write(fixture.path(), "cycle");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!(swept.into_keys().collect::<Vec<_>>(), [sound]);
    assert_eq!(diagnostics.len(), 2, "{diagnostics:?}");
    assert!(
        diagnostics
            .iter()
            .all(|one| one.message.contains("does not end"))
    );
}

#[test]
fn a_cycle_across_packs_ends_and_is_told() {
    let fixture = Fixture::new();
    let [one, two] = [1, 2].map(|n| ObjectId::new([n; 20]));
    for (name, own, base) in [("one", one, two), ("two", two, one)] {
        let mut pack = PackFile::default();
        pack.add(own, delta_entry(base, 3, &[3, 1, 1, b'x']));
        pack.write(fixture.path(), name);
    }
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!((swept.len(), diagnostics.len()), (0, 2));
    find_all(fixture.path(), [&one, &two].into_iter());
}

#[test]
fn a_base_outside_the_pack_is_found_or_told() {
    let fixture = Fixture::new();
    let base = b"the base of it all";
    let made = object_id("blob", b"base");
    let loose = fixture.git_input(&["hash-object", "-w", "--stdin"], base);
    let loose = ObjectId::from_hex(loose.trim_ascii()).expect("an id");
    let size = base.len() as u8;
    let mut pack = PackFile::default();
    pack.add(made, delta_entry(loose, 5, &[size, 4, 0x91, 4, 4]));
    pack.add(
        ObjectId::new([9; 20]),
        delta_entry(ObjectId::new([8; 20]), 4, &[1, 1, 1, b'x']),
    );
    pack.write(fixture.path(), "thin");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!(swept.get(&made), Some(&(Kind::Blob, b"base".to_vec())));
    assert_eq!(diagnostics.len(), 1);
    assert!(diagnostics[0].message.contains("which is missing"));
    let (_, found) = open(fixture.path())
        .find(&made)
        .expect("sound")
        .expect("there");
    assert_eq!(found, b"base");
}

#[test]
fn bombs_and_lying_sizes_are_told_and_bounded() {
    let fixture = Fixture::new();
    let bomb = vec![0; 32 << 20];
    let base = ObjectId::new([4; 20]);
    // 64 copies of the base, and then 64 copies of that, and so on.
    let grow = |size: usize| {
        let mut delta = varint(size);
        delta.extend(varint(size * 64));
        for _ in 0..64 {
            delta.extend([0xf0, size as u8, (size >> 8) as u8, (size >> 16) as u8]);
        }
        delta
    };
    let ids = [1, 2, 3, 5, 6, 7].map(|n| ObjectId::new([n; 20]));
    let mut pack = PackFile::default();
    pack.add(ids[0], blob_entry(&bomb, bomb.len() as u64));
    pack.add(ids[1], blob_entry(&bomb, 10));
    pack.add(ids[2], blob_entry(b"short", 1 << 50));
    pack.add(base, blob_entry(&[b'x'; 1000], 1000));
    pack.add(
        ids[3],
        delta_entry(base, grow(1000).len() as u64, &grow(1000)),
    );
    pack.add(
        ids[4],
        delta_entry(ids[3], grow(64_000).len() as u64, &grow(64_000)),
    );
    pack.write(fixture.path(), "bomb");
    let options = StoreOptions {
        max_object_bytes: 1 << 20,
        ..StoreOptions::default()
    };
    let (swept, diagnostics) = sweep(fixture.path(), &options);
    assert_eq!(swept.into_keys().collect::<Vec<_>>(), [base, ids[3]]);
    assert_eq!(diagnostics.len(), 4, "{diagnostics:?}");
}

#[test]
fn a_visitor_that_has_seen_enough_ends_the_sweep() {
    let fixture = deep();
    let seen = Mutex::new(0);
    let visit = |_: straykey::source::git::Object<'_>| {
        *seen.lock().expect("whole") += 1;
        ControlFlow::Break(())
    };
    open(fixture.path()).sweep(&visit, &Diagnostics::new());
    let seen = seen.into_inner().expect("whole");
    assert!((1..=64).contains(&seen), "{seen}");
}

/// A few commits with a tag, a note and a subdirectory.
pub(crate) fn small() -> Fixture {
    let fixture = Fixture::new();
    let text = "line\n".repeat(400);
    for n in 0..8 {
        fixture.commit_file("a.txt", &format!("{text}{n}\n"));
        fixture.commit_file("dir/b.txt", &format!("{n}\n{text}"));
    }
    fixture.commit_file("empty", "");
    fixture.git(&["tag", "-a", "-m", "tagged", "v1"]);
    fixture.git(&["notes", "add", "-m", "noted"]);
    fixture
}

/// More than a thousand objects: one growing file and many small ones.
pub(crate) fn deep() -> Fixture {
    let fixture = Fixture::new();
    let mut random = Random(7);
    let mut text = String::new();
    let commits = (0..400).map(|n| {
        text.push_str(&format!("{n} {:x}\n", random.next()));
        vec![
            ("log.txt".to_owned(), text.clone()),
            (format!("d{}/f{n}", n % 7), format!("file {n}\n")),
        ]
    });
    let stream = import_stream(commits.collect());
    fixture.git_input(&["fast-import", "--quiet"], &stream);
    fixture
}

/// Replaces the packs by one made with the plumbing commands and the given options.
fn repack_by_hand(fixture: &Fixture, pack: &[&str], index: &[&str]) {
    let pack_args = [&["pack-objects", "--all", "--stdout", "-q"], pack].concat();
    let bytes = fixture.git_input(&pack_args, b"");
    let packs = fixture.path().join(".git/objects/pack");
    std::fs::remove_dir_all(&packs).expect("writable");
    std::fs::create_dir(&packs).expect("writable");
    let index_args = [&["index-pack", "--stdin"], index].concat();
    fixture.git_input(&index_args, &bytes);
}

/// Sweeps and looks up everything, compares with `git cat-file`, and returns the number of
/// objects.
pub(crate) fn assert_equal(fixture: &Fixture) -> usize {
    let expected = expected(fixture);
    let (swept, diagnostics) = sweep(fixture.path(), &all_alternates());
    assert_eq!(diagnostics, []);
    let repository = Repository::open(fixture.path()).expect("a repository");
    let store = Store::open(&repository, &all_alternates(), &Diagnostics::new()).expect("opens");
    let ids: Vec<_> = expected.keys().copied().collect();
    assert_eq!(store.ids(), ids);
    let mut reader = store.reader();
    for (id, (kind, bytes)) in &expected {
        let (found_kind, found) = reader.find(id).expect("sound").expect("there");
        assert!((found_kind, &*found) == (*kind, bytes), "{id}");
    }
    assert!(
        reader
            .find(&ObjectId::new([0; 20]))
            .expect("sound")
            .is_none()
    );
    let count = expected.len();
    assert!(swept == without_trees(expected));
    count
}

pub(crate) fn expected(fixture: &Fixture) -> Objects {
    let mut objects = Objects::new();
    crate::git_fixture::cat_file(&fixture.path().join(".git"), |id, kind, bytes| {
        objects.insert(id, (kind, bytes.to_vec()));
    });
    objects
}

pub(crate) fn without_trees(mut objects: Objects) -> Objects {
    objects.retain(|_, (kind, _)| *kind != Kind::Tree);
    objects
}

fn all_alternates() -> StoreOptions {
    StoreOptions {
        follow_alternates: true,
        ..StoreOptions::default()
    }
}

fn open(path: &Path) -> Store {
    let repository = Repository::open(path).expect("a repository");
    Store::open(&repository, &StoreOptions::default(), &Diagnostics::new()).expect("opens")
}

pub(crate) fn sweep(path: &Path, options: &StoreOptions) -> (Objects, Vec<Diagnostic>) {
    let diagnostics = Diagnostics::new();
    let repository = Repository::open(path).expect("a repository");
    let store = Store::open(&repository, options, &diagnostics).expect("opens");
    let objects = Mutex::new(Objects::new());
    let visit = |object: straykey::source::git::Object<'_>| {
        let entry = (object.kind, object.bytes.to_vec());
        let again = objects.lock().expect("whole").insert(object.id, entry);
        assert_eq!(again, None, "{} was visited twice", object.id);
        ControlFlow::Continue(())
    };
    store.sweep(&visit, &diagnostics);
    let objects = objects.into_inner().expect("whole");
    (objects, diagnostics.into_sorted())
}

/// Looks all of `ids` up; what comes back does not matter, that it comes back does.
fn find_all<'a>(path: &Path, ids: impl Iterator<Item = &'a ObjectId>) {
    let store = open(path);
    let mut reader = store.reader();
    let found = ids
        .filter(|id| matches!(reader.find(id), Ok(Some(_))))
        .count();
    assert!(found <= store.len());
}

fn checksum(bytes: &[u8]) -> (usize, u32) {
    (bytes.len(), crc32fast::hash(bytes))
}

/// The file of a loose object.
pub(crate) fn loose_path(fixture: &Fixture, id: &str) -> std::path::PathBuf {
    let (first, rest) = id.split_at(2);
    fixture.path().join(".git/objects").join(first).join(rest)
}

pub(crate) fn make_writable(path: &Path) {
    let bytes = std::fs::read(path).expect("readable");
    std::fs::remove_file(path).expect("removable");
    let mut file = std::fs::File::create(path).expect("writable");
    file.write_all(&bytes).expect("writable");
}

/// A small generator with a fixed seed (xorshift).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// `sound` cut short, or with one to three bytes changed.
    pub(crate) fn damage(&mut self, sound: &[u8]) -> Vec<u8> {
        if self.below(5) == 0 {
            return sound[..self.below(sound.len())].to_vec();
        }
        let mut damaged = sound.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(damaged.len());
            damaged[at] ^= 1 << self.below(8);
        }
        damaged
    }
}
