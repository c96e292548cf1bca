//! Values: the literal that a key is given, in the syntaxes that there are for that.

use crate::engine::judge::reference;
use crate::model::Span;

use super::{MAX_VALUE, keys};

/// A literal, and how it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) span: Span,
    pub(super) quoted: bool,
}

/// The literal assigned to the key at `key`.
pub(super) fn value_after(text: &[u8], key: Span) -> Option<Value> {
    let head = Head::of(text, key);
    let mut cursor = Cursor { text, at: key.end };
    // `"password"`, `['password']`, `password")`
    let closed = cursor.skip_while(3, |byte| matches!(byte, b'"' | b'\'' | b'`' | b']' | b'\\'));
    if let Some(paired) = cursor.paired(head, closed > 0) {
        return paired.value;
    }
    if closed == 0 && keys::is_setter(&text[key.range()]) && cursor.eat(b"(") {
        return cursor.quoted();
    }
    let space = cursor.skip_blanks();
    if closed > 0 && head.calls(b"define") && cursor.eat(b",") {
        cursor.skip_blanks();
        return cursor.quoted();
    }
    let flag = text[key.range()].starts_with(b"--");
    if closed == 0 && space > 0 && flag && cursor.peek() != Some(b'=') {
        return cursor.quoted().or_else(|| cursor.word());
    }
    if closed == 0 && space > 0 && head.is_one_of(&[b"#define", b"ENV"]) {
        return cursor.quoted().or_else(|| cursor.bare());
    }
    if space > 0 && &text[key.range()] == b"PASSWORD" && cursor.peek() == Some(b'\'') {
        // `ALTER USER shop PASSWORD '…'`
        return cursor.quoted();
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
    let bare = || (config && head.is_start()).then(|| cursor.bare())?;
    let found = cursor.fallback().or_else(bare);
    if found.is_some() || closed > 0 {
        return found;
    }
    // `PGPASSWORD=… psql`, `name=shop password=…`, `?api_key=…`, `tool --password=…`
    let apart = flag || head.is_start() || matches!(head.last(), Some(b' ' | b'\t' | b'?' | b'&'));
    // `-H 'X-Api-Key: …'`
    let header = operator == Operator::Colon && config;
    let in_quotes = header && matches!(head.last(), Some(b'"' | b'\''));
    let words = in_quotes || (operator == Operator::Equals && tight && apart);
    words.then(|| cursor.word())?
}

/// The literal beside the key at `key` where no operator gives it one: `setenv("KEY", "…")`,
/// `env.KEY || "…"`. Much that stands so is no secret.
pub(super) fn beside(text: &[u8], key: Span) -> Option<Value> {
    let mut cursor = Cursor { text, at: key.end };
    let closed = cursor.skip_while(3, |byte| matches!(byte, b'"' | b'\'' | b'`' | b']' | b'\\'));
    cursor.skip_blanks();
    let is_argument = closed > 0 && Head::of(text, key).calls(b"");
    let leads_on = (is_argument && cursor.eat(b",")) || cursor.eat(b"||") || cursor.eat(b"??");
    cursor.skip_blanks();
    leads_on.then(|| cursor.quoted())?
}

/// What stands on the line before a key, as far as it tells something.
#[derive(Clone, Copy)]
struct Head<'a> {
    text: &'a [u8],
    /// Whether the text reaches back to the start of the line.
    whole: bool,
}

impl<'a> Head<'a> {
    fn of(text: &'a [u8], key: Span) -> Self {
        let floor = key.start.saturating_sub(64);
        let before = &text[floor..key.start];
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        match before.iter().rposition(is_end) {
            Some(end) => Self {
                text: &before[end + 1..],
                whole: true,
            },
            None => Self {
                text: before,
                whole: floor == 0,
            },
        }
    }

    fn last(self) -> Option<u8> {
        self.text.last().copied()
    }

    fn is_one_of(self, words: &[&[u8]]) -> bool {
        self.whole && words.contains(&self.text.trim_ascii())
    }

    /// Whether only blanks, a list dash or a keyword of a configuration language stand there.
    fn is_start(self) -> bool {
        self.is_one_of(&[
            b"", b"-", b":", b"export", b"set", b"ENV", b"ARG", b"$env:", b"#", b"//", b"\"", b"'",
        ])
    }

    /// Whether the key is the first argument, in quotes, of a call of `function`.
    fn calls(self, function: &[u8]) -> bool {
        let call = self.text.strip_suffix(b"'");
        let call = call.or_else(|| self.text.strip_suffix(b"\""));
        let call = call.and_then(|text| text.strip_suffix(b"("));
        call.is_some_and(|text| text.ends_with(function))
    }

