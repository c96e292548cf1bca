//! One file for each command.

mod detectors;

use anyhow::Result;

use crate::args::{Args, Command};
use crate::exit::Exit;

pub(crate) fn run(args: Args) -> Result<Exit> {
    match args.command {
        Command::Detectors(command) => detectors::run(command),
    }
}
