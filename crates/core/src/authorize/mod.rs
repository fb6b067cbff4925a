//! The authorization endpoint (OpenID Connect Core section 3.1.2): from parameters to an accepted request.

mod channel;
mod claims_parameter;
mod decide;
mod noted;
mod parameters;
mod push;
mod raw;
mod reference;
mod request;

pub use channel::Channel;
pub(crate) use claims_parameter::has_nul;
pub(crate) use decide::responses_can_be_made;
pub use decide::{Accepted, Arrival, Facts, HintSource, Outcome, Refused, decide, outer_client_id};
pub use parameters::DISPLAYS;
pub use push::{PUSHED_PREFIX, PushOutcome, Pushed, Taking, push, pushed_request, take};
pub use reference::{Reference, reference};
pub use request::{AuthorizationRequest, ClaimRequest, ClaimsRequest, Prompt, RequestSource};
