//! Which addresses a secret may be sent to.
//!
//! A host found in scanned text can be anything: `localhost`, a metadata service, a router. All
//! special-purpose ranges are refused unless the user opened them by name; and a number written in
//! one of the old ways is read as what the system's resolver would make of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses: `10.0.0.0/8`, `::1`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    base: IpAddr,
    bits: u8,
}

/// Why a range cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no range of addresses: write 10.0.0.0/8, 127.0.0.1 or fd00::/8")]
pub struct RangeError;

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base, Some(bits)),
            None => (text, None),
        };
        let base: IpAddr = base.parse().map_err(|_| RangeError)?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| RangeError)?,
            None => most,
        };
        match bits <= most {
            true => Ok(Self { base, bits }),
            false => Err(RangeError),
        }
    }
}

impl Range {
    const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Self {
        Self {
            base: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            bits,
        }
    }

    const fn v6(head: [u16; 4], bits: u8) -> Self {
        let [a, b, c, d] = head;
        Self {
            base: IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)),
            bits,
        }
    }

    /// Whether `address` lies in it. IPv4 and IPv6 are different, also where one embeds the other.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.bits);
                let head = |ip: Ipv4Addr| u32::from(ip).checked_shr(shift).unwrap_or(0);
                head(base) == head(address)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.bits);
                let head = |ip: Ipv6Addr| u128::from(ip).checked_shr(shift).unwrap_or(0);
                head(base) == head(address)
            }
            _ => false,
        }
    }
}

/// IPv4 ranges of the IANA special-purpose registry (RFC 6890 and its updates) and multicast.
const SPECIAL_V4: &[Range] = &[
    Range::v4(0, 0, 0, 0, 8),       // this network, RFC 791
    Range::v4(10, 0, 0, 0, 8),      // private, RFC 1918
    Range::v4(100, 64, 0, 0, 10),   // carrier-grade NAT, RFC 6598; also Alibaba's metadata service
    Range::v4(127, 0, 0, 0, 8),     // loopback, RFC 1122
    Range::v4(169, 254, 0, 0, 16),  // link-local, RFC 3927; metadata services of clouds
    Range::v4(172, 16, 0, 0, 12),   // private, RFC 1918
    Range::v4(192, 0, 0, 0, 24),    // protocol assignments, RFC 6890
    Range::v4(192, 0, 2, 0, 24),    // documentation, RFC 5737
    Range::v4(192, 31, 196, 0, 24), // AS112, RFC 7535
    Range::v4(192, 52, 193, 0, 24), // AMT, RFC 7450
    Range::v4(192, 88, 99, 0, 24),  // 6to4 relays, RFC 7526
    Range::v4(192, 168, 0, 0, 16),  // private, RFC 1918
    Range::v4(192, 175, 48, 0, 24), // AS112, RFC 7534
    Range::v4(198, 18, 0, 0, 15),   // benchmarking, RFC 2544
    Range::v4(198, 51, 100, 0, 24), // documentation, RFC 5737
    Range::v4(203, 0, 113, 0, 24),  // documentation, RFC 5737
    Range::v4(224, 0, 0, 0, 4),     // multicast, RFC 5771
    Range::v4(240, 0, 0, 0, 4),     // reserved and broadcast, RFC 1112
];

/// IPv6 ranges of the same registry.
const SPECIAL_V6: &[Range] = &[
    Range::v6([0, 0, 0, 0], 64), // unspecified, loopback, compatible, RFC 4291
    Range::v6([0x64, 0xff9b, 1, 0], 48), // local NAT64, RFC 8215
    Range::v6([0x100, 0, 0, 0], 64), // discard, RFC 6666
    Range::v6([0x2001, 0, 0, 0], 23), // protocol assignments with Teredo, RFC 2928
    Range::v6([0x2001, 0xdb8, 0, 0], 32), // documentation, RFC 3849
    Range::v6([0x3fff, 0, 0, 0], 20), // documentation, RFC 9637
    Range::v6([0x5f00, 0, 0, 0], 16), // segment routing, RFC 9602
    Range::v6([0xfc00, 0, 0, 0], 7), // unique local, RFC 4193; fd00:ec2::254 is metadata
    Range::v6([0xfe80, 0, 0, 0], 10), // link-local, RFC 4291
    Range::v6([0xfec0, 0, 0, 0], 10), // site-local, RFC 3879
    Range::v6([0xff00, 0, 0, 0], 8), // multicast, RFC 4291
];

