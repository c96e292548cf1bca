//! The rules of a verifier that serde cannot state. `build.rs` includes this file.
//!
//! The central ones: no host outside of the declared ones, so that a plan can be printed without
//! running anything; nothing may say live on a bare status; nothing may change the other side.

use super::phrase::{CLOCKS, Phrase, Piece, is_name};
use super::spec::DetectorFile;
use super::verifier::{
    BodySpec, ClauseSpec, DetailSpec, JsonOp, Method, RequestSpec, VerifierClass, VerifierSpec,
};

/// Verifiers whose calls answer a good secret with a status and nothing else, each for a reason
/// that its vendor documents.
pub(super) const BARE: &[&str] = &["maxmind-license", "tailscale-scanning"];

/// Most requests of one verifier.
const MAX_REQUESTS: usize = 3;

/// What a table is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To ask.
    Ask,
    /// To revoke.
    Revoke,
}

/// What is wrong with the verifiers and revocations of `file`, each with its id.
pub(super) fn verifiers(file: &DetectorFile, builtin: bool) -> Vec<(String, String)> {
    let mut wrong = all(file, &file.verifiers, builtin, Purpose::Ask);
    let revocations = file.revocations.iter().map(|it| it.as_verifier());
    let revocations: Vec<_> = revocations.collect();
    wrong.extend(all(file, &revocations, builtin, Purpose::Revoke));
    wrong
}

fn all(
    file: &DetectorFile,
    verifiers: &[VerifierSpec],
    builtin: bool,
    purpose: Purpose,
) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    for (at, verifier) in verifiers.iter().enumerate() {
        let mut fail = |message: String| wrong.push((verifier.id.clone(), message));
        if verifiers[..at].iter().any(|other| other.id == verifier.id) {
            fail("the verifier's id stands twice".into());
        }
        for id in &verifier.detectors {
            match file.detectors.iter().find(|detector| detector.id == *id) {
                None => fail(format!(
                    "the verifier serves `{id}`, which is no detector of this file"
                )),
                Some(detector) => {
                    for need in &verifier.needs {
                        if !detector.parts.iter().any(|part| part.name == *need) {
                            fail(format!(
                                "the verifier needs `{need}`, which `{id}` has no [[detector.part]] for"
                            ));
                        }
                    }
                }
            }
            let twice = verifiers[..at]
                .iter()
                .any(|other| other.detectors.contains(id));
            if twice {
                fail(format!("`{id}` has another verifier already"));
            }
        }
        one(verifier, builtin, purpose, &mut fail);
    }
    wrong
}

