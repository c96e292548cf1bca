//! What makes what is remembered hold: everything that decides whether an object has a match.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::detector::{Detector, DetectorSet};
use crate::source::git::StoreOptions;

use super::file;

/// A hash of the program, its detectors and the options that decide what is found in an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of a scan with `detectors`.
    pub fn new(detectors: &DetectorSet, store: &StoreOptions) -> Self {
        let StoreOptions {
            // Decides which objects there are.
            follow_alternates: _,
            max_object_bytes,
            // Finds the same.
            delta_scan: _,
        } = *store;
        let mut hash = Hash(Sha256::new());
        hash.number(u64::from(file::VERSION));
        hash.text(env!("CARGO_PKG_VERSION"));
        // Of the code of the engine: two builds of one version may differ.
        hash.text(env!("STRAYKEY_CODE"));
        hash.number(max_object_bytes);
        hash.number(detectors.len() as u64);
        for (_, detector) in detectors.iter() {
            hash.detector(detector);
        }
        Self(hash.0.finalize().into())
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As part of a name.
    pub(super) fn name(&self) -> String {
        HEXLOWER.encode(&self.0[..16])
    }

    #[cfg(test)]
    pub(super) fn of_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// A name for a file with this content.
pub(super) fn name(content: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(content)[..16])
}

struct Hash(Sha256);

impl Hash {
    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text);
    }

    /// Everything that the engine may look at; not what a report says of a finding.
    fn detector(&mut self, detector: &Detector) {
        let Detector {
            id,
            provider,
            provider_name: _,
            category: _,
            docs: _,
            general,
            name: _,
            description: _,
            severity: _,
            confidence,
            lifetime,
            mints_trust: _,
            value,
            keywords,
            ignore_case,
            pass,
            pattern,
            context,
            max_len,
            max_lead,
            starts_word,
            required: _,
            glance,
            min_entropy,
            proof,
            extent,
            remediation: _,
            rotate: _,
            sources: _,
            aliases: _,
            owasp_nhi: _,
            cwe: _,
            parts: _,
            verifier: _,
            revocation: _,
        } = detector;
        self.text(id);
        self.text(provider);
        self.text(&format!(
            "{general} {confidence:?} {lifetime:?} {value:?} {ignore_case} {pass:?} {glance:?}"
        ));
        self.number(keywords.len() as u64);
        keywords.iter().for_each(|word| self.text(word));
        self.text(pattern);
        self.text(&format!("{context:?}"));
        self.number(*max_len as u64);
        self.number(*max_lead as u64);
        self.number(u64::from(*starts_word));
        self.number(u64::from(min_entropy.to_bits()));
        for name in [proof, extent] {
            self.text(name.as_deref().unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_changes_with_what_decides_and_with_nothing_else() {
        let set = DetectorSet::builtin();
        let options = StoreOptions::default();
        let key = Key::new(&set, &options);
        let other_way = StoreOptions {
            delta_scan: false,
            follow_alternates: true,
            ..options
        };
        assert_eq!(Key::new(&set, &other_way), key);
        let smaller = StoreOptions {
            max_object_bytes: 7,
            ..options
        };
        assert_ne!(Key::new(&set, &smaller), key);
        let first = set.iter().next().expect("there is one").1.clone();
        let without = set.clone().filtered(|detector| detector.id != first.id);
        assert_ne!(Key::new(&without, &options), key);
        let with = |changed: Detector| Key::new(&set.clone().with([changed]), &options);
        let mut changed = first.clone();
        changed.description = "other words".into();
        assert_eq!(with(changed), key);
        let mut changed = first;
        changed.min_entropy += 0.5;
        assert_ne!(with(changed), key);
    }
}
