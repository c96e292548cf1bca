//! The bytes that grant access, kept from leaking by their type.

use std::fmt;
use std::sync::Arc;

/// A secret value. It has no `Display`, its `Debug` is redacted, and [`Secret::expose`] is the
/// only way to its bytes: grep for that word in review.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// Values shorter than this show nothing of themselves when redacted.
    const SHOW_FROM: usize = 20;
    /// Characters of a longer value that are shown: enough for a vendor's prefix.
    const SHOWN: usize = 4;

    /// Takes a copy of `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The bytes. Whoever calls this answers for where they go.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no byte at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A text that is safe to print: the first four characters of a value of at least 20
    /// (where vendors put their prefix), otherwise nothing of it; never its exact length.
    pub fn redacted(&self) -> String {
        let shown = match self.0.get(..Self::SHOWN) {
            Some(head) if self.0.len() >= Self::SHOW_FROM && head.iter().all(is_plain) => head,
            _ => &[],
        };
        let mut text: String = shown.iter().copied().map(char::from).collect();
        text.push_str("****");
        text
    }
}

fn is_plain(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.redacted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_and_redaction_hide_short_values_whole() {
        let secret = Secret::new(b"hunter2");
        assert_eq!(secret.redacted(), "****");
        assert_eq!(format!("{secret:?}"), "Secret(****)");
    }

    #[test]
    fn long_values_show_the_vendor_prefix_only() {
        let secret = Secret::new(b"acme_0123456789abcdefghij");
        assert_eq!(secret.redacted(), "acme****");
    }

    #[test]
    fn bytes_that_a_terminal_would_act_on_are_not_shown() {
        let secret = Secret::new(b"\x1b[2Jaaaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!(secret.redacted(), "****");
    }
}
