//! LDAP: a simple bind (RFC 4511 section 4.2, RFC 4513 section 5.1.3), encrypted from the start or
//! by StartTLS.
//!
//! Live: result 0, and the directory names somebody when it is asked who that is (RFC 4532) and can
//! tell. Dead: result 49; Active Directory says in it what else may be the matter with an account
//! whose password is right. No password is no login: that bind is anonymous and succeeds.

use super::super::Verdict;
use super::super::net::Conn;
use super::login::{Account, Login, trusted};
use crate::detector::IdentityField;
use crate::model::{Outcome, Reason};

pub(super) const LOGIN: Login = Login {
    name: "ldap-login@1",
    method: "ldap",
    schemes: &["ldap", "ldaps"],
    tls_schemes: &["ldaps"],
    detectors: &[],
    port: 389,
    tls_port: Some(636),
    default_user: None,
    ask,
};

/// Longest message, in bytes.
const LONGEST: usize = 64 << 10;
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037"; // RFC 4511 section 4.14
const WHO_AM_I: &[u8] = b"1.3.6.1.4.1.4203.1.11.3"; // RFC 4532

const BIND_RESPONSE: u8 = 0x61;
const EXTENDED_RESPONSE: u8 = 0x78;

/// What an operation came to.
struct Said {
    code: u8,
    diagnostic: Vec<u8>,
    /// The value of an extended answer.
    value: Option<Vec<u8>>,
}

fn ask(account: &Account<'_>, mut conn: Conn) -> Result<Verdict, Reason> {
    if account.upgrades && !conn.is_tls() {
        let request = extended(START_TLS);
        if exchange(&mut conn, 1, &request, EXTENDED_RESPONSE)?.code == 0 {
            conn = conn.start_tls()?;
        }
    }
    trusted(&conn)?;
    let bind = [
        &[2, 1, 3][..],
        &element(0x04, account.user.as_bytes()),
        &element(0x80, account.password.as_bytes()),
    ];
    let bind = element(0x60, &bind.concat());
    let said = exchange(&mut conn, 2, &bind, BIND_RESPONSE)?;
    if said.code != 0 {
        return Ok(Verdict::of(refused(&said)));
    }
    let who = exchange(&mut conn, 3, &extended(WHO_AM_I), EXTENDED_RESPONSE);
    let _ = conn.send(&message(4, &[0x42, 0]));
    let named = match who {
        Ok(Said { code: 0, value, .. }) => Some(value.unwrap_or_default()),
        _ => None,
    };
    Ok(match named.as_deref() {
        Some([]) => Verdict::unknown(Reason::NoAuthentication),
        Some(name) => {
            let name = String::from_utf8_lossy(name);
            let bare = name.strip_prefix("dn:").or(name.strip_prefix("u:"));
            let user = bare.unwrap_or(&name).to_owned();
            Verdict::live([(IdentityField::User, user)])
        }
        None => Verdict::live([(IdentityField::User, account.user.clone())]),
    })
}

/// What a refused bind says: RFC 4511 section 4.1.9; `data …` in the text of Active Directory is an
/// error of Windows, of which those for a right password are told.
fn refused(said: &Said) -> Outcome {
    match said.code {
        49 => match sub_code(&said.diagnostic) {
            // Not at this time, not from here; the password must be changed first.
            Some(b"530" | b"531" | b"773") => Outcome::LiveRestricted,
            // The password or the account has expired; the account is disabled.
            Some(b"532" | b"533" | b"701") => Outcome::RevokedOrExpired,
            Some(b"525" | b"52e") | None => Outcome::Dead,
            Some(_) => Outcome::Unknown(Reason::UnexpectedStatus), // 775: locked
        },
        13 => Outcome::Unknown(Reason::Tls),
        51 | 52 | 80 => Outcome::Unknown(Reason::ProviderError),
        _ => Outcome::Unknown(Reason::UnexpectedStatus),
    }
}

/// `52e` of `80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 52e, v4563`.
fn sub_code(diagnostic: &[u8]) -> Option<&[u8]> {
    memchr::memmem::find(diagnostic, b"AcceptSecurityContext")?;
    let at = memchr::memmem::find(diagnostic, b" data ")? + 6;
    let rest = diagnostic.get(at..)?;
    let end = rest.iter().position(|byte| !byte.is_ascii_hexdigit());
    rest.get(..end.unwrap_or(rest.len()))
}

