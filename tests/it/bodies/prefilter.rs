//! Every kernel of the prefilter finds what aho-corasick finds.

use aho_corasick::AhoCorasick;
use straykey::engine::prefilter::{Anchor, Hit, Prefilter, Simd, Strip};

use super::bytes::Bytes;

/// Literals, and whether their case is ignored.
pub(crate) type Anchors = Vec<(Vec<u8>, bool)>;

/// Returns how much was found.
pub(crate) fn check(anchors: &Anchors, text: &[u8]) -> usize {
    let list: Vec<_> = anchors
        .iter()
        .map(|(bytes, ignore_case)| Anchor::new(bytes, *ignore_case))
        .collect();
    let expected = expected(anchors, text);
    for simd in Simd::supported() {
        let mut hits = Vec::new();
        Prefilter::new(list.clone(), simd).find(text, &mut Strip::default(), &mut hits);
        hits.sort();
        assert_eq!(hits, expected, "{simd}");
    }
    expected.len()
}

fn expected(anchors: &Anchors, text: &[u8]) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (number, (bytes, ignore_case)) in anchors.iter().enumerate() {
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(*ignore_case)
            .build([bytes])
            .expect("one literal");
        for found in automaton.find_overlapping_iter(text) {
            hits.push(Hit {
                start: found.start(),
                anchor: number as u32,
            });
        }
    }
    hits.sort();
    hits
}

/// Anchors, and a text in which some of them stand between other bytes.
pub(crate) fn draw(bytes: &[u8]) -> (Anchors, Vec<u8>) {
    let mut bytes = Bytes::new(bytes);
    let mut anchors = Anchors::new();
    for _ in 0..1 + bytes.below(12) {
        let choice = bytes.byte();
        let anchor = bytes.take(1 + usize::from(choice) / 2 % Anchor::LONGEST);
        if !anchor.is_empty() {
            anchors.push((anchor.to_vec(), choice % 2 == 1));
        }
    }
    let mut text = Vec::new();
    while !anchors.is_empty() && !bytes.is_empty() && text.len() < 1 << 14 {
        match bytes.byte() {
            choice @ 0..=99 => {
                let (anchor, _) = &anchors[usize::from(choice) % anchors.len()];
                text.extend_from_slice(anchor);
            }
            choice @ 100..=139 => text.extend(vec![bytes.byte(); usize::from(choice)]),
            choice => text.extend_from_slice(bytes.take(usize::from(choice - 139))),
        }
    }
    (anchors, text)
}
