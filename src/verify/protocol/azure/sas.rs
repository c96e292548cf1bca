//! Shared access signatures of Azure Storage. Their fields say what they open and until when, so
//! one whose end has passed is told without asking.
//!
//! Asked is for the least that the kind of signature may open: the first byte of a blob or a file,
//! one name of a container or an account. That the right for it is missing is said only about a
//! signature that is good.
//!
//! Sources: <https://learn.microsoft.com/en-us/rest/api/storageservices/create-service-sas>,
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/create-account-sas>,
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/common-rest-api-error-codes>.

use super::super::web::{self, Base};
use super::storage::{ENDPOINT, SUFFIXES};
use super::{Protocol, refuses};
use crate::detector::{IdentityField, VerifierClass};
use crate::engine::judge::proof;
use crate::model::{Outcome, Reason};
use crate::verify::net::{Answer, HttpRequest, Place};
use crate::verify::render::percent;
use crate::verify::{Asker, Settings, Subject, Target, Verdict, Verifier};

/// Signatures in addresses of storage.
pub(in crate::verify::protocol) struct Signature;

/// The services whose objects are asked for.
const SERVICES: &[&str] = &["blob.", "dfs.", "file."];
/// What is said about a good signature that does not open what was asked for.
const NARROW: &[&str] = &[
    "AuthorizationPermissionMismatch",
    "AuthorizationResourceTypeMismatch",
    "AuthorizationServiceMismatch",
    "AuthorizationSourceIPMismatch",
    "AuthorizationProtocolMismatch",
    "BlobNotFound",
    "ContainerNotFound",
    "ResourceNotFound",
    "InvalidRange",
];

impl Protocol for Signature {
    fn serves(&self) -> &'static [&'static str] {
        &["azure-sas-token"]
    }
}

impl Verifier for Signature {
    fn name(&self) -> String {
        "azure-storage-sas@1".into()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::Read
    }

    fn endpoint(&self) -> Option<&str> {
        Some(ENDPOINT)
    }

    fn hosts(&self) -> Vec<String> {
        hosts()
    }

    fn needs(&self) -> Vec<&str> {
        Vec::new()
    }

    fn takes(&self) -> Vec<&str> {
        vec!["url", "query", "query_after"]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        let signed = Signed::of(subject).map_err(Outcome::Skipped)?;
        if signed.end().is_some_and(|end| end <= settings.now) {
            return Err(Outcome::RevokedOrExpired);
        }
        let asked = signed.asked(subject, settings)?;
        Ok(vec![asked.base.target("GET", asked.shown)?])
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let signed = match Signed::of(subject) {
            Ok(signed) => signed,
            Err(reason) => return reason.into(),
        };
        let asked = match signed.asked(subject, settings) {
            Ok(asked) => asked,
            Err(outcome) => return Verdict::of(outcome),
        };
        let first = ("x-ms-range".to_owned(), "bytes=0-0".to_owned());
        let request = HttpRequest {
            method: "GET",
            url: format!(
                "{}{}{}",
                asked.base.url,
                asked.path,
                signed.query(asked.list)
            ),
            headers: if asked.list.is_empty() {
                vec![first]
            } else {
                Vec::new()
            },
            body: None,
        };
        match asker.http(&request) {
            Ok(answer) => signed.read(&answer, &asked),
            Err(reason) => reason.into(),
        }
    }
}

fn hosts() -> Vec<String> {
    let services = SERVICES.iter();
    services
        .flat_map(|it| super::of_clouds(it, SUFFIXES))
        .collect()
}

/// The fields of a signature, decoded.
struct Signed(Vec<(String, String)>);

/// What a signature is tried on.
struct Asked {
    base: Base,
    path: String,
    /// Parameters of the query besides the signature.
    list: &'static str,
    /// What a plan shows of it.
    shown: &'static str,
    account: String,
}