fn extended(oid: &[u8]) -> Vec<u8> {
    element(0x77, &element(0x80, oid))
}

fn exchange(conn: &mut Conn, id: u8, operation: &[u8], kind: u8) -> Result<Said, Reason> {
    conn.send(&message(id, operation))?;
    let body = receive(conn)?;
    let mut fields = Elements(&body);
    let (tag, number) = fields.next().ok_or(Reason::Protocol)?;
    let (found, answer) = fields.next().ok_or(Reason::Protocol)?;
    // A notice of disconnection (RFC 4511 section 4.4.1) has number 0.
    if tag != 2 || number != [id] || found != kind {
        return Err(Reason::Protocol);
    }
    let mut fields = Elements(answer);
    let code = match fields.next() {
        Some((0x0a, &[code])) => code,
        _ => return Err(Reason::Protocol),
    };
    let (_, _matched) = fields.next().ok_or(Reason::Protocol)?;
    let (_, diagnostic) = fields.next().ok_or(Reason::Protocol)?;
    let value = fields.find(|(tag, _)| *tag == 0x8b);
    Ok(Said {
        code,
        diagnostic: diagnostic.to_vec(),
        value: value.map(|(_, value)| value.to_vec()),
    })
}

fn message(id: u8, operation: &[u8]) -> Vec<u8> {
    element(0x30, &[&[2, 1, id], operation].concat())
}

/// Tag, length and content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ ..=0x7f) => element.push(short),
        _ => {
            element.push(0x84);
            element.extend((content.len() as u32).to_be_bytes());
        }
    }
    element.extend(content);
    element
}

/// The content of the next message.
fn receive(conn: &mut Conn) -> Result<Vec<u8>, Reason> {
    let head = conn.take(2)?;
    if head[0] != 0x30 {
        return Err(Reason::Protocol);
    }
    let length = match head[1] {
        short @ ..=0x7f => usize::from(short),
        long @ 0x81..=0x84 => {
            let bytes = conn.take(usize::from(long & 0x7f))?;
            bytes
                .iter()
                .fold(0, |sum, &byte| sum << 8 | usize::from(byte))
        }
        _ => return Err(Reason::Protocol),
    };
    match length <= LONGEST {
        true => conn.take(length),
        false => Err(Reason::TooLarge),
    }
}

/// The elements of a content, up to the first that is broken.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match first {
            short @ ..=0x7f => (usize::from(short), rest),
            long @ 0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
                let length = bytes
                    .iter()
                    .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: u8, diagnostic: &str) -> Outcome {
        refused(&Said {
            code,
            diagnostic: diagnostic.as_bytes().to_vec(),
            value: None,
        })
    }

    #[test]
    fn a_refused_bind_is_dead_only_for_its_password() {
        let windows = |data: &str| {
            said(
                49,
                &format!(
                    "80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data {data}, v4563"
                ),
            )
        };
        assert_eq!(said(49, ""), Outcome::Dead);
        assert_eq!(windows("52e"), Outcome::Dead);
        assert_eq!(windows("525"), Outcome::Dead);
        assert_eq!(windows("533"), Outcome::RevokedOrExpired);
        assert_eq!(windows("530"), Outcome::LiveRestricted);
        assert_eq!(windows("775"), Outcome::Unknown(Reason::UnexpectedStatus));
        assert_eq!(said(53, ""), Outcome::Unknown(Reason::UnexpectedStatus));
        assert_eq!(said(13, ""), Outcome::Unknown(Reason::Tls));
        assert_eq!(said(51, ""), Outcome::Unknown(Reason::ProviderError));
    }

    #[test]
    fn elements_are_read_and_broken_ones_end_them() {
        let long = element(0x04, &[7; 300]);
        let both = [element(0x0a, &[0]), long].concat();
        let read: Vec<_> = Elements(&both).map(|(tag, c)| (tag, c.len())).collect();
        assert_eq!(read, [(0x0a, 1), (0x04, 300)]);
        for broken in [
            &[0x30][..],
            &[0x30, 5, 1],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[4, 0x80],
        ] {
            assert_eq!(Elements(broken).count(), 0);
        }
    }
}
