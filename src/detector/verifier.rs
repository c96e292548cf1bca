//! The TOML format of a verifier: how a provider is asked whether a secret still works, and how
//! its answer is read. `build.rs` includes this file, so it imports nothing of ours.
//!
//! A verifier is data that can be read without running it: which hosts it speaks to, by which
//! method, and what of an answer says live or dead. Nothing is implied: an answer that no clause
//! matches says nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `[[verifier]]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifierSpec {
    /// Kebab-case; with the version a part of what answers are remembered by.
    pub id: String,
    /// Counted up when a change alters what is asked or how answers are read.
    #[serde(default = "first")]
    pub version: u32,
    /// Ids of the detectors of this file whose secrets it asks about.
    pub detectors: Vec<String>,
    /// What asking does to the other side.
    pub class: VerifierClass,
    /// The only hosts that it speaks to unless the user names an endpoint: `api.example.com`, or
    /// `*.example.com` for one more label or several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Where the provider is.
    pub endpoint: EndpointSpec,
    /// Parts of the finding without which nothing is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Where else such secrets work, when that is a place that nobody but the user knows: what is
    /// refused at the default endpoint may be good there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<String>,
    /// What is asked, in this order, until an answer decides.
    #[serde(rename = "request")]
    pub requests: Vec<RequestSpec>,
    /// What a live answer says of the identity behind the secret: `json:path`, `header:name` or
    /// `part:name`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identity: BTreeMap<IdentityField, String>,
    /// What more is asked about what is live, when the user wants that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<DetailSpec>,
    /// Whether the status alone may say live; only those of `verifier_check::BARE`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bare: bool,
    /// Requests that each host gets in a second at most, when fewer than usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f32>,
    /// Where the vendor documents the call and its answers.
    #[serde(default, skip_serializing)]
    pub sources: Vec<String>,
    /// Answers written from the vendor's documentation, which the tests replay.
    #[serde(rename = "recording", default, skip_serializing)]
    pub recordings: Vec<RecordingSpec>,
}

fn first() -> u32 {
    1
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// What asking does to the other side, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifierClass {
    /// Reads something that belongs to the credential.
    Read,
    /// A call that exists to be asked this.
    Introspect,
    /// Obtains a short-lived token, which is thrown away.
    TokenMint,
    /// Logs in with a password; a failure may count towards a lock-out.
    Login,
    /// A write that the provider must refuse for its form.
    ProbeWrite,
}

impl VerifierClass {
    /// All, mildest first.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Introspect,
        Self::TokenMint,
        Self::Login,
        Self::ProbeWrite,
    ];

    /// The word in files, flags and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Introspect => "introspect",
            Self::TokenMint => "token-mint",
            Self::Login => "login",
            Self::ProbeWrite => "probe-write",
        }
    }
}

/// `endpoint`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSpec {
    /// What `--endpoint NAME=URL` calls it.
    pub name: String,
    /// The bases that are tried in order, as templates; none where only the user knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default: Vec<String>,
}

/// `[[verifier.request]]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestSpec {
    /// The HTTP method.
    #[serde(default)]
    pub method: Method,
    /// A template that begins with `${endpoint}`, or is `${secret}` where the secret is a URL.
    pub url: String,
    /// How the secret is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthSpec>,
    /// Further headers; values are templates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodySpec>,
    /// What an answer must be made of.
    #[serde(default)]
    pub expect: Expect,
    /// The secret works.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub live: Vec<ClauseSpec>,
    /// It works, but not for this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limited: Vec<ClauseSpec>,
    /// The provider does not know it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dead: Vec<ClauseSpec>,
    /// The provider refuses, but would refuse a good secret beside a wrong companion alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpaired: Vec<ClauseSpec>,
    /// The provider knows that it has ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<ClauseSpec>,
    /// Too many requests, besides 429 and 503.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub throttle: Vec<ClauseSpec>,
}

