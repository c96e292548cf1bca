//! JSON Web Tokens: the signature against the keys that their issuer publishes.
//!
//! Nothing of the token is sent, only its issuer is asked for public keys, and only one that is known
//! or that the user named. Live means that the issuer signed it and that its end has not passed; an
//! issuer can have withdrawn it all the same.
//!
//! Sources: RFC 7515, RFC 7517, RFC 7518, RFC 7519,
//! <https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig>.

use data_encoding::BASE64URL_NOPAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;

use super::Protocol;
use super::web::{self, Base};
use crate::detector::{IdentityField, VerifierClass, host_fits};
use crate::model::{Outcome, Reason};
use crate::verify::judge::Look;
use crate::verify::net::{Answer, HttpRequest, Place};
use crate::verify::{Asker, Settings, Subject, Target, Verdict, Verifier};

/// Asks issuers for their keys.
pub(super) struct Issuer;

const ENDPOINT: &str = "jwt-issuer";
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Issuers that publish keys, and where some of them keep those.
const HOSTS: &[&str] = &[
    "accounts.google.com",
    "appleid.apple.com",
    "gitlab.com",
    "login.microsoftonline.com",
    "login.windows.net",
    "oidc.circleci.com",
    "securetoken.google.com",
    "sts.windows.net",
    "token.actions.githubusercontent.com",
    "www.googleapis.com",
    "*.auth0.com",
    "*.okta.com",
    "*.oktapreview.com",
];

/// Whether an issuer or its keys may be at `host`. Amazon has a host for each region, beside which
/// customers have theirs.
fn is_known(host: &str) -> bool {
    let labels: Vec<_> = host.split('.').collect();
    let amazon = matches!(
        labels.as_slice(),
        ["cognito-idp", _, "amazonaws", "com"] | ["oidc", "eks", _, "amazonaws", "com"]
    );
    amazon || HOSTS.iter().any(|pattern| host_fits(pattern, host))
}

impl Protocol for Issuer {
    fn serves(&self) -> &'static [&'static str] {
        &["jwt"]
    }
}

impl Verifier for Issuer {
    fn name(&self) -> String {
        "jwt-issuer@1".into()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::Introspect
    }

    fn endpoint(&self) -> Option<&str> {
        Some(ENDPOINT)
    }

    fn hosts(&self) -> Vec<String> {
        HOSTS.iter().map(|host| (*host).to_owned()).collect()
    }

    fn needs(&self) -> Vec<&str> {
        Vec::new()
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        let token = Token::of(subject).map_err(Outcome::Skipped)?;
        if token.ends_at().is_some_and(|end| end < settings.now) {
            return Err(Outcome::RevokedOrExpired);
        }
        let base = token.base(settings)?;
        Ok(vec![
            base.target("GET", DISCOVERY)?,
            base.target("GET", "/(its keys)")?,
        ])
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let token = match Token::of(subject) {
            Ok(token) => token,
            Err(reason) => return reason.into(),
        };
        match token.base(settings) {
            Ok(base) => token.asked(&base, asker).unwrap_or_else(|verdict| verdict),
            Err(outcome) => Verdict::of(outcome),
        }
    }
}

