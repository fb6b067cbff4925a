//! Where a response may go, and by which way. A [`ReturnTo`] is made only by [`check`], so a wrong redirect does not
//! compile.

use std::fmt;

use serde_json::{Map, Value};
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::authorize::Channel;
use crate::context::UnixTime;
use crate::fault::Fault;
use crate::ids::ClientId;
use crate::records::{ApplicationType, Client, ResponseMode};
use crate::response::Protection;

/// JARM section 2.1: "A maximum JWT lifetime of 10 minutes is RECOMMENDED."
const JARM_LIFETIME: i64 = 600;

/// A redirect URI that is registered for a known client, with what every response to it carries and the way it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo {
    uri: String,
    state: Option<String>,
    issuer: String,
    client_id: ClientId,
    channel: Channel,
}

/// The parameters of a response, in the order in which they are sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(&'static str, Zeroizing<String>)>);

impl fmt::Debug for Parameters {
    /// Names only; values are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Parameters {
    /// Adds one.
    pub fn push(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.push((name, Zeroizing::new(value.into())));
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

/// A response on its way out.
#[derive(Debug)]
pub enum Delivery {
    /// It can go.
    Ready(Ready),
    /// It is to become a JWT first (JARM section 2.1).
    Seal(Box<Sealing>),
}

/// What the browser is to do with a response.
#[derive(Debug)]
pub enum Ready {
    /// Go there.
    Redirect(Zeroizing<String>),
    /// Post these fields there (OAuth 2.0 Form Post Response Mode section 2).
    Form {
        /// Where to.
        action: String,
        /// What.
        fields: Parameters,
    },
}

/// A response that is to be signed, and perhaps encrypted, before it goes.
#[derive(Debug)]
pub struct Sealing {
    /// How.
    pub protection: Protection,
    /// What is in it.
    pub claims: Map<String, Value>,
    uri: String,
    mode: ResponseMode,
}

impl Sealing {
    /// The delivery of the finished JWT. JARM section 2.3: it is the one parameter `response`; everything else is inside.
    pub fn deliver(self, jwt: String) -> Ready {
        let mut parameters = Parameters::default();
        parameters.push("response", jwt);
        place(self.mode, self.uri, parameters)
    }
}

/// Compares `requested` with the client's registered redirect URIs.
///
/// OpenID Connect Core section 3.1.2.1: "This URI MUST exactly match one of the Redirection URI values for the
/// Client pre-registered at the OpenID Provider, with the matching performed as described in Section 6.2.1 of
/// \[RFC3986\] (Simple String Comparison)." Native applications on loopback may use any port (RFC 8252 section 7.3,
/// RFC 9700 section 4.1.3).
pub fn check(
    client: &Client,
    requested: &str,
    state: Option<&str>,
    issuer: &str,
    channel: Channel,
) -> Result<ReturnTo, Fault> {
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
        channel,
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

    /// The same place by another way.
    #[must_use]
    pub fn by(self, channel: Channel) -> Self {
        Self { channel, ..self }
    }

    /// The client this leads to.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The delivery of a response with these parameters; `state` and `iss` are added here.
    pub fn respond(&self, mut parameters: Parameters, now: UnixTime) -> Delivery {
        if let Some(state) = &self.state {
            parameters.push("state", state.as_str());
        }
        let Some(protection) = self.channel.protection() else {
            // RFC 9207 section 2: the `iss` parameter, in error responses too.
            parameters.push("iss", self.issuer.as_str());
            return Delivery::Ready(place(self.channel.mode(), self.uri.clone(), parameters));
        };
        // JARM section 2.1: iss, aud and exp, and the parameters of the response as they are. RFC 9207 section 2.4: the
        // JWT's own `iss` takes the place of the parameter.
        let mut claims: Map<String, Value> =
            parameters.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        claims.insert("iss".into(), self.issuer.as_str().into());
        claims.insert("aud".into(), self.client_id.as_str().into());
        claims.insert("exp".into(), (now + JARM_LIFETIME).into());
        Delivery::Seal(Box::new(Sealing {
            protection: protection.clone(),
            claims,
            uri: self.uri.clone(),
            mode: self.channel.mode(),
        }))
    }

    /// The delivery of an error (RFC 6749 section 4.1.2.1; JARM section 2.1 for those in a JWT).
    pub fn refuse(&self, fault: &Fault, now: UnixTime) -> Delivery {
        let mut parameters = Parameters::default();
        parameters.push("error", fault.wire());
        parameters.push("error_description", description(fault));
        self.respond(parameters, now)
    }
}

/// Puts parameters where the mode says.
fn place(mode: ResponseMode, uri: String, parameters: Parameters) -> Ready {
    use ResponseMode::{FormPost, FormPostJwt, Fragment, FragmentJwt, Jwt, Query, QueryJwt};
    let separator = match mode {
        FormPost | FormPostJwt => return Ready::Form { action: uri, fields: parameters },
        Fragment | FragmentJwt => '#',
        // RFC 6749 section 3.1.2: a query that the redirect URI has must be kept.
        Query | QueryJwt | Jwt if uri.contains('?') => '&',
        Query | QueryJwt | Jwt => '?',
    };
    let mut encoder = url::form_urlencoded::Serializer::new(String::new());
    encoder.extend_pairs(parameters.iter());
    Ready::Redirect(Zeroizing::new(format!("{uri}{separator}{}", encoder.finish())))
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
        check(&client, requested, None, "https://op.example", Channel::query()).is_ok()
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

    fn to(mode: ResponseMode, state: Option<&str>) -> ReturnTo {
        let mut client = client("c");
        let uri = "https://rp.example/cb?x=1";
        client.settings.redirect_uris = vec![uri.into()];
        let settings = crate::records::TenantSettings::default();
        let channel = Channel::new(mode, &client, &[], &settings, 0).unwrap();
        check(&client, uri, state, "https://op.example", channel).unwrap()
    }

    fn code() -> Parameters {
        let mut parameters = Parameters::default();
        parameters.push("code", "k");
        parameters
    }

    fn address(delivery: Delivery) -> String {
        match delivery {
            Delivery::Ready(Ready::Redirect(location)) => location.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn responses_keep_the_query_and_carry_state_and_iss() {
        let query = to(ResponseMode::Query, Some("a b&c"));
        assert_eq!(
            address(query.respond(code(), 0)),
            "https://rp.example/cb?x=1&code=k&state=a+b%26c&iss=https%3A%2F%2Fop.example"
        );
        assert!(address(query.refuse(&Fault::PkceMethodUnsupported, 0)).contains("must+be+%27S256%27"));
        let fragment = to(ResponseMode::Fragment, None);
        assert_eq!(
            address(fragment.respond(code(), 0)),
            "https://rp.example/cb?x=1#code=k&iss=https%3A%2F%2Fop.example"
        );
        let Delivery::Ready(Ready::Form { action, fields }) =
            to(ResponseMode::FormPost, Some("s")).respond(code(), 0)
        else {
            panic!("no form");
        };
        assert_eq!(action, "https://rp.example/cb?x=1");
        assert_eq!(
            fields.iter().collect::<Vec<_>>(),
            [("code", "k"), ("state", "s"), ("iss", "https://op.example")]
        );
    }

    #[test]
    fn a_jwt_carries_everything_and_nothing_stands_beside_it_jarm_2_1() {
        let Delivery::Seal(sealing) = to(ResponseMode::QueryJwt, Some("s")).respond(code(), 100) else {
            panic!("in the clear");
        };
        assert_eq!(
            Value::Object(sealing.claims.clone()),
            serde_json::json!({
                "iss": "https://op.example", "aud": "c", "exp": 700, "code": "k", "state": "s"
            })
        );
        assert_eq!(
            address(Delivery::Ready(sealing.deliver("a.b.c".into()))),
            "https://rp.example/cb?x=1&response=a.b.c"
        );
    }
}