impl Signed {
    fn of(subject: &Subject<'_>) -> Result<Self, Reason> {
        let mut fields = Vec::new();
        for part in ["query", "query_after"] {
            let text = subject.part(part).unwrap_or_default();
            let text = text.replace("&amp;", "&").replace("\\u0026", "&");
            for field in text.split(['&', '?']) {
                let Some((name, value)) = field.split_once('=') else {
                    continue;
                };
                if name.is_empty() || !name.bytes().all(|c| c.is_ascii_lowercase()) {
                    continue;
                }
                let value = web::percent_decoded(value).ok_or(Reason::BadValue)?;
                fields.push((name.to_owned(), value.into_owned()));
            }
        }
        let signature = web::percent_decoded(subject.secret_text()?).ok_or(Reason::BadValue)?;
        let signature = web::percent_decoded(&signature).ok_or(Reason::BadValue)?;
        fields.retain(|(name, _)| name != "sig");
        if fields.is_empty() {
            return Err(Reason::NeedsCompanion);
        }
        fields.push(("sig".to_owned(), signature.into_owned()));
        Ok(Self(fields))
    }

    fn field(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The end of the signature, or of the key that signed it.
    fn end(&self) -> Option<i64> {
        let moment = |name: &str| proof::moment(self.field(name)?.as_bytes());
        [moment("se"), moment("ske")].into_iter().flatten().min()
    }

    fn query(&self, list: &str) -> String {
        let fields = self.0.iter();
        let fields: Vec<_> = fields
            .map(|(name, value)| format!("{name}={}", percent(value.as_bytes())))
            .collect();
        format!("?{list}{}", fields.join("&"))
    }

    fn asked(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Asked, Outcome> {
        let skipped = |reason| Outcome::Skipped(reason);
        let url = subject.need("url").map_err(skipped)?;
        let url = url.split(['?', '#']).next().unwrap_or(url);
        let place = Place::of(url).ok_or(skipped(Reason::BadValue))?;
        let path = web::path(url).trim_end_matches('/');
        if !path.bytes().all(|c| c.is_ascii_graphic()) {
            return Err(skipped(Reason::BadValue));
        }
        let mut steps = path.split('/').skip(1);
        let fits = |pattern: &String| crate::detector::host_fits(pattern, &place.host);
        let is_vendors = hosts().iter().any(fits);
        // Elsewhere the account stands first in the path, as in the emulator's addresses.
        let account = match is_vendors {
            true => place.host.split('.').next(),
            false => steps.next(),
        };
        let account = account.filter(|it| !it.is_empty());
        let account = account.ok_or(skipped(Reason::BadValue))?.to_owned();
        let base = match Base::own(settings, ENDPOINT) {
            Some(mut own) => {
                own.url = format!("{}/{account}", own.url);
                own
            }
            None => {
                let origin = url.strip_suffix(web::path(url)).unwrap_or(url);
                let root = match is_vendors {
                    true => origin.to_owned(),
                    false => format!("{origin}/{account}"),
                };
                let hosts = hosts();
                let hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
                Base::found(settings, &root, &hosts)?
            }
        };
        let steps: Vec<_> = steps.collect();
        let of_account = self.field("ss").is_some() && self.field("srt").is_some();
        let (path, list, shown) = match self.field("sr") {
            _ if of_account => ("/".to_owned(), "comp=list&maxresults=1&", "/?comp=list"),
            Some("b" | "bv" | "bs" | "f") if steps.len() > 1 => {
                (format!("/{}", steps.join("/")), "", "/…")
            }
            Some("c") if !steps.is_empty() => (
                format!("/{}", steps[0]),
                "restype=container&comp=list&maxresults=1&",
                "/…?restype=container&comp=list",
            ),
            _ => return Err(skipped(Reason::NoVerifier)),
        };
        Ok(Asked {
            base,
            path,
            list,
            shown,
            account,
        })
    }

    fn read(&self, answer: &Answer, asked: &Asked) -> Verdict {
        let code = answer.header("x-ms-error-code");
        let code = code
            .or_else(|| web::element(answer, "Code"))
            .unwrap_or_default();
        // What a blob holds may be a page.
        let is_answer = answer.header("x-ms-request-id").is_some();
        let lists = || web::says(answer, "<EnumerationResults");
        let good = match asked.list.is_empty() {
            true => matches!(answer.status, 200 | 206) && is_answer,
            false => answer.status == 200 && lists(),
        };
        if let Some(noise) = web::noise(answer).filter(|_| !good) {
            return noise;
        }
        let narrow = (400..500).contains(&answer.status) && is_answer && NARROW.contains(&code);
        if good || narrow {
            let field = |name| self.field(name).unwrap_or_default().to_owned();
            return Verdict {
                outcome: match good {
                    true => Outcome::Live,
                    false => Outcome::LiveRestricted,
                },
                ..Verdict::live([
                    (IdentityField::Account, asked.account.clone()),
                    (IdentityField::Scopes, field("sp")),
                    (IdentityField::ExpiresAt, field("se")),
                    (IdentityField::Kind, "shared access signature".to_owned()),
                ])
            };
        }
        match refuses(answer) {
            true => Verdict::of(Outcome::Dead),
            false => web::unclear(answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::detector::DetectorSet;
    use crate::model::Secret;

    /// What would be asked for, with all values, or what is known without.
    fn asked(url: &str, query: &str, settings: &Settings) -> Result<String, Outcome> {
        let set = DetectorSet::builtin();
        let (_, detector) = set.find("azure-sas-token").expect("built in");
        let secret = Secret::new(b"a%2Bb%3D");
        let values = [("url", url), ("query", query)].map(|(n, v)| (n, Secret::new(v.as_bytes())));
        let subject = Subject {
            finding: "f",
            detector,
            secret: &secret,
            parts: values
                .iter()
                .map(|(n, v)| (*n, v))
                .collect::<BTreeMap<_, _>>(),
        };
        Signature.targets(&subject, settings)?;
        let signed = Signed::of(&subject).map_err(Outcome::Skipped)?;
        let asked = signed.asked(&subject, settings)?;
        Ok(format!(
            "{}{}{}",
            asked.base.url,
            asked.path,
            signed.query(asked.list)
        ))
    }

    #[test]
    fn each_kind_is_tried_on_what_it_opens() {
        let settings = Settings {
            now: 1_700_000_000,
            ..Settings::default()
        };
        let of = |url: &str, query: &str| asked(url, query, &settings);
        let blob = "https://acme.blob.core.windows.net/c/d/f.txt";
        assert_eq!(
            of(blob, "sv=2022-11-02&sr=b&se=2030-01-01T00%3A00%3A00Z").as_deref(),
            Ok(
                "https://acme.blob.core.windows.net/c/d/f.txt?sv=2022-11-02&sr=b&se=2030-01-01T00%3A00%3A00Z&sig=a%2Bb%3D"
            )
        );
        assert_eq!(
            of(blob, "sr=c&amp;sp=r").as_deref(),
            Ok(
                "https://acme.blob.core.windows.net/c?restype=container&comp=list&maxresults=1&sr=c&sp=r&sig=a%2Bb%3D"
            )
        );
        assert_eq!(
            of(blob, "ss=b\\u0026srt=sco").as_deref(),
            Ok(
                "https://acme.blob.core.windows.net/?comp=list&maxresults=1&ss=b&srt=sco&sig=a%2Bb%3D"
            )
        );
        let skipped = |reason| Err(Outcome::Skipped(reason));
        assert_eq!(
            of(blob, "sr=b&se=2020-01-01"),
            Err(Outcome::RevokedOrExpired)
        );
        assert_eq!(of(blob, ""), skipped(Reason::NeedsCompanion));
        assert_eq!(
            of("https://acme.queue.core.windows.net/q", "sp=r"),
            skipped(Reason::HostNotAllowed)
        );
        assert_eq!(
            of("https://a.evil.example/c/f", "sr=b"),
            skipped(Reason::HostNotAllowed)
        );
        assert_eq!(
            of(
                "https://acme.blob.core.windows.net.evil.example/c/f",
                "sr=b"
            ),
            skipped(Reason::HostNotAllowed)
        );
    }

    #[test]
    fn a_server_of_ones_own_has_the_account_in_its_path() {
        let settings = Settings {
            endpoints: [(ENDPOINT.to_owned(), "http://127.0.0.1:10000".to_owned())].into(),
            ..Settings::default()
        };
        let expected = "http://127.0.0.1:10000/acme/c/f?sr=b&sig=a%2Bb%3D";
        for url in [
            "https://acme.blob.core.windows.net/c/f",
            "http://127.0.0.1:10000/acme/c/f",
        ] {
            assert_eq!(
                asked(url, "sr=b", &settings).as_deref(),
                Ok(expected),
                "{url}"
            );
        }
    }
}
