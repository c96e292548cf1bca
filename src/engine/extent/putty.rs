//! PuTTY's key files, from their first line to the line with the MAC.

use super::{SHORTEST_BODY, find};
use crate::model::Span;

const HEAD: &[u8] = b"PuTTY-User-Key-File-";
const FARTHEST: usize = 64 * 1024;

/// From the header that `start` touches to the end of the MAC; the private part must be there.
pub(super) fn extent(text: &[u8], start: Span) -> Option<Span> {
    let from =
        start.start + find(&text[start.start..], HEAD).filter(|&at| at < start.len().max(1))?;
    let file = &text[from..text.len().min(from.saturating_add(FARTHEST))];
    let mac = [&b"Private-MAC: "[..], b"Private-Hash: "]
        .iter()
        .find_map(|word| Some(find(file, word)? + word.len()))?;
    let digits = file[mac..]
        .iter()
        .take_while(|c| c.is_ascii_hexdigit())
        .count();
    let private = find(&file[..mac], b"Private-Lines: ")?;
    let base64 = |c: &&u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'=');
    let body = file[private..mac].iter().filter(base64).count();
    // The words of the two header lines are counted too.
    let whole = digits >= 40 && body >= SHORTEST_BODY;
    whole.then(|| Span::new(from, from + mac + digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::template::expand;

    #[test]
    fn a_key_file_ends_with_its_mac() {
        let template = "x\n«PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: c\n\
            Public-Lines: 2\n{{base64:64}}\n{{base64:20}}\nPrivate-Lines: 1\n{{base64:48}}\n\
            Private-MAC: {{hex:64}}»\nrest";
        let drawn = expand(template, 1).expect("valid");
        let at = drawn.text.find("PuTTY").expect("inside");
        let span = extent(drawn.text.as_bytes(), Span::new(at, at + 22)).expect("whole");
        assert_eq!(
            &drawn.text.as_bytes()[span.range()],
            drawn.secret.as_bytes()
        );
    }

    #[test]
    fn a_header_or_a_cut_file_is_nothing() {
        for text in [
            "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\n",
            "PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 8\n...\nPrivate-MAC: abc\n",
        ] {
            assert_eq!(extent(text.as_bytes(), Span::new(0, 20)), None);
        }
    }
}
