//! Evidence that takes two things of one scan: a token and the secret that signs it, a private key
//! and its certificate, the two halves of an access key.
//!
//! Runs once over the findings, whatever they were read from, so that the result depends neither
//! on the order of reading nor on threads nor on a state. Asks nobody. Work is bounded, in the
//! order of the findings. Invariant: no text made here holds a secret or a part of one.

mod accounts;
mod keys;
mod signatures;

use std::collections::BTreeSet;

use crate::engine::judge::proof::Public;
use crate::finding::{self, Finding};
use crate::model::{Confidence, ObjectId, Proof, printable_bytes};

/// A public half and where it was seen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Seen {
    /// The half.
    pub public: Public,
    /// Where.
    pub at: SeenAt,
}

/// Where a public half was seen; what people can open comes first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SeenAt {
    /// A file, by its path.
    Path(Vec<u8>),
    /// A git object.
    Object(ObjectId),
    /// Standard input.
    Stdin,
}

impl SeenAt {
    /// As a phrase: `in tls/server.crt`.
    fn phrase(&self) -> String {
        match self {
            Self::Path(path) => format!("in {}", printable_bytes(path)),
            Self::Object(id) => {
                let id = id.to_string();
                format!("in git object {}", id.get(..12).unwrap_or(&id))
            }
            Self::Stdin => "beside it".to_owned(),
        }
    }
}

/// Holds the findings against each other and against `publics`, at the time `now` in seconds since
/// 1970-01-01T00:00:00Z; sorts them anew.
pub fn pair(findings: &mut [Finding], publics: &BTreeSet<Seen>, now: i64) {
    signatures::prove(findings);
    keys::prove(findings, publics, now);
    accounts::doubt(findings);
    finding::sort(findings);
}

/// Puts a proof on a finding, and the sentence first among its reasons.
fn proved(finding: &mut Finding, what: String, ends_at: Option<i64>) {
    finding.confidence = Confidence::Certain;
    finding.reasons.insert(0, what.clone());
    finding.proof = Proof::Cryptographic { what, ends_at };
}
