//! Tokens with which clients register themselves.

use super::fault::Refusal;
use crate::audit::{self, Kind};
use crate::context::{Context, Minted, UnixTime};
use crate::ids::TenantId;
use crate::records::InitialAccessToken;
use crate::registration::INITIAL_TOKEN_PREFIX;

/// Longest name.
const MAX_NAME: usize = 100;
/// Most uses of one token.
const MAX_USES: i64 = 1_000_000;

/// Makes an initial access token (RFC 7591 section 1.2): its record, the token itself, and the event that tells of it.
pub fn registration_token(
    tenant: &TenantId,
    name: &str,
    uses: Option<i64>,
    expires_at: Option<UnixTime>,
    correlation_id: &str,
    context: &Context<'_>,
) -> Result<(InitialAccessToken, Minted, audit::Draft), Refusal> {
    if !(1..=MAX_NAME).contains(&name.trim().chars().count()) || name.chars().any(char::is_control) {
        return Err(Refusal::TokenName);
    }
    if expires_at.is_some_and(|at| at <= context.now) {
        return Err(Refusal::TokenExpires);
    }
    if uses.is_some_and(|uses| !(1..=MAX_USES).contains(&uses)) {
        return Err(Refusal::TokenUses { max: MAX_USES });
    }
    let minted = context.mint(INITIAL_TOKEN_PREFIX);
    let token = InitialAccessToken {
        tenant: tenant.clone(),
        hash: minted.hash,
        name: name.to_owned(),
        uses_left: uses,
        created_at: context.now,
        expires_at,
    };
    let kind = Kind::RegistrationTokenCreated;
    let event = audit::success(tenant, kind, correlation_id, context).fact("name", name);
    Ok((token, minted, event))
}
