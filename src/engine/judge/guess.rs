//! stub
/// x
pub fn is_guessable(secret: &[u8]) -> bool { super::entropy::shannon(secret) * (secret.len() as f32) < 56.0 }
