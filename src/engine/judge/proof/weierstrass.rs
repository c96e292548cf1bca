//! Public halves of keys on the curves y² = x³ + ax + b over prime fields: those of NIST (P-256, P-384,
//! P-521) and secp256k1. Sources: SEC 2 version 2, 2.4, 2.5 and 2.6; FIPS 186-5 by way of NIST
//! SP 800-186, 3.2.1.
//!
//! The keys were found, so that the time that this takes tells nothing that is still secret. One
//! takes a fraction of a millisecond, on P-521 one or two; in a history the same key comes with
//! each version of its file, so the last ones are remembered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// Limbs of the longest field, 521 bits.
const LIMBS: usize = 9;

/// A number, the lowest limb first.
type Number = [u64; LIMBS];

/// One of the curves, in hexadecimal digits.
struct Curve {
    name: &'static str,
    prime: &'static str,
    /// Whether `a` is −3; otherwise it is 0.
    minus_three: bool,
    /// Coordinates of the base point.
    base: [&'static str; 2],
}

const CURVES: &[Curve] = &[
    Curve {
        name: "P-256",
        prime: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        minus_three: true,
        base: [
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        ],
    },
    Curve {
        name: "P-384",
        prime: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe\
                ffffffff0000000000000000ffffffff",
        minus_three: true,
        base: [
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38\
             5502f25dbf55296c3a545e3872760ab7",
            "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0\
             0a60b1ce1d7e819d7a431d7c90ea0e5f",
        ],
    },
    Curve {
        name: "P-521",
        prime: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
                ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
                ffff",
        minus_three: true,
        base: [
            "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d\
             3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5\
             bd66",
            "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e\
             662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd1\
             6650",
        ],
    },
    Curve {
        name: "secp256k1",
        prime: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
        minus_three: false,
        base: [
            "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
        ],
    },
];

/// The public key of `secret`, a big-endian number, on the curve called `curve`: an uncompressed
/// point (SEC 1, 2.3.3). `None` for another curve, and for a number that is no key.
pub(super) fn public(curve: &str, secret: &[u8]) -> Option<Vec<u8>> {
    /// Keys that are remembered, by a hash.
    const MOST: usize = 1 << 10;
    /// Points by the hash of curve and key.
    type Points = HashMap<[u8; 32], Option<Vec<u8>>>;
    static KNOWN: Mutex<Option<Points>> = Mutex::new(None);

    let curve = CURVES.iter().find(|known| known.name == curve)?;
    let mut hash = Sha256::new_with_prefix(curve.name);
    hash.update(secret);
    let name: [u8; 32] = hash.finalize().into();
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(point) = known().as_ref().and_then(|known| known.get(&name)) {
        return point.clone();
    }
    let point = computed(curve, secret);
    let mut known = known();
    let known = known.get_or_insert_default();
    if known.len() == MOST {
        known.clear();
    }
    known.insert(name, point.clone());
    point
}

fn computed(curve: &Curve, secret: &[u8]) -> Option<Vec<u8>> {
    let length = curve.prime.len() / 2;
    let zeros = secret.iter().take_while(|&&byte| byte == 0).count();
    let secret = &secret[zeros..];
    if secret.len() > length {
        return None;
    }
    let field = Field::new(number(curve.prime), length);
    let base = Point::of(&field, curve.base.map(number));
    let mut sum = Point::INFINITE;
    for bit in secret
        .iter()
        .flat_map(|&byte| (0..8).rev().map(move |at| byte >> at & 1))
    {
        sum = sum.doubled(&field, curve.minus_three);
        if bit == 1 {
            sum = sum.plus(&base, &field, curve.minus_three);
        }
    }
    let [x, y] = sum.coordinates(&field)?;
    let bytes = |number: Number| {
        let bytes = number.iter().rev().flat_map(|limb| limb.to_be_bytes());
        let bytes: Vec<u8> = bytes.collect();
        bytes[bytes.len() - length..].to_vec()
    };
    Some([vec![4], bytes(x), bytes(y)].concat())
}

/// Whether `point`, compressed or not, is the uncompressed `computed`; `None` for another form.
pub(super) fn is_point(point: &[u8], computed: &[u8]) -> Option<bool> {
    let (&form, rest) = point.split_first()?;
    let (x, y) = computed.get(1..)?.split_at(computed.len() / 2);
    match form {
        4 => Some(point == computed),
        2 | 3 => Some(rest == x && y.last()? & 1 == form & 1),
        _ => None,
    }
}

/// Of hexadecimal digits.
fn number(digits: &str) -> Number {
    let mut number = [0; LIMBS];
    for (at, digit) in digits.bytes().rev().enumerate() {
        let digit = char::from(digit).to_digit(16).unwrap_or(0);
        number[at / 16] |= u64::from(digit) << (4 * (at % 16));
    }
    number
}

fn is_less(a: &Number, b: &Number) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// The sum, which must fit.
fn sum(a: &Number, b: &Number) -> Number {
    let mut carry = false;
    let mut sum = [0; LIMBS];
    for (at, sum) in sum.iter_mut().enumerate() {
        let (low, first) = a[at].overflowing_add(b[at]);
        let (low, second) = low.overflowing_add(u64::from(carry));
        (*sum, carry) = (low, first | second);
    }
    sum
}

/// `a − b`, which must not be negative.
fn difference(a: &Number, b: &Number) -> Number {
    let mut borrow = false;
    let mut difference = [0; LIMBS];
    for (at, difference) in difference.iter_mut().enumerate() {
        let (low, first) = a[at].overflowing_sub(b[at]);
        let (low, second) = low.overflowing_sub(u64::from(borrow));
        (*difference, borrow) = (low, first | second);
    }
    difference
}

/// Arithmetic modulo a prime. Its numbers are multiplied by 2 to the power of 64 times `limbs`,
/// which makes multiplying cheap (Montgomery 1985, "Modular multiplication without trial division").
struct Field {
    prime: Number,
    limbs: usize,
    /// −1 divided by the prime, modulo 2⁶⁴.
    inverse: u64,
}

impl Field {
    fn new(prime: Number, bytes: usize) -> Self {
        // Each step doubles the bits that are right (Newton); an odd number is its own to three bits.
        let mut inverse = prime[0];
        for _ in 0..5 {
            let rest = 2_u64.wrapping_sub(prime[0].wrapping_mul(inverse));
            inverse = inverse.wrapping_mul(rest);
        }
        Self {
            prime,
            limbs: bytes.div_ceil(8),
            inverse: inverse.wrapping_neg(),
        }
    }

