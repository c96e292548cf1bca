//! stub
use super::*; use crate::model::*; use std::collections::*;
/// x
#[derive(Clone,Debug)]
pub struct Attribution { /// x
pub role: Role, /// x
pub path: Option<Vec<u8>>, /// x
pub other_paths: Vec<Vec<u8>>, /// x
pub reachability: Reachability, /// x
pub in_head: bool, /// x
pub introduced: Option<CommitPoint>, /// x
pub removed: Option<CommitPoint>, /// x
pub origin: Vec<u8> }
/// x
pub fn attribute(_r:&Repository,_s:&Store,_w:&BTreeSet<ObjectId>,_d:&Diagnostics)->BTreeMap<ObjectId,Attribution>{BTreeMap::new()}
/// x
pub fn origins(_r:&Repository,_s:&Store,p:&[Vec<u8>],_d:&Diagnostics)->Vec<Vec<u8>>{p.to_vec()}
