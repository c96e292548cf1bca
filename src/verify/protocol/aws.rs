//! AWS access keys: `GetCallerIdentity` of the Security Token Service, signed with Signature
//! Version 4. Every principal may call it, whatever its policies say.
//!
//! The key id tells its account, so traps and accounts that the user left out are told before
//! anything is sent. One key id is asked about by one check at a time, and again before it is
//! called dead: STS refuses a right signature that comes within seconds of a wrong one.
//!
//! Sources: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::web::{self, Base};
use super::{Protocol, Revocation};
use crate::detector::{IdentityField, VerifierClass};
use crate::engine::judge::proof;
use crate::model::{Outcome, Reason};
use crate::verify::net::{Answer, HttpRequest};
use crate::verify::render::{hmac_sha256, percent};
use crate::verify::{Asker, Settings, Subject, Target, Verdict, Verifier, canary};

/// Asks STS whose a key is.
pub(super) struct Sts;

/// Has IAM deactivate a key, which its owner can undo.
struct Deactivate;

/// What `straykey revoke` does to access keys.
pub(super) const DEACTIVATION: Revocation = Revocation {
    serves: &["aws-secret-access-key", "aws-access-key-pair"],
    effect: "IAM deactivates the access key, if the policies of its user let it do that to itself; \
             it can be activated again in the console.",
    who: &Deactivate,
};

const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const MEDIA: &str = "application/x-www-form-urlencoded";
/// How long STS holds a wrong signature against the key id, at most.
const GRUDGE: Duration = Duration::from_secs(5);

/// Where keys of a partition are asked about, and the region that is signed for.
type Place = (&'static str, &'static str);

const COMMERCIAL: Place = ("https://sts.us-east-1.amazonaws.com", "us-east-1");
const GOVERNMENT: Place = ("https://sts.us-gov-west-1.amazonaws.com", "us-gov-west-1");
const CHINA: Place = ("https://sts.cn-north-1.amazonaws.com.cn", "cn-north-1");

/// Where keys are asked about that stand beside `region`. A partition knows the keys of no other,
/// and a key id does not tell its partition: without a region all are asked in turn.
fn partitions(region: &str) -> Result<&'static [Place], Reason> {
    match region {
        "" => Ok(&[COMMERCIAL, GOVERNMENT, CHINA]),
        _ if region.starts_with("cn-") => Ok(&[CHINA]),
        _ if region.starts_with("us-gov-") => Ok(&[GOVERNMENT]),
        // Partitions that are cut off, or that keep to themselves.
        _ if region.contains("-iso") || region.starts_with("eusc-") => Err(Reason::NoEndpoint),
        _ => Ok(&[COMMERCIAL]),
    }
}

impl Protocol for Sts {
    fn serves(&self) -> &'static [&'static str] {
        &["aws-secret-access-key", "aws-access-key-pair"]
    }
}

impl Verifier for Sts {
    fn name(&self) -> String {
        "aws-sts@2".into()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::Introspect
    }

    fn endpoint(&self) -> Option<&str> {
        Some("aws")
    }

    fn hosts(&self) -> Vec<String> {
        vec![
            "sts.us-east-1.amazonaws.com".into(),
            "sts.us-gov-west-1.amazonaws.com".into(),
            "sts.cn-north-1.amazonaws.com.cn".into(),
        ]
    }

    fn needs(&self) -> Vec<&str> {
        vec!["access_key_id"]
    }

