//! Shapes of values: `hex:32`, `'key-'+hex:32`. `build.rs` includes this file.
//!
//! For what is too plain for a pattern: a value that is known by the name beside it needs no more
//! than its alphabet and its length, which take no compiling and a look at each byte.

use std::borrow::Cow;
use std::fmt;

/// Parts, one after the other, that make up a value from end to end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape(pub Cow<'static, [Part]>);

/// A part of a [`Shape`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// This text.
    Literal(Cow<'static, str>),
    /// So many bytes of a class.
    Run {
        /// Which bytes.
        class: Class,
        /// How many at least.
        least: u16,
        /// How many at most.
        most: u16,
    },
    /// A UUID in either case.
    Uuid,
}

/// A set of bytes, called as in the templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// `0-9A-Za-z`
    Alnum,
    /// `a-z`
    Lower,
    /// `A-Z`
    Upper,
    /// `0-9`
    Digits,
    /// `0-9a-z`
    Lowernum,
    /// `0-9A-Z`
    Uppernum,
    /// `0-9a-f`
    Hex,
    /// `0-9A-F`
    HexUpper,
    /// `A-Z2-7`
    Base32,
    /// `0-9A-Za-z+/`, and up to two `=` behind the last part
    Base64,
    /// `0-9A-Za-z_-`
    Base64url,
}

const CLASSES: &[(&str, Class)] = &[
    ("alnum", Class::Alnum),
    ("lower", Class::Lower),
    ("upper", Class::Upper),
    ("digits", Class::Digits),
    ("lowernum", Class::Lowernum),
    ("uppernum", Class::Uppernum),
    ("hex", Class::Hex),
    ("HEX", Class::HexUpper),
    ("base32", Class::Base32),
    ("base64", Class::Base64),
    ("base64url", Class::Base64url),
];

/// Longest value that a shape may have.
pub(super) const LONGEST: u16 = 512;

/// Signs that may follow behind base64.
const PADDING: usize = 2;
/// Where the dashes of a UUID stand.
const DASHES: [usize; 4] = [8, 13, 18, 23];
const UUID_LEN: usize = 36;

impl Shape {
    /// Reads parts joined by `+`: `CLASS:N`, `CLASS:N-M`, `uuid`, `'literal'`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts: Result<Vec<_>, _> = text.split('+').map(Part::parse).collect();
        let shape = Self(Cow::Owned(parts?));
        match shape.most() {
            0..=LONGEST => Ok(shape),
            most => Err(format!("a value can have {most} bytes, at most {LONGEST}")),
        }
    }

    /// Whether `value` has the shape.
    pub fn fits(&self, value: &[u8]) -> bool {
        let lengths = usize::from(self.least())..=usize::from(self.most()) + PADDING;
        lengths.contains(&value.len()) && fits(&self.0, value)
    }

    /// Bytes of the shortest value.
    pub fn least(&self) -> u16 {
        self.0.iter().map(Part::least).sum()
    }

    /// Bytes of the longest value, without padding.
    pub fn most(&self) -> u16 {
        let sum = |sum: u16, part: &Part| sum.saturating_add(part.most());
        self.0.iter().fold(0, sum)
    }
}

/// As it is written in a file.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, part) in self.0.iter().enumerate() {
            f.write_str(if number > 0 { "+" } else { "" })?;
            match part {
                Part::Literal(text) => write!(f, "'{text}'")?,
                Part::Uuid => f.write_str("uuid")?,
                Part::Run { class, least, most } if least == most => {
                    write!(f, "{}:{least}", class.name())?;
                }
                Part::Run { class, least, most } => {
                    write!(f, "{}:{least}-{most}", class.name())?;
                }
            }
        }
        Ok(())
    }
}

fn fits(parts: &[Part], value: &[u8]) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return value.is_empty();
    };
    match part {
        Part::Literal(text) => value
            .strip_prefix(text.as_bytes())
            .is_some_and(|value| fits(rest, value)),
        Part::Uuid => {
            let (uuid, value) = value.split_at(UUID_LEN.min(value.len()));
            is_uuid(uuid) && fits(rest, value)
        }
        &Part::Run { class, least, most } => {
            let run = value.iter().take(most.into());
            let run = run.take_while(|&&byte| class.contains(byte)).count();
            let ends = |length: usize| {
                let value = &value[length..];
                let is_padding = value.len() <= PADDING && value.iter().all(|&byte| byte == b'=');
                let padded = class == Class::Base64 && rest.is_empty() && is_padding;
                padded || fits(rest, value)
            };
            (usize::from(least)..=run).rev().any(ends)
        }
    }
}

