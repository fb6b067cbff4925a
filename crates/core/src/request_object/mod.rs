//! The request-object validator (design section 4): one validator for every way in which an object can arrive.
//!
//! Order, and each step leaves its checks in the trace: parse, decrypt, find the client, verify the signature with
//! that client's signing keys, judge the claims. The `jti` is consumed by whoever applies the decision, last of all.

mod unsigned;

use signet_jose::{
    Claims, Expect, JoseFault, KeyUse, Limits, Offered, SigAlg, Trace, Typ, UnsignedClaims, UnverifiedJws,
    Verifier, verify, verify_undated,
};

use crate::authorize::RequestSource;
use crate::context::UnixTime;
use crate::fault::Fault;
use crate::ids::ClientId;
pub use crate::opening::DecryptionKey;
use crate::opening::{OpenedJwt, open_jwt};
use crate::params::MAX_REQUEST_OBJECT;
use crate::records::{Client, ClientKey, ReplayKind, TenantSettings};
use crate::replay;

/// A request object that was parsed and, if need be, decrypted. Nothing in it is trusted yet.
#[derive(Debug)]
pub struct Opened {
    content: Content,
    source: RequestSource,
    client_id: Option<ClientId>,
}

#[derive(Debug)]
enum Content {
    Signed(UnverifiedJws),
    Unsigned(UnsignedClaims),
}

impl Opened {
    /// The client that the object names; good for finding its keys and for nothing else. Only an object that nobody
    /// signed may name none.
    pub fn client_id(&self) -> Option<&ClientId> {
        self.client_id.as_ref()
    }
}

/// A request object whose signature and claims passed.
#[derive(Debug)]
pub struct ObjectRequest {
    /// The claims, which are the request's parameters.
    pub claims: Claims,
    /// How the object was protected.
    pub source: RequestSource,
    /// The `jti`, if there is one, with the instant until which the object itself is good.
    pub jti: Option<(String, UnixTime)>,
}

fn limits() -> Limits {
    Limits { token: MAX_REQUEST_OBJECT, ..Limits::default() }
}

/// Parses and decrypts `token`. Exactly two kinds are accepted: a JWS, and a JWE whose plaintext is one JWS; where
/// the tenant allows it also a token that nobody signed, alone and never inside a JWE.
pub fn open(
    token: &str,
    keys: &[DecryptionKey],
    tenant: &TenantSettings,
    trace: &mut Trace,
) -> Result<Opened, Fault> {
    if tenant.unsigned_request_objects
        && let Some(opened) = unsigned::open(token, &limits(), trace)
    {
        return opened;
    }
    let opened = open_jwt(token, &limits(), "RFC 9101 section 6.1", keys, trace);
    let OpenedJwt { jws, encrypted } = opened.map_err(|fault| match fault {
        JoseFault::CtyMismatch { .. } => Fault::ObjectContentType,
        other => other.into(),
    })?;
    let source = if encrypted { RequestSource::Nested } else { RequestSource::Signed };
    let client_id = named_client(&jws, trace)?;
    Ok(Opened { content: Content::Signed(jws), source, client_id: Some(client_id) })
}

/// before the signature is verified, `iss` and `client_id` are read to find the client, and nothing else.
fn named_client(jws: &UnverifiedJws, trace: &mut Trace) -> Result<ClientId, Fault> {
    const CLAUSE: &str = "RFC 9101 section 4";
    let peek = jws.peek().inspect_err(|fault| {
        trace.fail("claims", "RFC 7519 section 4", "a JSON object with unique members", fault.to_string());
    })?;
    one_client(peek.client_id, peek.iss, trace)?.ok_or_else(|| {
        trace.fail("client_id", CLAUSE, "the object names its client", "neither client_id nor iss");
        Fault::ObjectClientIdMissing
    })
}

