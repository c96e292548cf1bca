//! Parts of credentials that are secrets themselves.

use std::collections::BTreeSet;

use super::Finding;
use crate::model::Secret;

/// Hides parts that are the secret of another finding, wherever that was seen.
pub fn hide_secret_parts(findings: &mut [Finding]) {
    let occurrences = findings.iter().flat_map(|finding| &finding.occurrences);
    let secrets: BTreeSet<Secret> = occurrences.map(|seen| seen.secret.clone()).collect();
    let occurrences = findings.iter_mut().flat_map(|it| &mut it.occurrences);
    for part in occurrences.flat_map(|seen| &mut seen.parts) {
        part.shown &= !secrets.contains(&part.value);
    }
}
