//! What an answer says: the clauses of a verifier, in a fixed order, and nothing beside them.

use serde_json::Value;

use super::net::Answer;
use super::{Verdict, rank};
use crate::detector::{ClauseSpec, Expect, IdentityField, JsonOp, JsonTest, RequestSpec, Scalar};
use crate::model::{Outcome, Reason, printable};

/// Longest text that is kept of an identity, in characters.
const LONGEST: usize = 200;

/// What `answer` says by the clauses of `spec`.
pub(crate) fn judge(spec: &RequestSpec, answer: &Answer) -> Outcome {
    let look = Look::new(answer);
    let any = |clauses: &[ClauseSpec]| clauses.iter().any(|clause| look.holds(clause));
    let status = answer.status;
    if matches!(status, 429 | 503) || any(&spec.throttle) {
        return Outcome::Unknown(Reason::RateLimited);
    }
    if (300..400).contains(&status) {
        return Outcome::Unknown(Reason::Redirect);
    }
    if look.is_html() && spec.expect != Expect::Any {
        return Outcome::Unknown(Reason::Html);
    }
    if any(&spec.revoked) {
        return Outcome::RevokedOrExpired;
    }
    if any(&spec.dead) {
        return Outcome::Dead;
    }
    if any(&spec.unpaired) {
        return Outcome::Unknown(Reason::Unpaired);
    }
    if any(&spec.live) {
        return Outcome::Live;
    }
    if any(&spec.limited) {
        return Outcome::LiveRestricted;
    }
    Outcome::Unknown(match status {
        500.. => Reason::ProviderError,
        _ if answer.truncated => Reason::TooLarge,
        _ => Reason::UnexpectedStatus,
    })
}

/// What a provider that works by these means says of the identity: `sources` name places of the
/// answer, and `part` gives the parts of the finding.
pub(crate) fn identity<'a>(
    sources: impl Iterator<Item = (&'a IdentityField, &'a String)>,
    answer: &Answer,
    part: &dyn Fn(&str) -> Option<String>,
) -> Vec<(IdentityField, String)> {
    let look = Look::new(answer);
    let read = |source: &str| -> Option<String> {
        let (kind, name) = source.split_once(':')?;
        match kind {
            "json" => look.all(name),
            "header" => answer.header(&name.to_ascii_lowercase()).map(str::to_owned),
            "part" => part(name),
            "text" => Some(name.to_owned()),
            _ => None,
        }
    };
    sources
        .filter_map(|(field, source)| {
            let said = safe(&read(source)?);
            (!said.is_empty()).then_some((*field, said))
        })
        .collect()
}

/// A text of a provider, made short and safe to print.
pub(crate) fn safe(text: &str) -> String {
    let short: String = text.trim().chars().take(LONGEST).collect();
    printable(&short)
}

/// A JSON value as a text of a report; lists are joined.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(shown).collect();
            Some(items.join(", "))
        }
        other => Some(other.to_string()),
    }
}

/// An answer and its JSON.
pub(crate) struct Look<'a> {
    answer: &'a Answer,
    json: Option<Value>,
}

impl<'a> Look<'a> {
    pub(crate) fn new(answer: &'a Answer) -> Self {
        Self {
            answer,
            json: serde_json::from_slice(&answer.body).ok(),
        }
    }

    /// Whether a page came back.
    pub(crate) fn is_html(&self) -> bool {
        let media = self.answer.header("content-type").unwrap_or_default();
        let media = media.to_ascii_lowercase();
        let start = self.answer.body.trim_ascii_start();
        let head: Vec<u8> = start.iter().take(15).map(u8::to_ascii_lowercase).collect();
        media.starts_with("text/html")
            || media.starts_with("application/xhtml")
            || head.starts_with(b"<!doctype html")
            || head.starts_with(b"<html")
    }

    /// The value at a path of keys and indexes.
    pub(crate) fn at(&self, path: &str) -> Option<&Value> {
        step_through(self.json.as_ref()?, path)
    }

