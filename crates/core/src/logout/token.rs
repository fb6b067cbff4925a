//! Logout tokens (Back-Channel Logout 1.0 section 2.4).

use serde_json::{Map, Value, json};

use crate::context::UnixTime;
use crate::fault::Fault;
use crate::records::{Client, ClientKey, LogoutDelivery, Tenant, TenantSettings};
use crate::response::{self, Protection};
use crate::subject;

/// Section 2.4: "It is RECOMMENDED that Logout Tokens be explicitly typed. This is accomplished by including a `typ` (type)
/// Header Parameter with a value of `logout+jwt` in the Logout Token."
pub const LOGOUT_TOKEN_TYPE: &str = "logout+jwt";
/// The one member of `events`.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Section 2.4: `exp` "RECOMMENDED [...] at most two minutes in the future".
const LIFETIME: i64 = 120;

/// The claims of the token for one attempt. Section 2.4 forbids `nonce`: a logout token must not pass for an ID token.
///
/// `jti` differs from one attempt to the next: a client that took the token, and whose answer was lost, may not call the
/// next one a replay (section 2.6, step 8).
pub fn claims(
    tenant: &Tenant,
    client: &Client,
    delivery: &LogoutDelivery,
    now: UnixTime,
) -> Map<String, Value> {
    let mut claims = Map::new();
    for (name, value) in [
        ("iss", json!(tenant.issuer)),
        ("aud", json!(client.client_id)),
        ("iat", json!(now)),
        ("exp", json!(now + LIFETIME)),
        ("jti", json!(format!("{}.{}", delivery.id, delivery.attempts))),
        ("events", json!({ EVENT: {} })),
        ("sub", json!(subject::of(tenant, client, delivery.user_id))),
        ("sid", json!(delivery.sid)),
    ] {
        claims.insert(name.to_owned(), value);
    }
    claims
}

/// Section 2.6, step 1: "If the Logout Token is encrypted, decrypt it using the keys and algorithms that the Client specified
/// during Registration that the OP was to use to encrypt ID Tokens." Step 2 says the same of the signature. A client that
/// has no usable key gets no token at all.
pub fn protection(
    client: &Client,
    keys: &[ClientKey],
    tenant: &TenantSettings,
    now: UnixTime,
) -> Result<Protection, Fault> {
    let mut protection = response::id_token_protection(client, keys, tenant, now)?;
    // Section 2.4: "the alg value none MUST NOT be used", whatever the client's ID tokens do.
    protection.signed = Some(client.settings.logout_token_signed.unwrap_or(client.settings.id_token.signed));
    Ok(protection)
}
