//! Passwords beside a user, a host and a port, of which nothing but the port says what listens there:
//! `DB_HOST`, `DB_PORT` and `DB_USER` of `DB_PASSWORD`, the fields of a connection string.

use super::super::{Asker, Settings, Subject, Target, Verdict, Verifier};
use super::login::Login;
use super::{Protocol, amqp, ftp, imap, ldap, mongodb, mysql, postgres, redis, smtp};
use crate::detector::VerifierClass;
use crate::model::{Outcome, Reason};

/// Asks in the protocol of the port.
pub(super) struct ByPort;

/// The ports that IANA assigns to the protocols, and those that their vendors name.
const PORTS: &[(u16, &Login)] = &[
    (21, &ftp::LOGIN),
    (143, &imap::LOGIN),
    (389, &ldap::LOGIN),
    (465, &smtp::LOGIN),
    (587, &smtp::LOGIN),
    (636, &ldap::LOGIN),
    (990, &ftp::LOGIN),
    (993, &imap::LOGIN),
    (3306, &mysql::LOGIN),
    (5432, &postgres::LOGIN),
    (5671, &amqp::LOGIN),
    (5672, &amqp::LOGIN),
    (6379, &redis::LOGIN),
    (27017, &mongodb::LOGIN),
];

fn of(subject: &Subject<'_>) -> Result<&'static Login, Reason> {
    let port: u16 = subject
        .need("port")?
        .parse()
        .map_err(|_| Reason::BadValue)?;
    let found = PORTS.iter().find(|(known, _)| *known == port);
    found.map(|(_, login)| *login).ok_or(Reason::NoVerifier)
}

impl Verifier for ByPort {
    fn name(&self) -> String {
        "login-by-port@1".to_owned()
    }

    fn class(&self) -> VerifierClass {
        VerifierClass::Login
    }

    fn needs(&self) -> Vec<&str> {
        vec!["host", "port"]
    }

    fn takes(&self) -> Vec<&str> {
        vec!["user", "database"]
    }

    fn targets(&self, subject: &Subject<'_>, settings: &Settings) -> Result<Vec<Target>, Outcome> {
        let login = of(subject).map_err(Outcome::Skipped)?;
        login.targets(subject, settings)
    }

    fn check(&self, subject: &Subject<'_>, settings: &Settings, asker: &Asker<'_>) -> Verdict {
        match of(subject) {
            Ok(login) => login.check(subject, settings, asker),
            Err(reason) => Verdict::of(Outcome::Skipped(reason)),
        }
    }
}

impl Protocol for ByPort {
    fn yields(&self) -> bool {
        true
    }

    fn serves(&self) -> &'static [&'static str] {
        &[
            "generic-password",
            "odbc-connection-string",
            "argument-list-password",
        ]
    }
}
