//! Where a response may go. A [`ReturnTo`] is made only by [`check`], so a wrong redirect does not compile.

use url::{Host, Url};

use crate::fault::Fault;
use crate::ids::ClientId;
use crate::records::{ApplicationType, Client};

/// A redirect URI that is registered for a known client, with what every response to it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo {
    uri: String,
    state: Option<String>,
    issuer: String,
    client_id: ClientId,
}

/// Compares `requested` with the client's registered redirect URIs.
///
/// OpenID Connect Core section 3.1.2.1: "This URI MUST exactly match one of the Redirection URI values for the
/// Client pre-registered at the OpenID Provider, with the matching performed as described in Section 6.2.1 of
/// \[RFC3986\] (Simple String Comparison)." Native applications on loopback may use any port (RFC 8252 section 7.3,
/// RFC 9700 section 4.1.3).
pub fn check(client: &Client, requested: &str, state: Option<&str>, issuer: &str) -> Result<ReturnTo, Fault> {
    let settings = &client.settings;
    let registered = settings.redirect_uris.iter().any(|uri| {
        uri == requested
            || (settings.application_type == ApplicationType::Native && loopback_match(uri, requested))
    });
    if !registered {
        return Err(Fault::RedirectUriUnregistered);
    }
    Ok(ReturnTo {
        uri: requested.to_owned(),
        state: state.map(str::to_owned),
        issuer: issuer.to_owned(),
        client_id: client.client_id.clone(),
    })
}

/// RFC 8252 section 7.3: "The authorization server MUST allow any port to be specified at the time of the request for
/// loopback IP redirect URIs".
fn loopback_match(registered: &str, requested: &str) -> bool {
    let (Some(a), Some(b)) = (loopback(registered), loopback(requested)) else { return false };
    a == b
}

/// The URI without its port, if it is plain http on a loopback host, and written in normal form.
fn loopback(uri: &str) -> Option<Url> {
    let mut url = Url::parse(uri).ok()?;
    let plain = url.scheme() == "http"
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    // Only what parses back to itself is compared: no backslashes, tabs, dot segments or other spellings.
    let normal = url.as_str() == uri || url.as_str().strip_suffix('/') == Some(uri);
    if is_loopback(&url) && plain && normal {
        url.set_port(None).ok()?;
        Some(url)
    } else {
        None
    }
}

/// Whether the host is this very machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl ReturnTo {
    /// The bare redirect URI.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The `state` that goes back.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The client this leads to.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// RFC 6749 section 4.1.2 and RFC 9207: the address that carries the code to the client.
    pub fn with_code(&self, code: &str) -> String {
        self.with(&[("code", code)])
    }

    /// RFC 6749 section 4.1.2.1: the address that carries an error to the client.
    pub fn with_error(&self, fault: &Fault) -> String {
        self.with(&[("error", fault.wire()), ("error_description", &description(fault))])
    }

    fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut encoder = url::form_urlencoded::Serializer::new(String::new());
        encoder.extend_pairs(parameters);
        if let Some(state) = &self.state {
            encoder.append_pair("state", state);
        }
        // RFC 9207 section 2: the `iss` parameter, in error responses too.
        encoder.append_pair("iss", &self.issuer);
        // RFC 6749 section 3.1.2: a query that the redirect URI has must be kept.
        let separator = if self.uri.contains('?') { '&' } else { '?' };
        format!("{}{separator}{}", self.uri, encoder.finish())
    }
}

/// RFC 6749 section 4.1.2.1: "Values for the `error_description` parameter MUST NOT include characters outside the
/// set %x20-21 / %x23-5B / %x5D-7E."
pub fn description(fault: &Fault) -> String {
    let clean = |c: char| match c {
        '"' => '\'',
        '\\' => '/',
        ' '..='~' => c,
        _ => '?',
    };
    fault.public().chars().map(clean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::client;

    fn with(kind: ApplicationType, registered: &str, requested: &str) -> bool {
        let mut client = client("c");
        client.settings.application_type = kind;
        client.settings.redirect_uris = vec![registered.into()];
        check(&client, requested, None, "https://op.example").is_ok()
    }

    #[test]
    fn web_redirect_uris_match_character_by_character() {
        let registered = "https://rp.example/cb?x=1";
        assert!(with(ApplicationType::Web, registered, registered));
        for other in [
            "https://rp.example/cb",
            "https://rp.example/cb?x=1&y=2",
            "https://rp.example/cb?x=1#f",
            "https://RP.example/cb?x=1",
            "https://rp.example:443/cb?x=1",
            "https://rp.example/./cb?x=1",
            "http://rp.example/cb?x=1",
            "https://rp.example.evil/cb?x=1",
            "https://u@rp.example/cb?x=1",
            "https://rp.example/cb?x=1 ",
            "https://rp.example/cb%3Fx=1",
            "",
        ] {
            assert!(!with(ApplicationType::Web, registered, other), "{other}");
        }
        assert!(!with(ApplicationType::Web, "http://127.0.0.1/cb", "http://127.0.0.1:4711/cb"));
    }

    #[test]
    fn native_loopback_may_use_any_port_rfc8252_7_3() {
        use ApplicationType::Native;
        assert!(with(Native, "http://127.0.0.1/cb", "http://127.0.0.1:4711/cb"));
        assert!(with(Native, "http://[::1]:8080/cb", "http://[::1]:4711/cb"));
        assert!(with(Native, "http://localhost:1/cb", "http://localhost:4711/cb"));
        for other in [
            "http://127.0.0.1:4711/other",
            "http://127.0.0.2:4711/cb",
            "https://127.0.0.1:4711/cb",
            "http://127.0.0.1:4711/cb?x",
            "http://127.0.0.1:4711/cb#x",
            "http://u:p@127.0.0.1:4711/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:4711\\@evil.example/cb",
            "http://0x7f.1:4711/cb",
            "http://localhost:4711/cb",
        ] {
            assert!(!with(Native, "http://127.0.0.1/cb", other), "{other}");
        }
        assert!(!with(Native, "com.example:/cb", "com.example:/cb2"));
    }

    #[test]
    fn responses_keep_the_query_and_carry_state_and_iss() {
        let mut client = client("c");
        client.settings.redirect_uris = vec!["https://rp.example/cb?x=1".into()];
        let to = check(&client, "https://rp.example/cb?x=1", Some("a b&c"), "https://op.example").unwrap();
        assert_eq!(
            to.with_code("k"),
            "https://rp.example/cb?x=1&code=k&state=a+b%26c&iss=https%3A%2F%2Fop.example"
        );
        assert!(to.with_error(&Fault::PkceMethodUnsupported).contains("must+be+%27S256%27"));
    }
}
