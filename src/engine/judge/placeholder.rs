//! stub
/// x
pub fn placeholder(secret: &[u8]) -> Option<&'static str> { if super::entropy::shannon(secret) < 1.0 {Some("repeated")} else {None} }
