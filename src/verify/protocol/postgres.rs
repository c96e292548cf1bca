//! PostgreSQL's protocol 3.0: <https://www.postgresql.org/docs/current/protocol-flow.html>, and what
//! speaks it: CockroachDB, YugabyteDB, Redshift, TimescaleDB.
//!
//! Live: the server said `AuthenticationOk` to a password that it had asked for, even when what
//! follows fails for want of the database. A role that lost `LOGIN` is told by its 28000 behind
//! that. Dead: 28P01, which is also what an unknown role gets.

use md5::{Digest as _, Md5};

use super::super::Verdict;
use super::super::net::Conn;
use super::login::{Account, Login, trusted};
use super::scram::{Hash, Scram};
use crate::detector::IdentityField;
use crate::model::{Outcome, Reason};

pub(super) const LOGIN: Login = Login {
    name: "postgres-login@1",
    method: "postgres",
    schemes: &[
        "postgres",
        "postgresql",
        "postgis",
        "cockroachdb",
        "redshift",
        "timescaledb",
        "yugabytedb",
    ],
    tls_schemes: &[],
    detectors: &[
        "postgres-connection-string",
        "postgres-dsn",
        "pgpass-password",
    ],
    port: 5432,
    tls_port: None,
    default_user: None,
    ask,
};

/// Longest message, in bytes.
const LONGEST: usize = 64 << 10;
/// Most messages until the server is ready.
const MOST: usize = 200;

/// A message of the server.
struct Message {
    kind: u8,
    body: Vec<u8>,
}

/// What the server said of the login so far.
#[derive(Default)]
struct Told {
    asked: bool,
    accepted: bool,
    admin: Option<bool>,
}

fn ask(account: &Account<'_>, conn: Conn) -> Result<Verdict, Reason> {
    let mut conn = encrypted(account, conn)?;
    conn.send(&startup(account))?;
    let mut told = Told::default();
    let mut scram = None;
    for _ in 0..MOST {
        let message = match receive(&mut conn) {
            Ok(message) => message,
            // The password was accepted, whatever happens then.
            Err(_) if told.accepted => return Ok(live(account, &told)),
            Err(reason) => return Err(reason),
        };
        match message.kind {
            b'R' => {
                if let Some(verdict) =
                    authenticate(account, &mut conn, &message, &mut scram, &mut told)?
                {
                    return Ok(verdict);
                }
            }
            b'S' => {
                let mut fields = message.body.split(|&byte| byte == 0);
                if fields.next() == Some(b"is_superuser") {
                    told.admin = fields.next().map(|value| value == b"on");
                }
            }
            b'Z' if told.accepted => {
                let _ = conn.send(b"X\0\0\0\x04");
                return Ok(live(account, &told));
            }
            b'E' => return Ok(refused(account, &message, &told)),
            b'N' | b'K' | b'v' => {}
            _ => return Err(Reason::Protocol),
        }
    }
    Err(Reason::TooLarge)
}

/// Asks for TLS, and takes it when there is some.
fn encrypted(account: &Account<'_>, mut conn: Conn) -> Result<Conn, Reason> {
    if account.upgrades {
        conn.send(&[0, 0, 0, 8, 4, 210, 22, 47])?;
        match conn.take(1)?[0] {
            b'S' => conn = conn.start_tls()?,
            b'N' => {}
            _ => return Err(Reason::Protocol),
        }
    }
    trusted(&conn)?;
    Ok(conn)
}

fn startup(account: &Account<'_>) -> Vec<u8> {
    let mut body = 196_608_u32.to_be_bytes().to_vec();
    let mut field = |name: &str, value: &str| {
        for text in [name, value] {
            body.extend(text.as_bytes());
            body.push(0);
        }
    };
    field("user", &account.user);
    if let Some(database) = &account.database {
        field("database", database);
    }
    field("application_name", "straykey");
    body.push(0);
    framed(None, &body)
}

fn framed(kind: Option<u8>, body: &[u8]) -> Vec<u8> {
    let mut message: Vec<u8> = kind.into_iter().collect();
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    message
}

fn receive(conn: &mut Conn) -> Result<Message, Reason> {
    let head = conn.take(5)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let length = length.checked_sub(4).ok_or(Reason::Protocol)?;
    if length > LONGEST {
        return Err(Reason::TooLarge);
    }
    Ok(Message {
        kind: head[0],
        body: conn.take(length)?,
    })
}

