//! Client assertions: `private_key_jwt` and `client_secret_jwt` (OpenID Connect Core section 9, RFC 7523 section 3; A-104
//! to A-107).
//!
//! Order: [`open`] parses and decrypts, [`named_client`] says whose keys to load, [`judge`] decides. The `jti` is
//! consumed by whoever applies the decision: [`AcceptedAssertion::replay`] goes into the same write.

use signet_jose::{
    Claims, Expect, JoseFault, KeyUse, Limits, Offered, SigAlg, Trace, Typ, UnverifiedJws, Verified,
    Verifier, verify,
};

use crate::context::UnixTime;
use crate::fault::Fault;
use crate::ids::{ClientId, TenantId};
use crate::opening::{DecryptionKey, OpenedJwt, open_jwt};
use crate::records::{AssertionAudience, ClientKey, Replay, ReplayKind};
use crate::replay;
use crate::request_object::VerifierSource;

/// The `client_assertion_type` of every assertion here.
///
/// RFC 7523 section 2.2: "The value of the "`client_assertion_type`" is
/// "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"."
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far ahead `exp` may be, in seconds.
///
/// RFC 7523 section 3 (4): "The authorization server MAY reject JWTs with an "exp" claim value that is unreasonably far
/// in the future." A day is what every `jti` is remembered for anyway (A-52), so no assertion makes that memory grow;
/// common libraries make assertions for a minute to an hour.
pub const MAX_LIFETIME: i64 = replay::WINDOW;

/// What verifies the assertion. The client's registered method decides, never the token.
#[derive(Clone, Copy)]
pub enum AssertionProof<'a> {
    /// `private_key_jwt`.
    PrivateKey {
        /// The client's keys, of every usage and age.
        keys: &'a [ClientKey],
        /// Builds, or takes from a cache, the verifier of a key for an algorithm; `None` if they do not fit.
        verifier: &'a VerifierSource<'a>,
    },
    /// `client_secret_jwt`: a verifier made of the client's secret for the algorithm of the token's header; `None` if
    /// there is no secret that is long enough.
    Secret(Option<&'a Verifier>),
}

impl std::fmt::Debug for AssertionProof<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PrivateKey { .. } => "PrivateKey",
            Self::Secret(_) => "Secret",
        })
    }
}

/// What an assertion is judged against.
#[derive(Clone, Copy, Debug)]
pub struct AssertionPolicy<'a> {
    /// Whose client.
    pub tenant: &'a TenantId,
    /// The client that the request names, or the one that the assertion names ([`named_client`]).
    pub client_id: &'a ClientId,
    /// The keys or the secret of that client.
    pub proof: AssertionProof<'a>,
    /// `token_endpoint_auth_signing_alg`. OpenID Connect Dynamic Client Registration section 2: "The default, if
    /// omitted, is that any algorithm supported by the OP and the RP MAY be used."
    pub alg: Option<SigAlg>,
    /// The tenant's issuer URL.
    pub issuer: &'a str,
    /// The address of the token endpoint.
    pub token_endpoint: &'a str,
    /// The address of the endpoint that is called.
    pub endpoint: &'a str,
    /// Which of these may be the audience. FAPI 2.0 Security Profile section 5.3.2.1 wants the issuer alone, because an
    /// endpoint's address can be imposed upon a client by another server.
    pub audience: AssertionAudience,
    /// The request's instant.
    pub now: UnixTime,
    /// Tolerance for the client's clock, seconds.
    pub skew: i64,
}

/// An assertion whose signature and claims passed. Only [`judge`] makes one. It counts once its `jti` is claimed.
#[derive(Clone, Debug)]
pub struct AcceptedAssertion {
    client_id: ClientId,
    replay: Replay,
    alg: SigAlg,
    kid: Option<String>,
}

impl AcceptedAssertion {
    /// The client that it authenticates.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The single use of its `jti`: to be applied in the write that acts upon the authenticated request. A conflict
    /// there is [`Fault::AssertionReplayed`].
    pub fn replay(&self) -> &Replay {
        &self.replay
    }

    /// The algorithm that it was signed with.
    pub fn alg(&self) -> SigAlg {
        self.alg
    }

    /// The `kid` of the key that verified it; none for a secret, or for a key that was registered without one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }
}