    fn takes(&self) -> Vec<&str> {
        vec!["session_token", "region"]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        admit(subject, settings)?;
        let bases = bases(subject, settings)?;
        let targets = bases.iter().map(|(base, _)| base.target("POST", "/"));
        targets.collect()
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let (key, bases) = match (Key::of(subject), bases(subject, settings)) {
            (Ok(key), Ok(bases)) => (key, bases),
            (Err(reason), _) => return reason.into(),
            (_, Err(outcome)) => return Verdict::of(outcome),
        };
        let turn = Turn::take(key.id);
        let mut verdicts = Vec::new();
        for (base, region) in bases {
            let sts = Service {
                name: "sts",
                region,
            };
            let ask = || match asker.http(&key.request(&base.url, sts, BODY, asker.now)) {
                Ok(answer) => read(&answer),
                Err(reason) => (reason.into(), Says::Verdict),
            };
            let (mut verdict, mut says) = ask();
            if says == Says::Refused {
                thread::sleep(turn.grudge());
                (verdict, says) = ask();
            }
            verdicts.push(verdict);
            if says != Says::Unknown {
                // This partition knows the id, or could not say: its word counts.
                break;
            }
        }
        verdicts
            .pop()
            .unwrap_or_else(|| Verdict::of(Outcome::Skipped(Reason::NoEndpoint)))
    }
}

/// What an answer is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Says {
    /// The key, or nothing.
    Verdict,
    /// The signature.
    Refused,
    /// That this partition knows no such id.
    Unknown,
}

/// Whether the account of the key may be spoken to.
fn admit(subject: &Subject<'_>, settings: &Settings) -> Result<(), Outcome> {
    let key = Key::of(subject).map_err(Outcome::Skipped)?;
    let account = proof::aws_account(key.id.as_bytes());
    if account.as_deref().is_some_and(canary::is_account) {
        return Err(Outcome::Canary);
    }
    // Older ids do not tell: with a choice of accounts they are none of it for sure.
    let chosen = !settings.skip_accounts.is_empty() || !settings.only_accounts.is_empty();
    let admitted = match &account {
        Some(account) => settings.admits_account(account),
        None => !chosen,
    };
    match admitted {
        true => Ok(()),
        false => Err(Outcome::Skipped(Reason::AccountNotAllowed)),
    }
}

/// `UpdateAccessKey`
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html>): a long-term key
/// of a user or of the account, on itself. Commercial regions only.
impl Verifier for Deactivate {
    fn name(&self) -> String {
        "aws-deactivation@1".into()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::ProbeWrite
    }

    fn endpoint(&self) -> Option<&str> {
        Some("aws-iam")
    }

    fn hosts(&self) -> Vec<String> {
        vec!["iam.amazonaws.com".into()]
    }

    fn needs(&self) -> Vec<&str> {
        vec!["access_key_id"]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        admit(subject, settings)?;
        Ok(vec![iam(settings)?.target("POST", "/")?])
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let (key, base) = match (Key::of(subject), iam(settings)) {
            (Ok(key), Ok(base)) => (key, base),
            (Err(reason), _) => return reason.into(),
            (_, Err(outcome)) => return Verdict::of(outcome),
        };
        let id = percent(key.id.as_bytes());
        let body =
            format!("AccessKeyId={id}&Action=UpdateAccessKey&Status=Inactive&Version=2010-05-08");
        let service = Service {
            name: "iam",
            region: "us-east-1",
        };
        match asker.http(&key.request(&base.url, service, &body, asker.now)) {
            Ok(answer)
                if answer.status == 200 && web::says(&answer, "<UpdateAccessKeyResponse") =>
            {
                Verdict::of(Outcome::Live)
            }
            Ok(answer) => match read(&answer).0 {
                // An answer to another question.
                verdict if verdict.outcome == Outcome::Live => web::unclear(&answer),
                verdict => verdict,
            },
            Err(reason) => reason.into(),
        }
    }
}

fn iam(settings: &Settings) -> Result<Base, Outcome> {
    Base::vendor(settings, "aws-iam", "https://iam.amazonaws.com")
}

/// Where the key of `subject` is asked about in turn, and the regions that are signed for.
fn bases(subject: &Subject<'_>, settings: &Settings) -> Result<Vec<(Base, &'static str)>, Outcome> {
    let region = subject.part("region").unwrap_or_default();
    let own = Base::own(settings, "aws");
    let places = match (own, partitions(region)) {
        (Some(own), Ok([(_, region), ..])) => return Ok(vec![(own, region)]),
        (Some(own), _) => return Ok(vec![(own, COMMERCIAL.1)]),
        (None, places) => places.map_err(Outcome::Skipped)?,
    };
    let base = |&(url, region): &Place| Ok((Base::vendor(settings, "aws", url)?, region));
    places.iter().map(base).collect()
}

