//! The templates of verifiers: text with `${name}` and `${name|filter|filter(argument)}` in it.
//!
//! No expression language: a name is replaced by its value, filters turn one value into another,
//! and whoever writes the result somewhere escapes it for that place. `build.rs` includes this
//! file, so it imports nothing of ours.

/// What filters a template may use.
pub(crate) const FILTERS: &[&str] = &[
    "b64",
    "b64url",
    "hex",
    "lower",
    "urlenc",
    "split",
    "after",
    "before",
    "sha1",
    "sha256",
    "hmac_sha1",
    "hmac_sha256",
];

/// Names that stand for themselves: times and a number used once.
pub(crate) const CLOCKS: &[&str] = &["now_unix", "now_rfc3339", "now_rfc1123", "nonce"];

/// A template taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phrase(pub(crate) Vec<Piece>);

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text that stands as it is.
    Text(String),
    /// `${name|filters}`.
    Value {
        /// Whose value.
        name: String,
        /// What is done with it, in order.
        filters: Vec<Filter>,
    },
}

/// A filter and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    /// Base64 with padding (RFC 4648 section 4).
    Base64,
    /// Base64 with the URL-safe alphabet, without padding (RFC 4648 section 5).
    Base64Url,
    /// Lower-case hexadecimal digits.
    Hex,
    /// ASCII letters in lower case.
    Lower,
    /// Percent-encoded but for unreserved characters (RFC 3986 section 2.3).
    UrlEncode,
    /// The part of this number, from 0, between separators.
    Split(usize, String),
    /// What stands behind the last separator.
    After(String),
    /// What stands before the first separator.
    Before(String),
    /// SHA-1 digest, as bytes.
    Sha1,
    /// SHA-256 digest, as bytes.
    Sha256,
    /// HMAC-SHA-1 under the value of a name, as bytes.
    HmacSha1(String),
    /// HMAC-SHA-256 under the value of a name, as bytes.
    HmacSha256(String),
}

impl Phrase {
    /// Reads a template.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let (inner, behind) = after
                .split_once('}')
                .ok_or_else(|| format!("`{text}`: a `${{` without its `}}`"))?;
            pieces.push(value(inner).map_err(|why| format!("`{text}`: {why}"))?);
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// All names it mentions, as values or as keys of filters.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|piece| {
            let (name, filters) = match piece {
                Piece::Text(_) => (None, &[][..]),
                Piece::Value { name, filters } => (Some(name.as_str()), filters.as_slice()),
            };
            let keys = filters.iter().filter_map(|filter| match filter {
                Filter::HmacSha1(key) | Filter::HmacSha256(key) => Some(key.as_str()),
                _ => None,
            });
            name.into_iter().chain(keys)
        })
    }
}

fn value(inner: &str) -> Result<Piece, String> {
    let mut parts = inner.split('|');
    let name = parts.next().unwrap_or_default();
    if !is_name(name) {
        return Err(format!("`{name}` is no name"));
    }
    let filters = parts.map(filter).collect::<Result<_, _>>()?;
    Ok(Piece::Value {
        name: name.to_owned(),
        filters,
    })
}

fn filter(text: &str) -> Result<Filter, String> {
    let (name, arguments) = match text.split_once('(') {
        Some((name, rest)) => {
            let inside = rest.strip_suffix(')').ok_or("a filter without its `)`")?;
            (name, Some(inside))
        }
        None => (text, None),
    };
    let argument = || {
        let text = arguments.filter(|text| !text.is_empty());
        text.ok_or_else(|| format!("the filter `{name}` needs an argument"))
    };
    Ok(match name {
        "b64" => Filter::Base64,
        "b64url" => Filter::Base64Url,
        "hex" => Filter::Hex,
        "lower" => Filter::Lower,
        "urlenc" => Filter::UrlEncode,
        "sha1" => Filter::Sha1,
        "sha256" => Filter::Sha256,
        "after" => Filter::After(argument()?.to_owned()),
        "before" => Filter::Before(argument()?.to_owned()),
        "hmac_sha1" => Filter::HmacSha1(argument()?.to_owned()),
        "hmac_sha256" => Filter::HmacSha256(argument()?.to_owned()),
        "split" => {
            let (number, separator) = argument()?
                .split_once(',')
                .ok_or("`split` takes a number and a separator: split(1,-)")?;
            let number = number.parse().map_err(|_| "`split` begins with a number")?;
            Filter::Split(number, separator.to_owned())
        }
        _ => return Err(format!("no filter `{name}`, use one of {FILTERS:?}")),
    })
}

/// Whether `text` can be the name of a value: a letter, then letters, digits and underscores, all
/// lower case.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_taken_apart() {
        let phrase =
            Phrase::parse("https://${secret|split(1,-)|lower}.example/x${id}").expect("ok");
        let dc = Piece::Value {
            name: "secret".into(),
            filters: vec![Filter::Split(1, "-".into()), Filter::Lower],
        };
        let id = Piece::Value {
            name: "id".into(),
            filters: Vec::new(),
        };
        let text = |text: &str| Piece::Text(text.into());
        assert_eq!(phrase.0, [text("https://"), dc, text(".example/x"), id]);
        assert_eq!(phrase.names().collect::<Vec<_>>(), ["secret", "id"]);
    }

    #[test]
    fn keys_of_filters_are_names_too() {
        let phrase = Phrase::parse("${now_unix|hmac_sha256(secret)|hex}").expect("ok");
        assert_eq!(phrase.names().collect::<Vec<_>>(), ["now_unix", "secret"]);
    }

    #[test]
    fn mistakes_are_told() {
        for (text, word) in [
            ("${secret", "without its `}`"),
            ("${Secret}", "no name"),
            ("${secret|rot13}", "no filter"),
            ("${secret|split(x,-)}", "number"),
            ("${secret|hmac_sha1}", "argument"),
            ("${secret|split(1,-}", "`)`"),
        ] {
            let error = Phrase::parse(text).expect_err(text);
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn braces_without_a_dollar_are_text() {
        let phrase = Phrase::parse("query { viewer { login } }").expect("ok");
        assert_eq!(phrase.0.len(), 1);
    }
}
