//! The few settings of a repository's own configuration file that decide how it is read.
//!
//! Not a general reader: includes are not followed, and every other key is passed over.

/// What a configuration file says about the repository's format.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    /// `extensions.objectFormat`, in lower case.
    pub(super) object_format: Option<Vec<u8>>,
    /// `extensions.refStorage` is `reftable`.
    pub(super) reftable: bool,
    /// `extensions.partialClone` or a remote with `promisor`.
    pub(super) partial: bool,
    /// `core.worktree`.
    pub(super) work_tree: Option<Vec<u8>>,
}

impl Config {
    /// Reads what it can; a line that is no setting is passed over.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut config = Self::default();
        let mut section = Vec::new();
        for line in logical_lines(bytes) {
            let mut line = line.trim_ascii();
            if let Some(rest) = line.strip_prefix(b"[") {
                let Some(end) = rest.iter().position(|&byte| byte == b']') else {
                    continue;
                };
                section = section_name(&rest[..end]);
                line = rest[end + 1..].trim_ascii();
            }
            let (key, value) = match line.iter().position(|&byte| byte == b'=') {
                Some(at) => (&line[..at], Some(unquote(&line[at + 1..]))),
                None => (without_comment(line), None),
            };
            let key = key.trim_ascii().to_ascii_lowercase();
            config.set(&section, &key, value);
        }
        config
    }

    fn set(&mut self, section: &[u8], key: &[u8], value: Option<Vec<u8>>) {
        match (section, key) {
            (b"extensions", b"objectformat") => {
                self.object_format = value.map(|value| value.to_ascii_lowercase());
            }
            (b"extensions", b"refstorage") => {
                self.reftable = value.is_some_and(|value| value.eq_ignore_ascii_case(b"reftable"));
            }
            (b"extensions", b"partialclone") => self.partial = true,
            (b"remote", b"promisor") => self.partial |= is_true(value.as_deref()),
            (b"core", b"worktree") => self.work_tree = value,
            _ => {}
        }
    }
}

/// Lines, with those that end in a backslash joined to the next.
fn logical_lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut joined = false;
    for line in bytes.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let backslashes = line.iter().rev().take_while(|&&byte| byte == b'\\').count();
        let continues = backslashes % 2 == 1;
        let text = &line[..line.len() - usize::from(continues)];
        match lines.last_mut().filter(|_| joined) {
            Some(last) => last.extend_from_slice(text),
            None => lines.push(text.to_vec()),
        }
        joined = continues;
    }
    lines
}

/// `remote "origin"` → `remote`, in lower case.
fn section_name(header: &[u8]) -> Vec<u8> {
    let name = header
        .split(|&byte| byte == b'"' || byte == b'.')
        .next()
        .unwrap_or(header);
    name.trim_ascii().to_ascii_lowercase()
}

fn without_comment(line: &[u8]) -> &[u8] {
    line.split(|&byte| byte == b'#' || byte == b';')
        .next()
        .unwrap_or(line)
}

/// A value without quotes, escapes and comment.
fn unquote(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut quoted = false;
    let mut kept = 0;
    let mut bytes = value.trim_ascii_start().iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' => out.extend(bytes.next().map(|&escaped| match escaped {
                b'n' => b'\n',
                b't' => b'\t',
                other => other,
            })),
            b'#' | b';' if !quoted => break,
            _ => out.push(byte),
        }
        if quoted || !byte.is_ascii_whitespace() {
            kept = out.len();
        }
    }
    out.truncate(kept);
    out
}

fn is_true(value: Option<&[u8]>) -> bool {
    let Some(value) = value else { return true };
    let no: [&[u8]; 5] = [b"false", b"no", b"off", b"0", b""];
    !no.iter().any(|no| value.eq_ignore_ascii_case(no))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_read_whatever_their_case_and_layout() {
        let config = Config::parse(
            b"; comment\n[core]\n\tbare = false\n\tworktree = \"../a b\" # there\n\
              [Extensions] ObjectFormat = SHA256\n\trefStorage = refta\\\nble\n\
              [remote \"o\"]\n\turl = x\n\tpromisor\n",
        );
        let expected = Config {
            object_format: Some(b"sha256".to_vec()),
            reftable: true,
            partial: true,
            work_tree: Some(b"../a b".to_vec()),
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn a_remote_that_promises_nothing_and_nonsense_change_nothing() {
        let text = b"[remote \"o\"]\npromisor = false\n[remote\nx = \\\n[]\n=\n\xff[\"";
        assert_eq!(Config::parse(text), Config::default());
    }
}
