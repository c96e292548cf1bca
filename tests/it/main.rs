//! Integration tests, one binary.

mod prefilter;
