//! FTP: `USER` and `PASS` (RFC 959 section 4.1.1), encrypted from the start or by `AUTH TLS`
//! (RFC 4217).
//!
//! Live: 230 to `PASS`. Dead: 530 to `PASS`; a 530 to `USER` is about something else. A server that
//! is content with the name asks for no password.

use super::super::Verdict;
use super::super::net::Conn;
use super::login::{Account, Login, trusted};
use super::replies::Reply;
use crate::detector::IdentityField;
use crate::model::{Outcome, Reason};

pub(super) const LOGIN: Login = Login {
    name: "ftp-login@1",
    method: "ftp",
    schemes: &["ftp", "ftps", "ftpes"],
    tls_schemes: &["ftps"],
    detectors: &[],
    port: 21,
    tls_port: Some(990),
    default_user: None,
    ask,
};

fn ask(account: &Account<'_>, mut conn: Conn) -> Result<Verdict, Reason> {
    if matches!(account.user.as_str(), "anonymous" | "ftp") {
        return Ok(Verdict::unknown(Reason::NoAuthentication));
    }
    if Reply::read(&mut conn)?.code != 220 {
        return Ok(Verdict::unknown(Reason::ProviderError));
    }
    if account.upgrades && !conn.is_tls() && Reply::to(&mut conn, "AUTH TLS")?.code == 234 {
        conn = conn.start_tls()?;
    }
    trusted(&conn)?;
    let user = Reply::to(&mut conn, &format!("USER {}", account.user))?;
    let unknown = |reason| Ok(Verdict::unknown(reason));
    match user.code {
        331 => {}
        230 | 232 => return unknown(Reason::NoAuthentication),
        400..500 => return unknown(Reason::ProviderError),
        521 | 522 | 534 => return unknown(Reason::Tls),
        // What a server says that wants TLS, whose certificate is none that we know.
        500..600 if !account.upgrades => return unknown(Reason::Tls),
        _ => return unknown(Reason::UnexpectedStatus),
    }
    let password = Reply::to(&mut conn, &format!("PASS {}", account.password))?;
    let _ = conn.send(b"QUIT\r\n");
    match password.code {
        230 => Ok(Verdict::live([(IdentityField::User, account.user.clone())])),
        530 if account.upgrades => Ok(Verdict::of(Outcome::Dead)),
        530 => unknown(Reason::Tls),
        202 => unknown(Reason::NoAuthentication),
        400..500 => unknown(Reason::ProviderError),
        521 | 522 | 533 | 534 => unknown(Reason::Tls),
        _ => unknown(Reason::UnexpectedStatus),
    }
}