impl RequestSpec {
    /// All that stands for values in it.
    pub fn templates(&self) -> Vec<&str> {
        let mut templates = vec![self.url.as_str()];
        match &self.auth {
            Some(AuthSpec::Bearer(value)) => templates.push(value),
            Some(AuthSpec::Basic(a, b) | AuthSpec::Header(a, b) | AuthSpec::Query(a, b)) => {
                templates.extend([a.as_str(), b.as_str()]);
            }
            None => {}
        }
        templates.extend(self.headers.values().map(String::as_str));
        match &self.body {
            Some(BodySpec::Form(fields)) => templates.extend(fields.values().map(String::as_str)),
            Some(BodySpec::Json(value)) => texts(value, &mut templates),
            Some(BodySpec::Text(..)) | None => {}
        }
        templates
    }
}

/// The texts of a JSON value.
fn texts<'a>(value: &'a serde_json::Value, found: &mut Vec<&'a str>) {
    match value {
        serde_json::Value::String(text) => found.push(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        serde_json::Value::Object(fields) => fields.values().for_each(|item| texts(item, found)),
        _ => {}
    }
}

/// The methods that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Reads, without the body.
    Head,
    /// Asks with a body.
    Post,
    /// Removes; for revocations only.
    Delete,
}

impl Method {
    /// As it stands in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// `auth`: all values are templates.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AuthSpec {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer(String),
    /// `Authorization: Basic …` of a user and a password (RFC 7617).
    Basic(String, String),
    /// A header of its own: name and value.
    Header(String, String),
    /// A parameter of the query: name and value.
    Query(String, String),
}

/// `body`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum BodySpec {
    /// `application/x-www-form-urlencoded`; values are templates.
    Form(BTreeMap<String, String>),
    /// `application/json`; texts in it are templates.
    Json(serde_json::Value),
    /// Text without templates, with its media type.
    Text(String, String),
}

/// What an answer must be made of to be read; HTML says nothing unless anything is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// JSON (RFC 8259).
    #[default]
    Json,
    /// XML.
    Xml,
    /// Plain text.
    Text,
    /// Anything, HTML too: for providers that refuse with a page.
    Any,
}

/// Holds when all that it names holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClauseSpec {
    /// One of these; any status when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// Each of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub json: Vec<JsonTest>,
    /// Each of these headers contains its text, in any case; any value when the text is empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub header: BTreeMap<String, String>,
    /// The body contains each of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<String>,
}

impl ClauseSpec {
    /// Whether it looks at nothing but the status.
    pub fn is_bare(&self) -> bool {
        self.json.is_empty() && self.header.is_empty() && self.body.is_empty()
    }
}

/// A look at a place of a JSON answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonTest {
    /// Keys and indexes with dots between: `data.0.id`; empty for the whole.
    #[serde(default)]
    pub path: String,
    /// What must hold of what is there.
    pub op: JsonOp,
    /// What `is`, `not` and `contains` compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Scalar>,
}

/// What may hold of a place of a JSON answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JsonOp {
    /// It is there, be it `null` or empty.
    Exists,
    /// It is there and neither `null`, `false`, an empty text, list nor table.
    Nonempty,
    /// It is this value.
    Is,
    /// It is there and another value.
    Not,
    /// It is a text that contains this one, in any case, or a list with this value.
    Contains,
    /// It is a list, empty or not.
    List,
    /// It is a table, empty or not.
    Table,
}

/// A value that JSON answers are compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
}

/// What can be said of the identity behind a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityField {
    /// The account, project or tenant.
    Account,
    /// The user or service.
    User,
    /// Its address.
    Email,
    /// The organisation.
    Org,
    /// What the credential is called.
    Name,
    /// What kind of credential or principal it is.
    Kind,
    /// What it may do.
    Scopes,
    /// When it ends.
    ExpiresAt,
    /// Whether it administers.
    Admin,
    /// Live or test mode, plan, region.
    Mode,
}

impl IdentityField {
    /// The word in files and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::User => "user",
            Self::Email => "email",
            Self::Org => "org",
            Self::Name => "name",
            Self::Kind => "kind",
            Self::Scopes => "scopes",
            Self::ExpiresAt => "expires_at",
            Self::Admin => "admin",
            Self::Mode => "mode",
        }
    }
}

