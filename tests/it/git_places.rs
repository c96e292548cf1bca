//! Objects that several packs and directories hold: each is shown once, from a sound copy.

use proptest::prelude::*;
use straykey::model::ObjectId;
use straykey::source::git::{Kind, StoreOptions};

use crate::bodies::pack;
use crate::git_fixture::Fixture;
use crate::git_pack::{PackFile, blob_entry, deflate, delta_entry, entry, object_id};
use crate::git_reader::{
    Random, assert_equal, deep, expected, loose_path, make_writable, sweep, without_trees,
};

/// A delta of `base` whose result is one byte longer.
fn longer(base: &[u8], id: ObjectId, last: u8) -> (Vec<u8>, Vec<u8>) {
    let size = base.len() as u8;
    let delta = [size, size + 1, 0x90, size, 1, last];
    (
        [base, &[last]].concat(),
        delta_entry(id, delta.len() as u64, &delta),
    )
}

/// Nine packs of which each holds what is new and some of what the others hold, and loose objects.
fn many_packs() -> Fixture {
    let fixture = deep();
    fixture.git(&["repack", "-adfq", "--depth=30", "--window=20"]);
    for back in (0..400).step_by(50) {
        let revs = format!("HEAD~{back}\n^HEAD~{}\n", (back + 70).min(399));
        let args = ["pack-objects", "--revs", "-q", ".git/objects/pack/pack"];
        fixture.git_input(&args, revs.as_bytes());
    }
    fixture.commit_file("loose.txt", "loose\n");
    fixture
}

#[test]
fn many_packs_that_overlap_equal_cat_file() {
    let fixture = many_packs();
    assert!(assert_equal(&fixture) > 1000);
    fixture.git(&["multi-pack-index", "write"]);
    assert_equal(&fixture);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(7).build();
    pool.expect("threads").install(|| assert_equal(&fixture));
}

#[test]
fn damage_among_many_packs_is_told_whenever_an_object_is_lost() {
    let fixture = many_packs();
    let all = without_trees(expected(&fixture));
    let packs = std::fs::read_dir(fixture.path().join(".git/objects/pack")).expect("listable");
    let mut paths: Vec<_> = packs.map(|entry| entry.expect("readable").path()).collect();
    paths.retain(|path| path.extension() != Some("rev".as_ref()));
    paths.sort();
    let mut random = Random(0xface);
    let mut harmless = 0;
    for path in &paths {
        let sound = std::fs::read(path).expect("readable");
        make_writable(path);
        for round in 0..12 {
            std::fs::write(path, random.damage(&sound)).expect("writable");
            let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
            let same = swept == all;
            assert!(same || !diagnostics.is_empty(), "{path:?} {round}");
            harmless += usize::from(same);
        }
        std::fs::write(path, &sound).expect("writable");
    }
    assert!(harmless > 12, "{harmless}");
}

#[test]
fn an_object_that_does_not_match_its_checksum_is_shown_by_another_pack() {
    let fixture = Fixture::new();
    let id = object_id("blob", b"sound");
    let mut large = PackFile::default();
    large.add(id, blob_entry(b"faulty", 6));
    for n in 0..9 {
        let text = [b'a' + n];
        large.add(object_id("blob", &text), blob_entry(&text, 1));
    }
    large.write_with(fixture.path(), "large", |one, crc| {
        crc ^ u32::from(one == id)
    });
    let mut small = PackFile::default();
    small.add(id, blob_entry(b"sound", 5));
    small.write(fixture.path(), "small");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!(swept.len(), 10);
    assert_eq!(swept[&id], (Kind::Blob, b"sound".to_vec()));
    assert_eq!(diagnostics, []);
}

#[test]
fn what_is_made_from_damaged_bytes_is_told() {
    let fixture = Fixture::new();
    // Before the pack: git writes nothing that is there.
    fixture.git_input(&["hash-object", "-w", "--stdin"], b"sound");
    let id = object_id("blob", b"sound");
    let (made, entry) = longer(b"round", id, b'!');
    let mut pack = PackFile::default();
    pack.add(id, blob_entry(b"round", 5));
    pack.add(object_id("blob", &made), entry);
    pack.write_with(fixture.path(), "delta", |one, crc| {
        crc ^ u32::from(one == id)
    });
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!(swept[&id], (Kind::Blob, b"sound".to_vec()));
    assert_eq!(diagnostics.len(), 1);
    assert!(diagnostics[0].message.contains("checksum"));
}

