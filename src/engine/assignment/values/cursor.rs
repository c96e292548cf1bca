//! A place behind a key that moves forward over what it is given.

use crate::engine::judge::{guess, reference};
use crate::model::Span;

use super::head::Head;
use super::watched::Watched;
use super::{Form, Sign, Value};
use crate::engine::assignment::MAX_VALUE;
use crate::engine::assignment::keys::is_key_byte;

/// Most elements of a list that are looked at.
const MAX_ITEMS: usize = 16;
/// Most parts of a text that is put together.
const MAX_PIECES: usize = 32;
/// Longest unquoted password with signs of code.
const MAX_STRONG: usize = 64;
/// What no such password holds.
const OF_CODE: &[&[u8]] = &[
    b"(", b"[", b"{{", b"${", b"=>", b"->", b"::", b"</", b"&&", b"||", b"://",
];
/// How public keys, certificates and whatever is decoded as PEM begin in base64.
const PUBLIC: &[&[u8]] = &[b"AAAA", b"MII", b"MIG", b"MFkw", b"MCow", b"LS0tLS1"];
/// How far into a block, in bytes, its value is looked for.
const MAX_BLOCK: usize = 256;

/// Blanks around an operator, and what its left side is.
#[derive(Clone, Copy)]
pub(super) struct Spaces {
    pub(super) before: usize,
    pub(super) after: usize,
    /// Whether the key is a member of an object of code.
    pub(super) member: bool,
}

/// What a key that is the value of another key leads to.
pub(super) struct Paired {
    pub(super) value: Option<Value>,
}

/// A place in the text that moves forward.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) text: Watched<'a>,
    pub(super) at: usize,
}

