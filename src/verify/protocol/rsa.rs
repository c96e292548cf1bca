//! RSA-OAEP with SHA-1 (RFC 8017 section 7.1) for a short message: how MySQL takes a password over
//! a connection without TLS. `ring` encrypts nothing with RSA. Only the public operation, whose time
//! tells nothing that is secret to who holds the key; the message is hidden by its padding.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::der::element;

/// Length of a SHA-1 sum.
const HASH: usize = 20;
/// The longest modulus that is used, in bytes.
const LONGEST: usize = 512;
/// The shortest.
const SHORTEST: usize = 128;

/// A public key. Numbers are big-endian.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct PublicKey {
    modulus: Vec<u8>,
    exponent: u32,
}

impl PublicKey {
    /// Of PEM, `BEGIN PUBLIC KEY` (RFC 5280 section 4.1.2.7) or `BEGIN RSA PUBLIC KEY`.
    pub(super) fn of_pem(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let body: String = text
            .lines()
            .filter(|line| !line.starts_with("-----") && !line.contains('\0'))
            .map(str::trim)
            .collect();
        let der = data_encoding::BASE64.decode(body.as_bytes()).ok()?;
        let (outer, _) = element(&der, 0x30)?;
        let numbers = match element(outer, 0x30) {
            Some((_algorithm, rest)) => {
                let (bits, _) = element(rest, 0x03)?;
                element(bits.strip_prefix(&[0])?, 0x30)?.0
            }
            None => outer,
        };
        let (modulus, rest) = element(numbers, 0x02)?;
        let (exponent, _) = element(rest, 0x02)?;
        let modulus = trimmed(modulus);
        let exponent = trimmed(exponent);
        let fits =
            (SHORTEST..=LONGEST).contains(&modulus.len()) && (1..=4).contains(&exponent.len());
        let odd = modulus.last().is_some_and(|last| last & 1 == 1);
        (fits && odd).then(|| Self {
            modulus: modulus.to_vec(),
            exponent: exponent
                .iter()
                .fold(0, |sum, &byte| sum << 8 | u32::from(byte)),
        })
    }

    /// `message` as only the holder of the private key can read it.
    pub(super) fn encrypt(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut seed = [0; HASH];
        SystemRandom::new().fill(&mut seed).ok()?;
        let padded = self.padded(message, &seed)?;
        Some(self.power(&padded))
    }

    fn padded(&self, message: &[u8], seed: &[u8; HASH]) -> Option<Vec<u8>> {
        let room = self.modulus.len().checked_sub(HASH + 1)?;
        let zeros = room.checked_sub(HASH + 1 + message.len())?;
        let mut block = digest(&SHA1_FOR_LEGACY_USE_ONLY, b"").as_ref().to_vec();
        block.resize(HASH + zeros, 0);
        block.push(1);
        block.extend(message);
        mask(&mut block, seed);
        let mut seed = *seed;
        mask(&mut seed, &block);
        Some([&[0], &seed[..], &block].concat())
    }

    /// The message to the exponent, modulo the modulus.
    fn power(&self, message: &[u8]) -> Vec<u8> {
        let modulus = limbs(&self.modulus);
        let base = reduced(&limbs(message), &modulus);
        let mut power = base.clone();
        for bit in (0..self.exponent.ilog2()).rev() {
            power = product(&power, &power, &modulus);
            if self.exponent >> bit & 1 == 1 {
                power = product(&power, &base, &modulus);
            }
        }
        let bytes = power.iter().rev().flat_map(|limb| limb.to_be_bytes());
        let bytes: Vec<u8> = bytes.collect();
        bytes[bytes.len() - self.modulus.len()..].to_vec()
    }
}

/// MGF1 with SHA-1 (RFC 8017 section B.2.1), applied to `block`.
fn mask(block: &mut [u8], seed: &[u8]) {
    for (count, chunk) in block.chunks_mut(HASH).enumerate() {
        let input = [seed, &(count as u32).to_be_bytes()].concat();
        let sum = digest(&SHA1_FOR_LEGACY_USE_ONLY, &input);
        chunk
            .iter_mut()
            .zip(sum.as_ref())
            .for_each(|(byte, mask)| *byte ^= mask);
    }
}

fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    &number[zeros..]
}

/// Little-endian, with one limb to spare.
fn limbs(bytes: &[u8]) -> Vec<u32> {
    let mut limbs: Vec<u32> = bytes
        .rchunks(4)
        .map(|chunk| {
            chunk
                .iter()
                .fold(0, |sum, &byte| sum << 8 | u32::from(byte))
        })
        .collect();
    limbs.push(0);
    limbs
}

/// `a * b` modulo `modulus`, bit by bit; all are of one length.
fn product(a: &[u32], b: &[u32], modulus: &[u32]) -> Vec<u32> {
    let mut sum = vec![0; modulus.len()];
    for bit in (0..a.len() * 32).rev() {
        double(&mut sum);
        reduce(&mut sum, modulus);
        if a[bit / 32] >> (bit % 32) & 1 == 1 {
            add(&mut sum, b);
            reduce(&mut sum, modulus);
        }
    }
    sum
}

