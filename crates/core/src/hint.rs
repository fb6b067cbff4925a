//! `id_token_hint`: an ID token of ours that comes back (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout 1.0
//! section 2).
//!
//! Order: [`open`] parses and decrypts, [`OpenedHint::client_id`] says whose secret may be needed, [`judge`] decides.

use signet_jose::{
    Claims, Expect, JoseFault, KeyUse, Limits, Offered, PublicKey, SigAlg, Trace, Typ, UnverifiedJws,
    Verifier, verify_expired,
};

use crate::context::UnixTime;
use crate::discovery::is_listed;
use crate::fault::Fault;
use crate::ids::ClientId;
use crate::opening::{DecryptionKey, OpenedJwt, open_jwt};
use crate::records::TenantKey;

/// A hint that was parsed and, if need be, decrypted. Nothing in it is trusted yet.
#[derive(Debug)]
pub struct OpenedHint {
    jws: UnverifiedJws,
    encrypted: bool,
    client_id: ClientId,
}

impl OpenedHint {
    /// The client that the hint says it was issued to; good for finding its secret and for nothing else.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The algorithm, if it is one that needs the client's secret.
    pub fn symmetric_alg(&self) -> Option<SigAlg> {
        Some(self.jws.header().alg).filter(|alg| alg.is_symmetric())
    }
}

/// Gives the verifier of one of the tenant's own keys for an algorithm; [`tenant_verifier`] does without a cache.
pub type TenantVerifierSource<'a> = dyn Fn(&TenantKey, SigAlg) -> Option<Verifier> + 'a;

/// A client's secret as a verifier, for hints that were signed with it. It is used for hints of this very client: else
/// one client could write hints in the name of another.
#[derive(Clone, Copy, Debug)]
pub struct HintSecret<'a> {
    /// Whose secret.
    pub client_id: &'a ClientId,
    /// Made for the algorithm that the client is registered for (`id_token_signed_response_alg`).
    pub verifier: &'a Verifier,
}

/// What a hint is judged against.
pub struct HintPolicy<'a> {
    /// The tenant's issuer URL.
    pub issuer: &'a str,
    /// The tenant's keys; those that are listed in its JWKS count.
    pub keys: &'a [TenantKey],
    /// Builds, or takes from a cache, the verifier of such a key.
    pub verifier: &'a TenantVerifierSource<'a>,
    /// Where the client's ID tokens are signed with its secret.
    pub secret: Option<HintSecret<'a>>,
    /// The client that sends the hint, where it is known.
    pub client_id: Option<&'a ClientId>,
    /// The request's instant.
    pub now: UnixTime,
    /// Tolerance for clocks, seconds.
    pub skew: i64,
}

impl std::fmt::Debug for HintPolicy<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HintPolicy").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// An ID token that this tenant issued, perhaps long ago. Only [`judge`] makes one.
#[derive(Clone, Debug)]
pub struct Hint {
    claims: Claims,
    client_id: ClientId,
    sub: String,
    alg: SigAlg,
    encrypted: bool,
}

impl Hint {
    /// Whom it was issued about, as this client knows them.
    pub fn sub(&self) -> &str {
        &self.sub
    }

    /// The session it was issued in.
    pub fn sid(&self) -> Option<&str> {
        self.claims.str("sid")
    }

    /// The client it was issued to: its `aud`.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// All of its claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The algorithm. With a symmetric one the client itself may have made the hint.
    pub fn alg(&self) -> SigAlg {
        self.alg
    }

    /// Whether it came encrypted to us.
    pub fn encrypted(&self) -> bool {
        self.encrypted
    }
}

/// Parses and decrypts `token`: a JWS, or a JWE around one that is encrypted to us.
///
/// OpenID Connect Core section 3.1.2.1: "If the ID Token received by the RP from the OP is encrypted, to use it as an
/// `id_token_hint`, the Client MUST decrypt the signed ID Token contained within the encrypted ID Token. The Client MAY
/// re-encrypt the signed ID token to the Authentication Server using a key that enables the server to decrypt the ID
/// Token, and use the re-encrypted ID token as the `id_token_hint` value." One that was sent back as it came cannot be
/// opened here, and the refusal says so; it is the same for every JWE that cannot be decrypted.
pub fn open(token: &str, keys: &[DecryptionKey], trace: &mut Trace) -> Result<OpenedHint, Fault> {
    const CLAUSE: &str = "OpenID Connect Core section 3.1.2.1";
    let opened = open_jwt(token, &Limits::default(), CLAUSE, keys, trace);
    let OpenedJwt { jws, encrypted } = opened.map_err(|fault| match fault {
        JoseFault::Undecryptable | JoseFault::UndecryptableKeyUnknown => Fault::HintUndecryptable,
        fault => Fault::HintMalformed { fault },
    })?;
    let peek = jws.peek().map_err(|fault| {
        trace.fail("claims", "RFC 7519 section 4", "a JSON object with unique members", fault.to_string());
        Fault::HintMalformed { fault }
    })?;
    // OpenID Connect Core section 2: "aud [...] MUST contain the OAuth 2.0 client_id of the Relying Party"; ours contain
    // nothing else.
    let [client_id] = peek.aud.as_slice() else {
        let found = format!("{} audiences", peek.aud.len());
        trace.fail("hint_client", CLAUSE, "aud is one client", found);
        return Err(Fault::HintNoIdToken);
    };
    trace.pass("hint_client", CLAUSE, "aud is one client", Offered::new(client_id).as_str());
    let client_id = ClientId::new(client_id.as_str());
    Ok(OpenedHint { jws, encrypted, client_id })
}

