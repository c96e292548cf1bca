//! Confirms anchors: runs one detector's pattern in a bounded window around each.

use std::sync::OnceLock;

use regex_automata::meta::{Cache, Regex};
use regex_automata::util::captures::Captures;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use crate::detector::Detector;
use crate::model::{Candidate, DetectorIndex, Looked, Match, Span};

use super::judge;

/// The pattern of one detector, compiled when it may match first.
#[derive(Debug, Default)]
pub(super) struct Matcher(OnceLock<Pattern>);

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// The group that is asked for.
    group: usize,
}

/// What searching with a pattern needs of memory, and where its groups go.
#[derive(Debug)]
pub(super) struct Workspace {
    cache: Cache,
    captures: Captures,
}

/// Caches of a thread with more bytes than this are given back when another pattern comes: in a long
/// history most patterns are needed once.
const MOST: usize = 16 << 20;

/// The workspaces of a thread, by detector, for one engine at a time.
#[derive(Debug, Default)]
pub(super) struct Workspaces {
    engine: u64,
    all: Vec<Option<Box<Workspace>>>,
}

impl Workspaces {
    /// The workspace of one detector of `engine`, for its `pattern`.
    fn get(&mut self, engine: u64, index: DetectorIndex, pattern: &Pattern) -> &mut Workspace {
        if self.engine != engine {
            self.all.clear();
            self.engine = engine;
        }
        let index = index.as_usize();
        let is_new = self.all.get(index).is_none_or(Option::is_none);
        if is_new && self.held() > MOST {
            self.all.clear();
        }
        if index >= self.all.len() {
            self.all.resize_with(index + 1, || None);
        }
        self.all[index].get_or_insert_with(|| Box::new(pattern.workspace()))
    }

    /// Memory of the caches, in bytes.
    fn held(&self) -> usize {
        let all = self.all.iter().flatten();
        all.map(|workspace| workspace.cache.memory_usage()).sum()
    }
}

impl Matcher {
    /// Appends the detector's secrets around its `candidates` (by place) to `found`, and marks
    /// those idle in whose window the pattern does not match.
    ///
    /// Equal to running the pattern over the whole text: a match that starts at `s` has an anchor
    /// in `s..=s + max_lead` and ends by `s + max_len`, so each window below holds every match
    /// that the anchor may belong to, and a match that starts behind the anchor is left to an
    /// anchor of its own.
    pub(super) fn confirm(
        &self,
        (detector, index): (&Detector, DetectorIndex),
        (engine, workspaces): (u64, &mut Workspaces),
        text: &[u8],
        candidates: &mut [Candidate],
        found: &mut Vec<Match>,
    ) {
        let mut resume = 0;
        for candidate in candidates
            .iter_mut()
            .filter(|candidate| candidate.idle.is_none())
        {
            let anchor = candidate.start;
            let open = anchor.saturating_sub(detector.max_lead);
            let start = open.max(resume);
            let end = (anchor + detector.max_len).min(text.len());
            if start > anchor {
                continue;
            }
            let anchored = match start == anchor {
                true => Anchored::Yes,
                false => Anchored::No,
            };
            let matched = match holds(&text[start..end], detector.required.as_bytes()) {
                true => {
                    let input = Input::new(text).range(start..end).anchored(anchored);
                    let pattern = self.0.get_or_init(|| Pattern::new(detector));
                    pattern.search(&input, workspaces.get(engine, index, pattern))
                }
                false => None,
            };
            match matched {
                Some((whole, secret)) if whole.start <= anchor => {
                    resume = whole.end;
                    found.extend(judge::judge(detector, index, text, secret));
                }
                // Where no match before it cut the window, the window alone decided.
                _ => candidate.idle = (start == open).then_some(Looked::ALL),
            }
        }
    }
}

/// Whether `text` holds `required`, which is in lower case, in some case.
fn holds(text: &[u8], required: &[u8]) -> bool {
    let Some((&first, rest)) = required.split_first() else {
        return true;
    };
    let mut places = memchr::memchr2_iter(first, first.to_ascii_uppercase(), text);
    places.any(|at| {
        let behind = text[at + 1..].get(..rest.len());
        behind.is_some_and(|behind| behind.eq_ignore_ascii_case(rest))
    })
}

impl Pattern {
    pub(super) fn new(detector: &Detector) -> Self {
        Self::compile(&detector.pattern, "secret")
    }

    /// A checked pattern with a group of that name.
    pub(super) fn compile(pattern: &str, group: &str) -> Self {
        let syntax = syntax::Config::new().unicode(false).utf8(false);
        let regex = Regex::builder()
            .syntax(syntax)
            .configure(
                Regex::config()
                    .utf8_empty(false)
                    // Of no use in a short window around an anchor, and they take time to build.
                    .onepass(false)
                    .auto_prefilter(false)
                    .nfa_size_limit(Some(10 << 20)),
            )
            .build(pattern)
            .expect("the pattern has been checked");
        let first = regex_automata::PatternID::ZERO;
        let group = regex.group_info().to_index(first, group);
        let group = group.expect("the check asks for the group");
        Self { regex, group }
    }

    /// What [`Pattern::search`] needs.
    pub(super) fn workspace(&self) -> Workspace {
        Workspace {
            cache: self.regex.create_cache(),
            captures: self.regex.create_captures(),
        }
    }

    /// The first match in `input`, and the group in it.
    pub(super) fn search(
        &self,
        input: &Input<'_>,
        workspace: &mut Workspace,
    ) -> Option<(Span, Span)> {
        let Workspace { cache, captures } = workspace;
        self.regex.search_captures_with(cache, input, captures);
        self.spans(captures)
    }

    /// As [`Pattern::search`], with what the expression keeps itself: for where few searches are
    /// made.
    pub(super) fn search_seldom(&self, input: &Input<'_>) -> Option<(Span, Span)> {
        let mut captures = self.regex.create_captures();
        self.regex.search_captures(input, &mut captures);
        self.spans(&captures)
    }

    fn spans(&self, captures: &Captures) -> Option<(Span, Span)> {
        let whole = captures.get_match()?;
        let group = captures.get_group(self.group)?;
        Some((
            Span::new(whole.start(), whole.end()),
            Span::new(group.start, group.end),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_is_found_in_any_case() {
        assert!(holds(b"with PassWord", b"password"));
        assert!(holds(b"ppassword", b"password"));
        assert!(!holds(b"with passwor", b"password"));
        assert!(holds(b"", b""));
    }
}
