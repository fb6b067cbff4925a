//! The authorization endpoint (OpenID Connect Core section 3.1.2): from parameters to an accepted request.

mod claims_parameter;
mod decide;
mod raw;
mod request;

pub use decide::{Accepted, Arrival, Facts, Outcome, Refused, decide, outer_client_id};
pub use request::{AuthorizationRequest, ClaimRequest, ClaimsRequest, Prompt, RequestSource};
