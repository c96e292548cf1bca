//! What a source lends to the engine.

/// How the bytes of a blob are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// Text: anchored tokens, assignments and encodings are looked for.
    Text,
    /// Binary: only anchored tokens are looked for.
    Binary,
}

impl Content {
    /// Bytes looked at by [`Content::sniff`]; the size that git uses for the same question.
    const SNIFF: usize = 8000;

    /// Guesses from the first block: a NUL byte means binary, unless the text is UTF-16.
    pub fn sniff(bytes: &[u8]) -> Self {
        let head = bytes.get(..Self::SNIFF).unwrap_or(bytes);
        match memchr::memchr(0, head) {
            Some(_) => Self::Binary,
            None => Self::Text,
        }
    }
}

/// Borrowed bytes to scan. Where they come from stays with the source.
#[derive(Clone, Copy, Debug)]
pub struct Blob<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Text or binary.
    pub content: Content,
}

impl<'a> Blob<'a> {
    /// A blob whose content kind is sniffed.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            content: Content::sniff(bytes),
        }
    }
}