/// Whether the client's keys should be fetched again from its `jwks_uri`, and the assertion judged again with those.
pub fn keys_may_be_stale(fault: &Fault) -> bool {
    matches!(fault, Fault::AssertionKeyUnknown | Fault::AssertionKeyMissing)
}

/// Parses and decrypts `token`: a JWS, or a JWE around one that is encrypted to us.
pub fn open(token: &str, keys: &[DecryptionKey], trace: &mut Trace) -> Result<OpenedJwt, Fault> {
    open_jwt(token, &Limits::default(), "OpenID Connect Core section 9", keys, trace)
        .map_err(|fault| Fault::AssertionMalformed { fault })
}

/// The client that the assertion names; good for finding its keys and for nothing else.
///
/// RFC 7521 section 4.2: the parameter `client_id` "is unnecessary for client assertion authentication because the client
/// is identified by the subject within the assertion. If present, the value of the "`client_id`" parameter MUST identify
/// the same client as is identified by the client assertion." The latter follows when [`judge`] is given the client of
/// the parameter.
pub fn named_client(jws: &UnverifiedJws, trace: &mut Trace) -> Result<ClientId, Fault> {
    const CLAUSE: &str = "RFC 7521 section 4.2";
    const WANTED: &str = "iss and sub name one client";
    let peek = jws.peek().map_err(|fault| {
        trace.fail("claims", "RFC 7519 section 4", "a JSON object with unique members", fault.to_string());
        Fault::AssertionMalformed { fault }
    })?;
    match (peek.iss, peek.sub) {
        (Some(iss), Some(sub)) if iss != sub => {
            trace.fail("client", CLAUSE, WANTED, "they differ");
            Err(Fault::AssertionNamesNoClient)
        }
        (_, Some(id)) | (Some(id), None) => {
            trace.pass("client", CLAUSE, WANTED, Offered::new(&id).as_str());
            Ok(ClientId::new(id))
        }
        (None, None) => {
            trace.fail("client", CLAUSE, WANTED, "neither is there");
            Err(Fault::AssertionNamesNoClient)
        }
    }
}

/// Verifies an assertion and judges its claims. Consumes nothing.
pub fn judge(
    jws: &UnverifiedJws,
    policy: &AssertionPolicy<'_>,
    trace: &mut Trace,
) -> Result<AcceptedAssertion, Fault> {
    let verified = verify_assertion(jws, policy, trace)?;
    let claims = verified.claims();
    subject(claims, policy, trace)?;
    audience_form(claims, policy, trace)?;
    let exp = lifetime(claims, policy, trace)?;
    let jti = jti(claims, trace)?;
    let AssertionPolicy { tenant, client_id, skew, now, .. } = *policy;
    Ok(AcceptedAssertion {
        client_id: client_id.clone(),
        replay: replay::claim(tenant, client_id, ReplayKind::ClientAssertion, jti, exp, skew, now),
        alg: verified.alg(),
        kid: verified.kid().map(str::to_owned),
    })
}

/// OpenID Connect Core section 9: `private_key_jwt` has a key pair, `client_secret_jwt` a shared secret; RFC 8725 section
/// 2.1 is about what happens where one passes as the other.
fn algorithms(policy: &AssertionPolicy<'_>) -> Vec<SigAlg> {
    let symmetric = matches!(policy.proof, AssertionProof::Secret(_));
    SigAlg::ALL
        .iter()
        .copied()
        .filter(|alg| alg.is_symmetric() == symmetric)
        .filter(|alg| policy.alg.is_none_or(|registered| registered == *alg))
        .collect()
}

