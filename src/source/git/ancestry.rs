//! Whether one commit is an ancestor of another, answered many times.
//!
//! Two numbers for each commit, from one pass over all of them, answer nearly always: the trunk is
//! the chain of first parents from one commit; a commit *reaches* some place on it, and has *joined*
//! it at the first place that has the commit as an ancestor. What joined no later than the other
//! reaches is an ancestor. Otherwise only side branches that joined later are walked.

use std::collections::HashSet;

use super::commits::Commits;

/// Neither reaches nor joins.
const NEVER: u32 = u32::MAX;

/// What is known of the commits of a repository.
pub(super) struct Ancestry {
    /// By commit: one more than the last place on the trunk among it and its ancestors, or 0.
    reaches: Vec<u32>,
    /// By commit: the first place on the trunk that is it or a descendant of it, or [`NEVER`].
    joined: Vec<u32>,
}

impl Ancestry {
    /// Takes the trunk that ends at `tip`. Without one every question is answered by walking.
    pub(super) fn new(commits: &Commits, tip: Option<u32>) -> Self {
        let mut ancestry = Self {
            reaches: vec![0; commits.len()],
            joined: vec![NEVER; commits.len()],
        };
        for (place, &commit) in trunk(commits, tip).iter().rev().enumerate() {
            let place = place as u32;
            ancestry.reaches[commit as usize] = place + 1;
            let mut pending = vec![commit];
            while let Some(index) = pending.pop() {
                let joined = &mut ancestry.joined[index as usize];
                if *joined == NEVER {
                    *joined = place;
                    pending.extend_from_slice(commits.parents(index));
                }
            }
        }
        for index in commits.in_order() {
            let parents = commits.parents(index).iter();
            let best = parents
                .map(|&parent| ancestry.reaches[parent as usize])
                .max();
            let reaches = &mut ancestry.reaches[index as usize];
            *reaches = (*reaches).max(best.unwrap_or(0));
        }
        ancestry
    }

    /// Whether `ancestor` is `of` or an ancestor of it.
    pub(super) fn is_ancestor(&self, commits: &Commits, ancestor: u32, of: u32) -> bool {
        let joined = self.joined[ancestor as usize];
        if self.reaches[of as usize] > joined {
            return true;
        }
        let floor = commits.get(ancestor).position;
        // All ancestors of what joined before it joined before it too.
        let may_lead = |index: u32| {
            let other = self.joined[index as usize];
            commits.get(index).position > floor
                && (other == NEVER || (joined != NEVER && other >= joined))
        };
        let mut seen = HashSet::new();
        let mut pending = vec![of];
        while let Some(index) = pending.pop() {
            if index == ancestor {
                return true;
            }
            if may_lead(index) && seen.insert(index) {
                pending.extend_from_slice(commits.parents(index));
            }
        }
        false
    }
}

/// The chain of first parents, last first. An index that lies about ids can make it a cycle.
fn trunk(commits: &Commits, tip: Option<u32>) -> Vec<u32> {
    let parent = |&index: &u32| commits.parents(index).first().copied();
    let chain = std::iter::successors(tip, parent);
    chain.take(commits.len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commits by number, each with its parents, which have smaller numbers.
    fn commits(parents: &[&[u32]]) -> Commits {
        Commits::of_numbers(parents)
    }

    fn plain(commits: &Commits, ancestor: u32, of: u32) -> bool {
        let mut parents = commits.parents(of).iter();
        ancestor == of || parents.any(|&parent| plain(commits, ancestor, parent))
    }

    #[test]
    fn answers_as_a_plain_walk_does() {
        // A trunk 0 1 4 7 with a side branch 2 3 that joins at 4, one from a side branch (5 off 3)
        // that joins at 7, a root of its own (6), and branches that never join (8, 9).
        let graph: [&[u32]; 10] = [
            &[],
            &[0],
            &[0],
            &[2],
            &[1, 3],
            &[3],
            &[],
            &[4, 5, 6],
            &[5, 1],
            &[8, 6],
        ];
        let commits = commits(&graph);
        for tip in [None, Some(7), Some(9), Some(3)] {
            let ancestry = Ancestry::new(&commits, tip);
            for (one, two) in (0..10).flat_map(|one| (0..10).map(move |two| (one, two))) {
                let expected = plain(&commits, one, two);
                let found = ancestry.is_ancestor(&commits, one, two);
                assert_eq!(found, expected, "{one} of {two}, trunk to {tip:?}");
            }
        }
    }
}