/// Whether `value` is a UUID in its usual form (RFC 9562, section 4), in any case.
pub(crate) fn is_uuid(value: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| match DASHES.contains(&at) {
        true => *byte == b'-',
        false => byte.is_ascii_hexdigit(),
    };
    value.len() == UUID_LEN && value.iter().enumerate().all(fits)
}

impl Part {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "uuid" {
            return Ok(Self::Uuid);
        }
        let literal = text.strip_prefix('\'');
        if let Some(literal) = literal.and_then(|text| text.strip_suffix('\'')) {
            let plain = !literal.is_empty() && literal.bytes().all(|byte| byte.is_ascii_graphic());
            return match plain {
                true => Ok(Self::Literal(Cow::Owned(literal.to_owned()))),
                false => Err(format!("`{text}` holds no printable text")),
            };
        }
        let wrong = || format!("`{text}` is none of CLASS:N, CLASS:N-M, uuid and 'literal'");
        let (class, length) = text.split_once(':').ok_or_else(wrong)?;
        let class = Class::parse(class).ok_or_else(wrong)?;
        let (least, most) = length.split_once('-').unwrap_or((length, length));
        let number = |text: &str| text.parse::<u16>().map_err(|_| wrong());
        let (least, most) = (number(least)?, number(most)?);
        match (1..=most).contains(&least) {
            true => Ok(Self::Run { class, least, most }),
            false => Err(wrong()),
        }
    }

    fn least(&self) -> u16 {
        match self {
            Self::Run { least, .. } => *least,
            other => other.most(),
        }
    }

    fn most(&self) -> u16 {
        match self {
            Self::Literal(text) => text.len() as u16,
            Self::Run { most, .. } => *most,
            Self::Uuid => UUID_LEN as u16,
        }
    }
}

impl Class {
    fn parse(name: &str) -> Option<Self> {
        let found = CLASSES.iter().find(|class| class.0 == name);
        found.map(|class| class.1)
    }

    fn name(self) -> &'static str {
        let found = CLASSES.iter().find(|class| class.1 == self);
        found.map_or("", |class| class.0)
    }

    fn contains(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Lower => byte.is_ascii_lowercase(),
            Self::Upper => byte.is_ascii_uppercase(),
            Self::Digits => byte.is_ascii_digit(),
            Self::Lowernum => byte.is_ascii_lowercase() || byte.is_ascii_digit(),
            Self::Uppernum => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::HexUpper => matches!(byte, b'0'..=b'9' | b'A'..=b'F'),
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
            Self::Base64url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(shape: &str, value: &str) -> bool {
        let shape = Shape::parse(shape).expect("a shape");
        shape.fits(value.as_bytes())
    }

    #[test]
    fn a_value_has_the_shape_from_end_to_end() {
        assert!(fits("hex:4", "09af"));
        assert!(!fits("hex:4", "09aF") && fits("HEX:4", "09AF"));
        assert!(!fits("hex:4", "09a") && !fits("hex:4", "09af0"));
        assert!(fits("alnum:2-4", "aZ0") && !fits("alnum:2-4", "a") && !fits("alnum:2-4", "abcde"));
        assert!(fits("base64:4-8", "ab+/cd==") && !fits("base64:4-8", "ab+/cd==="));
        assert!(fits("uuid", "01234567-89ab-cdef-0123-456789ABCDEF"));
        assert!(!fits("uuid", "0123456789ab-cdef-0123-456789abcdef-"));
    }

    #[test]
    fn parts_follow_one_another() {
        assert!(fits("'key-'+hex:4", "key-09af") && !fits("'key-'+hex:4", "09af"));
        assert!(fits("alnum:2-4+'-'+digits:1-2", "abc-7"));
        assert!(fits("alnum:2-4+digits:2", "ab1234"), "the first gives back");
        assert!(!fits("alnum:2-4+digits:2", "abcd1"));
    }

    #[test]
    fn a_shape_is_shown_as_it_is_written() {
        for text in ["hex:32", "'key-'+alnum:3-9", "uuid+'.'+base64url:20"] {
            let shape = Shape::parse(text).expect("a shape");
            assert_eq!(shape.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_shape_is_refused() {
        for text in [
            "", "hex", "hex:", "hex:0", "hex:9-3", "hexx:3", "key-", "''", "hex:600", "hex:3+",
        ] {
            assert!(Shape::parse(text).is_err(), "{text}");
        }
    }
}
