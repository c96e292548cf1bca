//! The command line of straykey.
fn main() {}
