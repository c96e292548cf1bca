//! API keys of MongoDB Atlas: the status of the service, which tells whose key asks, by Digest
//! authentication with the public key as user. Any key may ask it.
//!
//! A wrong private key and an unknown public one get the same answer, so nothing is dead.
//!
//! Sources: <https://www.mongodb.com/docs/api/doc/atlas-admin-api-v2/operation/operation-getsystemstatus>,
//! <https://www.mongodb.com/docs/atlas/api/api-authentication/>,
//! <https://www.mongodb.com/docs/atlas/reference/api-errors/>.

use super::Protocol;
use super::digest::Challenge;
use super::web::{self, Base};
use crate::detector::{IdentityField, VerifierClass};
use crate::model::{Outcome, Reason};
use crate::verify::judge::Look;
use crate::verify::net::{Answer, HttpRequest};
use crate::verify::{Asker, Settings, Subject, Target, Verdict, Verifier};

/// Asks Atlas whose a key is.
pub(super) struct Atlas;

const ENDPOINT: &str = "mongodb";
const VENDOR: &str = "https://cloud.mongodb.com";
const PATH: &str = "/api/atlas/v2";
const MEDIA: &str = "application/vnd.atlas.2023-01-01+json";

impl Protocol for Atlas {
    fn serves(&self) -> &'static [&'static str] {
        &["mongodb-atlas-api-private-key"]
    }
}

impl Verifier for Atlas {
    fn name(&self) -> String {
        "mongodb-atlas-key@1".into()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::Introspect
    }

    fn endpoint(&self) -> Option<&str> {
        Some(ENDPOINT)
    }

    fn hosts(&self) -> Vec<String> {
        vec!["cloud.mongodb.com".into()]
    }

    fn needs(&self) -> Vec<&str> {
        vec!["public_key"]
    }

    /// Once to be asked for the key, and once with it.
    fn targets(&self, _: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        let target = Base::vendor(settings, ENDPOINT, VENDOR)?.target("GET", PATH)?;
        Ok(vec![target.clone(), target])
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let url = match Base::vendor(settings, ENDPOINT, VENDOR) {
            Ok(base) => base.url + PATH,
            Err(outcome) => return Verdict::of(outcome),
        };
        let key = || Ok::<_, Reason>((subject.need("public_key")?, subject.secret_text()?));
        let key = match key() {
            Ok(key) => key,
            Err(reason) => return reason.into(),
        };
        let ask = |authorization: Option<String>| {
            let mut headers = vec![("accept".to_owned(), MEDIA.to_owned())];
            headers.extend(authorization.map(|value| ("authorization".to_owned(), value)));
            asker.http(&HttpRequest {
                method: "GET",
                url: url.clone(),
                headers,
                body: None,
            })
        };
        let answer = match ask(None) {
            Ok(answer) => answer,
            Err(reason) => return reason.into(),
        };
        if let Some(noise) = web::noise(&answer) {
            return noise;
        }
        let met = Challenge::of(&answer)
            .filter(|_| answer.status == 401)
            .map(|challenge| challenge.meet(key, ("GET", web::path(&url)), &asker.nonce));
        match met {
            None => web::unclear(&answer),
            Some(None) => Reason::BadValue.into(),
            Some(header) => match ask(header) {
                Ok(answer) => read(&answer),
                Err(reason) => reason.into(),
            },
        }
    }
}

/// What Atlas says to a key.
fn read(answer: &Answer) -> Verdict {
    if let Some(noise) = web::noise(answer) {
        return noise;
    }
    let look = Look::new(answer);
    let code = look.text("errorCode").unwrap_or_default();
    match answer.status {
        200 if look.text("apiKey.id").is_some_and(|id| !id.is_empty()) => {
            let text = |path: &str| look.text(path).unwrap_or_default().to_owned();
            let roles = look.at("apiKey.roles").and_then(|roles| roles.as_array());
            let names = roles.into_iter().flatten();
            let names = names.filter_map(|role| role.get("roleName")?.as_str());
            Verdict::live([
                (IdentityField::Account, text("apiKey.id")),
                (IdentityField::Org, text("apiKey.roles.0.orgId")),
                (IdentityField::Kind, "API key".to_owned()),
                (IdentityField::Scopes, names.collect::<Vec<_>>().join(", ")),
            ])
        }
        // It knows the key, and would take it from elsewhere.
        403 if code.starts_with("IP_ADDRESS_NOT_ON_") => Verdict::of(Outcome::LiveRestricted),
        401 => match Challenge::of(answer) {
            Some(challenge) if challenge.stale => web::unclear(answer),
            _ => Reason::Unpaired.into(),
        },
        _ => web::unclear(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str, challenge: &str) -> Answer {
        let media = ("content-type".to_owned(), MEDIA.to_owned());
        let mut headers = vec![media];
        if !challenge.is_empty() {
            headers.push(("www-authenticate".to_owned(), challenge.to_owned()));
        }
        Answer {
            status,
            headers,
            body: body.as_bytes().to_vec(),
            truncated: false,
        }
    }

    #[test]
    fn answers_are_read() {
        let known = r#"{"apiKey":{"id":"k1","publicKey":"p","roles":[{"orgId":"o1","roleName":"ORG_OWNER"},{"roleName":"ORG_MEMBER"}]},"appName":"MongoDB Atlas"}"#;
        let live = read(&answer(200, known, ""));
        assert_eq!(live.outcome, Outcome::Live);
        let scopes = (IdentityField::Scopes, "ORG_OWNER, ORG_MEMBER".to_owned());
        assert!(live.identity.contains(&scopes), "{:?}", live.identity);
        let of = |reason| Outcome::Unknown(reason);
        let digest = "Digest realm=\"MMS Public API\", nonce=\"n\", qop=\"auth\"";
        let stale = format!("{digest}, stale=true");
        let blocked = r#"{"error":403,"errorCode":"IP_ADDRESS_NOT_ON_ACCESS_LIST"}"#;
        for (status, body, challenge, outcome) in [
            (
                200,
                r#"{"apiKey":null,"appName":"MongoDB Atlas"}"#,
                "",
                of(Reason::UnexpectedStatus),
            ),
            (401, r#"{"error":401}"#, digest, of(Reason::Unpaired)),
            (
                401,
                r#"{"error":401}"#,
                &stale,
                of(Reason::UnexpectedStatus),
            ),
            (403, blocked, "", Outcome::LiveRestricted),
            (403, r#"{"error":403}"#, "", of(Reason::UnexpectedStatus)),
            (500, "", "", of(Reason::ProviderError)),
        ] {
            assert_eq!(
                read(&answer(status, body, challenge)).outcome,
                outcome,
                "{body}"
            );
        }
    }
}
