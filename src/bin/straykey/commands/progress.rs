//! Progress on a terminal's standard error.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use straykey::scan::Progress;

/// A spinner with the phase and the bytes read so far.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        let style = ProgressStyle::with_template(
            "{spinner} {msg}: {binary_bytes} ({binary_bytes_per_sec})",
        );
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        Self(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// Shows `text` instead of a phase.
    #[cfg(feature = "verify")]
    pub(crate) fn says(&self, text: &str) {
        self.0.set_message(text.to_owned());
    }

    /// Takes the line away, so that the report has the screen.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn phase(&self, name: &str, _: Option<u64>) {
        self.0.set_message(name.to_owned());
    }

    fn scanned(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}
