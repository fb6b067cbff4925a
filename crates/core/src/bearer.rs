//! Access tokens that are brought to this provider (RFC 6750): how they come, and whether they are good here at all. What
//! each opens is the endpoint's to say.

use crate::context::UnixTime;
use crate::fault::Fault;
use crate::params::Params;
use crate::records::{AccessToken, Client, Tenant};

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

/// The token and its client, if the token is alive, meant for this provider, and its client may still act.
pub fn accepted<'a>(
    tenant: &Tenant,
    token: Option<&'a AccessToken>,
    client: Option<&'a Client>,
    now: UnixTime,
) -> Result<(&'a AccessToken, &'a Client), Fault> {
    let token = token.ok_or(Fault::TokenUnknown)?;
    if now >= token.expires_at {
        return Err(Fault::TokenExpired);
    }
    // RFC 9068 section 4: "The resource server MUST validate that the "aud" claim contains a resource indicator value
    // corresponding to an identifier the resource server expects for itself." A token that a resource server got hold of
    // opens nothing here.
    if !token.audience.is_empty() && !token.audience.contains(&tenant.issuer) {
        return Err(Fault::TokenForOther);
    }
    let client = client
        .filter(|client| !client.disabled && client.client_id == token.client_id)
        .ok_or(Fault::TokenUnknown)?;
    Ok((token, client))
}

/// RFC 7662 section 4: "an authorization server [...] MUST determine whether or not the token can be used at the protected
/// resource making the introspection call". A client sees its own tokens, and those whose audience it is: by its
/// `client_id`, or as the owner of a resource that is registered for it.
pub fn concerns(caller: &Client, token: &AccessToken) -> bool {
    token.client_id == caller.client_id
        || token.audience.contains(caller.client_id.as_str())
        || !token.audience.is_disjoint(&caller.settings.resources)
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
