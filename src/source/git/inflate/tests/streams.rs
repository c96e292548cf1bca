//! Whole streams: their sizes, ends, damages and the memory they take.

use super::super::output::{FIRST_STEP, SLACK};
use super::*;

#[test]
fn every_kind_of_data_round_trips_at_every_level() {
    let mut inflater = Inflater::new();
    for size in [0, 1, 2, 40, 300, 5000, 70_000] {
        for bytes in samples(size) {
            let levels = match size {
                70_000 => vec![1, 6, 9],
                _ => (0..=9).collect(),
            };
            for level in levels {
                let mut stream = deflate(&bytes, level);
                stream.extend_from_slice(b"the next entry");
                let out = inflate(&mut inflater, &stream, size as u64);
                assert!(out == Ok(bytes.clone()), "{size} {level}");
            }
        }
    }
}

#[test]
fn every_size_round_trips_and_the_decoder_is_reusable() {
    let mut inflater = Inflater::new();
    let mut out = Vec::new();
    for size in [0u32, 1, 511, 512, 513, 65_535, 65_536, 65_537, 1 << 20] {
        let bytes: Vec<u8> = (0..size)
            .map(|at| (at.wrapping_mul(at) / 7) as u8)
            .collect();
        let mut stream = deflate(&bytes, 9);
        stream.extend_from_slice(b"the next entry");
        let outcome = inflater.inflate(&stream, bytes.len() as u64, &mut out);
        assert_eq!(outcome, Ok(()));
        assert!(out == bytes);
    }
}

#[test]
fn a_stream_of_another_size_than_stated_is_refused() {
    let mut out = Vec::new();
    for level in [0, 1, 9] {
        let stream = deflate(&[7; 100_000], level);
        for stated in [0, 1, 99_999, 100_001, u64::MAX >> 8] {
            let outcome = Inflater::new().inflate(&stream, stated, &mut out);
            assert_eq!(outcome, Err(ObjectError::Size), "{stated}");
        }
    }
}

#[test]
fn memory_follows_the_stream_and_not_the_claim() {
    let mut out = Vec::new();
    for level in [0, 9] {
        let stream = deflate(b"short", level);
        let outcome = Inflater::new().inflate(&stream, 1 << 40, &mut out);
        assert_eq!(outcome, Err(ObjectError::Size));
        assert!(out.capacity() <= FIRST_STEP + 2 * SLACK);
        let bomb = deflate(&vec![0; 64 << 20], level);
        let outcome = Inflater::new().inflate(&bomb, 10, &mut out);
        assert_eq!(outcome, Err(ObjectError::Size));
        assert!(out.capacity() <= FIRST_STEP + 2 * SLACK);
    }
    let stream = deflate(&[0; 300_000], 9);
    let outcome = Inflater::new().inflate(&stream, 1 << 40, &mut out);
    assert_eq!(outcome, Err(ObjectError::Size));
    assert!(out.capacity() <= 600_000 + SLACK);
}

#[test]
fn truncated_streams_end() {
    let mut inflater = Inflater::new();
    for bytes in samples(700) {
        for level in [0, 1, 9] {
            let stream = deflate(&bytes, level);
            for end in 0..stream.len() {
                let outcome = inflate(&mut inflater, &stream[..end], 700);
                assert_eq!(outcome, Err(ObjectError::Truncated), "{level} {end}");
            }
        }
    }
}

#[test]
fn damaged_streams_are_refused_or_read_as_another_decoder_reads_them() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let mut inflater = Inflater::new();
    for size in [30, 400, 3000] {
        for bytes in samples(size) {
            for level in [0, 1, 6] {
                let stream = deflate(&bytes, level);
                for _ in 0..60 {
                    let mut damaged = stream.clone();
                    for _ in 0..=numbers.below(3) {
                        let at = numbers.below(damaged.len());
                        damaged[at] ^= 1 << numbers.below(8);
                    }
                    let _ = inflate(&mut inflater, &damaged, size as u64);
                }
            }
        }
    }
}

