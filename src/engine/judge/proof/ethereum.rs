//! The account of an Ethereum key: the last 20 bytes of Keccak-256 of its public point (Ethereum Yellow
//! Paper, appendix F). Nearly every number of 32 bytes is a key, so that an address proves nothing; it
//! says whose the key is.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use sha3::{Digest, Keccak256};

use super::{Candidate, Verdict, weierstrass};

/// 64 hexadecimal digits, `0x` before them or not.
pub(super) fn address(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let digits = secret.strip_prefix(b"0x").unwrap_or(secret);
    let number = HEXLOWER_PERMISSIVE.decode(digits);
    let number = number.ok().filter(|number| number.len() == 32);
    let point = number.and_then(|number| weierstrass::public("secp256k1", &number));
    match point {
        Some(point) => {
            let hash = Keccak256::digest(&point[1..]);
            let address = HEXLOWER.encode(&hash[12..]);
            Verdict::structure(format!("Ethereum address 0x{address}"), None)
        }
        None => Verdict::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::says;
    use super::*;

    /// The account of the number 1, which anybody can look up.
    #[test]
    fn an_address_is_that_of_the_point() {
        let address = "Ethereum address 0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
        let one = format!("{:064x}", 1);
        for text in [one.clone(), format!("0x{one}")] {
            says(
                "ethereum-address",
                &text,
                &Verdict::structure(address, None),
            );
        }
        says("ethereum-address", &"0".repeat(64), &Verdict::Open);
        says("ethereum-address", "{{hex:40}}", &Verdict::Open);
    }
}
