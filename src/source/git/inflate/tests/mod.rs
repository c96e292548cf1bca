//! Tests of the decoder: against its own contract, and against another decoder.

mod blocks;
mod streams;
mod writer;

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::*;

/// A zlib stream of `bytes`.
fn deflate(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).expect("a Vec takes all");
    encoder.finish().expect("a Vec takes all")
}

/// What another decoder makes of a stream, if it is sound and no longer than `limit`.
fn reference(stream: &[u8], limit: u64) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let read = ZlibDecoder::new(stream)
        .take(limit + 1)
        .read_to_end(&mut out);
    read.ok().filter(|&read| read as u64 <= limit).map(|_| out)
}

/// Inflates `stream`, and the other decoder must agree on the result or refuse it too.
#[track_caller]
fn inflate(inflater: &mut Inflater, stream: &[u8], size: u64) -> Result<Vec<u8>, ObjectError> {
    let mut out = Vec::new();
    let outcome = inflater.inflate(stream, size, &mut out).map(|()| out);
    let expected = reference(stream, size).filter(|bytes| bytes.len() as u64 == size);
    assert!(outcome.clone().ok() == expected, "{outcome:?}");
    outcome
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end
    }
}

/// Data of many kinds, `size` bytes of each.
fn samples(size: usize) -> Vec<Vec<u8>> {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let words = [
        "fn ", "let mut ", "return", " = ", ";\n", "    ", "value", "0x", "e", "ing ",
    ];
    let text = |numbers: &mut Numbers| -> Vec<u8> {
        let words = std::iter::repeat_with(|| words[numbers.below(words.len())]);
        words.flat_map(str::bytes).take(size).collect()
    };
    vec![
        vec![0; size],
        (0..size).map(|at| at as u8).collect(),
        (0..size).map(|at| (at * at / 7) as u8).collect(),
        (0..size).map(|_| numbers.next() as u8).collect(),
        (0..size).map(|_| numbers.next() as u8 & 3).collect(),
        // Bytes of very different frequency, for long codes.
        (0..size)
            .map(|_| numbers.next().trailing_zeros() as u8 * 5)
            .collect(),
        (0..size).map(|at| b"abcdefghijklmnopq"[at % 17]).collect(),
        text(&mut numbers),
    ]
}
