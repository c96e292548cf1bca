//! Single blocks whose codes are written by hand.

use super::writer::{Writer, codes, fixed};
use super::*;

/// The lengths of a code for `a`, the end of the block, and these lengths of matches.
fn literals(a: u8, end: u8, matches: &[u8]) -> Vec<u8> {
    let mut lengths = vec![0; 257 + matches.len()];
    lengths[usize::from(b'a')] = a;
    lengths[256] = end;
    lengths[257..].copy_from_slice(matches);
    lengths
}

/// What becomes of a block with these codes, in which `a` comes first and then the symbols given.
fn block(
    literals: &[u8],
    distances: &[u8],
    symbols: &[(u32, u32)],
    content: &[u8],
) -> Result<(), ObjectError> {
    let mut writer = Writer::new();
    writer.lengths(literals, distances);
    for &symbol in symbols {
        writer.code(symbol);
    }
    let stream = writer.finish(content);
    let mut inflater = Inflater::new();
    inflate(&mut inflater, &stream, content.len() as u64).map(|_| ())
}

#[test]
fn codes_that_are_too_many_or_too_few_are_refused() {
    let refused = Err(ObjectError::Inflate);
    let sound = literals(1, 1, &[]);
    let symbols = [(0, 1), (1, 1)];
    assert_eq!(block(&sound, &[0], &symbols, b"a"), Ok(()));
    assert_eq!(block(&sound, &[1, 1], &symbols, b"a"), Ok(()));
    assert_eq!(block(&sound, &[1], &symbols, b"a"), Ok(()), "one distance");
    assert_eq!(block(&sound, &[2], &symbols, b"a"), refused);
    assert_eq!(block(&sound, &[2, 1], &symbols, b"a"), refused);
    assert_eq!(block(&sound, &[1, 1, 1], &symbols, b"a"), refused);
    assert_eq!(block(&literals(1, 2, &[]), &[0], &symbols, b"a"), refused);
    assert_eq!(block(&literals(1, 1, &[1]), &[0], &symbols, b"a"), refused);
    assert_eq!(block(&literals(1, 1, &[15]), &[0], &symbols, b"a"), refused);
    assert_eq!(
        block(&literals(1, 0, &[1]), &[0], &symbols, b"a"),
        refused,
        "no end"
    );
    assert_eq!(block(&literals(0, 1, &[]), &[0], &[(0, 1)], b""), Ok(()));
    assert_eq!(block(&literals(0, 1, &[]), &[0], &[(1, 1)], b""), refused);
    assert_eq!(block(&literals(0, 2, &[]), &[0], &[(0, 2)], b""), refused);
}

#[test]
fn a_distance_without_a_code_is_refused() {
    let lengths = literals(2, 2, &[1]);
    let (a, end, three) = ((2, 2), (3, 2), (0, 1));
    let refused = Err(ObjectError::Inflate);
    let with = |distances: &[u8], distance| {
        block(&lengths, distances, &[a, three, distance, end], b"aaaa")
    };
    assert_eq!(with(&[1], (0, 1)), Ok(()));
    assert_eq!(with(&[1], (1, 1)), refused);
    assert_eq!(with(&[0], (0, 1)), refused);
    assert_eq!(with(&[1, 1], (0, 1)), Ok(()));
    assert_eq!(with(&[1, 1], (1, 1)), refused, "before the start");
}

