//! The token endpoint (RFC 6749 section 3.2): which grant is used, what it gives, and what has to be written for it.
//!
//! Each grant is a file with one function from facts to an [`Outcome`]. To add one: its [`GrantType`] in [`GRANTS`], its
//! function here, and an arm where the endpoint loads the facts.

mod access;
mod client_credentials;
mod code;
mod device;
mod exchange;
mod issue;
mod refresh;
mod resource;

pub use access::{ACCESS_TOKEN_PREFIX, AccessDraft, AccessFacts, JWT_TYPE};
pub(crate) use access::{audience_claim, scope_text, subject_of};
pub use client_credentials::client_credentials;
pub use code::{CODE_PREFIX, CodeFacts, code_parameter, redeem};
pub use device::{DeviceFacts, device_parameter, poll};
pub use exchange::{ExchangeFacts, Holding, Offered as OfferedTokens, exchange, exchange_parameters};
pub use issue::{IdTokenDraft, Issue, Made, Tools};
pub use refresh::{Chain, REFRESH_TOKEN_PREFIX, RefreshFacts, refresh, refresh_parameter};
pub use resource::audience;

use std::collections::BTreeSet;

use signet_jose::Offered;

use crate::audit::{self, Kind};
use crate::change::Change;
use crate::client_auth::AuthenticatedClient;
use crate::context::Context;
use crate::fault::Fault;
use crate::params::Params;
use crate::records::{ClientKey, GrantType, Tenant};

/// What the token endpoint answers to; discovery is made from this.
pub const GRANTS: &[GrantType] = &[
    GrantType::AuthorizationCode,
    GrantType::RefreshToken,
    GrantType::ClientCredentials,
    GrantType::DeviceCode,
    GrantType::TokenExchange,
];

/// What every grant has to go by.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// Who asks.
    pub client: &'a AuthenticatedClient,
    /// That client's keys.
    pub client_keys: &'a [ClientKey],
    /// The form.
    pub params: &'a Params,
    /// Names this request in the audit trail, where the grant does not name the login.
    pub correlation_id: &'a str,
}

/// Effects and answer are independent: a replayed code revokes its grant and is refused.
#[derive(Debug)]
pub struct Outcome {
    /// To be applied in one transaction, those of [`Made`] behind. On a conflict load and decide again.
    pub changes: Vec<Change>,
    /// The answer.
    pub reply: Result<Issue, Fault>,
}

/// RFC 6749 section 5.2: `unsupported_grant_type` is what nobody may use here, `unauthorized_client` what this client may
/// not. Judged before anything is looked up.
pub fn grant_type(params: &Params, client: &AuthenticatedClient) -> Result<GrantType, Fault> {
    let name = params.get("grant_type").ok_or(Fault::GrantTypeMissing)?;
    let grant = GrantType::from_name(name)
        .filter(|grant| GRANTS.contains(grant))
        .ok_or(Fault::GrantTypeUnsupported)?;
    if client.client().settings.grant_types.contains(&grant) {
        Ok(grant)
    } else {
        Err(Fault::GrantTypeNotAllowed)
    }
}

impl Facts<'_> {
    /// A refusal that changes nothing; `correlation_id` is that of the login, if it is known.
    pub fn refuse(&self, fault: Fault, correlation_id: Option<&str>, context: &Context<'_>) -> Outcome {
        let correlation_id = correlation_id.unwrap_or(self.correlation_id);
        let event = audit::refused(&self.tenant.id, Kind::TokenRefused, &fault, correlation_id, context)
            .client(&self.client.client().client_id)
            .fact("request", self.correlation_id)
            .change();
        Outcome { changes: vec![event], reply: Err(fault) }
    }

    /// A refusal that ends a grant and everything issued under it. The assertion that the client came with counts as
    /// used: whoever sends a captured request again is not this client, and must not end anything of it.
    pub fn refuse_and_revoke(
        &self,
        fault: Fault,
        grant_id: uuid::Uuid,
        correlation_id: &str,
        context: &Context<'_>,
    ) -> Outcome {
        let mut outcome = self.refuse(fault, Some(correlation_id), context);
        let revoke = Change::RevokeGrant { id: grant_id, at: context.now };
        outcome.changes.splice(0..0, [revoke].into_iter().chain(self.client.claim()));
        outcome
    }
}

/// A `scope` parameter (RFC 6749 section 3.3) that may not exceed `granted`; all of it if the parameter is missing.
pub(crate) fn narrowed(params: &Params, granted: &BTreeSet<String>) -> Result<BTreeSet<String>, Fault> {
    let Some(text) = params.get("scope") else { return Ok(granted.clone()) };
    let asked: BTreeSet<String> =
        text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    if asked.is_empty() {
        return Ok(granted.clone());
    }
    if asked.is_subset(granted) { Ok(asked) } else { Err(Fault::GrantScopeExceeded) }
}

/// A scope value that a client asked for and may not have.
pub(crate) fn scope_not_allowed(scope: &str) -> Fault {
    Fault::ScopeNotAllowed { scope: Offered::new(scope) }
}
