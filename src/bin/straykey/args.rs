//! Arguments.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Finds the keys that strayed from the vault: long-lived secrets in work trees, git history and
/// CI definitions.
#[derive(Parser, Debug)]
#[command(name = "straykey", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List, show or test detectors.
    #[command(subcommand)]
    Detectors(Detectors),
}

#[derive(Subcommand, Debug)]
pub(crate) enum Detectors {
    /// List all detectors, one a line: id, severity, lifetime, name.
    List,
    /// Show everything about one detector.
    Show {
        /// Its id, or another scanner's id for the same thing.
        id: String,
    },
    /// Check detector files and run their examples.
    Test {
        /// A detector file, or a folder of them.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}
