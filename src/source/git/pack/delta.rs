//! Applies one delta: copies from a base, and new bytes.

use crate::model::Copied;
use crate::source::git::error::ObjectError;

/// Room allocated without proof.
const FIRST_STEP: usize = 64 << 10;

/// The sizes that `delta` states, of its base and of its result, and where its instructions
/// start.
pub(super) fn sizes(delta: &[u8]) -> Result<(u64, u64, usize), ObjectError> {
    let mut at = 0;
    let base = varint(delta, &mut at)?;
    let result = varint(delta, &mut at)?;
    Ok((base, result, at))
}

/// Rebuilds an object of at most `limit` bytes from `base` and `delta` into `out`, and tells
/// `copied` what it has of the base.
pub(in crate::source::git) fn apply(
    base: &[u8],
    delta: &[u8],
    limit: u64,
    out: &mut Vec<u8>,
    mut copied: impl FnMut(Copied),
) -> Result<(), ObjectError> {
    let (base_size, result_size, mut at) = sizes(delta)?;
    if base_size != base.len() as u64 {
        return Err(ObjectError::Delta);
    }
    if result_size > limit {
        return Err(ObjectError::TooLarge {
            size: result_size,
            limit,
        });
    }
    let size = usize::try_from(result_size).map_err(|_| ObjectError::Size)?;
    out.clear();
    out.reserve(size.min(base.len() + delta.len() + FIRST_STEP));
    while let Some(&instruction) = delta.get(at) {
        at += 1;
        let piece = if instruction & 0x80 != 0 {
            let (from, len) = copy(delta, instruction, &mut at)?;
            let to = out.len();
            copied(Copied { from, to, len });
            base.get(from..from.saturating_add(len))
        } else {
            let start = at;
            at += usize::from(instruction);
            match instruction {
                0 => None,
                _ => delta.get(start..at),
            }
        };
        let piece = piece.ok_or(ObjectError::Delta)?;
        if piece.len() > size - out.len() {
            return Err(ObjectError::Delta);
        }
        out.extend_from_slice(piece);
    }
    match out.len() == size {
        true => Ok(()),
        false => Err(ObjectError::Delta),
    }
}

/// Reads the operands of a copy instruction: start in the base and length.
fn copy(delta: &[u8], instruction: u8, at: &mut usize) -> Result<(usize, usize), ObjectError> {
    let mut operand = |bits: std::ops::Range<u8>| {
        let mut value = 0;
        for (shift, bit) in bits.enumerate() {
            if instruction & (1 << bit) != 0 {
                let byte = *delta.get(*at).ok_or(ObjectError::Delta)?;
                value |= usize::from(byte) << (8 * shift);
                *at += 1;
            }
        }
        Ok(value)
    };
    let start = operand(0..4)?;
    let len = match operand(4..7)? {
        0 => 0x10000,
        len => len,
    };
    Ok((start, len))
}

fn varint(delta: &[u8], at: &mut usize) -> Result<u64, ObjectError> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let byte = *delta.get(*at).ok_or(ObjectError::Delta)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(ObjectError::Delta)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(base: &[u8], delta: &[u8]) -> Result<Vec<u8>, ObjectError> {
        let mut out = Vec::new();
        apply(base, delta, 1 << 20, &mut out, |_| {}).map(|()| out)
    }

    #[test]
    fn copies_and_new_bytes_are_joined() {
        let delta = [6, 7, 0x91, 2, 3, 2, b'-', b'-', 0x90, 2];
        assert_eq!(run(b"abcdef", &delta).as_deref(), Ok(&b"cde--ab"[..]));
    }

    #[test]
    fn a_copy_length_of_zero_means_65536() {
        let base = vec![5; 0x10000];
        let delta = [0x80, 0x80, 4, 0x80, 0x80, 4, 0x80];
        assert_eq!(run(&base, &delta).as_deref(), Ok(&base[..]));
    }

    #[test]
    fn lies_are_refused() {
        let lies: [(&str, &[u8]); 8] = [
            ("another base size", &[5, 1, 1, b'x']),
            ("result too short", &[6, 9, 1, b'x']),
            ("result too long", &[6, 1, 2, b'x', b'y']),
            ("copy past the base", &[6, 6, 0x91, 4, 6]),
            ("operands cut off", &[6, 6, 0x91, 4]),
            ("new bytes cut off", &[6, 6, 6, b'x']),
            ("reserved instruction", &[6, 6, 0]),
            ("sizes cut off", &[0x86]),
        ];
        for (what, delta) in lies {
            assert_eq!(run(b"abcdef", delta), Err(ObjectError::Delta), "{what}");
        }
    }

    #[test]
    fn a_stated_size_alone_allocates_little() {
        let delta = [1, 0xff, 0xff, 0xff, 0x7f];
        let mut out = Vec::new();
        let outcome = apply(b"a", &delta, 1 << 40, &mut out, |_| {});
        assert_eq!(outcome, Err(ObjectError::Delta));
        assert!(out.capacity() <= 2 * FIRST_STEP);
        let outcome = apply(b"a", &delta, 1 << 20, &mut out, |_| {});
        assert!(matches!(outcome, Err(ObjectError::TooLarge { .. })));
    }
}
