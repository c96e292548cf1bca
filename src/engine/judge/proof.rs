//! Offline proof: checksums and structures that a token carries in itself.

use crate::model::{Proof, Span};

/// What a proof says of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is well-formed: chance hardly produces it.
    Proved(Proof),
    /// Nothing to say: an older generation, or a shape without a check.
    Open,
    /// It cannot be one: drop it.
    Refuted,
}

/// Runs the proof called `name`, one of [`crate::detector::PROOFS`], on the secret that stands at
/// `span` of `text`.
pub fn prove(name: &str, text: &[u8], span: Span) -> Verdict {
    let _ = (name, text, span);
    Verdict::Open
}
