//! Services of Azure whose keys sign an HMAC-SHA-256 of each request, each in its own way: Service
//! Bus with Event Hubs and Relay, App Configuration, Cosmos DB, Batch.
//!
//! Sources: <https://learn.microsoft.com/en-us/rest/api/eventhub/generate-sas-token>,
//! <https://learn.microsoft.com/en-us/azure/azure-app-configuration/rest-api-authentication-hmac>,
//! <https://learn.microsoft.com/en-us/rest/api/cosmos-db/access-control-on-cosmosdb-resources>,
//! <https://learn.microsoft.com/en-us/rest/api/batchservice/authenticate-requests-to-the-azure-batch-service>.

use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

use super::super::web::{self, Base};
use super::{Protocol, http_date, of_clouds, refuses, shared_key_text, signature};
use crate::detector::{IdentityField, VerifierClass};
use crate::model::{Outcome, Reason};
use crate::verify::judge::Look;
use crate::verify::net::{Answer, HttpRequest};
use crate::verify::render::{hmac_sha256, percent};
use crate::verify::{Asker, Settings, Subject, Target, Verdict, Verifier};

/// A service, by how it signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::verify::protocol) enum Service {
    /// Service Bus, Event Hubs, Relay.
    Messaging,
    /// App Configuration.
    Configuration,
    /// Cosmos DB.
    Cosmos,
    /// Batch.
    Batch,
}

/// Seconds that a signature for Service Bus is good for.
const LIFETIME: i64 = 300;
/// A name that no setting has, so that the list of names is empty.
const NO_SETTING: &str = "straykey-none";

impl Service {
    fn ends(self) -> Vec<String> {
        match self {
            Self::Messaging => of_clouds(
                "servicebus.",
                &["windows.net", "usgovcloudapi.net", "chinacloudapi.cn"],
            ),
            Self::Configuration => of_clouds("azconfig.", &["io", "azure.us", "azure.cn"]),
            Self::Cosmos => of_clouds("documents.", &["azure.com", "azure.us", "azure.cn"]),
            Self::Batch => of_clouds(
                "batch.",
                &["azure.com", "usgovcloudapi.net", "chinacloudapi.cn"],
            ),
        }
    }