/// RFC 9101 section 4: the issuer of a request object is the client.
fn one_client(
    client_id: Option<String>,
    iss: Option<String>,
    trace: &mut Trace,
) -> Result<Option<ClientId>, Fault> {
    const CLAUSE: &str = "RFC 9101 section 4";
    match (client_id, iss) {
        (Some(client_id), Some(iss)) if client_id != iss => {
            trace.fail("client_id", CLAUSE, "client_id equals iss", "they differ");
            Err(Fault::ObjectClientIdMismatch)
        }
        (Some(id), _) | (None, Some(id)) => {
            trace.pass("client_id", CLAUSE, "the object names its client", Offered::new(&id).as_str());
            Ok(Some(ClientId::new(id)))
        }
        (None, None) => Ok(None),
    }
}

/// Gives the verifier of a client's key for an algorithm.
pub type VerifierSource<'a> = dyn Fn(&ClientKey, SigAlg) -> Option<Verifier> + 'a;

/// What the object is judged against.
pub struct Policy<'a> {
    /// The client that the object names.
    pub client: &'a Client,
    /// That client's keys, of every usage and age.
    pub keys: &'a [ClientKey],
    /// Builds, or takes from a cache, the verifier of a key for an algorithm; `None` if they do not fit.
    pub verifier: &'a VerifierSource<'a>,
    /// The tenant's issuer URL: the only accepted audience.
    pub issuer: &'a str,
    /// The tenant's policies.
    pub tenant: &'a TenantSettings,
    /// The request's instant.
    pub now: UnixTime,
}

impl std::fmt::Debug for Policy<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").field("client", &self.client).finish_non_exhaustive()
    }
}

/// Verifies an opened object and judges its claims. Consumes nothing.
pub fn judge(opened: Opened, policy: &Policy<'_>, trace: &mut Trace) -> Result<ObjectRequest, Fault> {
    let settings = &policy.client.settings;
    let Opened { content, source, client_id: _ } = opened;
    encryption_demand(settings.require_encrypted_request_object, source, trace)?;
    let claims = match content {
        Content::Signed(jws) => verified(&jws, policy, trace)?,
        Content::Unsigned(object) => unsigned::judge(object, policy, trace)?,
    };
    cross_use(&claims, &policy.client.client_id, trace)?;
    let jti = jti(&claims, settings.require_jti, policy.now, trace)?;
    Ok(ObjectRequest { claims, source, jti })
}

/// The claims of an object whose signature and times pass.
fn verified(jws: &UnverifiedJws, policy: &Policy<'_>, trace: &mut Trace) -> Result<Claims, Fault> {
    let settings = &policy.client.settings;
    // only signing keys, and only within their period.
    let candidates: Vec<_> =
        policy.keys.iter().filter(|key| key.usage == KeyUse::Sig && key.usable_at(policy.now)).collect();
    if candidates.is_empty() {
        trace.fail(
            "signing_key",
            "RFC 9101 section 6.2",
            "the client has a signing key that is valid now",
            "none",
        );
        return Err(Fault::ObjectKeyMissing);
    }
    let alg = jws.header().alg;
    let verifiers: Vec<Verifier> =
        candidates.into_iter().filter_map(|key| (policy.verifier)(key, alg)).collect();
    let registered = &settings.request_object_signing_algs;
    // Registration section 2, request_object_signing_alg: "All Request Objects from this Client MUST be rejected, if not
    // signed with this algorithm." That holds for `none` as well; without any, all that we support may be used.
    let any = registered.is_empty() && !settings.allow_unsigned_request_object;
    let algorithms: Vec<SigAlg> = SigAlg::ALL
        .iter()
        .copied()
        .filter(|alg| !alg.is_symmetric() && (any || registered.contains(alg)))
        .collect();
    // OpenID Connect Core section 6.1 and RFC 9101 section 4 demand neither, so a client may be excused; times
    // that are there count all the same.
    let dated = settings.require_request_object_times;
    let expect = Expect {
        issuer: policy.client.client_id.as_str(),
        audiences: &[policy.issuer],
        algorithms: &algorithms,
        now: policy.now,
        skew: policy.tenant.clock_skew,
        require: if dated { &["iat", "exp"] } else { &[] },
        max_lifetime: Some(policy.tenant.request_object_max_lifetime),
        max_age: dated.then_some(policy.tenant.request_object_max_age),
        // RFC 9101 section 4: "oauth-authz-req+jwt" is optional; other types belong to other messages.
        typ: Typ::Optional(&["oauth-authz-req+jwt", "JWT"]),
    };
    let keys: Vec<&Verifier> = verifiers.iter().collect();
    let verified =
        if dated { verify(jws, &keys, &expect, trace)? } else { verify_undated(jws, &keys, &expect, trace)? };
    Ok(verified.into_claims())
}

