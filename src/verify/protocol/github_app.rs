//! Private keys of GitHub Apps: `GET /app` with a token that the key signs for the app whose id
//! stands beside it. The token is made for ten minutes at most and thrown away; nothing is minted.
//!
//! A key that is not the app's, and an app that has no such key any more, get the same answer: with
//! the id of another app beside it a good key is refused too, so nothing is dead.
//!
//! Sources: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>,
//! <https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app>,
//! <https://github.com/octokit/auth-app.js/issues/375> (the answer to another app's key).

use serde_json::json;

use super::Protocol;
use super::assertion::{key_of_pem, signed};
use super::web::{self, Base};
use crate::detector::{IdentityField, VerifierClass};
use crate::model::{Outcome, Reason};
use crate::verify::judge::Look;
use crate::verify::net::{Answer, HttpRequest};
use crate::verify::{Asker, Settings, Subject, Target, Verdict, Verifier};

/// Asks GitHub which app a key signs for.
pub(super) struct App;

const ENDPOINT: &str = "github";
const VENDOR: &str = "https://api.github.com";
/// Seconds that the clocks may differ, as GitHub advises.
const BEFORE: i64 = 60;
/// Seconds that a token is good for; ten minutes is the most.
const LIFETIME: i64 = 300;

impl Protocol for App {
    fn serves(&self) -> &'static [&'static str] {
        &["github-app-private-key"]
    }
}

impl Verifier for App {
    fn name(&self) -> String {
        "github-app@1".into()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::Introspect
    }

    fn endpoint(&self) -> Option<&str> {
        Some(ENDPOINT)
    }

    fn hosts(&self) -> Vec<String> {
        vec!["api.github.com".into()]
    }

    fn needs(&self) -> Vec<&str> {
        vec!["app_id"]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        let pem = subject.secret_text().map_err(Outcome::Skipped)?;
        key_of_pem(pem).map_err(Outcome::Skipped)?;
        Ok(vec![
            Base::vendor(settings, ENDPOINT, VENDOR)?.target("GET", "/app")?,
        ])
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let url = match Base::vendor(settings, ENDPOINT, VENDOR) {
            Ok(base) => base.url + "/app",
            Err(outcome) => return Verdict::of(outcome),
        };
        let token = match token(subject, asker.now) {
            Ok(token) => token,
            Err(reason) => return reason.into(),
        };
        let header = |name: &str, value: String| (name.to_owned(), value);
        let request = HttpRequest {
            method: "GET",
            url,
            headers: vec![
                header("accept", "application/vnd.github+json".to_owned()),
                header("authorization", format!("Bearer {token}")),
            ],
            body: None,
        };
        match asker.http(&request) {
            Ok(answer) => read(&answer),
            Err(reason) => reason.into(),
        }
    }
}

fn token(subject: &Subject<'_>, now: i64) -> Result<String, Reason> {
    let key = key_of_pem(subject.secret_text()?)?;
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    let claims = json!({
        "iat": now - BEFORE,
        "exp": now + LIFETIME,
        "iss": subject.need("app_id")?,
    });
    signed(&key, &header, &claims)
}

fn read(answer: &Answer) -> Verdict {
    if let Some(noise) = web::noise(answer) {
        return noise;
    }
    let look = Look::new(answer);
    let text = |path: &str| look.text(path).unwrap_or_default().to_owned();
    let why = text("message");
    match answer.status {
        200 if !text("slug").is_empty() => {
            let rights = look.at("permissions").and_then(|it| it.as_object());
            let rights = rights.into_iter().flatten();
            let rights = rights.filter_map(|(name, may)| Some(format!("{name}:{}", may.as_str()?)));
            Verdict::live([
                (IdentityField::Account, text("slug")),
                (IdentityField::Name, text("name")),
                (IdentityField::Org, text("owner.login")),
                (IdentityField::Kind, "GitHub App".to_owned()),
                (IdentityField::Scopes, rights.collect::<Vec<_>>().join(", ")),
            ])
        }
        401 if why.contains("could not be decoded") => Reason::Unpaired.into(),
        404 if why.contains("Integration not found") => Reason::Unpaired.into(),
        // Also a clock that is wrong: 'Issued at' and 'Expiration time' claims.
        _ => web::unclear(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let of = |reason| Outcome::Unknown(reason);
        let app = r#"{"id":1,"slug":"acme-ci","name":"Acme CI","owner":{"login":"acme"},"permissions":{"contents":"write","metadata":"read"}}"#;
        for (status, body, outcome) in [
            (200, app, Outcome::Live),
            (200, "{}", of(Reason::UnexpectedStatus)),
            (
                401,
                r#"{"message":"A JSON web token could not be decoded"}"#,
                of(Reason::Unpaired),
            ),
            (
                401,
                r#"{"message":"'Expiration time' claim ('exp') must be a numeric value"}"#,
                of(Reason::UnexpectedStatus),
            ),
            (
                404,
                r#"{"message":"Integration not found"}"#,
                of(Reason::Unpaired),
            ),
            (
                404,
                r#"{"message":"Not Found"}"#,
                of(Reason::UnexpectedStatus),
            ),
            (503, "", of(Reason::RateLimited)),
        ] {
            let answer = Answer {
                status,
                headers: vec![("content-type".into(), "application/json".into())],
                body: body.as_bytes().to_vec(),
                truncated: false,
            };
            let said = read(&answer);
            assert_eq!(said.outcome, outcome, "{body}");
            if outcome == Outcome::Live {
                let scopes = (
                    IdentityField::Scopes,
                    "contents:write, metadata:read".into(),
                );
                assert!(said.identity.contains(&scopes), "{:?}", said.identity);
            }
        }
    }
}
