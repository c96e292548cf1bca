//! The literal that a reference falls back on when what it points to is missing.

use std::ops::Range;

use super::expression::{SOURCES, expression_length, may_open};
use super::{code, is_identifier, is_path, quoted};

/// Functions of templates whose quoted argument is a default.
const DEFAULTS: &[&str] = &["default", "d(", "coalesce"];
/// Functions of templates whose second quoted argument is one.
const SECOND: &[&str] = &["getenv", "Getenv", "envOr", "keyOrDefault"];
/// Operators and methods of code that take a default, past the look-up.
const OTHERWISE: &[&str] = &["||", "??", "?:", " or ", "unwrap_or", "orElse", "{"];

/// Where the literal stands in `value`.
pub(super) fn literal(value: &str) -> Option<Range<usize>> {
    let shift = value.len() - value.trim_start().len();
    let trimmed = value.trim();
    let found = in_code(trimmed).or_else(|| in_expressions(trimmed))?;
    let literal = trimmed.get(found.clone())?;
    is_literal(literal).then_some(found.start + shift..found.end + shift)
}

/// Not empty, no word for nothing, and no reference itself.
fn is_literal(text: &str) -> bool {
    let nothing = ["null", "nil", "none", "None", "true", "false", "undefined"];
    let text = text.trim();
    !text.is_empty() && !nothing.contains(&text) && expression_length(text).is_none()
}

/// Looks at each expression of the value.
fn in_expressions(value: &str) -> Option<Range<usize>> {
    let mut at = 0;
    while let Some(start) = value.bytes().skip(at).position(may_open) {
        at += start;
        let rest = value.get(at..)?;
        let Some(length) = expression_length(rest) else {
            at += 1;
            continue;
        };
        let found = rest.get(..length).and_then(in_expression);
        if let Some(found) = found {
            return Some(found.start + at..found.end + at);
        }
        at += length;
    }
    None
}

fn in_expression(text: &str) -> Option<Range<usize>> {
    let shifted = |range: Range<usize>, by: usize| range.start + by..range.end + by;
    if text.starts_with("${{") {
        let from = text.find("||")?;
        return quoted(text, from).filter(|range| !range.is_empty());
    }
    if text.starts_with("{{") {
        return in_template(text);
    }
    if text.starts_with("<%") || text.starts_with("#{") {
        let inner = text.get(2..)?;
        let start = inner.find(|c: char| c != '=' && c != ' ')?;
        return in_code(inner.get(start..)?).map(|range| shifted(range, 2 + start));
    }
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    in_braces(inner).map(|range| shifted(range, 2))
}

/// `{{ "lit" | … }}`, `{{ x | default "lit" }}`, `{{ getenv "X" "lit" }}`.
fn in_template(text: &str) -> Option<Range<usize>> {
    let body = text.find(|c: char| !"{- ".contains(c))?;
    let first = quoted(text, body);
    if first.as_ref().is_some_and(|range| range.start == body + 1) {
        return first;
    }
    if let Some(at) = DEFAULTS.iter().find_map(|name| find_word(text, name)) {
        // Only a literal right after the function: a path may stand there as well.
        let gap = text.get(at..)?.find(|c: char| !" (".contains(c))?;
        let literal = quoted(text, at + gap).filter(|range| range.start == at + gap + 1);
        return literal.filter(|range| !range.is_empty());
    }
    let at = SECOND.iter().find_map(|name| find_word(text, name))?;
    let first = quoted(text, at)?;
    quoted(text, first.end + 1)
}

/// One past `word` where it begins a word of `text`.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let starts = text.match_indices(word).map(|(at, _)| at);
    let begins = |at: &usize| {
        let before = text
            .get(..*at)
            .and_then(|before| before.chars().next_back());
        before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_')
    };
    starts.filter(begins).map(|at| at + word.len()).next()
}

/// The inside of `${…}`: shell, Spring, Serverless.
fn in_braces(inner: &str) -> Option<Range<usize>> {
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let name = inner.get(..inner.find(ends)?)?;
    let shouted = is_identifier(name) && !name.bytes().any(|c| c.is_ascii_lowercase());
    let after = |operator: &str| {
        inner
            .get(name.len()..)?
            .starts_with(operator)
            .then_some(name.len() + operator.len())
    };
    let start = if is_identifier(name) {
        after(":-")
            .or_else(|| after(":="))
            .or_else(|| after("-").or_else(|| after("=")).filter(|_| shouted))
    } else {
        None
    };
    if let Some(start) = start {
        return unquoted(inner, start);
    }
    let (property, default) = inner.split_once(':')?;
    if SOURCES.iter().any(|(source, _)| *source == property) {
        let comma = inner.find(',')?;
        return quoted(inner, comma).filter(|range| !range.is_empty());
    }
    let is_default = is_path(property) && !default.starts_with(['?', '+', '/']);
    is_default
        .then(|| unquoted(inner, property.len() + 1))
        .flatten()
}

/// What stands from `start` on, without quotes around it; an expression there is looked into.
fn unquoted(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    if expression_length(rest) == Some(rest.len()) {
        return in_expression(rest).map(|range| range.start + start..range.end + start);
    }
    let inside = quoted(text, start);
    match inside {
        Some(range) if range.start == start + 1 && range.end + 1 == text.len() => Some(range),
        _ => Some(start..text.len()),
    }
}

/// `getenv("X", "lit")`, `process.env.X || "lit"`.
fn in_code(text: &str) -> Option<Range<usize>> {
    let member = code::MEMBERS
        .iter()
        .find(|object| text.starts_with(**object));
    let call = code::ENVIRONMENT
        .iter()
        .find(|call| text.starts_with(**call));
    let from = match (member, call) {
        (Some(object), _) => object.len(),
        (None, Some(call)) => {
            let name = quoted(text, call.len()).filter(|name| name.start == call.len() + 1)?;
            let rest = text.get(name.end + 1..)?;
            let comma = rest.trim_start().starts_with(',');
            let argument = quoted(text, name.end + 1).filter(|_| comma);
            if let Some(argument) = argument {
                return Some(argument);
            }
            name.end + 1
        }
        (None, None) => return None,
    };
    let rest = text.get(from..)?;
    let at = OTHERWISE
        .iter()
        .filter_map(|word| Some(rest.find(word)? + word.len()))
        .min()?;
    quoted(text, from + at)
}
