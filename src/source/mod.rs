//! x
pub mod git;
pub mod mmap;