#[test]
fn bytes_at_random_are_no_stream() {
    let mut numbers = Numbers(0x1234_5678_9abc_def1);
    let mut inflater = Inflater::new();
    for _ in 0..10_000 {
        let mut stream = vec![0x78, 0x9c];
        let first = [1, 3, 5, 4][numbers.below(4)] | (numbers.next() as u8) << 3;
        stream.push(first);
        let more = numbers.below(100);
        stream.extend(std::iter::repeat_with(|| numbers.next() as u8).take(more));
        let _ = inflate(&mut inflater, &stream, numbers.below(300) as u64);
    }
}

#[test]
fn a_header_of_another_format_is_refused() {
    let stream = deflate(b"content", 6);
    let with_header = |method: u8, flags: u8| {
        let mut stream = stream.clone();
        let check = 31 - (u16::from(method) << 8 | u16::from(flags & 0xe0)) % 31;
        (stream[0], stream[1]) = (method, flags & 0xe0 | (check % 31) as u8);
        inflate(&mut Inflater::new(), &stream, 7)
    };
    assert_eq!(with_header(0x78, 0x80), Ok(b"content".to_vec()));
    assert_eq!(with_header(0x08, 0x00), Ok(b"content".to_vec()));
    let refused = Err(ObjectError::Inflate);
    assert_eq!(with_header(0x79, 0x80), refused, "method");
    assert_eq!(with_header(0x88, 0x80), refused, "window");
    assert_eq!(with_header(0x78, 0xa0), refused, "dictionary");
    let mut stream = stream.clone();
    stream[1] ^= 1;
    assert_eq!(inflate(&mut Inflater::new(), &stream, 7), refused, "check");
}

#[test]
fn a_wrong_checksum_is_refused() {
    for level in [0, 1, 9] {
        let stream = deflate(b"content content content", level);
        for at in 1..=4 {
            let mut damaged = stream.clone();
            let at = damaged.len() - at;
            damaged[at] ^= 0x10;
            let outcome = inflate(&mut Inflater::new(), &damaged, 23);
            assert_eq!(outcome, Err(ObjectError::Inflate));
        }
    }
}

#[test]
fn a_stream_goes_on_after_its_head() {
    let mut inflater = Inflater::new();
    for size in [10, 31, 32, 33, 5000, 200_000] {
        for bytes in samples(size) {
            for level in [0, 9] {
                let stream = deflate(&bytes, level);
                let mut head = [0; 32];
                let known = inflater.start(&stream, &mut head).expect("a sound stream");
                assert_eq!(head[..known], bytes[..size.min(32)]);
                let mut out = head[8..known].to_vec();
                let outcome = inflater.resume(&stream, size as u64 - 8, &mut out);
                assert_eq!(outcome, Ok(()));
                assert!(out == bytes[8..]);
                for wrong in [size as u64 - 9, size as u64 - 7, u64::MAX] {
                    inflater.start(&stream, &mut head).expect("a sound stream");
                    let mut out = head[8..known].to_vec();
                    let outcome = inflater.resume(&stream, wrong, &mut out);
                    assert_eq!(outcome, Err(ObjectError::Size));
                }
            }
        }
    }
}

#[test]
fn the_head_of_a_stream_is_all_there_is_of_it() {
    let mut inflater = Inflater::new();
    let mut head = [0; 32];
    let stream = deflate(&samples(5000)[7], 9);
    assert_eq!(
        inflater.start(&stream[..stream.len() / 2], &mut head),
        Ok(32)
    );
    assert!(
        inflater
            .start(&stream[..6], &mut head)
            .is_ok_and(|known| known < 32)
    );
    assert_eq!(
        inflater.start(&deflate(b"short", 0)[..10], &mut head),
        Ok(3)
    );
    let outcome = inflater.start(b"no stream", &mut head);
    assert_eq!(outcome, Err(ObjectError::Inflate));
    // Nothing was learned of the stream before.
    let outcome = inflater.resume(&stream, 5000, &mut vec![0; 33]);
    assert_eq!(outcome, Err(ObjectError::Size));
}
