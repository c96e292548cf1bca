//! Integration tests, one binary.

mod architecture;
mod detectors;
mod git_fixture;
mod git_pack;
mod git_reader;
mod oracle;
mod prefilter;
mod report;
