//! Parts of credentials that are secrets themselves.

use std::collections::HashSet;

use super::Finding;
use crate::machine::hash::Keys;
use crate::model::Secret;

/// Hides parts that are the secret of another finding, wherever that was seen.
pub fn hide_secret_parts(findings: &mut [Finding]) {
    let mut secrets: HashSet<Secret, Keys> = HashSet::default();
    for finding in findings.iter() {
        // Most are the same in all places.
        let places = finding
            .occurrences
            .chunk_by(|one, next| one.secret == next.secret);
        secrets.extend(places.map(|same| same[0].secret.clone()));
    }
    let occurrences = findings.iter_mut().flat_map(|it| &mut it.occurrences);
    for part in occurrences.flat_map(|seen| &mut seen.parts) {
        part.shown = part.shown && !secrets.contains(&part.value);
    }
}
