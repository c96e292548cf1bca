//! Packs of arbitrary entries, with a right index.
#![no_main]

#[path = "../../it/bodies/bytes.rs"]
mod bytes;
#[path = "../../it/git_pack.rs"]
#[allow(dead_code, reason = "shared with tests that need more of it")]
mod git_pack;
#[path = "../../it/bodies/pack.rs"]
mod pack;

use std::sync::LazyLock;

static REPOSITORY: LazyLock<tempfile::TempDir> = LazyLock::new(pack::skeleton);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let packs = REPOSITORY.path().join(".git/objects/pack");
    std::fs::remove_dir_all(&packs).expect("writable");
    std::fs::create_dir(&packs).expect("writable");
    for (number, pack) in pack::draw(bytes).into_iter().enumerate() {
        pack.write(REPOSITORY.path(), &number.to_string());
    }
    pack::check(REPOSITORY.path());
});
