//! What the protocols over HTTP share: where they go, and which answers say nothing.

use std::borrow::Cow;

use data_encoding::BASE64URL_NOPAD;

use crate::model::{Outcome, Reason};
use crate::verify::judge::Look;
use crate::verify::net::{Answer, Place};
use crate::verify::{Settings, Target, Verdict};

/// Where a provider is.
pub(super) struct Base {
    /// Without a slash at the end.
    pub(super) url: String,
    /// Whether the host stood in scanned text.
    pub(super) from_text: bool,
}

impl Base {
    /// The user's address of the provider called `name`.
    pub(super) fn own(settings: &Settings, name: &str) -> Option<Self> {
        let url = settings.endpoint(name)?;
        Some(Self {
            url: url.trim_end_matches('/').to_owned(),
            from_text: false,
        })
    }

    /// A vendor's address, which is no text of a scan.
    pub(super) fn vendor(settings: &Settings, name: &str, url: &str) -> Result<Self, Outcome> {
        if let Some(own) = Self::own(settings, name) {
            return Ok(own);
        }
        let base = Self {
            url: url.to_owned(),
            from_text: false,
        };
        match settings.own_only && !base.is_named(settings) {
            true => Err(Outcome::Skipped(Reason::HostNotAllowed)),
            false => Ok(base),
        }
    }

    /// An address of scanned text: https, and of a host that the user named or that is one of
    /// `hosts`, patterns as those of declared verifiers.
    pub(super) fn found(settings: &Settings, url: &str, hosts: &[&str]) -> Result<Self, Outcome> {
        let base = Self {
            url: url.trim_end_matches('/').to_owned(),
            from_text: true,
        };
        let place = base.place()?;
        let fits = |pattern: &&str| crate::detector::host_fits(pattern, &place.host);
        let vendor = !settings.own_only && hosts.iter().any(fits);
        match place.https && (vendor || base.is_named(settings)) {
            true => Ok(base),
            false => Err(Outcome::Skipped(Reason::HostNotAllowed)),
        }
    }

    /// An address of scanned text whose host the user named; with plain HTTP the network decides.
    pub(super) fn named(settings: &Settings, url: &str) -> Result<Self, Outcome> {
        let base = Self {
            url: url.trim_end_matches('/').to_owned(),
            from_text: true,
        };
        base.place()?;
        match base.is_named(settings) {
            true => Ok(base),
            false => Err(Outcome::Skipped(Reason::HostNotAllowed)),
        }
    }

    /// Where it is. A query of scanned text may hold a secret of its own, and plans print URLs.
    fn place(&self) -> Result<Place, Outcome> {
        let plain = !self.url.contains(['?', '#']);
        let place = Place::of(&self.url).filter(|_| plain);
        place.ok_or(Outcome::Skipped(Reason::BadValue))
    }

    fn is_named(&self, settings: &Settings) -> bool {
        Place::of(&self.url).is_some_and(|place| settings.names(&place.host))
    }

    /// The call of `method` to `shown`, the rest of the URL with its values left out.
    pub(super) fn target(&self, method: &str, shown: &str) -> Result<Target, Outcome> {
        let place = Place::of(&self.url).ok_or(Outcome::Skipped(Reason::BadValue))?;
        Ok(Target {
            method: method.to_owned(),
            url: format!("{}{shown}", self.url),
            host: place.host,
            port: place.port,
            from_text: self.from_text,
            user: None,
        })
    }
}

/// The name and, if it is not the usual one, the port of `url`, as clients write the header Host
/// (RFC 9110 section 7.2).
pub(super) fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// The path of `url`, empty when there is none.
pub(super) fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..));
    path.unwrap_or_default()
}

