//! MySQL and MariaDB, protocol 10: <https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>.
//! `mysql_native_password` and `caching_sha2_password`, which sends the password itself over TLS and
//! otherwise under the server's public key.
//!
//! Live: the server accepts the login, or refuses only the database (1044, 1049). Dead: 1045. An
//! account that is locked (3118, in MariaDB 4151) or whose password has expired (1862) is told so
//! after its password was found right. Where an expired one opens a session in which it can only be
//! changed (1820), it is live for that.

use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::super::Verdict;
use super::super::net::Conn;
use super::login::{Account, Login, trusted};
use super::rsa::PublicKey;
use crate::detector::IdentityField;
use crate::model::{Outcome, Reason};

pub(super) const LOGIN: Login = Login {
    name: "mysql-login@1",
    method: "mysql",
    schemes: &["mysql", "mysql2", "mariadb"],
    tls_schemes: &[],
    detectors: &[
        "mysql-connection-string",
        "mysql-dsn",
        "mysql-command-password",
    ],
    port: 3306,
    tls_port: None,
    default_user: None,
    ask,
};

/// Longest packet, in bytes.
const LONGEST: usize = 64 << 10;
/// Most packets of one login.
const MOST: usize = 12;

const WITH_DATABASE: u32 = 1 << 3;
const SSL: u32 = 1 << 11;
const PLUGINS: u32 = 1 << 19;
/// Long passwords, protocol 4.1, transactions, secure connections.
const USUAL: u32 = 1 | 1 << 9 | 1 << 13 | 1 << 15;
const UTF8: u8 = 33;

const NATIVE: &[u8] = b"mysql_native_password";
const CACHING: &[u8] = b"caching_sha2_password";

/// Packets, which are counted.
struct Wire {
    conn: Conn,
    number: u8,
}

impl Wire {
    fn receive(&mut self) -> Result<Vec<u8>, Reason> {
        let head = self.conn.take(4)?;
        let length = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
        self.number = head[3].wrapping_add(1);
        match length {
            1..=LONGEST => self.conn.take(length),
            0 => Err(Reason::Protocol),
            _ => Err(Reason::TooLarge),
        }
    }

    fn send(&mut self, body: &[u8]) -> Result<(), Reason> {
        let [a, b, c, _] = (body.len() as u32).to_le_bytes();
        let packet = [&[a, b, c, self.number], body].concat();
        self.number = self.number.wrapping_add(1);
        self.conn.send(&packet)
    }
}

/// What the server says first.
struct Greeting {
    can: u32,
    scramble: Vec<u8>,
    plugin: Vec<u8>,
}

fn ask(account: &Account<'_>, conn: Conn) -> Result<Verdict, Reason> {
    let mut wire = Wire { conn, number: 0 };
    let first = wire.receive()?;
    if first[0] == 0xff {
        return Ok(Verdict::of(refused(&first, false)));
    }
    let greeting = Greeting::read(&first).ok_or(Reason::Protocol)?;
    let database = account.database.as_deref();
    let mut flags = USUAL | PLUGINS;
    if database.is_some() {
        flags |= WITH_DATABASE;
    }
    if account.upgrades && greeting.can & SSL != 0 {
        flags |= SSL;
        wire.send(&head(flags))?;
        wire.conn = wire.conn.start_tls()?;
    }
    trusted(&wire.conn)?;
    let mut scramble = greeting.scramble;
    let mut plugin = greeting.plugin;
    // A plugin that is not known here is answered like the old one; the server then names another.
    let answer = scrambled(&plugin, &account.password, &scramble);
    let mut login = head(flags);
    login.extend(account.user.as_bytes());
    login.push(0);
    let known = answer.is_some();
    let answer = answer.unwrap_or_default();
    login.push(answer.len() as u8);
    login.extend(answer);
    if let Some(database) = database {
        login.extend(database.as_bytes());
        login.push(0);
    }
    login.extend(if known { &plugin[..] } else { NATIVE });
    login.push(0);
    wire.send(&login)?;
    for _ in 0..MOST {
        let packet = wire.receive()?;
        match packet[0] {
            0x00 => return accepted(account, wire),
            0xff => {
                return Ok(match refused(&packet, true) {
                    Outcome::Live => live(account.user.clone()),
                    // Also what an account gets that wants TLS, whose certificate is none that we know.
                    Outcome::Dead if !account.upgrades => Verdict::unknown(Reason::Tls),
                    outcome => Verdict::of(outcome),
                });
            }
            0xfe => {
                let mut parts = packet[1..].splitn(2, |&byte| byte == 0);
                plugin = parts.next().unwrap_or_default().to_vec();
                let rest = parts.next().unwrap_or_default();
                scramble = rest.strip_suffix(&[0]).unwrap_or(rest).to_vec();
                let Some(answer) = scrambled(&plugin, &account.password, &scramble) else {
                    return Ok(Verdict::unknown(Reason::UnexpectedStatus));
                };
                wire.send(&answer)?;
            }
            0x01 if plugin == CACHING => more(account, &mut wire, &packet[1..], &scramble)?,
            _ => return Err(Reason::Protocol),
        }
    }
    Err(Reason::Protocol)
}

