//! The detectors of one scan, in a fixed order.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{Detector, builtin};
use crate::model::DetectorIndex;

/// Detectors with stable positions, sorted by id.
#[derive(Clone, Debug)]
pub struct DetectorSet(Cow<'static, [Detector]>);

impl DetectorSet {
    /// The built-in detectors.
    pub fn builtin() -> Self {
        Self(Cow::Borrowed(builtin::DETECTORS))
    }

    /// Of `detectors`; of two with one id the later one stays.
    pub fn new(detectors: Vec<Detector>) -> Self {
        let mut seen = BTreeSet::new();
        let mut kept: Vec<_> = detectors
            .into_iter()
            .rev()
            .filter(|detector| seen.insert(detector.id.clone()))
            .collect();
        kept.sort_by(|a, b| a.id.cmp(&b.id));
        Self(Cow::Owned(kept))
    }

    /// Adds `others`, which replace those with the same id.
    pub fn with(self, others: impl IntoIterator<Item = Detector>) -> Self {
        let mut others = others.into_iter().peekable();
        match others.peek() {
            Some(_) => Self::new(self.0.into_owned().into_iter().chain(others).collect()),
            None => self,
        }
    }

    /// Only those for which `keep` holds.
    pub fn filtered(self, keep: impl FnMut(&Detector) -> bool) -> Self {
        let kept: Vec<bool> = self.0.iter().map(keep).collect();
        if kept.iter().all(|&kept| kept) {
            return self;
        }
        let both = self.0.into_owned().into_iter().zip(kept);
        Self(both.filter(|both| both.1).map(|both| both.0).collect())
    }

    /// The detector at `index`, which came from this set.
    pub fn get(&self, index: DetectorIndex) -> &Detector {
        &self.0[index.as_usize()]
    }

    /// Finds a detector by id.
    pub fn find(&self, id: &str) -> Option<(DetectorIndex, &Detector)> {
        let at = self
            .0
            .binary_search_by(|detector| detector.id.as_ref().cmp(id))
            .ok()?;
        Some((DetectorIndex(at as u32), &self.0[at]))
    }

    /// All, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (DetectorIndex, &Detector)> {
        let number = |at| DetectorIndex(at as u32);
        self.0
            .iter()
            .enumerate()
            .map(move |(at, detector)| (number(at), detector))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
