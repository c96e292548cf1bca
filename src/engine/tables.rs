//! Tables of credentials: a first line that names columns, and a record on each line that follows
//! (RFC 4180; with a semicolon, a tab or a bar in place of the comma).
//!
//! What browsers, password managers and consoles export. The name of a column stands far from its
//! values, so each is judged as if it were assigned to that name, beside the rest of its record. A
//! table is read whole whenever its text is scanned: what is found in a record depends on the first line.

use std::borrow::Cow;

use crate::model::Span;

use super::assignment::{self, MARK};

/// Longest first line, in bytes.
const MAX_HEAD: usize = 2048;
/// Longest name of a column, in bytes.
const MAX_NAME: usize = 64;
/// Longest field, in bytes: a quote that nothing closes shall not take the rest of the text.
const MAX_FIELD: usize = 4096;
/// Longest field that is shown beside a secret, in bytes.
const MAX_BESIDE: usize = 128;
/// So many records of another width say nothing yet.
const MOST_UNEVEN: usize = 16;
/// What separates fields.
const SEPARATORS: &[u8] = b",;\t|";

/// A field as it stands, with its quotes.
#[derive(Clone, Copy)]
struct Field(Span);

impl Field {
    /// What it holds (RFC 4180, section 2, rule 7), and where; of one without quotes not the blanks
    /// around it, with which people line columns up.
    fn value(self, text: &[u8]) -> (Span, Cow<'_, [u8]>) {
        let Span { start, end } = self.0;
        match &text[start..end] {
            [b'"', .., b'"'] => {
                let span = Span::new(start + 1, end - 1);
                let inner = &text[span.range()];
                let value = match memchr::memmem::find(inner, b"\"\"") {
                    Some(_) => Cow::Owned(undoubled(inner)),
                    None => Cow::Borrowed(inner),
                };
                (span, value)
            }
            bare => {
                let start = end - bare.trim_ascii_start().len();
                let bare = bare.trim_ascii();
                (Span::new(start, start + bare.len()), Cow::Borrowed(bare))
            }
        }
    }
}

fn undoubled(inner: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        value.push(byte);
        if byte == b'"' {
            bytes.next();
        }
    }
    value
}

/// A text that is a table with a column of secrets.
pub(super) struct Table<'a> {
    text: &'a [u8],
    separator: u8,
    /// The names of the columns, as keys.
    names: Vec<String>,
    /// Which of them name secrets.
    secrets: Vec<usize>,
    /// Where the records begin.
    start: usize,
}

/// A secret of a table, as an assignment among others.
pub(super) struct Cell {
    /// Where it stands in the table.
    pub(super) span: Span,
    /// The secret.
    pub(super) value: Vec<u8>,
    /// The record, as assignments.
    pub(super) text: Vec<u8>,
    /// Where the secret stands in `text`.
    pub(super) at: Span,
}

