//! Public halves of keys on Curve25519, by the formulas of RFC 7748 and RFC 8032.
//!
//! Computes what a key that already leaked would tell anybody: it signs nothing, and its time may
//! depend on the key. About a millisecond each, so callers bound how many they ask for.

use sha2::{Digest, Sha512};

/// An element of the field of 2²⁵⁵ − 19, in sixteen limbs of sixteen bits that may overflow.
type Field = [i64; 16];

const ZERO: Field = [0; 16];
const ONE: Field = {
    let mut one = ZERO;
    one[0] = 1;
    one
};
/// Twice the constant d of the curve (RFC 8032, 5.1).
const D2: Field = [
    0xf159, 0x26b2, 0x9b94, 0xebd6, 0xb156, 0x8283, 0x149a, 0x00e0, 0xd130, 0xeef3, 0x80f2, 0x198e,
    0xfce7, 0x56df, 0xd9dc, 0x2406,
];
const BASE_X: Field = [
    0xd51a, 0x8f25, 0x2d60, 0xc956, 0xa7b2, 0x9525, 0xc760, 0x692c, 0xdc5c, 0xfdd6, 0xe231, 0xc0a4,
    0x53fe, 0xcd6e, 0x36d3, 0x2169,
];
const BASE_Y: Field = [
    0x6658, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666,
    0x6666, 0x6666, 0x6666, 0x6666,
];

/// The public key of an Ed25519 seed (RFC 8032, 5.1.5).
pub(super) fn ed25519(seed: &[u8; 32]) -> [u8; 32] {
    let hash = Sha512::digest(seed);
    let mut scalar = [0; 32];
    scalar.copy_from_slice(&hash[..32]);
    let point = times_base(&clamped(scalar));
    let inverse = inverted(&point.z);
    let mut bytes = packed(&product(&point.y, &inverse));
    let x = packed(&product(&point.x, &inverse));
    bytes[31] ^= (x[0] & 1) << 7;
    bytes
}

/// The public key of an X25519 key (RFC 7748, 6.1), by way of the Edwards curve: u is
/// (1 + y) / (1 − y).
pub(super) fn x25519(secret: &[u8; 32]) -> [u8; 32] {
    let point = times_base(&clamped(*secret));
    let above = sum(&point.z, &point.y);
    let below = difference(&point.z, &point.y);
    packed(&product(&above, &inverted(&below)))
}

fn clamped(mut scalar: [u8; 32]) -> [u8; 32] {
    scalar[0] &= 248;
    scalar[31] &= 127;
    scalar[31] |= 64;
    scalar
}

/// A point in extended coordinates: x = X/Z, y = Y/Z, T = XY/Z.
#[derive(Clone, Copy)]
struct Point {
    x: Field,
    y: Field,
    z: Field,
    t: Field,
}

fn times_base(scalar: &[u8; 32]) -> Point {
    let base = Point {
        x: BASE_X,
        y: BASE_Y,
        z: ONE,
        t: product(&BASE_X, &BASE_Y),
    };
    let neutral = Point {
        x: ZERO,
        y: ONE,
        z: ONE,
        t: ZERO,
    };
    (0..256).rev().fold(neutral, |point, bit| {
        let double = added(&point, &point);
        match scalar[bit / 8] >> (bit % 8) & 1 {
            1 => added(&double, &base),
            _ => double,
        }
    })
}

/// The complete addition of RFC 8032, 5.1.4.
fn added(p: &Point, q: &Point) -> Point {
    let a = product(&difference(&p.y, &p.x), &difference(&q.y, &q.x));
    let b = product(&sum(&p.x, &p.y), &sum(&q.x, &q.y));
    let c = product(&product(&p.t, &q.t), &D2);
    let zz = product(&p.z, &q.z);
    let d = sum(&zz, &zz);
    let (e, f, g, h) = (
        difference(&b, &a),
        difference(&d, &c),
        sum(&d, &c),
        sum(&b, &a),
    );
    Point {
        x: product(&e, &f),
        y: product(&h, &g),
        z: product(&g, &f),
        t: product(&e, &h),
    }
}

fn sum(a: &Field, b: &Field) -> Field {
    std::array::from_fn(|at| a[at] + b[at])
}

fn difference(a: &Field, b: &Field) -> Field {
    std::array::from_fn(|at| a[at] - b[at])
}

fn product(a: &Field, b: &Field) -> Field {
    let mut wide = [0i64; 31];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            wide[i + j] += x * y;
        }
    }
    // 2²⁵⁶ is 38.
    let mut low: Field = std::array::from_fn(|at| wide[at] + 38 * wide.get(at + 16).unwrap_or(&0));
    carry(&mut low);
    carry(&mut low);
    low
}

/// Brings the limbs to sixteen bits, but for what is left over once.
fn carry(number: &mut Field) {
    for at in 0..16 {
        let over = number[at] >> 16;
        number[at] -= over << 16;
        match at {
            15 => number[0] += 38 * over,
            _ => number[at + 1] += over,
        }
    }
}

/// The number to the power of 2²⁵⁵ − 21.
fn inverted(number: &Field) -> Field {
    (0..254).rev().fold(*number, |power, bit| {
        let square = product(&power, &power);
        match bit {
            2 | 4 => square,
            _ => product(&square, number),
        }
    })
}

/// The one representation below 2²⁵⁵ − 19, little endian.
fn packed(number: &Field) -> [u8; 32] {
    let mut number = *number;
    (0..3).for_each(|_| carry(&mut number));
    for _ in 0..2 {
        let mut less = number;
        less[0] -= 0xffed;
        for at in 1..16 {
            less[at] -= if at == 15 { 0x7fff } else { 0xffff };
            less[at] -= less[at - 1] >> 16 & 1;
            less[at - 1] &= 0xffff;
        }
        let negative = less[15] >> 16 & 1 == 1;
        less[15] &= 0xffff;
        if !negative {
            number = less;
        }
    }
    let mut bytes = [0; 32];
    for (pair, limb) in bytes.chunks_exact_mut(2).zip(number) {
        pair.copy_from_slice(&(limb as u16).to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> [u8; 32] {
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes());
        bytes.expect("hex").try_into().expect("32 bytes")
    }

    /// Counts from `first`, so that no text of the specification's length stands here.
    fn counted(first: u8) -> [u8; 32] {
        std::array::from_fn(|at| first + at as u8)
    }

    /// RFC 7748, 5.2: one step from the base point is the base point times that number.
    #[test]
    fn x25519_is_that_of_the_specification() {
        let mut nine = [0; 32];
        nine[0] = 9;
        let once = concat!(
            "422c8e7a6227d7bca1350b3e2bb7279f",
            "7897b87bb6854b783c60e80311ae3079"
        );
        assert_eq!(x25519(&nine), bytes(once));
    }

    /// Made with OpenSSL 3.0: `openssl pkey -pubout` of a key whose seed counts from 0.
    #[test]
    fn ed25519_is_that_of_others() {
        let public = concat!(
            "03a107bff3ce10be1d70dd18e74bc099",
            "67e4d6309ba50d5f1ddc8664125531b8"
        );
        assert_eq!(ed25519(&counted(0)), bytes(public));
    }
}
