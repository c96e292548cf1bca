//! Whether a literal for whose password it is stands right beside the password.
//!
//! `username: "shop", password: "…"` logs somebody in, whatever the words are; a password alone may be a
//! label. Looks at the assignment before and the one behind, and no further.

/// How keys of an account end, without signs.
const ACCOUNTS: &[&[u8]] = &[
    b"user",
    b"username",
    b"uname",
    b"login",
    b"email",
    b"mail",
    b"account",
    b"userid",
    b"uid",
];
/// Longest name of an account, and longest key, in bytes.
const LONGEST: usize = 48;

/// Whether the text before a key, or that behind a value, assigns a literal to an account.
pub(super) fn is_beside(before: &[u8], after: &[u8]) -> bool {
    ends_with_one(before) || starts_with_one(after)
}

/// `username="shop", `
fn ends_with_one(text: &[u8]) -> bool {
    let text = trim_end(text, |byte| {
        byte.is_ascii_whitespace() || b",;{([&'\"`-.".contains(&byte)
    });
    let value = trim_end(text, |byte| {
        byte.is_ascii_alphanumeric() || b"_-.@+".contains(&byte)
    });
    let length = text.len() - value.len();
    let key = trim_end(value, |byte| b" \t=:>\"'`)]@".contains(&byte));
    let is_assigned = value[key.len()..]
        .iter()
        .any(|byte| matches!(byte, b'=' | b':'));
    (1..=LONGEST).contains(&length) && is_assigned && names_account(key)
}

/// `", username: "shop"`
fn starts_with_one(text: &[u8]) -> bool {
    let is_sign = |byte: &&u8| byte.is_ascii_whitespace() || b",;&'\"`-".contains(byte);
    let start = text.iter().take(LONGEST).take_while(is_sign).count();
    let rest = &text[start..];
    let is_key = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let length = rest.iter().take(LONGEST).take_while(is_key).count();
    let is_operator = |byte: &&u8| b" \t=:>\"'`".contains(byte);
    let signs = rest[length..].iter().take(8).take_while(is_operator);
    let assigned = signs.clone().any(|byte| matches!(byte, b'=' | b':'));
    let value = rest.get(length + signs.count());
    assigned
        && names_account(&rest[..length])
        && value.is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Whether `text` ends in the name of an account.
fn names_account(text: &[u8]) -> bool {
    let is_letter = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let length = text
        .iter()
        .rev()
        .take(LONGEST)
        .take_while(is_letter)
        .count();
    let key: Vec<u8> = text[text.len() - length..]
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(u8::to_ascii_lowercase)
        .collect();
    ACCOUNTS.iter().any(|account| key.ends_with(account))
}

fn trim_end(text: &[u8], is_trimmed: impl Fn(u8) -> bool) -> &[u8] {
    let kept = text.iter().rposition(|&byte| !is_trimmed(byte));
    &text[..kept.map_or(0, |at| at + 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_stands_before_or_behind() {
        for before in [
            "data={\"username\": \"testuser\", \"",
            "Model(username=\"test-user\", ",
            "  user: admin\n  ",
            "DB_USER=shop\n",
            "{ email: 'jim@shop.example', ",
            "\"user\" => \"root\",\n    \"",
        ] {
            assert!(is_beside(before.as_bytes(), b""), "{before}");
        }
        for after in ["\", \"username\": \"shop\"", "\nuser: shop", "', login='a'"] {
            assert!(is_beside(b"", after.as_bytes()), "{after}");
        }
    }

    #[test]
    fn other_things_are_no_account() {
        for text in [
            "",
            "username: ",
            "def login(user, ",
            "label: 'Name', ",
            "users.find(",
            "the user, his ",
        ] {
            assert!(!is_beside(text.as_bytes(), text.as_bytes()), "{text}");
        }
    }
}
