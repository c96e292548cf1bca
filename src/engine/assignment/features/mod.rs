//! What the model sees of an assignment: named facts, each true or not told.
//!
//! A feature is a group and a value, such as `shape` and `password/lower/8`. They are facts a reader
//! can check on the text, so that a finding can say why it is one. The groups that begin with `path`
//! come later, where the path is known ([`crate::engine::judge::path`]).

mod account;
mod names;
mod words;

use crate::engine::judge::{guess, model, placeholder};
use crate::engine::line_around;
use crate::model::{Assigned, Span};

use super::keys::{self, Key};
use super::memory::AROUND;
use super::values::{MARK, Value};
use names::{bits_name, byte_name, density_name, length_name, reads_name, shape, sign_at, style};
use words::{SIGNS, TELLING, Words};

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
        let before = &self.text[..self.span.start];
        let before = before.last().filter(|_| before != MARK).copied();
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
        let words = Words::telling();
        let seen = words.seen_in(&line[..line.len().min(512)]) & words.of_lines;
        words.of(seen).for_each(|word| tell("line", word));
        let indent = line.len() - start.len();
        tell("indent", if indent == 0 { b"none" } else { b"some" });
    }

    fn neighbour_features(&self, tell: Tell<'_>) {
        let floor = self.span.start.saturating_sub(AROUND);
        let ceiling = (self.value.span.end + AROUND).min(self.text.len());
        let before = &self.text[floor..self.span.start];
        let before = match floor {
            0 => before.strip_prefix(MARK).unwrap_or(before),
            _ => before,
        };
        let after = &self.text[self.value.span.end..ceiling];
        let words = Words::telling();
        let seen = (words.seen_in(before) | words.seen_in(after)) & words.neighbours;
        for word in words.of(seen) {
            let name = std::str::from_utf8(word).unwrap_or_default();
            tell("beside", word);
            tell("beside-class", &join(&[self.class(), name]));
        }
        if account::is_beside(before, after) {
            tell("account", self.class().as_bytes());
            tell("account-shape", shape(self.secret).as_bytes());
        }
        let again = |part: &[u8]| memchr::memmem::find(part, self.secret).is_some();
        if again(before) || again(after) {
            tell("again", self.class().as_bytes());
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

fn join(parts: &[&str]) -> Vec<u8> {
    parts.join("/").into_bytes()
}
