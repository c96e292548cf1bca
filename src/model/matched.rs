//! What the engine says of a blob.

use super::{Confidence, DetectorIndex, Secret, Span};

/// What could be proved about a secret without asking anybody.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum Proof {
    /// Nothing: the shape is all there is.
    #[default]
    None,
    /// It parses as what it claims to be.
    Structure {
        /// What was read, for people, without secret parts: "JWT, HS256".
        what: String,
        /// End of validity, in seconds since 1970-01-01T00:00:00Z, where it states one.
        ends_at: Option<i64>,
    },
    /// Its checksum is right.
    Checksum {
        /// Which one, for people: "CRC-32, base62".
        what: String,
    },
    /// Something else that was seen by the same scan fits it, as only what belongs together does.
    Cryptographic {
        /// What, for people: "it is the key of the certificate in tls.crt".
        what: String,
        /// End of validity, as for [`Proof::Structure`].
        ends_at: Option<i64>,
    },
}

impl Proof {
    /// End of validity, in seconds since 1970-01-01T00:00:00Z, where it states one.
    pub fn ends_at(&self) -> Option<i64> {
        match *self {
            Self::Structure { ends_at, .. } | Self::Cryptographic { ends_at, .. } => ends_at,
            Self::None | Self::Checksum { .. } => None,
        }
    }

    /// The word used in reports: `none`, `structure`, `checksum` or `cryptographic`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Structure { .. } => "structure",
            Self::Checksum { .. } => "checksum",
            Self::Cryptographic { .. } => "cryptographic",
        }
    }
}

/// An encoding that hid a secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Decoding {
    /// Base64, standard or URL-safe alphabet (RFC 4648).
    Base64,
    /// UTF-16, either byte order.
    Utf16,
}

super::scale::as_str! {
    Decoding { Base64 => "base64", Utf16 => "utf-16" }
}

/// A pattern hit that survived judgement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Match {
    /// Whose pattern.
    pub detector: DetectorIndex,
    /// Where the secret stands in the blob as read. Inside an encoding: the whole encoded run.
    pub span: Span,
    /// The secret, decoded where it was encoded.
    pub secret: Secret,
    /// What could be proved offline.
    pub proof: Proof,
    /// How sure.
    pub confidence: Confidence,
    /// Name of the assigned key, for assignments: `db_password`.
    pub key: Option<String>,
    /// Encodings around the secret, outermost first.
    pub decoding: Vec<Decoding>,
    /// For assignments: what the model has to say before the path is known.
    pub assigned: Option<Assigned>,
}

/// The model's opinion of an assignment, in thousandths of a unit of log-odds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Assigned {
    /// What the key calls its value.
    pub class: &'static str,
    /// Whether the value stands in quotes.
    pub quoted: bool,
    /// What every assignment begins with, and what the words of the key add.
    pub key: i32,
    /// What the syntax adds.
    pub syntax: i32,
    /// What the value adds.
    pub value: i32,
    /// What the line and its neighbours add.
    pub around: i32,
    /// What the path adds; 0 as long as it is not known.
    pub path: i32,
}

impl Assigned {
    /// All of it.
    pub fn points(&self) -> i32 {
        self.key + self.syntax + self.value + self.around + self.path
    }
}
