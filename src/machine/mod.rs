//! What depends on the machine below and is used everywhere: bytes, memory, threads and fast tables. Knows
//! nothing of secrets.

pub(crate) mod bytes;
pub(crate) mod hash;
pub(crate) mod heap;
mod prefetch;
pub(crate) mod threads;

pub(crate) use prefetch::prefetch;
