//! Groups what was seen by what it is: the same secret in 500 blobs is one finding.

use std::collections::BTreeMap;

use crate::detector::{Detector, DetectorSet, ValueKind};
use crate::machine::threads;
use crate::model::{
    Assigned, CommitPoint, Confidence, Decoding, DetectorIndex, FindingId, Lifetime, Occurrence,
    Proof, Severity, SourceKind,
};

use super::fingerprint::{self, FingerprintKey, StructuralPlace};
use super::{Finding, Suppression};

/// A secret as seen in one place.
#[derive(Clone, Debug)]
pub struct RawFinding {
    /// The kind of secret.
    pub detector: DetectorIndex,
    /// What was proved offline.
    pub proof: Proof,
    /// How sure.
    pub confidence: Confidence,
    /// For assignments: the model's opinion, without what the path adds.
    pub assigned: Option<Assigned>,
    /// Where, and the value.
    pub occurrence: Occurrence,
    /// Whether the value could be guessed; its id then comes from its place.
    pub guessable: bool,
    /// Whether a few guesses at a log-in are likely to hit the value.
    pub weak: bool,
    /// The path at which the file's lineage began.
    pub origin: Vec<u8>,
    /// The keys around it, for guessable values.
    pub key_path: String,
    /// Which of several different values at this place in one blob.
    pub ordinal: u32,
    /// What a comment beside it says.
    pub suppression: Option<Suppression>,
}

/// How findings are made.
#[derive(Clone, Debug, Default)]
pub struct Grouping {
    /// The organisation's key, when there is one.
    pub key: Option<FingerprintKey>,
    /// The time to hold expiry dates against, in seconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// Whether the reasons tell what the model makes of an assignment.
    pub explain: bool,
}

/// Makes findings, sorted worst first, of what was seen in any order.
pub fn group(raw: Vec<RawFinding>, detectors: &DetectorSet, grouping: &Grouping) -> Vec<Finding> {
    let name = |seen: RawFinding| {
        let detector = detectors.get(seen.detector);
        Some((id(&seen, detector, grouping.key.as_ref()), seen))
    };
    let mut groups: BTreeMap<FindingId, Vec<RawFinding>> = BTreeMap::new();
    for (id, seen) in threads::filter_map(raw, name) {
        groups.entry(id).or_default().push(seen);
    }
    let finish = |(id, seen)| Some(finding(id, seen, detectors, grouping));
    let mut findings = threads::filter_map(groups.into_iter().collect(), finish);
    sort(&mut findings);
    findings
}

/// Sorts worst first, in a total order.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let rank = |f: &Finding| (f.severity, f.confidence, f.in_head);
        rank(b)
            .cmp(&rank(a))
            .then_with(|| place(&a.occurrences[0]).cmp(&place(&b.occurrences[0])))
            .then_with(|| a.id.cmp(&b.id))
    });
}

fn id(seen: &RawFinding, detector: &Detector, key: Option<&FingerprintKey>) -> FindingId {
    let secret = seen.occurrence.secret.expose();
    match key {
        Some(key) => fingerprint::of_keyed_value(key, &detector.id, secret),
        None if !seen.guessable => fingerprint::of_value(&detector.id, secret),
        None => {
            let place = StructuralPlace {
                origin: &seen.origin,
                key_path: &seen.key_path,
                ordinal: seen.ordinal,
            };
            fingerprint::of_place(&detector.id, &place)
        }
    }
}

fn finding(
    id: FindingId,
    mut seen: Vec<RawFinding>,
    detectors: &DetectorSet,
    grouping: &Grouping,
) -> Finding {
    seen.sort_by(|a, b| place(&a.occurrence).cmp(&place(&b.occurrence)));
    merge_tree_and_history(&mut seen);
    let detector = detectors.get(seen[0].detector);
    let best = seen
        .iter()
        .max_by_key(|seen| (seen.confidence, seen.proof != Proof::None));
    let best = best.expect("a group is never empty");
    let expired = best.proof.ends_at().is_some_and(|end| end < grouping.now);
    // `hunter2` shields little, wherever it is asked for: worth a word, not an alarm.
    let weak = detector.value == ValueKind::Password && best.weak;
    let in_head = seen.iter().any(|seen| {
        seen.occurrence.in_head || !matches!(seen.occurrence.source, SourceKind::History)
    });
    let commits = |pick: fn(&Occurrence) -> Option<CommitPoint>| {
        seen.iter().filter_map(move |seen| pick(&seen.occurrence))
    };
    let order = |point: &CommitPoint| (point.time, point.id);
    let introduced = commits(|o| o.introduced).min_by_key(order);
    let removed = commits(|o| o.removed)
        .max_by_key(order)
        .filter(|_| !in_head);
    // Every place must be silenced, or the finding counts.
    let suppression = match seen.iter().all(|seen| seen.suppression.is_some()) {
        true => seen[0].suppression.clone(),
        false => None,
    };
    Finding {
        id,
        detector: seen[0].detector,
        severity: if expired {
            Severity::Note
        } else if weak {
            detector.severity.min(Severity::Low)
        } else {
            detector.severity
        },
        confidence: best.confidence,
        lifetime: if expired {
            Lifetime::Expired
        } else {
            detector.lifetime
        },
        mints_trust: detector.mints_trust,
        proof: best.proof.clone(),
        reasons: reasons(best, detector, grouping.explain),
        secret: seen[0].occurrence.secret.clone(),
        reachability: seen
            .iter()
            .filter_map(|seen| seen.occurrence.reachability)
            .min(),
        in_head,
        introduced,
        removed,
        liveness: None,
        suppression,
        occurrences: seen.into_iter().map(|seen| seen.occurrence).collect(),
    }
}

