//! Words and signs that tell something of a value, a line or what stands around.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

/// Words of which a text can hold some.
pub(super) struct Words {
    automaton: AhoCorasick,
    /// Sorted.
    words: Vec<&'static [u8]>,
    /// Bits of those words that are of [`LINE_WORDS`], and of [`NEIGHBOURS`].
    pub(super) of_lines: Seen,
    pub(super) neighbours: Seen,
}

/// A bit for each word that was seen.
pub(super) type Seen = u64;

const _: () = assert!(LINE_WORDS.len() + NEIGHBOURS.len() <= Seen::BITS as usize);

impl Words {
    /// [`LINE_WORDS`] and [`NEIGHBOURS`].
    pub(super) fn telling() -> &'static Self {
        static WORDS: OnceLock<Words> = OnceLock::new();
        WORDS.get_or_init(|| {
            let mut words = [LINE_WORDS, NEIGHBOURS].concat();
            words.sort_unstable();
            words.dedup();
            let automaton = AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(&words);
            let bits = |list: &[&[u8]]| {
                let all = words.iter().rev();
                all.fold(0, |bits, word| bits << 1 | Seen::from(list.contains(word)))
            };
            Self {
                automaton: automaton.expect("a few short words"),
                of_lines: bits(LINE_WORDS),
                neighbours: bits(NEIGHBOURS),
                words,
            }
        })
    }

    /// Those that `text` holds.
    pub(super) fn seen_in(&self, text: &[u8]) -> Seen {
        let found = self.automaton.find_overlapping_iter(text);
        found.fold(0, |seen, found| seen | 1 << found.pattern().as_usize())
    }

    /// What the bits stand for, sorted.
    pub(super) fn of(&self, mut seen: Seen) -> impl Iterator<Item = &'static [u8]> {
        std::iter::from_fn(move || {
            let at = (seen != 0).then_some(seen.trailing_zeros() as usize)?;
            seen &= seen - 1;
            Some(self.words[at])
        })
    }
}

/// Signs that code, templates and passwords hold.
pub(super) const SIGNS: &[&[u8]] = &[
    b"()", b"(", b"->", b"::", b"%s", b"${", b"{{", b"{", b"<", b"\\", b" ", b"$", b"|", b"&",
    b"=", b":", b"@", b"/", b"#", b"*", b"!", b",",
];

/// Words of values that tell what they are.
pub(super) const TELLING: &[&[u8]] = &[
    b"abc",
    b"access",
    b"account",
    b"admin",
    b"api",
    b"app",
    b"auth",
    b"bad",
    b"bar",
    b"basic",
    b"bearer",
    b"bytes",
    b"change",
    b"client",
    b"config",
    b"correct",
    b"current",
    b"data",
    b"db",
    b"default",
    b"demo",
    b"dummy",
    b"empty",
    b"enabled",
    b"enter",
    b"env",
    b"error",
    b"example",
    b"fake",
    b"false",
    b"field",
    b"file",
    b"foo",
    b"form",
    b"function",
    b"get",
    b"group",
    b"guest",
    b"hash",
    b"hidden",
    b"id",
    b"incorrect",
    b"input",
    b"invalid",
    b"key",
    b"label",
    b"local",
    b"login",
    b"master",
    b"me",
    b"mock",
    b"my",
    b"name",
    b"new",
    b"no",
    b"none",
    b"null",
    b"number",
    b"object",
    b"old",
    b"optional",
    b"pass",
    b"passwd",
    b"password",
    b"path",
    b"private",
    b"prod",
    b"public",
    b"pwd",
    b"query",
    b"read",
    b"required",
    b"reset",
    b"role",
    b"root",
    b"sample",
    b"secret",
    b"self",
    b"server",
    b"service",
    b"set",
    b"some",
    b"str",
    b"string",
    b"super",
    b"temp",
    b"test",
    b"testing",
    b"text",
    b"this",
    b"token",
    b"true",
    b"type",
    b"user",
    b"username",
    b"value",
    b"var",
    b"with",
    b"wrong",
    b"your",
];

/// Words of lines that tell what the line is about.
pub(super) const LINE_WORDS: &[&[u8]] = &[
    b"assert",
    b"default",
    b"describe",
    b"e.g",
    b"encrypt",
    b"example",
    b"expect",
    b"fake",
    b"function",
    b"get(",
    b"hash",
    b"http",
    b"if ",
    b"import",
    b"invalid",
    b"label",
    b"login",
    b"message",
    b"mock",
    b"option",
    b"placeholder",
    b"print",
    b"required",
    b"return",
    b"sample",
    b"schema",
    b"str",
    b"string",
    b"test",
    b"throw",
    b"title",
    b"translat",
    b"type",
    b"user",
    b"wrong",
];

/// Words around that make a log-in, a form or a test.
pub(super) const NEIGHBOURS: &[&[u8]] = &[
    b"address",
    b"assert",
    b"bucket",
    b"client",
    b"connect",
    b"database",
    b"describe",
    b"email",
    b"example",
    b"expect",
    b"host",
    b"input",
    b"label",
    b"localhost",
    b"login",
    b"message",
    b"param",
    b"port",
    b"region",
    b"return",
    b"schema",
    b"server",
    b"string",
    b"test",
    b"title",
    b"token",
    b"type",
    b"url",
    b"user",
];
