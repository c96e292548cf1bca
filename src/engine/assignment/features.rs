//! What the model sees of an assignment: named facts, each true or not told.
//!
//! A feature is a group and a value, such as `shape` and `password/lower/8`. They are facts a reader
//! can check on the text, so that a finding can say why it is one. The groups that begin with `path`
//! come later, where the path is known ([`crate::engine::judge::path`]).

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use crate::engine::judge::{guess, model};
use crate::engine::{judge::placeholder, line_around};
use crate::model::{Assigned, Span};

use super::keys::{self, Key};
use super::memory::AROUND;
use super::values::Value;

/// An assignment whose value is to be judged.
pub(super) struct Seen<'a> {
    pub(super) text: &'a [u8],
    pub(super) span: Span,
    pub(super) key: &'a Key,
    pub(super) value: &'a Value,
    /// The literal, put together, which may be a part of the value.
    pub(super) secret: &'a [u8],
}

/// Tells the model a feature: its group and value.
pub(super) type Tell<'t> = &'t mut dyn FnMut(&'static str, &[u8]);

impl<'a> Seen<'a> {
    /// All features.
    pub(super) fn features(&self, tell: Tell<'_>) {
        self.key_features(tell);
        self.syntax_features(tell);
        self.shape_features(tell);
        self.value_features(tell);
        self.word_features(tell);
        self.line_features(tell);
        self.neighbour_features(tell);
    }

    /// What the model makes of the assignment, without its path; `None` when key, syntax and shape,
    /// which are quick to tell, speak too much against it.
    pub(super) fn assigned(&self) -> Option<Assigned> {
        let sum = |features: fn(&Self, Tell<'_>)| {
            let mut points = 0;
            features(self, &mut |group, value| {
                points += model::weight(group, value);
            });
            points
        };
        let mut assigned = Assigned {
            class: self.class(),
            quoted: self.value.form.is_quoted(),
            key: model::weight(model::BIAS.0, model::BIAS.1.as_bytes()) + sum(Self::key_features),
            syntax: sum(Self::syntax_features),
            value: sum(Self::shape_features),
            ..Assigned::default()
        };
        if assigned.points() < model::HOPELESS {
            return None;
        }
        assigned.value += sum(Self::value_features) + sum(Self::word_features);
        assigned.around = sum(Self::line_features) + sum(Self::neighbour_features);
        (assigned.points() >= model::LEAST).then_some(assigned)
    }

    fn class(&self) -> &'static str {
        self.key.class.as_str()
    }

    fn quoted(&self) -> &'static str {
        match self.value.form.is_quoted() {
            true => "quoted",
            false => "bare",
        }
    }

    fn key_features(&self, tell: Tell<'_>) {
        tell("class", self.class().as_bytes());
        tell("word", &self.key.words[self.key.at]);
        tell("before", self.key.head().next_back().unwrap_or(b"-"));
        for word in self.key.head() {
            tell("head", word);
        }
        let mut tail = self.key.tail().peekable();
        tell("tail", tail.peek().copied().unwrap_or(b"-"));
        for word in tail.skip(1) {
            tell("tail", word);
        }
        if self.key.words.len() == 1 {
            let word = &self.key.words[0];
            tell("alone", word);
            tell(
                "alone-shape",
                &[word, &b"/"[..], shape(self.secret).as_bytes()].concat(),
            );
        }
        tell("style", style(&self.text[self.span.range()]).as_bytes());
    }

    fn syntax_features(&self, tell: Tell<'_>) {
        let Value { form, sign, .. } = self.value;
        let syntax = join(&[form.as_str(), sign.as_str()]);
        tell("syntax", &syntax);
        tell(
            "syntax-class",
            &join(&[self.class(), form.as_str(), sign.as_str()]),
        );
        if let Some(callee) = self.value.callee {
            let words = keys::words(&self.text[callee.range()]);
            tell("callee", words.last().map_or(&b"-"[..], Vec::as_slice));
            tell("callee", b"*");
        }
        let mut after = self.value.span.end + usize::from(form.is_quoted());
        after = after.min(self.text.len());
        tell("after", &join(&[form.as_str(), sign_at(self.text, after)]));
        let before = self.text[..self.span.start].last().copied();
        tell("front", before.map_or("start", byte_name).as_bytes());
    }

    fn shape_features(&self, tell: Tell<'_>) {
        let secret = self.secret;
        let class = self.class();
        let shape = shape(secret);
        let length = length_name(secret.len());
        let quoted = self.quoted();
        tell("shape", shape.as_bytes());
        tell("shape-class", &join(&[class, shape]));
        tell("shape-length", &join(&[shape, length]));
        tell("shape-quoted", &join(&[shape, quoted]));
        tell("shape-quoted-class", &join(&[class, shape, quoted]));
        tell("length-class", &join(&[class, length]));
        let name = |byte: Option<&u8>| byte.map_or("none", |&byte| byte_name(byte));
        tell("first", name(secret.first()).as_bytes());
        tell("last", name(secret.last()).as_bytes());
        let digits = secret.iter().filter(|byte| byte.is_ascii_digit()).count();
        let share = digits * 4 / secret.len().max(1);
        tell(
            "digits",
            ["none", "few", "half", "many", "all"][share].as_bytes(),
        );
    }

    fn value_features(&self, tell: Tell<'_>) {
        let secret = self.secret;
        let class = self.class();
        let bits = guess::entropy_bits(secret);
        let density = density_name(10.0 * bits / secret.len().max(1) as f64);
        tell("bits-class", &join(&[class, bits_name(bits)]));
        tell("density", density.as_bytes());
        tell("density-class", &join(&[class, density]));
        let reads = reads_name(secret);
        tell("reads", reads.as_bytes());
        tell("reads-shape", &join(&[shape(secret), reads]));
        if let Some(reason) = placeholder::placeholder(secret) {
            tell("placeholder", reason.as_bytes());
        }
        for sign in SIGNS {
            let there = match sign {
                [byte] => secret.contains(byte),
                _ => secret.windows(sign.len()).any(|window| window == *sign),
            };
            if there {
                tell("holds", sign);
            }
        }
    }

    fn word_features(&self, tell: Tell<'_>) {
        let secret = self.secret;
        let words = keys::words(secret);
        let lower = secret.to_ascii_lowercase();
        for word in &words {
            if TELLING.contains(&word.as_slice()) {
                tell("says", word);
            }
        }
        let plain: Vec<&Vec<u8>> = words
            .iter()
            .filter(|word| word[0].is_ascii_alphabetic())
            .collect();
        let in_key = plain
            .iter()
            .filter(|word| self.key.words.contains(word))
            .count();
        if in_key > 0 {
            let all = in_key == plain.len();
            tell("repeats", if all { b"all" } else { b"some" });
        }
        let word = &self.key.words[self.key.at];
        if word.len() > 3
            && lower
                .windows(word.len())
                .any(|window| window == word.as_slice())
        {
            tell("repeats", b"name");
        }
        let shared = lower.iter().zip(word).take_while(|(a, b)| a == b).count();
        if shared >= 4 && shared + 3 >= lower.len() {
            tell("repeats", b"start");
        }
        let count = ["0", "1", "2", "3", "4", "5", "6"][plain.len().min(6)];
        tell("words", &join(&[shape(secret), count]));
        if guess::is_leaked(secret) {
            tell("leaked", self.class().as_bytes());
        }
    }

    fn line_features(&self, tell: Tell<'_>) {
        let line = line_around(self.text, self.value.span);
        let start = line.trim_ascii_start();
        let opening = [
            &b"//"[..],
            b"#",
            b"*",
            b"--",
            b"<!--",
            b";",
            b"/*",
            b"$ ",
            b">",
            b"|",
            b"- ",
            b"+",
            b"@",
            b"<",
            b"{",
            b"\"",
            b"'",
        ];
        let opening = opening.iter().find(|opening| start.starts_with(opening));
        tell("opening", opening.copied().unwrap_or(b"-"));
        let length = ["0", "64", "128", "192", "256", "many"][(line.len() / 64).min(5)];
        tell("line-length", length.as_bytes());
        each_word(&line[..line.len().min(512)], |word| {
            if LINE_WORDS.contains(&word) {
                tell("line", word);
            }
        });
        let indent = line.len() - start.len();
        tell("indent", if indent == 0 { b"none" } else { b"some" });
    }

    fn neighbour_features(&self, tell: Tell<'_>) {
        let floor = self.span.start.saturating_sub(AROUND);
        let ceiling = (self.value.span.end + AROUND).min(self.text.len());
        let before = &self.text[floor..self.span.start];
        let after = &self.text[self.value.span.end..ceiling];
        let mut seen = Vec::new();
        for part in [before, after] {
            each_word(part, |word| {
                if NEIGHBOURS.contains(&word) && !seen.contains(&word) {
                    seen.push(word);
                }
            });
        }
        seen.sort_unstable();
        for word in seen {
            let name = std::str::from_utf8(word).unwrap_or_default();
            tell("beside", word);
            tell("beside-class", &join(&[self.class(), name]));
        }
        let signs = |part: &[u8]| part.iter().filter(|byte| b"(){};".contains(byte)).count();
        let code = signs(before) + signs(after);
        let share = 100 * code / (before.len() + after.len()).max(1);
        let share = match share {
            0 => "0",
            1 => "1",
            2..=3 => "2",
            4..=6 => "4",
            _ => "7",
        };
        tell("code", &join(&[self.quoted(), share]));
    }
}

