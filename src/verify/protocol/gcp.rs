//! Google service accounts and refresh tokens of users: both are exchanged for an access token,
//! which is thrown away.
//!
//! Google's token endpoint alone is asked. A key file that names another one is not sent anywhere:
//! whoever reads the signed assertion there could use it. What the file says of the account is
//! believed for the identity only when Google gave a token for it.
//!
//! Sources: <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>,
//! <https://developers.google.com/identity/protocols/oauth2/web-server#offline>, RFC 7523, RFC 6749.

use ring::signature::RsaKeyPair;
use serde_json::{Value, json};

use super::Protocol;
use super::assertion::{key_of_pem, signed};
use super::web::{self, Base};
use crate::detector::{IdentityField, VerifierClass};
use crate::model::{Outcome, Reason};
use crate::verify::judge::Look;
use crate::verify::net::{Answer, HttpRequest};
use crate::verify::render::percent;
use crate::verify::{Asker, Settings, Subject, Target, Verdict, Verifier};

const VENDOR: &str = "https://oauth2.googleapis.com";
const ENDPOINT: &str = "google-oauth";
/// What key files name as `token_uri`: today's and those of older files.
const TOKEN_URIS: &[&str] = &[
    "https://oauth2.googleapis.com/token",
    "https://accounts.google.com/o/oauth2/token",
    "https://www.googleapis.com/oauth2/v3/token",
    "https://www.googleapis.com/oauth2/v4/token",
];
/// The least that a token can be for.
const SCOPE: &str = "https://www.googleapis.com/auth/userinfo.email";
/// Seconds that an assertion is good for; an hour is the most.
const LIFETIME: i64 = 300;

/// Key files of service accounts.
pub(super) struct ServiceAccount;

/// Refresh tokens of users, with the client that they were given to.
pub(super) struct RefreshToken;

impl Protocol for ServiceAccount {
    fn serves(&self) -> &'static [&'static str] {
        &["gcp-service-account"]
    }
}

impl Verifier for ServiceAccount {
    fn name(&self) -> String {
        "gcp-service-account@1".into()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::TokenMint
    }

    fn endpoint(&self) -> Option<&str> {
        Some(ENDPOINT)
    }

    fn hosts(&self) -> Vec<String> {
        vec!["oauth2.googleapis.com".into()]
    }

    fn needs(&self) -> Vec<&str> {
        Vec::new()
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        let file = KeyFile::of(subject).map_err(Outcome::Skipped)?;
        file.key().map_err(Outcome::Skipped)?;
        if !file.is_googles() {
            return Err(Outcome::Skipped(Reason::HostNotAllowed));
        }
        Ok(vec![base(settings)?.target("POST", "/token")?])
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let file = match KeyFile::of(subject) {
            Ok(file) => file,
            Err(reason) => return reason.into(),
        };
        let url = match base(settings) {
            Ok(base) => base.url + "/token",
            Err(outcome) => return Verdict::of(outcome),
        };
        let assertion = match file.assertion(&url, asker.now) {
            Ok(assertion) => assertion,
            Err(reason) => return reason.into(),
        };
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        let fields = [("grant_type", grant), ("assertion", &assertion)];
        match asker.http(&form(url, &fields)) {
            Ok(answer) => file.read(&answer),
            Err(reason) => reason.into(),
        }
    }
}

fn base(settings: &Settings) -> Result<Base, Outcome> {
    Base::vendor(settings, ENDPOINT, VENDOR)
}

fn form(url: String, fields: &[(&str, &str)]) -> HttpRequest {
    let pairs: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", percent(value.as_bytes())))
        .collect();
    let media = "application/x-www-form-urlencoded".to_owned();
    HttpRequest {
        method: "POST",
        url,
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        body: Some((media, pairs.join("&").into_bytes())),
    }
}

/// A key file.
struct KeyFile {
    json: Value,
}

impl KeyFile {
    /// The secret of `subject`, as it is or as the text of a string in other JSON or in code.
    fn of(subject: &Subject<'_>) -> Result<Self, Reason> {
        let text = subject.secret_text()?;
        let plain = serde_json::from_str(text).ok();
        let json = plain.or_else(|| {
            let inner: String = serde_json::from_str(&format!("\"{text}\"")).ok()?;
            serde_json::from_str(&inner).ok()
        });
        let json = json.filter(Value::is_object).ok_or(Reason::BadValue)?;
        Ok(Self { json })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.json.get(name).and_then(Value::as_str)
    }

