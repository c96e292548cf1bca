//! AMQP 0-9-1: SASL PLAIN up to `connection.tune`, which comes only to who is let in
//! (<https://www.rabbitmq.com/amqp-0-9-1-reference>).
//!
//! Dead: `connection.close` with 403, which RabbitMQ sends to clients that say that they understand
//! it (<https://www.rabbitmq.com/docs/auth-notification>). The user `guest` gets that from afar
//! with any password, so it says nothing of it.

use super::super::Verdict;
use super::super::net::Conn;
use super::login::{Account, Login, trusted};
use crate::detector::IdentityField;
use crate::model::{Outcome, Reason};

pub(super) const LOGIN: Login = Login {
    name: "amqp-login@1",
    method: "amqp",
    schemes: &["amqp", "amqps"],
    tls_schemes: &["amqps"],
    detectors: &[],
    port: 5672,
    tls_port: Some(5671),
    default_user: None,
    ask,
};

/// Longest frame, in bytes.
const LONGEST: usize = 64 << 10;
const METHOD: u8 = 1;
const HEARTBEAT: u8 = 8;
const FRAME_END: u8 = 0xce;
const START: [u8; 4] = [0, 10, 0, 10];
const START_OK: [u8; 4] = [0, 10, 0, 11];
const SECURE: [u8; 4] = [0, 10, 0, 20];
const TUNE: [u8; 4] = [0, 10, 0, 30];
const CLOSE: [u8; 4] = [0, 10, 0, 50];

fn ask(account: &Account<'_>, mut conn: Conn) -> Result<Verdict, Reason> {
    trusted(&conn)?;
    conn.send(b"AMQP\0\0\x09\x01")?;
    let (method, arguments) = receive(&mut conn)?;
    if method != START {
        return Err(Reason::Protocol);
    }
    if !offers_plain(&arguments).ok_or(Reason::Protocol)? {
        return Ok(Verdict::unknown(Reason::UnexpectedStatus));
    }
    conn.send(&frame(&start_ok(account)))?;
    let (method, arguments) = receive(&mut conn)?;
    let outcome = match method {
        TUNE => {
            let user = account.user.clone();
            return Ok(Verdict::live([(IdentityField::User, user)]));
        }
        CLOSE => {
            let code = arguments.get(..2).ok_or(Reason::Protocol)?;
            match (
                u16::from_be_bytes([code[0], code[1]]),
                account.user.as_str(),
            ) {
                (403, "guest") => Outcome::Unknown(Reason::UnexpectedStatus),
                (403, _) => Outcome::Dead,
                (541 | 506, _) => Outcome::Unknown(Reason::ProviderError),
                _ => Outcome::Unknown(Reason::UnexpectedStatus),
            }
        }
        SECURE => Outcome::Unknown(Reason::UnexpectedStatus),
        _ => return Err(Reason::Protocol),
    };
    Ok(Verdict::of(outcome))
}

/// Properties, mechanism, response and locale.
fn start_ok(account: &Account<'_>) -> Vec<u8> {
    let capabilities = [short("authentication_failure_close"), b"t\x01".to_vec()].concat();
    let properties = [
        short("product"),
        [&b"S"[..], &long(b"straykey")].concat(),
        short("capabilities"),
        [&b"F"[..], &long(&capabilities)].concat(),
    ];
    let response = format!("\0{}\0{}", account.user, account.password);
    [
        START_OK.to_vec(),
        long(&properties.concat()),
        short("PLAIN"),
        long(response.as_bytes()),
        short("en_US"),
    ]
    .concat()
}

fn short(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn frame(payload: &[u8]) -> Vec<u8> {
    [&[METHOD, 0, 0], &long(payload)[..], &[FRAME_END]].concat()
}

/// The next method and its arguments.
fn receive(conn: &mut Conn) -> Result<([u8; 4], Vec<u8>), Reason> {
    for _ in 0..8 {
        let head = conn.take(7)?;
        let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
        // A server that speaks another version says which, in the form of a header.
        if head.starts_with(b"AMQP") || !matches!(head[0], METHOD | HEARTBEAT) {
            return Err(Reason::Protocol);
        }
        if length > LONGEST {
            return Err(Reason::TooLarge);
        }
        let body = conn.take(length + 1)?;
        let payload = body.strip_suffix(&[FRAME_END]).ok_or(Reason::Protocol)?;
        if head[0] == METHOD {
            let (method, rest) = payload.split_first_chunk().ok_or(Reason::Protocol)?;
            return Ok((*method, rest.to_vec()));
        }
    }
    Err(Reason::Protocol)
}

/// Whether `connection.start` names PLAIN among its mechanisms.
fn offers_plain(arguments: &[u8]) -> Option<bool> {
    let (_version, rest) = arguments.split_at_checked(2)?;
    let (_properties, rest) = long_of(rest)?;
    let (mechanisms, _) = long_of(rest)?;
    Some(
        mechanisms
            .split(|&byte| byte == b' ')
            .any(|it| it == b"PLAIN"),
    )
}

fn long_of(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mechanisms_are_words() {
        let start = |mechanisms: &[u8]| [&[0, 9], &long(b"")[..], &long(mechanisms)].concat();
        assert_eq!(offers_plain(&start(b"AMQPLAIN PLAIN")), Some(true));
        assert_eq!(offers_plain(&start(b"AMQPLAIN EXTERNAL")), Some(false));
        assert_eq!(offers_plain(&[0, 9, 255, 255, 255, 255]), None);
        assert_eq!(offers_plain(&[]), None);
    }
}
