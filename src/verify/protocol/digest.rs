//! Digest access authentication over HTTP (RFC 7616, and RFC 2617 before it), as far as providers
//! use it: MD5 or SHA-256 of what is secret, a number of the server, one of ours, and the place.
//!
//! Neither `-sess` algorithms nor `auth-int`: they guard what is sent, and nothing is.

use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};
use sha2::Sha256;

use crate::verify::net::Answer;

/// What a server wants to be answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    hash: Hash,
    /// Whether the answer holds a number of ours; servers before RFC 2617 know none.
    counts: bool,
    /// Whether the number of the answer before was too old, and nothing else was wrong.
    pub(super) stale: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hash {
    Md5,
    Sha256,
}

impl Hash {
    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "MD5" => Some(Self::Md5),
            "SHA-256" => Some(Self::Sha256),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// Of the parts with colons between, in lower-case hexadecimal digits.
    fn of(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Self::Md5 => HEXLOWER.encode(&Md5::digest(text)),
            Self::Sha256 => HEXLOWER.encode(&Sha256::digest(text)),
        }
    }
}

impl Challenge {
    /// That of a refusal; of several the first that can be met, which the server likes best.
    pub(super) fn of(answer: &Answer) -> Option<Self> {
        let headers = answer.headers.iter();
        let mut wanted = headers.filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
        wanted.find_map(|(_, value)| Self::parse(value))
    }

    fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let fields = fields(rest)?;
        let field = |name: &str| {
            let mut named = fields.iter().filter(|(known, _)| known == name);
            named.next().map(|(_, value)| value.clone())
        };
        let qop = field("qop");
        let offers = |qop: &String| {
            qop.split(',')
                .any(|it| it.trim().eq_ignore_ascii_case("auth"))
        };
        if !qop.iter().all(offers) {
            return None;
        }
        Some(Self {
            realm: field("realm")?,
            nonce: field("nonce").filter(|nonce| !nonce.is_empty())?,
            opaque: field("opaque"),
            hash: field("algorithm").map_or(Some(Hash::Md5), |name| Hash::named(&name))?,
            counts: qop.is_some(),
            stale: field("stale").is_some_and(|it| it.eq_ignore_ascii_case("true")),
        })
    }

    /// The header Authorization for a request of `method` to `path`; `ours` is a number that is used
    /// once. `None` when the user's name cannot stand in it.
    pub(super) fn meet(
        &self,
        (user, password): (&str, &str),
        (method, path): (&str, &str),
        ours: &str,
    ) -> Option<String> {
        let quotable = |text: &str| text.bytes().all(|c| (b' '..=b'~').contains(&c));
        let echoed = [user, &self.realm, &self.nonce, path, ours];
        if !echoed
            .into_iter()
            .chain(self.opaque.as_deref())
            .all(quotable)
        {
            return None;
        }
        let who = self.hash.of(&[user, &self.realm, password]);
        let what = self.hash.of(&[method, path]);
        let response = match self.counts {
            true => self
                .hash
                .of(&[&who, &self.nonce, FIRST, ours, "auth", &what]),
            false => self.hash.of(&[&who, &self.nonce, &what]),
        };
        let mut header = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, algorithm={}, response=\"{response}\"",
            quoted(user),
            quoted(&self.realm),
            quoted(&self.nonce),
            quoted(path),
            self.hash.name(),
        );
        if self.counts {
            header += &format!(", qop=auth, nc={FIRST}, cnonce={}", quoted(ours));
        }
        if let Some(opaque) = &self.opaque {
            header += &format!(", opaque={}", quoted(opaque));
        }
        Some(header)
    }
}

/// The first request with a number of the server.
const FIRST: &str = "00000001";

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `name=value` and `name="value"` with commas between, names in lower case.
fn fields(text: &str) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',', '\t']);
    while !rest.is_empty() {
        let (name, tail) = rest.split_once('=')?;
        let (value, tail) = match tail.trim_start().strip_prefix('"') {
            Some(tail) => unquoted(tail)?,
            None => {
                let end = tail.find(',').unwrap_or(tail.len());
                let (value, tail) = tail.split_at_checked(end)?;
                (value.trim().to_owned(), tail)
            }
        };
        fields.push((name.trim().to_ascii_lowercase(), value));
        rest = tail.trim_start_matches([' ', ',', '\t']);
    }
    Some(fields)
}

