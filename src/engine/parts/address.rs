//! What an address or a connection string tells of the secret in it.

use crate::model::Span;

/// Longest address that is read, in bytes on either side of the secret.
const REACH: usize = 512;
/// Most hosts of one address.
const MAX_HOSTS: usize = 4;

/// `scheme://user:password@host:port/database`, without the password.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) scheme: Option<Span>,
    pub(super) user: Option<Span>,
    pub(super) hosts: Vec<Span>,
    pub(super) ports: Vec<Span>,
    pub(super) database: Option<Span>,
}

/// Schemes whose path is no name of a database.
const WITH_PATHS: &[&[u8]] = &[
    b"file", b"ftp", b"ftpes", b"ftps", b"git", b"http", b"https", b"imap", b"imaps", b"ldap",
    b"ldaps", b"oci", b"pop3", b"rsync", b"s3", b"scp", b"sftp", b"smb", b"smtp", b"smtps",
    b"socks5", b"ssh", b"svn", b"tcp", b"ws", b"wss",
];

/// Reads the address whose scheme ends before the `://` at `mark`; `secret`, when there is one, is
/// not looked into.
pub(super) fn read(text: &[u8], mark: usize, secret: Option<Span>) -> Address {
    let is_scheme = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+.-".contains(byte);
    let floor = mark.saturating_sub(32);
    let length = text[floor..mark].iter().rev().take_while(is_scheme).count();
    let scheme = Span::new(mark - length, mark);
    let start = mark + 3;
    let inside = secret.filter(|secret| secret.start >= start);
    let end = end_of_authority(text, start, inside);
    let at = text[start..end].iter().rposition(|&byte| byte == b'@');
    let mut address = Address {
        scheme: (!scheme.is_empty()).then_some(scheme),
        user: at.and_then(|at| user(text, Span::new(start, start + at))),
        ..Address::default()
    };
    address.hosts(text, Span::new(at.map_or(start, |at| start + at + 1), end));
    if !WITH_PATHS.contains(&text[scheme.range()].to_ascii_lowercase().as_slice()) {
        address.database = database(text, end);
    }
    address
}

/// Reads the address around `secret`: `scheme://…secret…`, or what has no scheme:
/// `user:secret@host`, `user:secret@tcp(host:3306)/shop`, `user:secret`.
pub(super) fn around(text: &[u8], secret: Span) -> Address {
    let floor = secret.start.saturating_sub(REACH);
    let before = &text[floor..secret.start];
    let run = before.iter().rev().take_while(|byte| !is_edge(**byte));
    let start = secret.start - run.count();
    let run = &text[start..secret.start];
    if let Some(mark) = run.windows(3).rposition(|signs| signs == b"://") {
        return read(text, start + mark, Some(secret));
    }
    let mut address = Address {
        user: beside(text, secret),
        ..Address::default()
    };
    let rest = &text[secret.end..];
    if let Some(protocol) = [&b"@tcp("[..], b"@unix("]
        .iter()
        .find(|p| rest.starts_with(p))
    {
        let open = secret.end + protocol.len();
        let end = open + until(&text[open..], |byte| byte == b')');
        address.hosts(text, Span::new(open, end));
        address.database = database(text, (end + 1).min(text.len()));
    } else if address.user.is_some() && rest.first() == Some(&b'@') {
        let start = secret.end + 1;
        let end = end_of_authority(text, start, None);
        address.hosts(text, Span::new(start, end));
        address.database = database(text, end);
    }
    address
}

/// The places of `://` in `span`.
pub(super) fn marks(text: &[u8], span: Span) -> impl Iterator<Item = usize> {
    let found = memchr::memmem::find_iter(&text[span.range()], b"://");
    found.map(move |at| span.start + at)
}

impl Address {
    /// `host:port`, several with commas.
    fn hosts(&mut self, text: &[u8], span: Span) {
        let mut start = span.start;
        for one in text[span.range()]
            .split(|&byte| byte == b',')
            .take(MAX_HOSTS)
        {
            let end = start + one.len();
            let (host, rest) = match one.strip_prefix(b"[") {
                Some(inner) => {
                    let length = until(inner, |byte| byte == b']');
                    let end = start + 1 + length;
                    (Span::new(start + 1, end), (end + 1).min(start + one.len()))
                }
                None => {
                    let length = until(one, |byte| byte == b':');
                    (Span::new(start, start + length), start + length)
                }
            };
            if is_host(&text[host.range()]) {
                self.hosts.push(host);
                if text.get(rest) == Some(&b':') && rest < end {
                    let digits = until(&text[rest + 1..end], |byte| !byte.is_ascii_digit());
                    let port = Span::new(rest + 1, rest + 1 + digits);
                    self.ports.extend((1..=5).contains(&digits).then_some(port));
                }
            }
            start = end + 1;
        }
    }
}

