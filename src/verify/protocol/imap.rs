//! IMAP: `LOGIN` (RFC 9051 section 6.2.3), encrypted from the start or by `STARTTLS`.
//!
//! Live: `OK`. Dead: `NO [AUTHENTICATIONFAILED]` (RFC 5530). A `NO` without a code is what a server
//! says too where logins with passwords are switched off, so it decides nothing.

use super::super::Verdict;
use super::super::net::Conn;
use super::login::{Account, Login, trusted};
use crate::detector::IdentityField;
use crate::model::{Outcome, Reason};

pub(super) const LOGIN: Login = Login {
    name: "imap-login@1",
    method: "imap",
    schemes: &["imap", "imaps"],
    tls_schemes: &["imaps"],
    detectors: &[],
    port: 143,
    tls_port: Some(993),
    default_user: None,
    ask,
};

/// Most lines until a command is answered.
const MOST: usize = 100;

/// How a command ended, and what was said before.
struct Answer {
    /// `OK …`, `NO …`, `BAD …`
    end: String,
    untagged: Vec<String>,
}

fn ask(account: &Account<'_>, mut conn: Conn) -> Result<Verdict, Reason> {
    let greeting = upper(&conn.line()?);
    if greeting.starts_with("* PREAUTH") {
        return Ok(Verdict::unknown(Reason::NoAuthentication));
    }
    if !greeting.starts_with("* OK") {
        return Ok(Verdict::unknown(Reason::ProviderError));
    }
    let mut offers = command(&mut conn, "a1", b"CAPABILITY")?;
    if account.upgrades && !conn.is_tls() && offers.has("STARTTLS") {
        let said = command(&mut conn, "a2", b"STARTTLS")?;
        if said.end.starts_with("OK") {
            conn = conn.start_tls()?;
            offers = command(&mut conn, "a3", b"CAPABILITY")?;
        }
    }
    trusted(&conn)?;
    if offers.has("LOGINDISABLED") {
        return Ok(Verdict::unknown(match conn.is_tls() {
            true => Reason::UnexpectedStatus,
            false => Reason::Tls,
        }));
    }
    let answer = login(&mut conn, account)?;
    let _ = conn.send(b"a5 LOGOUT\r\n");
    Ok(match outcome(&answer.end) {
        Outcome::Live => Verdict::live([(IdentityField::User, account.user.clone())]),
        outcome => Verdict::of(outcome),
    })
}

impl Answer {
    fn has(&self, capability: &str) -> bool {
        let words = self.untagged.iter().flat_map(|line| line.split(' '));
        words.into_iter().any(|word| word == capability)
    }
}

/// Sends user and password: as quoted strings where they may be, else as literals, for each of
/// which the server says when.
fn login(conn: &mut Conn, account: &Account<'_>) -> Result<Answer, Reason> {
    let mut line = b"a4 LOGIN".to_vec();
    for text in [&account.user, &account.password] {
        line.push(b' ');
        if text.is_ascii() {
            let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
            line.extend(format!("\"{quoted}\"").into_bytes());
            continue;
        }
        line.extend(format!("{{{}}}\r\n", text.len()).into_bytes());
        conn.send(&line)?;
        let go = upper(&conn.line()?);
        if !go.starts_with('+') {
            return Err(Reason::UnexpectedStatus);
        }
        line = text.clone().into_bytes();
    }
    line.extend(b"\r\n");
    conn.send(&line)?;
    answer(conn, "a4")
}

fn command(conn: &mut Conn, tag: &str, text: &[u8]) -> Result<Answer, Reason> {
    conn.send(&[tag.as_bytes(), b" ", text, b"\r\n"].concat())?;
    answer(conn, tag)
}

fn answer(conn: &mut Conn, tag: &str) -> Result<Answer, Reason> {
    let tag = tag.to_ascii_uppercase() + " ";
    let mut untagged = Vec::new();
    for _ in 0..MOST {
        let line = upper(&conn.line()?);
        if let Some(end) = line.strip_prefix(&tag) {
            let end = end.to_owned();
            return Ok(Answer { end, untagged });
        }
        if line.starts_with("* BYE") {
            return Err(Reason::ProviderError);
        }
        untagged.push(line);
    }
    Err(Reason::TooLarge)
}

fn upper(line: &[u8]) -> String {
    String::from_utf8_lossy(line).to_ascii_uppercase()
}

fn outcome(end: &str) -> Outcome {
    let unknown = Outcome::Unknown;
    let code = end
        .strip_prefix("NO [")
        .and_then(|rest| rest.split(']').next());
    match code {
        _ if end.starts_with("OK") => Outcome::Live,
        Some("AUTHENTICATIONFAILED") => Outcome::Dead,
        Some("EXPIRED") => Outcome::RevokedOrExpired,
        Some("PRIVACYREQUIRED") => unknown(Reason::Tls),
        Some("UNAVAILABLE" | "INUSE" | "LIMIT") => unknown(Reason::ProviderError),
        _ => unknown(Reason::UnexpectedStatus),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_dead_only_with_its_code() {
        for (end, expected) in [
            ("OK [CAPABILITY IMAP4REV1] LOGGED IN", Outcome::Live),
            (
                "NO [AUTHENTICATIONFAILED] AUTHENTICATION FAILED.",
                Outcome::Dead,
            ),
            ("NO [EXPIRED] PASSWORD EXPIRED", Outcome::RevokedOrExpired),
            (
                "NO [PRIVACYREQUIRED] NOT LIKE THIS",
                Outcome::Unknown(Reason::Tls),
            ),
            (
                "NO [UNAVAILABLE] LATER",
                Outcome::Unknown(Reason::ProviderError),
            ),
            (
                "NO LOGIN FAILED.",
                Outcome::Unknown(Reason::UnexpectedStatus),
            ),
            ("NO [ALERT] X", Outcome::Unknown(Reason::UnexpectedStatus)),
            ("BAD X", Outcome::Unknown(Reason::UnexpectedStatus)),
        ] {
            assert_eq!(outcome(end), expected, "{end}");
        }
    }
}
