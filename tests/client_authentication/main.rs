//! Client authentication at every endpoint that clients call (OpenID Connect Core section 9, RFC 7521, RFC 7523; A-104 to
//!
#![expect(clippy::unwrap_used, reason = "tests")]

mod accepted;
mod explained;
mod refused;

use serde_json::{Map, Value};
use signet_core::client_assertion::ASSERTION_TYPE;
use signet_core::records::{ClientAuthMethod, GrantType};
use signet_jose::{SigAlg, Signer};
use signet_tests::provider::{Provider, Reply};
use signet_tests::rp::{Rp, SECRET};

/// A provider with clients `key` (`private_key_jwt`) and `mac` (`client_secret_jwt`), both of which may act for themselves.
async fn start() -> Provider {
    let provider = Provider::start().await;
    for id in ["key", "mac"] {
        register(&provider, id, |_| {}).await;
    }
    provider
}

async fn register(
    provider: &Provider,
    id: &str,
    edit: impl FnOnce(&mut signet_core::provision::ClientDeclaration),
) {
    let mut declaration = Rp::new(id).declaration();
    declaration.settings.grant_types.insert(GrantType::ClientCredentials);
    if id == "mac" {
        declaration.settings.token_endpoint_auth_method = ClientAuthMethod::ClientSecretJwt;
    } else {
        declaration.settings.token_endpoint_auth_method = ClientAuthMethod::PrivateKeyJwt;
        declaration.secret = None;
    }
    edit(&mut declaration);
    provider.register(&declaration).await;
}

/// Signed with RS256, by the key that is registered as `sig`.
fn signed(rp: &Rp, claims: &Map<String, Value>) -> String {
    sign(&rp.signing.signer(SigAlg::RS256).unwrap(), None, claims)
}

/// With a MAC made from the client's secret.
fn mac(claims: &Map<String, Value>, alg: SigAlg) -> String {
    sign(&Signer::hmac(SECRET.as_bytes(), alg).unwrap(), None, claims)
}

fn sign(signer: &Signer, typ: Option<&str>, claims: &Map<String, Value>) -> String {
    signer.sign(typ, &serde_json::to_vec(claims).unwrap()).unwrap()
}

/// Asks for a token with an assertion.
async fn ask(provider: &Provider, assertion: &str, more: &[(&str, &str)]) -> Reply {
    let good = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
    ];
    provider.call("/token", &[], &[&good, more].concat()).await
}
