//! Decides whether a pattern hit is a secret, and how sure that is.

pub mod proof;