fn verify_assertion(
    jws: &UnverifiedJws,
    policy: &AssertionPolicy<'_>,
    trace: &mut Trace,
) -> Result<Verified, Fault> {
    let verifiers = verifiers(jws, policy, trace)?;
    let keys: Vec<&Verifier> = verifiers.iter().collect();
    let either = [policy.issuer, policy.token_endpoint, policy.endpoint];
    let algorithms = algorithms(policy);
    let expect = Expect {
        // RFC 7523 section 3 (1) with OpenID Connect Core section 9: "iss [...] MUST contain the client_id".
        issuer: policy.client_id.as_str(),
        audiences: match policy.audience {
            AssertionAudience::IssuerOnly => &either[..1],
            AssertionAudience::IssuerOrEndpoint => &either,
        },
        algorithms: &algorithms,
        now: policy.now,
        skew: policy.skew,
        // OpenID Connect Core section 9: `sub`, `jti` and `exp` are REQUIRED.
        require: &["sub", "jti"],
        max_lifetime: None,
        max_age: None,
        // RFC 8725 section 3.11 against cross-JWT confusion: "oauth-authz-req+jwt" is a request object, "dpop+jwt" a
        // proof of possession. The explicit type is the one of the successor of RFC 7523.
        typ: Typ::Optional(&["client-authentication+jwt", "JWT"]),
    };
    verify(jws, &keys, &expect, trace).map_err(|fault| refusal(fault, jws, policy))
}

/// only signing keys, and only within their period.
fn usable(keys: &[ClientKey], now: UnixTime) -> impl Iterator<Item = &ClientKey> {
    keys.iter().filter(move |key| key.usage == KeyUse::Sig && key.usable_at(now))
}

fn verifiers(
    jws: &UnverifiedJws,
    policy: &AssertionPolicy<'_>,
    trace: &mut Trace,
) -> Result<Vec<Verifier>, Fault> {
    const CLAUSE: &str = "OpenID Connect Core section 9";
    match policy.proof {
        AssertionProof::PrivateKey { keys, verifier } => {
            if usable(keys, policy.now).next().is_none() {
                trace.fail("signing_key", CLAUSE, "the client has a signing key that is valid now", "none");
                return Err(Fault::AssertionKeyMissing);
            }
            let alg = jws.header().alg;
            Ok(usable(keys, policy.now).filter_map(|key| verifier(key, alg)).collect())
        }
        // An algorithm of key pairs needs no secret to be refused.
        AssertionProof::Secret(None) if !jws.header().alg.is_symmetric() => Ok(Vec::new()),
        AssertionProof::Secret(None) => {
            trace.fail("secret", CLAUSE, "the client has a secret of sufficient length", "none");
            Err(Fault::AssertionSecretMissing)
        }
        AssertionProof::Secret(Some(verifier)) => Ok(vec![verifier.clone()]),
    }
}

/// What the JOSE policy found, said of a client assertion.
fn refusal(fault: JoseFault, jws: &UnverifiedJws, policy: &AssertionPolicy<'_>) -> Fault {
    match fault {
        JoseFault::AlgorithmNotAllowed { .. } => {
            let names: Vec<_> = algorithms(policy).into_iter().map(SigAlg::name).collect();
            let wanted = if names.is_empty() { "none fits its method".to_owned() } else { names.join(", ") };
            Fault::AssertionAlgorithm { wanted }
        }
        JoseFault::TypMismatch { .. } => Fault::AssertionType,
        JoseFault::KeyUnknown { .. } | JoseFault::SignatureInvalid => unverified(jws, policy),
        JoseFault::IssMissing | JoseFault::IssMismatch { .. } => Fault::AssertionIssuer,
        JoseFault::AudMissing | JoseFault::AudMismatch { .. } => audience_fault(policy),
        JoseFault::ExpMissing => Fault::AssertionExpiryMissing,
        JoseFault::Expired { .. } => Fault::AssertionExpired,
        JoseFault::NbfInFuture { .. } | JoseFault::IatInFuture { .. } => Fault::AssertionNotYetValid,
        JoseFault::ClaimType { ref claim } | JoseFault::ClaimMissing { ref claim } => match claim.as_str() {
            "iss" => Fault::AssertionIssuer,
            "sub" => Fault::AssertionSubject,
            "aud" => audience_fault(policy),
            "jti" => Fault::AssertionJti,
            _ => Fault::AssertionMalformed { fault },
        },
        other => Fault::AssertionMalformed { fault: other },
    }
}

