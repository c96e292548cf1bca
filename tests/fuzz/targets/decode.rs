//! Base64 and UTF-16 of arbitrary text.
#![no_main]

#[path = "../../it/bodies/decode.rs"]
mod decode;

libfuzzer_sys::fuzz_target!(|text: &[u8]| decode::check(text));
