//! What handlers get: parameters with every repetition refused, the tenant, the instant, the client's address.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::params::Params;

use super::render::Failure;
use crate::app::App;
use crate::proxies::Proxies;
use crate::tenancy::TenantView;

/// The tenant that `dispatch` found.
pub(super) struct Tenant(pub(super) Arc<TenantView>);

impl<S: Send + Sync> FromRequestParts<S> for Tenant {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get().cloned().map(Self).ok_or_else(|| Failure::page(Fault::NotFound))
    }
}

/// The one instant of a request and the id that ties its log line to its audit events.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) now: UnixTime,
    pub(super) correlation_id: String,
    pub(super) address: IpAddr,
}

impl<S: Send + Sync> FromRequestParts<S> for Moment {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let internal = || Failure::page(Fault::Internal { detail: "the request has no instant" });
        parts.extensions.get().cloned().ok_or_else(internal)
    }
}

/// The interaction that the path names: what cannot be the id of one is not looked up.
pub(super) struct InteractionId(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for InteractionId {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let unknown = || Failure::page(Fault::InteractionUnknown);
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| unknown())?;
        let possible = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if possible { Ok(Self(id)) } else { Err(unknown()) }
    }
}

/// The decoded query.
pub(super) fn query(parts: &Parts) -> &[u8] {
    parts.uri.query().unwrap_or_default().as_bytes()
}

/// Parameters of the query alone. Judging them is the handler's, which knows how its errors look.
pub(super) struct QueryParams(pub(super) Result<Params, Fault>);

impl<S: Send + Sync> FromRequestParts<S> for QueryParams {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Params::decode(&[query(parts)])))
    }
}

/// Parameters of query and form body together; names that occur in both are repetitions.
pub(super) struct AllParams(pub(super) Result<Params, Fault>);

impl FromRequest<App> for AllParams {
    type Rejection = Infallible;

    async fn from_request(request: Request, app: &App) -> Result<Self, Infallible> {
        let (parts, body) = request.into_parts();
        let query = query(&parts).to_vec();
        let body = form_body(Request::from_parts(parts, body), app).await;
        Ok(Self(body.and_then(|body| Params::decode(&[&query, &body]))))
    }
}

/// Parameters of the form body alone. RFC 6749 section 2.3.1 and RFC 6750 section 2.2: parameters "MUST NOT be included
/// in the request URI".
pub(super) struct FormParams(pub(super) Result<Params, Fault>);

impl FromRequest<App> for FormParams {
    type Rejection = Infallible;

    async fn from_request(request: Request, app: &App) -> Result<Self, Infallible> {
        let body = form_body(request, app).await;
        Ok(Self(body.and_then(|body| Params::decode(&[&body]))))
    }
}

pub(super) async fn form_body(request: Request, app: &App) -> Result<Bytes, Fault> {
    let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    let is_form = content_type.is_none_or(|value| {
        value
            .split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    });
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if !is_form || (content_type.is_none() && length.is_some_and(|length| length != "0")) {
        return Err(Fault::ContentTypeUnsupported);
    }
    Bytes::from_request(request, app).await.map_err(|_| Fault::BodyTooLarge)
}

/// The one `Authorization` header; two of them are as good as two ways of authentication.
pub(super) fn authorization(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let first = all.next();
    if all.next().is_some() {
        return Err(Fault::ClientAuthMultiple);
    }
    first.map(|value| value.to_str().map_err(|_| Fault::ClientAuthMalformed)).transpose()
}

/// The host that the request names, with its port.
pub(super) fn host(request: &Request) -> Option<String> {
    let named = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).map(str::to_owned);
    named.or_else(|| request.uri().authority().map(ToString::to_string))
}

/// The client's address, as far as it can be told.
pub(super) fn client_address(request: &Request, trusted: &Proxies) -> IpAddr {
    let unknown = IpAddr::from([0, 0, 0, 0]);
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(unknown, |info| info.0.ip());
    let forwarded = request.headers().get_all("x-forwarded-for").iter();
    // What is not text is not an address either; it must not make the rest believable.
    trusted.client(peer, forwarded.map(|value| value.to_str().unwrap_or("?")))
}
