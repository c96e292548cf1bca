//! What all logins with a password have in common: whom it is for, where, and that it is tried once.
//!
//! A protocol is a value of [`Login`]. Its exchange sees an [`Account`] and an open connection, and
//! may send the password only over one that is trusted. Invariants: the host is one that the user
//! named; what stands in the text never lowers the encryption; a second connection is opened only
//! where the first sent no credential.

use super::super::net::{Conn, numeric};
use super::super::{Asker, Settings, Subject, Target, Verdict, Verifier};
use super::{Protocol, by_scheme};
use crate::detector::{Glance, VerifierClass, is_host};
use crate::model::{Outcome, Reason};

/// A protocol in which a user gives a password to a server.
pub(super) struct Login {
    /// Id and version: `postgres-login@1`.
    pub(super) name: &'static str,
    /// The protocol's name in plans and records, and that of its endpoint.
    pub(super) method: &'static str,
    /// Schemes of its addresses.
    pub(super) schemes: &'static [&'static str],
    /// Those of them that begin encrypted.
    pub(super) tls_schemes: &'static [&'static str],
    /// Kinds of secret whose passwords are its, whatever the scheme.
    pub(super) detectors: &'static [&'static str],
    /// The port where the text names none.
    pub(super) port: u16,
    /// The port that begins encrypted.
    pub(super) tls_port: Option<u16>,
    /// Who is meant where the text names no user; without one a user is needed.
    pub(super) default_user: Option<&'static str>,
    /// The exchange. A reason means that no credential was sent before, or that the other side
    /// broke off.
    pub(super) ask: fn(&Account<'_>, Conn) -> Result<Verdict, Reason>,
}

/// Whose password is tried, and where.
pub(super) struct Account<'a> {
    pub(super) host: String,
    pub(super) port: u16,
    /// Empty where the text names none and the protocol knows a default.
    pub(super) user: String,
    pub(super) password: String,
    pub(super) database: Option<String>,
    /// Whether the connection begins encrypted.
    pub(super) tls: bool,
    /// Whether encryption that is offered is taken. It is not on a second connection to an opened
    /// network, after its certificate was found wanting: what is refused there may be refused for
    /// want of it.
    pub(super) upgrades: bool,
    /// A number used once.
    pub(super) nonce: String,
    subject: &'a Subject<'a>,
    own: bool,
}

impl Account<'_> {
    /// A further part of the finding.
    pub(super) fn part(&self, name: &str) -> Option<String> {
        let decodes = is_in_address(self.subject);
        text_of(self.subject.part(name)?, decodes).ok()
    }
}

/// Nobody hands a password to a connection that is not trusted.
pub(super) fn trusted(conn: &Conn) -> Result<(), Reason> {
    match conn.is_trusted() {
        true => Ok(()),
        false => Err(Reason::Tls),
    }
}

impl Login {
    /// What the text and the user's settings say of whom to ask.
    pub(super) fn account<'a>(
        &self,
        subject: &'a Subject<'a>,
        settings: &Settings,
        nonce: &str,
    ) -> Result<Account<'a>, Reason> {
        let endpoint = settings.endpoint(self.method).map(Place::of).transpose()?;
        let scheme = subject.part("scheme").map(str::to_ascii_lowercase);
        let decodes = is_in_address(subject);
        let own = endpoint.is_some();
        let place = match endpoint {
            Some(place) => place,
            None => Place {
                scheme: scheme.clone(),
                host: host(subject.need("host")?)?,
                port: match subject.part("port") {
                    Some(port) => Some(port.parse().map_err(|_| Reason::BadValue)?),
                    None => None,
                },
            },
        };
        if !own && subject.part("scheme").is_some_and(is_looked_up) {
            return Err(Reason::NoEndpoint);
        }
        if !own && !settings.names(&place.host) {
            return Err(Reason::HostNotAllowed);
        }
        let is_encrypted = |scheme: &String| self.tls_schemes.contains(&plain(scheme));
        let tls_scheme = place.scheme.as_ref().is_some_and(is_encrypted);
        let port = match (place.port, tls_scheme, self.tls_port) {
            (Some(port), _, _) => port,
            (None, true, Some(port)) => port,
            (None, ..) => self.port,
        };
        let user = match (subject.part("user"), self.default_user) {
            (Some(user), _) => text_of(user, decodes)?,
            (None, Some(_)) => String::new(),
            (None, None) => return Err(Reason::NeedsCompanion),
        };
        if user.is_empty() && self.default_user.is_none() {
            return Err(Reason::NeedsCompanion);
        }
        let password = text_of(subject.secret_text()?, decodes)?;
        if password.is_empty() {
            return Err(Reason::BadValue); // several protocols take it for a guest's login
        }
        let database = subject.part("database").map(|it| text_of(it, decodes));
        Ok(Account {
            host: place.host,
            port,
            user,
            password,
            database: database.transpose()?.filter(|name| !name.is_empty()),
            tls: tls_scheme || self.tls_port == Some(port),
            upgrades: true,
            nonce: nonce.to_owned(),
            subject,
            own,
        })
    }

    fn asked(&self, mut account: Account<'_>, asker: &Asker<'_>) -> Result<Verdict, Reason> {
        let connect = |account: &Account<'_>| {
            let conn = asker.connect(self.method, &account.host, account.port)?;
            let opened = conn.is_trusted();
            let conn = match account.tls {
                true => conn.start_tls()?,
                false => conn,
            };
            Ok((conn, opened))
        };
        let (conn, opened) = connect(&account)?;
        match (self.ask)(&account, conn) {
            // Its certificate is none that we know, and plain text is tolerated there.
            Err(Reason::Tls) if opened && !account.tls => {
                account.upgrades = false;
                let (conn, _) = connect(&account)?;
                (self.ask)(&account, conn)
            }
            said => said,
        }
    }
}