/// `[[revocation]]`: the one call by which a provider ends a credential that is shown to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationSpec {
    /// Kebab-case.
    pub id: String,
    /// Ids of the detectors of this file whose secrets it ends.
    pub detectors: Vec<String>,
    /// What happens, in a sentence for whoever is about to do it.
    pub effect: String,
    /// The only hosts that it speaks to unless the user names an endpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Where the provider is.
    pub endpoint: EndpointSpec,
    /// Parts of the finding without which it cannot be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// What is sent. `live` is no clause of it, `done` and `dead` are.
    pub request: RevocationRequest,
    /// Where the vendor documents the call and its answers.
    #[serde(default, skip_serializing)]
    pub sources: Vec<String>,
    /// Answers written from the vendor's documentation: `revoked`, `dead` or a reason.
    #[serde(rename = "recording", default, skip_serializing)]
    pub recordings: Vec<RecordingSpec>,
}

impl RevocationSpec {
    /// The same as a verifier, whose `live` says that it is done.
    pub fn as_verifier(&self) -> VerifierSpec {
        let request = &self.request;
        VerifierSpec {
            id: self.id.clone(),
            version: first(),
            detectors: self.detectors.clone(),
            class: VerifierClass::ProbeWrite,
            hosts: self.hosts.clone(),
            endpoint: self.endpoint.clone(),
            needs: self.needs.clone(),
            elsewhere: None,
            requests: vec![RequestSpec {
                method: request.method,
                url: request.url.clone(),
                auth: request.auth.clone(),
                headers: request.headers.clone(),
                body: request.body.clone(),
                expect: Expect::Json,
                live: request.done.clone(),
                limited: Vec::new(),
                dead: request.dead.clone(),
                unpaired: Vec::new(),
                revoked: Vec::new(),
                throttle: Vec::new(),
            }],
            identity: BTreeMap::new(),
            detail: None,
            bare: true,
            rate: None,
            sources: self.sources.clone(),
            recordings: self.recordings.clone(),
        }
    }
}

/// `[verifier.detail]`: the one further call about a live secret that `--verify-detail` makes, for
/// what its holder may do. Its answer changes no outcome.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetailSpec {
    /// What is asked; `live` clauses say that the answer is one to read, and there are no others.
    pub request: RequestSpec,
    /// What the answer says, besides what is known: as [`VerifierSpec::identity`].
    pub identity: BTreeMap<IdentityField, String>,
    /// An answer written from the vendor's documentation.
    #[serde(default, skip_serializing)]
    pub recording: Option<DetailRecording>,
}

/// `[verifier.detail.recording]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetailRecording {
    /// The answer.
    pub answer: AnswerSpec,
    /// What it says of the identity.
    pub identity: BTreeMap<IdentityField, String>,
}

/// `[revocation.request]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationRequest {
    /// `POST` or `DELETE`.
    pub method: Method,
    /// A template that begins with `${endpoint}`.
    pub url: String,
    /// How the secret is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthSpec>,
    /// Further headers; values are templates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodySpec>,
    /// It is revoked now.
    pub done: Vec<ClauseSpec>,
    /// It did not work any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dead: Vec<ClauseSpec>,
}

/// `[[verifier.recording]]`: what a provider answers, written from its documentation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingSpec {
    /// What follows from it: `live`, `live-restricted`, `dead`, `revoked-or-expired`, or the
    /// reason of an unknown: `rate-limited`, `unpaired` … The `dead` or `unpaired` one is what a
    /// made-up secret gets.
    pub outcome: String,
    /// One answer for each request that is made.
    pub answers: Vec<AnswerSpec>,
    /// What it says of the identity.
    #[serde(default)]
    pub identity: BTreeMap<IdentityField, String>,
}

/// A recorded answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerSpec {
    /// HTTP status.
    pub status: u16,
    /// Headers besides `Content-Length`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: String,
}
