//! Integration tests, one binary.

mod git_fixture;
mod git_history;
mod git_pack;
mod git_reader;
mod prefilter;
mod report;
