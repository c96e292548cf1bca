//! Private keys and identities whose public half was seen by the same scan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Seen, proved};
use crate::engine::judge::proof::{PublicKind, public_id};
use crate::finding::Finding;
use crate::model::{Lifetime, Severity};

/// The most secrets whose public half is read or computed, the worst findings first.
const MOST_SECRETS: usize = 1024;

/// Proves private keys by their public halves.
pub(super) fn prove(findings: &mut [Finding], publics: &BTreeSet<Seen>, now: i64) {
    let mut by_id: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    for seen in publics {
        by_id.entry(&seen.public.id).or_default().push(seen);
    }
    if by_id.is_empty() {
        return;
    }
    let private = findings.iter_mut().filter(|finding| is_private(finding));
    for finding in private.take(MOST_SECRETS) {
        let id = public_id(finding.secret.expose());
        if let Some(seen) = id.and_then(|id| by_id.get(id.as_str())) {
            fits(finding, seen, now);
        }
    }
}

/// A glance, so that only what may be a key is decoded.
fn is_private(finding: &Finding) -> bool {
    let secret = finding.secret.expose();
    let has = |word| memchr::memmem::find(secret, word).is_some();
    secret.starts_with(b"MI") || secret.starts_with(b"MC") || has(b"PRIVATE KEY") || {
        secret.len() < 256 && secret.to_ascii_uppercase().starts_with(b"AGE-SECRET-KEY-")
    }
}

/// Says what the key belongs to. Certificates that have ended, and nothing else, end it too.
fn fits(finding: &mut Finding, seen: &[&Seen], now: i64) {
    // The certificate that lasts longest speaks for all, then whatever stands first.
    let lasts = |seen: &&&Seen| match seen.public.kind {
        PublicKind::Certificate { ends_at, .. } => (1, ends_at.unwrap_or(i64::MAX)),
        _ => (0, 0),
    };
    let Some(best) = seen.iter().rev().max_by_key(lasts) else {
        return;
    };
    let place = best.at.phrase();
    let ended = seen.iter().all(|seen| has_ended(seen.public.kind, now));
    let (what, ends_at) = match best.public.kind {
        PublicKind::Certificate {
            ends_at,
            self_issued,
        } => {
            let kind = if self_issued {
                "self-signed certificate"
            } else {
                "certificate"
            };
            let mut what = format!("it is the key of the {kind} {place}");
            if let Some(day) = ends_at.and_then(day) {
                let tense = if has_ended(best.public.kind, now) {
                    "ended"
                } else {
                    "ends"
                };
                what += &format!(", which {tense} on {day}");
            }
            (what, ends_at.filter(|_| ended))
        }
        PublicKind::Request => (
            format!("it is the key of the certificate request {place}"),
            None,
        ),
        PublicKind::Key => (format!("its public key stands {place}"), None),
        PublicKind::Recipient => (format!("its recipient stands {place}"), None),
    };
    let confidence = finding.confidence;
    proved(finding, what, ends_at);
    // A passphrase still locks it.
    finding.confidence = confidence;
    if ended {
        finding.severity = Severity::Note;
        finding.lifetime = Lifetime::Expired;
    }
}

fn has_ended(kind: PublicKind, now: i64) -> bool {
    matches!(kind, PublicKind::Certificate { ends_at: Some(end), .. } if end < now)
}

/// The day in UTC.
fn day(seconds: i64) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?.to_string();
    time.split_once('T').map(|(day, _)| day.to_owned())
}