    /// What stands at a path as a text, of all items of a list where the path has a `*`.
    fn all(&self, path: &str) -> Option<String> {
        let Some((list, rest)) = path.split_once('*') else {
            return shown(self.at(path)?);
        };
        let items = self.at(list)?.as_array()?.iter();
        let each = items.filter_map(|item| shown(step_through(item, rest)?));
        let each: Vec<_> = each.filter(|text| !text.is_empty()).collect();
        Some(each.join(", "))
    }

    /// The text at a path.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.at(path).and_then(Value::as_str)
    }

    fn holds(&self, clause: &ClauseSpec) -> bool {
        let status = clause.status.is_empty() || clause.status.contains(&self.answer.status);
        let header = |(name, wanted): (&String, &String)| {
            let found = self.answer.header(&name.to_ascii_lowercase());
            found.is_some_and(|found| contains(found, wanted))
        };
        let body = |word: &String| {
            let (body, word) = (&self.answer.body, word.as_bytes());
            memchr::memmem::find(body, word).is_some()
        };
        status
            && clause.json.iter().all(|test| self.passes(test))
            && clause.header.iter().all(header)
            && clause.body.iter().all(body)
    }

    fn passes(&self, test: &JsonTest) -> bool {
        let Some(found) = self.at(&test.path) else {
            return false;
        };
        let equals = |found: &Value| test.value.as_ref().is_some_and(|value| is(found, value));
        match test.op {
            JsonOp::Exists => true,
            JsonOp::Nonempty => match found {
                Value::Null | Value::Bool(false) => false,
                Value::String(text) => !text.is_empty(),
                Value::Array(items) => !items.is_empty(),
                Value::Object(fields) => !fields.is_empty(),
                Value::Bool(true) | Value::Number(_) => true,
            },
            JsonOp::Is => equals(found),
            JsonOp::Not => !equals(found),
            JsonOp::List => found.is_array(),
            JsonOp::Table => found.is_object(),
            JsonOp::Contains => match (found, &test.value) {
                (Value::String(text), Some(Scalar::Text(word))) => contains(text, word),
                (Value::Array(items), Some(value)) => items.iter().any(|item| is(item, value)),
                _ => false,
            },
        }
    }
}

/// What stands at `path`, from `value` on.
fn step_through<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut steps = path.split('.').filter(|step| !step.is_empty());
    steps.try_fold(value, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => value.get(step),
    })
}

fn is(found: &Value, wanted: &Scalar) -> bool {
    match wanted {
        Scalar::Bool(wanted) => found.as_bool() == Some(*wanted),
        Scalar::Int(wanted) => found.as_i64() == Some(*wanted),
        Scalar::Text(wanted) => found.as_str() == Some(wanted),
    }
}

fn contains(text: &str, word: &str) -> bool {
    text.to_ascii_lowercase()
        .contains(&word.to_ascii_lowercase())
}

