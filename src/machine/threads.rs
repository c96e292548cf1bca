//! Work on lists, by all threads where it is worth starting them.

use rayon::prelude::*;

/// Items from which on all threads work on them: to start threads takes longer than a few hundred.
const MANY: usize = 1 << 10;

/// What `work` makes of each item, in their order.
pub(crate) fn filter_map<T, R>(all: Vec<T>, work: impl Fn(T) -> Option<R> + Send + Sync) -> Vec<R>
where
    T: Send,
    R: Send,
{
    match all.len() {
        0..MANY => all.into_iter().filter_map(work).collect(),
        _ => all.into_par_iter().filter_map(work).collect(),
    }
}
