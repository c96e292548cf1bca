//! What depends on the machine below and is used everywhere: memory and fast tables. Knows nothing
//! of secrets.

pub(crate) mod hash;
pub(crate) mod heap;
mod prefetch;

pub(crate) use prefetch::prefetch;