#[test]
fn lengths_of_codes_that_do_not_add_up_are_refused() {
    let check = |literals, distances, runs: &[(u8, u32, u32)]| {
        let mut writer = Writer::new();
        let stream = writer
            .runs(literals, distances, runs)
            .bits(0, 64)
            .finish(b"");
        inflate(&mut Inflater::new(), &stream, 0).map(|_| ())
    };
    let zeros = |count: u32| (18, count - 11, 7);
    let refused = Err(ObjectError::Inflate);
    // Nothing but the end of the block, whose code is one bit.
    let sound = [zeros(138), zeros(118), (1, 0, 0), (0, 0, 0)];
    let mut writer = Writer::new();
    let stream = writer.runs(257, 1, &sound).bits(0, 1).finish(b"");
    assert_eq!(inflate(&mut Inflater::new(), &stream, 0), Ok(Vec::new()));
    assert_eq!(
        check(257, 1, &[(16, 0, 2), zeros(138), zeros(138)]),
        refused,
        "nothing to repeat"
    );
    assert_eq!(
        check(257, 1, &[zeros(138), zeros(138)]),
        refused,
        "too long"
    );
    assert_eq!(
        check(257, 1, &[zeros(138), zeros(118), (1, 0, 0), (16, 0, 2)]),
        refused
    );
    assert_eq!(check(287, 1, &sound), refused, "too many literals");
    assert_eq!(check(257, 31, &sound), refused, "too many distances");
    // A run that begins with the literals and ends with the distances.
    let across = [zeros(138), zeros(117), (1, 0, 0), (1, 0, 0), (17, 0, 3)];
    assert_eq!(check(257, 3, &across).map_err(|_| ()), Err(()));
    let across = [
        zeros(138),
        zeros(115),
        (2, 0, 0),
        (16, 2, 2),
        (2, 0, 0),
        (2, 0, 0),
    ];
    let mut writer = Writer::new();
    let stream = writer.runs(257, 4, &across).bits(3, 2).finish(b"");
    assert_eq!(inflate(&mut Inflater::new(), &stream, 0), Ok(Vec::new()));
}

#[test]
fn a_code_of_code_lengths_must_be_complete() {
    for (count, lengths) in [
        (4, [1, 1, 0]),
        (4, [1, 2, 0]),
        (4, [1, 1, 1]),
        (4, [0, 0, 0]),
        (4, [1, 0, 0]),
    ] {
        let mut writer = Writer::new();
        writer.block(2).bits(0, 10).bits(count - 4, 4);
        for length in lengths {
            writer.bits(length, 3);
        }
        let stream = writer.bits(0, 3).bits(0, 400).finish(b"");
        let outcome = inflate(&mut Inflater::new(), &stream, 0);
        assert_eq!(outcome, Err(ObjectError::Inflate));
    }
}

/// The symbol of a length from 3 to 258 and its extra bits (RFC 1951, section 3.2.5).
fn length_symbol(length: usize) -> (usize, u32, u32) {
    match length {
        258 => (285, 0, 0),
        _ => with_extra(length - 3, 8, 257, 4),
    }
}

/// The symbol of a distance and its extra bits.
fn distance_symbol(distance: usize) -> (usize, u32, u32) {
    with_extra(distance - 1, 4, 0, 2)
}

fn with_extra(value: usize, plain: usize, first: usize, group: usize) -> (usize, u32, u32) {
    if value < plain {
        return (first + value, 0, 0);
    }
    let extra = (value / group).ilog2();
    let symbol = first + group * extra as usize + (value >> extra);
    (symbol, (value & ((1 << extra) - 1)) as u32, extra)
}

#[test]
fn matches_of_every_length_and_distance_are_copied() {
    let (literal_lengths, distance_lengths) = fixed();
    let (literals, distances) = (codes(&literal_lengths), codes(&distance_lengths));
    let mut inflater = Inflater::new();
    let far = [100, 257, 1000, 1025, 8192, 20_000, 32_767, 32_768];
    for distance in (1..70).chain(far) {
        let mut content: Vec<u8> = (0..distance).map(|at| (at % 251) as u8).collect();
        let mut writer = Writer::new();
        writer.block(1);
        for &byte in &content {
            writer.code(literals[usize::from(byte)]);
        }
        for length in 3..=258 {
            let (symbol, extra, count) = length_symbol(length);
            writer.code(literals[symbol]).bits(extra, count);
            let (symbol, extra, count) = distance_symbol(distance);
            writer.code(distances[symbol]).bits(extra, count);
            for _ in 0..length {
                content.push(content[content.len() - distance]);
            }
        }
        let stream = writer.code(literals[256]).finish(&content);
        let out = inflate(&mut inflater, &stream, content.len() as u64);
        assert!(out == Ok(content), "{distance}");
    }
}