/// What is signed with.
struct Key<'a> {
    id: &'a str,
    secret: &'a str,
    /// Of temporary keys.
    token: Option<Cow<'a, str>>,
}

impl<'a> Key<'a> {
    fn of(subject: &'a Subject<'_>) -> Result<Self, Reason> {
        let id = subject.need("access_key_id")?;
        let is_plain = |text: &str| text.bytes().all(|c| c.is_ascii_graphic());
        if !id.bytes().all(|c| c.is_ascii_alphanumeric()) {
            return Err(Reason::BadValue);
        }
        let token = match id.starts_with("ASIA") {
            true => {
                let token = web::percent_decoded(subject.need("session_token")?);
                Some(token.filter(|it| is_plain(it)).ok_or(Reason::BadValue)?)
            }
            false => None,
        };
        Ok(Self {
            id,
            secret: subject.secret_text()?,
            token,
        })
    }

    fn request(&self, base: &str, service: Service<'_>, body: &str, now: i64) -> HttpRequest {
        let time = jiff::Timestamp::from_second(now).unwrap_or_default();
        let stamp = time.strftime("%Y%m%dT%H%M%SZ").to_string();
        let url = format!("{base}/");
        let mut signed = vec![
            ("content-type", MEDIA),
            ("host", web::authority(&url)),
            ("x-amz-date", &stamp),
        ];
        let token = self.token.as_deref();
        signed.extend(token.map(|token| ("x-amz-security-token", token)));
        let call = Call {
            method: "POST",
            path: web::path(&url),
            headers: &signed,
            body: body.as_bytes(),
            region: service.region,
            service: service.name,
        };
        let mut headers = vec![
            ("x-amz-date".to_owned(), stamp.clone()),
            (
                "authorization".to_owned(),
                call.authorization(self.id, self.secret, &stamp),
            ),
        ];
        headers.extend(token.map(|token| ("x-amz-security-token".to_owned(), token.to_owned())));
        HttpRequest {
            method: "POST",
            url,
            headers,
            body: Some((MEDIA.to_owned(), body.as_bytes().to_vec())),
        }
    }
}

/// What a request is signed for.
#[derive(Clone, Copy)]
struct Service<'a> {
    name: &'a str,
    region: &'a str,
}

/// A request without a query, as Signature Version 4 sees it.
struct Call<'a> {
    method: &'a str,
    path: &'a str,
    /// Sorted by name, names in lower case.
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
    region: &'a str,
    service: &'a str,
}

impl Call<'_> {
    /// The header Authorization at `stamp`: `20150830T123600Z`.
    fn authorization(&self, id: &str, secret: &str, stamp: &str) -> String {
        let date = stamp.split('T').next().unwrap_or_default();
        let names: Vec<_> = self.headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines = self.headers.iter();
        let lines: String = lines
            .map(|(name, value)| format!("{name}:{}\n", value.trim()))
            .collect();
        let path: Vec<_> = self
            .path
            .split('/')
            .map(|it| percent(it.as_bytes()))
            .collect();
        let canonical = format!(
            "{}\n{}\n\n{lines}\n{names}\n{}",
            self.method,
            path.join("/"),
            HEXLOWER.encode(&Sha256::digest(self.body))
        );
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let text = format!(
            "AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}",
            HEXLOWER.encode(&Sha256::digest(canonical.as_bytes()))
        );
        let steps = [date, self.region, self.service, "aws4_request"];
        let first = format!("AWS4{secret}").into_bytes();
        let key = steps
            .iter()
            .fold(first, |key, step| hmac_sha256(&key, step.as_bytes()));
        let signature = HEXLOWER.encode(&hmac_sha256(&key, text.as_bytes()));
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
    }
}

const HTML: Outcome = Outcome::Unknown(Reason::Html);

