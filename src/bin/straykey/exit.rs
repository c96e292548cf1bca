//! Exit codes.

use std::io;
use std::process::ExitCode;

/// How a run ended; independent of the report's format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// Nothing found, everything scanned.
    Clean,
    /// Something found.
    Findings,
    /// A mistake in the request or the configuration.
    Usage,
    /// Something could not be scanned; outranks [`Exit::Findings`].
    Incomplete,
}

impl Exit {
    /// The process's exit code.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
        })
    }
}

/// Prints a clap error (or the help that was asked for) and gives its code.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe is all that can go wrong, and not worth a word.
    let _ = error.print();
    match error.use_stderr() {
        true => Exit::Usage.code(),
        false => Exit::Clean.code(),
    }
}

/// Prints why the request cannot be carried out. A closed pipe is not an error.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        kind == Some(io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return Exit::Clean.code();
    }
    anstream::eprintln!("straykey: {error:#}");
    Exit::Usage.code()
}