    /// Whether Google issued it and Google is to be asked.
    fn is_googles(&self) -> bool {
        let uri = self.text("token_uri");
        let universe = self.text("universe_domain");
        uri.is_none_or(|uri| TOKEN_URIS.contains(&uri))
            && universe.is_none_or(|universe| universe == "googleapis.com")
    }

    fn key(&self) -> Result<RsaKeyPair, Reason> {
        let pem = self.text("private_key").ok_or(Reason::BadValue)?;
        key_of_pem(pem)
    }

    /// A token signed with the key that says who asks, for `audience` (RFC 7523 section 3).
    fn assertion(&self, audience: &str, now: i64) -> Result<String, Reason> {
        let email = self.text("client_email").ok_or(Reason::BadValue)?;
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(id) = self.text("private_key_id") {
            header["kid"] = json!(id);
        }
        let claims = json!({
            "iss": email,
            "scope": SCOPE,
            "aud": audience,
            "iat": now,
            "exp": now + LIFETIME,
        });
        signed(&self.key()?, &header, &claims)
    }

    fn read(&self, answer: &Answer) -> Verdict {
        if let Some(noise) = web::noise(answer) {
            return noise;
        }
        let look = Look::new(answer);
        if is_token(answer.status, &look) {
            let of = |field, name| (field, self.text(name).unwrap_or_default().to_owned());
            return Verdict::live([
                of(IdentityField::Account, "project_id"),
                of(IdentityField::Email, "client_email"),
                of(IdentityField::Name, "private_key_id"),
                (IdentityField::Kind, "service account".to_owned()),
            ]);
        }
        let why = look.text("error_description").unwrap_or_default();
        match (answer.status, look.text("error")) {
            (400 | 401, Some("invalid_grant")) => match () {
                () if why.starts_with("Invalid JWT Signature") => Verdict::of(Outcome::Dead),
                () if why.contains("account not found") => Verdict::of(Outcome::Dead),
                () if why.contains("account has been deleted") || why.contains("is disabled") => {
                    Verdict::of(Outcome::RevokedOrExpired)
                }
                // A wrong clock, a policy of the organisation.
                () => web::unclear(answer),
            },
            _ => web::unclear(answer),
        }
    }
}

fn is_token(status: u16, look: &Look<'_>) -> bool {
    status == 200
        && look
            .text("access_token")
            .is_some_and(|text| !text.is_empty())
}

impl Protocol for RefreshToken {
    fn serves(&self) -> &'static [&'static str] {
        &[
            "gcp-oauth-refresh-token",
            "gcp-application-default-credentials",
        ]
    }
}

impl Verifier for RefreshToken {
    fn name(&self) -> String {
        "gcp-refresh-token@1".into()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::TokenMint
    }

    fn endpoint(&self) -> Option<&str> {
        Some(ENDPOINT)
    }

    fn hosts(&self) -> Vec<String> {
        vec!["oauth2.googleapis.com".into()]
    }

    fn needs(&self) -> Vec<&str> {
        vec!["client_id", "client_secret"]
    }

    fn targets(&self, _: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        Ok(vec![base(settings)?.target("POST", "/token")?])
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let parts = || {
            Ok::<_, Reason>((
                subject.need("client_id")?,
                subject.need("client_secret")?,
                subject.secret_text()?,
            ))
        };
        let (id, secret, token) = match parts() {
            Ok(parts) => parts,
            Err(reason) => return reason.into(),
        };
        let url = match base(settings) {
            Ok(base) => base.url + "/token",
            Err(outcome) => return Verdict::of(outcome),
        };
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", id),
            ("client_secret", secret),
            ("refresh_token", token),
        ];
        match asker.http(&form(url, &fields)) {
            Ok(answer) => refreshed(&answer),
            Err(reason) => reason.into(),
        }
    }
}

