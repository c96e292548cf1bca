//! The hash by which features are looked up; `build.rs` includes this file.

/// Of the group and value of a feature (FNV-1a with a final mix, so that neighbours differ in all bits).
pub(crate) fn hash(group: &str, value: &[u8]) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let group = group.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    let hash = value.iter().copied().fold(step(group, 0), step);
    (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
