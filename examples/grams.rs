//! Measures how common four neighbouring bytes are in ordinary code, for the prefilter's choice of
//! windows:
//!
//! ```sh
//! python3 benches/reference.py
//! find target/reference/text -type f | LC_ALL=C sort | tr '\n' '\0' | xargs -0 cat |
//!     cargo run --release --example grams > src/engine/prefilter/grams.txt
//! ```
//!
//! Each slot (`prefilter::gram_slot`) has one character: `0` for none, and one further in ASCII for
//! each half of the logarithm (base 2) of one more than its count in 2^24 bytes.

use std::io::{self, Read, Write};

use straykey::engine::prefilter::gram_slot;

fn main() -> io::Result<()> {
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text)?;
    let mut counts = vec![0u32; 1 << 16];
    for four in text.windows(4) {
        counts[gram_slot([four[0], four[1], four[2], four[3]])] += 1;
    }
    let scale = f64::from(1 << 24) / text.len().max(1) as f64;
    let level = |&count: &u32| b'0' + (2.0 * (1.0 + f64::from(count) * scale).log2()).round() as u8;
    let mut out = io::stdout().lock();
    for line in counts.chunks(128) {
        let line: Vec<u8> = line.iter().map(level).collect();
        out.write_all(&line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