/// The text before the closing quote, and what follows that.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(signs.next()?.1),
            sign => value.push(sign),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7616, section 3.9.1.
    fn example(algorithm: &str) -> String {
        let number = ["7ypf/xlj9XXwfDPE", "oM4URrv/xwf94BcC", "AzFZH4GiTo0v"].concat();
        let opaque = ["FQhe/qaU925kfnzj", "Cev0ciny7QMkPqMA", "FRtzCUYo5tdS"].concat();
        format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
             algorithm={algorithm}, nonce=\"{number}\", opaque=\"{opaque}\""
        )
    }

    fn response(header: &str) -> &str {
        let (_, rest) = header.split_once("response=\"").expect("a response");
        rest.split('"').next().expect("its end")
    }

    #[test]
    fn answers_are_those_of_the_specification() {
        let ours = ["f2/wE4q74E6zIJEt", "WaHKaf5wv/H5Qzzp", "XusqGemxURZJ"].concat();
        let who = ("Mufasa", "Circle of Life");
        for (algorithm, expected) in [
            (
                "MD5",
                ["8ca523f5e9506fed", "4657c9700eebdbec", "", ""].concat(),
            ),
            (
                "SHA-256",
                [
                    "753927fa0e85d155",
                    "564e2e272a28d180",
                    "2ca10daf44967946",
                    "97cf8db5856cb6c1",
                ]
                .concat(),
            ),
        ] {
            let challenge = Challenge::parse(&example(algorithm)).expect("one that can be met");
            let header = challenge.meet(who, ("GET", "/dir/index.html"), &ours);
            let header = header.expect("plain text");
            assert_eq!(response(&header), expected, "{algorithm}");
            assert!(header.contains("qop=auth, nc=00000001") && header.contains("opaque="));
        }
    }

    /// The example of RFC 2069, with the response of its errata: without numbers of the client.
    #[test]
    fn servers_of_the_first_specification_get_what_they_know() {
        let number = ["dcd98b7102dd2f0e", "8b11d0f600bfb0c093"].concat();
        let header = format!("Digest realm=\"testrealm@host.com\", nonce=\"{number}\", stale=TRUE");
        let challenge = Challenge::parse(&header).expect("one that can be met");
        assert!(challenge.stale && challenge.hash == Hash::Md5);
        let who = ("Mufasa", "CircleOfLife");
        let header = challenge
            .meet(who, ("GET", "/dir/index.html"), "x")
            .expect("plain");
        assert_eq!(
            response(&header),
            ["1949323746fe6a43", "ef61f9606e7febea"].concat()
        );
        assert!(!header.contains("cnonce"));
    }

    #[test]
    fn what_cannot_be_met_is_no_challenge() {
        for header in [
            "Basic realm=\"x\"",
            "Digest",
            "Digest realm=\"x\"",
            "Digest realm=\"x\", nonce=\"\"",
            "Digest realm=\"x\", nonce=\"y",
            "Digest realm=\"x\", nonce=\"y\", algorithm=MD5-sess",
            "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"",
            "Digest realm, nonce",
        ] {
            assert_eq!(Challenge::parse(header), None, "{header}");
        }
        let challenge = Challenge::parse("digest realm=\"a \\\"b\\\"\", nonce=y, qop=auth");
        let challenge = challenge.expect("one that can be met");
        let header = challenge
            .meet(("u", "p"), ("GET", "/"), "x")
            .expect("plain");
        assert!(header.contains("realm=\"a \\\"b\\\"\""), "{header}");
        for user in ["u\r\nX: y", "ü"] {
            assert_eq!(challenge.meet((user, "p"), ("GET", "/"), "x"), None);
        }
    }
}
