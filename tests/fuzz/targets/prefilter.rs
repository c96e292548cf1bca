//! Arbitrary anchors in arbitrary text.
#![no_main]

#[path = "../../it/bodies/bytes.rs"]
mod bytes;
#[path = "../../it/bodies/prefilter.rs"]
mod prefilter;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (anchors, text) = prefilter::draw(bytes);
    prefilter::check(&anchors, &text);
});