#[test]
fn matches_before_the_start_are_refused() {
    let (literal_lengths, distance_lengths) = fixed();
    let (literals, distances) = (codes(&literal_lengths), codes(&distance_lengths));
    for before in [0usize, 1, 5, 40, 300] {
        let mut writer = Writer::new();
        writer.block(1);
        for _ in 0..before {
            writer.code(literals[usize::from(b'a')]);
        }
        let (symbol, extra, count) = distance_symbol(before + 1);
        writer
            .code(literals[257])
            .code(distances[symbol])
            .bits(extra, count);
        let stream = writer.code(literals[256]).finish(&vec![b'a'; before + 3]);
        let outcome = inflate(&mut Inflater::new(), &stream, before as u64 + 3);
        assert_eq!(outcome, Err(ObjectError::Inflate));
    }
}

#[test]
fn symbols_that_only_the_fixed_codes_have_are_refused() {
    let refused = Err(ObjectError::Inflate);
    for symbol in [286, 287] {
        let literals = codes(&fixed().0);
        let mut writer = Writer::new();
        let stream = writer
            .block(1)
            .code(literals[symbol])
            .bits(0, 64)
            .finish(b"");
        assert_eq!(inflate(&mut Inflater::new(), &stream, 3), refused);
    }
    for distance in [30, 31] {
        let mut writer = Writer::new();
        writer.block(1).code(codes(&fixed().0)[97]).code((1, 7));
        let stream = writer.code((distance, 5)).bits(0, 64).finish(b"");
        assert_eq!(inflate(&mut Inflater::new(), &stream, 4), refused);
    }
    let stream = Writer::new().block(3).bits(0, 64).finish(b"");
    assert_eq!(
        inflate(&mut Inflater::new(), &stream, 0),
        refused,
        "no such block"
    );
}

/// Lengths of a complete code for these symbols, some of them as long as can be.
fn complete(numbers: &mut Numbers, symbols: usize, used: usize, first: usize) -> Vec<u8> {
    let mut leaves = vec![0u8];
    let deep = numbers.below(2) == 0;
    while leaves.len() < used {
        let at = match deep && numbers.below(3) > 0 {
            true => leaves.len() - 1,
            false => numbers.below(leaves.len()),
        };
        if leaves[at] < 15 {
            leaves[at] += 1;
            leaves.push(leaves[at]);
        }
    }
    let mut lengths = vec![0; symbols];
    let mut places: Vec<usize> = (0..symbols).filter(|&place| place != first).collect();
    for index in 0..places.len() {
        let other = numbers.below(places.len());
        places.swap(index, other);
    }
    places.insert(0, first);
    for (place, length) in places.into_iter().zip(leaves) {
        lengths[place] = length;
    }
    lengths
}

#[test]
fn codes_of_all_shapes_are_read() {
    let mut numbers = Numbers(0x0dd_ba11);
    let mut inflater = Inflater::new();
    for round in 0..400 {
        let used = 2 + numbers.below(280);
        let literal_lengths = complete(&mut numbers, 286, used, 256);
        let used = 2 + numbers.below(28);
        let distance_lengths = complete(&mut numbers, 30, used, 0);
        let (literals, distances) = (codes(&literal_lengths), codes(&distance_lengths));
        let mut writer = Writer::new();
        writer.lengths(&literal_lengths, &distance_lengths);
        let mut content = Vec::new();
        for _ in 0..600 {
            let symbol = numbers.below(256);
            if literals[symbol].1 > 0 {
                writer.code(literals[symbol]);
                content.push(symbol as u8);
            }
            let length = 3 + numbers.below(256);
            let distance = 1 + numbers.below(content.len().clamp(1, 32_768));
            let (symbol, extra, count) = length_symbol(length);
            let (back, back_extra, back_count) = distance_symbol(distance);
            if content.is_empty() || literals[symbol].1 == 0 || distances[back].1 == 0 {
                continue;
            }
            writer.code(literals[symbol]).bits(extra, count);
            writer.code(distances[back]).bits(back_extra, back_count);
            for _ in 0..length {
                content.push(content[content.len() - distance]);
            }
        }
        let stream = writer.code(literals[256]).finish(&content);
        let out = inflate(&mut inflater, &stream, content.len() as u64);
        assert!(out == Ok(content), "{round}");
    }
}
