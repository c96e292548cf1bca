//! What is new in a text that is made from another one, and what is known of the rest.
//!
//! Invariant: the candidates and runs of the two together are those of a scan of the whole text
//! (`tests/it/delta_scan.rs`), or more that come to nothing. A candidate is a matter of its anchor's
//! bytes and of a few around it, so it is carried over when the anchor and what follows lie in a
//! copied stretch. That it is idle is a matter of all bytes that its detector
//! looked at, so it stays idle only when those lie there too.

use crate::model::{Blob, Candidate, Copied, DetectorIndex, Kinship, Looked, Run, Span, Trace};

use super::decode;

/// New parts that are nearer to each other, in bytes, are searched as one, and what is copied between
/// them is as good as new.
const NEAR: usize = 128;

/// The copied stretches of a text and the gaps between them.
#[derive(Debug, Default)]
pub(super) struct News {
    shares: Vec<Share>,
    /// Everything else, and the seams: an empty gap is where two copies meet.
    gaps: Vec<Span>,
    /// The gaps, each with the encoded runs that touch it.
    regions: Vec<Span>,
}

/// A copied stretch.
#[derive(Clone, Copy, Debug)]
struct Share {
    copied: Copied,
    /// Whether it starts where both texts start.
    starts: bool,
    /// Whether it ends where both texts end.
    ends: bool,
}

impl Share {
    /// Where it ends in the old text.
    fn old_end(&self) -> usize {
        self.copied.from + self.copied.len
    }

    /// Whether the stretch from `start` to `end` of the old text, and a byte on either side, is
    /// the same in the new one.
    fn holds(&self, start: usize, end: usize) -> bool {
        (self.starts || start > self.copied.from) && (self.ends || end < self.old_end())
    }

    /// Where an offset in the old text is in the new one.
    fn moved(&self, offset: usize) -> usize {
        offset - self.copied.from + self.copied.to
    }
}

impl News {
    /// Reads what `blob` has of its base. Without a base, all of it is new.
    pub(super) fn read(&mut self, blob: &Blob<'_>, kinship: &Kinship<'_>) {
        self.shares.clear();
        self.gaps.clear();
        let len = blob.bytes.len();
        if let Some((trace, copies)) = kinship.base
            && let Some((content, base_len)) = trace.of
            && content == blob.content
        {
            let copies = copies.iter().filter(|copied| copied.len >= NEAR);
            self.shares.extend(copies.map(|&copied| Share {
                copied,
                starts: copied.from == 0 && copied.to == 0,
                ends: copied.from + copied.len == base_len && copied.to + copied.len == len,
            }));
        }
        let mut at = 0;
        for share in &self.shares {
            if !share.starts {
                self.gaps.push(Span::new(at, share.copied.to));
            }
            at = share.copied.to + share.copied.len;
        }
        if !self.shares.last().is_some_and(|share| share.ends) {
            self.gaps.push(Span::new(at, len));
        }
    }

    /// Where anchors, which with what makes them candidates have at most `longest` bytes, have to
    /// be searched in a text of `len` bytes: all that do not lie in one copied stretch.
    pub(super) fn to_search(&self, longest: usize, len: usize) -> impl Iterator<Item = Span> {
        let margin = longest.saturating_sub(1);
        let wide = move |gap: &Span| {
            Span::new(
                gap.start.saturating_sub(margin),
                (gap.end + margin).min(len),
            )
        };
        let mut gaps = self.gaps.iter().map(wide).peekable();
        std::iter::from_fn(move || {
            let mut span = gaps.next()?;
            while let Some(next) = gaps.next_if(|next| next.start <= span.end + NEAR) {
                span.end = next.end;
            }
            Some(span)
        })
    }

    /// Appends the candidates of `base` that are here too; `longest` as in [`Self::to_search`]. `reach` tells how far a detector looks before and behind the start of an anchor.
    pub(super) fn carry(
        &self,
        base: &Trace,
        longest: usize,
        reach: impl Fn(DetectorIndex) -> (usize, usize),
        out: &mut Vec<Candidate>,
    ) {
        for share in &self.shares {
            let first = base
                .candidates
                .partition_point(|candidate| candidate.start < share.copied.from);
            let carried = base.candidates[first..].iter().take_while(|candidate| {
                let end = match share.ends {
                    true => candidate.start + 1,
                    false => candidate.start + longest,
                };
                end <= share.old_end()
            });
            out.extend(carried.map(|candidate| {
                let is_here = |looked: &Looked| {
                    let (before, behind) = looked.within(reach(candidate.detector));
                    let start = candidate.start.saturating_sub(before);
                    share.holds(start, candidate.start + behind)
                };
                Candidate {
                    start: share.moved(candidate.start),
                    idle: candidate.idle.filter(is_here),
                    ..*candidate
                }
            }));
        }
    }

    /// Appends the base64 runs of `text` by place: those that touch what is new, and those of
    /// `base` that do not.
    pub(super) fn runs(&mut self, text: &[u8], base: Option<&Trace>, out: &mut Vec<Run>) {
        self.widen(text);
        let long = |region: &&Span| region.len() >= decode::MIN_RUN;
        for region in self.regions.iter().filter(long) {
            let runs = decode::Base64Runs::new(&text[region.range()]);
            let placed = |run: Span| Span::new(region.start + run.start, region.start + run.end);
            out.extend(runs.map(|run| Run::new(placed(run))));
        }
        for share in &self.shares {
            let runs = base.map_or(&[][..], |base| &base.runs);
            let first = runs.partition_point(|run| run.span.start < share.copied.from);
            let inside = runs[first..]
                .iter()
                .take_while(|run| run.span.end <= share.old_end());
            out.extend(inside.filter_map(|run| {
                let span = Span::new(share.moved(run.span.start), share.moved(run.span.end));
                let next = self
                    .regions
                    .partition_point(|region| region.end <= span.start);
                let anew = self
                    .regions
                    .get(next)
                    .is_some_and(|region| region.start < span.end);
                (!anew).then_some(Run { span, ..*run })
            }));
        }
        out.sort_unstable_by_key(|run| run.span.start);
    }

    /// Widens the gaps to the ends of the runs that touch them, so that a run lies in one region
    /// or in none.
    fn widen(&mut self, text: &[u8]) {
        let in_run = |byte: &&u8| **byte == b'=' || decode::is_base64(**byte);
        self.regions.clear();
        let mut done = 0;
        for gap in &self.gaps {
            let start = gap.start.max(done);
            let end = gap.end.max(done);
            let before = text[done..start].iter().rev().take_while(in_run).count();
            let after = text[end..].iter().take_while(in_run).count();
            self.regions.push(Span::new(start - before, end + after));
            done = end + after;
        }
    }
}
