//! Plain data that every other module speaks. Imports nothing of ours.

mod blob;
mod diagnostic;
mod ids;
mod liveness;
mod location;
mod matched;
mod part;
mod provenance;
mod scale;
mod secret;
mod stats;
mod text;
mod trace;

pub use blob::{Blob, Content};
pub use diagnostic::{Diagnostic, DiagnosticKind, Diagnostics};
pub use ids::{DetectorIndex, FindingId, ObjectId, ObjectIdError};
pub use liveness::{Liveness, Outcome, Reason};
pub use location::{LineIndex, Location, Span};
pub use matched::{Assigned, Decoding, Match, Proof};
pub use part::Part;
pub use provenance::{CommitPoint, Occurrence, Reachability, Role, SourceKind};
pub use scale::{Confidence, Lifetime, MintsTrust, Severity};
pub use secret::Secret;
pub use stats::{RepositoryInfo, Stats};
pub use text::{printable, printable_bytes};
pub use trace::{Candidate, Copied, Kinship, Looked, Run, Trace};