/// The verdict of several hosts of one provider, the first of which that says live is believed:
/// dead only if all say so.
pub(crate) fn over_hosts(verdicts: Vec<Verdict>) -> Verdict {
    let best = verdicts.into_iter().min_by_key(|it| rank(it.outcome));
    best.unwrap_or_else(|| Verdict::of(Outcome::Skipped(Reason::NoEndpoint)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, media: &str, body: &str) -> Answer {
        Answer {
            status,
            headers: vec![("content-type".into(), media.into())],
            body: body.as_bytes().to_vec(),
            truncated: false,
        }
    }

    fn spec() -> RequestSpec {
        toml::from_str(
            r#"
            url = "${endpoint}/me"
            live = [{ status = [200], json = [{ path = "user.id", op = "nonempty" }] }]
            limited = [{ status = [403], json = [{ path = "message", op = "contains", value = "scope" }] }]
            dead = [{ status = [401] }]
            revoked = [{ status = [401], json = [{ path = "message", op = "contains", value = "expired" }] }]
            throttle = [{ status = [403], header = { x-left = "0" } }]
            "#,
        )
        .expect("a request")
    }

    #[test]
    fn answers_are_read_in_order_and_nothing_is_implied() {
        let json = "application/json";
        let unknown = Outcome::Unknown;
        for (status, media, body, expected) in [
            (200, json, r#"{"user":{"id":7}}"#, Outcome::Live),
            (
                200,
                json,
                r#"{"user":{"id":""}}"#,
                unknown(Reason::UnexpectedStatus),
            ),
            (200, json, "{}", unknown(Reason::UnexpectedStatus)),
            (200, json, "", unknown(Reason::UnexpectedStatus)),
            (
                200,
                json,
                "{\"user\":{\"id\":7",
                unknown(Reason::UnexpectedStatus),
            ),
            (
                401,
                json,
                r#"{"message":"token has EXPIRED"}"#,
                Outcome::RevokedOrExpired,
            ),
            (401, json, "", Outcome::Dead),
            (
                403,
                json,
                r#"{"message":"needs the scope x"}"#,
                Outcome::LiveRestricted,
            ),
            (
                403,
                json,
                r#"{"message":"no"}"#,
                unknown(Reason::UnexpectedStatus),
            ),
            (403, "text/html", "<p>scope</p>", unknown(Reason::Html)),
            (401, "text/html; charset=utf-8", "x", unknown(Reason::Html)),
            (
                200,
                "text/plain",
                " <!DOCTYPE HTML><html>",
                unknown(Reason::Html),
            ),
            (
                429,
                json,
                r#"{"user":{"id":7}}"#,
                unknown(Reason::RateLimited),
            ),
            (503, json, "", unknown(Reason::RateLimited)),
            (302, json, "", unknown(Reason::Redirect)),
            (500, json, "", unknown(Reason::ProviderError)),
            (404, json, "", unknown(Reason::UnexpectedStatus)),
        ] {
            assert_eq!(
                judge(&spec(), &answer(status, media, body)),
                expected,
                "{status} {body}"
            );
        }
        let mut throttled = answer(403, json, r#"{"message":"scope"}"#);
        throttled.headers.push(("x-left".into(), "0".into()));
        assert_eq!(judge(&spec(), &throttled), unknown(Reason::RateLimited));
        let mut long = answer(200, json, "{\"user\":{\"id\":7");
        long.truncated = true;
        assert_eq!(judge(&spec(), &long), unknown(Reason::TooLarge));
    }

    #[test]
    fn identities_are_short_and_printable() {
        let body = r#"{"login":"a\u001b[2Jb","n":3,"list":["x","y"],"none":null,"deep":[{"id":"z"},{"no":1},{"id":"y"}]}"#;
        let answer = answer(200, "application/json", body);
        let sources = [
            (IdentityField::User, "json:login".to_owned()),
            (IdentityField::Account, "json:n".to_owned()),
            (IdentityField::Scopes, "json:list".to_owned()),
            (IdentityField::Email, "json:none".to_owned()),
            (IdentityField::Org, "json:deep.0.id".to_owned()),
            (IdentityField::Kind, "part:kind".to_owned()),
            (IdentityField::Mode, "header:Content-Type".to_owned()),
            (IdentityField::Name, "json:deep.*.id".to_owned()),
            (IdentityField::Admin, "json:login.*.id".to_owned()),
        ];
        let part = |name: &str| Some(format!("<{name}>"));
        let said = identity(sources.iter().map(|(f, s)| (f, s)), &answer, &part);
        let text = |at: usize| said[at].1.as_str();
        assert_eq!(said.len(), 7);
        assert_eq!(text(6), "z, y");
        assert!(!text(0).contains('\u{1b}'), "{}", text(0));
        assert_eq!(
            [text(1), text(2), text(3), text(4)],
            ["3", "x, y", "z", "<kind>"]
        );
    }
}
