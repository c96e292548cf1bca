//! AWS: secret access keys beside ids of different accounts.

use std::collections::BTreeSet;

use crate::engine::judge::proof::aws_account;
use crate::finding::Finding;

/// Says of secret keys that stand beside ids of more than one account that at most one fits: an id
/// holds its account's number, a secret does not.
pub(super) fn doubt(findings: &mut [Finding]) {
    const PART: &str = "access_key_id";
    for finding in findings {
        let parts = finding.occurrences.iter().flat_map(|seen| &seen.parts);
        let ids = parts.filter(|part| part.name == PART);
        let accounts: BTreeSet<_> = ids
            .filter_map(|part| aws_account(part.value.expose()))
            .collect();
        if accounts.len() > 1 {
            let accounts: Vec<_> = accounts.into_iter().collect();
            finding.reasons.push(format!(
                "the access key ids beside it are of different accounts ({}): at most one belongs to it",
                accounts.join(", ")
            ));
        }
    }
}
