//! What a relying party checks besides signature and registered claims.

use serde_json::{Map, Value};
use signet_jose::{SigAlg, Trace};

use super::fault::DemoFault;
use super::provider::Metadata;
use super::request::Sent;

const ID_TOKEN: &str = "ID token";

/// An authorization response, as it came in the query.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub(super) struct Response {
    pub(super) code: Option<String>,
    pub(super) state: Option<String>,
    pub(super) iss: Option<String>,
    pub(super) error: Option<String>,
    pub(super) error_description: Option<String>,
}

impl Response {
    /// The code, unless the response is an error or somebody else's. `state` was checked before.
    pub(super) fn code(&self, metadata: &Metadata, used: bool) -> Result<&str, DemoFault> {
        // RFC 9207 section 2.4: compare as strings; a provider that promises `iss` must send it. Errors carry it too.
        match &self.iss {
            Some(iss) if *iss != metadata.issuer => return Err(DemoFault::IssuerMismatch),
            None if metadata.authorization_response_iss_parameter_supported => {
                return Err(DemoFault::IssuerMismatch);
            }
            _ => {}
        }
        if let Some(error) = &self.error {
            let cut = |text: &str| text.chars().take(300).collect::<String>();
            let (error, description) =
                (cut(error), cut(self.error_description.as_deref().unwrap_or_default()));
            return Err(if used {
                DemoFault::ReplayRefused { error, description }
            } else {
                DemoFault::Refused { error, description }
            });
        }
        if used {
            return Err(DemoFault::Finished);
        }
        self.code.as_deref().ok_or(DemoFault::ResponseEmpty)
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// OpenID Connect Core sections 3.1.3.7 (11) and 3.1.3.8: the nonce of this login, and the hash of this access token.
pub(super) fn id_token(
    claims: &Map<String, Value>,
    sent: &Sent,
    access_token: &str,
    alg: SigAlg,
    trace: &mut Trace,
) -> Result<(), DemoFault> {
    const NONCE: &str = "OpenID Connect Core 3.1.3.7";
    const HASH: &str = "OpenID Connect Core 3.1.3.8";
    const PARTY: &str = "OpenID Connect Core 2";
    let wrong = |claim| Err(DemoFault::Claim { what: ID_TOKEN, claim });
    if text(claims, "nonce") != Some(sent.nonce.as_str()) {
        trace.fail("nonce", NONCE, sent.nonce.clone(), "another");
        return wrong("nonce");
    }
    trace.pass("nonce", NONCE, sent.nonce.clone(), sent.nonce.clone());
    let hash = alg.half_hash(access_token.as_bytes());
    match text(claims, "at_hash") {
        None => trace.skip("at_hash", HASH, hash),
        Some(found) if found == hash => trace.pass("at_hash", HASH, hash.clone(), hash),
        Some(_) => {
            trace.fail("at_hash", HASH, hash, "another");
            return wrong("at_hash");
        }
    }
    match text(claims, "azp") {
        Some(party) if party != sent.client_id => {
            trace.fail("azp", PARTY, sent.client_id.clone(), "another");
            wrong("azp")
        }
        _ => Ok(()),
    }
}

/// OpenID Connect Core section 5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match the
/// sub Claim in the ID Token".
pub(super) fn user_info(
    claims: &Map<String, Value>,
    id_token: &Map<String, Value>,
    trace: &mut Trace,
) -> Result<(), DemoFault> {
    const CLAUSE: &str = "OpenID Connect Core 5.3.2";
    let wanted = text(id_token, "sub").unwrap_or_default();
    if wanted.is_empty() || text(claims, "sub") != Some(wanted) {
        trace.fail("sub", CLAUSE, wanted, "another");
        return Err(DemoFault::Claim { what: "UserInfo response", claim: "sub" });
    }
    trace.pass("sub", CLAUSE, wanted, wanted);
    Ok(())
}
