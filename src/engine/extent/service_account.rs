//! Google's service-account files: the JSON object around a match.

use super::find;
use crate::model::Span;

const LONGEST: usize = 16 * 1024;

/// From the brace that opens the object around `start` to the one that closes it.
///
/// Strings are not told apart from the rest: these files are flat, no value of theirs holds a
/// brace, and so the object is also found when it stands escaped inside a string.
pub(super) fn extent(text: &[u8], start: Span) -> Option<Span> {
    let from = opening(text, start.start)?;
    let to = closing(text, from)?;
    let object = &text[from..to];
    let whole = to >= start.end
        && find(object, b"service_account").is_some()
        && find(object, b"private_key").is_some();
    whole.then(|| Span::new(from, to))
}

fn opening(text: &[u8], at: usize) -> Option<usize> {
    // The match may begin with the brace itself.
    if text.get(at) == Some(&b'{') {
        return Some(at);
    }
    let mut depth = 0usize;
    for back in at.saturating_sub(LONGEST)..at {
        let here = at - 1 - (back - at.saturating_sub(LONGEST));
        match text[here] {
            b'}' => depth += 1,
            b'{' if depth == 0 => return Some(here),
            b'{' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// One past the brace that closes the one at `from`.
fn closing(text: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.iter().enumerate().skip(from).take(LONGEST) {
        match c {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::template::expand;

    fn extended(template: &str, from: &str) -> (Option<String>, String) {
        let drawn = expand(template, 3).expect("valid");
        let at = drawn.text.find(from).expect("inside");
        let span = extent(drawn.text.as_bytes(), Span::new(at, at + from.len()));
        let found = span.map(|span| {
            let bytes = &drawn.text.as_bytes()[span.range()];
            String::from_utf8_lossy(bytes).into_owned()
        });
        (found, drawn.secret)
    }

    #[test]
    fn the_object_around_the_match_is_taken() {
        for template in [
            r#"[{"a": {}}, «{"type": "service_account", "private_key": "{{pem-line:PRIVATE KEY}}"}», {}]"#,
            r#"key = '«{\"type\": \"service_account\", \"private_key\": \"{{base64:90}}\"}»'"#,
        ] {
            let (found, secret) = extended(template, "service_account");
            assert_eq!(found, Some(secret));
        }
    }

    #[test]
    fn other_objects_and_open_ones_are_nothing() {
        for template in [
            r#"{"type": "service_account", "client_email": "{{alnum:9}}"}"#,
            r#"{"type": "service_account", "private_key": "{{alnum:9}}""#,
            r#"type: service_account, private_key: {{alnum:9}}"#,
        ] {
            assert_eq!(extended(template, "service_account").0, None, "{template}");
        }
    }
}
