//! Reads git repositories: every object of the database, and who reaches it.
//!
//! Packs are read here, not through a library: index, entry headers and delta trees over mapped
//! files, each object rebuilt once. Nothing of a repository is executed, no configuration outside
//! of it is read, and a damaged part is a diagnostic while the rest is read.
//!
//! Reading order: [`layout`] finds the parts of a repository, [`Store`] reads its objects.

mod alternates;
mod cache;
mod config;
mod error;
mod inflate;
pub mod layout;
mod loose;
mod object;
mod pack;
mod reader;
mod store;
mod sweep;

pub use cache::Shared;
pub use error::{GitError, ObjectError};
pub use layout::Repository;
pub use object::{Kind, Object};
pub use reader::Reader;
pub use store::{Store, StoreOptions};
pub use sweep::Visit;
pub mod attribute;
mod change;
pub mod past;
mod parse;
pub mod range;
pub mod refs;
pub mod staged;
mod work_tree;
pub use attribute::Attribution;
pub use work_tree::{hooks_dir, tracked_paths};