/// A token taken apart.
struct Token<'a> {
    header: Value,
    claims: Value,
    /// What is signed.
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    fn of(subject: &'a Subject<'_>) -> Result<Self, Reason> {
        let text = subject.secret_text()?;
        let (signed, signature) = text.rsplit_once('.').ok_or(Reason::BadValue)?;
        let (header, claims) = signed.split_once('.').ok_or(Reason::BadValue)?;
        let bytes = |part: &str| {
            let bytes = BASE64URL_NOPAD.decode(part.as_bytes());
            bytes.map_err(|_| Reason::BadValue)
        };
        let json = |part: &str| -> Result<Value, Reason> {
            serde_json::from_slice(&bytes(part)?).map_err(|_| Reason::BadValue)
        };
        let token = Self {
            header: json(header)?,
            claims: json(claims)?,
            signed,
            signature: bytes(signature)?,
        };
        // What is signed with a shared secret nobody can check from outside.
        match token.algorithm() {
            "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384"
            | "EdDSA" => Ok(token),
            _ => Err(Reason::NoVerifier),
        }
    }

    fn algorithm(&self) -> &str {
        self.header["alg"].as_str().unwrap_or_default()
    }

    fn claim(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }

    fn ends_at(&self) -> Option<i64> {
        self.claims["exp"].as_f64().map(|end| end as i64)
    }

    /// Where its issuer is.
    fn base(&self, settings: &Settings) -> Result<Base, Outcome> {
        let issuer = self.claim("iss");
        if issuer.contains(['?', '#']) {
            return Err(Outcome::Skipped(Reason::BadValue));
        }
        if let Some(own) = Base::own(settings, ENDPOINT) {
            return Ok(own);
        }
        let place = Place::of(issuer).ok_or(Outcome::Skipped(Reason::NoVerifier))?;
        let known: &[&str] = match is_known(&place.host) {
            true => &[&place.host],
            false => &[],
        };
        Base::found(settings, issuer, known)
    }

    /// What the issuer's keys say; what says nothing comes as an error.
    fn asked(&self, base: &Base, asker: &Asker<'_>) -> Result<Verdict, Verdict> {
        let get = |url: String| -> Result<Answer, Verdict> {
            let request = HttpRequest {
                method: "GET",
                url,
                headers: vec![("accept".to_owned(), "application/json".to_owned())],
                body: None,
            };
            let answer = asker.http(&request).map_err(Verdict::from)?;
            match web::noise(&answer) {
                Some(noise) => Err(noise),
                None if answer.status != 200 => Err(web::unclear(&answer)),
                None => Ok(answer),
            }
        };
        let discovery = get(format!("{}{DISCOVERY}", base.url))?;
        let look = Look::new(&discovery);
        let same =
            |text: &str| text.trim_end_matches('/') == self.claim("iss").trim_end_matches('/');
        let keys = look
            .text("jwks_uri")
            .filter(|_| look.text("issuer").is_some_and(same));
        let keys = keys.ok_or_else(|| web::unclear(&discovery))?;
        let (here, there) = (Place::of(&base.url), Place::of(keys));
        let allowed = match (here, there) {
            (Some(here), Some(there)) => {
                here.https == there.https && (here.host == there.host || is_known(&there.host))
            }
            _ => false,
        };
        if !allowed {
            return Err(Verdict::of(Outcome::Skipped(Reason::HostNotAllowed)));
        }
        let answer = get(keys.to_owned())?;
        let look = Look::new(&answer);
        let keys = look.at("keys").and_then(Value::as_array);
        let keys = keys.ok_or_else(|| web::unclear(&answer))?;
        let id = &self.header["kid"];
        let named = |key: &&Value| id.is_null() || key["kid"] == *id;
        let named: Vec<_> = keys.iter().filter(named).collect();
        if named.is_empty() {
            // Keys are changed: an old one is gone while its tokens may still be good.
            return Err(web::unclear(&answer));
        }
        match named.iter().any(|key| self.is_signed_by(key)) {
            true => Ok(self.live()),
            false => Ok(Verdict::of(Outcome::Dead)),
        }
    }

    fn live(&self) -> Verdict {
        let end = self.ends_at().map(|end| end.to_string());
        let end = end.and_then(|end| {
            let time = jiff::Timestamp::from_second(end.parse().ok()?).ok()?;
            Some(time.to_string())
        });
        Verdict::live([
            (IdentityField::Account, self.claim("iss").to_owned()),
            (IdentityField::User, self.claim("sub").to_owned()),
            (IdentityField::Email, self.claim("email").to_owned()),
            (IdentityField::Scopes, self.claim("scope").to_owned()),
            (IdentityField::ExpiresAt, end.unwrap_or_default()),
        ])
    }

    /// Whether `key` (RFC 7517) made the signature.
    fn is_signed_by(&self, key: &Value) -> bool {
        let part = |name: &str| {
            let text = key[name].as_str()?;
            BASE64URL_NOPAD.decode(text.as_bytes()).ok()
        };
        let (message, signature) = (self.signed.as_bytes(), &self.signature);
        let rsa = |parameters| {
            let (Some(n), Some(e)) = (part("n"), part("e")) else {
                return false;
            };
            let key = RsaPublicKeyComponents { n, e };
            key.verify(parameters, message, signature).is_ok()
        };
        let point = |algorithm: &'static dyn signature::VerificationAlgorithm| {
            let (Some(x), Some(y)) = (part("x"), part("y")) else {
                return false;
            };
            let key = UnparsedPublicKey::new(algorithm, [&[4][..], &x, &y].concat());
            key.verify(message, signature).is_ok()
        };
        match self.algorithm() {
            "RS256" => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            "RS384" => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            "RS512" => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            "PS256" => rsa(&signature::RSA_PSS_2048_8192_SHA256),
            "PS384" => rsa(&signature::RSA_PSS_2048_8192_SHA384),
            "PS512" => rsa(&signature::RSA_PSS_2048_8192_SHA512),
            "ES256" => point(&signature::ECDSA_P256_SHA256_FIXED),
            "ES384" => point(&signature::ECDSA_P384_SHA384_FIXED),
            "EdDSA" => part("x").is_some_and(|x| {
                let key = UnparsedPublicKey::new(&signature::ED25519, x);
                key.verify(message, signature).is_ok()
            }),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_regions_are_known_and_their_neighbours_are_not() {
        for host in [
            "cognito-idp.eu-west-1.amazonaws.com",
            "oidc.eks.us-east-1.amazonaws.com",
            "acme.okta.com",
        ] {
            assert!(is_known(host), "{host}");
        }
        for host in [
            "x.s3.amazonaws.com",
            "cognito-idp.amazonaws.com",
            "okta.com",
            "okta.com.example",
        ] {
            assert!(!is_known(host), "{host}");
        }
    }
}
