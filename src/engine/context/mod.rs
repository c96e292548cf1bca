//! Kinds of secret that only their surroundings tell: a value of a known shape whose key, line or
//! block holds the name of a provider.
//!
//! Finds nothing itself: it names what the assignment pass has found, so that such a detector costs
//! the prefilter no anchor. Looks no further than that pass does. Invariant: the answer depends
//! on the text around the value alone, and among several detectors on their words and ids.

mod words;

use std::cmp::Reverse;
use std::sync::{Arc, OnceLock};

use crate::detector::{Context, Detector, DetectorSet, Near, Pass, Shape, Text};
use crate::model::{Confidence, DetectorIndex, Span};

use super::judge::{entropy, guess};
use words::{PASSWORDS, says_nothing};

/// Bytes that are looked at before a key and, on its line, behind a value.
const REACH: usize = 256;
/// Lines of a block that are looked at before that of the key.
const LINES: usize = 4;
/// Longest word that is put together from the parts of an identifier, in bytes.
const MAX_WORD: usize = 32;

/// The context detectors of a set. What a look-up needs is made at the first one.
#[derive(Debug)]
pub(super) struct Contexts {
    detectors: Arc<DetectorSet>,
    table: OnceLock<Table>,
}

#[derive(Debug)]
struct Table {
    words: Vec<Word>,
    /// What [`mark`] says of the words: most of what is asked for begins like none.
    marks: Vec<u64>,
    /// All that a value may have whose word stands outside of its key, each once.
    shapes_around: Vec<Shape>,
}

/// A word and a detector that it belongs to, in the order of both.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Word {
    text: Text,
    detector: DetectorIndex,
}

impl Contexts {
    pub(super) fn new(detectors: Arc<DetectorSet>) -> Self {
        Self {
            detectors,
            table: OnceLock::new(),
        }
    }

    /// The detector one of whose words stands nearest to the `value` of `key`, of those that value
    /// and key fit; among equally near ones that with the longest word.
    pub(super) fn claim(
        &self,
        text: &[u8],
        key: Span,
        value: Span,
    ) -> Option<(DetectorIndex, Confidence)> {
        let look = Look {
            contexts: self,
            text,
            key,
            value,
        };
        let claims = look.in_key().or_else(|| look.around())?;
        Some((claims, self.detectors.get(claims).confidence))
    }

    /// The detector at `index`.
    pub(super) fn detector(&self, index: DetectorIndex) -> &Detector {
        self.detectors.get(index)
    }

    /// The words that begin with `start`.
    fn starting_with(&self, start: &str) -> &[Word] {
        let Table { words, marks, .. } = self.table();
        let is_marked = |mark: usize| marks[mark / 64] >> (mark % 64) & 1 == 1;
        if !mark(start).is_none_or(is_marked) {
            return &[];
        }
        let from = words.partition_point(|word| word.text.as_ref() < start);
        let words = &words[from..];
        &words[..words.partition_point(|word| word.text.starts_with(start))]
    }

    fn table(&self) -> &Table {
        self.table.get_or_init(|| Table::of(&self.detectors))
    }
}

impl Table {
    fn of(detectors: &DetectorSet) -> Self {
        let (mut words, mut shapes_around) = (Vec::new(), Vec::new());
        for (detector, of) in detectors.iter() {
            let Some(context) = &of.context else {
                continue;
            };
            let own = context.words.iter().cloned();
            words.extend(own.map(|text| Word { text, detector }));
            if context.near > Near::Key {
                shapes_around.extend(context.shapes.iter().cloned());
            }
        }
        words.sort_unstable();
        shapes_around.sort_unstable();
        shapes_around.dedup();
        let mut marks = vec![0; MARKS / 64];
        for mark in words.iter().filter_map(|word| mark(&word.text)) {
            marks[mark / 64] |= 1 << (mark % 64);
        }
        Self {
            words,
            marks,
            shapes_around,
        }
    }
}

/// Marks of how words begin.
const MARKS: usize = 1 << 14;

/// A number below [`MARKS`] for the first four bytes of a word; shorter ones have none.
fn mark(word: &str) -> Option<usize> {
    /// Odd and without a pattern: the first digits of the square root of 2.
    const FACTOR: u32 = 0x6a09_e667;
    let first = word.as_bytes().first_chunk()?;
    let mixed = u32::from_le_bytes(*first).wrapping_mul(FACTOR);
    Some((mixed >> (u32::BITS - MARKS.ilog2())) as usize)
}