const NAT64: Range = Range::v6([0x64, 0xff9b, 0, 0], 96); // RFC 6052
const SIX_TO_FOUR: Range = Range::v6([0x2002, 0, 0, 0], 16); // RFC 3056

/// Whether `address` is of a special-purpose range, or embeds an IPv4 address that is.
pub fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => SPECIAL_V4.iter().any(|range| range.contains(address)),
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_special(IpAddr::V4(v4));
            }
            let octets = v6.octets();
            let v4_at = |at: usize| {
                let [a, b, c, d] = [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]];
                is_special(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
            };
            SPECIAL_V6.iter().any(|range| range.contains(address))
                || (NAT64.contains(address) && v4_at(12))
                || (SIX_TO_FOUR.contains(address) && v4_at(2))
        }
    }
}

/// The address that a host written as a number is: dotted or not, of one to four parts, each
/// decimal, octal (`0177`) or hexadecimal (`0x7f`), as `inet_aton` reads it (POSIX.1-2024,
/// `inet_addr`); IPv6 with or without brackets.
pub fn numeric(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let bare = bare.unwrap_or(host);
    // A zone says on which link, and all links are special.
    let without_zone = bare.split('%').next().unwrap_or(bare);
    if let Ok(v6) = without_zone.parse::<Ipv6Addr>() {
        return Some(v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4));
    }
    let text = host.strip_suffix('.').unwrap_or(host);
    let parts: Vec<u64> = text.split('.').map(number).collect::<Option<_>>()?;
    let (&last, heads) = parts.split_last()?;
    if heads.len() > 3 || heads.iter().any(|&part| part > 255) {
        return None;
    }
    let room = 8 * (4 - heads.len() as u32);
    if last >= 1 << room {
        return None;
    }
    let head = heads.iter().fold(0, |sum, part| sum << 8 | part);
    let value = head << room | last;
    Some(IpAddr::V4(Ipv4Addr::from(value as u32)))
}

fn number(part: &str) -> Option<u64> {
    let (digits, radix) = match part.as_bytes() {
        [b'0', b'x' | b'X', ..] => (part.get(2..)?, 16),
        [b'0', _, ..] => (part.get(1..)?, 8),
        _ => (part, 10),
    };
    match digits.is_empty() || digits.starts_with('+') {
        true => None,
        false => u64::from_str_radix(digits, radix).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn special_ranges_are_known() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.0.3",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "fd00:ec2::254",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "100::1",
            "3fff::1",
            "fec0::1",
        ] {
            assert!(is_special(ip(text)), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001:81b::200e",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(!is_special(ip(text)), "{text}");
        }
    }

    #[test]
    fn every_spelling_of_loopback_is_read() {
        for text in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "0x7f.0x0.0x0.0x1",
            "[::1]",
            "::1",
            "[::ffff:127.0.0.1]",
            "::ffff:7f00:1",
            "127.0.0.1.",
            "[::ffff:7f00:1]",
            "fe80::1%eth0",
        ] {
            let address = numeric(text).unwrap_or_else(|| panic!("{text}"));
            assert!(is_special(address), "{text} is {address}");
        }
    }

    #[test]
    fn names_are_no_numbers() {
        for text in [
            "localhost",
            "a.b",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.16777216",
            "0x",
            "",
            "1..2",
            "08",
        ] {
            assert_eq!(numeric(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_are_read_and_hold() {
        let range: Range = "10.0.0.0/8".parse().expect("a range");
        assert!(range.contains(ip("10.255.0.1")));
        assert!(!range.contains(ip("11.0.0.1")));
        let one: Range = "127.0.0.1".parse().expect("a range");
        assert!(one.contains(ip("127.0.0.1")) && !one.contains(ip("127.0.0.2")));
        let all: Range = "::/0".parse().expect("a range");
        assert!(all.contains(ip("fe80::1")) && !all.contains(ip("1.2.3.4")));
        for text in ["10.0.0.0/33", "10.0.0", "x", "::/129", "1.2.3.4/", ""] {
            assert_eq!(text.parse::<Range>(), Err(RangeError), "{text}");
        }
    }
}
