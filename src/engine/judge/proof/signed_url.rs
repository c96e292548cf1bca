//! URLs that carry a signature instead of a login: when they end.

use super::azure::{moment, parameters, query_around};
use super::{Candidate, Verdict};

/// Names of the moment from which a URL counts, and of the seconds that it lives.
const FROM_AND_SECONDS: &[(&[u8], &[u8])] = &[
    (b"X-Amz-Date", b"X-Amz-Expires"),
    (b"X-Goog-Date", b"X-Goog-Expires"),
];

/// A signature in a URL, whose other parameters state the end.
pub(super) fn signed_url(candidate: Candidate<'_>) -> Verdict {
    let query = query_around(candidate);
    let value = |name: &[u8]| {
        let mut values = parameters(query).filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.next().and_then(|(_, value)| moment(value))
    };
    let from_start = FROM_AND_SECONDS
        .iter()
        .find_map(|(from, seconds)| value(from)?.checked_add(value(seconds)?));
    match from_start.or_else(|| value(b"Expires")) {
        Some(end) => Verdict::structure("signed URL", Some(end)),
        None => Verdict::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::super::prove;
    use super::*;
    use crate::model::Span;

    fn verdict(url: &str) -> Verdict {
        let text = format!("GET '{url}'");
        let at = text.find("SIGN").expect("inside");
        prove("signed-url", text.as_bytes(), Span::new(at, at + 4))
    }

    #[test]
    fn the_end_is_counted_from_the_start_or_stated() {
        let ended = |end| Verdict::structure("signed URL", Some(end));
        let amz = "https://s3.example/a?X-Amz-Date=20240301T120000Z&X-Amz-Expires=3600&X-Amz-Signature=SIGN";
        assert_eq!(verdict(amz), ended(1_709_298_000));
        let goog = "https://gcs.example/a?X-Goog-Signature=SIGN&amp;X-Goog-Date=20240301T120000Z&amp;X-Goog-Expires=60";
        assert_eq!(verdict(goog), ended(1_709_294_460));
        let stated = "https://cdn.example/a?Expires=1709294400&Signature=SIGN&Key-Pair-Id=K1";
        assert_eq!(verdict(stated), ended(1_709_294_400));
        assert_eq!(
            verdict("https://cdn.example/a?Signature=SIGN"),
            Verdict::Open
        );
    }
}
