//! Integration tests, one binary.

mod architecture;
mod bodies;
mod cli;
mod corpus;
mod decode;
mod delta_scan;
mod detectors;
mod git_attribution;
mod git_fixture;
mod git_history;
mod git_pack;
mod git_places;
mod git_reader;
mod hooks;
mod oracle;
mod pairs;
mod parts;
mod prefilter;
mod reftable;
mod report;
mod state;
#[cfg(feature = "verify")]
mod verify;
