//! As much of BSON (<https://bsonspec.org/spec.html>) as a login needs. Reading ends at the first
//! element that is broken; a key is looked for in one document, not in those inside.

/// A document that is being written.
pub(super) struct Document(Vec<u8>);

impl Document {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn int(self, key: &str, value: i32) -> Self {
        self.element(0x10, key, &value.to_le_bytes())
    }

    pub(super) fn text(self, key: &str, value: &str) -> Self {
        let length = (value.len() as i32 + 1).to_le_bytes();
        self.element(0x02, key, &[&length, value.as_bytes(), b"\0"].concat())
    }

    pub(super) fn bytes(self, key: &str, value: &[u8]) -> Self {
        let length = (value.len() as i32).to_le_bytes();
        self.element(0x05, key, &[&length, &b"\0"[..], value].concat())
    }

    fn element(mut self, kind: u8, key: &str, value: &[u8]) -> Self {
        self.0.push(kind);
        self.0.extend(key.as_bytes());
        self.0.push(0);
        self.0.extend(value);
        self
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let length = (self.0.len() as i32 + 5).to_le_bytes();
        [&length, &self.0[..], b"\0"].concat()
    }
}

/// A value that is read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Value<'a> {
    Number(f64),
    Bool(bool),
    Text(&'a str),
    Bytes(&'a [u8]),
    Document(&'a [u8]),
    Array(&'a [u8]),
    Other,
}

impl Value<'_> {
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Bool(flag) => Some(f64::from(u8::from(flag))),
            _ => None,
        }
    }
}

/// The value at `key` of `document`.
pub(super) fn find<'a>(document: &'a [u8], key: &str) -> Option<Value<'a>> {
    let mut elements = Elements::of(document);
    elements
        .find(|(name, _)| *name == key.as_bytes())
        .map(|(_, value)| value)
}

/// The values of an array.
pub(super) fn values(array: &[u8]) -> impl Iterator<Item = Value<'_>> {
    Elements::of(array).map(|(_, value)| value)
}

struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    fn of(document: &'a [u8]) -> Self {
        Self(document.get(4..).unwrap_or_default())
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (&'a [u8], Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (&kind, rest) = self.0.split_first().filter(|(kind, _)| **kind != 0)?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        let (key, rest) = (rest.get(..end)?, rest.get(end + 1..)?);
        let length = || {
            let (length, _) = rest.split_first_chunk()?;
            usize::try_from(i32::from_le_bytes(*length)).ok()
        };
        let size = match kind {
            0x01 | 0x09 | 0x11 | 0x12 => 8,
            0x02 => 4usize.checked_add(length()?)?,
            0x03 | 0x04 => length()?,
            0x05 => 5usize.checked_add(length()?)?,
            0x07 => 12,
            0x08 => 1,
            0x0a => 0,
            0x10 => 4,
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(size)?;
        self.0 = rest;
        let value = match kind {
            0x01 => Value::Number(f64::from_le_bytes(value.try_into().ok()?)),
            0x10 => Value::Number(f64::from(i32::from_le_bytes(value.try_into().ok()?))),
            0x12 => Value::Number(i64::from_le_bytes(value.try_into().ok()?) as f64),
            0x08 => Value::Bool(value == [1]),
            0x02 => Value::Text(std::str::from_utf8(value.get(4..)?.strip_suffix(&[0])?).ok()?),
            0x03 => Value::Document(value),
            0x04 => Value::Array(value),
            0x05 => Value::Bytes(value.get(5..)?),
            _ => Value::Other,
        };
        Some((key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let written = Document::new()
            .int("a", -7)
            .text("b", "ü")
            .bytes("c", &[1, 0, 2]);
        let bytes = written.to_bytes();
        assert_eq!(find(&bytes, "a"), Some(Value::Number(-7.0)));
        assert_eq!(find(&bytes, "b"), Some(Value::Text("ü")));
        assert_eq!(find(&bytes, "c"), Some(Value::Bytes(&[1, 0, 2])));
        assert_eq!(find(&bytes, "d"), None);
        // {"hello": "world"} of the specification's examples.
        let hello = b"\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0";
        assert_eq!(Document::new().text("hello", "world").to_bytes(), hello);
        assert_eq!(find(hello, "hello"), Some(Value::Text("world")));
    }

    #[test]
    fn what_is_broken_ends_the_reading() {
        let bytes = Document::new().text("a", "bcd").int("e", 1).to_bytes();
        for end in 0..bytes.len() {
            let _ = find(&bytes[..end], "e");
        }
        for broken in [
            &b"\0\0\0\0\x02a\0\xff\xff\xff\x7fx"[..],
            b"\0\0\0\0\x02a\0\xff\xff\xff\xff",
            b"\0\0\0\0\x02a\0\0\0\0\0",
            b"\0\0\0\0\x7fa\0",
            b"\0\0\0\0\x10a",
            b"",
        ] {
            assert_eq!(find(broken, "a"), None);
        }
    }
}