/// The user of `user:password` or `user`.
fn user(text: &[u8], info: Span) -> Option<Span> {
    let length = until(&text[info.range()], |byte| byte == b':');
    (length > 0).then(|| Span::new(info.start, info.start + length))
}

/// The word before the colon in front of `secret`: `-u user:password`, `host:5432:shop:user:password`.
fn beside(text: &[u8], secret: Span) -> Option<Span> {
    let before = text[..secret.start].strip_suffix(b":")?;
    let is_user = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._@+-\\%".contains(byte);
    let length = before.iter().rev().take(128).take_while(is_user).count();
    (length > 0).then(|| Span::new(before.len() - length, before.len()))
}

/// What follows `/` behind an authority.
fn database(text: &[u8], end: usize) -> Option<Span> {
    let path = text.get(end..)?.strip_prefix(b"/")?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-$%".contains(&byte);
    let length = until(path, |byte| !is_name(byte));
    (1..=128)
        .contains(&length)
        .then(|| Span::new(end + 1, end + 1 + length))
}

fn end_of_authority(text: &[u8], start: usize, secret: Option<Span>) -> usize {
    let from = secret.map_or(start, |secret| secret.end.max(start));
    // A secret behind the authority does not move its end.
    let before = start + until(&text[start..from], |b| is_edge(b) || b"/?#".contains(&b));
    let in_authority = secret.is_none_or(|secret| before >= secret.start);
    match in_authority {
        false => before,
        true => {
            let rest = &text[from..text.len().min(from + REACH)];
            from + until(rest, |b| is_edge(b) || b"/?#;)\\".contains(&b))
        }
    }
}

/// What no address holds.
fn is_edge(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte.is_ascii_control() || b"\"'`<>".contains(&byte)
}

/// A name, or a number of either version of IP.
pub(super) fn is_host(host: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-:\\".contains(byte);
    let ends = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b':');
    (1..=253).contains(&host.len())
        && host.iter().all(plain)
        && !host.iter().all(u8::is_ascii_digit)
        && ends(host.first())
        && ends(host.last())
}

fn until(text: &[u8], stops: impl Fn(u8) -> bool) -> usize {
    let at = text.iter().position(|&byte| stops(byte));
    at.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands around `$PW`.
    fn read(text: &str) -> [String; 5] {
        let start = text.find("$PW").expect("a secret");
        let address = around(text.as_bytes(), Span::new(start, start + 3));
        let of = |spans: &[Span]| {
            let texts = spans
                .iter()
                .map(|s| String::from_utf8_lossy(&text.as_bytes()[s.range()]));
            texts.collect::<Vec<_>>().join(" ")
        };
        [
            of(address.scheme.as_slice()),
            of(address.user.as_slice()),
            of(&address.hosts),
            of(&address.ports),
            of(address.database.as_slice()),
        ]
    }

    #[test]
    fn an_address_tells_all_but_the_password() {
        for (text, parts) in [
            (
                "x='postgres://app:$PW@db.acme:5432/shop?a=b'",
                ["postgres", "app", "db.acme", "5432", "shop"],
            ),
            (
                "mongodb+srv://app:$PW@a.acme:1,b.acme:2/shop",
                ["mongodb+srv", "app", "a.acme b.acme", "1 2", "shop"],
            ),
            (
                "redis://:$PW@[::1]:6379/0",
                ["redis", "", "::1", "6379", "0"],
            ),
            (
                "https://bot:$PW@git.acme/team/app.git",
                ["https", "bot", "git.acme", "", ""],
            ),
            (
                "https://$PW@git.acme/team",
                ["https", "$PW", "git.acme", "", ""],
            ),
            (
                "https://api.acme:8443/v1?key=$PW&a=b",
                ["https", "", "api.acme", "8443", ""],
            ),
            (
                "jdbc:mysql://db:3306/shop?user=a&password=$PW",
                ["mysql", "", "db", "3306", "shop"],
            ),
            (
                "app:$PW@tcp(db.acme:3306)/shop?x",
                ["", "app", "db.acme", "3306", "shop"],
            ),
            (
                "curl -u 'app:$PW' https://api.acme",
                ["", "app", "", "", ""],
            ),
            (
                "proxy=bot:$PW@proxy.acme:3128",
                ["", "bot", "proxy.acme", "3128", ""],
            ),
            ("db.acme:5432:shop:app:$PW", ["", "app", "", "", ""]),
            ("pw $PW", ["", "", "", "", ""]),
        ] {
            assert_eq!(read(text), parts.map(str::to_owned), "{text}");
        }
    }
}