/// policy is decided by the client's record, never by the shape of what arrives.
fn encryption_demand(required: bool, source: RequestSource, trace: &mut Trace) -> Result<(), Fault> {
    const CLAUSE: &str = "client setting require_encrypted_request_object";
    match (required, source) {
        (true, RequestSource::Nested) => trace.pass("encrypted", CLAUSE, "encrypted", "encrypted"),
        (true, _) => {
            trace.fail("encrypted", CLAUSE, "encrypted", "not encrypted");
            return Err(Fault::EncryptedObjectRequired);
        }
        (false, _) => trace.skip("encrypted", CLAUSE, "not demanded"),
    }
    Ok(())
}

/// Keeps request objects and client assertions apart, and objects from naming further objects.
fn cross_use(claims: &Claims, client_id: &ClientId, trace: &mut Trace) -> Result<(), Fault> {
    // RFC 9101 section 10.8: cross-JWT confusion; "sub" with the client id would make it a client assertion.
    if claims.str("sub") == Some(client_id.as_str()) {
        trace.fail("sub", "RFC 9101 section 10.8", "not the client_id", "the client_id");
        return Err(Fault::ObjectSubIsClient);
    }
    trace.pass(
        "sub",
        "RFC 9101 section 10.8",
        "not the client_id",
        claims.str("sub").map_or("absent", |_| "another value"),
    );
    // RFC 9101 section 4: "request" and "request_uri" parameters MUST NOT be included in Request Objects.
    if claims.get("request").is_some() || claims.get("request_uri").is_some() {
        trace.fail("nested_request", "RFC 9101 section 4", "no request or request_uri inside", "present");
        return Err(Fault::ObjectContainsRequest);
    }
    trace.pass("nested_request", "RFC 9101 section 4", "no request or request_uri inside", "absent");
    Ok(())
}

/// Without `exp`, where that is allowed, the window is the plain one.
fn jti(
    claims: &Claims,
    required: bool,
    now: UnixTime,
    trace: &mut Trace,
) -> Result<Option<(String, UnixTime)>, Fault> {
    const CLAUSE: &str = "RFC 7519 section 4.1.7";
    let exp = claims.exp()?.unwrap_or(now);
    match claims.get("jti") {
        None if required => {
            trace.fail("jti", CLAUSE, "present: the client setting require_jti is on", "absent");
            Err(Fault::ObjectJtiMissing)
        }
        None => {
            trace.skip("jti", CLAUSE, "optional: without it the object may be sent again");
            Ok(None)
        }
        Some(value) => match value.as_str() {
            Some(jti) if (1..=replay::MAX_JTI).contains(&jti.len()) => {
                trace.pass("jti", CLAUSE, "a string of 1 to 256 bytes", format!("{} bytes", jti.len()));
                Ok(Some((jti.to_owned(), exp)))
            }
            _ => {
                trace.fail("jti", CLAUSE, "a string of 1 to 256 bytes", "something else");
                Err(Fault::ObjectJtiMalformed)
            }
        },
    }
}

impl ObjectRequest {
    /// The single use of this object's `jti`, to be applied last.
    pub fn claim(&self, client: &Client, skew: i64, now: UnixTime) -> Option<crate::records::Replay> {
        let (jti, exp) = self.jti.as_ref()?;
        Some(replay::claim(
            &client.tenant,
            &client.client_id,
            ReplayKind::RequestObject,
            jti,
            *exp,
            skew,
            now,
        ))
    }
}
