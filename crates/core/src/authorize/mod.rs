//! The authorization endpoint (OpenID Connect Core section 3.1.2): from parameters to an accepted request.

mod request;

pub use request::{AuthorizationRequest, ClaimRequest, ClaimsRequest, Prompt, RequestSource};
