//! Reads git repositories: every object of the database, and who reaches it.
//!
//! Packs are read here, not through a library: index, entry headers and delta trees over mapped
//! files, each object rebuilt once. Nothing of a repository is executed, no configuration outside
//! of it is read, and a damaged part is a diagnostic while the rest is read.
//!
//! Reading order: [`layout`] finds the parts of a repository, [`Store`] reads its
//! objects, [`History`] says what reaches them and since when.

mod additions;
mod alternates;
mod ancestry;
mod attribute;
mod cache;
mod changes;
mod commit_log;
mod commits;
mod config;
mod dangling;
mod error;
mod fingerprint;
mod history;
mod inflate;
mod known;
pub mod layout;
mod lineage;
mod loose;
mod losses;
mod missing;
mod object;
pub mod objects;
mod owners;
mod pack;
mod questions;
pub mod range;
mod reader;
pub mod refs;
mod reftable;
mod similarity;
pub mod staged;
mod store;
mod sweep;
mod tree;
mod tree_log;
mod wanted;
mod work_tree;

pub use attribute::Attribution;
pub use cache::Shared;
pub use error::{GitError, ObjectError};
pub use history::History;
pub use known::{Known, Passed, Skip};
pub use layout::Repository;
pub use object::{Kind, Object, blob_id};
pub use reader::Reader;
pub use store::{Store, StoreOptions};
pub use sweep::Visit;
pub use work_tree::{hooks_dir, tracked_paths};
