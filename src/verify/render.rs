//! Templates to requests: each value is escaped for the place that it lands in, or refused.
//!
//! Invariant: no value can end the place it stands in. A host takes the letters of a host, a header
//! no line break, a URL and a form are percent-encoded, JSON is quoted.

use std::collections::BTreeMap;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::net::HttpRequest;
use crate::detector::{AuthSpec, BodySpec, Filter, Phrase, Piece, RequestSpec, is_host};
use crate::model::Reason;

/// The values that templates name: `secret`, `endpoint`, the parts, the time.
#[derive(Clone, Default)]
pub(crate) struct Values<'a> {
    values: BTreeMap<&'a str, Vec<u8>>,
}

impl<'a> Values<'a> {
    /// With the clocks at `now`, in seconds since 1970-01-01T00:00:00Z, and a number used once.
    pub(crate) fn at(now: i64, nonce: &str) -> Self {
        let mut values = Self::default();
        let time = jiff::Timestamp::from_second(now).unwrap_or_default();
        values.set("now_unix", now.to_string().as_bytes());
        values.set("now_rfc3339", time.to_string().as_bytes());
        let http = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        values.set("now_rfc1123", http.as_bytes());
        values.set("nonce", nonce.as_bytes());
        values
    }

    /// Gives `name` a value.
    pub(crate) fn set(&mut self, name: &'a str, value: &[u8]) {
        self.values.insert(name, value.to_vec());
    }

    fn get(&self, name: &str) -> Result<&[u8], Reason> {
        let value = self.values.get(name).ok_or(Reason::NeedsCompanion)?;
        Ok(value)
    }
}

/// Where a value lands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spot {
    /// Before the first slash of a URL.
    Base,
    /// Behind it: path and query.
    Url,
    /// A field of a form, which the form encodes.
    Plain,
    /// A header.
    Header,
}

/// The base of a URL: scheme, host, port and perhaps a path.
pub(crate) fn base(template: &str, values: &Values<'_>) -> Result<String, Reason> {
    fill(template, values, Spot::Base)
}

/// The request of `spec` to `base`.
pub(crate) fn request(
    spec: &RequestSpec,
    base: &str,
    values: &Values<'_>,
) -> Result<HttpRequest, Reason> {
    let mut url = url(&spec.url, base, values)?;
    let mut headers = Vec::new();
    for (name, value) in &spec.headers {
        headers.push((name.clone(), fill(value, values, Spot::Header)?));
    }
    match &spec.auth {
        None => {}
        Some(AuthSpec::Bearer(token)) => {
            let token = fill(token, values, Spot::Header)?;
            headers.push(("Authorization".into(), format!("Bearer {token}")));
        }
        Some(AuthSpec::Basic(user, password)) => {
            let user = fill(user, values, Spot::Plain)?;
            if user.contains(':') {
                return Err(Reason::BadValue);
            }
            let password = fill(password, values, Spot::Plain)?;
            let both = BASE64.encode(format!("{user}:{password}").as_bytes());
            headers.push(("Authorization".into(), format!("Basic {both}")));
        }
        Some(AuthSpec::Header(name, value)) => {
            headers.push((name.clone(), fill(value, values, Spot::Header)?));
        }
        Some(AuthSpec::Query(name, value)) => {
            let value = fill(value, values, Spot::Plain)?;
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&format!("{name}={}", percent(value.as_bytes())));
        }
    }
    let body = match &spec.body {
        None => None,
        Some(BodySpec::Form(fields)) => {
            let mut pairs = Vec::new();
            for (name, value) in fields {
                let value = fill(value, values, Spot::Plain)?;
                pairs.push(format!("{name}={}", percent(value.as_bytes())));
            }
            let media = "application/x-www-form-urlencoded".to_owned();
            Some((media, pairs.join("&").into_bytes()))
        }
        Some(BodySpec::Json(json)) => {
            let filled = json_filled(json, values)?;
            let text = serde_json::to_vec(&filled).map_err(|_| Reason::BadValue)?;
            Some(("application/json".to_owned(), text))
        }
        Some(BodySpec::Text(media, text)) => Some((media.clone(), text.clone().into_bytes())),
    };
    Ok(HttpRequest {
        method: spec.method.as_str(),
        url,
        headers,
        body,
    })
}

