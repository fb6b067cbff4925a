//! Discovery and key set.

use axum::http::header;
use axum::response::IntoResponse;

use super::extract::Tenant;

/// OpenID Connect Discovery section 4, RFC 8414 section 3.
pub(super) async fn discovery(Tenant(view): Tenant) -> impl IntoResponse {
    let cache = format!("public, max-age={}", view.cacheable());
    (
        [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CACHE_CONTROL, cache)],
        view.metadata.clone(),
    )
}

/// RFC 7517 section 5. Caches may keep it for half the time that keys are published before use.
pub(super) async fn jwks(Tenant(view): Tenant) -> impl IntoResponse {
    let cache = format!("public, max-age={}", view.cacheable());
    (
        [(header::CONTENT_TYPE, "application/jwk-set+json".to_owned()), (header::CACHE_CONTROL, cache)],
        view.jwks.clone(),
    )
}
