//! Logins of container registries: `GET /v2/` must be refused, and say where and how a client
//! shows who it is; then the login is shown there, and to nobody else.
//!
//! A token is asked for on the registry's own host, or on one that the user named.
//!
//! Sources: <https://distribution.github.io/distribution/spec/auth/token/>,
//! <https://distribution.github.io/distribution/spec/api/#api-version-check>.

use data_encoding::BASE64;

use super::Protocol;
use super::web::{self, Base};
use crate::detector::{IdentityField, VerifierClass};
use crate::model::{Outcome, Reason};
use crate::verify::judge::Look;
use crate::verify::net::{Answer, HttpRequest, Place};
use crate::verify::render::percent;
use crate::verify::{Asker, Settings, Subject, Target, Verdict, Verifier};

/// Asks a container registry.
pub(super) struct Registry;

const ENDPOINT: &str = "container-registry";

impl Protocol for Registry {
    fn serves(&self) -> &'static [&'static str] {
        &["docker-config-auth"]
    }
}

impl Verifier for Registry {
    fn name(&self) -> String {
        "container-registry@1".into()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::Login
    }

    fn endpoint(&self) -> Option<&str> {
        Some(ENDPOINT)
    }

    fn needs(&self) -> Vec<&str> {
        Vec::new()
    }

    fn takes(&self) -> Vec<&str> {
        vec!["registry"]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        let login = Login::of(subject).map_err(Outcome::Skipped)?;
        let target = Target {
            user: Some(login.user),
            ..base(subject, settings)?.target("GET", "/v2/")?
        };
        Ok(vec![target.clone(), target])
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let (login, base) = match (Login::of(subject), base(subject, settings)) {
            (Ok(login), Ok(base)) => (login, base),
            (Err(reason), _) => return reason.into(),
            (_, Err(outcome)) => return Verdict::of(outcome),
        };
        let root = format!("{}/v2/", base.url);
        let get = |url: &str, authorization: Option<&str>| {
            let header = |value: &str| ("authorization".to_owned(), value.to_owned());
            asker.http(&HttpRequest {
                method: "GET",
                url: url.to_owned(),
                headers: authorization.map(header).into_iter().collect(),
                body: None,
            })
        };
        let answer = match get(&root, None) {
            Ok(answer) => answer,
            Err(reason) => return reason.into(),
        };
        let basic = format!("Basic {}", login.encoded);
        let accepted = match challenge(&answer) {
            Err(verdict) => return verdict,
            Ok(Challenge::Basic) => get(&root, Some(&basic)),
            Ok(Challenge::Bearer(realm)) => {
                let url = match realm.url(&base, settings, &login.user) {
                    Ok(url) => url,
                    Err(reason) => return reason.into(),
                };
                let token = match get(&url, Some(&basic)) {
                    Ok(answer) => token(&answer),
                    Err(reason) => return reason.into(),
                };
                match token {
                    Ok(token) => get(&root, Some(&format!("Bearer {token}"))),
                    Err(verdict) => return verdict,
                }
            }
        };
        match accepted {
            Ok(answer) => said(&answer, &login.user),
            Err(reason) => reason.into(),
        }
    }
}

/// Where the registry is. Docker's configuration names it with or without a scheme and a path.
fn base(subject: &Subject<'_>, settings: &Settings) -> Result<Base, Outcome> {
    if let Some(own) = Base::own(settings, ENDPOINT) {
        return Ok(own);
    }
    let named = subject.need("registry").map_err(Outcome::Skipped)?;
    let (scheme, rest) = named.split_once("://").unwrap_or(("https", named));
    let host = rest.split('/').next().unwrap_or(rest);
    Base::named(settings, &format!("{scheme}://{host}"))
}

/// User and password.
struct Login {
    user: String,
    /// Both, as Docker's configuration and the header have them.
    encoded: String,
}

impl Login {
    fn of(subject: &Subject<'_>) -> Result<Self, Reason> {
        let encoded = subject.secret_text()?;
        let bytes = BASE64.decode(encoded.as_bytes());
        let text = String::from_utf8(bytes.map_err(|_| Reason::BadValue)?);
        let text = text.map_err(|_| Reason::BadValue)?;
        let text = text.trim_end_matches(['\0', '\n']);
        let (user, password) = text.split_once(':').ok_or(Reason::BadValue)?;
        if user.is_empty() || password.is_empty() {
            return Err(Reason::BadValue);
        }
        Ok(Self {
            user: user.to_owned(),
            encoded: BASE64.encode(text.as_bytes()),
        })
    }
}

/// How a registry wants to be shown a login.
#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer(Realm),
}

/// Where tokens are given, and for what.
#[derive(Debug, PartialEq, Eq)]
struct Realm {
    url: String,
    service: Option<String>,
}

impl Realm {
    /// The request for a token, if its host may be asked: the one of the registry at its port or
    /// at that of https, or one that the user named.
    fn url(&self, base: &Base, settings: &Settings, user: &str) -> Result<String, Reason> {
        let place = Place::of(&self.url).ok_or(Reason::Protocol)?;
        let registry = Place::of(&base.url).ok_or(Reason::BadValue)?;
        let same = place.host == registry.host
            && (place.https || !registry.https)
            && (place.port == registry.port || place.https && place.port == 443);
        let named = place.https && settings.names(&place.host);
        if !same && !named {
            return Err(Reason::HostNotAllowed);
        }
        let mut url = self.url.clone();
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&format!("account={}", percent(user.as_bytes())));
        if let Some(service) = &self.service {
            url.push_str(&format!("&service={}", percent(service.as_bytes())));
        }
        Ok(url)
    }
}

