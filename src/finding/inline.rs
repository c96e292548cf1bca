//! Comments that silence a finding beside them: ours and those of other scanners, so that a
//! repository that comes from one of them starts quiet.

use crate::detector::Detector;
use crate::model::{LineIndex, Span};

use super::{Suppression, SuppressionSource};

/// Which markers count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Markers {
    /// Ours and other scanners'.
    #[default]
    All,
    /// Only `straykey:ignore`.
    Own,
}

/// Lines between a block's start and end that are looked through.
const MAX_BLOCK: usize = 2000;

/// What silences a finding of `detector` at `span`, judged by the comments on and around its
/// lines.
pub fn suppression(
    lines: &LineIndex<'_>,
    span: Span,
    detector: &Detector,
    markers: Markers,
) -> Option<Suppression> {
    let first = lines.line_of(span.start);
    let last = lines.line_of(span.end.saturating_sub(1).max(span.start));
    let near = lines.between(first.saturating_sub(1), last + 2);
    let is_marked = HINTS.iter().any(|hint| contains(near, hint));
    if !is_marked {
        return match markers {
            Markers::All => in_foreign_block(lines, first),
            Markers::Own => None,
        };
    }
    let own = (first..=last).find_map(|line| ours(lines.line(line), b"straykey:ignore", detector));
    let above = || {
        ours(
            lines.line(first.checked_sub(1)?),
            b"straykey:ignore-next-line",
            detector,
        )
    };
    if let Some(found) = own.or_else(above) {
        return Some(found);
    }
    if markers == Markers::Own {
        return None;
    }
    let on_lines = |marker: &&str| (first..=last).any(|line| contains(lines.line(line), marker));
    let above_is = |marker: &&str| {
        first
            .checked_sub(1)
            .is_some_and(|line| contains(lines.line(line), marker))
    };
    let here = [
        "gitleaks:allow",
        "betterleaks:allow",
        "trufflehog:ignore",
        "kingfisher:ignore",
        "gitguardian:ignore",
        "secretlint-disable-line",
    ];
    if let Some(marker) = here.iter().find(|marker| on_lines(marker)) {
        return Some(foreign(marker));
    }
    // `ggignore` is also the beginning of the block markers.
    if (first..=last).any(|line| is_word(lines.line(line), b"ggignore")) {
        return Some(foreign("ggignore"));
    }
    if let Some(marker) = ["secretlint-disable-next-line"]
        .iter()
        .find(|marker| above_is(marker))
    {
        return Some(foreign(marker));
    }
    let multiline = last > first;
    let beside = |marker| above_is(&marker) || contains(lines.line(last + 1), marker);
    if multiline && beside("kingfisher:ignore") {
        return Some(foreign("kingfisher:ignore"));
    }
    if (first..=last).any(|line| pragma(lines.line(line), false))
        || first
            .checked_sub(1)
            .is_some_and(|line| pragma(lines.line(line), true))
    {
        return Some(foreign("pragma: allowlist secret"));
    }
    if (first..=last).any(|line| nosemgrep(lines.line(line), detector)) {
        return Some(foreign("nosemgrep"));
    }
    in_foreign_block(lines, first)
}

/// What every marker on the lines of a secret or beside them holds one of.
const HINTS: &[&str] = &["ignore", "allow", "disable", "pragma", "nosemgrep"];

fn foreign(marker: &str) -> Suppression {
    Suppression {
        source: SuppressionSource::Inline(marker.to_owned()),
        reason: None,
    }
}

fn in_foreign_block(lines: &LineIndex<'_>, line: usize) -> Option<Suppression> {
    let blocks = [
        ("ggignore-start", "ggignore-end"),
        ("secretlint-disable", "secretlint-enable"),
    ];
    let around = blocks
        .into_iter()
        .find(|(start, end)| in_block(lines, line, start, end));
    around.map(|(start, _)| foreign(start))
}

/// `MARKER`, `MARKER[id, id]`, either with ` -- reason` behind it.
fn ours(line: &[u8], marker: &[u8], detector: &Detector) -> Option<Suppression> {
    let at = find(line, marker)?;
    let mut rest = &line[at + marker.len()..];
    if rest.starts_with(b"-") && !rest.starts_with(b"--") {
        return None; // `straykey:ignore-next-line` does not speak of its own line
    }
    if let Some(list) = rest.strip_prefix(b"[") {
        let end = list.iter().position(|&byte| byte == b']')?;
        let ids = String::from_utf8_lossy(&list[..end]).into_owned();
        if !ids.split(',').any(|id| id.trim() == detector.id) {
            return None;
        }
        rest = &list[end + 1..];
    }
    let reason = find(rest, b"--").map(|at| {
        let text = String::from_utf8_lossy(&rest[at + 2..]).into_owned();
        let text = text
            .trim()
            .trim_end_matches("*/")
            .trim_end_matches("-->")
            .trim();
        text.to_owned()
    });
    Some(Suppression {
        source: SuppressionSource::Inline("straykey:ignore".into()),
        reason: reason.filter(|reason| !reason.is_empty()),
    })
}

