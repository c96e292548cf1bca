//! PEM blocks as they stand in files, strings, JSON, YAML, comments and diffs.
//!
//! Reads from the BEGIN line to the END line of the same label and collects the base64 between
//! them, over line breaks, their escapes, and the seams of strings joined in code. Anything else
//! between the two lines (`...`, `<snip>`) makes it no block. What the base64 holds is not looked
//! at here; see `judge::proof`.

use super::{SHORTEST_BODY, find};
use crate::model::Span;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const LONGEST: usize = 64 * 1024;
const LONGEST_LABEL: usize = 64;
/// Longest piece of code between two joined strings: `" + vbCrLf + _ "`.
const LONGEST_SEAM: usize = 96;
const LONGEST_HEADER: usize = 256;

/// A whole PEM block.
pub(crate) struct Block<'a> {
    /// From the first dash of BEGIN to the last dash of END.
    pub(crate) span: Span,
    /// `RSA PRIVATE KEY`.
    pub(crate) label: &'a [u8],
    /// Header lines such as `DEK-Info: AES-128-CBC,…`, without the colon.
    pub(crate) headers: Vec<(&'a [u8], &'a [u8])>,
    /// Base64 characters and their padding, without breaks.
    pub(crate) body: Vec<u8>,
    /// Where the last line begins in `body`.
    pub(crate) last_line: usize,
}

/// From the BEGIN that the match at `start` holds to its END.
pub(super) fn extent(text: &[u8], start: Span) -> Option<Span> {
    let matched = &text[start.start..text.len().min(start.end.saturating_add(BEGIN.len()))];
    let block = Block::read(text, start.start + find(matched, BEGIN)?)?;
    (block.body.len() >= SHORTEST_BODY).then_some(block.span)
}

impl<'a> Block<'a> {
    /// Reads the block whose BEGIN line starts at `at`; `None` when it is cut, elided or longer
    /// than 64 KiB.
    pub(crate) fn read(text: &'a [u8], at: usize) -> Option<Self> {
        let mut reader = Reader::new(text, at)?;
        while !reader.step()? {}
        Some(Self {
            span: Span::new(at, reader.at),
            label: reader.label,
            headers: reader.headers,
            body: reader.body,
            last_line: reader.last_line,
        })
    }

    /// The value of the header called `name`.
    pub(crate) fn header(&self, name: &str) -> Option<&'a [u8]> {
        let named = |(known, _): &&(&[u8], &[u8])| known.eq_ignore_ascii_case(name.as_bytes());
        self.headers.iter().find(named).map(|&(_, value)| value)
    }
}

