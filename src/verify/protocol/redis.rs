//! Redis and Valkey: `AUTH` and `ACL WHOAMI` in RESP, <https://redis.io/docs/latest/commands/auth/>.
//!
//! Live: `AUTH` is answered with `+OK`. Dead: `WRONGPASS`, or the `invalid password` of servers
//! before 6; both are also what a user gets who is switched off. A server whose default user has no
//! password takes any, so it is asked for a `PING` first.

use super::super::Verdict;
use super::super::net::Conn;
use super::login::{Account, Login, trusted};
use crate::detector::IdentityField;
use crate::model::{Outcome, Reason};

pub(super) const LOGIN: Login = Login {
    name: "redis-login@1",
    method: "redis",
    schemes: &["redis", "rediss", "valkey", "valkeys"],
    tls_schemes: &["rediss", "valkeys"],
    detectors: &[],
    port: 6379,
    tls_port: None,
    default_user: Some("default"),
    ask,
};

/// Longest text that is read, in bytes.
const LONGEST: usize = 4096;

/// An answer: `+OK`, `-ERR …`, `$5 …`.
enum Reply {
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Bulk(Vec<u8>),
    Other,
}

fn ask(account: &Account<'_>, mut conn: Conn) -> Result<Verdict, Reason> {
    trusted(&conn)?;
    let user = account.user.as_str();
    if matches!(user, "" | "default") {
        match send(&mut conn, &["PING"])? {
            Reply::Error(text) if text.starts_with(b"NOAUTH") => {}
            Reply::Simple(_) => return Ok(Verdict::unknown(Reason::NoAuthentication)),
            // A server before 2.8 or a proxy may say it in other words.
            Reply::Error(text) if text.starts_with(b"ERR operation not permitted") => {}
            Reply::Error(text) => return Ok(Verdict::of(refused(&text))),
            _ => return Err(Reason::Protocol),
        }
    }
    let said = match user {
        "" => send(&mut conn, &["AUTH", &account.password])?,
        user => send(&mut conn, &["AUTH", user, &account.password])?,
    };
    match said {
        Reply::Simple(text) if text == b"OK" => {}
        Reply::Error(text) => return Ok(Verdict::of(refused(&text))),
        _ => return Err(Reason::Protocol),
    }
    // Not every user may ask who they are, and servers before 6 do not know.
    let who = match send(&mut conn, &["ACL", "WHOAMI"]) {
        Ok(Reply::Bulk(name) | Reply::Simple(name)) => String::from_utf8_lossy(&name).into_owned(),
        _ => user.to_owned(),
    };
    let _ = conn.send(b"*1\r\n$4\r\nQUIT\r\n");
    Ok(Verdict::live([(IdentityField::User, who)]))
}

fn send(conn: &mut Conn, words: &[&str]) -> Result<Reply, Reason> {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    conn.send(command.as_bytes())?;
    let line = conn.line()?;
    let (&kind, text) = line.split_first().ok_or(Reason::Protocol)?;
    Ok(match kind {
        b'+' => Reply::Simple(text.to_vec()),
        b'-' => Reply::Error(text.to_vec()),
        b'$' => {
            let length = std::str::from_utf8(text).ok();
            let length: Option<usize> = length.and_then(|text| text.parse().ok());
            match length {
                Some(length) if length <= LONGEST => {
                    let mut text = conn.take(length + 2)?;
                    text.truncate(length);
                    Reply::Bulk(text)
                }
                Some(_) => return Err(Reason::TooLarge),
                None => Reply::Other,
            }
        }
        b':' | b'*' => Reply::Other,
        _ => return Err(Reason::Protocol),
    })
}

fn refused(error: &[u8]) -> Outcome {
    let starts = |word: &str| error.starts_with(word.as_bytes());
    if starts("WRONGPASS") || starts("ERR invalid password") {
        return Outcome::Dead;
    }
    Outcome::Unknown(
        if starts("ERR Client sent AUTH, but no password is set")
            || starts("ERR AUTH <password> called without any password configured")
        {
            Reason::NoAuthentication
        } else if starts("LOADING") || starts("ERR max number of clients") {
            Reason::ProviderError
        } else {
            Reason::UnexpectedStatus
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wrong_password_is_dead() {
        for (error, outcome) in [
            (
                "WRONGPASS invalid username-password pair or user is disabled.",
                Outcome::Dead,
            ),
            ("ERR invalid password", Outcome::Dead),
            (
                "ERR Client sent AUTH, but no password is set",
                Outcome::Unknown(Reason::NoAuthentication),
            ),
            (
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
                Outcome::Unknown(Reason::NoAuthentication),
            ),
            (
                "ERR wrong number of arguments for 'auth' command",
                Outcome::Unknown(Reason::UnexpectedStatus),
            ),
            (
                "DENIED Redis is running in protected mode",
                Outcome::Unknown(Reason::UnexpectedStatus),
            ),
            (
                "LOADING Redis is loading the dataset in memory",
                Outcome::Unknown(Reason::ProviderError),
            ),
        ] {
            assert_eq!(refused(error.as_bytes()), outcome, "{error}");
        }
    }
}