impl<'a> Table<'a> {
    /// The table that `text` is, if it is one.
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        Self::head(text).filter(Self::is_even)
    }

    /// Reads the first line. Most texts are told from tables by it.
    fn head(text: &'a [u8]) -> Option<Self> {
        let from = text.len() - text.strip_prefix(MARK).unwrap_or(text).len();
        let head = &text[from..text.len().min(from + MAX_HEAD)];
        let may_begin = |byte: &u8| byte.is_ascii_alphabetic() || b"\" \t".contains(byte);
        head.first().filter(|byte| may_begin(byte))?;
        let head = &head[..memchr::memchr(b'\n', head)?];
        let separator = *head.iter().find(|byte| SEPARATORS.contains(byte))?;
        let mut fields = Vec::new();
        let start = record(text, from, separator, &mut fields)?;
        let names = fields.iter().map(|field| name(&field.value(text).1));
        let names: Vec<String> = names.collect::<Option<_>>()?;
        let has_account = names.iter().any(|name| is_account(name));
        let is_secret = |at: &usize| is_secret(&names[*at], has_account);
        let secrets: Vec<usize> = (0..names.len()).filter(is_secret).collect();
        let table = Self {
            text,
            separator,
            names,
            secrets,
            start,
        };
        (table.names.len() > 1 && !table.secrets.is_empty()).then_some(table)
    }

    /// Hands each secret to `emit`, in the order of records.
    pub(super) fn cells(&self, emit: &mut dyn FnMut(Cell)) {
        for record in self.records().flatten() {
            for &column in &self.secrets {
                if let Some(cell) = self.cell(&record, column) {
                    emit(cell);
                }
            }
        }
    }

    /// The records, `None` for one of another width.
    fn records(&self) -> impl Iterator<Item = Option<Vec<Field>>> {
        let mut at = self.start;
        std::iter::from_fn(move || {
            while let Some(b'\r' | b'\n') = self.text.get(at) {
                at += 1;
            }
            if at == self.text.len() {
                return None;
            }
            let mut fields = Vec::with_capacity(self.names.len());
            match record(self.text, at, self.separator, &mut fields) {
                Some(next) => at = next,
                None => {
                    let rest = memchr::memchr(b'\n', &self.text[at..]);
                    at = rest.map_or(self.text.len(), |line| at + line + 1);
                    fields.clear();
                }
            }
            Some((fields.len() == self.names.len()).then_some(fields))
        })
    }

    /// Whether nine in ten records have a field for each column; a text in which very many have not
    /// is not read to its end.
    fn is_even(&self) -> bool {
        let (mut even, mut uneven) = (0, 0);
        for record in self.records() {
            match record {
                Some(_) => even += 1,
                None => uneven += 1,
            }
            if uneven > MOST_UNEVEN && uneven * 10 > even {
                return false;
            }
        }
        even > 0 && uneven * 10 <= even
    }

    fn cell(&self, record: &[Field], column: usize) -> Option<Cell> {
        let (span, value) = record[column].value(self.text);
        let mut text = Vec::new();
        let others = record.iter().zip(&self.names).enumerate();
        for (_, (field, name)) in others.filter(|(other, _)| !self.secrets.contains(other)) {
            let (_, beside) = field.value(self.text);
            if !beside.is_empty() && beside.len() <= MAX_BESIDE {
                assign(&mut text, name, &beside);
            }
        }
        let at = assign(&mut text, &self.names[column], &value)?;
        Some(Cell {
            span,
            value: value.into_owned(),
            text,
            at,
        })
    }
}

/// The secret at `span` of a text that was found to be a table, when its record begins on its line.
pub(super) fn cell_at(text: &[u8], span: Span) -> Option<Cell> {
    let table = Table::head(text)?;
    let start = memchr::memrchr(b'\n', &text[..span.start])? + 1;
    let mut fields = Vec::new();
    record(text, start, table.separator, &mut fields)?;
    let is_it = |column: &&usize| {
        let field = fields.get(**column);
        field.is_some_and(|field| field.value(text).0 == span)
    };
    let column = table.secrets.iter().find(is_it)?;
    let is_even = fields.len() == table.names.len();
    is_even.then(|| table.cell(&fields, *column))?
}

/// Appends an assignment of `value` to `name` and returns where the value stands; nothing when it
/// can be written in no quotes.
fn assign(text: &mut Vec<u8>, name: &str, value: &[u8]) -> Option<Span> {
    let is_free = |quote: &&u8| !value.contains(quote);
    let quote = *b"\"'".iter().find(is_free)?;
    if value.is_empty() || value.iter().any(u8::is_ascii_control) {
        return None;
    }
    if !text.is_empty() {
        text.extend_from_slice(b", ");
    }
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b" = ");
    text.push(quote);
    let at = Span::new(text.len(), text.len() + value.len());
    text.extend_from_slice(value);
    text.push(quote);
    Some(at)
}

/// Reads the fields of the record at `at` and returns where the next one begins; `None` when its
/// quotes are those of no record.
fn record(text: &[u8], mut at: usize, separator: u8, fields: &mut Vec<Field>) -> Option<usize> {
    loop {
        let rest = &text[at..text.len().min(at + MAX_FIELD)];
        // `ann, "one"`: a blank before a quote is none of the field.
        let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
        if rest.get(blanks) == Some(&b'"') {
            at += blanks;
        }
        let len = match &text[at..text.len().min(at + MAX_FIELD)] {
            [b'"', inner @ ..] => 1 + quoted(inner)?,
            bare => {
                let ends = |byte: &u8| *byte == separator || *byte == b'\n';
                let len = bare.iter().position(ends).unwrap_or(bare.len());
                let is_line = bare.get(len) != Some(&separator);
                len - usize::from(is_line && bare[..len].ends_with(b"\r"))
            }
        };
        let end = at + len;
        fields.push(Field(Span::new(at, end)));
        match &text[end..] {
            [] => return Some(end),
            [b'\n', ..] => return Some(end + 1),
            [b'\r', b'\n', ..] => return Some(end + 2),
            [byte, ..] if *byte == separator => at = end + 1,
            _ => return None,
        }
    }
}

