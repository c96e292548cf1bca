//! A text that every match of a pattern holds beside its keyword, to be looked for before the pattern
//! is run, or even compiled: `password` of `create user … password '…'`. Most statements, calls and
//! blocks that begin like one with a secret have none.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::detector::Detector;

/// Shorter texts stand everywhere.
const LEAST: usize = 4;

/// A text, each byte as it may be written: twice the same, or a lower-case letter and its capital.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Required(Vec<[u8; 2]>);

impl Required {
    /// The longest text that all matches of the detector's pattern hold and none of its keywords tells.
    pub(super) fn of(detector: &Detector) -> Option<Self> {
        let mut parser = ParserBuilder::new().unicode(false).utf8(false).build();
        let mut runs = Runs::default();
        runs.read(&parser.parse(&detector.pattern).ok()?);
        runs.cut();
        let keywords = detector.keywords.iter();
        let keywords: Vec<_> = keywords.map(|word| word.to_ascii_lowercase()).collect();
        let is_news = |run: &Self| {
            let text: Vec<u8> = run.0.iter().map(|byte| byte[0]).collect();
            let says = |one: &[u8], other: &[u8]| memchr::memmem::find(one, other).is_some();
            let told = |word: &String| says(word.as_bytes(), &text) || says(&text, word.as_bytes());
            run.0.len() >= LEAST && !keywords.iter().any(told)
        };
        let mut best: Option<Self> = None;
        for run in runs.done.into_iter().filter(is_news) {
            if best.as_ref().is_none_or(|best| run.0.len() > best.0.len()) {
                best = Some(run);
            }
        }
        best
    }

    /// Whether `text` holds it.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let Some((first, rest)) = self.0.split_first() else {
            return true;
        };
        let mut places = memchr::memchr2_iter(first[0], first[1], text);
        places.any(|at| {
            let behind = text[at + 1..].get(..rest.len());
            behind.is_some_and(|bytes| bytes.iter().zip(rest).all(|(byte, one)| one.contains(byte)))
        })
    }
}

/// The texts that every match of an expression holds.
#[derive(Default)]
struct Runs {
    done: Vec<Required>,
    /// The one that ends where the expression has been read to.
    open: Required,
}

impl Runs {
    fn read(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => {
                self.open.0.extend(literal.0.iter().map(|&byte| [byte; 2]))
            }
            HirKind::Class(class) => match letter(class) {
                Some(byte) => self.open.0.push(byte),
                None => self.cut(),
            },
            HirKind::Capture(group) => self.read(&group.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.read(part)),
            HirKind::Repetition(repetition) => {
                self.cut();
                if repetition.min > 0 {
                    self.read(&repetition.sub);
                    self.cut();
                }
            }
            HirKind::Alternation(_) => self.cut(),
        }
    }

    fn cut(&mut self) {
        self.done.push(std::mem::take(&mut self.open));
    }
}

/// The letter that a class has in both cases, lower case first.
fn letter(class: &Class) -> Option<[u8; 2]> {
    let mut bytes = Vec::new();
    match class {
        Class::Bytes(class) => {
            for range in class.ranges() {
                bytes.extend((range.start()..=range.end()).take(3));
            }
        }
        Class::Unicode(class) => {
            for range in class.ranges() {
                let all = (range.start()..=range.end()).take(3);
                bytes.extend(all.map(|c| u8::try_from(c).unwrap_or(u8::MAX)));
            }
        }
    }
    match bytes[..] {
        [upper, lower] if upper.is_ascii_uppercase() && lower == upper.to_ascii_lowercase() => {
            Some([lower, upper])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::DetectorSet;

    /// What is required of `pattern`, in lower case, beside `keywords`.
    fn of(pattern: &'static str, keywords: &[&'static str]) -> Option<String> {
        let builtin = DetectorSet::builtin();
        let (_, any) = builtin.find("sql-role-password").expect("built in");
        let detector = Detector {
            pattern: pattern.into(),
            keywords: keywords.iter().map(|&word| word.into()).collect(),
            ..any.clone()
        };
        let required = Required::of(&detector)?;
        String::from_utf8(required.0.iter().map(|byte| byte[0]).collect()).ok()
    }

    #[test]
    fn what_every_match_holds_is_required() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            of("machine .{1,9} password (?<secret>x)", &["machine"]),
            some(" password x")
        );
        assert_eq!(
            of("(?i)grant[^;]*(?:identified by)+ '", &["grant"]),
            some("identified by")
        );
        for pattern in [
            "key=(?:password)?x",
            "key=(?:password|secret)",
            "key=abc.def",
            "my key=[0-9]",
        ] {
            assert_eq!(of(pattern, &["key="]), None, "{pattern}");
        }
    }

    #[test]
    fn a_text_is_found_in_both_cases_where_the_pattern_allows_it() {
        let of = |text: &str, fold: bool| {
            let both = |byte: u8| {
                [
                    byte,
                    if fold {
                        byte.to_ascii_uppercase()
                    } else {
                        byte
                    },
                ]
            };
            Required(text.bytes().map(both).collect())
        };
        assert!(of("password", true).is_in(b"with PassWord"));
        assert!(!of("password", false).is_in(b"with PassWord"));
        assert!(of("password", false).is_in(b"ppassword"));
        assert!(!of("password", true).is_in(b"with passwor"));
    }
}