impl Verifier for Login {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::Login
    }

    fn endpoint(&self) -> Option<&str> {
        Some(self.method)
    }

    fn needs(&self) -> Vec<&str> {
        match self.default_user {
            Some(_) => Vec::new(),
            None => vec!["user"],
        }
    }

    fn takes(&self) -> Vec<&str> {
        vec![
            "user",
            "host",
            "port",
            "database",
            "scheme",
            "auth_source",
            "tls",
        ]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        let account = self
            .account(subject, settings, "")
            .map_err(Outcome::Skipped)?;
        let user = match account.user.as_str() {
            "" => self.default_user.unwrap_or_default().to_owned(),
            user => user.to_owned(),
        };
        Ok(vec![Target {
            method: self.method.to_owned(),
            url: format!("{}://{}:{}", self.method, account.host, account.port),
            from_text: !account.own,
            host: account.host,
            port: account.port,
            user: Some(user),
        }])
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        match self.account(subject, settings, &asker.nonce) {
            Ok(account) => self.asked(account, asker).unwrap_or_else(Verdict::unknown),
            Err(reason) => Verdict::of(Outcome::Skipped(reason)),
        }
    }
}

impl Protocol for Login {
    fn serves(&self) -> &'static [&'static str] {
        self.detectors
    }

    fn schemes(&self) -> &'static [&'static str] {
        self.schemes
    }
}

/// A scheme without the driver that follows it: `mysql` of `mysql+pymysql`.
pub(super) fn plain(scheme: &str) -> &str {
    scheme.split('+').next().unwrap_or(scheme)
}

/// Whether the host of such an address is no host but a name under which hosts are listed.
fn is_looked_up(scheme: &str) -> bool {
    scheme.to_ascii_lowercase().ends_with("+srv")
}

/// Whether the password stands in an address, whose parts are percent-encoded (RFC 3986 section 2.1).
fn is_in_address(subject: &Subject<'_>) -> bool {
    subject.detector.glance == Glance::Userinfo || subject.detector.id == "jdbc-connection-string"
}

/// A user, a password: no byte of it ends a line or a text on its way to the server.
fn text_of(text: &str, decodes: bool) -> Result<String, Reason> {
    let text = match decodes {
        true => decoded(text).ok_or(Reason::BadValue)?,
        false => text.to_owned(),
    };
    match text.chars().any(char::is_control) {
        true => Err(Reason::BadValue),
        false => Ok(text),
    }
}

