//! Expands the examples of detector files, so that no token-shaped literal enters git.
//!
//! `{{CLASS:N}}` draws N characters of a class, `{{repeat:x:N}}` repeats one, and generators make
//! values with a right checksum or structure. The same seed gives the same text, always.

mod generate;

use std::fmt;

/// A template that cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {{{{{body}}}}}: {message}")]
pub struct TemplateError {
    /// The text between the braces.
    pub body: String,
    /// What is wrong with it.
    pub message: String,
}

/// A drawn example.
#[derive(Clone, PartialEq, Eq)]
pub struct Example {
    /// The text to scan.
    pub text: String,
    /// The part of it that is the secret: what stood between `«` and `»`, or all of it.
    pub secret: String,
    /// Whether a generator drew bytes: then each character stands for one byte.
    pub is_binary: bool,
}

impl Example {
    /// The text as it is scanned.
    pub fn bytes(&self) -> Vec<u8> {
        self.as_bytes(&self.text)
    }

    /// The secret as it stands in [`Example::bytes`].
    pub fn secret_bytes(&self) -> Vec<u8> {
        self.as_bytes(&self.secret)
    }

    fn as_bytes(&self, text: &str) -> Vec<u8> {
        match self.is_binary {
            true => text
                .chars()
                .map(|c| u8::try_from(c).unwrap_or(b'?'))
                .collect(),
            false => text.as_bytes().to_vec(),
        }
    }
}

impl fmt::Debug for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Example({} bytes)", self.text.len())
    }
}

/// Draws `template` from `seed`.
pub fn expand(template: &str, seed: u64) -> Result<Example, TemplateError> {
    let mut random = Random(seed);
    let mut text = String::new();
    let mut is_binary = false;
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let Some((body, tail)) = after.split_once("}}") else {
            return Err(error(after, "the braces are not closed"));
        };
        // A class in brackets may itself end in a brace-free `]`; bodies never hold braces.
        text.push_str(&draw(body, &mut random)?);
        is_binary |= generate::BINARY.contains(&body);
        rest = tail;
    }
    text.push_str(rest);
    let secret = match text
        .split_once('«')
        .and_then(|(_, tail)| tail.split_once('»'))
    {
        Some((secret, _)) => secret.to_owned(),
        None => text.clone(),
    };
    text.retain(|c| !matches!(c, '«' | '»'));
    Ok(Example {
        text,
        secret,
        is_binary,
    })
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same on every version and machine.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next_u64() % limit as u64) as usize
    }

    /// `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next_u64() as u8).collect()
    }

    /// `count` characters of `alphabet`.
    pub fn string(&mut self, alphabet: &[u8], count: usize) -> String {
        let pick = |_| char::from(alphabet[self.below(alphabet.len())]);
        (0..count).map(pick).collect()
    }
}

fn draw(body: &str, random: &mut Random) -> Result<String, TemplateError> {
    if let Some(rest) = body.strip_prefix("repeat:") {
        let (text, count) = rest
            .rsplit_once(':')
            .ok_or_else(|| error(body, "repeat:TEXT:N"))?;
        return Ok(text.repeat(number(body, count)?));
    }
    if let Some(value) = generate::generate(body, random) {
        return Ok(value);
    }
    let (class, count) = body
        .rsplit_once(':')
        .ok_or_else(|| error(body, "unknown generator"))?;
    let alphabet = alphabet(class).ok_or_else(|| error(body, "unknown class or generator"))?;
    let count = match count.split_once('-') {
        None => number(body, count)?,
        Some((least, most)) => {
            let (least, most) = (number(body, least)?, number(body, most)?);
            if most < least {
                return Err(error(body, "the range is upside down"));
            }
            least + random.below(most - least + 1)
        }
    };
    Ok(random.string(&alphabet, count))
}

/// The members of a class: a name, or `[a-z0-9_]` with ranges.
fn alphabet(class: &str) -> Option<Vec<u8>> {
    let ranges = match class {
        "alnum" => "0-9A-Za-z",
        "lowernum" => "0-9a-z",
        "uppernum" => "0-9A-Z",
        "lower" => "a-z",
        "upper" => "A-Z",
        "digits" => "0-9",
        "hex" => "0-9a-f",
        "HEX" => "0-9A-F",
        "base32" => "A-Z2-7",
        "base64" => "0-9A-Za-z+/",
        "base64url" => "0-9A-Za-z_-",
        _ => class.strip_prefix('[')?.strip_suffix(']')?,
    };
    let bytes = ranges.as_bytes();
    let mut members = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes.get(at..at + 3) {
            Some(&[first, b'-', last]) if first <= last => {
                members.extend(first..=last);
                at += 3;
            }
            _ => {
                members.push(bytes[at]);
                at += 1;
            }
        }
    }
    (!members.is_empty() && members.is_ascii()).then_some(members)
}

fn number(body: &str, digits: &str) -> Result<usize, TemplateError> {
    let fits = digits.parse().ok().filter(|&n: &usize| n <= 100_000);
    fits.ok_or_else(|| error(body, "a count up to 100000 is expected"))
}

fn error(body: &str, message: &str) -> TemplateError {
    TemplateError {
        body: body.chars().take(40).collect(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_ranges_and_markers() {
        let example = expand("k='«ab_{{hex:4}}{{[xyz-]:2}}»'", 7).expect("valid");
        assert_eq!(example.text.len(), "k='ab_".len() + 6 + 1);
        assert!(example.text.contains(&example.secret));
        assert!(example.secret.starts_with("ab_"));
        assert_eq!(expand("{{digits:8}}", 1), expand("{{digits:8}}", 1));
        assert_ne!(expand("{{digits:8}}", 1), expand("{{digits:8}}", 2));
    }

    #[test]
    fn mistakes_are_named() {
        for wrong in [
            "{{nope:3}}",
            "{{hex}}",
            "{{hex:x}}",
            "{{hex:3",
            "{{hex:9-3}}",
        ] {
            assert!(expand(wrong, 0).is_err(), "{wrong}");
        }
    }
}
