//! Kubernetes: a cluster says who a token or a client certificate is.
//!
//! `SelfSubjectReview` (1.28 and later) stores nothing and needs no right but that of any signed-in
//! user; older clusters are asked whether the caller may read `/version`. The cluster's own
//! certificate authority is taken from the kubeconfig and then trusted alone; what a kubeconfig
//! says against checking certificates is not heard.
//!
//! Sources: <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review>,
//! <https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>.

use data_encoding::BASE64;

use super::Protocol;
use super::web::{self, Base};
use crate::detector::{IdentityField, VerifierClass};
use crate::model::{Outcome, Reason};
use crate::verify::judge::Look;
use crate::verify::net::{Answer, HttpRequest, Trust};
use crate::verify::{Asker, Settings, Subject, Target, Verdict, Verifier};

/// Tokens, by where they are found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// Of a user in a kubeconfig. Where that names several clusters each is tried.
    Kubeconfig,
    /// Of a service account, anywhere.
    ServiceAccount,
}

/// Client keys with the certificate beside them.
pub(super) struct ClientKey;

const ENDPOINT: &str = "kubernetes";
/// Where the clusters of large vendors are.
const HOSTS: &[&str] = &[
    "*.eks.amazonaws.com",
    "*.azmk8s.io",
    "*.k8s.ondigitalocean.com",
];
const REVIEW: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const ACCESS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

impl Protocol for Token {
    fn serves(&self) -> &'static [&'static str] {
        match self {
            Self::Kubeconfig => &["kubernetes-kubeconfig-token"],
            Self::ServiceAccount => &[
                "kubernetes-service-account-token",
                "kubernetes-bound-service-account-token",
            ],
        }
    }
}

impl Verifier for Token {
    fn name(&self) -> String {
        match self {
            Self::Kubeconfig => "kubernetes-kubeconfig@1".into(),
            Self::ServiceAccount => "kubernetes-service-account@1".into(),
        }
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
        match self {
            Self::Kubeconfig => vec!["server"],
            Self::ServiceAccount => Vec::new(),
        }
    }

    fn waived(&self, settings: &Settings) -> Vec<&str> {
        waived(settings)
    }

    fn takes(&self) -> Vec<&str> {
        vec!["server", "ca"]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        let token = subject.secret_text().map_err(Outcome::Skipped)?;
        if !token.bytes().all(|c| c.is_ascii_graphic()) {
            return Err(Outcome::Skipped(Reason::BadValue));
        }
        if web::expiry_of_jwt(token).is_some_and(|end| end <= settings.now) {
            return Err(Outcome::RevokedOrExpired);
        }
        Cluster::of(subject, settings)?.targets()
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        let (token, cluster) = match (subject.secret_text(), Cluster::of(subject, settings)) {
            (Ok(token), Ok(cluster)) => (token, cluster),
            (Err(reason), _) => return reason.into(),
            (_, Err(outcome)) => return Verdict::of(outcome),
        };
        cluster.ask(asker, Some(token), None)
    }
}

impl Protocol for ClientKey {
    fn serves(&self) -> &'static [&'static str] {
        &["kubernetes-kubeconfig-client-key"]
    }
}

impl Verifier for ClientKey {
    fn name(&self) -> String {
        "kubernetes-client-key@1".into()
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
        vec!["certificate", "server"]
    }

    fn waived(&self, settings: &Settings) -> Vec<&str> {
        waived(settings)
    }

    fn takes(&self) -> Vec<&str> {
        vec!["ca"]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        client(subject).map_err(Outcome::Skipped)?;
        Cluster::of(subject, settings)?.targets()
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        match (client(subject), Cluster::of(subject, settings)) {
            (Ok((chain, key)), Ok(cluster)) => cluster.ask(asker, None, Some((&chain, &key))),
            (Err(reason), _) => reason.into(),
            (_, Err(outcome)) => Verdict::of(outcome),
        }
    }
}

/// The user's own address needs none that was found.
fn waived(settings: &Settings) -> Vec<&'static str> {
    match settings.endpoint(ENDPOINT) {
        Some(_) => vec!["server"],
        None => Vec::new(),
    }
}

/// Certificate and key of a user, both in PEM.
fn client(subject: &Subject<'_>) -> Result<(Vec<u8>, Vec<u8>), Reason> {
    let certificate = decoded(subject.need("certificate")?)?;
    Ok((certificate, decoded(subject.secret_text()?)?))
}

fn decoded(text: &str) -> Result<Vec<u8>, Reason> {
    BASE64.decode(text.as_bytes()).map_err(|_| Reason::BadValue)
}

/// An API server and whom it is trusted by.
struct Cluster {
    base: Base,
    /// PEM; the usual roots when there is none.
    roots: Option<Vec<u8>>,
}

impl Cluster {
    fn of(subject: &Subject<'_>, settings: &Settings) -> Result<Self, Outcome> {
        // For an address of the user's the certificates are the user's too.
        if let Some(base) = Base::own(settings, ENDPOINT) {
            return Ok(Self { base, roots: None });
        }
        let server = subject.part("server");
        let server = server.ok_or(Outcome::Skipped(Reason::NoEndpoint))?;
        let base = Base::found(settings, server, HOSTS)?;
        let roots = subject.part("ca").map(decoded).transpose();
        let roots = roots.map_err(Outcome::Skipped)?;
        Ok(Self { base, roots })
    }

