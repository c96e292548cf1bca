//! Arbitrary edits of texts that hold the examples of the built-in detectors.
#![no_main]

#[path = "../../it/bodies/bytes.rs"]
mod bytes;
#[path = "../../it/bodies/delta_scan.rs"]
mod delta_scan;

use std::path::Path;
use std::sync::LazyLock;

use straykey::detector::{self, template};

static PHRASES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../detectors");
    let files = detector::load(&folder).expect("the build has checked the same files");
    let detectors = files.iter().flat_map(|(file, _)| &file.detectors);
    let draw = |text: &String| template::expand(text, 7).expect("a checked template").text;
    let examples = detectors.flat_map(|detector| detector.examples.iter().map(draw));
    examples.map(String::into_bytes).collect()
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    delta_scan::check(&delta_scan::draw(bytes, &PHRASES));
});
