//! What belongs to a secret: the account of a token, the user, host and database of a password.
//!
//! Runs behind the search, for the secrets that a report will have and nothing else, so that a scan
//! without findings pays nothing. Looks no further than [`REACH`] bytes and the lines that a
//! rule allows. Invariant: the answer depends on the text, the secret's match and the other
//! matches in the text, so a scan of what is new and one of everything say the same.

mod address;
mod candidates;
mod memory;
mod plausible;
mod siblings;
mod window;

use std::cell::OnceCell;
use std::sync::OnceLock;

use data_encoding::BASE64;
use regex_automata::Input;

use crate::detector::{Detector, DetectorSet, FindPart, PartRule, Shape, Text};
use crate::model::{Decoding, DetectorIndex, LineIndex, Match, Part, Secret, Span};

use super::assignment::{self, Given};
use super::matcher::Pattern;
use super::{Engine, context, decode, tables};
use address::Address;
use candidates::Candidate;
pub use memory::Memory;
use plausible::is_name;
use siblings::{Family, Kin, Kind};
use window::{depth, distance, indentation, is_section};

/// How far from a secret its parts are looked for, in bytes on either side.
const REACH: usize = 4096;
/// How far from a secret on its line a pattern around it is searched, in bytes on either side.
const INSIDE: usize = 1024;
/// Most places from which it is searched.
const MOST_STARTS: usize = 64;
/// Longest part, in bytes, unless a pattern says how long it is.
const LONGEST: usize = 256;
/// Lines in which the siblings of a key are looked for, on either side.
const SIBLINGS: u32 = 20;
/// The same where the secret has no key.
const NEIGHBOURS: u32 = 3;

/// Another secret of the same text.
#[derive(Clone, Debug)]
pub struct Neighbour {
    /// Its kind.
    pub detector: DetectorIndex,
    /// Where it stands in the text.
    pub span: Span,
    /// Its value.
    pub secret: Secret,
}

/// The patterns of the detectors' parts, compiled when they are first asked.
#[derive(Debug, Default)]
pub(super) struct Patterns(OnceLock<Vec<OnceLock<Vec<Option<Pattern>>>>>);

impl Patterns {
    fn of(&self, detectors: &DetectorSet, index: DetectorIndex) -> &[Option<Pattern>] {
        let all = self
            .0
            .get_or_init(|| detectors.iter().map(|_| OnceLock::new()).collect());
        all[index.as_usize()].get_or_init(|| {
            let compiled = |rule: &PartRule| match &rule.find {
                FindPart::Pattern(text) | FindPart::Inside(text) => {
                    Some(Pattern::compile(text, "part"))
                }
                FindPart::Names { .. } | FindPart::Detector(_) => None,
            };
            let rules = detectors.get(index).parts.iter();
            rules.map(compiled).collect()
        })
    }
}

impl Engine {
    /// What belongs to `found`, which stands at `span` of the text of `lines` (transcoded, when it
    /// is UTF-16), by the order of names; `all` are the secrets of the text by place.
    pub fn parts(
        &self,
        lines: &LineIndex<'_>,
        found: &Match,
        span: Span,
        all: &[Neighbour],
        memory: &mut Memory,
    ) -> Vec<Part> {
        let detector = self.detectors.get(found.detector);
        if detector.parts.is_empty() && !siblings::has_some(detector) {
            return Vec::new();
        }
        let plain = Look {
            engine: self,
            detector,
            found,
            lines,
            secret: span,
            whole: lines,
            span,
            all,
            origin: 0,
            is_decoded: false,
            keys: OnceCell::new(),
        };
        let depth = found
            .decoding
            .iter()
            .filter(|d| **d == Decoding::Base64)
            .count();
        if depth > 0 {
            let run = &lines.bytes()[span.range()];
            let Some((text, secret)) = decoded(run, depth, found.secret.expose()) else {
                return Vec::new();
            };
            return Look {
                lines: &LineIndex::new(&text),
                secret,
                is_decoded: true,
                ..plain
            }
            .parts();
        }
        // The rest of a record belongs to its secret, and other records do not.
        if let Some(cell) = tables::cell_at(lines.bytes(), span) {
            return Look {
                lines: &LineIndex::new(&cell.text),
                secret: cell.at,
                is_decoded: true,
                ..plain
            }
            .parts();
        }
        let stretch = memory::stretch(lines, span, most_lines(detector));
        let text = &lines.bytes()[stretch.range()];
        let secret = Span::new(span.start - stretch.start, span.end - stretch.start);
        let look = || {
            let lines = &LineIndex::new(text);
            Look {
                lines,
                secret,
                whole: lines,
                span: secret,
                origin: stretch.start,
                ..plain
            }
            .parts()
        };
        let of_others = |rule: &PartRule| matches!(rule.find, FindPart::Detector(_));
        let mut parts = match detector.parts.iter().any(of_others) {
            true => look(),
            false => {
                let near = memory::near(all, stretch);
                memory.recall(self.number, text, found, secret, near, look)
            }
        };
        let above = lines.line_of(stretch.start) as u32;
        for part in &mut parts {
            part.line = part.line.saturating_add(above);
        }
        parts
    }
}

