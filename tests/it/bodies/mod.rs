//! What must hold for every input. Called by the properties here, with inputs that are likely to
//! matter, and by `tests/fuzz/`, with whatever the fuzzer comes up with.

pub(crate) mod bytes;
pub(crate) mod cases;
pub(crate) mod decode;
pub(crate) mod delta_scan;
pub(crate) mod pack;
pub(crate) mod prefilter;
