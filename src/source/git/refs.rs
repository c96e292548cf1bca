//! stub
use super::*; use crate::model::ObjectId;
/// x
pub fn head(_r:&Repository)->Option<ObjectId>{ let g=git2::Repository::open_bare(&_r.git_dir).ok()?; let c=g.head().ok()?.peel_to_commit().ok()?; ObjectId::from_slice(c.id().as_bytes()) }
/// x
pub fn remote_tips(_r:&Repository,_n:Option<&str>)->Vec<ObjectId>{vec![]}
