//! Runs of base64 characters are those of their definition.

use proptest::prelude::*;

use crate::bodies::decode::check;

proptest! {
    #[test]
    fn runs_are_those_of_the_definition(
        pieces in prop::collection::vec(("[a-f=+/ -]{0,3}", 0..700usize, "[A-Za-z]?"), 0..8),
    ) {
        let piece = |(odd, len, last): &(String, usize, String)| {
            format!("{odd}{}{last}", "aB".repeat(*len / 2))
        };
        check(pieces.iter().map(piece).collect::<String>().as_bytes());
    }

    #[test]
    fn any_bytes_decode_without_trouble(
        mark in prop::sample::select(vec![&b""[..], b"\xff\xfe", b"\xfe\xff"]),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        wide in any::<bool>(),
    ) {
        let high: &[u8] = if wide { &[0] } else { &[] };
        let text = bytes.iter().flat_map(|byte| [&[*byte][..], high].concat());
        check(&[mark.to_vec(), text.collect()].concat());
    }
}
