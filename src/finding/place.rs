//! The structural place of a value: the keys around it, read from indentation.
//!
//! A line with less indentation that opens something (`key:`, `[section]`, `name {`, `def f(`) is
//! a parent. That holds for YAML, JSON, TOML, INI and for code as people format it, and it
//! survives edits above, below and beside.

use crate::model::{LineIndex, Span};

/// Parents that a key path names at most.
const MAX_PARENTS: usize = 8;
/// Lines looked at upwards.
const MAX_LINES: usize = 400;
/// Bytes of a line looked at.
const MAX_LINE: usize = 200;

/// The keys around `span`, outermost first, separated by `/`; `key` is the innermost, where the
/// assignment names one, otherwise the text before the value on its line is.
pub fn key_path(lines: &LineIndex<'_>, span: Span, key: Option<&str>) -> String {
    let line = lines.line_of(span.start);
    let own = clip(lines.line(line));
    let before = &own[..own.len().min(span.start - lines.start_of(line))];
    let innermost = match key {
        Some(key) => key.to_owned(),
        None => label(before),
    };
    let mut path = vec![innermost];
    let mut depth = indentation(own);
    for above in (line.saturating_sub(MAX_LINES)..line).rev() {
        let text = clip(lines.line(above));
        let level = indentation(text);
        let first = text.get(level);
        let may_be_section = first.is_some_and(|b| *b == b'[' || b.is_ascii_whitespace());
        if level >= depth && !may_be_section {
            continue;
        }
        let trimmed = text.trim_ascii();
        let section = trimmed.starts_with(b"[") && trimmed.ends_with(b"]");
        if trimmed.is_empty() || !(level < depth || section) || !opens(trimmed) {
            continue;
        }
        path.push(label(trimmed));
        depth = level;
        if path.len() > MAX_PARENTS || section {
            break;
        }
    }
    path.reverse();
    path.join("/")
}

fn clip(line: &[u8]) -> &[u8] {
    line.get(..MAX_LINE).unwrap_or(line)
}

fn indentation(line: &[u8]) -> usize {
    line.iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count()
}

fn opens(trimmed: &[u8]) -> bool {
    matches!(
        trimmed.last(),
        Some(b':' | b'{' | b'[' | b'(' | b']' | b'>')
    )
}

/// The words of a line without its punctuation: `"prod": {` is `prod`.
fn label(text: &[u8]) -> String {
    let is_word =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'@');
    let words = text
        .split(|byte| !is_word(byte))
        .filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(text: &str, value: &str, key: Option<&str>) -> String {
        let at = text.find(value).expect("present");
        key_path(
            &LineIndex::new(text.as_bytes()),
            Span::new(at, at + value.len()),
            key,
        )
    }

    #[test]
    fn yaml_json_and_ini_give_their_keys() {
        let yaml = "prod:\n  other: 1\n  db:\n    user: x\n    password: VALUE\n";
        assert_eq!(path_of(yaml, "VALUE", Some("password")), "prod/db/password");
        let json = "{\n  \"prod\": {\n    \"password\": \"VALUE\"\n  }\n}\n";
        assert_eq!(path_of(json, "VALUE", Some("password")), "/prod/password");
        let ini = "[a]\nx = 1\n[db]\npassword = VALUE\n";
        assert_eq!(path_of(ini, "VALUE", Some("password")), "db/password");
    }

    #[test]
    fn edits_above_and_new_neighbours_change_nothing() {
        let before = "prod:\n  db:\n    password: VALUE\n";
        let after = "# note\nzero: 1\nprod:\n  port: 1\n  db:\n    user: me\n    password: VALUE\n";
        let key = Some("password");
        assert_eq!(path_of(before, "VALUE", key), path_of(after, "VALUE", key));
    }

    #[test]
    fn without_a_key_the_text_before_the_value_stands_in() {
        let text = "url = postgres://app:VALUE@db/x\n";
        assert_eq!(path_of(text, "VALUE", None), "url postgres app");
    }
}
