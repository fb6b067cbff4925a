//! The one way in which Signet fetches anything: `request_uri`, `jwks_uri`, `sector_identifier_uri`, logout calls.
//!
//! All of these addresses are chosen by others, so each is a way into the network that Signet stands in (RFC 9101
//! section 10.4.1, OpenID Connect Registration section 9.1). Therefore: https only; no redirects, no proxy, no cookies;
//! one deadline for name, connection, TLS, head and body; a limit on the body that holds while it is read; and the
//! addresses of a host are judged *after* DNS, and exactly those that were judged are connected to. The name is not
//! asked for again, so that a DNS that changes its answer gains nothing.
//!
//! Each fetch has a connection of its own: they are rare, and a pool would reuse what was judged for another fetch.

pub mod address;
mod destination;
mod exchange;
mod fault;
mod gate;
mod resolve;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use hyper::{Method, Request, StatusCode};
use signet_core::client_policy::Mode;

pub use destination::AllowedHost;
pub use fault::FetchFault;
pub use gate::Place;
pub use resolve::{Resolve, SystemResolver};

use crate::config;
use destination::Policy;
use exchange::Answer;
use gate::Gate;
use trust::Trust;

/// Most looks at once, beside the fetches that logins need.
const MAX_LOOKS: usize = 12;
/// Most of them for one who looks.
pub const MAX_LOOKS_EACH: usize = 4;

/// What is fetched: which content types it may have and how large it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request object (RFC 9101 section 5.2, OpenID Connect Core section 6.2).
    RequestObject,
    /// A JWK set (RFC 7517).
    Jwks,
    /// The array of redirect URIs of a sector (OpenID Connect Registration section 5).
    SectorIdentifier,
}

impl Kind {
    /// Accepted content types.
    fn types(self) -> &'static [&'static str] {
        match self {
            // RFC 9101 section 10.8 registers the first one; providers of old serve the others.
            Self::RequestObject => {
                &["application/oauth-authz-req+jwt", "application/jwt", "application/jose", "text/plain"]
            }
            // RFC 7517 section 8.5.2.
            Self::Jwks => &["application/jwk-set+json", "application/json"],
            Self::SectorIdentifier => &["application/json"],
        }
    }

    /// Most bytes of the body.
    pub fn max_bytes(self) -> usize {
        match self {
            Self::RequestObject | Self::SectorIdentifier => 64 * 1024,
            Self::Jwks => 256 * 1024,
        }
    }
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The body.
    pub body: Bytes,
    /// How many seconds it may be kept (RFC 9111 section 5.2.2): 0 for `no-store` and `no-cache`, `None` if unsaid.
    pub max_age: Option<u64>,
}

/// Fetches. Cheap to clone; every clone shares the bounds.
#[derive(Clone, Debug)]
pub struct Fetcher(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    policy: Policy,
    resolver: Arc<dyn Resolve>,
    /// Of the looks: its threads are its own, too.
    look_resolver: Arc<dyn Resolve>,
    trust: Trust,
    gate: Arc<Gate>,
    /// Of the looks, by who looks.
    looks: Arc<Gate>,
    deadline: Duration,
}

impl Fetcher {
    /// With the operating system's resolver. Fails if the file of extra certificates cannot be read.
    pub fn new(settings: &config::Fetch, mode: Mode) -> Result<Self, String> {
        let (logins, looks) = (settings.max_concurrent.get(), MAX_LOOKS);
        let [logins, looks] = [logins, looks].map(|limit| Arc::new(SystemResolver::new(limit)));
        Self::assembled(settings, mode, logins, looks)
    }

