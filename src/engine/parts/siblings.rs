//! What stands beside the secret of a general kind under a key of the same family: `DB_USER` and
//! `DB_HOST` of `DB_PASSWORD`, `username:` of `password:`.
//!
//! Keys are compared without their signs, so that `dbUser`, `DB_USER` and `db.user` are one.

use crate::detector::{Detector, ValueKind};
use crate::engine::assignment::{self, MAX_KEY};
use crate::model::Span;

/// What a sibling is. In the order of reports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    User,
    Host,
    Port,
    Database,
    Scheme,
    ClientId,
    /// An address, which tells several of them.
    Address,
}

impl Kind {
    /// The name of the part.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Host | Self::Address => "host",
            Self::Port => "port",
            Self::Database => "database",
            Self::Scheme => "scheme",
            Self::ClientId => "client_id",
        }
    }
}

/// Whether `detector` is of a kind whose parts are found by the names beside it.
pub(super) fn has_some(detector: &Detector) -> bool {
    detector.value == ValueKind::Password
        || detector.general && detector.category == "generic"
        || detector.proof.as_deref() == Some("base64-user-password")
}

/// The family of a secret's key.
#[derive(Debug)]
pub(super) struct Family {
    /// The key before the word that names the credential, without signs: `db` of `DB_PASSWORD`.
    before: String,
    /// Behind it.
    after: String,
    /// Where words of `before` end, but for the last.
    cuts: Vec<usize>,
    /// Whether the secret is a password, beside which stands no id of an application.
    is_password: bool,
}

/// A key of a family, and how it belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kin {
    /// It says whose it is.
    Named(Kind),
    /// Only its place says it: `user` of `password`.
    Bare(Kind),
}

impl Family {
    /// Of the secret's `key`.
    pub(super) fn of(key: &[u8]) -> Self {
        let named = assignment::named(key);
        let mut before = String::new();
        let mut cuts = Vec::new();
        for word in &named.before {
            cuts.push(before.len());
            before.push_str(word);
        }
        cuts.retain(|&cut| cut > 0);
        Self {
            before,
            after: named.after,
            cuts,
            is_password: named.is_password,
        }
    }

    /// What `key` is to the secret.
    pub(super) fn kin(&self, key: &[u8]) -> Option<Kin> {
        let kin = self.any_kin(key)?;
        let of_client = matches!(kin, Kin::Named(Kind::ClientId) | Kin::Bare(Kind::ClientId));
        (!(of_client && self.is_password)).then_some(kin)
    }

    fn any_kin(&self, key: &[u8]) -> Option<Kin> {
        let mut signless = [0; MAX_KEY];
        let mut length = 0;
        for byte in key.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
            *signless.get_mut(length)? = byte.to_ascii_lowercase();
            length += 1;
        }
        let key = &signless[..length];
        let before = self.before.as_bytes();
        let whole = key.strip_prefix(before);
        let whole = whole.and_then(|rest| rest.strip_suffix(self.after.as_bytes()));
        if let Some(kind) = whole.and_then(|name| kind(name, before)) {
            return Some(match self.before.is_empty() {
                true => Kin::Bare(kind),
                false => Kin::Named(kind),
            });
        }
        // `MYSQL_HOST` of `MYSQL_ROOT_PASSWORD`; whose `MYSQL_USER` is another.
        let shorter = self.cuts.iter().rev().find_map(|&cut| {
            let before = before.get(..cut)?;
            kind(key.strip_prefix(before)?, before)
        });
        shorter.filter(|kind| *kind != Kind::User).map(Kin::Named)
    }
}

/// What a key is called that begins with `before` and goes on with `name`.
fn kind(name: &[u8], before: &[u8]) -> Option<Kind> {
    let is_of = |words: &[&[u8]]| words.iter().any(|word| before.ends_with(word));
    match name {
        b"name" if is_of(DATABASES) => Some(Kind::Database),
        b"id" | b"key" if is_of(CLIENTS) => Some(Kind::ClientId),
        [first, ..] if name.len() < 16 && LENGTHS[usize::from(*first)] >> name.len() & 1 == 1 => {
            let found = NAMES.binary_search_by_key(&name, |known| known.0);
            found.ok().map(|at| NAMES[at].1)
        }
        _ => None,
    }
}

/// For each first letter a bit for each length of a name: most words have none.
const LENGTHS: [u16; 256] = {
    let mut lengths = [0; 256];
    let mut at = 0;
    while at < NAMES.len() {
        let name = NAMES[at].0;
        assert!(name.len() < 16, "there is a bit for each length");
        lengths[name[0] as usize] |= 1 << name.len();
        at += 1;
    }
    lengths
};

/// What keys are called, sorted.
const NAMES: &[(&[u8], Kind)] = &[
    (b"account", Kind::User),
    (b"address", Kind::Host),
    (b"appid", Kind::ClientId),
    (b"baseurl", Kind::Address),
    (b"binddn", Kind::User),
    (b"clientid", Kind::ClientId),
    (b"database", Kind::Database),
    (b"databasename", Kind::Database),
    (b"datasource", Kind::Host),
    (b"db", Kind::Database),
    (b"dbname", Kind::Database),
    (b"dialect", Kind::Scheme),
    (b"domain", Kind::Host),
    (b"dsn", Kind::Address),
    (b"email", Kind::User),
    (b"endpoint", Kind::Address),
    (b"host", Kind::Host),
    (b"hostname", Kind::Host),
    (b"initialcatalog", Kind::Database),
    (b"jdbcurl", Kind::Address),
    (b"login", Kind::User),
    (b"port", Kind::Port),
    (b"principal", Kind::User),
    (b"protocol", Kind::Scheme),
    (b"schema", Kind::Database),
    (b"scheme", Kind::Scheme),
    (b"server", Kind::Host),
    (b"servername", Kind::Host),
    (b"uid", Kind::User),
    (b"uri", Kind::Address),
    (b"url", Kind::Address),
    (b"user", Kind::User),
    (b"useremail", Kind::User),
    (b"userid", Kind::User),
    (b"userlogin", Kind::User),
    (b"username", Kind::User),
    (b"usr", Kind::User),
];