fn refreshed(answer: &Answer) -> Verdict {
    if let Some(noise) = web::noise(answer) {
        return noise;
    }
    let look = Look::new(answer);
    if is_token(answer.status, &look) {
        let scope = look.text("scope").unwrap_or_default().to_owned();
        return Verdict::live([
            (IdentityField::Scopes, scope),
            (IdentityField::Kind, "user".to_owned()),
        ]);
    }
    let why = look.text("error_description").unwrap_or_default();
    let outcome = match (answer.status, look.text("error")) {
        // It is good, but its user has to sign in once more.
        (400, Some("invalid_grant")) if look.text("error_subtype") == Some("invalid_rapt") => {
            Outcome::LiveRestricted
        }
        (400, Some("invalid_grant")) if why.contains("expired or revoked") => {
            Outcome::RevokedOrExpired
        }
        (400, Some("invalid_grant")) => Outcome::Dead,
        // That is about the client: another one may be the right one.
        (400 | 401, Some("invalid_client" | "unauthorized_client" | "deleted_client")) => {
            Outcome::Unknown(Reason::Unpaired)
        }
        _ => return web::unclear(answer),
    };
    Verdict::of(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        Answer {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
            truncated: false,
        }
    }

    fn file(json: Value) -> KeyFile {
        KeyFile { json }
    }

    #[test]
    fn only_googles_endpoint_is_asked() {
        for (json, googles) in [
            (json!({}), true),
            (
                json!({ "token_uri": "https://oauth2.googleapis.com/token" }),
                true,
            ),
            (
                json!({ "token_uri": "https://accounts.google.com/o/oauth2/token" }),
                true,
            ),
            (
                json!({ "token_uri": "https://oauth2.googleapis.com.evil.example/token" }),
                false,
            ),
            (
                json!({ "token_uri": "http://oauth2.googleapis.com/token" }),
                false,
            ),
            (json!({ "universe_domain": "acme.example" }), false),
        ] {
            assert_eq!(file(json.clone()).is_googles(), googles, "{json}");
        }
    }

    #[test]
    fn answers_about_an_account_are_read() {
        let key = file(json!({ "project_id": "p", "client_email": "e@p.example" }));
        let live = key.read(&answer(200, &json!({ "access_token": "t" })));
        assert_eq!(live.outcome, Outcome::Live);
        assert!(
            live.identity
                .contains(&(IdentityField::Email, "e@p.example".into()))
        );
        let grant = |why: &str| json!({ "error": "invalid_grant", "error_description": why });
        let unclear = Outcome::Unknown(Reason::UnexpectedStatus);
        for (body, outcome) in [
            (grant("Invalid JWT Signature."), Outcome::Dead),
            (grant("Invalid grant: account not found"), Outcome::Dead),
            (
                grant("The account has been deleted"),
                Outcome::RevokedOrExpired,
            ),
            (grant("Robot is disabled."), Outcome::RevokedOrExpired),
            (
                grant("Invalid JWT: Token must be a short-lived token (60 minutes)"),
                unclear,
            ),
            (json!({ "error": "unauthorized_client" }), unclear),
            (json!({}), unclear),
        ] {
            assert_eq!(key.read(&answer(400, &body)).outcome, outcome, "{body}");
        }
        assert_eq!(key.read(&answer(200, &json!({}))).outcome, unclear);
    }

    #[test]
    fn answers_about_a_refresh_token_are_read() {
        let unpaired = Outcome::Unknown(Reason::Unpaired);
        for (status, body, outcome) in [
            (
                200,
                json!({ "access_token": "t", "scope": "openid" }),
                Outcome::Live,
            ),
            (
                400,
                json!({ "error": "invalid_grant", "error_description": "Bad Request" }),
                Outcome::Dead,
            ),
            (
                400,
                json!({ "error": "invalid_grant", "error_description": "Token has been expired or revoked." }),
                Outcome::RevokedOrExpired,
            ),
            (
                400,
                json!({ "error": "invalid_grant", "error_subtype": "invalid_rapt" }),
                Outcome::LiveRestricted,
            ),
            (401, json!({ "error": "invalid_client" }), unpaired),
            (400, json!({ "error": "unauthorized_client" }), unpaired),
            (
                401,
                json!({ "error": "x" }),
                Outcome::Unknown(Reason::UnexpectedStatus),
            ),
        ] {
            assert_eq!(refreshed(&answer(status, &body)).outcome, outcome, "{body}");
        }
    }
}
