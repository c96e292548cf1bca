//! The prefilter equals aho-corasick on every input, with each kernel that this processor runs.

use aho_corasick::AhoCorasick;
use proptest::prelude::*;
use straykey::engine::prefilter::{Anchor, Hit, Prefilter, Simd, Strip};

/// What each kernel finds.
fn found(anchors: &[(Vec<u8>, bool)], text: &[u8]) -> Vec<(Simd, Vec<Hit>)> {
    let list: Vec<_> = anchors
        .iter()
        .map(|(bytes, ignore_case)| Anchor::new(bytes, *ignore_case))
        .collect();
    let with = |simd| {
        let mut hits = Vec::new();
        Prefilter::new(list.clone(), simd).find(text, &mut Strip::default(), &mut hits);
        hits.sort();
        (simd, hits)
    };
    Simd::supported().map(with).collect()
}

fn expected(anchors: &[(Vec<u8>, bool)], text: &[u8]) -> Vec<Hit> {
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

#[test]
fn an_anchor_is_found_at_every_alignment_and_tail_length() {
    let anchors = [
        (b"ghp_".to_vec(), false),
        (b"secret_key".to_vec(), true),
        (b"sk".to_vec(), false),
    ];
    for (bytes, _) in &anchors {
        for before in 0..150 {
            for after in 0..150 {
                let text = [&vec![b'x'; before][..], bytes, &vec![b'y'; after]].concat();
                let expected = expected(&anchors, &text);
                assert!(!expected.is_empty());
                for (simd, hits) in found(&anchors, &text) {
                    assert_eq!(hits, expected, "{simd} {before} {after}");
                }
            }
        }
    }
}

#[test]
fn an_anchor_is_found_across_the_strips_of_a_long_text() {
    let anchors = [(b"ghp_".to_vec(), false), (b"secret_key".to_vec(), true)];
    for step in 1..40 {
        let filler = vec![b'x'; step * 13];
        let text = [&filler[..], b"ghp_", &filler, b"SECRET_key"]
            .concat()
            .repeat(20);
        let expected = expected(&anchors, &text);
        assert_eq!(expected.len(), 40);
        for (simd, hits) in found(&anchors, &text) {
            assert_eq!(hits, expected, "{simd} {step}");
        }
    }
}

proptest! {
    #[test]
    fn equals_the_automaton(
        anchors in prop::collection::vec(("[abAB_@0]{1,7}", any::<bool>()), 1..12),
        text in "[abAB_@0\n]{0,1500}",
    ) {
        let mut anchors: Vec<_> = anchors.into_iter().map(|(s, i)| (s.into_bytes(), i)).collect();
        anchors.sort();
        anchors.dedup();
        let expected = expected(&anchors, text.as_bytes());
        for (simd, hits) in found(&anchors, text.as_bytes()) {
            prop_assert_eq!(&hits, &expected, "{}", simd);
        }
    }

    #[test]
    fn equals_the_automaton_on_any_bytes(
        anchors in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..9), any::<bool>()), 1..8),
        text in prop::collection::vec(any::<u8>(), 0..1500),
        plant in any::<prop::sample::Index>(),
    ) {
        let mut text = text;
        let at = plant.index(text.len() + 1);
        let planted = anchors[plant.index(anchors.len())].0.clone();
        text.splice(at..at, planted);
        let expected = expected(&anchors, &text);
        for (simd, hits) in found(&anchors, &text) {
            prop_assert_eq!(&hits, &expected, "{}", simd);
        }
    }
}
