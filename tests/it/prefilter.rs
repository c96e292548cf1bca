//! The prefilter equals aho-corasick on every input.

use aho_corasick::AhoCorasick;
use proptest::prelude::*;
use straykey::engine::prefilter::{Anchor, Hit, Prefilter};

fn found(anchors: &[(Vec<u8>, bool)], text: &[u8]) -> Vec<Hit> {
    let list = anchors
        .iter()
        .map(|(bytes, ignore_case)| Anchor::new(bytes, *ignore_case));
    let mut hits = Vec::new();
    Prefilter::new(list.collect()).find(text, &mut hits);
    hits.sort();
    hits
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
        for before in 0..40 {
            for after in 0..40 {
                let text = [&vec![b'x'; before][..], bytes, &vec![b'y'; after]].concat();
                let hits = found(&anchors, &text);
                assert_eq!(hits, expected(&anchors, &text), "{before} {after}");
                assert!(!hits.is_empty());
            }
        }
    }
}

proptest! {
    #[test]
    fn equals_the_automaton(
        anchors in prop::collection::vec(("[abAB_@0]{1,7}", any::<bool>()), 1..12),
        text in "[abAB_@0\n]{0,300}",
    ) {
        let mut anchors: Vec<_> = anchors.into_iter().map(|(s, i)| (s.into_bytes(), i)).collect();
        anchors.sort();
        anchors.dedup();
        prop_assert_eq!(found(&anchors, text.as_bytes()), expected(&anchors, text.as_bytes()));
    }

    #[test]
    fn equals_the_automaton_on_any_bytes(
        anchors in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..9), any::<bool>()), 1..8),
        text in prop::collection::vec(any::<u8>(), 0..400),
        plant in any::<prop::sample::Index>(),
    ) {
        let mut text = text;
        let at = plant.index(text.len() + 1);
        let planted = anchors[plant.index(anchors.len())].0.clone();
        text.splice(at..at, planted);
        prop_assert_eq!(found(&anchors, &text), expected(&anchors, &text));
    }
}
