//! Histories: all objects of a repository, and where those with findings are. With a state, only
//! what it does not know is read.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Diagnostics, ObjectId};
use crate::source::Item;
use crate::source::git::objects::Objects;
use crate::source::git::{Attribution, History, Skip};
use crate::state::{Answers, Question, State};

use super::Collector;

/// The history of one repository, swept.
pub(super) struct Swept<'a> {
    pub(super) objects: Objects,
    memory: Option<Memory<'a>>,
}

/// What a state knows of a history.
struct Memory<'a> {
    state: &'a State,
    fingerprint: [u8; 32],
    recalled: Option<Answers>,
    /// What the repository lacks, when nothing was recalled.
    limits: Diagnostics,
    /// Whether every object could be read: only then the ids of objects say what there is.
    sound: bool,
}

/// What a history says of objects and paths.
#[derive(Default)]
pub(super) struct Told {
    pub(super) attributions: BTreeMap<ObjectId, Attribution>,
    pub(super) origins: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl<'a> Swept<'a> {
    /// Scans the objects that `state` does not know.
    pub(super) fn sweep(
        objects: Objects,
        state: Option<&'a State>,
        collector: &Collector<'_>,
        diagnostics: &Diagnostics,
    ) -> Self {
        let visit = |item: &Item<'_>| collector.visit(item);
        let Some(state) = state else {
            objects.visit(None, &visit, diagnostics, diagnostics);
            let memory = None;
            return Self { objects, memory };
        };
        let fingerprint = objects.fingerprint(diagnostics);
        let recalled = state.answers(&fingerprint, objects.git_dir());
        let limits = Diagnostics::new();
        let damage = Diagnostics::new();
        let skip = Skip {
            known: state,
            read_commits: recalled.is_none(),
        };
        let passed = objects.visit(Some(skip), &visit, &damage, &limits);
        if skip.read_commits {
            objects.history(&limits);
        }
        collector.pass(passed);
        let damage = damage.into_sorted();
        let sound = damage.is_empty();
        diagnostics.extend(damage);
        let memory = Some(Memory {
            state,
            fingerprint,
            recalled,
            limits,
            sound,
        });
        Self { objects, memory }
    }

    /// Where the objects `wanted` are, and where the files at `paths` began.
    pub(super) fn tell(
        &mut self,
        wanted: &[ObjectId],
        paths: &[Vec<u8>],
        diagnostics: &Diagnostics,
    ) -> Told {
        match self.memory.take() {
            None => self.look(wanted, paths, diagnostics),
            Some(memory) => self.remember(memory, wanted, paths, diagnostics),
        }
    }

    fn remember(
        &self,
        memory: Memory<'_>,
        wanted: &[ObjectId],
        paths: &[Vec<u8>],
        diagnostics: &Diagnostics,
    ) -> Told {
        let question = Question::new(wanted, paths);
        let mut limits: BTreeSet<_> = memory.limits.into_sorted().into_iter().collect();
        if let Some(recalled) = memory.recalled {
            diagnostics.extend(recalled.limits.iter().cloned());
            if recalled.question == question {
                diagnostics.extend(recalled.doubts);
                return Told {
                    attributions: recalled.attributions,
                    origins: recalled.origins,
                };
            }
            limits = recalled.limits;
        } else {
            diagnostics.extend(limits.iter().cloned());
        }
        let doubts = Diagnostics::new();
        let told = self.look(wanted, paths, &doubts);
        let doubts = doubts.into_sorted();
        diagnostics.extend(doubts.iter().cloned());
        // Somebody may have moved a ref meanwhile.
        let now = self.objects.fingerprint(&Diagnostics::new());
        if memory.sound && now == memory.fingerprint {
            let mut answers = Answers::new(question, self.objects.git_dir(), limits);
            answers.attributions.clone_from(&told.attributions);
            answers.origins.clone_from(&told.origins);
            answers.doubts.extend(doubts);
            memory.state.keep_answers(&memory.fingerprint, &answers);
        }
        told
    }

    fn look(&self, wanted: &[ObjectId], paths: &[Vec<u8>], diagnostics: &Diagnostics) -> Told {
        // Says what the clone lacks, also when nothing is asked.
        let (history, attributions) = match wanted.is_empty() {
            true => (self.objects.history(diagnostics), BTreeMap::new()),
            false => self.objects.attribute(wanted, diagnostics),
        };
        Told {
            attributions,
            origins: origins_of(&history, paths),
        }
    }
}

/// Where the lineage of each path began.
pub(super) fn origins_of(history: &History<'_>, paths: &[Vec<u8>]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    paths.iter().cloned().zip(history.origins(paths)).collect()
}
