//! The model: what each feature adds to the odds that an assignment holds a secret.
//!
//! Linear over named facts, so that its answer can be explained. The weights are data
//! (`weights.tsv`), made by `corpus/train/train.py`; `build.rs` sorts them into a table.

use crate::model::Confidence;

use super::feature;

/// By hash of group and value, in thousandths of a unit of log-odds.
static WEIGHTS: &[(u64, i16)] = include!(concat!(env!("OUT_DIR"), "/weights.rs"));

/// Bits of a hash that [`STARTS`] goes by.
const BITS: u32 = 11;

/// For each value of the first bits of a hash the number of [`WEIGHTS`] with a smaller one.
static STARTS: [u16; (1 << BITS) + 1] = {
    let mut starts = [0; (1 << BITS) + 1];
    let (mut bucket, mut at) = (0, 0);
    while bucket < starts.len() {
        while at < WEIGHTS.len() && ((WEIGHTS[at].0 >> (64 - BITS)) as usize) < bucket {
            at += 1;
        }
        starts[bucket] = at as u16;
        bucket += 1;
    }
    assert!(WEIGHTS.len() <= u16::MAX as usize);
    starts
};

/// What every assignment begins with.
pub const BIAS: (&str, &str) = ("bias", "");

/// Assignments under this are not kept until their path is known: hardly a path adds so much.
pub const LEAST: i32 = -900;

/// Assignments that key, syntax and shape speak so much against are not looked at further.
pub const HOPELESS: i32 = -2000;

/// What a feature adds.
pub fn weight(group: &str, value: &[u8]) -> i32 {
    let hash = feature::hash(group, value);
    let bucket = (hash >> (64 - BITS)) as usize;
    let range = usize::from(STARTS[bucket])..usize::from(STARTS[bucket + 1]);
    let found = WEIGHTS[range].iter().find(|entry| entry.0 == hash);
    found.map_or(0, |entry| i32::from(entry.1))
}

/// How sure `points`, with those of the path, are; `None` when they are too few to report.
pub fn confidence(points: i32) -> Option<Confidence> {
    match points {
        ..0 => None,
        0..1400 => Some(Confidence::Low),
        1400..3000 => Some(Confidence::Medium),
        3000.. => Some(Confidence::High),
    }
}
