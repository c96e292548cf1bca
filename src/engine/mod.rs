//! Finds secrets in bytes. Does no IO, starts no thread, reads no clock.
//!
//! Three stages, each far cheaper than the next: [`prefilter`] finds anchors, `matcher` confirms
//! with a pattern in a bounded window, [`judge`] decides. `assignment` and `decode` are passes of
//! their own.

pub mod extent;
pub mod judge;