/// The URL of a request: `base` with the rest of the template, or the secret where that is a URL.
pub(crate) fn url(template: &str, base: &str, values: &Values<'_>) -> Result<String, Reason> {
    match template.strip_prefix("${endpoint}") {
        Some(rest) => Ok(base.trim_end_matches('/').to_owned() + &fill(rest, values, Spot::Url)?),
        None => {
            let rest = template.strip_prefix("${secret}").ok_or(Reason::BadValue)?;
            let secret = text(values.get("secret")?)?;
            let printable = secret.bytes().all(|c| c.is_ascii_graphic());
            match printable && !secret.contains(['"', '<', '>', '\\', '^', '`', '{', '|', '}']) {
                true => Ok(secret.to_owned() + &fill(rest, values, Spot::Url)?),
                false => Err(Reason::BadValue),
            }
        }
    }
}

fn fill(template: &str, values: &Values<'_>, spot: Spot) -> Result<String, Reason> {
    let phrase = Phrase::parse(template).map_err(|_| Reason::BadValue)?;
    let mut filled = String::new();
    for piece in &phrase.0 {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Value { name, filters } => {
                let mut value = values.get(name)?.to_vec();
                for filter in filters {
                    value = filtered(&value, filter, values)?;
                }
                filled.push_str(&escaped(&value, spot)?);
            }
        }
    }
    Ok(filled)
}

fn escaped(value: &[u8], spot: Spot) -> Result<String, Reason> {
    match spot {
        Spot::Url => Ok(percent(value)),
        Spot::Plain => text(value).map(str::to_owned),
        Spot::Header => {
            let text = text(value)?;
            match text.bytes().all(|c| c == b' ' || c.is_ascii_graphic()) {
                true => Ok(text.to_owned()),
                false => Err(Reason::BadValue),
            }
        }
        Spot::Base => {
            let host = text(value)?.to_ascii_lowercase();
            match is_host(&host) {
                true => Ok(host),
                false => Err(Reason::BadValue),
            }
        }
    }
}

