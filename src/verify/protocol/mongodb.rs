//! MongoDB: `hello`, SCRAM, `connectionStatus` in OP_MSG
//! (<https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/>, driver specification
//! `auth`).
//!
//! Live: the server proved in SCRAM that it knows the password and ended the conversation. Dead:
//! error 18; Atlas says 8000 and `bad auth` instead. An address of `mongodb+srv` names no host, so
//! it is not asked.

use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};

use super::super::Verdict;
use super::super::net::Conn;
use super::bson::{self, Document, Value};
use super::login::{Account, Login, trusted};
use super::scram::{Hash, Scram};
use crate::detector::IdentityField;
use crate::model::{Outcome, Reason};

pub(super) const LOGIN: Login = Login {
    name: "mongodb-login@1",
    method: "mongodb",
    schemes: &["mongodb", "mongo", "mongodb+srv"],
    tls_schemes: &[],
    detectors: &[],
    port: 27017,
    tls_port: None,
    default_user: None,
    ask,
};

/// Longest message, in bytes.
const LONGEST: usize = 64 << 10;
const OP_MSG: i32 = 2013;
/// Roles of the database `admin` that may do everything.
const ADMINS: &[&str] = &["root", "__system", "userAdminAnyDatabase"];

/// Messages, which are counted.
struct Wire {
    conn: Conn,
    number: i32,
}

impl Wire {
    fn ask(&mut self, command: &Document) -> Result<Vec<u8>, Reason> {
        let body = command.to_bytes();
        let length = 16 + 4 + 1 + body.len();
        let mut message = Vec::with_capacity(length);
        for number in [length as i32, self.number, 0, OP_MSG, 0] {
            message.extend(number.to_le_bytes());
        }
        message.push(0);
        message.extend(body);
        self.number += 1;
        self.conn.send(&message)?;
        let head = self.conn.take(16)?;
        let number =
            |at: usize| i32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let rest = usize::try_from(number(0))
            .ok()
            .and_then(|all| all.checked_sub(16));
        let rest = rest
            .filter(|_| number(12) == OP_MSG)
            .ok_or(Reason::Protocol)?;
        if rest > LONGEST {
            return Err(Reason::TooLarge);
        }
        let body = self.conn.take(rest)?;
        // Flags, then one section of kind 0.
        let answer = body.get(4..).and_then(|rest| rest.strip_prefix(&[0]));
        answer.map(<[u8]>::to_vec).ok_or(Reason::Protocol)
    }
}

fn ask(account: &Account<'_>, conn: Conn) -> Result<Verdict, Reason> {
    // Nothing is negotiated: one or the other. Without trust in the network it is TLS, whatever
    // the address says.
    let wants_tls = account.part("tls").is_some();
    let conn = match account.upgrades && (wants_tls || !conn.is_trusted()) {
        true => conn.start_tls()?,
        false => conn,
    };
    trusted(&conn)?;
    let mut wire = Wire { conn, number: 1 };
    let source = account.part("auth_source").filter(|name| !name.is_empty());
    let source = source.or(account.database.clone());
    let source = source.unwrap_or_else(|| "admin".to_owned());
    let hello = wire.ask(
        &Document::new()
            .int("hello", 1)
            .text("saslSupportedMechs", &format!("{source}.{}", account.user))
            .text("$db", "admin"),
    )?;
    let mechanisms = bson::find(&hello, "saslSupportedMechs");
    let has_sha256 = match mechanisms {
        Some(Value::Array(list)) => bson::values(list).any(|it| it == Value::Text("SCRAM-SHA-256")),
        _ => true,
    };
    let (name, hash, password) = match has_sha256 {
        true => ("SCRAM-SHA-256", Hash::Sha256, account.password.clone()),
        false => (
            "SCRAM-SHA-1",
            Hash::Sha1,
            digested(&account.user, &account.password),
        ),
    };
    let mut scram = Scram::new(hash, &account.user, &password, &account.nonce)?;
    let start = Document::new()
        .int("saslStart", 1)
        .text("mechanism", name)
        .bytes("payload", scram.first().as_bytes())
        .int("autoAuthorize", 1)
        .text("$db", &source);
    let said = wire.ask(&start)?;
    let (conversation, payload) = match step(&said) {
        Ok(step) => step,
        Err(outcome) => return Ok(Verdict::of(outcome)),
    };
    let go_on = |payload: &[u8]| {
        Document::new()
            .int("saslContinue", 1)
            .int("conversationId", conversation)
            .bytes("payload", payload)
            .text("$db", &source)
    };
    let answer = scram.answer(&payload)?;
    let said = wire.ask(&go_on(answer.as_bytes()))?;
    let payload = match step(&said) {
        Ok((_, payload)) => payload,
        Err(outcome) => return Ok(Verdict::of(outcome)),
    };
    if !scram.is_proved_by(&payload) {
        return Err(Reason::Protocol);
    }
    if bson::find(&said, "done") != Some(Value::Bool(true)) {
        let said = wire.ask(&go_on(b""))?;
        if let Err(outcome) = step(&said) {
            return Ok(Verdict::of(outcome));
        }
    }
    Ok(live(account, &source, &mut wire))
}

