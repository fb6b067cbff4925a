//! Where a URL leads: its host and port, and what is allowed there.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

use super::address;
use super::fault::FetchFault;
use signet_core::client_policy::Mode;

/// A host that may have any address: `host`, or `host:port` for that port only.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct AllowedHost {
    host: String,
    port: Option<u16>,
}

impl TryFrom<String> for AllowedHost {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is neither a host nor host:port");
        let (host, port) = match text.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>())) {
            Some((host, Ok(port))) => (host, Some(port)),
            _ => (text.as_str(), None),
        };
        let url = Url::parse(&format!("https://{host}/")).map_err(|_| wrong())?;
        let plain =
            url.username().is_empty() && url.port().is_none() && url.path() == "/" && url.query().is_none();
        let host = url.host_str().filter(|_| plain).ok_or_else(wrong)?;
        Ok(Self { host: name(host).to_owned(), port })
    }
}

/// A name is the same with and without the dot of the root.
fn name(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// What may be fetched from here.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) allowed: Vec<AllowedHost>,
    pub(super) mode: Mode,
}

/// Where one fetch goes to. The host is what the URL parser made of it: `0x7f.1` is 127.0.0.1 here.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub(super) url: Url,
    /// Name or address, without brackets and without the dot of the root.
    pub(super) host: String,
    /// Set where the URL has an address instead of a name.
    pub(super) literal: Option<IpAddr>,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// The operator named it: any address will do, and a certificate that is itself on the extra list.
    pub(super) listed: bool,
}

