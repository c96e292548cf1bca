//! Integration tests, one binary.

mod architecture;
mod git_fixture;
mod git_pack;
mod git_reader;
mod hooks;
mod prefilter;
mod report;
