//! Values: the literal that a key is given, in the syntaxes that there are for that.

use crate::model::Span;

use super::MAX_VALUE;

/// A literal, and how it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) span: Span,
    pub(super) quoted: bool,
}

/// The literal assigned to the key at `key`.
pub(super) fn value_after(text: &[u8], key: Span) -> Option<Value> {
    let mut cursor = Cursor { text, at: key.end };
    // `"password"`, `['password']`, `password")`
    let closed = cursor.skip_while(3, |byte| matches!(byte, b'"' | b'\'' | b'`' | b']' | b'\\'));
    let space = cursor.skip_blanks();
    if closed > 0 && space > 0 && cursor.eat_word(b"value") {
        // `<add key="password" value="…">`
        cursor.skip_blanks();
        return cursor.eat(b"=").then(|| cursor.quoted())?;
    }
    if closed == 0 && cursor.eat(b">") {
        return cursor.element();
    }
    let operator = cursor.operator()?;
    let space_after = cursor.skip_blanks();
    if let Some(value) = cursor.quoted() {
        return Some(value);
    }
    if operator == Operator::Colon && cursor.skip_type() {
        return cursor.quoted();
    }
    let tight = space == 0 && space_after == 0;
    let config = match operator {
        Operator::Colon => space == 0 && space_after > 0,
        Operator::Equals => tight || space == space_after,
        Operator::Other => false,
    };
    (config && starts_line(text, key)).then(|| cursor.bare())?
}

/// Whether only blanks, a list dash or a keyword of a configuration language stand before the key.
fn starts_line(text: &[u8], key: Span) -> bool {
    let floor = key.start.saturating_sub(64);
    let before = &text[floor..key.start];
    let line = match before
        .iter()
        .rposition(|&byte| matches!(byte, b'\n' | b'\r'))
    {
        Some(end) => &before[end + 1..],
        None if floor == 0 => before,
        None => return false,
    };
    let words: &[&[u8]] = &[
        b"", b"-", b"export", b"set", b"ENV", b"ARG", b"$env:", b"#", b"//", b"\"", b"'",
    ];
    words.contains(&line.trim_ascii())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Colon,
    Equals,
    Other,
}

/// A place in the text that moves forward, never past the line.
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_while(&mut self, most: usize, holds: impl Fn(u8) -> bool) -> usize {
        let rest = &self.text[self.at..];
        let count = rest
            .iter()
            .take(most)
            .take_while(|&&byte| holds(byte))
            .count();
        self.at += count;
        count
    }

    fn skip_blanks(&mut self) -> usize {
        self.skip_while(40, |byte| matches!(byte, b' ' | b'\t'))
    }

    fn eat(&mut self, word: &[u8]) -> bool {
        let there = self.text[self.at..].starts_with(word);
        if there {
            self.at += word.len();
        }
        there
    }

    fn eat_word(&mut self, word: &[u8]) -> bool {
        let there = self.text.get(self.at..self.at + word.len());
        let there = there.is_some_and(|there| there.eq_ignore_ascii_case(word));
        if there {
            self.at += word.len();
        }
        there
    }

    fn operator(&mut self) -> Option<Operator> {
        for (sign, operator) in [
            (&b":="[..], Operator::Other),
            (b"=>", Operator::Other),
            (b"===", Operator::Other),
            (b"==", Operator::Other),
            (b"!==", Operator::Other),
            (b"!=", Operator::Other),
            (b"?=", Operator::Other),
            (b"||=", Operator::Other),
            (b"=", Operator::Equals),
            (b"::", Operator::Other),
            (b":", Operator::Colon),
        ] {
            if self.eat(sign) {
                return (sign != b"::").then_some(operator);
            }
        }
        None
    }

    /// `: String =`, `: &str =`, `: Option<string> =` between the colon and the value.
    fn skip_type(&mut self) -> bool {
        let is_type = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'_' | b'&' | b'\'' | b'<' | b'>' | b'?' | b'!' | b'[' | b']' | b'.'
                )
        };
        let start = self.at;
        let length = self.skip_while(40, is_type);
        self.skip_blanks();
        let assigned = length > 0 && self.eat(b"=");
        self.skip_blanks();
        if !assigned {
            self.at = start;
        }
        assigned
    }

    /// A quoted text on this line, with the prefixes and escapes of the usual languages.
    fn quoted(&mut self) -> Option<Value> {
        let start = self.at;
        self.skip_while(2, |byte| {
            matches!(byte, b'b' | b'r' | b'u' | b'f' | b'R' | b'L' | b'@' | b'\\')
        });
        let quote = match self.peek() {
            Some(quote @ (b'"' | b'\'' | b'`')) => quote,
            _ => {
                self.at = start;
                return None;
            }
        };
        let open = self.at + 1;
        let limit = self.text.len().min(open + MAX_VALUE);
        let mut at = open;
        while at < limit {
            match self.text[at] {
                b'\n' | b'\r' => return None,
                // An escaped quote closes a text that an escaped quote opened.
                b'\\'
                    if self.text.get(at + 1) == Some(&quote)
                        && self.text[open - 2..].first() == Some(&b'\\') =>
                {
                    break;
                }
                b'\\' => at += 2,
                byte if byte == quote => break,
                _ => at += 1,
            }
        }
        let closed = at < limit && at > open;
        closed.then(|| Value {
            span: Span::new(open, at),
            quoted: true,
        })
    }

    /// `<password>…</password>`
    fn element(&mut self) -> Option<Value> {
        let start = self.at;
        self.skip_while(MAX_VALUE, |byte| {
            !matches!(byte, b'<' | b'>' | b'\n' | b'\r')
        });
        let value = Span::new(start, self.at);
        (self.eat(b"</") && !value.is_empty()).then_some(Value {
            span: value,
            quoted: true,
        })
    }

    /// An unquoted value that is the rest of the line, before a comment.
    fn bare(&mut self) -> Option<Value> {
        let start = self.at;
        let is_value = |byte: u8| {
            byte.is_ascii_graphic()
                && !matches!(
                    byte,
                    b'"' | b'\''
                        | b'`'
                        | b'('
                        | b')'
                        | b'{'
                        | b'}'
                        | b'['
                        | b']'
                        | b'<'
                        | b'>'
                        | b';'
                        | b','
                        | b'|'
                )
        };
        self.skip_while(MAX_VALUE, is_value);
        let value = Span::new(start, self.at);
        let blanks = self.skip_blanks();
        let ends = match self.peek() {
            None | Some(b'\n' | b'\r') => true,
            Some(b'#') => blanks > 0,
            _ => false,
        };
        (ends && !value.is_empty()).then_some(Value {
            span: value,
            quoted: false,
        })
    }
}