    fn endpoint_name(self) -> &'static str {
        match self {
            Self::Messaging => "azure-service-bus",
            Self::Configuration => "azure-app-configuration",
            Self::Cosmos => "azure-cosmos",
            Self::Batch => "azure-batch",
        }
    }

    /// Where the resource of `subject` is.
    fn base(self, subject: &Subject<'_>, settings: &Settings) -> Result<Base, Outcome> {
        if let Some(own) = Base::own(settings, self.endpoint_name()) {
            return Ok(own);
        }
        let host = subject.need("host").map_err(Outcome::Skipped)?;
        if !crate::detector::is_host(&host.to_ascii_lowercase()) {
            return Err(Outcome::Skipped(Reason::BadValue));
        }
        let ends = self.ends();
        let ends: Vec<_> = ends.iter().map(String::as_str).collect();
        Base::found(settings, &format!("https://{host}"), &ends)
    }

    /// What is asked for, below the base: a path and perhaps a query.
    fn path(self, subject: &Subject<'_>) -> String {
        match self {
            // A policy of one queue, topic or hub opens nothing else.
            Self::Messaging => match subject.part("entity") {
                Some(entity) => format!("/{}?api-version=2017-04", percent(entity.as_bytes())),
                None => "/$namespaceinfo?api-version=2017-04".to_owned(),
            },
            Self::Configuration => format!("/keys?name={NO_SETTING}&api-version=1.0"),
            Self::Cosmos => "/dbs".to_owned(),
            Self::Batch => "/pools?api-version=2023-05-01.17.0&maxresults=1".to_owned(),
        }
    }

    fn request(self, subject: &Subject<'_>, base: &Base, now: i64) -> Result<HttpRequest, Reason> {
        let key = subject.secret_text()?;
        let path = self.path(subject);
        let url = format!("{}{path}", base.url);
        let date = http_date(now);
        let headers = match self {
            Self::Messaging => {
                let resource = url.split('?').next().unwrap_or_default();
                let policy = subject.need("key_name")?;
                vec![(
                    "authorization",
                    messaging_token(key, policy, resource, now + LIFETIME),
                )]
            }
            Self::Configuration => {
                let id = subject.need("key_id")?;
                let plain = |c: u8| c.is_ascii_graphic() && !b"&,;".contains(&c);
                if !id.bytes().all(plain) {
                    return Err(Reason::BadValue);
                }
                let host = web::authority(&url);
                let hash = BASE64.encode(&Sha256::digest(b""));
                let text = format!("GET\n{}\n{date};{host};{hash}", web::path(&url));
                let signed = signature(key, &text)?;
                let header = format!(
                    "HMAC-SHA256 Credential={id}&SignedHeaders=x-ms-date;host;x-ms-content-sha256\
                     &Signature={signed}"
                );
                vec![
                    ("x-ms-date", date),
                    ("x-ms-content-sha256", hash),
                    ("authorization", header),
                ]
            }
            Self::Cosmos => {
                let header = cosmos_token(key, "get", "dbs", "", &date)?;
                vec![
                    ("x-ms-date", date),
                    ("x-ms-version", "2018-12-31".to_owned()),
                    ("x-ms-max-item-count", "1".to_owned()),
                    ("authorization", header),
                ]
            }
            Self::Batch => {
                let account = subject
                    .part("account")
                    .or_else(|| subject.part("host")?.split('.').next());
                let account = account.ok_or(Reason::NeedsCompanion)?;
                let query = [("api-version", "2023-05-01.17.0"), ("maxresults", "1")];
                let text = shared_key_text(&[("ocp-date", &date)], account, "/pools", &query);
                let header = format!("SharedKey {account}:{}", signature(key, &text)?);
                vec![("ocp-date", date), ("authorization", header)]
            }
        };
        let owned = headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        Ok(HttpRequest {
            method: "GET",
            url,
            headers: owned.collect(),
            body: None,
        })
    }

    fn read(self, subject: &Subject<'_>, answer: &Answer) -> Verdict {
        if let Some(noise) = web::noise(answer) {
            return noise;
        }
        let look = Look::new(answer);
        let says = |words: &str| web::says(answer, words);
        let status = answer.status;
        let is_list = |path: &str| look.at(path).is_some_and(serde_json::Value::is_array);
        let outcome = match self {
            Self::Messaging => match status {
                200 if says("http://www.w3.org/2005/Atom") => Outcome::Live,
                401 if says("InvalidSignature")
                    || says("Invalid authorization token signature") =>
                {
                    Outcome::Dead
                }
                // A policy that may send or receive, but not look.
                401 | 403 if says("claim") && says("required") => Outcome::LiveRestricted,
                _ => return web::unclear(answer),
            },
            Self::Configuration => {
                let why = answer.header("www-authenticate").unwrap_or_default();
                match status {
                    200 if is_list("items") => Outcome::Live,
                    401 if why.contains("Invalid Credential")
                        || why.contains("Invalid Signature") =>
                    {
                        Outcome::Dead
                    }
                    _ => return web::unclear(answer),
                }
            }
            Self::Cosmos => match status {
                200 if is_list("Databases") => Outcome::Live,
                401 if look.text("code") == Some("Unauthorized") && says("authorization token") => {
                    Outcome::Dead
                }
                _ => return web::unclear(answer),
            },
            Self::Batch => match status {
                200 if is_list("value") => Outcome::Live,
                _ if refuses(answer) => Outcome::Dead,
                _ => return web::unclear(answer),
            },
        };
        if !outcome.is_live() {
            return Verdict::of(outcome);
        }
        let account = subject.part("account").or_else(|| subject.part("host"));
        let name = subject.part("key_name").or_else(|| subject.part("key_id"));
        Verdict {
            outcome,
            ..Verdict::live([
                (
                    IdentityField::Account,
                    account.unwrap_or_default().to_owned(),
                ),
                (IdentityField::Name, name.unwrap_or_default().to_owned()),
            ])
        }
    }
}

