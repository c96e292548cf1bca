//! Where reports go.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use straykey::report::{self, FORMATS, Format, RenderOptions, Report};

use crate::args::{Color, Scan};

/// Bytes of a report that are written at a time.
const BUFFER: usize = 64 << 10;

/// A report to write.
pub(crate) struct Output {
    pub(crate) format: &'static dyn Format,
    /// `None` is standard output.
    pub(crate) path: Option<PathBuf>,
}

/// What `--format` and `--output` ask for.
pub(crate) fn outputs(args: &Scan) -> Result<Vec<Output>> {
    let mut outputs = Vec::new();
    for wish in &args.format {
        let (name, path) = match wish.split_once('=') {
            Some((name, path)) => (name, Some(path)),
            None => (wish.as_str(), None),
        };
        let format = report::format(name).ok_or_else(|| {
            let names: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
            anyhow!("no format `{name}`; use one of {}", names.join(", "))
        })?;
        let path = match path {
            Some("-") => None,
            Some("") => bail!("--format {wish}: the path is missing"),
            Some(path) => Some(PathBuf::from(path)),
            None => args.output.clone(),
        };
        outputs.push(Output { format, path });
    }
    if outputs.is_empty() {
        let format = report::format("text").ok_or_else(|| anyhow!("no text format"))?;
        outputs.push(Output {
            format,
            path: args.output.clone(),
        });
    }
    let to_stdout = outputs
        .iter()
        .filter(|output| output.path.is_none())
        .count();
    if to_stdout > 1 {
        bail!("two reports cannot share standard output; give one a path: --format sarif=PATH");
    }
    Ok(outputs)
}

/// Writes all of `outputs`.
pub(crate) fn write(outputs: &[Output], report: &Report, args: &Scan) -> Result<()> {
    let options = RenderOptions {
        show_secrets: args.show_secrets,
        colour: false,
        sarif_history: args.sarif_history,
        sarif_suppressed: args.sarif_include_suppressed,
    };
    for output in outputs {
        match &output.path {
            Some(path) => {
                let file = File::create(path).with_context(|| path.display().to_string())?;
                let mut out = BufWriter::with_capacity(BUFFER, file);
                let written = output.format.write(report, &options, &mut out);
                let written = written.and_then(|()| out.flush());
                written.with_context(|| path.display().to_string())?;
            }
            None => {
                let options = RenderOptions {
                    colour: colour(args.color),
                    ..options
                };
                let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
                output.format.write(report, &options, &mut out)?;
                out.flush()?;
            }
        }
    }
    Ok(())
}

/// Whether standard output takes colours.
fn colour(wish: Color) -> bool {
    match wish {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let choice = anstream::AutoStream::choice(&io::stdout());
            !matches!(choice, anstream::ColorChoice::Never)
        }
    }
}

/// Whether somebody watches standard error.
pub(crate) fn watched() -> bool {
    io::stderr().is_terminal() && std::env::var_os("CI").is_none()
}