/// Lines in which parts are looked for, on either side.
fn most_lines(detector: &Detector) -> u32 {
    let rules = detector.parts.iter().map(|rule| rule.lines);
    rules.max().unwrap_or(0).max(SIBLINGS)
}

/// The text inside `depth` encodings that holds `secret`, and where.
fn decoded(run: &[u8], depth: usize, secret: &[u8]) -> Option<(Vec<u8>, Span)> {
    let mut text = Vec::new();
    if !decode::base64(run, &mut text) {
        return None;
    }
    if depth == 1 {
        let at = memchr::memmem::find(&text, secret)?;
        return Some((text, Span::new(at, at + secret.len())));
    }
    decode::Base64Runs::new(&text).find_map(|run| decoded(&text[run.range()], depth - 1, secret))
}

/// A look around one secret.
struct Look<'a> {
    engine: &'a Engine,
    detector: &'a Detector,
    found: &'a Match,
    /// The text that holds the secret in clear, and where.
    lines: &'a LineIndex<'a>,
    secret: Span,
    /// The text as stored, and where the secret or the run around it stands.
    whole: &'a LineIndex<'a>,
    span: Span,
    all: &'a [Neighbour],
    /// Where the text as stored begins in that of the neighbours.
    origin: usize,
    is_decoded: bool,
    /// The keys around, of assignments that nobody has read yet.
    keys: OnceCell<Vec<Span>>,
}

impl<'a> Look<'a> {
    fn parts(&self) -> Vec<Part> {
        let mut candidates = Vec::new();
        let patterns = self
            .engine
            .parts
            .of(&self.engine.detectors, self.found.detector);
        for (rule, pattern) in self.detector.parts.iter().zip(patterns) {
            match (&rule.find, pattern) {
                (FindPart::Pattern(_), Some(pattern)) => {
                    self.by_pattern(rule, pattern, &mut candidates);
                }
                (FindPart::Inside(_), Some(pattern)) => {
                    self.inside(rule, pattern, &mut candidates);
                }
                (FindPart::Names { names, shapes }, _) => {
                    self.by_names(rule, names, shapes, &mut candidates);
                }
                (FindPart::Detector(id), _) => self.by_detector(rule, id, &mut candidates),
                (FindPart::Pattern(_) | FindPart::Inside(_), None) => {}
            }
        }
        if siblings::has_some(self.detector) {
            self.general(&mut candidates);
        }
        self.settled(candidates)
    }

