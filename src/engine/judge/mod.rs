//! Decides whether a pattern hit is a secret, and how sure that is.

pub mod entropy;
pub mod guess;
pub mod placeholder;
pub mod proof;
pub mod reference;