/// Key words of the built-in assignment detectors that are not in `detectors`, for its first
/// context detector: what leads to a key must not depend on which others are on.
pub(super) fn missing_key_words(detectors: &DetectorSet) -> Vec<(Text, DetectorIndex)> {
    let mut all = detectors.iter();
    let Some((first, _)) = all.find(|(_, detector)| detector.pass == Pass::Context) else {
        return Vec::new();
    };
    let builtin = DetectorSet::builtin();
    let others = builtin.iter().map(|(_, detector)| detector);
    others
        .filter(|other| other.pass == Pass::Assignment && detectors.find(&other.id).is_none())
        .flat_map(|other| other.keywords.iter().cloned())
        .map(|word| (word, first))
        .collect()
}

/// One look-up.
#[derive(Clone, Copy)]
struct Look<'a> {
    contexts: &'a Contexts,
    text: &'a [u8],
    key: Span,
    value: Span,
}

impl Look<'_> {
    fn in_key(self) -> Option<DetectorIndex> {
        let claims = self.among(&[self.key], Near::Key)?;
        let secret = self.secret();
        let mixed =
            secret.iter().any(u8::is_ascii_digit) && secret.iter().any(u8::is_ascii_alphabetic);
        (mixed || !guess::is_guessable(secret)).then_some(claims)
    }

    /// On the line, then line by line upwards. A key with words of its own is somebody's already:
    /// what stands around it is another's.
    fn around(self) -> Option<DetectorIndex> {
        let mut plain = true;
        let key = &self.text[self.key.range()];
        cut(key, |part| {
            plain = plain && says_nothing(&key[part.range()])
        });
        if !plain || !self.may_be_around() {
            return None;
        }
        let floor = self.key.start.saturating_sub(REACH);
        let above = &self.text[floor..self.key.start];
        let line = above.iter().rposition(|&byte| byte == b'\n');
        let line = line.map_or(floor, |end| floor + end + 1);
        let on_line = [Span::new(line, self.key.start), self.rest_of_line()];
        let claims = self.among(&on_line, Near::Line);
        claims.or_else(|| self.above(floor, line))
    }

    /// Whether the value could be of a kind that is told by what stands around it: most are not,
    /// and that is sooner known than what does.
    fn may_be_around(self) -> bool {
        let secret = self.secret();
        let mut shapes = self.contexts.table().shapes_around.iter();
        shapes.any(|shape| shape.fits(secret)) && !guess::is_guessable(secret)
    }

    /// What follows the value on its line.
    fn rest_of_line(self) -> Span {
        let start = self.value.end;
        let after = &self.text[start..(start + REACH).min(self.text.len())];
        let length = after.iter().position(|&byte| byte == b'\n');
        Span::new(start, start + length.unwrap_or(after.len()))
    }

    /// In the lines that end at `end`, up to a blank one.
    fn above(self, floor: usize, mut end: usize) -> Option<DetectorIndex> {
        for _ in 0..LINES {
            let line = self.text[floor..end].strip_suffix(b"\n")?;
            let start = line.iter().rposition(|&byte| byte == b'\n');
            let start = start.map_or(floor, |at| floor + at + 1);
            let line = Span::new(start, end);
            if self.text[line.range()].trim_ascii().is_empty() {
                return None;
            }
            let claims = self.among(&[line], Near::Block);
            if claims.is_some() {
                return claims;
            }
            end = start;
        }
        None
    }

    /// The detector with the longest word in `stretches`, of several the one with the longest
    /// name in the key.
    fn among(self, stretches: &[Span], place: Near) -> Option<DetectorIndex> {
        let mut best = None;
        for stretch in stretches {
            joined(&self.text[stretch.range()], |word| {
                let words = self.contexts.starting_with(word);
                for exact in words.iter().take_while(|exact| exact.text == word) {
                    let name = self.name(exact.detector, place);
                    best = best.max(name.map(|name| (word.len(), name, Reverse(exact.detector))));
                }
                !words.is_empty()
            });
        }
        best.map(|(_, _, Reverse(detector))| detector)
    }

    /// Length of the detector's longest name in the key, 0 when it asks for none; `None` when the
    /// value is not of its kind.
    fn name(self, index: DetectorIndex, place: Near) -> Option<usize> {
        let detector = self.contexts.detectors.get(index);
        let context = detector.context.as_ref()?;
        let secret = self.secret();
        let fits = place <= context.near
            && context.shapes.iter().any(|shape| shape.fits(secret))
            && (detector.min_entropy == 0.0
                || entropy::shannon(secret) >= f64::from(detector.min_entropy));
        fits.then(|| longest_name(context, &self.text[self.key.range()]))?
    }

    fn secret(&self) -> &[u8] {
        &self.text[self.value.range()]
    }
}