/// Does what an authentication message asks for; a verdict when that decides.
fn authenticate<'a>(
    account: &'a Account<'_>,
    conn: &mut Conn,
    message: &Message,
    scram: &mut Option<Scram<'a>>,
    told: &mut Told,
) -> Result<Option<Verdict>, Reason> {
    let (code, rest) = message.body.split_first_chunk().ok_or(Reason::Protocol)?;
    let mut reply = |body: &[u8]| conn.send(&framed(Some(b'p'), body));
    match (u32::from_be_bytes(*code), scram) {
        (0, _) if !told.asked => return Ok(Some(Verdict::unknown(Reason::NoAuthentication))),
        (0, Some(_)) if !told.accepted => return Err(Reason::Protocol), // it did not prove itself
        (0, _) => told.accepted = true,
        (3, None) => {
            told.asked = true;
            reply(&[account.password.as_bytes(), b"\0"].concat())?;
        }
        (5, None) => {
            told.asked = true;
            let salt: [u8; 4] = rest.try_into().map_err(|_| Reason::Protocol)?;
            reply(
                &[
                    md5(&account.user, &account.password, salt).as_bytes(),
                    b"\0",
                ]
                .concat(),
            )?;
        }
        (10, none @ None) => {
            told.asked = true;
            let name = b"SCRAM-SHA-256";
            if !rest.split(|&byte| byte == 0).any(|offer| offer == name) {
                return Ok(Some(Verdict::unknown(Reason::UnexpectedStatus)));
            }
            // The user is that of the startup message.
            let started = Scram::new(Hash::Sha256, "", &account.password, &account.nonce)?;
            let first = started.first();
            let length = (first.len() as u32).to_be_bytes();
            reply(&[&name[..], b"\0", &length, first.as_bytes()].concat())?;
            *none = Some(started);
        }
        (11, Some(scram)) => reply(scram.answer(rest)?.as_bytes())?,
        (12, Some(scram)) if scram.is_proved_by(rest) => told.accepted = true,
        (3 | 5 | 10 | 11 | 12, _) => return Err(Reason::Protocol),
        // Kerberos, GSSAPI, SSPI: no password is asked for.
        _ => return Ok(Some(Verdict::unknown(Reason::UnexpectedStatus))),
    }
    Ok(None)
}

/// The answer to `AuthenticationMD5Password`.
fn md5(user: &str, password: &str, salt: [u8; 4]) -> String {
    let hex = |parts: [&[u8]; 2]| {
        let mut md5 = Md5::new();
        parts.iter().for_each(|part| md5.update(part));
        data_encoding::HEXLOWER.encode(&md5.finalize())
    };
    let inner = hex([password.as_bytes(), user.as_bytes()]);
    format!("md5{}", hex([inner.as_bytes(), &salt]))
}

fn live(account: &Account<'_>, told: &Told) -> Verdict {
    let user = (IdentityField::User, account.user.clone());
    let admin = told
        .admin
        .map(|admin| (IdentityField::Admin, admin.to_string()));
    Verdict::live([user].into_iter().chain(admin))
}

/// What an error says, by its SQLSTATE (appendix A of the manual) and when it comes.
fn refused(account: &Account<'_>, message: &Message, told: &Told) -> Verdict {
    let mut fields = message.body.split(|&byte| byte == 0);
    let code = fields.find_map(|field| field.strip_prefix(b"C"));
    let outcome = match (code.unwrap_or_default(), told.accepted) {
        (b"28P01", false) if told.asked => Outcome::Dead,
        (b"28000", true) => Outcome::RevokedOrExpired, // the role may not log in
        // No such database, no right to it, no room for another session.
        (b"3D000" | b"42501" | b"53300", true) => return live(account, told),
        // Perhaps for want of TLS, whose certificate is none that we know.
        (b"28000", false) if !account.upgrades => Outcome::Unknown(Reason::Tls),
        ([b'5', b'3' | b'7' | b'8', ..], _) => Outcome::Unknown(Reason::ProviderError),
        _ => Outcome::Unknown(Reason::UnexpectedStatus),
    };
    Verdict::of(outcome)
}

#[cfg(test)]
mod tests {
    #[test]
    fn md5_is_that_of_the_manual() {
        // concat('md5', md5(concat(md5(concat(password, username)), random-salt))), computed with
        // another implementation of MD5; a real server is asked in tests/live.
        let said = super::md5("app", "pencil", [1, 2, 3, 4]);
        assert_eq!(said, "md54bfca4ca571b8df74c2fc2247888d96f");
    }
}