const DATABASES: &[&[u8]] = &[
    b"db",
    b"database",
    b"sql",
    b"postgres",
    b"pg",
    b"mongo",
    b"mariadb",
];
const CLIENTS: &[&[u8]] = &[b"client", b"consumer", b"app", b"application"];

/// The fields of a connection string around `secret`: `Server=db;User Id=app;Password=…`. Their
/// kinds and where their values stand.
pub(super) fn fields(text: &[u8], secret: Span) -> Vec<(Kind, Span)> {
    const REACH: usize = 512;
    let is_edge = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\n' | b'\r' | b'<' | b'>' | b'`');
    let floor = secret.start.saturating_sub(REACH);
    let before = &text[floor..secret.start];
    let start = floor + before.iter().rposition(is_edge).map_or(0, |at| at + 1);
    let behind = &text[secret.end..text.len().min(secret.end + REACH)];
    let end = secret.end + behind.iter().position(is_edge).unwrap_or(behind.len());
    let mut fields = Vec::new();
    let mut at = start;
    for field in text[start..end].split(|&byte| byte == b';') {
        let from = at;
        at += field.len() + 1;
        let Some(sign) = field.iter().position(|&byte| byte == b'=') else {
            continue;
        };
        // A first field may follow `url=` or the like on its line.
        let name = field[..sign].rsplit(|byte| b"=:?&,(".contains(byte)).next();
        let name = name.unwrap_or_default().to_ascii_lowercase();
        let letters = name.into_iter().filter(u8::is_ascii_alphanumeric);
        let name: Vec<u8> = letters.collect();
        // `…?user=app&amp;password=…` is an address in XML.
        let value = &field[sign + 1..];
        let length = value.iter().position(|&byte| byte == b'&');
        let start = from + sign + 1;
        let value = Span::new(start, start + length.unwrap_or(value.len()));
        fields.extend(kind(&name, b"").map(|kind| (kind, value)));
    }
    match fields.len() {
        // One `=` alone is no connection string.
        0 => Vec::new(),
        _ if !text[start..end].contains(&b';') => Vec::new(),
        _ => fields,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_the_family_of_the_secret() {
        let named = |kind| Some(Kin::Named(kind));
        for (key, kin) in [
            ("DB_USER", named(Kind::User)),
            ("dbHost", named(Kind::Host)),
            ("DB_NAME", named(Kind::Database)),
            ("REDIS_HOST", None),
            ("user", None),
        ] {
            assert_eq!(Family::of(b"DB_PASSWORD").kin(key.as_bytes()), kin, "{key}");
        }
        for (secret, [near, far]) in [
            (&b"DB_PASSWORD_2"[..], ["DB_USER_2", "DB_USER_1"]),
            (b"PGPASSWORD", ["PGUSER", "DB_USER"]),
            (b"EMAIL_HOST_PASSWORD", ["EMAIL_HOST_USER", "EMAIL_USER"]),
            (b"MYSQL_ROOT_PASSWORD", ["MYSQL_ROOT_USER", "MYSQL_USER"]),
        ] {
            let family = Family::of(secret);
            assert_eq!(family.kin(near.as_bytes()), named(Kind::User), "{near}");
            assert_eq!(family.kin(far.as_bytes()), None, "{far}");
        }
        for (secret, key, kin) in [
            (
                &b"spring.datasource.password"[..],
                "spring.datasource.url",
                Kind::Address,
            ),
            (b"MYSQL_ROOT_PASSWORD", "MYSQL_HOST", Kind::Host),
            (b"EMAIL_HOST_PASSWORD", "EMAIL_PORT", Kind::Port),
            (b"PGPASSWORD", "PGDATABASE", Kind::Database),
            (b"client_secret", "client_id", Kind::ClientId),
            (b"ACME_API_KEY", "ACME_URL", Kind::Address),
        ] {
            assert_eq!(Family::of(secret).kin(key.as_bytes()), named(kin), "{key}");
        }
        let bare = Family::of(b"password");
        assert_eq!(bare.kin(b"username"), Some(Kin::Bare(Kind::User)));
        assert_eq!(bare.kin(b"name"), None);
        assert_eq!(bare.kin(b"client_id"), None, "of a password");
    }

    #[test]
    fn names_are_sorted() {
        assert!(NAMES.is_sorted_by_key(|name| name.0));
    }

    #[test]
    fn a_connection_string_has_fields() {
        let text = "cs = \"Server=tcp:db.acme,1433;User Id=app;Password=PW;Database=shop\"";
        let at = text.find("PW").expect("there");
        let fields = fields(text.as_bytes(), Span::new(at, at + 2));
        let texts: Vec<_> = fields
            .iter()
            .map(|(kind, s)| (*kind, &text.as_bytes()[s.range()]))
            .collect();
        assert_eq!(
            texts,
            [
                (Kind::Host, &b"tcp:db.acme,1433"[..]),
                (Kind::User, b"app"),
                (Kind::Database, b"shop"),
            ]
        );
    }
}