impl Cursor<'_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.byte(self.at)
    }

    pub(super) fn skip_while(&mut self, most: usize, holds: impl Fn(u8) -> bool) -> usize {
        let count = self.text.count(self.at, most, holds);
        self.at += count;
        count
    }

    /// Blanks and ends of lines; whether there were any.
    fn skip_space(&mut self) -> bool {
        self.skip_while(40, |byte| byte.is_ascii_whitespace()) > 0
    }

    pub(super) fn skip_blanks(&mut self) -> usize {
        self.skip_while(40, |byte| matches!(byte, b' ' | b'\t'))
    }

    pub(super) fn eat(&mut self, word: &[u8]) -> bool {
        let there = self.is_before(word);
        if there {
            self.at += word.len();
        }
        there
    }

    fn is_before(&self, word: &[u8]) -> bool {
        self.text.stretch(self.at, word.len()) == word
    }

    fn eat_word(&mut self, word: &[u8]) -> bool {
        let there = self.text.stretch(self.at, word.len());
        let there = there.eq_ignore_ascii_case(word);
        if there {
            self.at += word.len();
        }
        there
    }

    /// The value beside a key that is itself named: `<add key="password" value="…">`, `<password value="…">`,
    /// `"name": "PASSWORD", "value": "…"`, `<key>password</key> <string>…</string>`. `None`, without
    /// a step, when it is no such key.
    pub(super) fn paired(&mut self, head: Head<'_>, closed: bool) -> Option<Paired> {
        let start = self.at;
        if !closed && self.is_before(b"->") {
            return None;
        }
        if self.eat(b">") {
            let value = self.element(if closed { Form::Bare } else { Form::Element });
            return Some(Paired { value });
        }
        if self.eat(b"</key>") || self.eat(b"</name>") {
            self.skip_space();
            let tags: [&[u8]; 3] = [b"<string>", b"<value>", b"<defaultValue>"];
            let value = match tags.iter().any(|tag| self.eat(tag)) {
                true => self.element(Form::Bare),
                false => None,
            };
            return Some(Paired { value });
        }
        self.eat(b",");
        if (closed || head.names() || head.last() == Some(b'<')) && self.skip_space() {
            self.skip_while(1, |byte| byte == b'"');
            let named = self.eat_word(b"value");
            self.skip_while(1, |byte| byte == b'"');
            self.skip_blanks();
            if named && (self.eat(b"=") || self.eat(b":")) {
                self.skip_blanks();
                let value = self.quoted(Sign::Beside);
                let value = value.or_else(|| self.bare(Sign::Beside));
                return Some(Paired { value });
            }
        }
        self.at = start;
        None
    }

    /// What stands behind an operator.
    pub(super) fn right_hand_side(
        mut self,
        head: Head<'_>,
        operator: Sign,
        spaces: Spaces,
        closed: bool,
        flag: bool,
        out: &mut Vec<Value>,
    ) {
        if let Some(value) = self.quoted(operator) {
            out.push(self.put_together(value, false));
            return;
        }
        if operator == Sign::Colon && self.skip_type() {
            out.extend(
                self.quoted(Sign::Equals)
                    .or_else(|| self.wrapped(Sign::Equals)),
            );
            return;
        }
        if let Some(value) = self.fallback() {
            out.push(value);
            return;
        }
        if let Some(value) = self.wrapped(operator) {
            out.push(value);
            return;
        }
        match self.peek() {
            Some(b'[' | b'(') => return self.items(out),
            Some(b'{') => {
                out.extend(self.block());
                return;
            }
            Some(b'|' | b'>') if operator == Sign::Colon => {
                out.extend(self.next_line());
                return;
            }
            _ => {}
        }
        out.extend(self.unquoted_value(head, operator, spaces, closed, flag));
    }

    fn unquoted_value(
        self,
        head: Head<'_>,
        operator: Sign,
        spaces: Spaces,
        closed: bool,
        flag: bool,
    ) -> Option<Value> {
        let tight = spaces.before == 0 && spaces.after == 0;
        let config = match operator {
            Sign::Colon => spaces.after > 0,
            Sign::Equals => tight || spaces.before > 0 && spaces.after > 0,
            _ => false,
        };
        let start = head.is_start() || head.is_one_of(&[b"- \"", b"- '"]);
        if spaces.member && operator == Sign::Equals {
            // `self.password = name`
            return None;
        }
        let bare = (config && start).then(|| self.bare(operator)).flatten();
        if bare.is_some() || closed {
            return bare;
        }
        // `PGPASSWORD=… psql`, `name=shop password=…`, `?api_key=…`, `tool --password=…`,
        // `-F 'password=…'`
        let opener = |byte: u8| b" \t?&\"'`;,(".contains(&byte);
        let apart = flag || start || head.last().is_some_and(opener);
        // `-H 'X-Api-Key: …'`
        let header = operator == Sign::Colon && config;
        let in_quotes = header && matches!(head.last(), Some(b'"' | b'\''));
        let words = in_quotes || (operator == Sign::Equals && tight && apart);
        if words {
            return self.word(operator);
        }
        (header && head.is_in_mapping())
            .then(|| self.flow())
            .flatten()
    }

    /// An unquoted value of a mapping on one line. What could be a name of code is none.
    fn flow(self) -> Option<Value> {
        let (value, mut rest) = self.unquoted(Sign::Flow);
        rest.skip_blanks();
        let ends = matches!(rest.peek(), Some(b',' | b'}'));
        let value = value.filter(|_| ends)?;
        let bytes = self.text.span(value.span);
        let has = |kind: fn(&u8) -> bool| bytes.iter().any(kind);
        let is_name = bytes.iter().all(|&byte| is_key_byte(byte));
        let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
        (mixed && (!is_name || !guess::is_guessable(bytes))).then_some(value)
    }

    /// `: String = "…"` behind the colon.
    pub(super) fn typed(mut self, operator: Sign) -> Option<Value> {
        let typed = operator == Sign::Colon && self.skip_type();
        typed.then(|| self.quoted(Sign::Equals)).flatten()
    }

    /// `String("…")`, `new Password("…")`, `[]byte("…")`: a literal that is the only argument of a
    /// function.
    pub(super) fn wrapped(self, sign: Sign) -> Option<Value> {
        let mut rest = self;
        rest.eat(b"&");
        if rest.eat(b"new ") {
            rest.skip_blanks();
        }
        let start = rest.at;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:[]<>!".contains(&byte);
        rest.skip_while(64, is_name);
        let callee = Span::new(start, rest.at);
        if callee.is_empty() || !rest.eat(b"(") {
            return None;
        }
        rest.skip_space();
        let mut value = rest.quoted(sign)?;
        rest.skip_space();
        value.callee = Some(callee);
        (rest.peek() == Some(b')')).then_some(value)
    }

    /// The literal with those that are added to it: `"…" + "…"`, `"…" . '…'`, `"…" \` on the next line;
    /// inside brackets also those that follow on the next line without a sign.
    fn put_together(&mut self, mut value: Value, in_brackets: bool) -> Value {
        let mut pieces = vec![value.span];
        while pieces.len() < MAX_PIECES {
            let mut rest = *self;
            let start = rest.at;
            rest.skip_space();
            let signs: [&[u8]; 5] = [b"+", b"..", b".", b"&", b"\\"];
            let joins = signs.iter().any(|sign| rest.eat(sign));
            let next_line = self.text.span(Span::new(start, rest.at)).contains(&b'\n');
            if !(joins || in_brackets && next_line) {
                break;
            }
            rest.skip_space();
            let Some(next) = rest.quoted(value.sign) else {
                break;
            };
            pieces.push(next.span);
            *self = rest;
        }
        if let [_, .., last] = pieces.as_slice() {
            value.span.end = last.end;
            value.pieces = pieces;
        }
        value
    }

    /// `["…", "…"]`
    fn items(mut self, out: &mut Vec<Value>) {
        self.at += 1;
        for _ in 0..MAX_ITEMS {
            self.skip_space();
            let Some(value) = self.quoted(Sign::Item) else {
                return;
            };
            out.push(self.put_together(value, true));
            self.skip_space();
            if !self.eat(b",") {
                return;
            }
        }
    }

    /// `{ value: "…" }`, `{ default = "…" }`, `{ "…" }`.
    pub(super) fn block(mut self) -> Option<Value> {
        self.eat(b"{");
        self.skip_space();
        if let Some(value) = self.quoted(Sign::Beside) {
            self.skip_blanks();
            return (self.peek() == Some(b'}')).then_some(value);
        }
        let rest = self.text.stretch(self.at, MAX_BLOCK);
        let end = rest
            .iter()
            .position(|&byte| byte == b'}')
            .unwrap_or(rest.len());
        for name in [&b"value"[..], b"default"] {
            let found = rest[..end]
                .windows(name.len())
                .position(|word| word == name);
            let Some(at) = found else { continue };
            let mut cursor = self;
            cursor.at += at + name.len();
            cursor.skip_while(1, |byte| byte == b'"' || byte == b'\'');
            cursor.skip_blanks();
            if cursor.operator().is_some() {
                cursor.skip_blanks();
                return cursor.quoted(Sign::Beside);
            }
        }
        None
    }

    /// The value of YAML that begins on the next line: `password: |`.
    fn next_line(mut self) -> Option<Value> {
        self.skip_while(3, |byte| matches!(byte, b'|' | b'>' | b'-' | b'+'));
        self.skip_blanks();
        self.skip_while(1, |byte| byte == b'\r');
        if !self.eat(b"\n") || self.skip_blanks() == 0 {
            return None;
        }
        self.bare(Sign::Colon)
    }

    /// The literal that a look-up falls back on: `os.environ.get("KEY", "…")`, `${KEY:-…}`.
    pub(super) fn fallback(&self) -> Option<Value> {
        let is_end = |byte| matches!(byte, b'\n' | b'\r');
        let length = self.text.count(self.at, MAX_VALUE, |byte| !is_end(byte));
        let line = self.text.span(Span::new(self.at, self.at + length));
        let literal = reference::literal_in_reference(line)?;
        Some(Value {
            span: Span::new(self.at + literal.start, self.at + literal.end),
            form: Form::Double,
            sign: Sign::Fallback,
            callee: None,
            pieces: Vec::new(),
        })
    }

    pub(super) fn operator(&mut self) -> Option<Sign> {
        for (sign, operator) in [
            (&b":="[..], Sign::Arrow),
            (b"=>", Sign::Arrow),
            (b"->", Sign::Arrow),
            (b"<-", Sign::Arrow),
            (b"===", Sign::Compare),
            (b"==", Sign::Compare),
            (b"!==", Sign::Compare),
            (b"!=", Sign::Compare),
            (b"?=", Sign::Arrow),
            (b"||=", Sign::Arrow),
            (b"||", Sign::Fallback),
            (b"??", Sign::Fallback),
            (b"+=", Sign::Arrow),
            (b"=", Sign::Equals),
            (b"::", Sign::Colon),
            (b":", Sign::Colon),
        ] {
            if self.eat(sign) {
                return (sign != b"::").then_some(operator);
            }
        }
        None
    }

    /// `: String =`, `: &str =`, `: Option<string> =` between the colon and the value.
    fn skip_type(&mut self) -> bool {
        let start = self.at;
        let length = self.skip_while(40, is_type_byte);
        self.skip_blanks();
        let assigned = length > 0 && self.eat(b"=");
        self.skip_blanks();
        if !assigned {
            self.at = start;
        }
        assigned
    }

    /// What is behind the type that stands between a name and its value: `password string = "…"`,
    /// `password As String = "…"`, `@password nvarchar(50) = N'…'`.
    pub(super) fn declared(mut self) -> Option<Value> {
        if self.eat_word(b"as ") {
            self.skip_blanks();
        }
        let start = self.at;
        self.skip_while(LONGEST_TYPE, |byte| byte.is_ascii_alphabetic());
        is_type(self.text.span(Span::new(start, self.at))).then_some(())?;
        if self.eat(b"(") {
            self.skip_while(5, |byte| byte.is_ascii_alphanumeric());
            self.eat(b")").then_some(())?;
        }
        self.skip_blanks();
        let assigned = self.operator() == Some(Sign::Equals);
        self.skip_blanks();
        assigned.then(|| self.quoted(Sign::Equals)).flatten()
    }

    /// A quoted text on this line, with the prefixes and escapes of the usual languages; the place
    /// moves behind it.
    pub(super) fn quoted(&mut self, sign: Sign) -> Option<Value> {
        let start = self.at;
        let found = self.quoted_or_lost(sign);
        if found.is_none() {
            self.at = start;
        }
        found
    }

    fn quoted_or_lost(&mut self, sign: Sign) -> Option<Value> {
        self.skip_while(2, |byte| b"bBrRuUfFLN@$#\\".contains(&byte));
        let quote = self.peek()?;
        let form = match quote {
            b'"' => Form::Double,
            b'\'' => Form::Single,
            b'`' => Form::Backtick,
            _ => return None,
        };
        let before = self.at.checked_sub(1).and_then(|at| self.text.byte(at));
        let escaped = before == Some(b'\\');
        let triple = self.is_before(&[quote; 3]);
        let open = self.at + if triple { 3 } else { 1 };
        let limit = open + MAX_VALUE;
        let mut at = open;
        let mut closed = false;
        while at < limit
            && let Some(byte) = self.text.byte(at)
        {
            match byte {
                b'\n' | b'\r' => return None,
                // An escaped quote closes a text that an escaped quote opened.
                b'\\' if escaped && self.text.byte(at + 1) == Some(quote) => closed = true,
                b'\\' => at += 2,
                byte if byte == quote => closed = true,
                _ => at += 1,
            }
            if closed {
                break;
            }
        }
        let behind = at + if triple { 3 } else { 1 + usize::from(escaped) };
        self.at = self.text.within(behind);
        (closed && at > open).then(|| Value {
            span: Span::new(open, at),
            form,
            sign,
            callee: None,
            pieces: Vec::new(),
        })
    }

    /// `<password>…</password>`, from behind the first `>`.
    fn element(&mut self, form: Form) -> Option<Value> {
        let start = self.at;
        self.skip_while(MAX_VALUE, |byte| {
            !matches!(byte, b'<' | b'>' | b'\n' | b'\r')
        });
        let value = Span::new(start, self.at);
        (self.eat(b"</") && !value.is_empty()).then_some(Value {
            span: value,
            form,
            sign: Sign::Beside,
            callee: None,
            pieces: Vec::new(),
        })
    }

    /// An unquoted value that is the rest of the line, before a comment.
    pub(super) fn bare(&self, sign: Sign) -> Option<Value> {
        // An anchor or an alias of YAML.
        if sign == Sign::Colon && matches!(self.peek(), Some(b'&' | b'*')) {
            return None;
        }
        let (value, mut rest) = self.unquoted(sign);
        let blanks = rest.skip_blanks();
        let ends = match rest.peek() {
            None | Some(b'\n' | b'\r') => true,
            Some(b'#' | b';' | b'\\') => blanks > 0,
            Some(b'"' | b'\'' | b'`') => blanks == 0,
            _ => false,
        };
        value.filter(|_| ends).or_else(|| self.strong(sign))
    }

    /// An unquoted password with signs that otherwise end a value: `key=a_1|B{z`. Only what holds
    /// letters of both cases and digits up to the end of the line, and looks like no code.
    fn strong(&self, sign: Sign) -> Option<Value> {
        let mut rest = *self;
        rest.skip_while(MAX_STRONG + 1, |byte| {
            byte.is_ascii_graphic() && !b"\"'`\\".contains(&byte)
        });
        let span = Span::new(self.at, rest.at);
        let bytes = self.text.span(span);
        let has = |kind: fn(&u8) -> bool| bytes.iter().any(kind);
        let mixed =
            has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
        let is_code = OF_CODE
            .iter()
            .any(|code| bytes.windows(code.len()).any(|it| it == *code));
        let bounded = bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.last().is_some_and(|byte| !b",;)]}>".contains(byte));
        let ends = matches!(rest.peek(), None | Some(b'\n' | b'\r'));
        let strong =
            (8..=MAX_STRONG).contains(&bytes.len()) && mixed && bounded && ends && !is_code;
        strong.then_some(Value {
            span,
            form: Form::Bare,
            sign,
            callee: None,
            pieces: Vec::new(),
        })
    }

    /// Unquoted base64 with its padding: a key even where the name before it could be that of a table.
    pub(super) fn padded(&self, sign: Sign) -> Option<Value> {
        let value = self.bare(sign)?;
        let bytes = self.text.span(value.span);
        let padding = bytes.iter().rev().take_while(|&&byte| byte == b'=').count();
        let digits = &bytes[..bytes.len() - padding];
        let has = |kind: fn(&u8) -> bool| digits.iter().any(kind);
        let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let padded = (1..=2).contains(&padding)
            && bytes.len() >= 24
            && digits.iter().all(base64)
            && has(u8::is_ascii_lowercase)
            && has(u8::is_ascii_uppercase)
            && has(u8::is_ascii_digit)
            && !PUBLIC.iter().any(|start| bytes.starts_with(start));
        padded.then_some(value)
    }

    /// An unquoted value up to a blank, a quote or the next parameter of an address.
    pub(super) fn word(&self, sign: Sign) -> Option<Value> {
        let (value, rest) = self.unquoted(sign);
        let ends = matches!(
            rest.peek(),
            None | Some(b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'`' | b';' | b',' | b')')
        );
        let mut value = value.filter(|_| ends)?;
        let bytes = self.text.span(value.span);
        if let Some(end) = bytes.iter().position(|&byte| byte == b'&') {
            value.span.end = value.span.start + end;
        }
        (!value.span.is_empty()).then_some(value)
    }

    /// The longest unquoted text here, and what follows it.
    fn unquoted(&self, sign: Sign) -> (Option<Value>, Self) {
        let is_value = |byte: u8| {
            byte > 0x7f || byte.is_ascii_graphic() && !b"\"'`(){}[]<>;,|".contains(&byte)
        };
        let mut rest = *self;
        rest.skip_while(MAX_VALUE, is_value);
        let span = Span::new(self.at, rest.at);
        let value = (!span.is_empty()).then_some(Value {
            span,
            form: Form::Bare,
            sign,
            callee: None,
            pieces: Vec::new(),
        });
        (value, rest)
    }
}

/// Types of texts that are written behind a name, with a blank between, in lower case.
const TYPES: &[&[u8]] = &[
    b"char",
    b"nchar",
    b"nvarchar",
    b"securestring",
    b"str",
    b"string",
    b"text",
    b"varchar",
];
const LONGEST_TYPE: usize = 12;

/// Whether a byte stands in types that follow a colon.
pub(in crate::engine::assignment) fn is_type_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_&'<>?![].".contains(&byte)
}

/// Whether a word is the type of a text, in any case.
pub(in crate::engine::assignment) fn is_type(word: &[u8]) -> bool {
    TYPES.iter().any(|known| known.eq_ignore_ascii_case(word))
}
