//! Client authentication (RFC 6749 section 2.3, OpenID Connect Core section 9): one way in for every endpoint that
//! clients call.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;
use signet_jose::{SigAlg, Trace, UnverifiedJws, Verifier};
use zeroize::Zeroizing;

use crate::change::Change;
use crate::client_assertion::{self, ASSERTION_TYPE, AssertionPolicy, AssertionProof};
use crate::context::UnixTime;
use crate::discovery::Endpoint;
use crate::fault::Fault;
use crate::ids::ClientId;
use crate::params::Params;
use crate::records::{Client, ClientAuthMethod, ClientKey, Replay, Tenant};
use crate::request_object::VerifierSource;

/// What a client presented. Made by [`presented`]; not yet judged.
#[derive(Clone)]
pub struct Credentials {
    client_id: Option<ClientId>,
    proof: Proof,
}

#[derive(Clone)]
enum Proof {
    /// Nothing but the name.
    Nothing,
    Secret {
        method: ClientAuthMethod,
        secret: Zeroizing<String>,
    },
    Assertion(Zeroizing<String>),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Who the client says it is; `None` where only the assertion says so.
    pub fn client_id(&self) -> Option<&ClientId> {
        self.client_id.as_ref()
    }

    /// The client assertion, to be opened and judged by [`authenticate_by_assertion`].
    pub fn assertion(&self) -> Option<&str> {
        match &self.proof {
            Proof::Assertion(token) => Some(token),
            Proof::Nothing | Proof::Secret { .. } => None,
        }
    }
}

/// A client that has proved who it is. Only [`authenticate`] and [`authenticate_by_assertion`] make one.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    client: Client,
    replay: Option<Replay>,
}

impl AuthenticatedClient {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether it proved anything at all: a public client did not (RFC 6749 section 2.1).
    pub fn is_confidential(&self) -> bool {
        self.client.settings.token_endpoint_auth_method != ClientAuthMethod::None
    }

    /// The single use of the assertion's `jti`, which belongs into the write that acts upon the request: the `jti` is
    /// consumed last, and a request that is refused and changes nothing leaves it unused (A-50, A-107). A conflict there
    /// is [`Fault::AssertionReplayed`].
    pub fn claim(&self) -> Option<Change> {
        self.replay.clone().map(Change::ClaimReplay)
    }
}

/// Finds the one way of authentication in a request. RFC 6749 section 2.3: "The client MUST NOT use more than one
/// authentication method in each request."
pub fn presented(authorization: Option<&str>, params: &Params) -> Result<Credentials, Fault> {
    let named = params.get("client_id").map(ClientId::from);
    match (authorization, params.get("client_secret"), params.get("client_assertion")) {
        (Some(header), None, None) => {
            let credentials = basic(header)?;
            match named {
                Some(id) if Some(&id) != credentials.client_id() => Err(Fault::ClientAuthMultiple),
                _ => Ok(credentials),
            }
        }
        (None, None, Some(token)) => {
            // RFC 7521 section 4.2: "client_assertion_type REQUIRED."
            if params.get("client_assertion_type") != Some(ASSERTION_TYPE) {
                return Err(Fault::AssertionTypeUnsupported);
            }
            Ok(Credentials { client_id: named, proof: Proof::Assertion(Zeroizing::new(token.to_owned())) })
        }
        (None, secret, None) => {
            let proof = secret.map_or(Proof::Nothing, |secret| Proof::Secret {
                method: ClientAuthMethod::ClientSecretPost,
                secret: Zeroizing::new(secret.to_owned()),
            });
            Ok(Credentials { client_id: Some(named.ok_or(Fault::ClientAuthMissing)?), proof })
        }
        (Some(_), ..) | (None, Some(_), Some(_)) => Err(Fault::ClientAuthMultiple),
    }
}

/// RFC 6749 section 2.3.1: user and password of HTTP Basic are form-encoded first.
fn basic(header: &str) -> Result<Credentials, Fault> {
    let bad = Fault::ClientAuthMalformed;
    let (scheme, value) = header.split_once(' ').ok_or(bad.clone())?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(bad);
    }
    let decoded = Zeroizing::new(STANDARD.decode(value.trim()).map_err(|_| bad.clone())?);
    let decoded = std::str::from_utf8(&decoded).map_err(|_| bad.clone())?;
    let (id, secret) = decoded.split_once(':').ok_or(bad.clone())?;
    let (id, secret) = (form_decode(id).ok_or(bad.clone())?, form_decode(secret).ok_or(bad.clone())?);
    // RFC 6749 appendices A.1 and A.2: both are made of visible ASCII and spaces.
    let visible = |text: &str| !text.is_empty() && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if !visible(&id) || !visible(&secret) {
        return Err(bad);
    }
    Ok(Credentials {
        client_id: Some(ClientId::new(id.as_str())),
        proof: Proof::Secret { method: ClientAuthMethod::ClientSecretBasic, secret },
    })
}

