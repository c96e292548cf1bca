//! What may be a part of a secret, and which of it is.

use crate::detector::{PartRule, Text};
use crate::engine::judge::guess;
use crate::model::{Part, Secret, Span};

use super::plausible::{holds, is_real};
use super::window::distance;
use super::{LONGEST, Look, Neighbour, REACH};

/// Names of parts that no detector has to say, in their order.
const GENERAL: &[&str] = &["user", "host", "port", "database", "scheme", "client_id"];

/// A part that may be one.
pub(super) struct Candidate {
    pub(super) name: Text,
    pub(super) value: Vec<u8>,
    pub(super) shown: bool,
    /// Line of the text as stored, from 1.
    pub(super) line: u32,
    /// Whether its key begins otherwise than that of the secret.
    pub(super) is_other: bool,
    /// Lines and bytes between it and the secret, and where it stands.
    pub(super) distance: (u32, usize, usize),
}

impl Look<'_> {
    pub(super) fn of_pattern(&self, rule: &PartRule, span: Span) -> Option<Candidate> {
        let value = &self.text()[span.range()];
        self.candidate_within(REACH, rule.name.clone(), span, value, rule.shown)
    }

    pub(super) fn plain(&self, name: Text, span: Span, shown: bool) -> Option<Candidate> {
        self.candidate(name, span, &self.text()[span.range()], shown)
    }

    /// What stands at `span`, when it could be a part.
    pub(super) fn candidate(
        &self,
        name: Text,
        span: Span,
        value: &[u8],
        shown: bool,
    ) -> Option<Candidate> {
        self.candidate_within(LONGEST, name, span, value, shown)
    }

    pub(super) fn candidate_within(
        &self,
        longest: usize,
        name: Text,
        span: Span,
        value: &[u8],
        shown: bool,
    ) -> Option<Candidate> {
        let value = value.trim_ascii();
        let of_header = span == self.secret && value != self.found.secret.expose();
        if value.len() > longest || !is_real(value) || span.overlaps(self.secret) && !of_header {
            return None;
        }
        let line = match self.is_decoded {
            true => self.whole.line_of(self.span.start),
            false => self.lines.line_of(span.start),
        };
        // A token sent as user.
        let is_token = name == "user" && guess::strength(value) == guess::Strength::Strong;
        Some(Candidate {
            name,
            value: value.to_vec(),
            shown: shown && !is_token && (of_header || !self.is_covered(span, value)),
            line: line as u32 + 1,
            is_other: false,
            distance: distance(self.lines, self.secret, span),
        })
    }

    /// Whether another secret stands in `span`.
    fn is_covered(&self, span: Span, value: &[u8]) -> bool {
        if self.is_decoded {
            let same = self
                .all
                .iter()
                .filter(|other| self.place(other) == self.span);
            return same
                .into_iter()
                .any(|other| holds(value, other.secret.expose()));
        }
        let end = self
            .all
            .partition_point(|other| self.place(other).start < span.end);
        // Secrets do not overlap but for those of one encoded run, so the last ones decide.
        let before = self.all[..end].iter().rev();
        before.take(8).any(|other| self.place(other).overlaps(span))
    }

    /// Where a neighbour stands in the text as stored; at its start, when it is before it.
    pub(super) fn place(&self, other: &Neighbour) -> Span {
        let here = |at: usize| at.saturating_sub(self.origin);
        Span::new(here(other.span.start), here(other.span.end))
    }

    /// The nearest of each name, in the order in which the names are first said.
    pub(super) fn settled(&self, candidates: Vec<Candidate>) -> Vec<Part> {
        let rules = self.detector.parts.iter().map(|rule| rule.name.as_ref());
        let general = GENERAL.iter().copied();
        let names: Vec<&str> = rules.chain(general).collect();
        let order = |name: &str| names.iter().position(|known| *known == name);
        let mut candidates = candidates;
        candidates.sort_by(|a, b| {
            let rank = |c: &Candidate| (order(&c.name), c.is_other, c.distance);
            rank(a).cmp(&rank(b)).then_with(|| a.value.cmp(&b.value))
        });
        let mut parts: Vec<Part> = Vec::new();
        for candidate in candidates {
            let same = parts.iter().filter(|part| part.name == candidate.name);
            let known = same
                .clone()
                .any(|part| part.value.expose() == candidate.value);
            if !known && same.count() < Part::MOST {
                parts.push(Part {
                    name: candidate.name,
                    value: Secret::new(&candidate.value),
                    shown: candidate.shown,
                    line: candidate.line,
                    distance: candidate.distance.0,
                });
            }
        }
        parts
    }
}