    /// With another resolver.
    pub fn with_resolver(
        settings: &config::Fetch,
        mode: Mode,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, String> {
        Self::assembled(settings, mode, Arc::clone(&resolver), resolver)
    }

    fn assembled(
        settings: &config::Fetch,
        mode: Mode,
        resolver: Arc<dyn Resolve>,
        look_resolver: Arc<dyn Resolve>,
    ) -> Result<Self, String> {
        let file = &settings.extra_ca_file;
        let extra = if file.as_os_str().is_empty() { Vec::new() } else { trust::read(file)? };
        let (total, each) = (settings.max_concurrent.get(), settings.max_concurrent_per_host.get());
        Ok(Self(Arc::new(Parts {
            policy: Policy { allowed: settings.allow_hosts.clone(), mode },
            resolver,
            look_resolver,
            trust: Trust::new(&extra)?,
            gate: Arc::new(Gate::new(total, each)),
            looks: Arc::new(Gate::new(MAX_LOOKS, MAX_LOOKS_EACH)),
            deadline: Duration::from_secs(settings.timeout_seconds.get()),
        })))
    }

    /// Gets what is at `url`; its fragment is left out.
    pub async fn get(&self, url: &str, kind: Kind) -> Result<Fetched, FetchFault> {
        self.fetched(url, kind, None).await
    }

    /// A place for one look of `who`, for [`Self::look`]; none is waited for.
    pub fn look_place(&self, who: &str) -> Result<Place, FetchFault> {
        self.0.looks.enter(who.to_owned())
    }

    /// As [`Self::get`], for somebody who administers a client and wants to know what is at an address that it names.
    /// It takes none of the places that logins need.
    pub async fn look(&self, url: &str, kind: Kind, place: Place) -> Result<Fetched, FetchFault> {
        self.fetched(url, kind, Some(place)).await
    }

    async fn fetched(&self, url: &str, kind: Kind, look: Option<Place>) -> Result<Fetched, FetchFault> {
        let types = kind.types().join(", ");
        self.within(url, async {
            let answer = self.send(url, Method::GET, (ACCEPT, &types), Bytes::new(), look).await?;
            check_status(answer.response.status())?;
            let headers = answer.response.headers();
            check_type(headers, kind)?;
            let max_age = max_age(headers);
            Ok(Fetched { body: answer.body(kind.max_bytes()).await?, max_age })
        })
        .await
    }

    /// Posts a form and gives the status of the answer, whatever it is; a redirect is a fault. The body of the answer
    /// is not read. OpenID Connect Back-Channel Logout section 2.8: 200 is success, 204 is to be taken as success, and
    /// 400 means that the logout token was not accepted and never will be.
    pub async fn post_form(&self, url: &str, form: &[(&str, &str)]) -> Result<u16, FetchFault> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let kind = (CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.within(url, async {
            let answer = self.send(url, Method::POST, kind, body.into(), None).await?;
            let status = answer.response.status();
            if status.is_redirection() {
                return Err(FetchFault::Redirected { status: status.as_u16() });
            }
            Ok(status.as_u16())
        })
        .await
    }

    /// One deadline over everything.
    async fn within<T>(
        &self,
        url: &str,
        work: impl Future<Output = Result<T, FetchFault>>,
    ) -> Result<T, FetchFault> {
        let outcome = tokio::time::timeout(self.0.deadline, work).await.unwrap_or(Err(FetchFault::Timeout));
        if let Err(fault) = &outcome {
            let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
            tracing::warn!(host, reason = fault.code(), %fault, "not fetched");
        }
        outcome
    }

    async fn send(
        &self,
        url: &str,
        method: Method,
        header: (HeaderName, &str),
        body: Bytes,
        look: Option<Place>,
    ) -> Result<Guarded, FetchFault> {
        let parts = &self.0;
        let to = parts.policy.destination(url)?;
        let (place, resolver) = match look {
            Some(place) => (place, &parts.look_resolver),
            // By host alone: one silent host has 65535 ports.
            None => (parts.gate.enter(to.host.clone())?, &parts.resolver),
        };
        let addresses = match to.literal {
            Some(address) => vec![address],
            None => resolver.resolve(&to.host).await,
        };
        parts.policy.addresses(&to, &addresses)?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        let value = HeaderValue::from_str(header.1).map_err(|_| FetchFault::Malformed)?;
        request.headers_mut().insert(header.0, value);
        let answer = exchange::send(&to, &addresses, request, &parts.trust, parts.deadline).await?;
        Ok(Guarded { answer, _place: place })
    }
}

/// An answer, and the place that it takes until it is read.
struct Guarded {
    answer: Answer,
    _place: Place,
}

impl std::ops::Deref for Guarded {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.answer
    }
}

impl Guarded {
    async fn body(self, limit: usize) -> Result<Bytes, FetchFault> {
        self.answer.body(limit).await
    }
}

fn check_status(status: StatusCode) -> Result<(), FetchFault> {
    match status.as_u16() {
        200 => Ok(()),
        status @ 300..=399 => Err(FetchFault::Redirected { status }),
        status => Err(FetchFault::Status { status }),
    }
}

fn check_type(headers: &HeaderMap, kind: Kind) -> Result<(), FetchFault> {
    // Nothing was offered in Accept-Encoding, and a body that unpacks itself has no limit.
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(FetchFault::Encoded);
    }
    let stated = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = stated.split(';').next().unwrap_or_default().trim();
    let accepted = kind.types().iter().any(|accepted| accepted.eq_ignore_ascii_case(essence));
    if accepted { Ok(()) } else { Err(FetchFault::ContentType) }
}

/// RFC 9111 section 5.2.2.
fn max_age(headers: &HeaderMap) -> Option<u64> {
    let all = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives: Vec<&str> = all.flat_map(|value| value.split(',')).map(str::trim).collect();
    let is = |name: &str| directives.iter().any(|one| one.eq_ignore_ascii_case(name));
    if is("no-store") || is("no-cache") {
        return Some(0);
    }
    let seconds = |one: &&str| {
        let (name, value) = one.split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then(|| value.trim_matches('"').parse().ok()).flatten()
    };
    directives.iter().find_map(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn cache_control_says_how_long_rfc9111_5_2_2() {
        for (value, expected) in [
            ("max-age=300", Some(300)),
            ("public, Max-Age=\"60\"", Some(60)),
            ("no-cache, max-age=300", Some(0)),
            ("no-store", Some(0)),
            ("public", None),
            ("max-age=-1", None),
            ("max-age=99999999999999999999999", None),
            ("s-maxage=5", None),
        ] {
            assert_eq!(max_age(&headers(&[(CACHE_CONTROL, value)])), expected, "{value}");
        }
        assert_eq!(max_age(&HeaderMap::new()), None);
    }

    #[test]
    fn content_types_are_judged_by_what_is_fetched() {
        for (kind, value, accepted) in [
            (Kind::Jwks, "application/json; charset=utf-8", true),
            (Kind::Jwks, "application/jwk-set+json", true),
            (Kind::Jwks, "Application/JSON", true),
            (Kind::Jwks, "text/html", false),
            (Kind::Jwks, "application/jsonp", false),
            (Kind::RequestObject, "application/oauth-authz-req+jwt", true),
            (Kind::RequestObject, "application/jwt", true),
            (Kind::RequestObject, "text/html", false),
            (Kind::SectorIdentifier, "application/json", true),
            (Kind::SectorIdentifier, "", false),
        ] {
            assert_eq!(
                check_type(&headers(&[(CONTENT_TYPE, value)]), kind).is_ok(),
                accepted,
                "{kind:?} {value}"
            );
        }
        let packed = headers(&[(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "gzip")]);
        assert_eq!(check_type(&packed, Kind::Jwks), Err(FetchFault::Encoded));
    }
}
