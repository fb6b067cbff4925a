//! The UserInfo endpoint (OpenID Connect Core section 5.3) and bearer tokens (RFC 6750).

use serde_json::{Map, Value};

use crate::context::UnixTime;
use crate::fault::Fault;
use crate::params::Params;
use crate::records::{AccessToken, Client, ClientKey, Tenant, User};
use crate::response::{self, Protection};

/// RFC 6750 section 2: "Clients MUST NOT use more than one method to transmit the token in each request."
pub fn presented(authorization: Option<&str>, form: &Params) -> Result<String, Fault> {
    match (authorization, form.get("access_token")) {
        (Some(_), Some(_)) => Err(Fault::TokenMultiple),
        (None, Some(token)) => Ok(token.to_owned()),
        (None, None) => Err(Fault::TokenMissing),
        (Some(header), None) => {
            let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
            // Section 3.1: whoever "attempted using an unsupported authentication method" has sent no token at all.
            if !scheme.eq_ignore_ascii_case("Bearer") {
                return Err(Fault::TokenMissing);
            }
            // RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
            let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
            let token = token.trim();
            if token.is_empty() || !token.bytes().all(fits) {
                return Err(Fault::TokenMalformed);
            }
            Ok(token.to_owned())
        }
    }
}

/// The facts of one request.
#[derive(Debug)]
pub struct Input<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// What the store holds under the token's hash.
    pub token: Option<&'a AccessToken>,
    /// The token's client.
    pub client: Option<&'a Client>,
    /// That client's keys.
    pub client_keys: &'a [ClientKey],
    /// The token's user.
    pub user: Option<&'a User>,
}

/// What to answer with.
#[derive(Debug)]
pub struct Answer {
    /// How it is to be protected.
    pub protection: Protection,
    /// What is in it.
    pub claims: Map<String, Value>,
}

/// Judges a request. Nothing is written.
pub fn answer(input: &Input<'_>, now: UnixTime) -> Result<Answer, Fault> {
    let token = input.token.ok_or(Fault::TokenUnknown)?;
    if now >= token.expires_at {
        return Err(Fault::TokenExpired);
    }
    // RFC 9068 section 4: "The resource server MUST validate that the "aud" claim contains a resource indicator value
    // corresponding to an identifier the resource server expects for itself." A token that a resource server got hold of
    // opens nothing here.
    if !token.audience.is_empty() && !token.audience.contains(&input.tenant.issuer) {
        return Err(Fault::TokenForOther);
    }
    if token.user_id.is_none() {
        return Err(Fault::TokenOfClient);
    }
    if !token.scope.contains("openid") {
        return Err(Fault::ScopeInsufficient);
    }
    let client = input
        .client
        .filter(|client| !client.disabled && client.client_id == token.client_id)
        .ok_or(Fault::TokenUnknown)?;
    let user =
        input.user.filter(|user| !user.disabled && Some(user.id) == token.user_id).ok_or(Fault::UserGone)?;
    let protection = response::userinfo_protection(client, input.client_keys, &input.tenant.settings, now)
        .map_err(|_| Fault::ResponseKeyMissing)?;
    Ok(Answer { protection, claims: response::userinfo_claims(input.tenant, client, user, token) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_comes_in_one_way_only_rfc6750_2() {
        let form = Params::decode(&[b"access_token=abc"]).unwrap();
        let none = Params::default();
        assert_eq!(presented(None, &form), Ok("abc".into()));
        assert_eq!(presented(Some("bearer abc"), &none), Ok("abc".into()));
        assert_eq!(presented(Some("Bearer abc"), &form), Err(Fault::TokenMultiple));
        assert_eq!(presented(None, &none), Err(Fault::TokenMissing));
        assert_eq!(presented(Some("Basic abc"), &none), Err(Fault::TokenMissing));
        for header in ["Bearer", "Bearer ", "Bearer a b", "Bearer \u{e4}"] {
            assert_eq!(presented(Some(header), &none), Err(Fault::TokenMalformed), "{header}");
        }
    }
}