impl Greeting {
    fn read(packet: &[u8]) -> Option<Self> {
        let rest = packet.strip_prefix(&[10])?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        let (_thread, rest) = rest.get(end + 1..)?.split_at_checked(4)?;
        let (first, rest) = rest.split_at_checked(8)?;
        let (&[_, low, high, _, _, _, third, fourth, length], rest) = rest.split_first_chunk()?;
        let rest = rest.get(10..)?;
        let (second, rest) =
            rest.split_at_checked(usize::from(length).saturating_sub(8).max(13))?;
        let second = second.strip_suffix(&[0]).unwrap_or(second);
        let end = rest.iter().position(|&byte| byte == 0);
        let plugin = rest.get(..end.unwrap_or(rest.len()))?;
        Some(Self {
            can: u32::from_le_bytes([low, high, third, fourth]),
            scramble: [first, second].concat(),
            plugin: plugin.to_vec(),
        })
    }
}

/// What a request for TLS and a login begin with: flags, the longest packet, the character set.
fn head(flags: u32) -> Vec<u8> {
    let mut head = flags.to_le_bytes().to_vec();
    head.extend((1_u32 << 24).to_le_bytes());
    head.push(UTF8);
    head.resize(32, 0);
    head
}

/// The proof that `plugin` wants at first.
fn scrambled(plugin: &[u8], password: &str, scramble: &[u8]) -> Option<Vec<u8>> {
    let password = password.as_bytes();
    let mixed = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| a ^ b).collect();
    match plugin {
        NATIVE => {
            let once = Sha1::digest(password);
            let twice = Sha1::digest(once);
            let salted = Sha1::digest([scramble, &twice].concat());
            Some(mixed(&once, &salted))
        }
        CACHING => {
            let once = Sha256::digest(password);
            let twice = Sha256::digest(once);
            let salted = Sha256::digest([&twice, scramble].concat());
            Some(mixed(&once, &salted))
        }
        _ => None,
    }
}

/// Goes on with `caching_sha2_password`.
fn more(
    account: &Account<'_>,
    wire: &mut Wire,
    said: &[u8],
    scramble: &[u8],
) -> Result<(), Reason> {
    let password = [account.password.as_bytes(), b"\0"].concat();
    match said {
        [3] => Ok(()), // the server remembered the password; it says the rest itself
        [4] if wire.conn.is_tls() => wire.send(&password),
        [4] => wire.send(&[2]), // wants the password, is asked for its key
        pem => {
            let key = PublicKey::of_pem(pem).ok_or(Reason::Protocol)?;
            let scramble = scramble.iter().cycle();
            let mixed: Vec<u8> = password.iter().zip(scramble).map(|(a, b)| a ^ b).collect();
            let sealed = key.encrypt(&mixed).ok_or(Reason::BadValue)?;
            wire.send(&sealed)
        }
    }
}