/// `number` modulo `modulus`, for a number of the modulus' length.
fn reduced(number: &[u32], modulus: &[u32]) -> Vec<u32> {
    let mut one = vec![0; modulus.len()];
    one[0] = 1;
    let mut number = number.to_vec();
    number.resize(modulus.len(), 0);
    product(&number, &one, modulus)
}

fn double(number: &mut [u32]) {
    let mut carry = 0;
    for limb in number {
        let next = *limb >> 31;
        *limb = *limb << 1 | carry;
        carry = next;
    }
}

fn add(number: &mut [u32], other: &[u32]) {
    let mut carry = 0;
    for (limb, other) in number.iter_mut().zip(other) {
        let sum = u64::from(*limb) + u64::from(*other) + carry;
        *limb = sum as u32;
        carry = sum >> 32;
    }
}

/// Takes `modulus` away once, where it is not more than `number`.
fn reduce(number: &mut [u32], modulus: &[u32]) {
    if number.iter().rev().lt(modulus.iter().rev()) {
        return;
    }
    let mut borrow = 0;
    for (limb, other) in number.iter_mut().zip(modulus) {
        let left = i64::from(*limb) - i64::from(*other) + borrow;
        *limb = left as u32;
        borrow = left >> 32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: String = text.split_whitespace().collect();
        data_encoding::HEXLOWER
            .decode(digits.as_bytes())
            .expect("hex")
    }

    /// The example that RSA Laboratories published with PKCS #1 v2.1 (`oaep-int.txt`).
    #[test]
    fn the_example_of_pkcs_1() {
        let key = PublicKey {
            modulus: hex(
                "bb f8 2f 09 06 82 ce 9c 23 38 ac 2b 9d a8 71 f7 36 8d 07 ee d4 10 43 a4
                 40 d6 b6 f0 74 54 f5 1f b8 df ba af 03 5c 02 ab 61 ea 48 ce eb 6f cd 48
                 76 ed 52 0d 60 e1 ec 46 19 71 9d 8a 5b 8b 80 7f af b8 e0 a3 df c7 37 72
                 3e e6 b4 b7 d9 3a 25 84 ee 6a 64 9d 06 09 53 74 88 34 b2 45 45 98 39 4e
                 e0 aa b1 2d 7b 61 a5 1f 52 7a 9a 41 f6 c1 68 7f e2 53 72 98 ca 2a 8f 59
                 46 f8 e5 fd 09 1d bd cb",
            ),
            exponent: 17,
        };
        let message = hex("d4 36 e9 95 69 fd 32 a7 c8 a0 5b bc 90 d3 2c 49");
        let seed = hex("aa fd 12 f6 59 ca e6 34 89 b4 79 e5 07 6d de c2 f0 6c b5 8f");
        let seed: [u8; HASH] = seed.try_into().expect("twenty bytes");
        let padded = key.padded(&message, &seed).expect("it fits");
        assert_eq!(
            key.power(&padded),
            hex(
                "12 53 e0 4d c0 a5 39 7b b4 4a 7a b8 7e 9b f2 a0 39 a3 3d 1e 99 6f c8 2a
                 94 cc d3 00 74 c9 5d f7 63 72 20 17 06 9e 52 68 da 5d 1c 0b 4f 87 2c f6
                 53 c1 1d f8 23 14 a6 79 68 df ea e2 8d ef 04 bb 6d 84 b1 c3 1d 65 4a 19
                 70 e5 78 3b d6 eb 96 a0 24 c2 ca 2f 4a 90 fe 9f 2e f5 c9 c1 40 e5 bb 48
                 da 95 36 ad 87 00 c8 4f c9 13 0a de a7 4e 55 8d 51 a7 4d df 85 d8 b5 0d
                 e9 68 38 d6 06 3e 09 55"
            )
        );
        assert_eq!(key.encrypt(&message).map(|sealed| sealed.len()), Some(128));
        assert_eq!(key.encrypt(&[0; 87]), None);
    }

    #[test]
    fn a_key_is_read_from_pem_or_refused() {
        let number = |bytes: &[u8]| [&[2, 0x81, bytes.len() as u8], bytes].concat();
        let modulus = [&[0x80], &[7; 127][..]].concat();
        let numbers = [number(&[&[0], &modulus[..]].concat()), vec![2, 3, 1, 0, 1]].concat();
        let inner = [&[0x30, 0x81, numbers.len() as u8], &numbers[..]].concat();
        let bits = [&[3, 0x81, inner.len() as u8 + 1, 0], &inner[..]].concat();
        let outer = [&[0x30, 2, 5, 0], &bits[..]].concat();
        let outer = [&[0x30, 0x81, outer.len() as u8], &outer[..]].concat();
        let pem = |der: &[u8]| {
            let body = data_encoding::BASE64.encode(der);
            format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n").into_bytes()
        };
        let key = PublicKey {
            modulus,
            exponent: 65537,
        };
        assert_eq!(PublicKey::of_pem(&pem(&outer)).as_ref(), Some(&key));
        assert_eq!(PublicKey::of_pem(&pem(&inner)).as_ref(), Some(&key));
        for end in 0..outer.len() {
            assert_eq!(PublicKey::of_pem(&pem(&outer[..end])), None, "{end}");
        }
        assert_eq!(PublicKey::of_pem(b""), None);
    }
}