fn one(verifier: &VerifierSpec, builtin: bool, purpose: Purpose, fail: &mut dyn FnMut(String)) {
    let asks = purpose == Purpose::Ask;
    let id = &verifier.id;
    if id.is_empty()
        || !id
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
    {
        fail("the verifier's id is not kebab-case".into());
    }
    if verifier.detectors.is_empty() {
        fail("the verifier serves no detector".into());
    }
    if verifier.requests.is_empty() || verifier.requests.len() > MAX_REQUESTS {
        fail(format!("a verifier makes 1 to {MAX_REQUESTS} requests"));
    }
    if asks && verifier.bare && builtin && !BARE.contains(&id.as_str()) {
        fail("`bare` is for verifiers of `verifier_check::BARE` only".into());
    }
    for host in &verifier.hosts {
        if !is_host(host.strip_prefix("*.").unwrap_or(host)) {
            fail(format!(
                "`{host}` is no host: write `api.example.com` or `*.example.com`"
            ));
        }
        let labels = host
            .strip_prefix("*.")
            .map_or(2, |rest| rest.split('.').count());
        if labels < 2 {
            fail(format!("`{host}` leaves a whole top-level domain open"));
        }
    }
    if !is_endpoint_name(&verifier.endpoint.name) {
        fail("the endpoint's name is not kebab-case".into());
    }
    for base in &verifier.endpoint.default {
        match Phrase::parse(base) {
            Err(why) => fail(why),
            Ok(phrase) => {
                names(verifier, &phrase, fail);
                if let Err(why) = base_is_declared(verifier, base) {
                    fail(why);
                }
            }
        }
    }
    if verifier.endpoint.default.is_empty() && !verifier.hosts.is_empty() {
        let whole = verifier
            .requests
            .iter()
            .all(|request| is_whole(&request.url));
        if !whole {
            fail("hosts without a default endpoint".into());
        }
    }
    if verifier
        .requests
        .iter()
        .all(|request| request.live.is_empty())
    {
        fail("no clause says live".into());
    }
    let ends = |request: &RequestSpec| {
        !(request.dead.is_empty() && request.revoked.is_empty() && request.unpaired.is_empty())
    };
    if asks && !verifier.requests.iter().any(ends) {
        fail("no clause says dead".into());
    }
    let guesses = |request: &RequestSpec| request.dead.iter().any(ClauseSpec::is_bare);
    if asks && builtin && !verifier.needs.is_empty() && verifier.requests.iter().any(guesses) {
        fail(
            "a companion may be the wrong one: `dead` names the vendor's words, or say `unpaired`"
                .into(),
        );
    }
    let somewhere = |text: &String| !text.is_empty() && !verifier.endpoint.default.is_empty();
    if !verifier.elsewhere.iter().all(somewhere) {
        fail("`elsewhere` says where else, beside a default endpoint".into());
    }
    let alone = |request: &RequestSpec| !request.unpaired.is_empty() && verifier.needs.is_empty();
    if verifier.requests.iter().any(alone) {
        fail("`unpaired` without `needs`".into());
    }
    for request in &verifier.requests {
        self::request(verifier, request, fail);
        let changes = request.method == Method::Delete;
        if asks && changes {
            fail("a verifier reads: GET, HEAD or POST".into());
        }
        if !asks && !changes && request.method != Method::Post {
            fail("a revocation is a POST or a DELETE".into());
        }
    }
    if let Some(detail) = &verifier.detail {
        self::detail(verifier, detail, builtin, fail);
    }
    let more = verifier.detail.iter().flat_map(|detail| &detail.identity);
    for (field, source) in verifier.identity.iter().chain(more) {
        let known = ["json:", "header:", "part:", "text:"].iter().any(|kind| {
            source
                .strip_prefix(kind)
                .is_some_and(|rest| !rest.is_empty())
        });
        if !known {
            let field = field.as_str();
            fail(format!(
                "identity `{field}`: write `json:path`, `header:name`, `part:name` or `text:words`"
            ));
        }
    }
    if verifier
        .rate
        .is_some_and(|rate| !(rate > 0.0 && rate <= 100.0))
    {
        fail("`rate` is requests in a second, more than 0".into());
    }
    if builtin {
        recordings(verifier, purpose, fail);
        if verifier.sources.is_empty() {
            fail("no source: name the vendor's page on the call".into());
        }
    }
}

/// A further call reads, whatever the class of the verifier is.
fn detail(
    verifier: &VerifierSpec,
    detail: &DetailSpec,
    builtin: bool,
    fail: &mut dyn FnMut(String),
) {
    let asked = &detail.request;
    request(verifier, asked, fail);
    let queries = matches!(&asked.body, Some(BodySpec::Json(body)) if is_graphql_query(body));
    let reads = match asked.method {
        Method::Get | Method::Head => true,
        Method::Post => queries,
        Method::Delete => false,
    };
    if !reads || verifier.class == VerifierClass::Login {
        fail("a detail is a GET, a HEAD or a GraphQL query, and needs no password".into());
    }
    if asked.live.is_empty() {
        fail("no clause says that the answer of the detail can be read".into());
    }
    let others = [
        &asked.limited,
        &asked.dead,
        &asked.unpaired,
        &asked.revoked,
        &asked.throttle,
    ];
    if others.iter().any(|clauses| !clauses.is_empty()) || is_whole(&asked.url) {
        fail("a detail changes no outcome: `live` is its only clause".into());
    }
    if detail.identity.is_empty() || (builtin && detail.recording.is_none()) {
        fail("a detail says something of the identity, and has a recording".into());
    }
}

/// Whether the URL of a request is the secret itself.
pub(crate) fn is_whole(url: &str) -> bool {
    url.starts_with("${secret}")
}

