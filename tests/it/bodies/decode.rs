//! Base64 runs are those of their definition, and decoding ends well on any bytes.

use straykey::engine::decode::{Base64Runs, base64, utf16};
use straykey::model::Span;

pub(crate) fn check(text: &[u8]) {
    let runs: Vec<_> = Base64Runs::new(text).collect();
    assert_eq!(runs, plain_runs(text));
    let mut out = Vec::new();
    for run in runs {
        base64(&text[run.range()], &mut out);
        assert!(out.len() <= run.len() * 3 / 4);
    }
    base64(text, &mut out);
    assert!(out.len() <= text.len());
    let Some(wide) = utf16(text) else { return };
    let utf8 = std::str::from_utf8(wide.bytes()).expect("UTF-8");
    for (start, _) in utf8.char_indices() {
        let span = Span::new(start, utf8.len());
        let place = wide.original(span);
        assert!(place.start <= place.end && place.end <= text.len());
        assert_eq!(wide.decoded(place), span);
    }
}

/// At least 32 characters of either alphabet with letters of both cases, and up to two `=`.
fn plain_runs(text: &[u8]) -> Vec<Span> {
    let is_base64 = |b: &&u8| b.is_ascii_alphanumeric() || b"+/-_".contains(b);
    let mut runs = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let len = text[at..].iter().take_while(is_base64).count();
        let (run, rest) = text[at..].split_at(len);
        let padding = rest.iter().take(2).take_while(|&&byte| byte == b'=');
        let has = |is: fn(&u8) -> bool| run.iter().any(is);
        if len >= 32 && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) {
            runs.push(Span::new(at, at + len + padding.count()));
        }
        at += len.max(1);
    }
    runs
}
