//! What stands before a key on its line.

use crate::model::Span;

/// The byte order mark of UTF-8, with which some editors begin a text (RFC 3629, section 6).
pub(in crate::engine) const MARK: &[u8] = b"\xef\xbb\xbf";

/// What stands on the line before a key, as far as it tells something.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    text: &'a [u8],
    /// Whether the text reaches back to the start of the line.
    whole: bool,
}

impl<'a> Head<'a> {
    /// How far before the key is looked, in bytes.
    pub(super) const REACH: usize = 64;

    pub(super) fn of(text: &'a [u8], key: Span) -> Self {
        let floor = key.start.saturating_sub(Self::REACH);
        let before = &text[floor..key.start];
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        match before.iter().rposition(is_end) {
            Some(end) => Self {
                text: &before[end + 1..],
                whole: true,
            },
            None => Self {
                text: match floor {
                    0 => before.strip_prefix(MARK).unwrap_or(before),
                    _ => before,
                },
                whole: floor == 0,
            },
        }
    }

    pub(super) fn last(self) -> Option<u8> {
        self.text.last().copied()
    }

    pub(super) fn is_one_of(self, words: &[&[u8]]) -> bool {
        self.whole && words.contains(&self.text.trim_ascii())
    }

    /// Whether only blanks, a list dash or a keyword of a configuration language stand there.
    pub(super) fn is_start(self) -> bool {
        self.is_one_of(&[
            b"", b"-", b":", b"export", b"set", b"ENV", b"ARG", b"$env:", b"#", b"//", b"\"", b"'",
            b";", b"*", b"- -", b"SET", b"setx", b"--", b"#!", b"//!", b"$", b"##",
        ])
    }

    /// Whether the key is one of a mapping on its line: `{user: admin, password`.
    pub(super) fn is_in_mapping(self) -> bool {
        let text = self.text.trim_ascii_end();
        matches!(text.last(), Some(b'{' | b',')) && text.contains(&b'{')
    }

    /// Whether the key is itself the value of a `name`, in any syntax.
    pub(super) fn names(self) -> bool {
        let sign = |byte: &u8| matches!(byte, b'"' | b'\'' | b' ' | b':' | b'=');
        let end = self.text.iter().rposition(|byte| !sign(byte));
        let text = end.map_or(&[][..], |end| &self.text[..=end]);
        text.len() < self.text.len() && text.to_ascii_lowercase().ends_with(b"name")
    }
}
