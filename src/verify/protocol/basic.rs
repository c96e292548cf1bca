//! User and password of web servers (RFC 7617): in an address, a command or a header.
//!
//! Two steps, so that a server that asks for nothing proves nothing: without a credential it must
//! refuse and ask for `Basic`, and only then it gets one. Only hosts that the user named are asked.
//! What stands behind the host is left out but for the path.

use data_encoding::BASE64;

use super::Protocol;
use super::web::{self, Base};
use crate::detector::{IdentityField, VerifierClass};
use crate::model::{Outcome, Reason};
use crate::verify::net::{Answer, HttpRequest};
use crate::verify::{Asker, Settings, Subject, Target, Verdict, Verifier};

/// Asks a web server.
pub(super) struct Basic;

/// The detector whose secret is user and password, encoded.
const HEADER: &str = "http-basic-auth-header";
/// The detector whose secret stands in an address, percent-encoded.
const ADDRESS: &str = "url-credentials";

impl Protocol for Basic {
    fn serves(&self) -> &'static [&'static str] {
        &["curl-auth-user", HEADER]
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["https", "http", "git+https"]
    }
}

impl Verifier for Basic {
    fn name(&self) -> String {
        "http-basic@1".into()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::Login
    }

    fn endpoint(&self) -> Option<&str> {
        Some("http-basic")
    }

    fn needs(&self) -> Vec<&str> {
        vec!["user"]
    }

    fn takes(&self) -> Vec<&str> {
        vec!["scheme", "host", "port", "path"]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        let (base, path) = place(subject, settings)?;
        credential(subject).map_err(Outcome::Skipped)?;
        let shown = if path.is_empty() { "/" } else { "/…" };
        let user = subject.part("user").map(str::to_owned);
        let target = Target {
            user,
            ..base.target("GET", shown)?
        };
        Ok(vec![target.clone(), target])
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let ((base, path), credential) = match (place(subject, settings), credential(subject)) {
            (Ok(place), Ok(credential)) => (place, credential),
            (Err(outcome), _) => return Verdict::of(outcome),
            (_, Err(reason)) => return reason.into(),
        };
        let ask = |headers: Vec<(String, String)>| {
            asker.http(&HttpRequest {
                method: "GET",
                url: format!("{}{}", base.url, if path.is_empty() { "/" } else { path }),
                headers,
                body: None,
            })
        };
        match ask(Vec::new()) {
            Ok(answer) => {
                if let Some(verdict) = unasked(&answer) {
                    return verdict;
                }
            }
            Err(reason) => return reason.into(),
        }
        match ask(vec![(
            "authorization".to_owned(),
            format!("Basic {credential}"),
        )]) {
            Ok(answer) => said(&answer, subject.part("user").unwrap_or_default()),
            Err(reason) => reason.into(),
        }
    }
}

/// Where it is asked, and the path there.
fn place<'a>(subject: &'a Subject<'_>, settings: &Settings) -> Result<(Base, &'a str), Outcome> {
    let path = subject.part("path").unwrap_or_default();
    let plain = |c: u8| c.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&c);
    let fits = path.is_empty() || path.starts_with('/') && path.bytes().all(plain);
    if !fits {
        return Err(Outcome::Skipped(Reason::BadValue));
    }
    if let Some(own) = Base::own(settings, "http-basic") {
        return Ok((own, path));
    }
    let host = subject.need("host").map_err(Outcome::Skipped)?;
    // Plain HTTP is left to the network, which sends it to opened ranges alone.
    let scheme = match subject.part("scheme") {
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => "http",
        _ => "https",
    };
    let port = subject.part("port");
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    let base = Base::named(settings, &format!("{scheme}://{host}{port}"))?;
    Ok((base, path))
}

/// User and password as the header has them.
fn credential(subject: &Subject<'_>) -> Result<String, Reason> {
    let secret = subject.secret_text()?;
    if subject.detector.id == HEADER {
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"+/=".contains(&c);
        return match secret.bytes().all(plain) {
            true => Ok(secret.to_owned()),
            false => Err(Reason::BadValue),
        };
    }
    let user = subject.need("user")?;
    let decode = |text| match subject.detector.id == ADDRESS {
        true => web::percent_decoded(text).ok_or(Reason::BadValue),
        false => Ok(text.into()),
    };
    let (user, password) = (decode(user)?, decode(secret)?);
    if user.contains(':') {
        return Err(Reason::BadValue);
    }
    Ok(BASE64.encode(format!("{user}:{password}").as_bytes()))
}

/// Why the answer to a request without a credential ends it; `None` when it asks for one.
fn unasked(answer: &Answer) -> Option<Verdict> {
    match answer.status {
        401 if challenges(answer).any(|it| it.eq_ignore_ascii_case("basic")) => None,
        401 => Some(web::unclear(answer)),
        429 | 503 | 300..=399 => web::noise(answer),
        500.. => Some(web::unclear(answer)),
        _ => Some(Verdict::unknown(Reason::NoAuthentication)),
    }
}

/// The schemes that an answer asks for (RFC 9110 section 11.6.1).
fn challenges(answer: &Answer) -> impl Iterator<Item = &str> {
    let headers = answer.headers.iter();
    let headers = headers.filter(|(name, _)| name == "www-authenticate");
    headers
        .flat_map(|(_, value)| value.split(','))
        .filter_map(|piece| piece.split_ascii_whitespace().next())
}

/// What the server says of the credential. The same request was refused without it, so that what
/// comes back need be no data.
fn said(answer: &Answer, user: &str) -> Verdict {
    match answer.status {
        200..=299 => Verdict::live([(IdentityField::User, user.to_owned())]),
        401 => Verdict::of(Outcome::Dead),
        429 | 503 | 300..=399 => web::noise(answer).unwrap_or_else(|| web::unclear(answer)),
        _ => web::unclear(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, challenge: &str) -> Answer {
        Answer {
            status,
            headers: vec![("www-authenticate".into(), challenge.into())],
            body: Vec::new(),
            truncated: false,
        }
    }

    #[test]
    fn only_a_server_that_asks_for_it_gets_a_credential() {
        let first =
            |status, challenge: &str| unasked(&answer(status, challenge)).map(|it| it.outcome);
        assert_eq!(first(401, "Basic realm=\"a\""), None);
        assert_eq!(first(401, "Negotiate, basic realm=\"a\""), None);
        let unclear = Some(Outcome::Unknown(Reason::UnexpectedStatus));
        assert_eq!(first(401, "Bearer realm=\"Basic a\""), unclear);
        assert_eq!(first(401, ""), unclear);
        assert_eq!(
            first(200, ""),
            Some(Outcome::Unknown(Reason::NoAuthentication))
        );
        assert_eq!(
            first(403, ""),
            Some(Outcome::Unknown(Reason::NoAuthentication))
        );
        assert_eq!(first(302, ""), Some(Outcome::Unknown(Reason::Redirect)));
        assert_eq!(
            first(502, ""),
            Some(Outcome::Unknown(Reason::ProviderError))
        );
    }

    #[test]
    fn what_follows_the_credential() {
        let second = |status| said(&answer(status, "Basic"), "ci").outcome;
        assert_eq!(second(204), Outcome::Live);
        assert_eq!(second(401), Outcome::Dead);
        assert_eq!(second(403), Outcome::Unknown(Reason::UnexpectedStatus));
        assert_eq!(second(404), Outcome::Unknown(Reason::UnexpectedStatus));
        assert_eq!(second(307), Outcome::Unknown(Reason::Redirect));
    }
}