/// Hands out each of the words that tell something of a text, once.
fn each_word(text: &[u8], mut word: impl FnMut(&'static [u8])) {
    static WORDS: OnceLock<(AhoCorasick, Vec<&'static [u8]>)> = OnceLock::new();
    let (automaton, words) = WORDS.get_or_init(|| {
        let mut words = [LINE_WORDS, NEIGHBOURS].concat();
        words.sort_unstable();
        words.dedup();
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&words);
        (automaton.expect("a few short words"), words)
    });
    let mut seen = 0u64;
    for found in automaton.find_overlapping_iter(text) {
        seen |= 1 << found.pattern().as_usize();
    }
    for (at, found) in words.iter().enumerate() {
        if seen >> at & 1 == 1 {
            word(found);
        }
    }
}

fn join(parts: &[&str]) -> Vec<u8> {
    parts.join("/").into_bytes()
}

fn style(key: &[u8]) -> &'static str {
    let has = |kind: fn(&u8) -> bool| key.iter().any(kind);
    match () {
        () if key.starts_with(b"--") => "flag",
        () if key.contains(&b'.') => "dotted",
        () if key.contains(&b'-') => "kebab",
        () if !has(u8::is_ascii_lowercase) => "upper",
        () if has(u8::is_ascii_uppercase) && key[0].is_ascii_uppercase() => "pascal",
        () if has(u8::is_ascii_uppercase) => "camel",
        () if key.contains(&b'_') => "snake",
        () => "lower",
    }
}

