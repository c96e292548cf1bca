//! The prefilter equals aho-corasick on every input, with each kernel that this processor runs.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use straykey::detector::DetectorSet;
use straykey::engine::Engine;
use straykey::engine::prefilter::bucket_key;

use crate::bodies::prefilter::{check, draw};

#[test]
fn an_anchor_is_found_at_every_alignment_and_tail_length() {
    let anchors = [
        (b"ghp_".to_vec(), false),
        (b"secret_key".to_vec(), true),
        (b"sk".to_vec(), false),
    ];
    let anchors = anchors.to_vec();
    for (bytes, _) in &anchors {
        for before in 0..150 {
            for after in 0..150 {
                let text = [&vec![b'x'; before][..], bytes, &vec![b'y'; after]].concat();
                assert!(check(&anchors, &text) > 0, "{before} {after}");
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
        assert_eq!(check(&anchors.to_vec(), &text), 40, "{step}");
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
        check(&anchors, text.as_bytes());
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
        check(&anchors, &text);
    }

    #[test]
    fn equals_the_automaton_on_what_a_fuzzer_sees(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let (anchors, text) = draw(&bytes);
        check(&anchors, &text);
    }
}

#[test]
fn nearly_all_built_in_anchors_have_a_bucket_of_their_own() {
    let known: HashSet<&[u8]> = include_bytes!("../../src/engine/prefilter/buckets.txt")
        .split(|&byte| byte == b'\n')
        .filter_map(|line| line.get(..8))
        .collect();
    let engine = Engine::new(Arc::new(DetectorSet::builtin()));
    let long = engine.anchors().iter();
    let long = long.filter(|anchor| anchor.bytes().len() >= 4);
    let all = long.clone().count();
    let lack = long
        .filter(|anchor| !known.contains(&bucket_key(anchor)[..]))
        .count();
    assert!(
        20 * lack < all,
        "{lack} of {all} have none: run examples/buckets.rs"
    );
}
