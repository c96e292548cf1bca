//! Values: the literals that a key is given, in the syntaxes that there are for that.

mod cursor;
mod head;
pub(super) mod prose;
mod watched;

use std::borrow::Cow;
use std::cell::Cell;

use crate::model::Span;

use super::keys::Class;
use cursor::{Cursor, Spaces};
pub(super) use cursor::{is_type, is_type_byte};
use head::Head;
pub(in crate::engine) use head::MARK;
use watched::Watched;

/// A literal, and how it is written.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) span: Span,
    pub(super) form: Form,
    pub(super) sign: Sign,
    /// The function that the literal is an argument of: `String("…")`.
    pub(super) callee: Option<Span>,
    /// The parts of a text that is put together, or none: `"…" + "…"`.
    pub(super) pieces: Vec<Span>,
}

impl Value {
    /// The literal, put together.
    pub(super) fn bytes<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        match self.pieces.as_slice() {
            [] => Cow::Borrowed(&text[self.span.range()]),
            pieces => {
                let pieces = pieces.iter().map(|piece| &text[piece.range()]);
                Cow::Owned(pieces.flatten().copied().collect())
            }
        }
    }
}

/// What a literal stands in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    Double,
    Single,
    Backtick,
    /// Nothing.
    Bare,
    /// An element of XML.
    Element,
}

impl Form {
    pub(super) fn is_quoted(self) -> bool {
        !matches!(self, Self::Bare)
    }

    /// For features and explanations.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Single => "single",
            Self::Backtick => "backtick",
            Self::Bare => "bare",
            Self::Element => "element",
        }
    }
}

/// What leads from the key to the literal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sign {
    Colon,
    Equals,
    /// `=>`, `->`, `<-`, `:=`, `?=`.
    Arrow,
    /// `==`, `!=`.
    Compare,
    /// `setPassword("…")`.
    Call,
    /// `put("password", "…")`.
    Comma,
    /// `--password …`, `ENV PASSWORD …`.
    Blank,
    /// `<add key="password" value="…">`, `password = { value = "…" }`.
    Beside,
    /// What a look-up falls back on.
    Fallback,
    /// One of a list.
    Item,
    /// `{user: admin, password: …}`: in a mapping on one line.
    Flow,
    /// `the password is …`, `password for the router: …`.
    Prose,
}

impl Sign {
    /// For features and explanations.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Colon => "colon",
            Self::Equals => "equals",
            Self::Arrow => "arrow",
            Self::Compare => "compare",
            Self::Call => "call",
            Self::Comma => "comma",
            Self::Blank => "blank",
            Self::Beside => "beside",
            Self::Fallback => "fallback",
            Self::Item => "item",
            Self::Flow => "flow",
            Self::Prose => "prose",
        }
    }
}

/// How far before a key is looked, in bytes.
pub(super) const BEFORE: usize = Head::REACH;

/// Appends the literals assigned to the key at `key` to `out`. Returns up to where it looked;
/// before the key it does so no further than [`BEFORE`].
pub(super) fn values_after(text: &[u8], key: Span, class: Class, out: &mut Vec<Value>) -> usize {
    let read = Cell::new(key.end);
    let window = &text[..text.len().min(key.end + super::WINDOW)];
    assigned(Watched::new(window, &read), key, class, out);
    read.get()
}

fn assigned(text: Watched<'_>, key: Span, class: Class, out: &mut Vec<Value>) {
    let head = Head::of(text.span(Span::new(0, key.end)), key);
    let mut cursor = Cursor { text, at: key.end };
    // `"password"`, `['password']`, `password")`
    let closed =
        cursor.skip_while(3, |byte| matches!(byte, b'"' | b'\'' | b'`' | b']' | b'\\')) > 0;
    if let Some(paired) = cursor.paired(head, closed) {
        out.extend(paired.value);
        return;
    }
    if !closed && cursor.peek() == Some(b'(') {
        cursor.at += 1;
        cursor.skip_blanks();
        let value = cursor.quoted(Sign::Call);
        cursor.skip_blanks();
        // `auth("user", "…")`: the first of several arguments is somebody else's name.
        let alone = cursor.peek() == Some(b')') || !matches!(class, Class::Auth | Class::Other);
        out.extend(value.filter(|_| alone));
        return;
    }
    let name = text.span(key);
    // `:password, "…"`, `{password, "…"}`
    let symbol = matches!(head.last(), Some(b':' | b'{'));
    if (closed || symbol) && cursor.eat(b",") {
        cursor.skip_blanks();
        // Binaries of Erlang.
        cursor.eat(b"<<");
        let value = cursor.quoted(Sign::Comma);
        out.extend(value.filter(|value| value.form != Form::Backtick));
        return;
    }
    let space = cursor.skip_blanks();
    let flag = name.starts_with(b"--");
    if !closed && space > 0 && flag && cursor.peek() != Some(b'=') {
        out.extend(
            cursor
                .quoted(Sign::Blank)
                .or_else(|| cursor.word(Sign::Blank)),
        );
        return;
    }
    if !closed && space > 0 && head.is_one_of(&[b"#define", b"ENV"]) {
        out.extend(
            cursor
                .quoted(Sign::Blank)
                .or_else(|| cursor.bare(Sign::Blank)),
        );
        return;
    }
    if space > 0 && name.eq_ignore_ascii_case(b"PASSWORD") && cursor.peek() == Some(b'\'') {
        // `ALTER USER shop PASSWORD '…'`
        out.extend(cursor.quoted(Sign::Blank));
        return;
    }
    if !closed
        && space > 0
        && let Some(value) = cursor.declared()
    {
        out.push(value);
        return;
    }
    let prose = space > 0 && !closed && class == Class::Password;
    if prose && cursor.peek().is_some_and(prose::begins) && prose::is_told(name) {
        let value = prose::value(text.unwatched(), key, cursor.at);
        if let Some(value) = value {
            out.push(value);
            return;
        }
    }
    if cursor.peek() == Some(b'{') {
        out.extend(cursor.block());
        return;
    }
    let Some(operator) = cursor.operator() else {
        return;
    };
    let space_after = cursor.skip_blanks();
    // `key = name` is code or a table: only `KEY=value` is taken from keys of no known kind.
    if class == Class::Other && space_after > 0 && cursor.peek().is_some_and(is_name_start) {
        let literal = cursor.quoted(operator).or_else(|| cursor.typed(operator));
        out.extend(
            literal
                .or_else(|| cursor.fallback())
                .or_else(|| cursor.wrapped(operator))
                .or_else(|| cursor.padded(operator)),
        );
        return;
    }
    let spaces = Spaces {
        before: space,
        after: space_after,
        member: [&b"self."[..], b"this."]
            .iter()
            .any(|object| name.starts_with(object)),
    };
    cursor.right_hand_side(head, operator, spaces, closed, flag, out);
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