fn request(verifier: &VerifierSpec, request: &RequestSpec, fail: &mut dyn FnMut(String)) {
    let url = &request.url;
    if !url.starts_with("${endpoint}") && !is_whole(url) {
        fail(format!(
            "`{url}` begins neither with `${{endpoint}}` nor with `${{secret}}`"
        ));
    }
    let mut shows_secret = false;
    for text in request.templates() {
        match Phrase::parse(text) {
            Ok(phrase) => {
                shows_secret |= phrase.names().any(|name| name == "secret");
                names(verifier, &phrase, fail);
            }
            Err(why) => fail(why),
        }
    }
    if !shows_secret {
        fail(format!("the request to `{url}` does not show the secret"));
    }
    let reads = verifier.class == VerifierClass::Read;
    let queries = matches!(&request.body, Some(BodySpec::Json(body)) if is_graphql_query(body));
    if request.method == Method::Post && reads && !queries {
        fail("a POST of class `read` is a GraphQL query; else say what the call is".into());
    }
    if request.method != Method::Post && request.body.is_some() {
        fail("only a POST has a body".into());
    }
    for clause in request.live.iter().chain(&request.limited) {
        if clause.is_bare() && !verifier.bare {
            fail("a clause says live by the status alone: name a field, a header or a word".into());
        }
    }
    let all = [
        &request.live,
        &request.limited,
        &request.dead,
        &request.unpaired,
        &request.revoked,
        &request.throttle,
    ];
    for clause in all.into_iter().flatten() {
        self::clause(clause, fail);
    }
}

fn clause(clause: &ClauseSpec, fail: &mut dyn FnMut(String)) {
    if clause.status.is_empty() && clause.is_bare() {
        fail("a clause without a condition".into());
    }
    if clause
        .status
        .iter()
        .any(|status| !(200..600).contains(status) || (300..400).contains(status))
    {
        fail("a status is 200 to 299 or 400 to 599: redirects say nothing".into());
    }
    if clause.status.contains(&429) {
        fail("429 is too many requests, whoever answers it".into());
    }
    for test in &clause.json {
        let compares = matches!(test.op, JsonOp::Is | JsonOp::Not | JsonOp::Contains);
        if compares != test.value.is_some() {
            fail(format!(
                "json `{}`: `is`, `not` and `contains` take a value, others none",
                test.path
            ));
        }
    }
}

/// Whether a JSON body asks a GraphQL query, which reads (GraphQL, October 2021, section 2.3).
fn is_graphql_query(body: &serde_json::Value) -> bool {
    let query = body.get("query").and_then(serde_json::Value::as_str);
    let query = query.map(str::trim_start);
    query.is_some_and(|query| query.starts_with('{') || query.starts_with("query"))
}

fn names(verifier: &VerifierSpec, phrase: &Phrase, fail: &mut dyn FnMut(String)) {
    for name in phrase.names() {
        let known = matches!(name, "secret" | "endpoint") || CLOCKS.contains(&name);
        if !known && !verifier.needs.iter().any(|need| need == name) {
            fail(format!("`${{{name}}}` is not in `needs`"));
        }
    }
    for need in &verifier.needs {
        if !is_name(need) {
            fail(format!("`{need}` is no name of a part"));
        }
    }
}

/// The base of a verifier is https, and its host is in `hosts` whatever stands for its values.
fn base_is_declared(verifier: &VerifierSpec, base: &str) -> Result<(), String> {
    let phrase = Phrase::parse(base)?;
    // What a value may be is known at run time, where the host is checked again.
    let text: String = phrase
        .0
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Value { .. } => "x",
        })
        .collect();
    let rest = text
        .strip_prefix("https://")
        .ok_or_else(|| format!("`{base}` is not https"))?;
    let host = rest.split('/').next().unwrap_or_default();
    let whole = matches!(phrase.0.as_slice(), [Piece::Text(scheme), Piece::Value { .. }, ..] if scheme == "https://")
        && !rest.contains('.');
    let declared = verifier
        .hosts
        .iter()
        .any(|pattern| host_fits(pattern, host));
    match declared || (whole && !verifier.hosts.is_empty()) {
        true => Ok(()),
        false => Err(format!("the host of `{base}` is not in `hosts`")),
    }
}