/// detect-secrets: `<comment> pragma: allowlist secret` up to the end of the line; the next-line
/// form stands alone on its line.
fn pragma(line: &[u8], next_line: bool) -> bool {
    if !contains(line, "pragma: ") {
        return false;
    }
    let text = String::from_utf8_lossy(line);
    let text = text.trim();
    let text = text
        .strip_suffix("*/")
        .or_else(|| text.strip_suffix("-->"))
        .unwrap_or(text)
        .trim_end();
    let words = match next_line {
        true => ["nextline secret"].as_slice(),
        false => &["secret"],
    };
    for list in ["allowlist", "whitelist"] {
        for word in words {
            for joint in [" ", "-"] {
                let ending = format!("pragma: {list}{joint}{word}");
                let Some(before) = text.strip_suffix(ending.as_str()) else {
                    continue;
                };
                let before = before.trim_end();
                let starters = ["#", "//", "/*", "'", "--", "<!--"];
                return starters.iter().any(|starter| match next_line {
                    true => before == *starter,
                    false => before.ends_with(starter),
                });
            }
        }
    }
    false
}

/// `nosemgrep: id` with an id that is one of ours or an alias; a bare one is too broad.
fn nosemgrep(line: &[u8], detector: &Detector) -> bool {
    let Some(at) = find(line, b"nosemgrep:") else {
        return false;
    };
    let list = String::from_utf8_lossy(&line[at + b"nosemgrep:".len()..]).into_owned();
    let ids = list.split([',', ' ', '*']).filter(|id| !id.is_empty());
    let known =
        |id: &str| detector.id == id || detector.aliases.iter().any(|(_, alias)| alias == id);
    ids.map(|id| id.rsplit('.').next().unwrap_or(id)).any(known)
}

fn in_block(lines: &LineIndex<'_>, line: usize, start: &str, end: &str) -> bool {
    let before = lines.between(line.saturating_sub(MAX_BLOCK), line);
    if !contains(before, start) {
        return false;
    }
    for above in (line.saturating_sub(MAX_BLOCK)..line).rev() {
        let text = lines.line(above);
        if contains(text, end) {
            return false;
        }
        if is_word(text, start.as_bytes()) {
            return true;
        }
    }
    false
}

fn contains(line: &[u8], marker: &str) -> bool {
    find(line, marker.as_bytes()).is_some()
}

/// Whether `word` stands in `line` and no dash goes on behind it.
fn is_word(line: &[u8], word: &[u8]) -> bool {
    find(line, word).is_some_and(|at| {
        let next = line.get(at + word.len());
        next.is_none_or(|&byte| !(byte.is_ascii_alphanumeric() || byte == b'-'))
    })
}

fn find(line: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memmem::find(line, word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::DetectorSet;

    fn silenced(text: &str, markers: Markers) -> Option<Suppression> {
        let set = DetectorSet::builtin();
        let (_, detector) = set.find("github-pat").expect("built in");
        let at = text.find("VALUE").expect("present");
        let lines = LineIndex::new(text.as_bytes());
        suppression(&lines, Span::new(at, at + 5), detector, markers)
    }

    #[test]
    fn our_marker_takes_ids_and_a_reason() {
        let found = silenced(
            "k = VALUE # straykey:ignore[github-pat] -- a test key",
            Markers::Own,
        );
        assert_eq!(found.and_then(|s| s.reason).as_deref(), Some("a test key"));
        assert!(silenced("k = VALUE # straykey:ignore", Markers::Own).is_some());
        assert!(silenced("# straykey:ignore-next-line\nk = VALUE", Markers::Own).is_some());
        assert!(silenced("k = VALUE # straykey:ignore[other-id]", Markers::Own).is_none());
        assert!(silenced("k = VALUE # straykey:ignore-next-line\n", Markers::Own).is_none());
        assert!(silenced("# straykey:ignore\nk = VALUE", Markers::Own).is_none());
    }

    #[test]
    fn markers_of_other_scanners_count_unless_turned_off() {
        for text in [
            "k = VALUE # gitleaks:allow",
            "k = VALUE # betterleaks:allow",
            "k = VALUE // trufflehog:ignore",
            "k = VALUE // kingfisher:ignore",
            "k = VALUE # pragma: allowlist secret",
            "k = VALUE /* pragma: whitelist-secret */",
            "# pragma: allowlist nextline secret\nk = VALUE",
            "k = VALUE # nosemgrep: generic.secrets.github-pat",
            "k = VALUE # ggignore",
            "# ggignore-start\n\nk = VALUE\n# ggignore-end",
            "k = VALUE // secretlint-disable-line",
            "// secretlint-disable-next-line\nk = VALUE",
            "/* secretlint-disable */\nx\nk = VALUE",
        ] {
            assert!(silenced(text, Markers::All).is_some(), "{text}");
            assert!(silenced(text, Markers::Own).is_none(), "{text}");
        }
    }

    #[test]
    fn near_misses_silence_nothing() {
        for text in [
            "k = VALUE # nosemgrep",
            "k = VALUE # noqa",
            "k = VALUE # pragma: allowlist secret and more",
            "pragma: allowlist nextline secret\nk = VALUE",
            "# ggignore-start\n# ggignore-end\nk = VALUE",
            "// secretlint-disable\n// secretlint-enable\nk = VALUE",
            "// gitleaks:allow\nk = VALUE",
        ] {
            assert!(silenced(text, Markers::All).is_none(), "{text}");
        }
    }
}