/// What STS says.
fn read(answer: &Answer) -> (Verdict, Says) {
    // Told by its own element, whatever media type a server of one's own gives it.
    let is_page = !web::says(answer, "<ErrorResponse");
    if let Some(noise) = web::noise(answer).filter(|it| is_page || it.outcome != HTML) {
        return (noise, Says::Verdict);
    }
    let text = |name: &str| web::element(answer, name).unwrap_or_default();
    if answer.status == 200 {
        let (arn, account) = (text("Arn"), text("Account"));
        if arn.is_empty() || account.is_empty() {
            return (web::unclear(answer), Says::Verdict);
        }
        let (kind, is_root) = kind(arn);
        let mut said = vec![
            (IdentityField::Account, account.to_owned()),
            (IdentityField::User, arn.to_owned()),
            (IdentityField::Name, text("UserId").to_owned()),
            (IdentityField::Kind, kind.to_owned()),
        ];
        if is_root {
            said.push((IdentityField::Admin, "true".to_owned()));
        }
        return (Verdict::live(said), Says::Verdict);
    }
    let message = text("Message");
    // The clock is wrong, not the key.
    let is_clock =
        message.contains("Signature expired") || message.contains("Signature not yet current");
    let outcome = match (answer.status, text("Code")) {
        (403, "SignatureDoesNotMatch") if !is_clock => {
            return (Verdict::of(Outcome::Dead), Says::Refused);
        }
        (403, "InvalidClientTokenId") => return (Verdict::of(Outcome::Dead), Says::Unknown),
        (400 | 403, "ExpiredToken" | "ExpiredTokenException") => Outcome::RevokedOrExpired,
        (400, "Throttling") => Outcome::Unknown(Reason::RateLimited),
        _ => return (web::unclear(answer), Says::Verdict),
    };
    (Verdict::of(outcome), Says::Verdict)
}

/// What kind of principal an ARN names, and whether it is the account itself.
fn kind(arn: &str) -> (&'static str, bool) {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    match resource.split('/').next().unwrap_or_default() {
        "root" => ("root of the account", true),
        "user" => ("IAM user", false),
        "assumed-role" => ("assumed role", false),
        "federated-user" => ("federated user", false),
        _ => ("", false),
    }
}

/// When each key id was asked about last; nothing while it is.
static ASKED: Mutex<BTreeMap<String, Option<Instant>>> = Mutex::new(BTreeMap::new());
static FREE: Condvar = Condvar::new();

/// The right to ask about a key id.
struct Turn<'a> {
    id: &'a str,
    last: Option<Instant>,
}

impl<'a> Turn<'a> {
    fn take(id: &'a str) -> Self {
        let mut asked = Self::lock();
        loop {
            match asked.get(id) {
                Some(None) => {
                    let held = FREE.wait(asked);
                    asked = held.unwrap_or_else(|held| held.into_inner());
                }
                before => {
                    let last = before.copied().flatten();
                    asked.insert(id.to_owned(), None);
                    return Self { id, last };
                }
            }
        }
    }