fn longest_name(context: &Context, key: &[u8]) -> Option<usize> {
    let mut longest = context.names.is_empty().then_some(0);
    joined(key, |word| {
        if context.names.iter().any(|name| name == word) {
            longest = longest.max(Some(word.len()));
        }
        if context.names.is_empty() && PASSWORDS.contains(&word) {
            longest = None;
        }
        true
    });
    longest
}

/// Whether `key` holds one of `names`, however its words are written.
pub(super) fn holds(names: &[Text], key: &[u8]) -> bool {
    let mut found = false;
    joined(key, |word| {
        found |= names.iter().any(|name| name == word);
        !found
    });
    found
}

/// Hands out each run of neighbouring parts of `text` as one lower-case word, the longer ones of a
/// start as long as `goes_on` says so.
fn joined(text: &[u8], mut goes_on: impl FnMut(&str) -> bool) {
    let mut parts = Vec::new();
    cut(text, |part| parts.push(part));
    let mut word = String::with_capacity(MAX_WORD);
    for first in 0..parts.len() {
        word.clear();
        let mut end = parts[first].start;
        for part in &parts[first..] {
            let gap = &text[end..part.start];
            let apart = gap.len() > 1 || gap.iter().any(|byte| !b"_-. ".contains(byte));
            if apart || word.len() + part.len() > MAX_WORD {
                break;
            }
            let bytes = text[part.range()].iter();
            word.extend(bytes.map(|byte| char::from(byte.to_ascii_lowercase())));
            end = part.end;
            if !goes_on(&word) {
                break;
            }
        }
    }
}