impl Policy {
    /// Judges what can be judged before DNS is asked.
    pub(super) fn destination(&self, url: &str) -> Result<Destination, FetchFault> {
        let mut url = Url::parse(url).map_err(|_| FetchFault::Malformed)?;
        // Plain http is for loopback in development only; where it leads is known after DNS.
        let tls = match (url.scheme(), self.mode) {
            ("https", _) => true,
            ("http", Mode::Development) => false,
            _ => return Err(FetchFault::NotHttps),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchFault::UserInfo);
        }
        // RFC 9110 section 4.2.5: the fragment is not part of what is asked for.
        url.set_fragment(None);
        let (host, literal) = match url.host().ok_or(FetchFault::Malformed)? {
            Host::Domain(domain) => (name(domain).to_owned(), None),
            Host::Ipv4(v4) => (v4.to_string(), Some(IpAddr::V4(v4))),
            Host::Ipv6(v6) => (v6.to_string(), Some(IpAddr::V6(v6))),
        };
        let port = url.port_or_known_default().ok_or(FetchFault::Malformed)?;
        let spelled = url.host_str().map(name).unwrap_or_default();
        let listed =
            self.allowed.iter().any(|one| one.host == spelled && one.port.is_none_or(|only| only == port));
        Ok(Destination { url, host, literal, port, tls, listed })
    }

    /// Judges every address that the host has. One that is forbidden spoils them all: a public host has no private
    /// address beside its public one, and whoever mixes them is trying something.
    pub(super) fn addresses(&self, to: &Destination, found: &[IpAddr]) -> Result<(), FetchFault> {
        if found.is_empty() {
            return Err(FetchFault::Unresolved);
        }
        if !to.tls && !found.iter().copied().all(address::is_loopback) {
            return Err(FetchFault::NotHttps);
        }
        let exempt = |ip: IpAddr| to.listed || (self.mode == Mode::Development && address::is_loopback(ip));
        let refused = found.iter().copied().filter(|ip| !exempt(*ip)).find_map(address::forbidden);
        refused.map_or(Ok(()), |kind| Err(FetchFault::AddressForbidden { kind }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(mode: Mode, allowed: &[&str]) -> Policy {
        let allowed = allowed.iter().map(|one| AllowedHost::try_from((*one).to_owned()).unwrap()).collect();
        Policy { allowed, mode }
    }

    fn judge(policy: &Policy, url: &str, found: &[&str]) -> Result<(), &'static str> {
        let found: Vec<IpAddr> = found.iter().map(|one| one.parse().unwrap()).collect();
        let to = policy.destination(url).map_err(|fault| fault.code())?;
        let found = to.literal.map_or(found, |ip| vec![ip]);
        policy.addresses(&to, &found).map_err(|fault| fault.code())
    }

    #[test]
    fn what_may_be_fetched_in_production() {
        let strict = policy(Mode::Production, &[]);
        for (url, found, expected) in [
            ("https://rp.example/jwks", &["1.1.1.1"][..], Ok(())),
            ("https://rp.example:8443/jwks#part", &["1.1.1.1", "2606:4700::1111"], Ok(())),
            ("https://1.1.1.1/", &[], Ok(())),
            ("https://rp.example/", &[], Err("fetch_unresolved")),
            ("https://rp.example/", &["1.1.1.1", "10.0.0.1"], Err("fetch_address_forbidden")),
            ("http://rp.example/", &["1.1.1.1"], Err("fetch_not_https")),
            ("http://localhost/", &["127.0.0.1"], Err("fetch_not_https")),
            ("ftp://rp.example/", &[], Err("fetch_not_https")),
            ("file:///etc/passwd", &[], Err("fetch_not_https")),
            ("https://user@rp.example/", &[], Err("fetch_user_info")),
            ("https://:secret@rp.example/", &[], Err("fetch_user_info")),
            ("https://rp.example@10.0.0.1/", &[], Err("fetch_user_info")),
            ("https://", &[], Err("fetch_url_malformed")),
            ("rp.example/jwks", &[], Err("fetch_url_malformed")),
            ("https://127.0.0.1/", &[], Err("fetch_address_forbidden")),
            ("https://0x7f.1/", &[], Err("fetch_address_forbidden")),
            ("https://2130706433/", &[], Err("fetch_address_forbidden")),
            ("https://0177.0.0.1/", &[], Err("fetch_address_forbidden")),
            ("https://127.1/", &[], Err("fetch_address_forbidden")),
            ("https://①②⑦.0.0.1/", &[], Err("fetch_address_forbidden")),
            ("https://[::1]/", &[], Err("fetch_address_forbidden")),
            ("https://[::ffff:127.0.0.1]/", &[], Err("fetch_address_forbidden")),
            ("https://[::ffff:7f00:1]/", &[], Err("fetch_address_forbidden")),
            ("https://[64:ff9b::10.0.0.1]/", &[], Err("fetch_address_forbidden")),
            ("https://localhost/", &["127.0.0.1"], Err("fetch_address_forbidden")),
            ("https://localhost./", &["127.0.0.1"], Err("fetch_address_forbidden")),
        ] {
            assert_eq!(judge(&strict, url, found), expected, "{url} {found:?}");
        }
    }

    #[test]
    fn development_adds_loopback_and_nothing_else() {
        let dev = policy(Mode::Development, &[]);
        for (url, found, expected) in [
            ("http://localhost:3000/", &["127.0.0.1", "::1"][..], Ok(())),
            ("http://127.0.0.1:3000/", &[], Ok(())),
            ("https://localhost:3000/", &["127.0.0.1"], Ok(())),
            ("http://rp.example/", &["1.1.1.1"], Err("fetch_not_https")),
            ("http://rp.example/", &["127.0.0.1", "1.1.1.1"], Err("fetch_not_https")),
            ("https://rp.example/", &["10.0.0.1"], Err("fetch_address_forbidden")),
            ("https://169.254.169.254/", &[], Err("fetch_address_forbidden")),
        ] {
            assert_eq!(judge(&dev, url, found), expected, "{url} {found:?}");
        }
    }

    #[test]
    fn listed_hosts_may_have_any_address() {
        let listed =
            policy(Mode::Production, &["Rp.Internal", "other.internal:8443", "[fd00::1]:9000", "10.0.0.9"]);
        for (url, found, expected) in [
            ("https://rp.internal/", &["10.0.0.1"][..], Ok(())),
            ("https://RP.internal.:444/", &["127.0.0.1"], Ok(())),
            ("https://other.internal:8443/", &["10.0.0.1"], Ok(())),
            ("https://other.internal/", &["10.0.0.1"], Err("fetch_address_forbidden")),
            ("https://[fd00::1]:9000/", &[], Ok(())),
            ("https://[fd00::1]/", &[], Err("fetch_address_forbidden")),
            ("https://10.0.0.9/", &[], Ok(())),
            ("https://10.0.0.10/", &[], Err("fetch_address_forbidden")),
            ("https://sub.rp.internal/", &["10.0.0.1"], Err("fetch_address_forbidden")),
            ("http://rp.internal/", &["10.0.0.1"], Err("fetch_not_https")),
        ] {
            assert_eq!(judge(&listed, url, found), expected, "{url} {found:?}");
        }
        for wrong in
            ["", "https://rp.example", "rp.example/x", "user@rp.example", "rp.example:x", "::1", "a b"]
        {
            assert!(AllowedHost::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
