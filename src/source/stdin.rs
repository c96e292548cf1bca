//! Standard input, or any other stream.

use std::io::Read;
use std::sync::Mutex;

use super::files::{Chunks, Stop};
use super::{Place, Source, SourceError, Visit};
use crate::model::Diagnostics;

/// A stream that is read once.
pub struct Stream<R>(Mutex<R>);

impl<R: Read + Send> Stream<R> {
    /// Of `reader`.
    pub fn new(reader: R) -> Self {
        Self(Mutex::new(reader))
    }
}

impl<R: Read + Send> Source for Stream<R> {
    fn visit(&self, visit: &Visit<'_>, diagnostics: &Diagnostics) -> Result<(), SourceError> {
        let mut reader = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let read = Chunks::default().read(&mut *reader, Place::Stdin, visit);
        if let Err(Stop::Failed(error)) = read {
            diagnostics.incomplete("standard input", format_args!("cannot be read: {error}"));
        }
        Ok(())
    }
}