    fn reduced(&self, number: Number) -> Number {
        match is_less(&number, &self.prime) {
            true => number,
            false => difference(&number, &self.prime),
        }
    }

    /// Of a number below the prime, its form in the field.
    fn of(&self, number: Number) -> Number {
        let twice = |number, _| self.add(&number, &number);
        (0..64 * self.limbs).fold(number, twice)
    }

    fn add(&self, a: &Number, b: &Number) -> Number {
        self.reduced(sum(a, b))
    }

    fn sub(&self, a: &Number, b: &Number) -> Number {
        match is_less(a, b) {
            true => difference(&sum(a, &self.prime), b),
            false => difference(a, b),
        }
    }

    fn mul(&self, a: &Number, b: &Number) -> Number {
        // One limb more than the product needs while it is made.
        let mut product = [0_u64; LIMBS + 2];
        let limbs = self.limbs;
        for &factor in &b[..limbs] {
            let high = add_product(&mut product, factor, &a[..limbs]);
            let (low, more) = product[limbs].overflowing_add(high);
            product[limbs] = low;
            product[limbs + 1] = u64::from(more);
            // So much of the prime that the lowest limb becomes zero.
            let factor = product[0].wrapping_mul(self.inverse);
            let high = add_product(&mut product, factor, &self.prime[..limbs]);
            let (low, more) = product[limbs].overflowing_add(high);
            product[limbs] = low;
            product[limbs + 1] += u64::from(more);
            product.copy_within(1.., 0);
            product[limbs + 1] = 0;
        }
        // Below twice the prime, which a number has room for but when all limbs are full.
        let mut number = [0; LIMBS];
        number[..limbs].copy_from_slice(&product[..limbs]);
        if limbs < LIMBS {
            number[limbs] = product[limbs];
        }
        self.reduced(number)
    }

    fn square(&self, a: &Number) -> Number {
        self.mul(a, a)
    }

    /// One divided by a number, by Fermat's little theorem.
    fn inverse_of(&self, a: &Number) -> Number {
        let mut two = [0; LIMBS];
        two[0] = 2;
        let power = difference(&self.prime, &two);
        let mut one = [0; LIMBS];
        one[0] = 1;
        let mut result = self.of(one);
        for at in (0..64 * self.limbs).rev() {
            result = self.square(&result);
            if power[at / 64] >> (at % 64) & 1 == 1 {
                result = self.mul(&result, a);
            }
        }
        result
    }

    /// The number whose form in the field is `a`.
    fn number_of(&self, a: &Number) -> Number {
        let mut one = [0; LIMBS];
        one[0] = 1;
        self.mul(a, &one)
    }
}

/// Adds `factor` times `number` to the start of `sum`, and returns what is carried on.
fn add_product(sum: &mut [u64], factor: u64, number: &[u64]) -> u64 {
    let mut carry = 0;
    for (sum, &limb) in sum.iter_mut().zip(number) {
        let wide = u128::from(factor) * u128::from(limb) + u128::from(*sum) + u128::from(carry);
        *sum = wide as u64;
        carry = (wide >> 64) as u64;
    }
    carry
}

/// A point as x/z² and y/z³, or with z = 0 the infinite one.
#[derive(Clone, Copy)]
struct Point {
    x: Number,
    y: Number,
    z: Number,
}

impl Point {
    const INFINITE: Self = Self {
        x: [0; LIMBS],
        y: [0; LIMBS],
        z: [0; LIMBS],
    };

    fn of(field: &Field, [x, y]: [Number; 2]) -> Self {
        let mut one = [0; LIMBS];
        one[0] = 1;
        Self {
            x: field.of(x),
            y: field.of(y),
            z: field.of(one),
        }
    }