fn form_decode(text: &str) -> Option<Zeroizing<String>> {
    let plus = Zeroizing::new(text.replace('+', " "));
    percent_decode(plus.as_bytes()).decode_utf8().ok().map(|text| Zeroizing::new(text.into_owned()))
}

/// Judges the credentials of a client that was looked up by their `client_id`. Public text never says which part was
/// wrong. An assertion is for [`authenticate_by_assertion`].
pub fn authenticate(
    credentials: &Credentials,
    client: Option<&Client>,
) -> Result<AuthenticatedClient, Fault> {
    let client = known(client)?;
    // RFC 6749 section 2.3.1 leaves the choice to the client; here it is fixed at registration (RFC 7591 section 2).
    let registered = client.settings.token_endpoint_auth_method;
    let passed = AuthenticatedClient { client: client.clone(), replay: None };
    match &credentials.proof {
        Proof::Nothing if registered == ClientAuthMethod::None => Ok(passed),
        Proof::Nothing => Err(Fault::ClientAuthMissing),
        Proof::Secret { method, .. } if *method != registered => Err(Fault::ClientAuthMethodWrong),
        Proof::Secret { secret, .. } => match client.secret_hash {
            Some(hash) if hash.matches(secret) => Ok(passed),
            _ => Err(Fault::ClientSecretWrong),
        },
        Proof::Assertion(_) => Err(Fault::ClientAuthMethodWrong),
    }
}

fn known(client: Option<&Client>) -> Result<&Client, Fault> {
    client.filter(|client| !client.disabled).ok_or(Fault::ClientAuthUnknown)
}

/// Makes a verifier of the client's secret; `None` if there is none, or none that is long enough.
pub type SecretVerifierSource<'a> = dyn Fn(&Client, SigAlg) -> Option<Verifier> + 'a;

/// What an assertion is judged by, besides the client's record.
#[derive(Clone, Copy)]
pub struct AssertionFacts<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// The client's keys, of every usage and age.
    pub keys: &'a [ClientKey],
    /// Builds, or takes from a cache, the verifier of a client's key.
    pub verifier: &'a VerifierSource<'a>,
    /// Builds the verifier of a client's secret.
    pub secret: &'a SecretVerifierSource<'a>,
    /// The endpoint that is called.
    pub endpoint: Endpoint,
    /// The request's instant.
    pub now: UnixTime,
}

