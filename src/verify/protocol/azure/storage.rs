//! Account keys of Azure Storage: the containers of the account are listed, at most one, signed
//! with the key.
//!
//! Sources: <https://learn.microsoft.com/en-us/rest/api/storageservices/list-containers2>,
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/common-rest-api-error-codes>.

use super::super::web::{self, Base};
use super::{Protocol, http_date, refuses, shared_key_text, signature};
use crate::detector::{IdentityField, VerifierClass};
use crate::model::{Outcome, Reason};
use crate::verify::net::{Answer, HttpRequest};
use crate::verify::{Asker, Settings, Subject, Target, Verdict, Verifier};

/// Keys of storage accounts.
pub(in crate::verify::protocol) struct AccountKey;

pub(super) const ENDPOINT: &str = "azure-storage";
/// Ends of the clouds' storage hosts.
pub(super) const SUFFIXES: &[&str] = &[
    "core.windows.net",
    "core.usgovcloudapi.net",
    "core.chinacloudapi.cn",
    "core.cloudapi.de",
];
/// The account of the emulator, whose key is documented.
const EMULATOR: &str = "devstoreaccount1";
const VERSION: &str = "2021-08-06";
const QUERY: &[(&str, &str)] = &[("comp", "list"), ("maxresults", "1")];

impl Protocol for AccountKey {
    fn serves(&self) -> &'static [&'static str] {
        &[
            "azure-storage-account-key",
            "azure-storage-account-key-legacy",
        ]
    }
}

impl Verifier for AccountKey {
    fn name(&self) -> String {
        "azure-storage-key@1".into()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::Read
    }

    fn endpoint(&self) -> Option<&str> {
        Some(ENDPOINT)
    }

    fn hosts(&self) -> Vec<String> {
        super::of_clouds("blob.", SUFFIXES)
    }

    fn needs(&self) -> Vec<&str> {
        vec!["account"]
    }

    fn takes(&self) -> Vec<&str> {
        vec!["suffix"]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        let account = Account::of(subject, settings)?;
        let key = subject.secret_text().map_err(Outcome::Skipped)?;
        signature(key, "").map_err(Outcome::Skipped)?;
        Ok(vec![account.base.target("GET", "/?comp=list")?])
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let account = match Account::of(subject, settings) {
            Ok(account) => account,
            Err(outcome) => return Verdict::of(outcome),
        };
        let request = subject
            .secret_text()
            .and_then(|key| account.request(key, asker.now));
        match request.and_then(|request| asker.http(&request)) {
            Ok(answer) => account.read(&answer),
            Err(reason) => reason.into(),
        }
    }
}

struct Account<'a> {
    name: &'a str,
    base: Base,
}

impl<'a> Account<'a> {
    fn of(subject: &'a Subject<'_>, settings: &Settings) -> Result<Self, Outcome> {
        let name = subject.need("account").map_err(Outcome::Skipped)?;
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !(3..=24).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(Outcome::Skipped(Reason::BadValue));
        }
        if name == EMULATOR {
            return Err(Outcome::Skipped(Reason::Example));
        }
        // Servers of one's own tell accounts by the path, as the emulator does.
        if let Some(mut base) = Base::own(settings, ENDPOINT) {
            base.url = format!("{}/{name}", base.url);
            return Ok(Self { name, base });
        }
        let suffix = subject.part("suffix").unwrap_or(SUFFIXES[0]);
        let hosts = super::of_clouds("blob.", SUFFIXES);
        let hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
        let url = format!("https://{name}.blob.{suffix}");
        let base = Base::found(settings, &url, &hosts)?;
        Ok(Self { name, base })
    }

    fn request(&self, key: &str, now: i64) -> Result<HttpRequest, Reason> {
        let date = http_date(now);
        let headers = [("x-ms-date", date.as_str()), ("x-ms-version", VERSION)];
        let path = web::path(&self.base.url);
        let text = shared_key_text(&headers, self.name, &format!("{path}/"), QUERY);
        let signed = signature(key, &text)?;
        let mut sent: Vec<_> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        sent.push((
            "authorization".to_owned(),
            format!("SharedKey {}:{signed}", self.name),
        ));
        let query: Vec<_> = QUERY
            .iter()
            .map(|(name, it)| format!("{name}={it}"))
            .collect();
        Ok(HttpRequest {
            method: "GET",
            url: format!("{}/?{}", self.base.url, query.join("&")),
            headers: sent,
            body: None,
        })
    }

    fn read(&self, answer: &Answer) -> Verdict {
        if let Some(noise) = web::noise(answer) {
            return noise;
        }
        match answer.status {
            200 if web::says(answer, "<EnumerationResults") => Verdict::live([
                (IdentityField::Account, self.name.to_owned()),
                (IdentityField::Kind, "account key".to_owned()),
            ]),
            _ if refuses(answer) => Verdict::of(Outcome::Dead),
            _ => web::unclear(answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> Outcome {
        let account = Account {
            name: "acme",
            base: Base {
                url: String::new(),
                from_text: true,
            },
        };
        let answer = Answer {
            status,
            headers: vec![("content-type".into(), "application/xml".into())],
            body: body.as_bytes().to_vec(),
            truncated: false,
        };
        account.read(&answer).outcome
    }

    #[test]
    fn answers_are_read() {
        let unclear = Outcome::Unknown(Reason::UnexpectedStatus);
        let list = "<?xml version=\"1.0\"?><EnumerationResults><Containers/></EnumerationResults>";
        assert_eq!(said(200, list), Outcome::Live);
        assert_eq!(said(200, "<x/>"), unclear);
        let error = |code: &str, message: &str| {
            format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")
        };
        let refused = "Server failed to authenticate the request. Make sure the value of \
             Authorization header is formed correctly including the signature.";
        assert_eq!(
            said(403, &error("AuthenticationFailed", refused)),
            Outcome::Dead
        );
        let late = format!("{refused} Request date header too old");
        assert_eq!(said(403, &error("AuthenticationFailed", &late)), unclear);
        // A firewall, and accounts that take no keys.
        for code in ["AuthorizationFailure", "KeyBasedAuthenticationNotPermitted"] {
            let body = error(
                code,
                "This request is not authorized to perform this operation.",
            );
            assert_eq!(said(403, &body), unclear, "{code}");
        }
        assert_eq!(said(404, &error("ResourceNotFound", "x")), unclear);
    }
}
