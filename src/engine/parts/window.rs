//! How far parts are looked for: lines and blocks around a secret, and what tells how they are
//! nested.

use std::ops::Range;

use crate::model::{LineIndex, Span};

use super::{Look, REACH};

impl Look<'_> {
    /// The line with those that go on with it: a `\` at the end.
    pub(super) fn command(&self) -> Span {
        const MOST: usize = 8;
        let goes_on = |line: usize| self.lines.line(line).trim_ascii_end().ends_with(b"\\");
        let mut first = self.lines.line_of(self.secret.start);
        let mut last = first;
        for _ in 0..MOST {
            if first > 0 && goes_on(first - 1) {
                first -= 1;
            }
            if goes_on(last) {
                last += 1;
            }
        }
        self.clipped(self.lines, self.secret, first..last + 1)
    }

    pub(super) fn window(&self, lines: u32, same_block: bool) -> Span {
        self.window_in(self.lines, self.secret, lines, same_block)
    }

    pub(super) fn window_in(
        &self,
        text: &LineIndex<'_>,
        secret: Span,
        lines: u32,
        same_block: bool,
    ) -> Span {
        let ends = |line: &[u8]| same_block && (line.is_empty() || is_section(line));
        self.window_until(text, secret, lines, &ends)
    }

    /// So many lines around `secret`, up to one at which `ends` says so.
    pub(super) fn window_until(
        &self,
        text: &LineIndex<'_>,
        secret: Span,
        lines: u32,
        ends: &dyn Fn(&[u8]) -> bool,
    ) -> Span {
        let lines = lines as usize;
        let own = text.line_of(secret.start);
        let last = text.line_of(secret.end.saturating_sub(1).max(secret.start));
        let goes_on = |line: &usize| !ends(text.line(*line).trim_ascii());
        let above = (own.saturating_sub(lines)..own)
            .rev()
            .take_while(goes_on)
            .count();
        let below = (last + 1..text.len().min(last + 1 + lines))
            .take_while(goes_on)
            .count();
        self.clipped(text, secret, own - above..last + 1 + below)
    }

    pub(super) fn clipped(&self, text: &LineIndex<'_>, secret: Span, lines: Range<usize>) -> Span {
        let start = text
            .start_of(lines.start)
            .max(secret.start.saturating_sub(REACH));
        let end = text.start_of(lines.end).min(secret.end + REACH);
        Span::new(start.min(secret.start), end.max(secret.end))
    }
}

/// Lines, bytes and place of `part` as seen from `secret`.
pub(super) fn distance(text: &LineIndex<'_>, secret: Span, part: Span) -> (u32, usize, usize) {
    let last = |span: Span| span.end.saturating_sub(1).max(span.start);
    let (lines, bytes) = match part.start < secret.start {
        true => (
            text.line_of(secret.start)
                .saturating_sub(text.line_of(last(part))),
            secret.start.saturating_sub(part.end),
        ),
        false => (
            text.line_of(part.start)
                .saturating_sub(text.line_of(last(secret))),
            part.start.saturating_sub(secret.end),
        ),
    };
    (lines as u32, bytes, part.start)
}

/// How many brackets stay open in `text`; `None` when one closes that was opened before.
pub(super) fn depth(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0u32, |depth, byte| match byte {
        b'{' | b'(' | b'[' => Some(depth + 1),
        b'}' | b')' | b']' => depth.checked_sub(1),
        _ => Some(depth),
    })
}

/// `[section]`
pub(super) fn is_section(trimmed: &[u8]) -> bool {
    trimmed.starts_with(b"[") && trimmed.ends_with(b"]")
}

pub(super) fn indentation(line: &[u8]) -> usize {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    // The dash of a list is as good as a blank.
    let first = line.iter().take_while(blank).count();
    match line[first..].strip_prefix(b"- ") {
        Some(_) => first + 2,
        None => first,
    }
}