/// No key verified it. Where the token names a key that we have, its signature is wrong. Else another key is meant, and
/// the client may have published it meanwhile.
fn unverified(jws: &UnverifiedJws, policy: &AssertionPolicy<'_>) -> Fault {
    match policy.proof {
        AssertionProof::Secret(_) => Fault::AssertionSignature,
        AssertionProof::PrivateKey { keys, .. } => {
            let kid = jws.header().kid.as_deref();
            let named = |key: &ClientKey| kid == Some(&*key.kid) || kid == Some(&*key.thumbprint);
            if usable(keys, policy.now).any(named) {
                Fault::AssertionSignature
            } else {
                Fault::AssertionKeyUnknown
            }
        }
    }
}

fn audience_fault(policy: &AssertionPolicy<'_>) -> Fault {
    let AssertionPolicy { issuer, endpoint, .. } = policy;
    Fault::AssertionAudience {
        wanted: match policy.audience {
            AssertionAudience::IssuerOnly => format!("exactly {issuer} as one string"),
            AssertionAudience::IssuerOrEndpoint => format!("{issuer} or {endpoint}"),
        },
    }
}

/// RFC 7523 section 3 (2): "For client authentication, the subject MUST be the "`client_id`" of the OAuth client." This is
/// also what keeps a request object from passing as an assertion (RFC 9101 section 10.8).
fn subject(claims: &Claims, policy: &AssertionPolicy<'_>, trace: &mut Trace) -> Result<(), Fault> {
    const CLAUSE: &str = "RFC 7523 section 3";
    let found = claims.sub().unwrap_or_default();
    if found == policy.client_id.as_str() {
        trace.pass("sub", CLAUSE, "the client_id", "the client_id");
        return Ok(());
    }
    trace.fail("sub", CLAUSE, "the client_id", Offered::new(found).as_str());
    Err(Fault::AssertionSubject)
}

/// FAPI 2.0 Security Profile section 5.3.2.1: the server accepts its issuer identifier as a string in `aud`; with
/// [`AssertionAudience::IssuerOnly`], nothing else.
fn audience_form(claims: &Claims, policy: &AssertionPolicy<'_>, trace: &mut Trace) -> Result<(), Fault> {
    const CLAUSE: &str = "FAPI 2.0 Security Profile section 5.3.2.1";
    match policy.audience {
        AssertionAudience::IssuerOrEndpoint => {
            trace.skip("aud_form", CLAUSE, "one string, where the issuer alone is accepted");
        }
        AssertionAudience::IssuerOnly if claims.str("aud") == Some(policy.issuer) => {
            trace.pass("aud_form", CLAUSE, "one string", "one string");
        }
        AssertionAudience::IssuerOnly => {
            trace.fail("aud_form", CLAUSE, "one string", "an array");
            return Err(audience_fault(policy));
        }
    }
    Ok(())
}

/// See [`MAX_LIFETIME`].
fn lifetime(claims: &Claims, policy: &AssertionPolicy<'_>, trace: &mut Trace) -> Result<UnixTime, Fault> {
    const CLAUSE: &str = "RFC 7523 section 3";
    let exp = claims
        .exp()
        .map_err(|fault| Fault::AssertionMalformed { fault })?
        .ok_or(Fault::AssertionExpiryMissing)?;
    let ahead = exp.saturating_sub(policy.now);
    let wanted = format!("exp at most {MAX_LIFETIME} seconds ahead");
    if ahead > MAX_LIFETIME.saturating_add(policy.skew.max(0)) {
        trace.fail("lifetime", CLAUSE, wanted, ahead.to_string());
        return Err(Fault::AssertionLifetime { limit: MAX_LIFETIME });
    }
    trace.pass("lifetime", CLAUSE, wanted, ahead.to_string());
    Ok(exp)
}

/// OpenID Connect Core section 9: "jti REQUIRED. [...] These tokens MUST only be used once".
fn jti<'a>(claims: &'a Claims, trace: &mut Trace) -> Result<&'a str, Fault> {
    const CLAUSE: &str = "OpenID Connect Core section 9";
    const WANTED: &str = "a string of 1 to 256 bytes";
    match claims.jti() {
        Some(jti) if (1..=replay::MAX_JTI).contains(&jti.len()) => {
            trace.pass("jti", CLAUSE, WANTED, format!("{} bytes", jti.len()));
            Ok(jti)
        }
        _ => {
            trace.fail("jti", CLAUSE, WANTED, "something else");
            Err(Fault::AssertionJti)
        }
    }
}