    fn lock() -> MutexGuard<'static, BTreeMap<String, Option<Instant>>> {
        ASKED.lock().unwrap_or_else(|held| held.into_inner())
    }

    /// How long to wait until a signature before this one is forgotten.
    fn grudge(&self) -> Duration {
        let since = self.last.map(|last| last.elapsed());
        since.map_or(Duration::ZERO, |since| GRUDGE.saturating_sub(since))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        Self::lock().insert(self.id.to_owned(), Some(Instant::now()));
        FREE.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The id and secret of AWS's test suite and documentation.
    const ID: &str = "AKIDEXAMPLE";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn signature(call: &Call<'_>) -> String {
        let header = call.authorization(ID, SECRET, "20150830T123600Z");
        let (_, signature) = header.split_once("Signature=").expect("a signature");
        signature.to_owned()
    }

    #[test]
    fn requests_of_the_test_suite_are_signed_as_published() {
        let get = Call {
            method: "GET",
            path: "/",
            headers: &[
                ("host", "example.amazonaws.com"),
                ("x-amz-date", "20150830T123600Z"),
            ],
            body: b"",
            region: "us-east-1",
            service: "service",
        };
        // get-vanilla
        assert_eq!(
            signature(&get),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        let post = Call {
            method: "POST",
            headers: &[
                ("content-type", MEDIA),
                ("host", "example.amazonaws.com"),
                ("x-amz-date", "20150830T123600Z"),
            ],
            body: b"Param1=value1",
            ..get
        };
        // post-x-www-form-urlencoded
        assert_eq!(
            signature(&post),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
    }

    fn said(status: u16, body: &str) -> (Outcome, Says) {
        let answer = Answer {
            status,
            headers: vec![("content-type".into(), "text/xml".into())],
            body: body.as_bytes().to_vec(),
            truncated: false,
        };
        let (verdict, refused) = read(&answer);
        (verdict.outcome, refused)
    }

    fn error(code: &str, message: &str) -> String {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        )
    }

    #[test]
    fn answers_of_sts_are_read() {
        let live = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
            <Arn>arn:aws:iam::123456789012:user/ci</Arn><UserId>u1</UserId>\
            <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
        assert_eq!(said(200, live), (Outcome::Live, Says::Verdict));
        let unclear = Outcome::Unknown(Reason::UnexpectedStatus);
        for (status, code, message, outcome, refused) in [
            (
                403,
                "InvalidClientTokenId",
                "x",
                Outcome::Dead,
                Says::Unknown,
            ),
            (
                403,
                "SignatureDoesNotMatch",
                "x",
                Outcome::Dead,
                Says::Refused,
            ),
            (
                403,
                "SignatureDoesNotMatch",
                "Signature expired: 1 is now earlier than 2",
                unclear,
                Says::Verdict,
            ),
            (
                403,
                "ExpiredToken",
                "x",
                Outcome::RevokedOrExpired,
                Says::Verdict,
            ),
            (403, "AccessDenied", "x", unclear, Says::Verdict),
            (
                400,
                "Throttling",
                "x",
                Outcome::Unknown(Reason::RateLimited),
                Says::Verdict,
            ),
            (400, "InvalidClientTokenId", "x", unclear, Says::Verdict),
        ] {
            assert_eq!(
                said(status, &error(code, message)),
                (outcome, refused),
                "{code}"
            );
        }
        assert_eq!(said(200, "<Arn></Arn>").0, unclear);
        assert_eq!(
            said(200, "<html><Arn>a</Arn>").0,
            Outcome::Unknown(Reason::Html)
        );
        assert_eq!(said(403, "denied").0, unclear);
    }

    #[test]
    fn a_region_tells_the_partition_and_without_one_all_are_asked() {
        let all: &[Place] = &[COMMERCIAL, GOVERNMENT, CHINA];
        for (region, places) in [
            ("", Ok(all)),
            ("eu-central-1", Ok(&[COMMERCIAL][..])),
            ("us-gov-east-1", Ok(&[GOVERNMENT])),
            ("cn-northwest-1", Ok(&[CHINA])),
            ("us-iso-east-1", Err(Reason::NoEndpoint)),
            ("eusc-de-east-1", Err(Reason::NoEndpoint)),
        ] {
            assert_eq!(partitions(region), places, "{region}");
        }
        let hosts = Sts.hosts();
        let declared =
            |(url, _): &Place| hosts.iter().any(|host| *url == format!("https://{host}"));
        assert!(all.iter().all(declared));
    }

    #[test]
    fn kinds_of_principals() {
        assert_eq!(kind("arn:aws:iam::1:root"), ("root of the account", true));
        assert_eq!(kind("arn:aws:sts::1:assumed-role/a/b").0, "assumed role");
        assert_eq!(kind("x").0, "");
    }

    #[test]
    fn one_key_id_is_asked_about_at_a_time() {
        let first = Turn::take("AKIATEST");
        assert!(first.grudge().is_zero());
        let other = Turn::take("AKIAOTHER");
        let waiting = thread::spawn(|| Turn::take("AKIATEST").grudge());
        thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished());
        drop(first);
        assert!(waiting.join().expect("a turn") > Duration::from_secs(3));
        drop(other);
    }
}