/// What the answer to a request without a login asks for.
fn challenge(answer: &Answer) -> Result<Challenge, Verdict> {
    match answer.status {
        401 => {}
        200..=299 if !Look::new(answer).is_html() => {
            return Err(Verdict::unknown(Reason::NoAuthentication));
        }
        _ => return Err(web::noise(answer).unwrap_or_else(|| web::unclear(answer))),
    }
    let headers = answer.headers.iter();
    let headers = headers.filter(|(name, _)| name == "www-authenticate");
    for (_, value) in headers {
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Ok(Challenge::Basic);
        }
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        if let Some(url) = parameter(rest, "realm").filter(|_| is_bearer) {
            let service = parameter(rest, "service");
            return Ok(Challenge::Bearer(Realm { url, service }));
        }
    }
    Err(web::unclear(answer))
}

/// The value of `name="…"` in a challenge.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (key, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        if key
            .trim_start_matches([',', ' '])
            .eq_ignore_ascii_case(name)
        {
            return Some(value.to_owned());
        }
        rest = after;
    }
}

/// The token that was given for the login.
fn token(answer: &Answer) -> Result<String, Verdict> {
    if let Some(noise) = web::noise(answer) {
        return Err(noise);
    }
    let look = Look::new(answer);
    let token = look.text("token").or_else(|| look.text("access_token"));
    let plain = |token: &&str| !token.is_empty() && token.bytes().all(|c| c.is_ascii_graphic());
    match (answer.status, token.filter(plain)) {
        (200, Some(token)) => Ok(token.to_owned()),
        (401, _) => Err(Verdict::of(Outcome::Dead)),
        _ => Err(web::unclear(answer)),
    }
}

/// What the registry says to the login, or to the token that was given for it.
fn said(answer: &Answer, user: &str) -> Verdict {
    if let Some(noise) = web::noise(answer) {
        return noise;
    }
    let is_registry = answer.header("docker-distribution-api-version").is_some()
        || Look::new(answer)
            .at("")
            .is_some_and(serde_json::Value::is_object);
    match answer.status {
        200 if is_registry => Verdict::live([(IdentityField::User, user.to_owned())]),
        401 => Verdict::of(Outcome::Dead),
        _ => web::unclear(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, header: (&str, &str), body: &str) -> Answer {
        Answer {
            status,
            headers: vec![(header.0.to_owned(), header.1.to_owned())],
            body: body.as_bytes().to_vec(),
            truncated: false,
        }
    }

    fn realm(url: &str) -> Realm {
        Realm {
            url: url.to_owned(),
            service: Some("a b".to_owned()),
        }
    }

    #[test]
    fn challenges_are_read() {
        let asked = |value: &str| challenge(&answer(401, ("www-authenticate", value), "")).ok();
        assert_eq!(asked("Basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(
            asked("Bearer realm=\"https://r.example/token\",service=\"a b\", scope=\"x\""),
            Some(Challenge::Bearer(realm("https://r.example/token")))
        );
        assert_eq!(asked("Bearer service=\"a\""), None);
        assert_eq!(asked("Digest realm=\"a\""), None);
        let open = challenge(&answer(200, ("a", "b"), "{}")).err();
        assert_eq!(open, Some(Verdict::unknown(Reason::NoAuthentication)));
    }

    #[test]
    fn a_token_is_asked_for_where_the_registry_is() {
        let settings = Settings {
            hosts: vec!["auth.example".into()],
            ..Settings::default()
        };
        let url = |registry: &str, token: &str| {
            let base = Base::named(
                &Settings {
                    hosts: vec!["r.example".into()],
                    ..Settings::default()
                },
                registry,
            );
            realm(token).url(&base.expect("named"), &settings, "u")
        };
        let at = "https://r.example:5000";
        assert_eq!(
            url(at, "https://r.example/t?x=y").as_deref(),
            Ok("https://r.example/t?x=y&account=u&service=a%20b")
        );
        assert!(url(at, "https://r.example:5000/t").is_ok());
        assert!(url(at, "https://auth.example/t").is_ok());
        for token in [
            "http://r.example:5000/t",
            "https://r.example:6000/t",
            "https://evil.example/t",
            "https://r.example.evil.example/t",
            "http://auth.example/t",
        ] {
            assert_eq!(url(at, token), Err(Reason::HostNotAllowed), "{token}");
        }
    }

    #[test]
    fn answers_to_a_login_are_read() {
        let plain = ("a", "b");
        assert_eq!(
            token(&answer(200, plain, r#"{"token":"t"}"#)).as_deref(),
            Ok("t")
        );
        assert_eq!(
            token(&answer(401, plain, "{}")),
            Err(Verdict::of(Outcome::Dead))
        );
        assert!(token(&answer(200, plain, r#"{"token":"a\nb"}"#)).is_err());
        let registry = ("docker-distribution-api-version", "registry/2.0");
        assert_eq!(said(&answer(200, registry, ""), "u").outcome, Outcome::Live);
        assert_eq!(said(&answer(200, plain, "{}"), "u").outcome, Outcome::Live);
        assert_eq!(
            said(&answer(401, registry, "{}"), "u").outcome,
            Outcome::Dead
        );
        let unclear = Outcome::Unknown(Reason::UnexpectedStatus);
        assert_eq!(said(&answer(200, plain, "ok"), "u").outcome, unclear);
        assert_eq!(said(&answer(403, registry, "{}"), "u").outcome, unclear);
    }
}
