//! stub
use crate::model::Span;
/// x
pub fn extend(_name: &str, _text: &[u8], start: Span) -> Option<Span> { Some(start) }
