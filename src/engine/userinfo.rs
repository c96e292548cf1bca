//! A glance at an address: whether a password could stand in it.
//!
//! Most addresses have none, and need not become candidates. Says no only where no pattern for
//! `scheme://user:password@host` matches, whatever stands beyond the bytes that it looks at.

/// Bytes after the start of an anchor that are looked at.
pub(super) const CONTEXT: usize = 32;

/// Whether the address whose scheme the anchor at `start` is, or ends, may hold a password: after
/// `://` a colon and behind it an `@`, with nothing between that ends an authority.
pub(super) fn may_hold_password(text: &[u8], start: usize) -> bool {
    let seen = &text[start..text.len().min(start + CONTEXT)];
    let is_cut = start + CONTEXT < text.len();
    let in_scheme =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
    let Some(scheme) = seen.iter().position(|byte| !in_scheme(byte)) else {
        return is_cut;
    };
    let Some(authority) = seen[scheme..].strip_prefix(b"://") else {
        return is_cut && b"://".starts_with(&seen[scheme..]);
    };
    let mut has_colon = false;
    for byte in authority {
        match byte {
            b':' => has_colon = true,
            b'@' if has_colon => return true,
            b'/' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' => return false,
            byte if byte.is_ascii_whitespace() || *byte == VERTICAL_TAB => return false,
            _ => {}
        }
    }
    is_cut
}

/// A blank for patterns, though not for `is_ascii_whitespace`.
const VERTICAL_TAB: u8 = 0x0b;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_user_and_password_may_hold_one() {
        for text in [
            "p://u:x@h",
            "p://:x@h",
            "postgresql+asyncpg://app:x@h",
            "oracle+cx_oracle://app:x@h",
            "smtp://me@acme.example:x@h",
        ] {
            assert!(may_hold_password(text.as_bytes(), 0), "{text}");
        }
    }

    #[test]
    fn an_address_without_holds_none() {
        for text in [
            "p://host/path:a@b",
            "p://host:80/",
            "p://git@host:team/app",
            "p://host\" + 'a:b@c'",
            "p://host",
            "p://",
            "p:/",
            "postgresql+ and a:b@c",
        ] {
            assert!(!may_hold_password(text.as_bytes(), 0), "{text}");
        }
    }

    #[test]
    fn what_lies_beyond_is_left_to_the_pattern() {
        let long = format!("p://{}/", "a".repeat(CONTEXT));
        assert!(may_hold_password(long.as_bytes(), 0));
        let scheme = "a".repeat(CONTEXT + 1);
        assert!(may_hold_password(scheme.as_bytes(), 0));
    }
}
