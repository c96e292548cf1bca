//! What the engine must find, by the plainest means: every pattern over the whole text.
//!
//! Slow on purpose. Tests hold [`super::Engine::scan`] to it on any input.

use regex_automata::Input;

use crate::detector::{DetectorSet, Pass};
use crate::model::{Blob, Match};

use super::judge;
use super::matcher::Pattern;

/// Every secret that a pattern of `detectors` finds in `blob` as it stands (no decoding, no
/// assignment pass), before overlaps are settled, sorted by detector and place.
pub fn scan(detectors: &DetectorSet, blob: &Blob<'_>) -> Vec<Match> {
    let mut found = Vec::new();
    for (index, detector) in detectors.iter() {
        if detector.pass != Pass::Pattern {
            continue;
        }
        let pattern = Pattern::new(detector);
        let mut workspace = pattern.workspace();
        let mut at = 0;
        while let Some((whole, secret)) =
            pattern.search(&Input::new(blob.bytes).range(at..), &mut workspace)
        {
            found.extend(judge::judge(detector, index, blob.bytes, secret));
            at = whole.end;
        }
    }
    found
}