    fn is_infinite(&self) -> bool {
        self.z == [0; LIMBS]
    }

    fn doubled(&self, field: &Field, minus_three: bool) -> Self {
        if self.is_infinite() {
            return *self;
        }
        let Self { x, y, z } = self;
        let times = |number: Number, count: usize| {
            (1..count).fold(number, |sum, _| field.add(&sum, &number))
        };
        let y2 = field.square(y);
        let s = times(field.mul(x, &y2), 4);
        let mut slope = field.square(x);
        if minus_three {
            slope = field.sub(&slope, &field.square(&field.square(z)));
        }
        let slope = times(slope, 3);
        let new_x = field.sub(&field.square(&slope), &times(s, 2));
        let moved = field.mul(&slope, &field.sub(&s, &new_x));
        Self {
            x: new_x,
            y: field.sub(&moved, &times(field.square(&y2), 8)),
            z: times(field.mul(y, z), 2),
        }
    }

    fn plus(&self, other: &Self, field: &Field, minus_three: bool) -> Self {
        if self.is_infinite() {
            return *other;
        }
        if other.is_infinite() {
            return *self;
        }
        let (z2, other_z2) = (field.square(&self.z), field.square(&other.z));
        let x = field.mul(&self.x, &other_z2);
        let y = field.mul(&self.y, &field.mul(&other_z2, &other.z));
        let across = field.sub(&field.mul(&other.x, &z2), &x);
        let up = field.sub(&field.mul(&other.y, &field.mul(&z2, &self.z)), &y);
        if across == [0; LIMBS] {
            return match up == [0; LIMBS] {
                true => self.doubled(field, minus_three),
                false => Self::INFINITE,
            };
        }
        let across2 = field.square(&across);
        let across3 = field.mul(&across2, &across);
        let middle = field.mul(&x, &across2);
        let new_x = field.sub(&field.square(&up), &across3);
        let new_x = field.sub(&new_x, &field.add(&middle, &middle));
        let moved = field.mul(&up, &field.sub(&middle, &new_x));
        Self {
            x: new_x,
            y: field.sub(&moved, &field.mul(&y, &across3)),
            z: field.mul(&across, &field.mul(&self.z, &other.z)),
        }
    }

    fn coordinates(&self, field: &Field) -> Option<[Number; 2]> {
        if self.is_infinite() {
            return None;
        }
        let one_by_z = field.inverse_of(&self.z);
        let square = field.square(&one_by_z);
        let x = field.mul(&self.x, &square);
        let y = field.mul(&self.y, &field.mul(&square, &one_by_z));
        Some([field.number_of(&x), field.number_of(&y)])
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    /// The orders of the base points, of the same sources.
    const ORDERS: [(&str, &str); 4] = [
        (
            "P-256",
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        ),
        (
            "P-384",
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
             581a0db248b0a77aecec196accc52973",
        ),
        (
            "P-521",
            "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
             fffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e9138\
             6409",
        ),
        (
            "secp256k1",
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        ),
    ];

    fn bytes(digits: &str) -> Vec<u8> {
        HEXLOWER.decode(digits.as_bytes()).expect("digits")
    }

    /// The order times the base point is the infinite one, and one less is its mirror image: that
    /// runs through every step, and no wrong constant passes.
    #[test]
    fn the_order_leads_back() {
        for (name, order) in ORDERS {
            let mut order = bytes(order);
            let base = public(name, &[1]).expect("the base point");
            let curve = CURVES.iter().find(|curve| curve.name == name);
            let coordinates = curve.expect("listed").base.map(bytes).concat();
            assert_eq!(base[1..], coordinates, "{name}");
            assert_eq!(public(name, &order), None, "{name}");
            *order.last_mut().expect("digits") -= 1;
            let mirrored = public(name, &order).expect("a point");
            let half = base.len() / 2;
            assert_eq!(mirrored[..=half], base[..=half], "{name}");
            assert_ne!(mirrored, base, "{name}");
            order.insert(0, 1);
            assert_eq!(public(name, &order), None, "{name}");
        }
        assert_eq!(public("P-256", &[0; 32]), None);
        assert_eq!(public("brainpoolP256r1", &[1]), None);
    }

    /// Twice the base point of P-256.
    #[test]
    fn points_are_told_in_both_forms() {
        let twice = public("P-256", &[0, 2]).expect("a point");
        let x = bytes("7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978");
        let y = bytes("07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1");
        assert_eq!(twice, [&[4], &x[..], &y].concat());
        assert_eq!(is_point(&twice, &twice), Some(true));
        assert_eq!(is_point(&[&[3], &x[..]].concat(), &twice), Some(true));
        assert_eq!(is_point(&[&[2], &x[..]].concat(), &twice), Some(false));
        assert_eq!(is_point(&[&[4], &x[..]].concat(), &twice), Some(false));
        assert_eq!(is_point(&[&[7], &x[..]].concat(), &twice), None);
        assert_eq!(is_point(&[], &twice), None);
    }
}
