//! Finds the end of a long secret from its start, where no pattern of bounded length could.
//!
//! A detector names an extent; the pattern matches the beginning, the extent says where the
//! secret begins and ends. What is cut short, elided or a mere header has no extent and is not
//! reported. Work is bounded: no extent looks further than 64 KiB.

pub(crate) mod der;
pub(crate) mod pem;
mod putty;
mod service_account;

use crate::model::Span;

type Extent = fn(&[u8], Span) -> Option<Span>;

/// All extents by name; the names are those of [`crate::detector::EXTENTS`].
const EXTENTS: &[(&str, Extent)] = &[
    ("der", der::raw),
    ("der-base64", der::extent),
    ("pem", pem::extent),
    ("putty", putty::extent),
    ("service-account-json", service_account::extent),
];

/// Base64 characters that the shortest private key has: an Ed25519 key in PKCS#8.
const SHORTEST_BODY: usize = 64;

/// Extends the match at `start` of `text` to the whole secret with the extent called `name`, one
/// of [`crate::detector::EXTENTS`]; `None` when no whole secret stands there.
pub fn extend(name: &str, text: &[u8], start: Span) -> Option<Span> {
    let (_, extent) = EXTENTS.iter().find(|(known, _)| *known == name)?;
    if start.start > start.end || start.end > text.len() {
        return None;
    }
    extent(text, start)
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detector;
    use crate::detector::template::expand;

    #[test]
    fn every_extent_is_registered_once() {
        let mut registered: Vec<_> = EXTENTS.iter().map(|(name, _)| *name).collect();
        let mut named = detector::EXTENTS.to_vec();
        named.sort_unstable();
        registered.sort_unstable();
        assert_eq!(registered, named);
    }

    #[test]
    fn unknown_names_and_spans_out_of_bounds_have_no_extent() {
        assert_eq!(extend("nothing", b"abc", Span::new(0, 3)), None);
        assert_eq!(extend("pem", b"abc", Span::new(0, 4)), None);
    }

    fn change() -> impl Strategy<Value = (prop::sample::Index, u8)> {
        any::<(prop::sample::Index, u8)>()
    }

    proptest! {
        #[test]
        fn extents_stay_inside_any_text(
            before in prop::collection::vec(any::<u8>(), 0..40),
            which in 0..4usize,
            seed in 0..100u64,
            changes in prop::collection::vec(change(), 0..4),
        ) {
            let template = [
                "{{pem:RSA PRIVATE KEY}}",
                "{{pem-line:PRIVATE KEY}}",
                "PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 1\n{{base64:64}}\nPrivate-MAC: {{hex:40}}",
                "{\"type\": \"service_account\", \"private_key\": \"{{pem-line:PRIVATE KEY}}\"}",
            ][which];
            let mut text = before.clone();
            text.extend(expand(template, seed).expect("valid").text.into_bytes());
            for (at, byte) in changes {
                let at = at.index(text.len());
                text[at] = byte;
            }
            let start = Span::new(before.len(), before.len() + 10);
            for name in detector::EXTENTS {
                if let Some(span) = extend(name, &text, start) {
                    prop_assert!(span.start < span.end && span.end <= text.len());
                }
            }
        }
    }
}