/// Collects base64 over breaks, escapes and seams.
pub(super) struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    label: &'a [u8],
    /// What begins every line of a comment or a diff: `#`, `//`, `+`.
    marker: &'a [u8],
    headers: Vec<(&'a [u8], &'a [u8])>,
    body: Vec<u8>,
    last_line: usize,
    after_break: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8], at: usize) -> Option<Self> {
        let text = &text[..text.len().min(at.saturating_add(LONGEST))];
        let rest = text.get(at..)?.strip_prefix(BEGIN)?;
        let length = find(&rest[..rest.len().min(LONGEST_LABEL)], DASHES)?;
        let label = &rest[..length];
        let plain = |c: &u8| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == b' ';
        let head = BEGIN.len() + length + DASHES.len();
        let after = text.get(at + head..)?;
        (!label.is_empty() && label.iter().all(plain)).then(|| Self {
            text,
            at: at + head + remark(after),
            label,
            marker: marker_before(text, at),
            headers: Vec::new(),
            body: Vec::new(),
            last_line: 0,
            after_break: true,
        })
    }

    /// Of base64 that starts at `at` without a BEGIN line.
    pub(super) fn bare(text: &'a [u8], at: usize) -> Self {
        Self {
            text: &text[..text.len().min(at.saturating_add(LONGEST))],
            at,
            label: &[],
            marker: marker_before(text, at),
            headers: Vec::new(),
            body: Vec::new(),
            last_line: 0,
            after_break: false,
        }
    }

    /// The next `count` characters, and where the last of them ends.
    pub(super) fn take(&mut self, count: usize) -> Option<(Vec<u8>, usize)> {
        while self.body.len() < count {
            self.step()?;
        }
        Some((std::mem::take(&mut self.body), self.at))
    }

    fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    /// Takes the next piece; `true` when that was the END line, `None` when it fits nowhere.
    fn step(&mut self) -> Option<bool> {
        let rest = self.rest();
        match *rest.first()? {
            b'-' => return self.end().map(|()| true),
            b'\n' => self.line_break(),
            b' ' | b'\t' | b'\r' => self.skip_break(1),
            b'\\' => self.escape()?,
            quote @ (b'"' | b'\'' | b'`') => self.seam(quote)?,
            b'&' => self.entity()?,
            b'%' => self.percent()?,
            b'<' => self.tag()?,
            c if is_base64(c) => {
                if !(self.body.is_empty() && self.after_break && self.header_line()) {
                    self.push(c);
                    self.at += 1;
                }
            }
            _ => return None,
        }
        Some(false)
    }

    fn push(&mut self, c: u8) {
        if self.after_break {
            self.last_line = self.body.len();
            self.after_break = false;
        }
        self.body.push(c);
    }

    fn skip_break(&mut self, count: usize) {
        self.at += count;
        self.after_break = true;
    }

    /// A real line break, with indentation and comment marker of the next line.
    fn line_break(&mut self) {
        self.skip_break(1);
        let indent = self
            .rest()
            .iter()
            .take_while(|c| matches!(c, b' ' | b'\t'))
            .count();
        let line = &self.rest()[indent..];
        // A list item's dash stands before BEGIN only: the dashes of END are not a marker.
        let is_end = line.starts_with(END);
        if !self.marker.is_empty() && !is_end && line.starts_with(self.marker) {
            self.at += indent + self.marker.len();
        }
    }

    fn end(&mut self) -> Option<()> {
        let rest = self.rest().strip_prefix(END)?.strip_prefix(self.label)?;
        rest.starts_with(DASHES).then_some(())?;
        self.at += END.len() + self.label.len() + DASHES.len();
        Some(())
    }

    /// `\n`, `\\n`, `\r`, `\t`, `\/`, `\u002b`, `\x0a`, a backslash at the end of a line, or an
    /// escaped quote.
    fn escape(&mut self) -> Option<()> {
        let slashes = self.rest().iter().take_while(|&&c| c == b'\\').count();
        let after = &self.rest()[slashes..];
        match *after.first()? {
            b'n' | b'r' | b't' => self.skip_break(slashes + 1),
            b'/' => {
                self.push(b'/');
                self.at += slashes + 1;
            }
            b'\n' | b'\r' => self.skip_break(slashes),
            quote @ (b'"' | b'\'' | b'`') => {
                self.at += slashes;
                self.seam(quote)?;
            }
            b'u' => self.number(slashes + 1, after.get(1..5)?, 16)?,
            b'x' => self.number(slashes + 1, after.get(1..3)?, 16)?,
            b'0' | b'1' => self.number(slashes, after.get(..3)?, 8)?,
            _ => return None,
        }
        Some(())
    }

    /// A character written as a number: a break, or a base64 character.
    fn number(&mut self, before: usize, digits: &[u8], radix: u32) -> Option<()> {
        let digits_text = std::str::from_utf8(digits).ok()?;
        let c = u8::try_from(u32::from_str_radix(digits_text, radix).ok()?).ok()?;
        match c {
            b'\n' | b'\r' | b'\t' | b' ' => self.skip_break(before + digits.len()),
            c if is_base64(c) => {
                self.push(c);
                self.at += before + digits.len();
            }
            _ => return None,
        }
        Some(())
    }

    /// The end of a string that is joined to another: quote, operators, quote.
    fn seam(&mut self, quote: u8) -> Option<()> {
        let inside = |c: &&u8| {
            c.is_ascii_whitespace()
                || c.is_ascii_alphabetic()
                || matches!(
                    c,
                    b'+' | b'.' | b',' | b'&' | b'\\' | b'_' | b'(' | b')' | b'@' | b'$'
                )
        };
        let after = &self.rest()[1..];
        let length = after.iter().take(LONGEST_SEAM).take_while(inside).count();
        let next = *after.get(length)?;
        if next != quote && !matches!(next, b'"' | b'\'' | b'`') {
            return None;
        }
        self.skip_break(length + 2);
        Some(())
    }

    /// `&#10;`, `&#xA;`, and the base64 characters written that way.
    fn entity(&mut self) -> Option<()> {
        let digits = self.rest().strip_prefix(b"&#")?;
        let length = find(&digits[..digits.len().min(8)], b";")?;
        let (number, radix, before) = match digits[..length].split_first() {
            Some((b'x' | b'X', hex)) => (hex, 16, 3),
            _ => (&digits[..length], 10, 2),
        };
        self.number(before, number, radix)?;
        self.at += 1;
        Some(())
    }

    fn percent(&mut self) -> Option<()> {
        let digits = self.rest().get(1..3)?;
        self.number(1, digits, 16)
    }

    /// `<br>` and its kin.
    fn tag(&mut self) -> Option<()> {
        let tags: [&[u8]; 3] = [b"<br>", b"<br/>", b"<br />"];
        let tag = tags.iter().find(|tag| self.rest().starts_with(tag))?;
        self.skip_break(tag.len());
        Some(())
    }

    /// Takes a line `Name: value` when one stands here.
    fn header_line(&mut self) -> bool {
        let rest = self.rest();
        let letter = |c: &&u8| c.is_ascii_alphanumeric() || **c == b'-';
        let name = rest.iter().take(32).take_while(letter).count();
        if !rest[name..].starts_with(b": ") {
            return false;
        }
        let value = &rest[name + 2..];
        let ends = |c: &u8| matches!(c, b'\n' | b'\r' | b'\\' | b'"' | b'\'' | b'`');
        let Some(length) = value.iter().take(LONGEST_HEADER).position(ends) else {
            return false;
        };
        self.headers.push((&rest[..name], &value[..length]));
        self.at += name + 2 + length;
        true
    }
}

