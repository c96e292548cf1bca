//! Secret seeds of Stellar (SEP-23): base32 of a version, 32 bytes, and their CRC-16.

use data_encoding::BASE32;

use super::{Candidate, Verdict};

/// `S…`: the version of an Ed25519 seed, 18 in its five upper bits.
const SEED: u8 = 18 << 3;

/// 56 characters with a right checksum.
pub(super) fn seed(candidate: Candidate<'_>) -> Verdict {
    let bytes = BASE32.decode(candidate.secret()).unwrap_or_default();
    let fits = bytes.split_last_chunk().is_some_and(|(body, sum)| {
        body.len() == 33 && body[0] == SEED && *sum == crc16(body).to_le_bytes()
    });
    match fits {
        true => Verdict::checksum("CRC-16, base32"),
        false => Verdict::Refuted,
    }
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, &byte| {
        (0..8).fold(sum ^ u16::from(byte) << 8, |sum, _| match sum & 0x8000 {
            0 => sum << 1,
            _ => sum << 1 ^ 0x1021,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{proves, says};
    use super::*;

    /// The check value of the catalogue of CRC algorithms.
    #[test]
    fn the_sum_is_that_of_xmodem() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    #[test]
    fn seeds_are_told_by_their_sum() {
        assert_eq!(proves("stellar-seed", "{{stellar}}").as_str(), "checksum");
        says("stellar-seed", "S{{base32:55}}", &Verdict::Refuted);
        says("stellar-seed", "S", &Verdict::Refuted);
    }
}