/// The verifier of a tenant key for one of its algorithms, from its public part.
pub fn tenant_verifier(key: &TenantKey, alg: SigAlg) -> Option<Verifier> {
    let public = PublicKey::from_jwk(&key.public_jwk.clone().into()).ok()?;
    public.with_kid(key.kid(alg.name())).verifier(alg).ok()
}

/// Verifies an opened hint. That it has expired does not matter; that we issued it does.
///
/// RP-Initiated Logout 1.0 section 2: "When an `id_token_hint` parameter is present, the OP MUST validate that it was the
/// issuer of the ID Token. The OP SHOULD accept ID Tokens when the RP identified by the ID Token's aud claim and/or sid
/// claim has a current session or had a recent session at the OP, even when the exp time has passed."
pub fn judge(opened: OpenedHint, policy: &HintPolicy<'_>, trace: &mut Trace) -> Result<Hint, Fault> {
    let OpenedHint { jws, encrypted, client_id } = opened;
    addressee(&client_id, policy, trace)?;
    let alg = jws.header().alg;
    let verifiers = verifiers(alg, &client_id, policy);
    let keys: Vec<&Verifier> = verifiers.iter().collect();
    // RFC 8725 section 3.1: the secret's own algorithm with the secret, those of key pairs with the tenant's keys.
    let algorithms: Vec<SigAlg> = SigAlg::ALL
        .iter()
        .copied()
        .filter(|alg| !alg.is_symmetric() || verifiers.iter().any(|key| key.alg() == *alg))
        .collect();
    let expect = Expect {
        issuer: policy.issuer,
        audiences: &[client_id.as_str()],
        algorithms: &algorithms,
        now: policy.now,
        skew: policy.skew,
        // OpenID Connect Core section 2: REQUIRED in every ID token. Other things that are signed with the same keys
        // lack one of them: UserInfo responses `exp`, authorization responses `sub`.
        require: &["sub", "iat"],
        max_lifetime: None,
        max_age: None,
        // RFC 8725 section 3.11: access tokens, logout tokens and introspection responses have types of their own.
        typ: Typ::Optional(&["JWT"]),
    };
    let verified = verify_expired(&jws, &keys, &expect, trace).map_err(refusal)?;
    let claims = verified.claims().clone();
    // OpenID Connect Back-Channel Logout section 2.4: a logout token has `events`, which an ID token never has.
    if claims.get("events").is_some() {
        trace.fail("kind", "OpenID Connect Back-Channel Logout section 2.4", "no events", "events");
        return Err(Fault::HintNoIdToken);
    }
    let sub = claims.sub().ok_or(Fault::HintNoIdToken)?.to_owned();
    Ok(Hint { claims, client_id, sub, alg: verified.alg(), encrypted })
}

/// RP-Initiated Logout 1.0 section 2: "When both `client_id` and `id_token_hint` are present, the OP MUST verify that the
/// Client Identifier matches the one used when issuing the ID Token."
fn addressee(client_id: &ClientId, policy: &HintPolicy<'_>, trace: &mut Trace) -> Result<(), Fault> {
    const CLAUSE: &str = "RP-Initiated Logout 1.0 section 2";
    match policy.client_id {
        None => trace.skip("hint_addressee", CLAUSE, "issued to the client that sends it"),
        Some(sender) if sender == client_id => {
            trace.pass("hint_addressee", CLAUSE, "issued to the client that sends it", "it was");
        }
        Some(_) => {
            trace.fail("hint_addressee", CLAUSE, "issued to the client that sends it", "to another client");
            return Err(Fault::HintForeign);
        }
    }
    Ok(())
}

fn verifiers(alg: SigAlg, client_id: &ClientId, policy: &HintPolicy<'_>) -> Vec<Verifier> {
    if alg.is_symmetric() {
        let own = policy.secret.filter(|secret| secret.client_id == client_id);
        return own.into_iter().map(|secret| secret.verifier.clone()).collect();
    }
    policy
        .keys
        .iter()
        .filter(|key| key.usage == KeyUse::Sig && is_listed(key, policy.now))
        .filter(|key| key.algs.iter().any(|own| own == alg.name()))
        .filter_map(|key| (policy.verifier)(key, alg))
        .collect()
}

/// What the JOSE policy found, said of a hint.
fn refusal(fault: JoseFault) -> Fault {
    match fault {
        JoseFault::KeyUnknown { .. } => Fault::HintKeyUnknown,
        JoseFault::SignatureInvalid => Fault::HintForged,
        JoseFault::IssMissing | JoseFault::IssMismatch { .. } => Fault::HintIssuer,
        JoseFault::TypMismatch { .. }
        | JoseFault::ExpMissing
        | JoseFault::IatMissing
        | JoseFault::ClaimMissing { .. } => Fault::HintNoIdToken,
        fault => Fault::HintMalformed { fault },
    }
}