/// Length of a word or two after the dashes of the BEGIN line; a line of a body is longer.
fn remark(text: &[u8]) -> usize {
    const LONGEST: usize = 32;
    let ends = |c: &u8| matches!(c, b'\n' | b'\r' | b'\\');
    let length = text.iter().take(LONGEST).position(ends).unwrap_or(0);
    let words = |c: &u8| c.is_ascii_alphanumeric() || *c == b' ';
    match text[..length].iter().all(words) {
        true => length,
        false => 0,
    }
}

/// The comment or diff sign that stands alone before the BEGIN line.
fn marker_before(text: &[u8], at: usize) -> &[u8] {
    const LONGEST: usize = 4;
    let line = text[..at]
        .iter()
        .rposition(|&c| c == b'\n')
        .map_or(0, |end| end + 1);
    let marker = text[line..at].trim_ascii();
    let sign = |c: &u8| {
        matches!(
            c,
            b'#' | b'/' | b'*' | b';' | b'>' | b'|' | b'+' | b'-' | b'!'
        )
    };
    match marker.len() <= LONGEST && marker.iter().all(sign) {
        true => marker,
        false => &[],
    }
}

pub(super) fn is_base64(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::template::expand;

    /// The extent found from the first BEGIN of a text.
    fn extended(text: &str) -> Option<&str> {
        let at = text.find("-----BEGIN").expect("inside");
        let span = extent(text.as_bytes(), Span::new(at, at + 5))?;
        std::str::from_utf8(&text.as_bytes()[span.range()]).ok()
    }

    fn block(label: &str) -> String {
        let template = format!("{{{{pem:{label}}}}}");
        let drawn = expand(&template, 11).expect("valid").secret;
        drawn.trim_end().to_owned()
    }

    fn body(text: &str) -> Vec<u8> {
        let at = text.find("-----BEGIN").expect("inside");
        Block::read(text.as_bytes(), at).expect("a block").body
    }

    #[test]
    fn a_block_ends_at_the_end_of_its_label() {
        let key = block("RSA PRIVATE KEY");
        let other = block("EC PRIVATE KEY");
        assert_eq!(extended(&format!("x\n{key}\n{other}\n")), Some(&*key));
        let crossed = key.replace("END RSA", "END EC");
        assert_eq!(extended(&crossed), None);
    }

    #[test]
    fn line_breaks_may_be_written_in_any_way() {
        let key = block("PRIVATE KEY");
        let expected = body(&key);
        let lines: Vec<_> = key.lines().collect();
        let indented = |margin: &str| format!("{margin}{}", lines.join(&format!("\n{margin}")));
        for text in [
            key.replace('\n', "\r\n"),
            key.replace('\n', "\\n"),
            key.replace('\n', "\\\\n"),
            key.replace('\n', "\\r\\n"),
            key.replace('\n', "\\n\\\n"),
            key.replace('\n', " "),
            key.replace('\n', "&#10;"),
            key.replace('\n', "&#xA;"),
            key.replace('\n', "%0A"),
            key.replace('\n', "<br/>\n"),
            key.replace('\n', "\\u000a"),
            key.replace('/', "\\/"),
            key.replacen("-----\n", "----- not for production\n", 1),
            format!("key: |\n{}", indented("    ")),
            format!("a = [\n- {}", lines.join("\n  ")),
            indented("# "),
            indented("// "),
            indented("+"),
            indented("-"),
            format!("\"{}\"", lines.join("\\n\" +\n    \"")),
            format!("'{}'", lines.join("' .\n '")),
            format!("(\"{}\")", lines.join("\\n\"\n\"")),
            format!("\"{}\"", lines.join("\" & vbCrLf & _\n    \"")),
            format!("['{}'].join()", lines.join("', '")),
            format!("\\\"{}\\\"", lines.join("\\\\n\\\" + \\\"")),
        ] {
            assert!(
                extended(&text).is_some(),
                "no extent in {} bytes of {:.60}",
                text.len(),
                text
            );
            assert_eq!(body(&text), expected);
        }
    }

    #[test]
    fn headers_are_kept_apart_from_the_body() {
        let template = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
            DEK-Info: AES-128-CBC,{{HEX:32}}\n\n{{base64:64}}\n{{base64:64}}\n-----END RSA PRIVATE KEY-----";
        let text = expand(template, 1).expect("valid").secret;
        let block = Block::read(text.as_bytes(), 0).expect("whole");
        assert_eq!(block.header("proc-type"), Some(&b"4,ENCRYPTED"[..]));
        assert_eq!((block.body.len(), block.last_line), (128, 64));
    }

    #[test]
    fn cut_and_elided_blocks_are_nothing() {
        let head = "-----BEGIN RSA PRIVATE KEY-----";
        let tail = "-----END RSA PRIVATE KEY-----";
        for template in [
            format!("{head}\n...\n{tail}"),
            format!("{head}\nMIIE...\n{tail}"),
            format!("{head}\n{{{{base64:64}}}}\n[...]\n{{{{base64:64}}}}\n{tail}"),
            format!("{head}\n{{{{base64:64}}}}\n"),
            format!("{head}\n{{{{base64:60}}}}\n{tail}"),
            format!("{head}{tail}"),
            format!("'{head}' in text and '{tail}' in text"),
            format!("\"{head}\\n{{{{base64:64}}}}\"; \"{tail}\""),
            format!("{head}\n{{{{base64:70000}}}}\n{tail}"),
        ] {
            let text = expand(&template, 1).expect("valid").text;
            assert_eq!(extended(&text), None, "{template}");
        }
    }
}