fn text(value: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(value).map_err(|_| Reason::BadValue)
}

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3).
pub(crate) fn percent(value: &[u8]) -> String {
    let mut encoded = String::with_capacity(value.len());
    for &byte in value {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn filtered(value: &[u8], filter: &Filter, values: &Values<'_>) -> Result<Vec<u8>, Reason> {
    Ok(match filter {
        Filter::Base64 => BASE64.encode(value).into_bytes(),
        Filter::Base64Url => BASE64URL_NOPAD.encode(value).into_bytes(),
        Filter::Hex => HEXLOWER.encode(value).into_bytes(),
        Filter::Lower => value.to_ascii_lowercase(),
        Filter::UrlEncode => percent(value).into_bytes(),
        Filter::Sha1 => Sha1::digest(value).to_vec(),
        Filter::Sha256 => Sha256::digest(value).to_vec(),
        Filter::HmacSha1(key) => {
            let mac = Hmac::<Sha1>::new_from_slice(values.get(key)?);
            let mut mac = mac.map_err(|_| Reason::BadValue)?;
            mac.update(value);
            mac.finalize().into_bytes().to_vec()
        }
        Filter::HmacSha256(key) => hmac_sha256(values.get(key)?, value),
        Filter::Split(number, separator) => {
            let part = text(value)?.split(separator.as_str()).nth(*number);
            part.ok_or(Reason::BadValue)?.as_bytes().to_vec()
        }
        Filter::After(separator) => {
            let part = text(value)?.rsplit_once(separator.as_str());
            part.ok_or(Reason::BadValue)?.1.as_bytes().to_vec()
        }
        Filter::Before(separator) => {
            let part = text(value)?.split_once(separator.as_str());
            part.ok_or(Reason::BadValue)?.0.as_bytes().to_vec()
        }
    })
}

/// HMAC-SHA-256 (RFC 2104) of `value` under `key`.
pub(crate) fn hmac_sha256(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(value);
    mac.finalize().into_bytes().to_vec()
}

fn json_filled(json: &serde_json::Value, values: &Values<'_>) -> Result<serde_json::Value, Reason> {
    use serde_json::Value;
    Ok(match json {
        Value::String(text) => Value::String(fill(text, values, Spot::Plain)?),
        Value::Array(items) => {
            let filled = items.iter().map(|item| json_filled(item, values));
            Value::Array(filled.collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let filled = fields
                .iter()
                .map(|(name, item)| Ok((name.clone(), json_filled(item, values)?)));
            Value::Object(filled.collect::<Result<_, Reason>>()?)
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(secret: &str) -> Values<'static> {
        let mut values = Values::at(1_700_000_000, "n0nce");
        values.set("secret", secret.as_bytes());
        values.set("site", b"Acme");
        values
    }

    fn spec(text: &str) -> RequestSpec {
        toml::from_str(text).expect("a request")
    }

    #[test]
    fn values_are_escaped_for_their_place() {
        let hostile = "a\"b&c=d/../e?f#g%h";
        let spec = spec(
            r#"
            method = "POST"
            url = "${endpoint}/x/${secret}?k=${secret}"
            body = { json = { key = "${secret}", fixed = 1 } }
            "#,
        );
        let request = request(&spec, "https://a.example/", &values(hostile)).expect("a request");
        let encoded = "a%22b%26c%3Dd%2F..%2Fe%3Ff%23g%25h";
        assert_eq!(
            request.url,
            format!("https://a.example/x/{encoded}?k={encoded}")
        );
        let (media, body) = request.body.expect("a body");
        assert_eq!(media, "application/json");
        let json: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(json["key"], hostile);
    }

    #[test]
    fn a_line_break_does_not_reach_a_header() {
        let spec = spec("url = \"${endpoint}/x\"\nauth = { bearer = \"${secret}\" }");
        let error = request(&spec, "https://a.example", &values("a\r\nX: y")).err();
        assert_eq!(error, Some(Reason::BadValue));
    }

    #[test]
    fn only_a_host_stands_in_a_host() {
        assert_eq!(
            base("https://${site}.a.example", &values("x")).as_deref(),
            Ok("https://acme.a.example")
        );
        for secret in [
            "evil.example/",
            "a@evil.example",
            "a:80",
            "a#",
            "",
            "a..b",
            "-a",
        ] {
            let said = base("https://${secret}.a.example", &values(secret));
            assert_eq!(said, Err(Reason::BadValue), "{secret}");
        }
    }

    #[test]
    fn filters_do_what_they_say() {
        for (template, expected) in [
            ("${secret|b64}", "a2V5LXVzMQ=="),
            ("${secret|b64url}", "a2V5LXVzMQ"),
            ("${secret|hex}", "6b65792d757331"),
            ("${secret|split(1,-)}", "us1"),
            ("${secret|after(-)}", "us1"),
            ("${secret|before(-)}", "key"),
            ("${site|lower}", "acme"),
            ("${now_rfc1123}", "Tue, 14 Nov 2023 22:13:20 GMT"),
            ("${now_rfc3339}", "2023-11-14T22:13:20Z"),
            ("${now_unix}", "1700000000"),
            ("${nonce}", "n0nce"),
        ] {
            assert_eq!(
                fill(template, &values("key-us1"), Spot::Plain).as_deref(),
                Ok(expected),
                "{template}"
            );
        }
        // RFC 4231 test case 2 and RFC 2202 test case 2.
        let mut values = values("x");
        values.set("key", b"Jefe");
        values.set("data", b"what do ya want for nothing?");
        let sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let sha1 = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        assert_eq!(
            fill("${data|hmac_sha256(key)|hex}", &values, Spot::Plain).as_deref(),
            Ok(sha256)
        );
        assert_eq!(
            fill("${data|hmac_sha1(key)|hex}", &values, Spot::Plain).as_deref(),
            Ok(sha1)
        );
    }

    #[test]
    fn a_secret_that_is_a_url_stands_as_it_is() {
        let whole = url("${secret}", "", &values("https://a.example/hooks/1/x?y=z"));
        assert_eq!(whole.as_deref(), Ok("https://a.example/hooks/1/x?y=z"));
        assert_eq!(
            url("${secret}", "", &values("https://a.example/ x")),
            Err(Reason::BadValue)
        );
    }

    #[test]
    fn a_user_of_basic_authentication_has_no_colon() {
        let spec = spec("url = \"${endpoint}/\"\nauth = { basic = [\"${secret}\", \"\"] }");
        let said = request(&spec, "https://a.example", &values("a:b")).err();
        assert_eq!(said, Some(Reason::BadValue));
        let good = request(&spec, "https://a.example", &values("ab")).expect("a request");
        assert_eq!(
            good.headers,
            [("Authorization".into(), "Basic YWI6".into())]
        );
    }
}