impl Protocol for Service {
    fn serves(&self) -> &'static [&'static str] {
        match self {
            Self::Messaging => &["azure-servicebus-connection-string", "azure-messaging-key"],
            Self::Configuration => &["azure-app-configuration-connection-string"],
            Self::Cosmos => &["azure-cosmosdb-key", "azure-cosmosdb-key-legacy"],
            Self::Batch => &["azure-batch-key"],
        }
    }
}

impl Verifier for Service {
    fn name(&self) -> String {
        format!("{}@1", self.endpoint_name())
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::Read
    }

    fn endpoint(&self) -> Option<&str> {
        Some(self.endpoint_name())
    }

    fn hosts(&self) -> Vec<String> {
        self.ends()
    }

    fn needs(&self) -> Vec<&str> {
        match self {
            Self::Messaging => vec!["key_name"],
            Self::Configuration => vec!["key_id"],
            Self::Cosmos | Self::Batch => Vec::new(),
        }
    }

    fn takes(&self) -> Vec<&str> {
        vec!["host", "entity", "account"]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        // Hubs of devices are of another service, which signs in another way.
        if subject
            .part("host")
            .is_some_and(|host| host.contains(".azure-devices."))
        {
            return Err(Outcome::Skipped(Reason::NoVerifier));
        }
        let base = self.base(subject, settings)?;
        self.request(subject, &base, settings.now)
            .map_err(Outcome::Skipped)?;
        let path = match self {
            Self::Messaging if subject.part("entity").is_some() => "/…".to_owned(),
            _ => self.path(subject),
        };
        Ok(vec![base.target("GET", &path)?])
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let base = match self.base(subject, settings) {
            Ok(base) => base,
            Err(outcome) => return Verdict::of(outcome),
        };
        let request = self.request(subject, &base, asker.now);
        match request.and_then(|request| asker.http(&request)) {
            Ok(answer) => self.read(subject, &answer),
            Err(reason) => reason.into(),
        }
    }
}

/// A signature for `resource` until `end`; the key is used as it is written.
fn messaging_token(key: &str, policy: &str, resource: &str, end: i64) -> String {
    let resource = percent(resource.as_bytes());
    let text = format!("{resource}\n{end}");
    let signed = BASE64.encode(&hmac_sha256(key.as_bytes(), text.as_bytes()));
    format!(
        "SharedAccessSignature sr={resource}&sig={}&se={end}&skn={}",
        percent(signed.as_bytes()),
        percent(policy.as_bytes())
    )
}

