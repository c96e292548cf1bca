//! What other scanners' files accept: `.gitleaksignore`, `.betterleaksignore` and detect-secrets'
//! `.secrets.baseline`, so that a repository that comes from one of them starts quiet.
//!
//! A finding groups all places of a secret, and such a file accepts single ones. The finding is
//! silenced when every path of it has an accepted place.

use std::collections::{BTreeMap, BTreeSet};

use sha1::{Digest, Sha1};

use super::{Finding, Suppression, SuppressionSource};
use crate::detector::Detector;
use crate::model::Occurrence;

/// The names under which such files are read, at the root of the scanned tree.
pub const IGNORE_FILES: [&str; 3] = [".gitleaksignore", ".betterleaksignore", ".secrets.baseline"];

/// One file.
#[derive(Clone, Debug)]
pub struct IgnoreFile {
    name: String,
    /// Accepted places by path.
    places: BTreeMap<String, Vec<PlaceEntry>>,
    /// SHA-1 of accepted values by path.
    hashes: BTreeMap<String, BTreeSet<String>>,
}

/// `file:rule:line`, or `commit:file:rule:line`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct PlaceEntry {
    commit: Option<String>,
    rule: String,
    line: u32,
}

impl IgnoreFile {
    /// Reads a file by what its name says. Also returns what of it cannot be used, for people.
    pub fn parse(name: &str, text: &str) -> (Self, Vec<String>) {
        let mut file = Self {
            name: name.to_owned(),
            places: BTreeMap::new(),
            hashes: BTreeMap::new(),
        };
        let mut warnings = Vec::new();
        match name {
            ".secrets.baseline" => {
                if let Err(message) = file.read_hashes(text) {
                    warnings.push(message);
                }
            }
            _ => file.read_places(text, &mut warnings),
        }
        (file, warnings)
    }

    /// The format of gitleaks' `.gitleaksignore` (its README, "gitleaksignore"): one fingerprint a
    /// line, `#` comments.
    fn read_places(&mut self, text: &str, warnings: &mut Vec<String>) {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match PlaceEntry::parse(line) {
                Some((path, entry)) => self.places.entry(path).or_default().push(entry),
                None => warnings.push(format!(
                    "line {}: not of the form [commit:]file:rule:line; it silences nothing",
                    number + 1
                )),
            }
        }
    }

    /// The format of detect-secrets (its `docs/design.md`, "baseline"): `results` by file, each
    /// with the SHA-1 of the value in `hashed_secret`.
    fn read_hashes(&mut self, text: &str) -> Result<(), String> {
        let baseline: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| format!("not a detect-secrets baseline: {error}"))?;
        let results = baseline["results"].as_object();
        let results = results.ok_or("not a detect-secrets baseline: no `results`")?;
        for (path, entries) in results {
            let entries = entries.as_array().into_iter().flatten();
            let hashes = entries.filter_map(|entry| entry["hashed_secret"].as_str());
            let known = self.hashes.entry(path.replace('\\', "/")).or_default();
            known.extend(hashes.map(str::to_ascii_lowercase));
        }
        Ok(())
    }

    /// What silences `finding`, when every path of it has an accepted place.
    pub(super) fn suppression(
        &self,
        finding: &Finding,
        detector: &Detector,
    ) -> Option<Suppression> {
        let mut paths: BTreeMap<&[u8], bool> = BTreeMap::new();
        for seen in &finding.occurrences {
            // A message has no path, and no such file speaks of it.
            let path = seen.path.as_deref()?;
            let accepted = paths.entry(path).or_default();
            *accepted = *accepted || self.accepts(seen, path, detector);
        }
        let all = !paths.is_empty() && paths.values().all(|accepted| *accepted);
        all.then(|| Suppression {
            source: SuppressionSource::IgnoreFile(self.name.clone()),
            reason: None,
        })
    }

    fn accepts(&self, seen: &Occurrence, path: &[u8], detector: &Detector) -> bool {
        let Ok(path) = std::str::from_utf8(path) else {
            return false;
        };
        let is_here = |entry: &PlaceEntry| {
            entry.line == seen.location.line
                && is_rule(detector, &entry.rule)
                && entry.is_of_commit(seen)
        };
        let is_it = |hashes: &BTreeSet<String>| hashes.contains(&sha1(seen.secret.expose()));
        let places = self.places.get(path);
        places.is_some_and(|places| places.iter().any(is_here))
            || self.hashes.get(path).is_some_and(is_it)
    }
}

impl PlaceEntry {
    /// The path, and the rest.
    fn parse(line: &str) -> Option<(String, Self)> {
        let (rest, line) = line.rsplit_once(':')?;
        let (rest, rule) = rest.rsplit_once(':')?;
        let is_commit =
            |text: &str| text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let (commit, path) = match rest.split_once(':') {
            Some((commit, path)) if is_commit(commit) => (Some(commit.to_ascii_lowercase()), path),
            _ => (None, rest),
        };
        let complete = !path.is_empty() && !rule.is_empty();
        let entry = Self {
            commit,
            rule: rule.to_owned(),
            line: line.parse().ok()?,
        };
        complete.then(|| (path.replace('\\', "/"), entry))
    }

    /// An entry without a commit speaks of any; one with a commit of what that commit brought.
    fn is_of_commit(&self, seen: &Occurrence) -> bool {
        self.commit.as_ref().is_none_or(|commit| {
            let introduced = seen.introduced.map(|point| point.id.to_string());
            introduced.as_ref() == Some(commit)
        })
    }
}

/// Whether `rule` of another scanner, or of ours, is the kind of secret that `detector` finds.
fn is_rule(detector: &Detector, rule: &str) -> bool {
    let mut aliases = detector.aliases.iter();
    detector.id == rule || aliases.any(|(_, alias)| alias == rule)
}

fn sha1(value: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha1::digest(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_from_the_right() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let entry = |line: &str| PlaceEntry::parse(line);
        let (path, plain) = entry("a b/c:d.txt:github-pat:12").expect("an entry");
        assert_eq!(
            (&*path, &*plain.rule, plain.line),
            ("a b/c:d.txt", "github-pat", 12)
        );
        assert_eq!(plain.commit, None);
        let (path, exact) = entry(&format!("{commit}:dir\\x.env:jwt:3")).expect("an entry");
        assert_eq!(
            (&*path, exact.commit.as_deref()),
            ("dir/x.env", Some(commit))
        );
        for wrong in ["", "x", "x:3", "x:rule:three", ":rule:3", "x::3"] {
            assert_eq!(entry(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let text = "# a comment\n\nsrc/a.py:jwt:4\nnonsense\n";
        let (file, warnings) = IgnoreFile::parse(".gitleaksignore", text);
        assert_eq!(file.places.len(), 1);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with("line 4: "), "{warnings:?}");
        let (_, warnings) = IgnoreFile::parse(".secrets.baseline", "{}");
        assert_eq!(warnings.len(), 1);
        let text = r#"{"results": {"a.py": [{"type": "x", "hashed_secret": "AB12"}]}}"#;
        let (file, warnings) = IgnoreFile::parse(".secrets.baseline", text);
        assert!(warnings.is_empty());
        assert!(file.hashes["a.py"].contains("ab12"));
    }
}