fn byte_name(byte: u8) -> &'static str {
    match byte {
        b'a'..=b'z' => "lower",
        b'A'..=b'Z' => "upper",
        b'0'..=b'9' => "digit",
        b' ' | b'\t' => "blank",
        b'\n' | b'\r' => "line",
        b'"' => "\"",
        b'\'' => "'",
        b'`' => "`",
        b'(' => "(",
        b')' => ")",
        b'[' => "[",
        b']' => "]",
        b'{' => "{",
        b'}' => "}",
        b'<' => "<",
        b'>' => ">",
        b'=' => "=",
        b':' => ":",
        b';' => ";",
        b',' => ",",
        b'.' => ".",
        b'/' => "/",
        b'\\' => "\\",
        b'$' => "$",
        b'@' => "@",
        b'%' => "%",
        b'#' => "#",
        b'!' => "!",
        b'?' => "?",
        b'&' => "&",
        b'*' => "*",
        b'+' => "+",
        b'-' => "-",
        b'_' => "_",
        0x80.. => "other",
        _ => "sign",
    }
}

fn sign_at(text: &[u8], at: usize) -> &'static str {
    text.get(at).map_or("end", |&byte| byte_name(byte))
}

fn length_name(length: usize) -> &'static str {
    match length {
        0..=3 => "3",
        4 => "4",
        5 => "5",
        6 => "6",
        7 => "7",
        8 => "8",
        9..=10 => "10",
        11..=12 => "12",
        13..=15 => "15",
        16..=19 => "19",
        20..=23 => "23",
        24..=31 => "31",
        32 => "32",
        33..=39 => "39",
        40 => "40",
        41..=63 => "63",
        64 => "64",
        65..=127 => "127",
        _ => "128",
    }
}

fn bits_name(bits: f64) -> &'static str {
    match bits as u32 {
        0..=7 => "0",
        8..=15 => "8",
        16..=23 => "16",
        24..=31 => "24",
        32..=39 => "32",
        40..=55 => "40",
        56..=79 => "56",
        80..=127 => "80",
        _ => "128",
    }
}