/// The length of what follows an opening quote, up to and with the closing one.
fn quoted(inner: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr(b'"', &inner[at..])? + 1;
        if inner.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

/// A column's name as a key; `None` when it is no name, so that the line is none of names.
fn name(field: &[u8]) -> Option<String> {
    let field = field.trim_ascii();
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || b" _-./()#:".contains(byte);
    let is_name = field.len() <= MAX_NAME
        && field.first()?.is_ascii_alphabetic()
        && field.iter().all(is_sign);
    let word = |byte: &u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(*byte),
        _ => '_',
    };
    is_name.then(|| field.iter().map(word).collect())
}

/// Whether a column holds who or what a secret is for.
fn is_account(name: &str) -> bool {
    const WORDS: &[&str] = &["user", "login", "mail", "account", "url", "host", "site"];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Whether a column holds secrets, which its last word tells. `pass` may be a result, `token` a word
/// of a text: they need an account.
fn is_secret(name: &str, has_account: bool) -> bool {
    let is_vague = ["pass", "token", "tokens"]
        .iter()
        .any(|vague| name.eq_ignore_ascii_case(vague));
    let key = name.as_bytes();
    assignment::names_secret(key)
        && assignment::named(key).after.is_empty()
        && (has_account || !is_vague)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<(String, String)> {
        let mut all = Vec::new();
        if let Some(table) = Table::read(text.as_bytes()) {
            table.cells(&mut |cell| {
                assert_eq!(&cell.text[cell.at.range()], &cell.value);
                let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                all.push((
                    shown(&text.as_bytes()[cell.span.range()]),
                    shown(&cell.text),
                ));
            });
        }
        all
    }

    fn secrets(text: &str) -> Vec<String> {
        cells(text).into_iter().map(|cell| cell.0).collect()
    }

    #[test]
    fn columns_of_secrets_are_read_with_any_separator() {
        for separator in [",", ";", "\t", "|"] {
            for end in ["\n", "\r\n"] {
                let lines = [
                    "user,password,role",
                    "ann,one,admin",
                    "bob,,user",
                    "cy, two ,user",
                ];
                let text = lines.join(end).replace(',', separator);
                assert_eq!(secrets(&text), ["one", "two"], "{text:?}");
                assert_eq!(secrets(&format!("\u{feff}{text}{end}")), ["one", "two"]);
            }
        }
    }

    #[test]
    fn quotes_hide_separators_and_lines_and_are_doubled() {
        let text = "name,password,note\n\"a, b\",\"x\"\"y,z\",\"two\nlines\"\nc,plain,\n";
        assert_eq!(secrets("user, password\nann, \"o,ne\"\n"), ["o,ne"]);
        assert_eq!(
            cells(text),
            [
                (
                    "x\"\"y,z".to_owned(),
                    "name = \"a, b\", password = 'x\"y,z'".to_owned()
                ),
                (
                    "plain".to_owned(),
                    "name = \"c\", password = \"plain\"".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn names_of_several_words_are_keys() {
        let text = "Access key ID,Secret access key\nid,value\n";
        let told = "Access_key_ID = \"id\", Secret_access_key = \"value\"";
        assert_eq!(cells(text), [("value".to_owned(), told.to_owned())]);
    }

    #[test]
    fn what_is_no_table_has_no_cells() {
        for text in [
            "",
            "password\none\n",
            "user,password",
            "import user, password\nconnect(user)\nprint(password, sep=', ', end='')\n",
            "word,token,count\nthe,the,12\n",
            "case,pass,fail\nfirst,10,2\n",
            "user,password_hash\nann,one\n",
            "user,password\nann,\"never closed\nbob,two\n",
            "connect(user, password);\na,b\n",
        ] {
            assert_eq!(secrets(text), Vec::<String>::new(), "{text:?}");
        }
    }

    #[test]
    fn a_few_uneven_records_are_passed_over() {
        let even: String = (0..30).map(|at| format!("u{at},p{at}\n")).collect();
        let found = secrets(&format!("user,password\n{even}a,b,c\n\"x\"y,z\n"));
        assert_eq!(found.len(), 30);
        assert_eq!(found.last().map(String::as_str), Some("p29"));
    }
}