#[test]
fn a_copy_that_turns_out_broken_is_replaced_by_a_sound_one() {
    let fixture = Fixture::new();
    fixture.git_input(&["hash-object", "-w", "--stdin"], b"sound");
    let id = object_id("blob", b"sound");
    let (made, entry) = longer(b"sound", id, b'!');
    let child = object_id("blob", &made);
    let mut broken = PackFile::default();
    broken.add(id, blob_entry(b"sou", 5));
    broken.add(child, entry);
    broken.write(fixture.path(), "broken");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    // The delta is one of the broken copy in its pack.
    assert_eq!(swept.into_keys().collect::<Vec<_>>(), [id]);
    assert_eq!(diagnostics.len(), 1);
    assert!(diagnostics[0].message.contains(&child.to_string()));

    let mut sound = PackFile::default();
    sound.add(child, blob_entry(&made, made.len() as u64));
    sound.write(fixture.path(), "sound");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!((swept.len(), diagnostics), (2, vec![]));
}

#[test]
fn deltas_across_packs_are_followed_to_and_fro() {
    let fixture = Fixture::new();
    let mut text = b"start".to_vec();
    let mut id = object_id("blob", &text);
    let mut packs = [PackFile::default(), PackFile::default()];
    packs[0].add(id, blob_entry(&text, 5));
    for n in 0..20 {
        let (next, entry) = longer(&text, id, b'a' + n);
        text = next;
        id = object_id("blob", &text);
        packs[usize::from(n + 1) % 2].add(id, entry);
    }
    let [even, odd] = packs;
    even.write(fixture.path(), "even");
    odd.write(fixture.path(), "odd");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!((swept.len(), diagnostics), (21, vec![]));
    assert_eq!(swept[&id], (Kind::Blob, text));
}

#[test]
fn a_made_up_tree_hides_no_blob_of_its_id() {
    let fixture = Fixture::new();
    fixture.git_input(&["hash-object", "-w", "--stdin"], b"loose");
    let [packed, loose] = [&b"packed"[..], b"loose"].map(|text| object_id("blob", text));
    let mut trees = PackFile::default();
    for id in [packed, loose, object_id("blob", b"third")] {
        trees.add(id, entry(2, 0, &[], &deflate(b"")));
    }
    trees.write(fixture.path(), "trees");
    let mut blobs = PackFile::default();
    blobs.add(packed, blob_entry(b"packed", 6));
    blobs.write(fixture.path(), "blobs");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!((swept.len(), diagnostics), (2, vec![]));
    assert_eq!(swept[&packed].1, b"packed");
    assert_eq!(swept[&loose].1, b"loose");
}

/// What it is stands in another pack only, so it is not known before that is read.
#[test]
fn a_delta_of_a_tree_elsewhere_hides_no_blob_of_its_id() {
    let fixture = Fixture::new();
    let [tree, id] = [1, 2].map(|n| ObjectId::new([n; 20]));
    let mut large = PackFile::default();
    large.add(id, longer(b"", tree, b'x').1);
    for n in 3..6 {
        large.add(ObjectId::new([n; 20]), blob_entry(b"", 0));
    }
    large.write(fixture.path(), "large");
    let mut trees = PackFile::default();
    trees.add(tree, entry(2, 0, &[], &deflate(b"")));
    trees.write(fixture.path(), "trees");
    let mut small = PackFile::default();
    small.add(id, blob_entry(b"blob", 4));
    small.write(fixture.path(), "small");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!((swept.len(), diagnostics), (4, vec![]));
    assert_eq!(swept[&id].1, b"blob");
}

#[test]
fn an_id_that_an_index_lists_twice_is_shown_once() {
    let fixture = Fixture::new();
    let id = object_id("blob", b"sound");
    let mut pack = PackFile::default();
    pack.add(id, blob_entry(b"sound", 5));
    pack.add(id, blob_entry(b"sound", 5));
    pack.write(fixture.path(), "twice");
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!((swept.len(), diagnostics), (1, vec![]));
}