/// The total order of occurrences.
fn place(seen: &Occurrence) -> impl Ord + '_ {
    (
        !seen.in_head && seen.source == SourceKind::History,
        seen.path.as_deref(),
        seen.root.as_deref(),
        seen.object,
        seen.span,
        seen.source,
        seen.introduced.map(|point| (point.time, point.id)),
    )
}

/// A file of the tree that is also a blob of the history is one occurrence: the tree's, with what
/// git knows of it.
fn merge_tree_and_history(seen: &mut Vec<RawFinding>) {
    let mut past: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, seen) in seen.iter().enumerate() {
        let seen = &seen.occurrence;
        if seen.source == SourceKind::History && seen.object.is_some() {
            let same = (seen.root.clone(), seen.object, seen.span);
            past.entry(same).or_default().push(at);
        }
    }
    let mut gone = vec![false; seen.len()];
    for at in 0..seen.len() {
        let tree = &seen[at].occurrence;
        if tree.source != SourceKind::Tree {
            continue;
        }
        // A blob without a path is what `git add` made of this very file.
        let has_path = |past: &Occurrence| {
            past.path.is_none()
                || past.path == tree.path
                || past
                    .other_paths
                    .iter()
                    .any(|p| Some(p) == tree.path.as_ref())
        };
        let twins = past.get(&(tree.root.clone(), tree.object, tree.span));
        let twin = twins
            .into_iter()
            .flatten()
            .find(|&&past| has_path(&seen[past].occurrence));
        let Some(&twin) = twin else {
            continue;
        };
        gone[twin] = true;
        let past = seen[twin].occurrence.clone();
        if past.path.is_none() {
            continue; // in the index at most: no commit has it
        }
        let tree = &mut seen[at].occurrence;
        tree.reachability = past.reachability;
        tree.in_head = past.in_head;
        tree.introduced = past.introduced;
        tree.removed = past.removed;
        tree.other_paths = past.other_paths;
    }
    let mut gone = gone.into_iter();
    seen.retain(|_| !gone.next().unwrap_or(false));
}

/// Why we believe it, most telling first.
fn reasons(seen: &RawFinding, detector: &Detector, explain: bool) -> Vec<String> {
    let mut reasons = Vec::new();
    match &seen.proof {
        Proof::Checksum { what } => reasons.push(format!("its checksum is right ({what})")),
        Proof::Structure { what, .. } => reasons.push(format!("it parses ({what})")),
        Proof::Cryptographic { what, .. } => reasons.push(what.clone()),
        Proof::None => {}
    }
    match &seen.occurrence.key {
        Some(key) => reasons.push(format!("it is assigned to `{key}`")),
        None => reasons.push(format!("it has the form of: {}", detector.name)),
    }
    for decoding in &seen.occurrence.decoding {
        reasons.push(match decoding {
            Decoding::Base64 => "it was hidden in base64".into(),
            Decoding::Utf16 => "the text is UTF-16".into(),
        });
    }
    if seen.guessable {
        reasons.push("the value is short or of words: somebody could guess it".into());
    }
    reasons.extend(seen.assigned.filter(|_| explain).map(|a| explained(&a)));
    reasons
}

/// What the model adds up, in units of log-odds.
fn explained(assigned: &Assigned) -> String {
    let unit = |points: i32| f64::from(points) / 1000.0;
    format!(
        "the model says {:+.1}: name {:+.1}, syntax {:+.1}, value {:+.1}, surroundings {:+.1}, \
         file {:+.1}",
        unit(assigned.points()),
        unit(assigned.key),
        unit(assigned.syntax),
        unit(assigned.value),
        unit(assigned.around),
        unit(assigned.path),
    )
}