/// What says nothing, whoever it comes from: too many requests, a redirect, a page.
pub(super) fn noise(answer: &Answer) -> Option<Verdict> {
    let reason = match answer.status {
        429 | 503 => Reason::RateLimited,
        300..=399 => Reason::Redirect,
        _ if Look::new(answer).is_html() => Reason::Html,
        _ => return None,
    };
    Some(Verdict {
        retry_after: answer.retry_after(),
        ..Verdict::unknown(reason)
    })
}

/// An answer that no rule knows.
pub(super) fn unclear(answer: &Answer) -> Verdict {
    Verdict::unknown(match answer.status {
        500.. => Reason::ProviderError,
        _ if answer.truncated => Reason::TooLarge,
        _ => Reason::UnexpectedStatus,
    })
}

/// Whether the body of `answer` contains `words`.
pub(super) fn says(answer: &Answer, words: &str) -> bool {
    memchr::memmem::find(&answer.body, words.as_bytes()).is_some()
}

/// The text of the first element called `name` of an XML answer, which has no attributes.
pub(super) fn element<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let body = std::str::from_utf8(&answer.body).ok()?;
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text.trim();
    (!text.is_empty() && !text.contains('<')).then_some(text)
}

/// Decodes `%41`; `None` when what comes out is no text.
pub(super) fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|&c| char::from(c).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high << 4 | low) as u8);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// The claim `exp` of a JSON Web Token (RFC 7519 section 4.1.4), unchecked.
pub(super) fn expiry_of_jwt(token: &str) -> Option<i64> {
    let claims = token.split('.').nth(1)?;
    let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    claims.get("exp")?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
            truncated: false,
        }
    }

    #[test]
    fn addresses_of_scanned_text_need_a_name_and_https() {
        let mut settings = Settings {
            hosts: vec!["*.acme.example".into()],
            ..Settings::default()
        };
        let found = |settings: &Settings, url: &str| {
            Base::found(settings, url, &["*.vendor.example"]).is_ok()
        };
        assert!(found(&settings, "https://a.acme.example:6443/"));
        assert!(found(&settings, "https://a.vendor.example"));
        for url in [
            "http://a.acme.example",
            "https://b.example",
            "https://u@a.acme.example",
            "https://a.acme.example/?key=x",
            "a.acme.example",
        ] {
            assert!(!found(&settings, url), "{url}");
        }
        settings.own_only = true;
        assert!(!found(&settings, "https://a.vendor.example"));
        assert!(found(&settings, "https://a.acme.example"));
    }

    #[test]
    fn elements_hold_text_and_nothing_else() {
        let said = answer(
            200,
            "<a><Code>\n x </Code><Code>y</Code><B><C>z</C></B></a>",
        );
        assert_eq!(element(&said, "Code"), Some("x"));
        assert_eq!(element(&said, "B"), None);
        assert_eq!(element(&said, "D"), None);
    }

    #[test]
    fn percent_signs_are_decoded_once() {
        assert_eq!(
            percent_decoded("a%2Fb%252F%zz%4").as_deref(),
            Some("a/b%2F%zz%4")
        );
        assert_eq!(percent_decoded("%ff"), None);
    }

    #[test]
    fn the_end_of_a_token_is_read() {
        let token = |claims: &str| format!("x.{}.y", BASE64URL_NOPAD.encode(claims.as_bytes()));
        assert_eq!(expiry_of_jwt(&token(r#"{"exp":17}"#)), Some(17));
        for claims in ["{}", "[]", "x", r#"{"exp":"17"}"#] {
            assert_eq!(expiry_of_jwt(&token(claims)), None, "{claims}");
        }
        assert_eq!(expiry_of_jwt("opaque"), None);
    }

    #[test]
    fn the_host_header_is_the_authority() {
        assert_eq!(authority("http://127.0.0.1:5055/x?y"), "127.0.0.1:5055");
        assert_eq!(authority("https://sts.example"), "sts.example");
        assert_eq!(path("http://127.0.0.1:5055/x/y"), "/x/y");
        assert_eq!(path("https://sts.example"), "");
    }
}
