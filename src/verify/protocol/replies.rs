//! Replies of three digits that may take several lines: those of SMTP (RFC 5321 section 4.2) and
//! FTP (RFC 959 section 4.2).

use super::super::net::Conn;
use crate::model::Reason;

/// Most lines of one reply.
const MOST: usize = 100;

/// What a server replied.
pub(super) struct Reply {
    pub(super) code: u16,
    /// The texts behind the codes.
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// Reads one. Lines between the first and the last need no code in FTP.
    pub(super) fn read(conn: &mut Conn) -> Result<Self, Reason> {
        let mut code = None;
        let mut lines = Vec::new();
        for _ in 0..MOST {
            let line = conn.line()?;
            let (digits, rest) = match line.split_at_checked(3) {
                Some((digits, rest)) if digits.iter().all(u8::is_ascii_digit) => (digits, rest),
                _ if code.is_some() => continue,
                _ => return Err(Reason::Protocol),
            };
            let number = digits
                .iter()
                .fold(0, |sum, d| sum * 10 + u16::from(d - b'0'));
            if *code.get_or_insert(number) != number {
                continue;
            }
            let text = rest.get(1..).unwrap_or_default();
            lines.push(String::from_utf8_lossy(text).trim().to_owned());
            if rest.first() != Some(&b'-') {
                return Ok(Self {
                    code: number,
                    lines,
                });
            }
        }
        Err(Reason::TooLarge)
    }

    /// Sends a command and reads the reply.
    pub(super) fn to(conn: &mut Conn, command: &str) -> Result<Self, Reason> {
        conn.send(format!("{command}\r\n").as_bytes())?;
        Self::read(conn)
    }
}