/// Asks as whom the server let us in. One that checks nobody says that.
fn accepted(account: &Account<'_>, mut wire: Wire) -> Result<Verdict, Reason> {
    wire.number = 0;
    let asked = wire.send(b"\x03SELECT CURRENT_USER()");
    let who = match asked {
        Ok(()) => first_cell(&mut wire),
        Err(_) => None,
    };
    wire.number = 0;
    let _ = wire.send(b"\x01");
    Ok(match who {
        Some(Cell::Refused(1820)) => Verdict {
            outcome: Outcome::LiveRestricted,
            ..live(account.user.clone())
        },
        Some(Cell::Text(user)) if user.starts_with("skip-grants ") => {
            Verdict::unknown(Reason::NoAuthentication)
        }
        Some(Cell::Text(user)) => live(user),
        Some(Cell::Refused(_)) | None => live(account.user.clone()),
    })
}

fn live(user: String) -> Verdict {
    Verdict::live([(IdentityField::User, user)])
}

/// What a query brought.
enum Cell {
    Text(String),
    /// The number of an error.
    Refused(u16),
}

/// The first cell of a text result of one column: count, column, end, row.
fn first_cell(wire: &mut Wire) -> Option<Cell> {
    match wire.receive().ok()?.as_slice() {
        [1] => {}
        [0xff, low, high, ..] => return Some(Cell::Refused(u16::from_le_bytes([*low, *high]))),
        _ => return None,
    }
    wire.receive().ok()?;
    let end = wire.receive().ok()?;
    let row = wire.receive().ok()?;
    let (&length, rest) = row.split_first()?;
    let fits = end[0] == 0xfe && length < 251;
    let cell = rest.get(..usize::from(length)).filter(|_| fits)?;
    String::from_utf8(cell.to_vec()).ok().map(Cell::Text)
}

/// What an error says, by its number. `Live` for those that come behind the password.
fn refused(packet: &[u8], sent: bool) -> Outcome {
    let number = match packet {
        [0xff, low, high, ..] => u16::from_le_bytes([*low, *high]),
        _ => return Outcome::Unknown(Reason::Protocol),
    };
    match number {
        1045 if sent => Outcome::Dead,
        1044 | 1049 if sent => Outcome::Live,
        3118 | 4151 | 1862 if sent => Outcome::RevokedOrExpired,
        3159 => Outcome::Unknown(Reason::Tls), // only encrypted connections
        1040 | 1053 | 1203 | 1226 => Outcome::Unknown(Reason::ProviderError),
        _ => Outcome::Unknown(Reason::UnexpectedStatus),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_by_number_and_time() {
        let error = |number: u16| [&[0xff], &number.to_le_bytes()[..], b"#28000x"].concat();
        for (number, sent, expected) in [
            (1045, true, Outcome::Dead),
            (1045, false, Outcome::Unknown(Reason::UnexpectedStatus)),
            (1049, true, Outcome::Live),
            (1044, true, Outcome::Live),
            (1049, false, Outcome::Unknown(Reason::UnexpectedStatus)),
            (3118, true, Outcome::RevokedOrExpired),
            (4151, true, Outcome::RevokedOrExpired),
            (1698, true, Outcome::Unknown(Reason::UnexpectedStatus)),
            (1130, false, Outcome::Unknown(Reason::UnexpectedStatus)),
            (1040, false, Outcome::Unknown(Reason::ProviderError)),
            (3159, true, Outcome::Unknown(Reason::Tls)),
        ] {
            assert_eq!(refused(&error(number), sent), expected, "{number}");
        }
        assert_eq!(refused(&[0xff], true), Outcome::Unknown(Reason::Protocol));
    }

    #[test]
    fn a_greeting_is_read_whole_or_not_at_all() {
        let mut packet = b"\x0a8.0.0\0\x01\0\0\0abcdefgh\0".to_vec();
        packet.extend([0xff, 0xff, 33, 2, 0, 0xff, 0xc1, 21]);
        packet.extend([0; 10]);
        packet.extend(b"ijklmnopqrst\0caching_sha2_password\0");
        let read = Greeting::read(&packet).expect("a greeting");
        assert_eq!(read.scramble, b"abcdefghijklmnopqrst");
        assert_eq!(read.plugin, CACHING);
        assert_eq!(read.can, 0xc1ff_ffff);
        for end in 0..packet.len() - 22 {
            assert!(Greeting::read(&packet[..end]).is_none(), "{end}");
        }
    }
}
