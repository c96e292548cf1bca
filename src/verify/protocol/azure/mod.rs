//! Azure's signed requests: account keys and signatures of Storage (`storage`, `sas`), and the
//! services that sign with an HMAC of their own (`service`).

mod sas;
mod service;
mod storage;

use data_encoding::BASE64;

use super::Protocol;
use crate::model::Reason;
use crate::verify::net::Answer;
use crate::verify::render::hmac_sha256;

pub(super) use sas::Signature;
pub(super) use service::Service;
pub(super) use storage::AccountKey;

/// The clouds of Azure, by the end of their hosts.
fn of_clouds(service: &str, ends: &[&str]) -> Vec<String> {
    ends.iter().map(|end| format!("*.{service}{end}")).collect()
}

/// The time as headers of Azure have it (RFC 9110 section 5.6.7).
fn http_date(now: i64) -> String {
    let time = jiff::Timestamp::from_second(now).unwrap_or_default();
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The signature of `text` under `key`, which is base64 as its result.
fn signature(key: &str, text: &str) -> Result<String, Reason> {
    let key = BASE64.decode(key.as_bytes());
    let key = key.map_err(|_| Reason::BadValue)?;
    Ok(BASE64.encode(&hmac_sha256(&key, text.as_bytes())))
}

/// A request without a body as the scheme SharedKey sees it. Parameters of the query are sorted.
///
/// Source: <https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key>.
fn shared_key_text(
    headers: &[(&str, &str)],
    account: &str,
    path: &str,
    query: &[(&str, &str)],
) -> String {
    // Content-Encoding to Range, all of them empty.
    let mut text = format!("GET{}", "\n".repeat(12));
    for (name, value) in headers {
        text.push_str(&format!("{name}:{value}\n"));
    }
    text.push_str(&format!("/{account}{path}"));
    for (name, value) in query {
        text.push_str(&format!("\n{name}:{value}"));
    }
    text
}

/// Whether Azure says that the signature is wrong, and not the time.
fn refuses(answer: &Answer) -> bool {
    let says = |words: &str| super::web::says(answer, words);
    let clock = ["time frame", "too old", "date header", "Date header"];
    answer.status == 403
        && says("Server failed to authenticate the request")
        && !clock.iter().any(|words| says(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_text_is_signed() {
        let headers = [
            ("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"),
            ("x-ms-version", "2015-02-21"),
        ];
        let query = [
            ("comp", "metadata"),
            ("restype", "container"),
            ("timeout", "20"),
        ];
        assert_eq!(
            shared_key_text(&headers, "myaccount", "/mycontainer", &query),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n\
             x-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\n\
             restype:container\ntimeout:20"
        );
    }

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(http_date(1_435_361_952), "Fri, 26 Jun 2015 23:39:12 GMT");
    }
}