    fn text(&self) -> &'a [u8] {
        self.lines.bytes()
    }

    fn by_names(
        &self,
        rule: &PartRule,
        names: &[Text],
        shapes: &[Shape],
        out: &mut Vec<Candidate>,
    ) {
        let own = self
            .found
            .key
            .as_deref()
            .and_then(|key| assignment::first_word(key.as_bytes()));
        let is_named = |key: Span| {
            let key = &self.text()[key.range()];
            context::holds(names, key) && !(rule.shown && assignment::names_secret(key))
        };
        let window = self.window(rule.lines, rule.same_block);
        let keys = self.keys_in(window).filter(|key| is_named(*key));
        for given in keys.filter_map(|key| self.given(key)) {
            let shaped = shapes.is_empty() || shapes.iter().any(|shape| shape.fits(&given.bytes));
            if !shaped {
                continue;
            }
            let key = &self.text()[given.key.range()];
            let before = out.len();
            match rule.name.as_ref() {
                // Of an address its host.
                "host" => self.of_kind(Kind::Host, given.value, &given.bytes, out),
                _ => {
                    let name = rule.name.clone();
                    out.extend(self.candidate(name, given.value, &given.bytes, rule.shown));
                }
            }
            // `OTHER_CLIENT_ID` right below `ACME_CLIENT_SECRET` is that of another.
            let is_other = own.is_some() && own != assignment::first_word(key);
            out[before..]
                .iter_mut()
                .for_each(|candidate| candidate.is_other = is_other);
        }
    }

    fn by_pattern(&self, rule: &PartRule, pattern: &Pattern, out: &mut Vec<Candidate>) {
        let window = self.window(rule.lines, rule.same_block);
        let mut at = window.start;
        while let Some((whole, part)) =
            pattern.search_seldom(&Input::new(self.text()).range(at..window.end))
        {
            out.extend(self.of_pattern(rule, part));
            at = whole.end.max(at + 1);
        }
    }

    fn inside(&self, rule: &PartRule, pattern: &Pattern, out: &mut Vec<Candidate>) {
        let own = self.window(0, false);
        let start = own.start.max(self.secret.start.saturating_sub(INSIDE));
        let line = Span::new(start, own.end.min(self.secret.end + INSIDE));
        let mut at = line.start;
        // A match before the secret may share its beginning with the one that holds it.
        for _ in 0..MOST_STARTS {
            let found = pattern.search_seldom(&Input::new(self.text()).range(at..line.end));
            let Some((whole, part)) = found else {
                return;
            };
            let holds = whole.start <= self.secret.start && self.secret.end <= whole.end;
            if holds {
                out.extend(self.of_pattern(rule, part));
                return;
            }
            at = whole.start + 1;
            if at > self.secret.start {
                return;
            }
        }
    }

    fn by_detector(&self, rule: &PartRule, id: &str, out: &mut Vec<Candidate>) {
        let Some((index, _)) = self.engine.detectors.find(id) else {
            return;
        };
        let window = self.window_in(self.whole, self.span, rule.lines, rule.same_block);
        for other in self.all.iter().filter(|other| other.detector == index) {
            let (span, secret) = (self.place(other), &other.secret);
            let inside = window.start <= span.start && span.start < window.end;
            if inside && *secret != self.found.secret {
                out.push(Candidate {
                    name: rule.name.clone(),
                    value: secret.expose().to_vec(),
                    shown: rule.shown,
                    line: self.whole.line_of(span.start) as u32 + 1,
                    is_other: false,
                    distance: distance(self.whole, self.span, span),
                });
            }
        }
    }

    /// The parts of secrets without a rule of their own.
    fn general(&self, out: &mut Vec<Candidate>) {
        let mut around = address::around(self.text(), self.secret);
        // Of `/pass:…` the word before the colon is no user.
        let is_key = |user: &Span| assignment::names_secret(&self.text()[user.range()]);
        around.user = around.user.filter(|user| !is_key(user));
        self.address(&around, out);
        for (kind, span) in siblings::fields(self.text(), self.secret) {
            self.of_kind(kind, span, &self.text()[span.range()], out);
        }
        if let Some(user) = self.user_of_header() {
            out.extend(self.candidate("user".into(), self.secret, &user, true));
        }
        let key = self.found.key.as_ref().map(|key| key.as_bytes());
        match key.or_else(|| self.key_behind()) {
            Some(key) => self.siblings(key, SIBLINGS, out),
            None => {
                self.siblings(b"password", NEIGHBOURS, out);
                let command = self.command();
                for mark in address::marks(self.text(), command) {
                    let near = address::read(self.text(), mark, None);
                    self.address(&near, out);
                }
            }
        }
    }

    /// The key of a secret that a pattern found: what it is given to as it stands.
    fn key_behind(&self) -> Option<&'a [u8]> {
        let keys = self.keys_in(self.window(0, false));
        let mut given = keys.filter_map(|key| self.given(key));
        let own = given.find(|given| given.value == self.secret)?;
        Some(&self.text()[own.key.range()])
    }

    fn siblings(&self, key: &[u8], lines: u32, out: &mut Vec<Candidate>) {
        let family = Family::of(key);
        let section = self.window_until(self.lines, self.secret, lines, &is_section);
        for key in self.keys_in(section) {
            let kind = match family.kin(&self.text()[key.range()]) {
                Some(Kin::Named(kind)) => kind,
                Some(Kin::Bare(kind)) if self.is_beside(key) => kind,
                _ => continue,
            };
            if let Some(given) = self.given(key) {
                self.of_kind(kind, given.value, &given.bytes, out);
            }
        }
    }

    fn of_kind(&self, kind: Kind, span: Span, value: &[u8], out: &mut Vec<Candidate>) {
        let text = self.text();
        let mark = address::marks(text, span).next();
        match (kind, mark) {
            (Kind::Address | Kind::Host, Some(mark)) => {
                let address = address::read(text, mark, None);
                // With a password of its own it is another login.
                let login = address
                    .user
                    .is_some_and(|user| text.get(user.end) == Some(&b':'));
                if !login {
                    self.address(&address, out);
                }
            }
            (Kind::Address | Kind::Host, None) => {
                // `tcp:db.example,1433`, `db.example:5432`
                let host = value.strip_prefix(b"tcp:").unwrap_or(value);
                let start = span.start + value.len() - host.len();
                let length = host.iter().position(|b| b":,/\\".contains(b));
                let length = length.unwrap_or(host.len());
                let (host, rest) = host.split_at(length);
                let named = kind == Kind::Host || host.contains(&b'.');
                if named && address::is_host(host) && start + host.len() <= text.len() {
                    let name = Kind::Host.name();
                    out.extend(self.candidate(
                        name.into(),
                        Span::new(start, start + length),
                        host,
                        true,
                    ));
                    let digits = rest.get(1..).unwrap_or_default();
                    let is_port =
                        (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
                    let port = Span::new(start + length, span.end.max(start + length));
                    let port = is_port.then(|| self.candidate("port".into(), port, digits, true));
                    out.extend(port.flatten());
                }
            }
            (Kind::Port, _) if value.iter().all(u8::is_ascii_digit) => {
                out.extend(self.candidate(kind.name().into(), span, value, true));
            }
            (Kind::Port, _) => {}
            // A schema of JSON, a label, a sentence.
            (Kind::User, _) if value.contains(&b' ') => {}
            (Kind::Database | Kind::Scheme | Kind::ClientId, _) if !is_name(value) => {}
            _ => out.extend(self.candidate(kind.name().into(), span, value, true)),
        }
    }

    fn address(&self, address: &Address, out: &mut Vec<Candidate>) {
        let mut add = |name: &'static str, span: Option<&Span>| {
            out.extend(span.and_then(|span| self.plain(name.into(), *span, true)));
        };
        add("user", address.user.as_ref());
        address
            .hosts
            .iter()
            .for_each(|host| add("host", Some(host)));
        address
            .ports
            .iter()
            .for_each(|port| add("port", Some(port)));
        add("database", address.database.as_ref());
        add("scheme", address.scheme.as_ref());
    }

    /// The user of the header `Basic …`, whose secret is the encoded pair.
    fn user_of_header(&self) -> Option<Vec<u8>> {
        if self.detector.proof.as_deref() != Some("base64-user-password") {
            return None;
        }
        let pair = BASE64.decode(self.found.secret.expose()).ok()?;
        let colon = pair.iter().position(|&byte| byte == b':')?;
        Some(pair[..colon].to_vec())
    }

    /// The keys in `window`, which is at most that of the siblings or a rule.
    fn keys_in(&self, window: Span) -> impl Iterator<Item = Span> {
        let keys = self.keys.get_or_init(|| {
            assignment::keys_in(self.text(), self.window(most_lines(self.detector), false))
        });
        let first = keys.partition_point(|key| key.start < window.start);
        let inside = move |key: &&Span| key.end <= window.end;
        keys[first..].iter().take_while(inside).copied()
    }

    /// What a key is given, when that is no part of code.
    fn given(&self, key: Span) -> Option<Given<'a>> {
        assignment::given(self.text(), key).filter(|given| !self.is_code(given))
    }

    /// Whether a value without quotes, beside a secret in quotes, is the name of a variable:
    /// `user=user, password="…"`; not where lines are those of a shell.
    fn is_code(&self, given: &Given<'_>) -> bool {
        let text = self.text();
        let quoted = text[..self.secret.start]
            .last()
            .is_some_and(|b| b"\"'`".contains(b));
        let line = self.lines.start_of(self.lines.line_of(given.key.start));
        let before = text[line..given.key.start].trim_ascii();
        let tight = text.get(given.key.end) == Some(&b'=');
        let ends = text.get(given.value.end);
        let ends = ends.is_none_or(u8::is_ascii_whitespace);
        let shell = tight && ends && matches!(before, b"" | b"export" | b"set" | b"SET");
        let number = given.bytes.iter().all(u8::is_ascii_digit);
        let flag = text[given.key.range()].starts_with(b"--");
        quoted && given.is_assigned_bare && !shell && !number && !flag
    }

    /// Whether a key stands in one block with the secret, on no other level.
    fn is_beside(&self, key: Span) -> bool {
        let lines = self.lines;
        let (first, last) = match key.start < self.secret.start {
            true => (key, self.secret),
            false => (self.secret, key),
        };
        let between = &self.text()[first.end.min(last.start)..last.start];
        let (upper, lower) = (lines.line_of(first.start), lines.line_of(last.start));
        // A key behind the secret stands in the same brackets, one before it also around them.
        match depth(between) {
            None => return false,
            Some(inner) if inner > 0 && key.start > self.secret.start => return false,
            Some(_) => {}
        }
        if upper == lower {
            return true;
        }
        let (first, last) = (lines.line(upper), lines.line(lower));
        let (first_level, last_level) = (indentation(first), indentation(last));
        let end = first.trim_ascii_end().last();
        let opens = end.is_some_and(|byte| b",({[\\".contains(byte));
        let least = first_level.min(last_level);
        let goes_on = |line: &[u8]| !line.trim_ascii().is_empty() && indentation(line) >= least;
        (first_level == last_level || first_level < last_level && opens)
            && (upper + 1..lower).all(|line| goes_on(lines.line(line)))
    }
}

#[cfg(test)]
mod tests;