    /// Whether the key is itself the value of a `name`, in any syntax.
    fn names(self) -> bool {
        let sign = |byte: &u8| matches!(byte, b'"' | b'\'' | b' ' | b':' | b'=');
        let end = self.text.iter().rposition(|byte| !sign(byte));
        let text = end.map_or(&[][..], |end| &self.text[..=end]);
        text.len() < self.text.len() && text.to_ascii_lowercase().ends_with(b"name")
    }
}

/// What a key that is the value of another key leads to.
struct Paired {
    value: Option<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Colon,
    Equals,
    Other,
}

/// A place in the text that moves forward.
#[derive(Clone, Copy)]
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

    /// Blanks and ends of lines; whether there were any.
    fn skip_space(&mut self) -> bool {
        self.skip_while(40, |byte| byte.is_ascii_whitespace()) > 0
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

    /// The value beside a key that is itself named: `<add key="password" value="…">`,
    /// `"name": "PASSWORD", "value": "…"`, `<key>password</key> <string>…</string>`. `None`, without
    /// a step, when it is no such key.
    fn paired(&mut self, head: Head<'_>, closed: bool) -> Option<Paired> {
        let start = self.at;
        if self.eat(b">") {
            let quoted = !closed;
            let value = self.element(quoted);
            return Some(Paired { value });
        }
        if self.eat(b"</key>") || self.eat(b"</name>") {
            self.skip_space();
            let tags: [&[u8]; 3] = [b"<string>", b"<value>", b"<defaultValue>"];
            let value = match tags.iter().any(|tag| self.eat(tag)) {
                true => self.element(false),
                false => None,
            };
            return Some(Paired { value });
        }
        self.eat(b",");
        if (closed || head.names()) && self.skip_space() {
            self.skip_while(1, |byte| byte == b'"');
            let named = self.eat_word(b"value");
            self.skip_while(1, |byte| byte == b'"');
            self.skip_blanks();
            if named && (self.eat(b"=") || self.eat(b":")) {
                self.skip_blanks();
                let value = self.quoted().or_else(|| self.bare());
                return Some(Paired { value });
            }
        }
        self.at = start;
        None
    }

    /// The literal that a look-up falls back on: `os.environ.get("KEY", "…")`, `${KEY:-…}`.
    fn fallback(&self) -> Option<Value> {
        let rest = &self.text[self.at..self.text.len().min(self.at + MAX_VALUE)];
        let line = rest.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
        let literal = reference::literal_in_reference(line)?;
        Some(Value {
            span: Span::new(self.at + literal.start, self.at + literal.end),
            quoted: true,
        })
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

    /// `<password>…</password>`, from behind the first `>`.
    fn element(&mut self, quoted: bool) -> Option<Value> {
        let start = self.at;
        self.skip_while(MAX_VALUE, |byte| {
            !matches!(byte, b'<' | b'>' | b'\n' | b'\r')
        });
        let value = Span::new(start, self.at);
        (self.eat(b"</") && !value.is_empty()).then_some(Value {
            span: value,
            quoted,
        })
    }

    /// An unquoted value that is the rest of the line, before a comment.
    fn bare(&self) -> Option<Value> {
        let (value, mut rest) = self.unquoted();
        let blanks = rest.skip_blanks();
        let ends = match rest.peek() {
            None | Some(b'\n' | b'\r') => true,
            Some(b'#' | b';') => blanks > 0,
            _ => false,
        };
        value.filter(|_| ends)
    }

    /// An unquoted value up to a blank, a quote or the next parameter of an address.
    fn word(&self) -> Option<Value> {
        let (value, rest) = self.unquoted();
        let ends = matches!(
            rest.peek(),
            None | Some(b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'`')
        );
        let mut value = value.filter(|_| ends)?;
        let bytes = &self.text[value.span.range()];
        if let Some(end) = bytes.iter().position(|&byte| byte == b'&') {
            value.span.end = value.span.start + end;
        }
        (!value.span.is_empty()).then_some(value)
    }

    /// The longest unquoted text here, and what follows it.
    fn unquoted(&self) -> (Option<Value>, Self) {
        let is_value = |byte: u8| byte.is_ascii_graphic() && !b"\"'`(){}[]<>;,|".contains(&byte);
        let mut rest = *self;
        rest.skip_while(MAX_VALUE, is_value);
        let span = Span::new(self.at, rest.at);
        let value = (!span.is_empty()).then_some(Value {
            span,
            quoted: false,
        });
        (value, rest)
    }
}