/// By tenths of a bit for each byte.
fn density_name(tenths: f64) -> &'static str {
    match tenths as u32 {
        0..=9 => "0",
        10..=14 => "10",
        15..=19 => "15",
        20..=24 => "20",
        25..=29 => "25",
        30..=34 => "30",
        35..=39 => "35",
        40..=44 => "40",
        45..=49 => "45",
        _ => "50",
    }
}

/// How well the letters read: the mean cost of a letter after the one before it.
fn reads_name(secret: &[u8]) -> &'static str {
    let mut runs = secret.split(|byte| !byte.is_ascii_alphabetic());
    let mut letters = Vec::new();
    for run in runs.by_ref().filter(|run| run.len() > 1) {
        letters.extend(run.windows(2).map(guess::pair_cost));
    }
    if letters.len() < 3 {
        return "few";
    }
    let mean = letters.iter().sum::<f64>() / letters.len() as f64;
    match (2.0 * mean) as u32 {
        0..=6 => "3",
        7 => "3.5",
        8 => "4",
        9 => "4.5",
        10 => "5",
        11 => "5.5",
        _ => "6",
    }
}

/// What a value is made of.
fn shape(value: &[u8]) -> &'static str {
    let all = |kind: fn(&u8) -> bool| value.iter().all(kind);
    let has = |kind: fn(&u8) -> bool| value.iter().any(kind);
    let holds = |sign: u8| value.contains(&sign);
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let (lower, upper, digit) = (
        has(u8::is_ascii_lowercase),
        has(u8::is_ascii_uppercase),
        has(u8::is_ascii_digit),
    );
    if !value.is_ascii() {
        return "foreign";
    }
    if holds(b' ') {
        return "sentence";
    }
    if value.windows(3).any(|window| window == b"://") {
        return "url";
    }
    if is_uuid(value) {
        return "uuid";
    }
    if all(u8::is_ascii_digit) {
        return "digits";
    }
    if all(u8::is_ascii_alphabetic) {
        return match (lower, upper) {
            (true, false) => "lower",
            (false, true) => "upper",
            _ if value[0].is_ascii_uppercase() && value[1..].iter().all(u8::is_ascii_lowercase) => {
                "title"
            }
            _ => "letters",
        };
    }
    if all(u8::is_ascii_hexdigit) && value.len() >= 8 && lower != upper {
        return if lower { "hex" } else { "HEX" };
    }
    if all(u8::is_ascii_alphanumeric) {
        let stem = value
            .iter()
            .rposition(|byte| !byte.is_ascii_digit())
            .map_or(0, |last| last + 1);
        let counted = value[..stem].iter().all(u8::is_ascii_alphabetic);
        return match (lower, upper, counted) {
            (true, false, true) => "lower-count",
            (true, false, false) => "lower-digits",
            (false, true, _) => "upper-digits",
            (_, _, true) => "letters-count",
            _ => "alnum",
        };
    }
    if value.iter().all(word) {
        return match (lower, upper, digit) {
            (true, false, false) => "snake",
            (false, true, _) => "constant",
            (_, _, false) => "snake-letters",
            _ => "snake-digits",
        };
    }
    if value.iter().all(|byte| word(byte) || *byte == b'-') {
        return match (upper, digit) {
            (false, false) => "kebab",
            (_, true) => "kebab-digits",
            _ => "kebab-letters",
        };
    }
    if value.iter().all(|byte| word(byte) || b"-.".contains(byte)) {
        return if digit { "dotted-digits" } else { "dotted" };
    }
    if value
        .iter()
        .all(|byte| word(byte) || b"-./:".contains(byte))
        && holds(b'/')
        && !digit
    {
        return "path";
    }
    if value
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte))
    {
        return if value.len() >= 16 {
            "base64"
        } else {
            "signs-base64"
        };
    }
    let signs = value
        .iter()
        .filter(|byte| !byte.is_ascii_alphanumeric())
        .count();
    match (digit, 2 * signs > value.len()) {
        (_, true) => "mostly-signs",
        (true, _) => "signs-digits",
        _ => "signs",
    }
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Signs that code, templates and passwords hold.
const SIGNS: &[&[u8]] = &[
    b"()", b"(", b"->", b"::", b"%s", b"${", b"{{", b"{", b"<", b"\\", b" ", b"$", b"|", b"&",
    b"=", b":", b"@", b"/", b"#", b"*", b"!", b",",
];

/// Words of values that tell what they are.
const TELLING: &[&[u8]] = &[
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
const LINE_WORDS: &[&[u8]] = &[
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
const NEIGHBOURS: &[&[u8]] = &[
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
