//! One file for each command.

#[cfg(feature = "verify")]
mod asking;
mod baseline;
mod coverage;
mod detectors;
mod hook;
mod lint;
mod output;
mod progress;
mod request;
#[cfg(feature = "verify")]
mod revoke;
mod scan;
#[cfg(feature = "verify")]
mod verify;

use anyhow::Result;

use crate::args::{Args, Command};
use crate::exit::Exit;

pub(crate) fn run(args: Args) -> Result<Exit> {
    match args.command {
        Command::Scan(args) => scan::run(&args),
        Command::Baseline(command) => baseline::run(*command),
        Command::Hook(command) => hook::run(&command),
        #[cfg(feature = "verify")]
        Command::Revoke(args) => revoke::run(&args),
        #[cfg(feature = "verify")]
        Command::Verify(args) => verify::run(&args),
        Command::Detectors(command) => detectors::run(command),
    }
}
