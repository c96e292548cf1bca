//! SMTP submission: `AUTH PLAIN` or `AUTH LOGIN` (RFC 4954), encrypted from the start or by
//! `STARTTLS` (RFC 3207).
//!
//! Live: 235. Dead: 535, unless its enhanced code (RFC 3463) says that it is about something else.

use data_encoding::BASE64;

use super::super::Verdict;
use super::super::net::Conn;
use super::login::{Account, Login, trusted};
use super::replies::Reply;
use crate::detector::IdentityField;
use crate::model::{Outcome, Reason};

pub(super) const LOGIN: Login = Login {
    name: "smtp-login@1",
    method: "smtp",
    schemes: &["smtp", "smtps", "submission", "submissions"],
    tls_schemes: &["smtps", "submissions"],
    detectors: &[],
    port: 587,
    tls_port: Some(465),
    default_user: None,
    ask,
};

fn ask(account: &Account<'_>, mut conn: Conn) -> Result<Verdict, Reason> {
    if Reply::read(&mut conn)?.code != 220 {
        return Ok(Verdict::unknown(Reason::ProviderError));
    }
    let mut offers = hello(&mut conn)?;
    if account.upgrades && !conn.is_tls() && offers.has("STARTTLS") {
        let said = Reply::to(&mut conn, "STARTTLS")?;
        if said.code == 220 {
            conn = conn.start_tls()?;
            offers = hello(&mut conn)?;
        }
    }
    trusted(&conn)?;
    let reply = if offers.has_auth("PLAIN") {
        let both = format!("\0{}\0{}", account.user, account.password);
        let both = BASE64.encode(both.as_bytes());
        Reply::to(&mut conn, &format!("AUTH PLAIN {both}"))?
    } else if offers.has_auth("LOGIN") {
        let mut reply = Reply::to(&mut conn, "AUTH LOGIN")?;
        for answer in [&account.user, &account.password] {
            if reply.code == 334 {
                reply = Reply::to(&mut conn, &BASE64.encode(answer.as_bytes()))?;
            }
        }
        reply
    } else {
        return Ok(Verdict::unknown(match offers.has("AUTH") {
            true => Reason::UnexpectedStatus,
            false if offers.has("STARTTLS") && !conn.is_tls() => Reason::Tls,
            false => Reason::NoAuthentication,
        }));
    };
    let outcome = outcome(&reply);
    let _ = conn.send(b"QUIT\r\n");
    Ok(match outcome {
        Outcome::Live => Verdict::live([(IdentityField::User, account.user.clone())]),
        outcome => Verdict::of(outcome),
    })
}

/// What the server can do.
struct Offers(Vec<String>);

impl Offers {
    fn words(&self, keyword: &str) -> Option<impl Iterator<Item = &str>> {
        // `AUTH=LOGIN` is an older spelling.
        let words = |line: &'_ String| line.replace('=', " ").to_ascii_uppercase();
        let line = self.0.iter().find(|line| {
            words(line)
                .split(' ')
                .next()
                .is_some_and(|word| word == keyword)
        })?;
        Some(line.split([' ', '=']).skip(1))
    }

    fn has(&self, keyword: &str) -> bool {
        self.words(keyword).is_some()
    }

    fn has_auth(&self, method: &str) -> bool {
        let words = self.words("AUTH");
        words.is_some_and(|mut words| words.any(|word| word.eq_ignore_ascii_case(method)))
    }
}

fn hello(conn: &mut Conn) -> Result<Offers, Reason> {
    // A name that nobody can have (RFC 6761); servers do not refuse clients for it.
    let reply = Reply::to(conn, "EHLO straykey.invalid")?;
    match reply.code {
        250 => Ok(Offers(reply.lines.into_iter().skip(1).collect())),
        _ => Err(Reason::UnexpectedStatus),
    }
}

fn outcome(reply: &Reply) -> Outcome {
    let text = reply.lines.first().map_or("", String::as_str);
    let enhanced = text.split(' ').next().filter(|word| is_enhanced(word));
    let unknown = Outcome::Unknown;
    match (reply.code, enhanced) {
        (235, _) => Outcome::Live,
        // 5.7.8 is what RFC 4954 says; the others are what Exchange and Mailgun say.
        (535, None | Some("5.7.8" | "5.7.3" | "5.7.0")) => Outcome::Dead,
        (_, Some("5.7.13")) => Outcome::RevokedOrExpired, // disabled: RFC 5248's registry
        (538, _) | (_, Some("5.7.11")) => unknown(Reason::Tls),
        (400..500, _) => unknown(Reason::ProviderError),
        _ => unknown(Reason::UnexpectedStatus),
    }
}

fn is_enhanced(word: &str) -> bool {
    word.split('.').count() == 3
        && word
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read_with_their_enhanced_codes() {
        for (code, text, expected) in [
            (235, "2.7.0 Authentication successful", Outcome::Live),
            (535, "5.7.8 Error: authentication failed", Outcome::Dead),
            (535, "Incorrect authentication data", Outcome::Dead),
            (535, "5.7.3 Authentication unsuccessful", Outcome::Dead),
            (
                535,
                "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled",
                Outcome::Unknown(Reason::UnexpectedStatus),
            ),
            (
                534,
                "5.7.9 Application-specific password required",
                Outcome::Unknown(Reason::UnexpectedStatus),
            ),
            (
                525,
                "5.7.13 User account disabled",
                Outcome::RevokedOrExpired,
            ),
            (
                538,
                "5.7.11 Encryption required",
                Outcome::Unknown(Reason::Tls),
            ),
            (
                454,
                "4.7.0 Temporary failure",
                Outcome::Unknown(Reason::ProviderError),
            ),
        ] {
            let reply = Reply {
                code,
                lines: vec![text.to_owned()],
            };
            assert_eq!(outcome(&reply), expected, "{code} {text}");
        }
    }

    #[test]
    fn offers_are_read_in_both_spellings() {
        let offers = Offers(vec![
            "SIZE 1".into(),
            "AUTH=LOGIN plain".into(),
            "STARTTLS".into(),
        ]);
        assert!(offers.has_auth("PLAIN") && offers.has_auth("LOGIN") && offers.has("STARTTLS"));
        assert!(!offers.has_auth("CRAM-MD5") && !offers.has("HELP"));
        assert!(!Offers(vec!["AUTHX PLAIN".into()]).has_auth("PLAIN"));
    }
}