/// Hands out the parts of identifiers: cut at punctuation, case changes and digits.
fn cut(text: &[u8], mut part: impl FnMut(Span)) {
    let mut start = None;
    let mut last = b'_';
    for (at, &byte) in text.iter().enumerate() {
        let lower_follows = text.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        let changes = (byte.is_ascii_uppercase() && (last.is_ascii_lowercase() || lower_follows))
            || byte.is_ascii_digit() != last.is_ascii_digit()
            || !byte.is_ascii_alphanumeric();
        if let Some(from) = start.filter(|_| changes) {
            part(Span::new(from, at));
            start = None;
        }
        if byte.is_ascii_alphanumeric() {
            start = start.or(Some(at));
        }
        last = byte;
    }
    if let Some(from) = start {
        part(Span::new(from, text.len()));
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::detector::{Detector, template};

    fn detector(id: &'static str, words: &[&'static str], names: &[&'static str]) -> Detector {
        let builtin = DetectorSet::builtin();
        let (_, any) = builtin.find("linear-client-secret").expect("built in");
        let texts = |list: &[&'static str]| {
            let texts = list.iter().map(|&text| Cow::Borrowed(text));
            Cow::Owned(texts.collect())
        };
        let shape = Shape::parse("hex:32").expect("a shape");
        Detector {
            id: id.into(),
            context: Some(Context {
                words: texts(words),
                names: texts(names),
                shapes: Cow::Owned(vec![shape]),
                near: Near::Block,
            }),
            ..any.clone()
        }
    }

    /// Which of `detectors` claims 32 hexadecimal digits, that `HEX` in `text` stands for, for the
    /// key in `[]`.
    fn claim(detectors: &[Detector], text: &str) -> Option<String> {
        let start = text.find('[').expect("a key");
        let end = text.find(']').expect("its end") - 1;
        let hex = template::expand("{{hex:32}}", 1).expect("a template").text;
        let text = text.replace(['[', ']'], "").replace("HEX", &hex);
        let value = text.find(&hex).expect("a value");
        let detectors = Arc::new(DetectorSet::new(detectors.to_vec()));
        let value = Span::new(value, value + hex.len());
        let contexts = Contexts::new(Arc::clone(&detectors));
        let claims = contexts.claim(text.as_bytes(), Span::new(start, end), value);
        claims.map(|(index, _)| detectors.get(index).id.to_string())
    }

    fn claims(words: &[&'static str], text: &str) -> bool {
        claim(&[detector("one", words, &[])], text).is_some()
    }

    #[test]
    fn a_word_stands_in_the_key_however_it_is_written() {
        for key in [
            "OPEN_WEATHER_API_KEY",
            "openWeatherApiKey",
            "OPENWEATHER_KEY",
            "my.openweather.token",
            "OpenWeather2",
            "x-open-weather-key",
        ] {
            let text = format!("[{key}]=HEX");
            assert!(claims(&["openweather"], &text), "{key}");
        }
        for key in [
            "openweathermap_key",
            "open_the_weather",
            "reopenweather",
            "token",
        ] {
            let text = format!("[{key}]=HEX");
            assert!(!claims(&["openweather"], &text), "{key}");
        }
    }

    #[test]
    fn a_word_may_stand_on_the_line_or_just_above() {
        for text in [
            "get('https://api.acme.io/', [token]='HEX')",
            "[api_key]: HEX  # Acme",
            "acme:\n  url: x\n  [api_key]: HEX",
            "\"acme\": {\n  \"[token]\": \"HEX\"",
        ] {
            assert!(claims(&["acme"], text), "{text}");
        }
        for text in [
            "acme:\n\n[api_key]: HEX",
            "acme\n1\n2\n3\n4\n[api_key]: HEX",
            "acme:\n  [zebra_api_key]: HEX",
            "[api_key]: HEX\nacme: x",
            &format!("acme{}\n[api_key]: HEX", " ".repeat(300)),
        ] {
            assert!(!claims(&["acme"], text), "{text}");
        }
    }

    #[test]
    fn how_near_it_must_stand_is_the_detectors_affair() {
        let mut one = detector("one", &["acme"], &[]);
        let mut set = |near| {
            one.context.as_mut().expect("it has one").near = near;
            [one.clone()]
        };
        let line = "acme [api_key]: HEX";
        let block = "acme\n[api_key]: HEX";
        assert!(claim(&set(Near::Key), line).is_none());
        assert!(claim(&set(Near::Line), line).is_some());
        assert!(claim(&set(Near::Line), block).is_none());
        assert!(claim(&set(Near::Block), block).is_some());
    }

    #[test]
    fn the_nearest_and_longest_word_decides() {
        let set = [
            detector("a", &["open"], &[]),
            detector("b", &["openweather"], &[]),
            detector("c", &["acme"], &[]),
        ];
        let of = |text: &str| claim(&set, text).unwrap_or_default();
        assert_eq!(of("[open_weather_key]=HEX"), "b");
        assert_eq!(of("acme [open_key]=HEX"), "a");
        assert_eq!(of("open:\nacme:\n[key]=HEX"), "c");
        assert_eq!(of("open acme [key]=HEX"), "a");
    }

    #[test]
    fn names_tell_the_kinds_of_a_provider_apart() {
        let set = [
            detector("id", &["acme"], &["client", "id"]),
            detector("secret", &["acme"], &["clientsecret", "secret"]),
        ];
        let of = |text: &str| claim(&set, text).unwrap_or_default();
        assert_eq!(of("[ACME_CLIENT_ID]=HEX"), "id");
        assert_eq!(of("[acmeClientSecret]=HEX"), "secret");
        assert_eq!(of("acme:\n [secret]=HEX"), "secret");
        assert_eq!(of("[ACME_TOKEN]=HEX"), "");
    }

    #[test]
    fn a_password_is_no_key_of_a_provider() {
        assert!(!claims(&["acme"], "[ACME_PASSWORD]=HEX"));
    }

    #[test]
    fn the_key_words_do_not_depend_on_the_other_detectors() {
        let alone = DetectorSet::new(vec![detector("one", &["acme"], &[])]);
        let words = missing_key_words(&alone);
        let has = |word: &str| words.iter().any(|(other, _)| other == word);
        assert!(has("secret") && has("api_key"));
        assert!(missing_key_words(&DetectorSet::builtin()).is_empty());
    }
}