/// The header Authorization of a request of Cosmos DB.
fn cosmos_token(
    key: &str,
    verb: &str,
    kind: &str,
    link: &str,
    date: &str,
) -> Result<String, Reason> {
    let text = format!("{verb}\n{kind}\n{link}\n{}\n\n", date.to_ascii_lowercase());
    let signed = signature(key, &text)?;
    Ok(percent(
        format!("type=master&ver=1.0&sig={signed}").as_bytes(),
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::detector::DetectorSet;
    use crate::model::Secret;

    #[test]
    fn cosmos_signs_as_documented() {
        // The key of the documentation, which opens nothing.
        let pieces = [
            "dsZQi3KtZmCv1ljt",
            "3VNWNm7sQUF1y5rJ",
            "fC6kv5JiwvW0EndX",
            "dDku/dkKBp8/ufDT",
            "oSxLzR4y+O/0H/t4",
            "bQtVNw==",
        ];
        let date = "Thu, 27 Apr 2017 00:51:12 GMT";
        let signed = ["c09PEVJrgp2uQRkr934kF", "bTqhByc7TVr3OHyqlu%2B", "c%2Bc%3D"];
        assert_eq!(
            cosmos_token(&pieces.concat(), "get", "dbs", "dbs/ToDoList", date),
            Ok(format!(
                "type%3Dmaster%26ver%3D1.0%26sig%3D{}",
                signed.concat()
            ))
        );
    }

    #[test]
    fn a_signature_for_messages_names_resource_end_and_policy() {
        let token = messaging_token("key", "send", "https://acme.servicebus.windows.net/q", 17);
        let resource = "https%3A%2F%2Facme.servicebus.windows.net%2Fq";
        let expected = BASE64.encode(&hmac_sha256(b"key", format!("{resource}\n17").as_bytes()));
        let expected = percent(expected.as_bytes());
        assert_eq!(
            token,
            format!("SharedAccessSignature sr={resource}&sig={expected}&se=17&skn=send")
        );
    }

    fn said(service: Service, status: u16, header: (&str, &str), body: &str) -> Outcome {
        let set = DetectorSet::builtin();
        let (_, detector) = set.find(service.serves()[0]).expect("built in");
        let secret = Secret::new(b"AAAA");
        let subject = Subject {
            finding: "f",
            detector,
            secret: &secret,
            parts: BTreeMap::new(),
        };
        let answer = Answer {
            status,
            headers: vec![(header.0.to_owned(), header.1.to_owned())],
            body: body.as_bytes().to_vec(),
            truncated: false,
        };
        service.read(&subject, &answer).outcome
    }

    #[test]
    fn answers_are_read() {
        use Service::{Batch, Configuration, Cosmos, Messaging};
        let plain = ("x", "y");
        let atom = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><title>acme</title></entry>";
        let claims = "<Error><Code>401</Code><Detail>Manage,EntityRead claims required for this \
             operation.</Detail></Error>";
        let invalid = "<Error><Code>401</Code><Detail>InvalidSignature: The token has an invalid \
             signature.</Detail></Error>";
        let other = "<Error><Code>401</Code><Detail>MissingToken</Detail></Error>";
        let bad = (
            "www-authenticate",
            "HMAC-SHA256 error=\"invalid_token\" error_description=\"Invalid Signature\", Bearer",
        );
        let late = (
            "www-authenticate",
            "HMAC-SHA256 error=\"invalid_token\" error_description=\"The access token has expired\"",
        );
        let cosmos = r#"{"code":"Unauthorized","message":"The input authorization token can't serve the request."}"#;
        let batch = r#"{"code":"AuthenticationFailed","message":{"value":"Server failed to authenticate the request. Make sure"}}"#;
        let unclear = Outcome::Unknown(Reason::UnexpectedStatus);
        for (service, status, header, body, outcome) in [
            (Messaging, 200, plain, atom, Outcome::Live),
            (Messaging, 401, plain, claims, Outcome::LiveRestricted),
            (Messaging, 401, plain, invalid, Outcome::Dead),
            (Messaging, 401, plain, other, unclear),
            (Messaging, 200, plain, "<x/>", unclear),
            (Configuration, 200, plain, r#"{"items":[]}"#, Outcome::Live),
            (Configuration, 401, bad, "", Outcome::Dead),
            (Configuration, 401, late, "", unclear),
            (
                Cosmos,
                200,
                plain,
                r#"{"_rid":"","Databases":[]}"#,
                Outcome::Live,
            ),
            (Cosmos, 401, plain, cosmos, Outcome::Dead),
            (Cosmos, 403, plain, r#"{"code":"Forbidden"}"#, unclear),
            (Batch, 200, plain, r#"{"value":[]}"#, Outcome::Live),
            (Batch, 403, plain, batch, Outcome::Dead),
            (Batch, 403, plain, r#"{"code":"Forbidden"}"#, unclear),
        ] {
            assert_eq!(
                said(service, status, header, body),
                outcome,
                "{service:?} {body}"
            );
        }
    }
}