/// The conversation and the payload of an answer, or what its error says.
fn step(answer: &[u8]) -> Result<(i32, Vec<u8>), Outcome> {
    let protocol = Outcome::Unknown(Reason::Protocol);
    if bson::find(answer, "ok").and_then(Value::number) == Some(1.0) {
        let conversation = bson::find(answer, "conversationId").and_then(Value::number);
        let Some(Value::Bytes(payload)) = bson::find(answer, "payload") else {
            return Err(protocol);
        };
        return Ok((conversation.unwrap_or(1.0) as i32, payload.to_vec()));
    }
    let code = bson::find(answer, "code").and_then(Value::number);
    let text = match bson::find(answer, "errmsg") {
        Some(Value::Text(text)) => text,
        _ => "",
    };
    Err(match code.map(|code| code as i32) {
        Some(18) => Outcome::Dead,
        Some(8000) if text.to_ascii_lowercase().starts_with("bad auth") => Outcome::Dead,
        Some(6 | 7 | 89 | 91 | 11600 | 11602) => Outcome::Unknown(Reason::ProviderError),
        Some(_) => Outcome::Unknown(Reason::UnexpectedStatus),
        None => protocol,
    })
}

/// What MongoDB takes for a password in SCRAM-SHA-1.
fn digested(user: &str, password: &str) -> String {
    HEXLOWER.encode(&Md5::digest(format!("{user}:mongo:{password}")))
}

fn live(account: &Account<'_>, source: &str, wire: &mut Wire) -> Verdict {
    let status = Document::new()
        .int("connectionStatus", 1)
        .text("$db", "admin");
    let said = wire.ask(&status).unwrap_or_default();
    let roles = match bson::find(&said, "authInfo") {
        Some(Value::Document(info)) => bson::find(info, "authenticatedUserRoles"),
        _ => None,
    };
    let mut names = Vec::new();
    if let Some(Value::Array(roles)) = roles {
        for role in bson::values(roles) {
            let Value::Document(role) = role else {
                continue;
            };
            if let (Some(Value::Text(role)), Some(Value::Text(database))) =
                (bson::find(role, "role"), bson::find(role, "db"))
            {
                names.push((role, database));
            }
        }
    }
    let is_admin = |(role, database): &(&str, &str)| *database == "admin" && ADMINS.contains(role);
    let admin = names.iter().any(is_admin);
    let scopes: Vec<String> = names
        .iter()
        .map(|(role, db)| format!("{role}@{db}"))
        .collect();
    let mut identity = vec![
        (IdentityField::User, account.user.clone()),
        (IdentityField::Account, source.to_owned()),
        (IdentityField::Scopes, scopes.join(", ")),
    ];
    if !names.is_empty() {
        identity.push((IdentityField::Admin, admin.to_string()));
    }
    Verdict::live(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_driver_specification() {
        // Auth specification, SCRAM-SHA-1: user "user", password "pencil".
        let password = digested("user", "pencil");
        assert_eq!(password, "1c33006ec1ffd90f9cadcbcc0e118200");
        let mut scram =
            Scram::new(Hash::Sha1, "user", &password, "fyko+d2lbbFgONRv9qkxdawL").expect("plain");
        let server = b"r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,s=rQ9ZY3MntBeuP3E1TDVC4w==,i=10000";
        assert_eq!(
            scram.answer(server).as_deref(),
            Ok(
                "c=biws,r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,p=MC2T8BvbmWRckDw8oWl5IVghwCY="
            )
        );
        assert!(scram.is_proved_by(b"v=UMWeI25JD1yNYZRMpZ4VHvhZ9e0="));
    }

    #[test]
    fn errors_are_told_apart() {
        let error = |code: i32, text: &str| {
            let answer = Document::new()
                .int("ok", 0)
                .int("code", code)
                .text("errmsg", text);
            step(&answer.to_bytes()).expect_err("refused")
        };
        assert_eq!(error(18, "Authentication failed."), Outcome::Dead);
        assert_eq!(
            error(8000, "bad auth : authentication failed"),
            Outcome::Dead
        );
        assert_eq!(
            error(8000, "quota"),
            Outcome::Unknown(Reason::UnexpectedStatus)
        );
        assert_eq!(
            error(91, "shutdown"),
            Outcome::Unknown(Reason::ProviderError)
        );
        assert_eq!(
            step(b"\x05\0\0\0\0"),
            Err(Outcome::Unknown(Reason::Protocol))
        );
    }
}