impl std::fmt::Debug for AssertionFacts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssertionFacts").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Judges an opened assertion of a client that was looked up by the `client_id` beside it, or by the one inside.
/// The client's registered method decides what proves it, never the assertion.
pub fn authenticate_by_assertion(
    jws: &UnverifiedJws,
    client: Option<&Client>,
    facts: &AssertionFacts<'_>,
    trace: &mut Trace,
) -> Result<AuthenticatedClient, Fault> {
    let client = known(client)?;
    let settings = &client.settings;
    let secret = match settings.token_endpoint_auth_method {
        ClientAuthMethod::ClientSecretJwt => (facts.secret)(client, jws.header().alg),
        _ => None,
    };
    let proof = match settings.token_endpoint_auth_method {
        ClientAuthMethod::PrivateKeyJwt => {
            AssertionProof::PrivateKey { keys: facts.keys, verifier: facts.verifier }
        }
        ClientAuthMethod::ClientSecretJwt => AssertionProof::Secret(secret.as_ref()),
        ClientAuthMethod::ClientSecretBasic | ClientAuthMethod::ClientSecretPost | ClientAuthMethod::None => {
            return Err(Fault::ClientAuthMethodWrong);
        }
    };
    let issuer = &facts.tenant.issuer;
    let policy = AssertionPolicy {
        tenant: &facts.tenant.id,
        client_id: &client.client_id,
        proof,
        alg: settings.token_endpoint_auth_signing_alg,
        issuer,
        token_endpoint: &Endpoint::Token.url(issuer),
        endpoint: &facts.endpoint.url(issuer),
        audience: facts.tenant.settings.assertion_audience,
        now: facts.now,
        skew: facts.tenant.settings.clock_skew,
    };
    let accepted = client_assertion::judge(jws, &policy, trace)?;
    Ok(AuthenticatedClient { client: client.clone(), replay: Some(accepted.replay().clone()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TokenHash;
    use crate::testing::client;

    fn judge(header: Option<&str>, form: &str, method: ClientAuthMethod) -> Result<(), Fault> {
        let mut client = client("a b");
        client.settings.token_endpoint_auth_method = method;
        client.secret_hash = (method != ClientAuthMethod::None).then(|| TokenHash::of("s:e%c+r"));
        let params = Params::decode(&[form.as_bytes()])?;
        let credentials = presented(header, &params)?;
        let found = (credentials.client_id() == Some(&client.client_id)).then_some(&client);
        authenticate(&credentials, found).map(|_| ())
    }

    #[test]
    fn each_way_of_authentication_rfc6749_2_3() {
        use ClientAuthMethod::{ClientSecretBasic as Basic, ClientSecretPost as Post, None as Public};
        let good = format!("Basic {}", STANDARD.encode("a+b:s%3Ae%25c%2Br"));
        let wrong = format!("basic {}", STANDARD.encode("a+b:x"));
        let other = format!("Basic {}", STANDARD.encode("z:s%3Ae%25c%2Br"));
        let form = "client_id=a+b&client_secret=s%3Ae%25c%2Br";
        assert_eq!(judge(Some(&good), "", Basic), Ok(()));
        assert_eq!(judge(Some(&good), "client_id=a+b", Basic), Ok(()));
        assert_eq!(judge(None, form, Post), Ok(()));
        assert_eq!(judge(None, "client_id=a+b", Public), Ok(()));
        assert_eq!(judge(Some(&wrong), "", Basic), Err(Fault::ClientSecretWrong));
        assert_eq!(judge(Some(&other), "", Basic), Err(Fault::ClientAuthUnknown));
        assert_eq!(judge(Some(&good), "client_id=z", Basic), Err(Fault::ClientAuthMultiple));
        assert_eq!(judge(Some(&good), form, Basic), Err(Fault::ClientAuthMultiple));
        assert_eq!(judge(None, form, Basic), Err(Fault::ClientAuthMethodWrong));
        assert_eq!(judge(Some(&good), "", Post), Err(Fault::ClientAuthMethodWrong));
        assert_eq!(judge(None, "client_id=a+b", Basic), Err(Fault::ClientAuthMissing));
        assert_eq!(judge(None, form, Public), Err(Fault::ClientAuthMethodWrong));
        assert_eq!(judge(None, "", Basic), Err(Fault::ClientAuthMissing));
        // RFC 7521 section 4.2: the type is required; section 4.2.1: what is wrong with an assertion is invalid_client.
        let untyped = judge(None, "client_assertion=x&client_id=a+b", Basic);
        assert_eq!(untyped, Err(Fault::AssertionTypeUnsupported));
        let typed = "client_assertion=x&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        assert_eq!(judge(None, &format!("{typed}&client_id=a+b"), Basic), Err(Fault::ClientAuthMethodWrong));
        assert_eq!(judge(None, typed, Basic), Err(Fault::ClientAuthUnknown), "nobody is named outside");
        // Certification: "missing assertion with client_id present: invalid_client".
        assert_eq!(
            judge(None, "client_id=a+b", ClientAuthMethod::PrivateKeyJwt),
            Err(Fault::ClientAuthMissing)
        );
        // RFC 6749 section 2.3, RFC 7521 section 4.2: one way, assertions included.
        let assertion = "client_assertion=x&client_id=a+b";
        assert_eq!(judge(Some(&good), assertion, Basic), Err(Fault::ClientAuthMultiple));
        let both = format!("{assertion}&client_secret=x");
        assert_eq!(judge(None, &both, Post), Err(Fault::ClientAuthMultiple));
        for header in ["Basic", "Basic !", "Basic YQ==", "Bearer YTpi", "Basic Og==", "Basic YSUwMDpi"] {
            assert_eq!(judge(Some(header), "", Basic), Err(Fault::ClientAuthMalformed), "{header}");
        }
    }
}
