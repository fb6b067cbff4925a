//! Reverse proxies in front of this node, and whom they speak for.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;

/// Addresses of proxies whose `X-Forwarded-For` is believed: single ones and CIDR blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Proxies(Vec<Block>);

/// An address, or a block of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Block(IpNet);

impl TryFrom<String> for Block {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let single = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        let block = single.or_else(|_| text.parse::<IpNet>());
        block.map(Self).map_err(|_| format!("\"{text}\" is neither an address nor a block like 10.0.0.0/8"))
    }
}

impl Proxies {
    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|block| block.0.contains(&address))
    }

    /// The client's address: the peer; or, when the peer is a trusted proxy, the last address of `X-Forwarded-For` that
    /// is not one itself. Every proxy appends whom it heard from, so what stands left of an untrusted or unreadable
    /// entry is what somebody claims.
    pub fn client<'a>(&self, peer: IpAddr, forwarded: impl Iterator<Item = &'a str>) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).collect();
        for hop in hops.into_iter().rev() {
            let Some(address) = hop_address(hop.trim()) else { return client };
            client = address;
            if !self.trusts(client) {
                return client;
            }
        }
        client
    }
}

/// An address as proxies write it: bare, or with a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    hop.parse().ok().or_else(bare).or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(blocks: &[&str]) -> Proxies {
        Proxies(blocks.iter().map(|block| Block::try_from((*block).to_owned()).unwrap()).collect())
    }

    #[test]
    fn forwarded_addresses_are_believed_from_trusted_proxies_only() {
        let proxies = proxies(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]);
        for (peer, forwarded, expected) in [
            // Not a proxy of ours.
            ("203.0.113.5", &["198.51.100.1"][..], "203.0.113.5"),
            ("192.0.2.8", &["198.51.100.1"], "192.0.2.8"),
            // One of ours.
            ("10.1.2.3", &["198.51.100.1"], "198.51.100.1"),
            ("192.0.2.7", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.1.2.3", &["198.51.100.1"], "198.51.100.1"),
            ("2001:db8::1", &["2a00::1"], "2a00::1"),
            // What the client itself wrote stands left of what the proxy appended.
            ("10.1.2.3", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3", &["1.1.1.1", "198.51.100.1, 10.9.9.9"], "198.51.100.1"),
            // Ports and brackets.
            ("10.1.2.3", &["1.1.1.1, 198.51.100.1:4711"], "198.51.100.1"),
            ("10.1.2.3", &["1.1.1.1, [2a00::1]:4711"], "2a00::1"),
            ("10.1.2.3", &["[2a00::1]"], "2a00::1"),
            // Nothing readable: the proxy that wrote it is as far as can be told.
            ("10.1.2.3", &["1.1.1.1, unknown"], "10.1.2.3"),
            ("10.1.2.3", &["1.1.1.1, unknown, 10.7.7.7"], "10.7.7.7"),
            ("10.1.2.3", &[], "10.1.2.3"),
            ("10.1.2.3", &["10.4.4.4"], "10.4.4.4"),
        ] {
            let address = proxies.client(peer.parse().unwrap(), forwarded.iter().copied());
            assert_eq!(address, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn blocks_are_addresses_or_cidr() {
        for right in ["10.0.0.1", "10.0.0.0/8", "::1", "fd00::/8", "0.0.0.0/0"] {
            assert!(Block::try_from(right.to_owned()).is_ok(), "{right}");
        }
        for wrong in ["", "10.0.0", "10.0.0.0/33", "proxy.example", "10.0.0.1:80"] {
            assert!(Block::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
