//! Public halves of keys on Curve25519 (RFC 7748 and RFC 8032): what a key that already leaked
//! would tell anybody.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use sha2::{Digest, Sha512};

/// The public key of an Ed25519 seed (RFC 8032, 5.1.5).
pub(super) fn ed25519(seed: &[u8; 32]) -> [u8; 32] {
    let hash = Sha512::digest(seed);
    let mut scalar = [0; 32];
    scalar.copy_from_slice(&hash[..32]);
    EdwardsPoint::mul_base_clamped(scalar).compress().to_bytes()
}

/// The public key of an X25519 key (RFC 7748, 6.1).
pub(super) fn x25519(secret: &[u8; 32]) -> [u8; 32] {
    MontgomeryPoint::mul_base_clamped(*secret).to_bytes()
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
