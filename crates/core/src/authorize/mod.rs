//! The authorization endpoint (OpenID Connect Core section 3.1.2): from parameters to an accepted request.

mod channel;
mod claims_parameter;
mod decide;
mod parameters;
mod raw;
mod request;

pub use channel::Channel;
pub use decide::{Accepted, Arrival, Facts, HintSource, Outcome, Refused, decide, outer_client_id};
pub use parameters::DISPLAYS;
pub use request::{AuthorizationRequest, ClaimRequest, ClaimsRequest, Prompt, RequestSource};