#[test]
fn a_damaged_object_is_told_once() {
    let fixture = Fixture::new();
    let (lost, doubtful) = (object_id("blob", b"lost"), object_id("blob", b"sound"));
    let mut pack = PackFile::default();
    pack.add(lost, entry(3, 4, &[], b"no zlib stream"));
    pack.add(doubtful, blob_entry(b"sound", 5));
    pack.write_with(fixture.path(), "damaged", |_, crc| crc ^ 1);
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!(swept.keys().collect::<Vec<_>>(), [&doubtful]);
    let told: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
    let of = |id: ObjectId| -> Vec<&String> {
        let about = told.iter().filter(|one| one.contains(&id.to_string()));
        about.collect()
    };
    assert!(
        matches!(of(lost)[..], [one] if one.ends_with("data; it is not scanned")),
        "{told:?}"
    );
    let scanned = "checksum; what can be read of it is scanned";
    assert!(
        matches!(of(doubtful)[..], [one] if one.ends_with(scanned)),
        "{told:?}"
    );
}

#[test]
fn an_index_with_a_wrong_checksum_is_told_once_and_its_objects_are_shown() {
    let fixture = Fixture::new();
    let id = object_id("blob", b"sound");
    let mut pack = PackFile::default();
    pack.add(id, blob_entry(b"sound", 5));
    pack.write(fixture.path(), "sound");
    let packs = fixture.path().join(".git/objects/pack");
    let index = packs.join("pack-sound.idx");
    let mut bytes = std::fs::read(&index).expect("it was written");
    *bytes.last_mut().expect("a checksum") ^= 1;
    std::fs::write(&index, bytes).expect("writable");

    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!(swept[&id].1, b"sound");
    let [told] = diagnostics.as_slice() else {
        panic!("{diagnostics:?}");
    };
    let told = told.to_string();
    assert!(told.contains("pack-sound.idx"), "{told}");
    assert!(told.contains("does not match its own checksum"), "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_packs_hold_a_sweep_ends(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let repository = pack::skeleton();
        for (number, pack) in pack::draw(&bytes).into_iter().enumerate() {
            pack.write(repository.path(), &number.to_string());
        }
        pack::check(repository.path());
    }
}

#[test]
fn large_objects_come_whole_and_the_limit_is_told() {
    let fixture = Fixture::new();
    let large = "a line of a large file\n".repeat((80 << 20) / 23);
    let write = |threshold: &str, content: &[u8]| {
        fixture.write("large.txt", content);
        let id = fixture.git(&["-c", threshold, "hash-object", "-w", "large.txt"]);
        ObjectId::from_hex(id.as_bytes()).expect("an id")
    };
    let loose = write("core.bigFileThreshold=1g", large.as_bytes());
    let packed = write("core.bigFileThreshold=1m", &large.as_bytes()[1..]);
    assert!(loose_path(&fixture, &loose.to_string()).is_file());
    assert!(!loose_path(&fixture, &packed.to_string()).exists());
    let (swept, diagnostics) = sweep(fixture.path(), &StoreOptions::default());
    assert_eq!((swept.len(), diagnostics), (2, vec![]));
    assert!(swept[&loose].1 == large.as_bytes());
    assert!(swept[&packed].1 == large.as_bytes()[1..]);
    let options = StoreOptions {
        max_object_bytes: 70 << 20,
        ..StoreOptions::default()
    };
    let (swept, diagnostics) = sweep(fixture.path(), &options);
    assert_eq!((swept.len(), diagnostics.len()), (0, 2));
    assert!(
        diagnostics
            .iter()
            .all(|one| one.message.contains("more than the limit"))
    );
}

#[test]
fn a_damaged_head_is_said() {
    let fixture = Fixture::new();
    fixture.commit_file("a.txt", "nothing\n");
    let scan = |args: &[&str]| {
        let ran = crate::cli::straykey(fixture.path(), &[&["scan"], args].concat(), b"");
        (
            ran.code,
            ran.err.contains("HEAD is damaged") || ran.out.contains("HEAD is damaged"),
        )
    };
    assert_eq!(scan(&[]), (0, false));
    fixture.write(".git/HEAD", "nonsense\n");
    for args in [
        &[][..],
        &["--no-history"],
        &["--history-only"],
        &["--staged"],
    ] {
        assert_eq!(scan(args), (3, true), "{args:?}");
    }
}
