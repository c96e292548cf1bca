//! Parts of keys that tell nothing of whose the key is.

/// Whether a part of a key tells nothing of whose it is.
pub(super) fn says_nothing(part: &[u8]) -> bool {
    let Some(first) = part.first() else {
        return true;
    };
    let common = |word: &&str| word.as_bytes().eq_ignore_ascii_case(part);
    let letter = first.to_ascii_lowercase();
    let is_known = LENGTHS[usize::from(letter)] >> part.len().min(31) & 1 == 1;
    is_known && COMMON.iter().any(common) || part.iter().all(u8::is_ascii_digit)
}

/// For each first letter of [`COMMON`] a bit for each length: most parts are sooner known not to
/// be there.
const LENGTHS: [u32; 256] = {
    let mut lengths = [0; 256];
    let mut at = 0;
    while at < COMMON.len() {
        let word = COMMON[at].as_bytes();
        assert!(word.len() < 31, "there is a bit for each length");
        lengths[word[0] as usize] |= 1 << word.len();
        at += 1;
    }
    lengths
};

/// What a person has chosen is no key of a provider, whatever its shape.
pub(super) const PASSWORDS: &[&str] = &["pass", "passphrase", "passwd", "password", "pwd"];

/// Parts of keys that name a credential, its use or the object that holds it, in general.
const COMMON: &[&str] = &[
    "access",
    "accesskey",
    "accesstoken",
    "account",
    "admin",
    "api",
    "apikey",
    "apisecret",
    "apitoken",
    "app",
    "appkey",
    "application",
    "appsecret",
    "args",
    "auth",
    "authenticate",
    "authentication",
    "authkey",
    "authorization",
    "authtoken",
    "backup",
    "base",
    "bearer",
    "bot",
    "cfg",
    "cli",
    "client",
    "clientsecret",
    "conf",
    "config",
    "configuration",
    "consumer",
    "cred",
    "credential",
    "credentials",
    "creds",
    "data",
    "default",
    "dev",
    "development",
    "encryption",
    "env",
    "environ",
    "header",
    "headers",
    "hmac",
    "http",
    "https",
    "id",
    "integration",
    "key",
    "keys",
    "license",
    "live",
    "local",
    "login",
    "main",
    "master",
    "my",
    "new",
    "oauth",
    "old",
    "options",
    "opts",
    "org",
    "organization",
    "params",
    "personal",
    "primary",
    "private",
    "privatekey",
    "prod",
    "production",
    "project",
    "props",
    "query",
    "read",
    "refresh",
    "rest",
    "sandbox",
    "sdk",
    "secondary",
    "secret",
    "secretkey",
    "secrets",
    "self",
    "server",
    "service",
    "settings",
    "shared",
    "signature",
    "signing",
    "site",
    "staging",
    "subscription",
    "team",
    "test",
    "testing",
    "the",
    "this",
    "token",
    "tokens",
    "tracking",
    "trial",
    "user",
    "usr",
    "v",
    "value",
    "verification",
    "webhook",
    "webhooks",
    "workspace",
    "write",
    "x",
];
