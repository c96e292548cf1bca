//! Inflates zlib streams whose stated size may be a lie.
//!
//! Invariant: a buffer grows by what the stream has proved so far, never by what a header claims,
//! and no stream yields more than the stated size plus the slack.

use flate2::{Decompress, FlushDecompress, Status};

use super::error::ObjectError;

/// A zlib decoder whose state is reused from stream to stream.
pub(super) struct Inflater(Decompress);

/// Room allocated without proof.
const FIRST_STEP: usize = 64 << 10;

/// Room past the expected end: the decoder's fast loop needs some, and a stream that is too long
/// is noticed by writing into it.
const SLACK: usize = 512;

impl Inflater {
    pub(super) fn new() -> Self {
        Self(Decompress::new(true))
    }

    /// Inflates one stream at the start of `input` into `out`, which it must fill with exactly
    /// `size` bytes.
    pub(super) fn inflate(
        &mut self,
        input: &[u8],
        size: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), ObjectError> {
        out.clear();
        self.0.reset(true);
        self.run(input, size, out)
    }

    /// Inflates the first bytes of the stream in `input` into `head` and returns their number.
    /// [`Inflater::resume`] goes on from there.
    pub(super) fn start(&mut self, input: &[u8], head: &mut [u8]) -> Result<usize, ObjectError> {
        self.0.reset(true);
        self.0
            .decompress(input, head, FlushDecompress::None)
            .map_err(|_| ObjectError::Inflate)?;
        usize::try_from(self.0.total_out()).map_err(|_| ObjectError::Size)
    }

    /// Goes on after [`Inflater::start`] with the same `input`; `out` holds the bytes that are
    /// known already and must end with `size` of them.
    pub(super) fn resume(
        &mut self,
        input: &[u8],
        size: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), ObjectError> {
        self.run(input, size, out)
    }

    fn run(&mut self, input: &[u8], size: u64, out: &mut Vec<u8>) -> Result<(), ObjectError> {
        let size = usize::try_from(size).map_err(|_| ObjectError::Size)?;
        loop {
            let missing = size.checked_sub(out.len()).ok_or(ObjectError::Size)?;
            out.reserve_exact(missing.min(out.len().max(FIRST_STEP)) + SLACK);
            let consumed = usize::try_from(self.0.total_in()).unwrap_or(usize::MAX);
            let rest = input.get(consumed..).unwrap_or(&[]);
            let known = out.len();
            let status = self
                .0
                .decompress_vec(rest, out, FlushDecompress::Finish)
                .map_err(|_| ObjectError::Inflate)?;
            if status == Status::StreamEnd {
                return match out.len() == size {
                    true => Ok(()),
                    false => Err(ObjectError::Size),
                };
            }
            let stuck = out.len() == known && self.0.total_in() == consumed as u64;
            if stuck {
                return Err(ObjectError::Truncated);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("a Vec takes all");
        encoder.finish().expect("a Vec takes all")
    }

    #[test]
    fn every_size_round_trips_and_the_decoder_is_reusable() {
        let mut inflater = Inflater::new();
        let mut out = Vec::new();
        for size in [0u32, 1, 511, 512, 513, 65_536, 65_537, 1 << 20] {
            let bytes: Vec<u8> = (0..size)
                .map(|i: u32| (i.wrapping_mul(i) / 7) as u8)
                .collect();
            let mut stream = deflate(&bytes);
            stream.extend_from_slice(b"the next entry");
            inflater
                .inflate(&stream, bytes.len() as u64, &mut out)
                .expect("a sound stream");
            assert!(out == bytes);
        }
    }

    #[test]
    fn a_stream_of_another_size_than_stated_is_refused() {
        let stream = deflate(&[7; 100_000]);
        let mut out = Vec::new();
        for stated in [0, 99_999, 100_001, u64::MAX >> 8] {
            let outcome = Inflater::new().inflate(&stream, stated, &mut out);
            assert_eq!(outcome, Err(ObjectError::Size), "{stated}");
        }
    }

    #[test]
    fn memory_follows_the_stream_and_not_the_claim() {
        let mut out = Vec::new();
        let stream = deflate(b"short");
        let outcome = Inflater::new().inflate(&stream, 1 << 40, &mut out);
        assert_eq!(outcome, Err(ObjectError::Size));
        assert!(out.capacity() <= FIRST_STEP + 2 * SLACK);
        let bomb = deflate(&vec![0; 64 << 20]);
        let outcome = Inflater::new().inflate(&bomb, 10, &mut out);
        assert_eq!(outcome, Err(ObjectError::Size));
        assert!(out.capacity() <= FIRST_STEP + 2 * SLACK);
    }

    #[test]
    fn truncated_and_damaged_streams_end() {
        let bytes: Vec<u8> = (0..5000u32).flat_map(|i| (i * i).to_le_bytes()).collect();
        let stream = deflate(&bytes);
        let mut out = Vec::new();
        for end in 0..stream.len() {
            let cut = &stream[..end];
            let outcome = Inflater::new().inflate(cut, bytes.len() as u64, &mut out);
            assert!(outcome.is_err(), "{end}");
        }
        let mut damaged = stream.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0x40;
        let outcome = Inflater::new().inflate(&damaged, bytes.len() as u64, &mut out);
        assert!(outcome.is_err());
    }
}