/// `text` with its escapes undone; as it is when a sign stands there that begins none.
fn decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = (byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .map(|digits| digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()));
        match escape {
            Some(Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            Some(None) => return Some(text.to_owned()),
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

/// A host that may be asked for, in lower case.
pub(super) fn host(text: &str) -> Result<String, Reason> {
    let host = text.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    match is_host(host) || numeric(host).is_some() {
        true => Ok(host.to_owned()),
        false => Err(Reason::BadValue),
    }
}

/// Where the user says that a server is: `postgres://db.example:5432`, `db.example`.
pub(super) struct Place {
    scheme: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Place {
    /// Whether its scheme is that of a protocol here.
    pub(super) fn is_of_protocol(&self) -> bool {
        let known = |scheme: &String| scheme == "ssh" || by_scheme(scheme).is_some();
        self.scheme.as_ref().is_some_and(known)
    }

    pub(super) fn of(url: &str) -> Result<Self, Reason> {
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, url),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(Reason::BadValue);
        }
        let (name, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (name, rest) = rest.split_once(']').ok_or(Reason::BadValue)?;
                (name, rest.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (authority, None),
            },
        };
        Ok(Self {
            scheme,
            host: host(name)?,
            port: port
                .map(|port| port.parse().map_err(|_| Reason::BadValue))
                .transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::iter;
    use std::net::{TcpListener, TcpStream};
    use std::thread::{self, JoinHandle};

    use super::super::{amqp, ftp, imap, ldap, mongodb, mysql, postgres, redis, smtp};
    use super::*;
    use crate::detector::DetectorSet;
    use crate::model::Secret;

    #[test]
    fn escapes_are_undone_where_all_are_escapes() {
        for (text, expected) in [
            ("p%40ss", "p@ss"),
            ("plain", "plain"),
            ("50%off", "50%off"),
            ("100%", "100%"),
            ("%C3%A4", "ä"),
            ("ä%", "ä%"),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(decoded("%FF"), None);
        assert_eq!(text_of("a%0D%0AQUIT", true), Err(Reason::BadValue));
        assert_eq!(text_of("a%0D", false).as_deref(), Ok("a%0D"));
    }

    #[test]
    fn an_endpoint_is_a_host_with_or_without_scheme_and_port() {
        for (url, host, port, scheme) in [
            (
                "rediss://Cache.example:6380/0",
                "cache.example",
                Some(6380),
                Some("rediss"),
            ),
            ("db.example", "db.example", None, None),
            ("[::1]:5432", "::1", Some(5432), None),
            (
                "ldap://127.0.0.1:3899",
                "127.0.0.1",
                Some(3899),
                Some("ldap"),
            ),
        ] {
            let place = Place::of(url).unwrap_or_else(|_| panic!("{url}"));
            assert_eq!((place.host.as_str(), place.port), (host, port));
            assert_eq!(place.scheme.as_deref(), scheme);
        }
        for url in ["", "a@b", "a b", "db:x", "db:70000"] {
            assert!(Place::of(url).is_err(), "{url}");
        }
    }

    /// A server that says `greeting`, then an answer for each thing that it is sent. Returns what
    /// it was sent.
    fn serve(greeting: &[u8], answers: &[&[u8]]) -> (TcpStream, JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let greeting = greeting.to_vec();
        let answers: Vec<Vec<u8>> = answers.iter().map(|answer| answer.to_vec()).collect();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            stream.write_all(&greeting).expect("sent");
            let mut heard = Vec::new();
            let mut buffer = [0; 4096];
            for answer in answers.iter().map(Some).chain(iter::repeat(None)) {
                match stream.read(&mut buffer) {
                    Ok(count @ 1..) => heard.extend(&buffer[..count]),
                    _ => break,
                }
                let said = answer.map_or(Ok(()), |answer| stream.write_all(answer));
                if said.is_err() || answer.is_none() {
                    break;
                }
            }
            heard
        });
        (TcpStream::connect(address).expect("a server"), server)
    }

    /// A protocol, what its server says first, and what it says then.
    type Dialogue<'a> = (&'a Login, &'a [u8], &'a [&'a [u8]]);

    #[test]
    fn no_password_goes_over_a_connection_that_is_not_trusted() {
        let greeting = {
            let mut packet =
                b"\x0a5.5.5\0\x01\0\0\0abcdefgh\0\x01\xa2\x21\x02\0\x08\0\x15".to_vec();
            packet.extend([0; 10]);
            packet.extend(b"ijklmnopqrst\0mysql_native_password\0");
            [&[packet.len() as u8, 0, 0, 0], &packet[..]].concat()
        };
        let cases: [Dialogue<'_>; 9] = [
            (&postgres::LOGIN, b"", &[b"N"]),
            (&mysql::LOGIN, &greeting, &[]),
            (&redis::LOGIN, b"", &[]),
            (&mongodb::LOGIN, b"", &[b"no TLS here"]),
            (&amqp::LOGIN, b"", &[]),
            (
                &ldap::LOGIN,
                b"",
                &[b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\0\x04\0"],
            ),
            (
                &smtp::LOGIN,
                b"220 x\r\n",
                &[b"250-x\r\n250 AUTH PLAIN LOGIN\r\n"],
            ),
            (
                &imap::LOGIN,
                b"* OK x\r\n",
                &[b"* CAPABILITY IMAP4rev1\r\na1 OK x\r\n"],
            ),
            (&ftp::LOGIN, b"220 x\r\n", &[b"502 no TLS\r\n"]),
        ];
        let set = DetectorSet::builtin();
        let (_, detector) = set.find("generic-password").expect("built in");
        let words = ["pass", "word", "of-nobody"];
        let secret = Secret::new(words.concat().as_bytes());
        let parts = [("user", "app"), ("host", "127.0.0.1")];
        let parts: Vec<_> = parts
            .map(|(name, value)| (name, Secret::new(value.as_bytes())))
            .into();
        let subject = Subject {
            finding: "",
            detector,
            secret: &secret,
            parts: parts.iter().map(|(name, value)| (*name, value)).collect(),
        };
        let settings = Settings {
            hosts: vec!["127.0.0.1".into()],
            ..Settings::default()
        };
        for (login, greeting, answers) in cases {
            let (stream, server) = serve(greeting, answers);
            let account = login.account(&subject, &settings, "nonce");
            let account = account.expect("whom and where");
            let said = (login.ask)(&account, Conn::for_test(stream, false));
            assert_eq!(said, Err(Reason::Tls), "{}", login.name);
            let heard = server.join().expect("a server");
            for form in [secret.expose().to_vec(), b"app".to_vec()] {
                let told = memchr::memmem::find(&heard, &form);
                assert!(told.is_none(), "{}", login.name);
            }
        }
    }
}
