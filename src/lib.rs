//! straykey finds the keys that strayed from the vault: long-lived secrets in work trees, git
//! history and CI definitions, outside any secret manager.
//!
//! Data flows one way, and the modules are listed in that order:
//! targets → [`source`] → [`engine`] → [`finding`] → [`pairs`] → `verify` → [`report`], tied together by [`scan`].

pub mod model;

pub mod detector;

pub mod source;

pub mod engine;

pub mod finding;

pub mod pairs;

#[cfg(feature = "verify")]
pub mod verify;

pub mod report;

pub mod state;

pub mod scan;

pub mod config;

mod machine;
