//! A scan that knows what a text was made from finds what a scan of the whole text finds.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use straykey::detector::DetectorSet;
use straykey::engine::{Engine, Scratch};
use straykey::model::{Blob, Copied, Kinship, Match, Trace};

use super::bytes::Bytes;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(Arc::new(DetectorSet::builtin())));

/// A text, and what it has of the one before.
pub(crate) type Version = (Vec<u8>, Vec<Copied>);

/// Scans a line of texts, each made from the one before, in both ways. Returns the number of
/// matches.
pub(crate) fn check(versions: &[Version]) -> usize {
    let mut scratch = Scratch::default();
    let mut base: Option<Trace> = None;
    let mut total = 0;
    for (text, copies) in versions {
        let trace = RefCell::default();
        let kinship = Kinship {
            base: base.as_ref().map(|trace| (trace, &**copies)),
            trace: &trace,
        };
        let mut found = Vec::new();
        let blob = Blob::new(text);
        ENGINE.scan_kin(&blob, Some(&kinship), &mut scratch, &mut |m| found.push(m));
        let expected = whole(text, &mut scratch);
        // Not `assert_eq`: what differs would be printed, and that is made of secrets.
        assert!(found == expected, "{} not {}", found.len(), expected.len());
        total += expected.len();
        base = Some(trace.into_inner());
    }
    total
}

fn whole(text: &[u8], scratch: &mut Scratch) -> Vec<Match> {
    let mut found = Vec::new();
    ENGINE.scan(&Blob::new(text), scratch, &mut |m| found.push(m));
    found
}

/// A text of `phrases` and other bytes, and versions of it.
pub(crate) fn draw(bytes: &[u8], phrases: &[Vec<u8>]) -> Vec<Version> {
    const LONGEST: usize = 1 << 14;
    let mut bytes = Bytes::new(bytes);
    let mut versions: Vec<Version> = Vec::new();
    while !bytes.is_empty() && versions.len() < 8 {
        let base = versions.last().map_or(&[][..], |(text, _)| text);
        let (mut text, mut copies) = (Vec::new(), Vec::new());
        for _ in 0..1 + bytes.byte() % 8 {
            match bytes.byte() {
                choice @ 0..=127 => {
                    let from = bytes.below(base.len());
                    let rest = base.len() - from;
                    let len = match choice {
                        0..=63 => rest,
                        _ => bytes.below(rest + 1),
                    };
                    if len > 0 && text.len() + len <= LONGEST {
                        let to = text.len();
                        copies.push(Copied { from, to, len });
                        text.extend_from_slice(&base[from..from + len]);
                    }
                }
                choice @ 128..=191 => {
                    let phrase = &phrases[bytes.below(phrases.len())];
                    let start = match choice {
                        128..=159 => 0,
                        _ => bytes.below(phrase.len()),
                    };
                    text.extend_from_slice(&phrase[start..]);
                }
                choice @ 192..=207 => text.extend(vec![b'\n'; usize::from(choice)]),
                choice => text.extend_from_slice(bytes.take(usize::from(choice - 207))),
            }
        }
        versions.push((text, copies));
    }
    versions
}
