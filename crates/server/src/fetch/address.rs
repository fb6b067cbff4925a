//! Which addresses may be connected to. Pure; judged after DNS, on the very address that is then connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is not a public IPv4 host: RFC 6890 and the IANA IPv4 Special-Purpose Address Registry, multicast, reserved.
const V4: &[(&str, [u8; 4], u8)] = &[
    ("unspecified", [0, 0, 0, 0], 8),
    ("private", [10, 0, 0, 0], 8),
    ("shared", [100, 64, 0, 0], 10),
    ("loopback", [127, 0, 0, 0], 8),
    ("link_local", [169, 254, 0, 0], 16),
    ("private", [172, 16, 0, 0], 12),
    ("protocol", [192, 0, 0, 0], 24),
    ("documentation", [192, 0, 2, 0], 24),
    ("relay", [192, 88, 99, 0], 24),
    ("private", [192, 168, 0, 0], 16),
    ("benchmark", [198, 18, 0, 0], 15),
    ("documentation", [198, 51, 100, 0], 24),
    ("documentation", [203, 0, 113, 0], 24),
    ("multicast", [224, 0, 0, 0], 4),
    ("reserved", [240, 0, 0, 0], 4),
];

/// What is not a public IPv6 host, although it lies within `2000::/3` (IANA IPv6 Special-Purpose Address Registry).
const V6: &[(&str, [u16; 8], u8)] = &[
    // Teredo, benchmarking, ORCHID and whatever else the IETF gives out for protocols.
    ("protocol", [0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ("documentation", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ("documentation", [0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

/// Names for what lies outside of `2000::/3`. Nothing there is a public host; the names are for the operator only.
const V6_OUTSIDE: &[(&str, [u16; 8], u8)] = &[
    ("unspecified", [0, 0, 0, 0, 0, 0, 0, 0], 128),
    ("loopback", [0, 0, 0, 0, 0, 0, 0, 1], 128),
    ("unique_local", [0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
    ("link_local", [0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    ("site_local", [0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),
    ("multicast", [0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
];

/// Why an address is not one of a public host; `None` if it is. An IPv6 address that carries an IPv4 address is judged
/// by what it carries, since that is where the packets go.
pub fn forbidden(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => forbidden_v4(v4),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => forbidden_v4(v4),
            None => forbidden_v6(v6),
        },
    }
}

/// Whether an address is this machine's own.
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn forbidden_v4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = u128::from(u32::from(address));
    let prefix = |net: [u8; 4]| u128::from(u32::from(Ipv4Addr::from(net)));
    V4.iter().find(|(_, net, length)| same_prefix(bits, prefix(*net), *length, 32)).map(|(name, ..)| *name)
}

fn forbidden_v6(address: Ipv6Addr) -> Option<&'static str> {
    let bits = u128::from(address);
    let within = |(_, net, length): &&(&'static str, [u16; 8], u8)| {
        same_prefix(bits, u128::from(Ipv6Addr::from(*net)), *length, 128)
    };
    if bits >> 125 == 0b001 {
        return V6.iter().find(within).map(|(name, ..)| *name);
    }
    Some(V6_OUTSIDE.iter().find(within).map_or("reserved", |(name, ..)| *name))
}

/// The IPv4 address within: mapped (RFC 4291 section 2.5.5.2), NAT64 (RFC 6052 section 2.1), 6to4 (RFC 3056 section 2).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

fn same_prefix(a: u128, b: u128, length: u8, width: u32) -> bool {
    (a ^ b) >> (width - u32::from(length)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> Option<&'static str> {
        forbidden(text.parse().unwrap())
    }

    #[test]
    fn addresses_that_are_no_public_hosts_are_refused_by_name() {
        for (name, addresses) in [
            ("unspecified", &["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"][..]),
            (
                "loopback",
                &[
                    "127.0.0.1",
                    "127.255.255.255",
                    "::1",
                    "::ffff:127.0.0.1",
                    "64:ff9b::7f00:1",
                    "2002:7f00:1::",
                ],
            ),
            (
                "private",
                &[
                    "10.0.0.1",
                    "172.16.0.1",
                    "172.31.255.255",
                    "192.168.1.1",
                    "::ffff:10.1.2.3",
                    "64:ff9b::a01:203",
                    "2002:c0a8:101::1",
                ],
            ),
            ("shared", &["100.64.0.1", "100.127.255.255"]),
            ("link_local", &["169.254.169.254", "fe80::1", "febf::1", "::ffff:169.254.169.254"]),
            ("protocol", &["192.0.0.1", "2001::1", "2001:2::1", "2001:1ff::1"]),
            (
                "documentation",
                &["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1", "3fff:fff::1"],
            ),
            ("relay", &["192.88.99.1"]),
            ("benchmark", &["198.18.0.1", "198.19.255.255"]),
            ("multicast", &["224.0.0.1", "239.255.255.255", "ff02::1"]),
            (
                "reserved",
                &[
                    "240.0.0.1",
                    "255.255.255.255",
                    "::127.0.0.1",
                    "64:ff9b:1::1",
                    "100::1",
                    "4000::1",
                    "5f00::1",
                ],
            ),
            ("unique_local", &["fc00::1", "fd12::1"]),
            ("site_local", &["fec0::1", "feff::1"]),
        ] {
            for address in addresses {
                assert_eq!(judge(address), Some(name), "{address}");
            }
        }
    }

    #[test]
    fn addresses_of_public_hosts_pass() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "2a00::1",
            "3ffe::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert_eq!(judge(address), None, "{address}");
        }
    }

    #[test]
    fn loopback_is_told_in_its_spellings() {
        for (address, expected) in [
            ("127.0.0.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
            ("::2", false),
        ] {
            assert_eq!(is_loopback(address.parse().unwrap()), expected, "{address}");
        }
    }
}
