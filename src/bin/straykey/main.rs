//! The command line of straykey: the only place with arguments, standard streams and exit codes.

mod args;
mod commands;
mod exit;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let outcome = match args::Args::try_parse() {
        Ok(args) => commands::run(args),
        Err(error) => return exit::usage(&error),
    };
    outcome.map_or_else(|error| exit::failed(&error), exit::Exit::code)
}
