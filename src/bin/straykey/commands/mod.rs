//! One file for each command.

mod baseline;
mod coverage;
mod detectors;
mod hook;
mod lint;
mod output;
mod progress;
mod request;
mod scan;

use anyhow::Result;

use crate::args::{Args, Command};
use crate::exit::Exit;

pub(crate) fn run(args: Args) -> Result<Exit> {
    match args.command {
        Command::Scan(args) => scan::run(&args),
        Command::Baseline(command) => baseline::run(*command),
        Command::Hook(command) => hook::run(&command),
        Command::Detectors(command) => detectors::run(command),
    }
}