    fn targets(&self) -> Result<Vec<Target>, Outcome> {
        Ok(vec![self.base.target("POST", REVIEW)?])
    }

    fn ask(
        &self,
        asker: &Asker<'_>,
        token: Option<&str>,
        client: Option<(&[u8], &[u8])>,
    ) -> Verdict {
        let trust = Trust {
            roots: self.roots.as_deref(),
            client,
        };
        let send = |path: &str, body: serde_json::Value| {
            let bearer = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}")));
            let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
            headers.extend(bearer);
            let request = HttpRequest {
                method: "POST",
                url: format!("{}{path}", self.base.url),
                headers,
                body: Some(("application/json".to_owned(), body.to_string().into_bytes())),
            };
            asker.http_with(&request, &trust)
        };
        let review = serde_json::json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "SelfSubjectReview",
        });
        let answer = match send(REVIEW, review) {
            Ok(answer) => answer,
            Err(reason) => return reason.into(),
        };
        if answer.status != 404 {
            return reviewed(&answer);
        }
        let access = serde_json::json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "nonResourceAttributes": { "path": "/version", "verb": "get" } },
        });
        match send(ACCESS, access) {
            Ok(answer) => reviewed(&answer),
            Err(reason) => reason.into(),
        }
    }
}

/// What an API server says of the caller.
fn reviewed(answer: &Answer) -> Verdict {
    if let Some(noise) = web::noise(answer) {
        return noise;
    }
    let look = Look::new(answer);
    let kind = look.text("kind").unwrap_or_default();
    match (answer.status, kind) {
        (201, "SelfSubjectReview") => match look.text("status.userInfo.username") {
            None | Some("") => web::unclear(answer),
            Some(user) if is_anonymous(user) => Verdict::unknown(Reason::NoAuthentication),
            Some(user) => {
                let groups = look.at("status.userInfo.groups");
                let groups: Vec<_> = groups
                    .and_then(serde_json::Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(serde_json::Value::as_str)
                    .collect();
                let mut said = vec![
                    (IdentityField::User, user.to_owned()),
                    (IdentityField::Org, groups.join(", ")),
                ];
                if groups.contains(&"system:masters") {
                    said.push((IdentityField::Admin, "true".to_owned()));
                }
                Verdict::live(said)
            }
        },
        (201, "SelfSubjectAccessReview") => Verdict::of(Outcome::Live),
        (401, "Status") => Verdict::of(Outcome::Dead),
        (403, "Status") => match forbidden_user(look.text("message").unwrap_or_default()) {
            Some(user) if is_anonymous(user) => Verdict::unknown(Reason::NoAuthentication),
            Some(user) => Verdict {
                outcome: Outcome::LiveRestricted,
                ..Verdict::live([(IdentityField::User, user.to_owned())])
            },
            None => web::unclear(answer),
        },
        _ => web::unclear(answer),
    }
}

/// A cluster that answers these took nobody's credential.
fn is_anonymous(user: &str) -> bool {
    matches!(user, "system:anonymous" | "system:unsecured")
}

/// `… is forbidden: User "system:serviceaccount:a:b" cannot create resource …`
fn forbidden_user(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("forbidden: User \"")?;
    let (user, _) = rest.split_once('"')?;
    (!user.is_empty()).then_some(user)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(status: u16, body: &serde_json::Value) -> Verdict {
        reviewed(&Answer {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
            truncated: false,
        })
    }

    fn review(user: &str) -> serde_json::Value {
        json!({ "kind": "SelfSubjectReview", "status": { "userInfo": {
            "username": user, "groups": ["system:masters", "system:authenticated"]
        }}})
    }

    #[test]
    fn who_the_caller_is() {
        let live = said(201, &review("system:serviceaccount:ci:deploy"));
        assert_eq!(live.outcome, Outcome::Live);
        assert_eq!(live.identity[0].1, "system:serviceaccount:ci:deploy");
        assert!(
            live.identity
                .contains(&(IdentityField::Admin, "true".into()))
        );
        let nobody = Outcome::Unknown(Reason::NoAuthentication);
        assert_eq!(said(201, &review("system:anonymous")).outcome, nobody);
        let unclear = Outcome::Unknown(Reason::UnexpectedStatus);
        assert_eq!(said(201, &review("")).outcome, unclear);
        assert_eq!(said(200, &review("a")).outcome, unclear);
    }

    #[test]
    fn refusals_are_told_apart() {
        let status = |message: &str| json!({ "kind": "Status", "message": message });
        let forbidden = |user: &str| {
            status(&format!(
                "selfsubjectreviews.authentication.k8s.io is forbidden: User \"{user}\" cannot create"
            ))
        };
        assert_eq!(said(401, &status("Unauthorized")).outcome, Outcome::Dead);
        assert_eq!(said(403, &forbidden("ci")).outcome, Outcome::LiveRestricted);
        assert_eq!(
            said(403, &forbidden("system:anonymous")).outcome,
            Outcome::Unknown(Reason::NoAuthentication)
        );
        let unclear = Outcome::Unknown(Reason::UnexpectedStatus);
        assert_eq!(said(403, &status("x")).outcome, unclear);
        assert_eq!(said(401, &json!({})).outcome, unclear);
    }
}
