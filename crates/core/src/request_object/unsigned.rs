//! Request objects that nobody signed (OpenID Connect Core section 6.1: "The Request Object MAY be signed or unsigned
//! (unsecured). When it is unsecured, this is indicated by use of the `none` algorithm \[JWA\] in the JOSE Header").
//!
//! RFC 9101 section 6.2 knows none of them. Tenant and client must both allow them, and they prove nothing: whoever can
//! write the parameters of a request can write them.

use signet_jose::{Claims, JoseFault, Limits, Offered, Trace, UnsignedClaims, parse_unsigned};

use super::{Content, Opened, Policy, one_client};
use crate::authorize::RequestSource;
use crate::fault::Fault;

const CLAUSE: &str = "OpenID Connect Core section 6.1";

/// Reads `token` if nobody signed it; `None` leaves it to those who verify.
pub(super) fn open(token: &str, limits: &Limits, trace: &mut Trace) -> Option<Result<Opened, Fault>> {
    let object = parse_unsigned(token, limits).ok()?;
    trace.pass("form", CLAUSE, "a JWS, a nested JWT, or an unsecured JWT", "unsecured: alg is none");
    Some(opened(object, trace))
}

fn opened(object: UnsignedClaims, trace: &mut Trace) -> Result<Opened, Fault> {
    let text = |name: &'static str| match object.claims().get(name) {
        None => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JoseFault::ClaimType { claim: Offered::new(name) }),
    };
    let client_id = one_client(text("client_id")?, text("iss")?, trace)?;
    Ok(Opened { content: Content::Unsigned(object), source: RequestSource::Unsigned, client_id })
}

/// Judges what is said of the object itself. The client's record decides whether such an object is good at all. A
/// client that registers an algorithm gets a record without this permission: OpenID Connect Dynamic Client Registration
/// section 2, `request_object_signing_alg`: "All Request Objects from this Client MUST be rejected, if not signed with this
/// algorithm."
pub(super) fn judge(object: UnsignedClaims, policy: &Policy<'_>, trace: &mut Trace) -> Result<Claims, Fault> {
    let settings = &policy.client.settings;
    let allowed = policy.tenant.unsigned_request_objects
        && settings.allow_unsigned_request_object
        && !settings.require_request_object;
    if !allowed {
        trace.fail("unsigned", CLAUSE, "the client's record allows unsecured objects", "it does not");
        return Err(Fault::ObjectUnsigned);
    }
    trace.pass("unsigned", CLAUSE, "the client's record allows unsecured objects", "it does");
    if let Some(typ) = object.typ()
        && !["oauth-authz-req+jwt", "JWT"].iter().any(|known| known.eq_ignore_ascii_case(typ))
    {
        return Err(JoseFault::TypMismatch { offered: Offered::new(typ) }.into());
    }
    let claims = object.into_claims();
    audience_and_times(&claims, policy).inspect_err(|fault| {
        trace.fail("unsigned_claims", CLAUSE, "aud, exp, nbf and iat fit, where present", fault.code());
    })?;
    trace.pass("unsigned_claims", CLAUSE, "aud, exp, nbf and iat fit, where present", "they do");
    Ok(claims)
}

/// None of them has to be there, but what is said holds.
fn audience_and_times(claims: &Claims, policy: &Policy<'_>) -> Result<(), JoseFault> {
    let (now, skew) = (policy.now, policy.tenant.clock_skew.max(0));
    let (earliest, latest) = (now.saturating_sub(skew), now.saturating_add(skew));
    let aud = claims.aud();
    if !aud.is_empty() && !aud.contains(&policy.issuer) {
        return Err(JoseFault::AudMismatch { offered: Offered::new(&aud.join(" ")) });
    }
    if let Some(exp) = claims.time("exp")?.filter(|exp| *exp <= earliest) {
        return Err(JoseFault::Expired { exp, now });
    }
    if let Some(nbf) = claims.time("nbf")?.filter(|nbf| *nbf > latest) {
        return Err(JoseFault::NbfInFuture { nbf, now });
    }
    match claims.time("iat")?.filter(|iat| *iat > latest) {
        Some(iat) => Err(JoseFault::IatInFuture { iat, now }),
        None => Ok(()),
    }
}