/// Whether `host`, in lower case, is what `pattern` names: itself, or for `*.example.com` what has
/// at least one label before it.
pub(crate) fn host_fits(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(suffix) => host
            .strip_suffix(suffix)
            .and_then(|rest| rest.strip_suffix('.'))
            .is_some_and(|labels| !labels.is_empty() && is_host(labels)),
        None => pattern == host,
    }
}

fn is_endpoint_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
}

/// Whether `text` is a host name in lower case (RFC 1123 section 2.1).
pub(crate) fn is_host(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|c| {
                    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_')
                })
        })
}

fn recordings(verifier: &VerifierSpec, purpose: Purpose, fail: &mut dyn FnMut(String)) {
    let wanted = match purpose {
        Purpose::Ask => &["live", "dead"][..],
        Purpose::Revoke => &["revoked"],
    };
    for &outcome in wanted {
        let has = verifier.recordings.iter().any(|recording| {
            recording.outcome == outcome
                || (outcome == "dead"
                    && matches!(&*recording.outcome, "revoked-or-expired" | "unpaired"))
        });
        if !has {
            fail(format!("no recording of `{outcome}`"));
        }
    }
    let most = verifier.requests.len() * verifier.endpoint.default.len().max(1);
    for recording in &verifier.recordings {
        if recording.answers.is_empty() || recording.answers.len() > most {
            fail("a recording has one answer for each request".into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [provider]
        id = "acme"
        name = "Acme"
        category = "saas"
        docs = "https://acme.example/docs"

        [[detector]]
        id = "acme-key"
        name = "Acme key"
        description = "All of Acme."
        keywords = ["acme_"]
        pattern = '(?<secret>acme_[0-9a-f]{8})'

        [[verifier]]
        id = "acme-me"
        detectors = ["acme-key"]
        class = "read"
        hosts = ["api.acme.example"]
        endpoint = { name = "acme", default = ["https://api.acme.example"] }
        sources = ["https://acme.example/docs/me"]
        request = [{ url = "${endpoint}/me", auth = { bearer = "${secret}" }, live = [{ status = [200], json = [{ path = "id", op = "nonempty" }] }], dead = [{ status = [401] }] }]
        recording = [
          { outcome = "live", answers = [{ status = 200, body = '{"id":1}' }] },
          { outcome = "dead", answers = [{ status = 401 }] },
        ]
    "#;

    fn wrong(text: &str) -> Vec<String> {
        let file: DetectorFile = toml::from_str(text).expect("a detector file");
        let wrong = verifiers(&file, true);
        wrong.into_iter().map(|(_, message)| message).collect()
    }

    #[test]
    fn a_good_one_passes() {
        assert_eq!(wrong(GOOD), Vec::<String>::new());
    }

    #[test]
    fn each_rule_holds() {
        let cases = [
            (
                r#"json = [{ path = "id", op = "nonempty" }] }]"#,
                "}]",
                "status alone",
            ),
            ("dead = [{ status = [401] }]", "", "no clause says dead"),
            (
                r#"hosts = ["api.acme.example"]"#,
                r#"hosts = ["acme.example"]"#,
                "not in `hosts`",
            ),
            (
                r#"hosts = ["api.acme.example"]"#,
                r#"hosts = ["*.example"]"#,
                "top-level",
            ),
            (
                "https://api.acme.example\"]",
                "http://api.acme.example\"]",
                "not https",
            ),
            ("\"${secret}\"", "\"${token}\"", "not in `needs`"),
            ("\"${secret}\"", "\"fixed\"", "does not show the secret"),
            ("url =", "method = \"POST\", url =", "GraphQL"),
            (
                "[\"acme-key\"]",
                "[\"acme-token\"]",
                "no detector of this file",
            ),
            (
                "class = \"read\"",
                "class = \"read\"\nneeds = [\"site\"]",
                "[[detector.part]]",
            ),
            ("class = \"read\"", "class = \"read\"\nbare = true", "BARE"),
            (
                "class = \"read\"",
                "class = \"read\"\nelsewhere = \"\"",
                "where else",
            ),
            (
                "outcome = \"live\"",
                "outcome = \"rate-limited\"",
                "no recording of `live`",
            ),
            ("[401]", "[302]", "redirects"),
            ("[401]", "[429]", "too many requests"),
            (
                "${endpoint}/me",
                "https://elsewhere.example/me",
                "begins neither",
            ),
        ];
        for (from, to, word) in cases {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from}");
            let wrong = wrong(&text);
            assert!(wrong.iter().any(|w| w.contains(word)), "{to}: {wrong:?}");
        }
    }

    #[test]
    fn a_detail_reads_and_changes_nothing() {
        let with = |detail: &str| wrong(&format!("{GOOD}\n[verifier.detail]\n{detail}"));
        let request = r#"url = "${endpoint}/orgs", auth = { bearer = "${secret}" }"#;
        let live = r#"live = [{ status = [200], json = [{ path = "", op = "list" }] }]"#;
        let rest = concat!(
            "identity = { org = \"json:*.name\" }\n",
            "recording = { answer = { status = 200, body = '[]' }, identity = {} }"
        );
        let good = format!("request = {{ {request}, {live} }}\n{rest}");
        assert_eq!(with(&good), Vec::<String>::new());
        for (from, to, word) in [
            ("url =", "method = \"POST\", url =", "GraphQL"),
            ("url =", "method = \"DELETE\", url =", "a detail is a GET"),
            (
                "bearer = \"${secret}\"",
                "bearer = \"x\"",
                "show the secret",
            ),
            (
                "${endpoint}/orgs",
                "https://elsewhere.example",
                "begins neither",
            ),
            (
                "live = [{",
                "dead = [{ status = [401] }], live = [{",
                "only clause",
            ),
            (
                ", json = [{ path = \"\", op = \"list\" }]",
                "",
                "status alone",
            ),
            ("org = \"json:*.name\"", "", "says something"),
        ] {
            let text = good.replacen(from, to, 1);
            assert_ne!(text, good, "{from}");
            let said = with(&text);
            assert!(said.iter().any(|w| w.contains(word)), "{to}: {said:?}");
        }
    }

    #[test]
    fn a_bare_status_says_nothing_of_a_secret_with_a_companion() {
        let part = "[[detector.part]]\nname = \"user\"\nnames = [\"acmeuser\"]\n\n[[verifier]]";
        let paired = GOOD.replacen("[[verifier]]", part, 1);
        let paired = paired.replacen("class =", "needs = [\"user\"]\nclass =", 1);
        let said = wrong(&paired);
        assert!(said.iter().any(|w| w.contains("unpaired")), "{said:?}");
        let honest = paired.replace("dead = [{", "unpaired = [{");
        let honest = honest.replace("outcome = \"dead\"", "outcome = \"unpaired\"");
        assert_eq!(wrong(&honest), Vec::<String>::new());
        let alone = wrong(&GOOD.replace("dead = [{", "unpaired = [{"));
        assert!(
            alone.iter().any(|w| w.contains("without `needs`")),
            "{alone:?}"
        );
    }

    #[test]
    fn methods_that_change_something_are_not_in_the_format() {
        for method in ["PUT", "PATCH"] {
            let text = GOOD.replacen("url =", &format!("method = \"{method}\", url ="), 1);
            assert!(toml::from_str::<DetectorFile>(&text).is_err(), "{method}");
        }
        let wrong = wrong(&GOOD.replacen("url =", "method = \"DELETE\", url =", 1));
        assert!(
            wrong.iter().any(|w| w.contains("a verifier reads")),
            "{wrong:?}"
        );
    }

    #[test]
    fn a_star_stands_for_labels_before_the_suffix() {
        assert!(host_fits("*.okta.example", "acme.okta.example"));
        assert!(host_fits("*.okta.example", "a.b.okta.example"));
        for host in [
            "okta.example",
            "evilokta.example",
            ".okta.example",
            "okta.example.evil",
        ] {
            assert!(!host_fits("*.okta.example", host), "{host}");
        }
    }
}
