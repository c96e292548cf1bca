//! What belongs to a secret and makes it usable: the user of a password, the id of a key, a host.

use std::borrow::Cow;

use super::Secret;

/// A part of a credential besides its secret, as seen beside one occurrence of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// What it is, in a word that requests can name: `user`, `account_sid`.
    pub name: Cow<'static, str>,
    /// The text itself.
    pub value: Secret,
    /// Whether it is no secret itself and may be printed.
    pub shown: bool,
    /// Its line in the text as stored, from 1; inside an encoding that of the encoded run.
    pub line: u32,
    /// Lines between it and the secret.
    pub distance: u32,
}

impl Part {
    /// Most candidates of one name that an occurrence keeps.
    pub const MOST: usize = 8;

    /// A text that is safe to print: the value where it may be shown, otherwise what
    /// [`Secret::redacted`] leaves of it.
    pub fn safe(&self) -> String {
        match self.shown {
            true => super::printable_bytes(self.value.expose()),
            false => self.value.redacted(),
        }
    }
}
