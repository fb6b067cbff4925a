//! What responses are made with.

use openssl::hash::{MessageDigest, hash};
use serde_json::json;
use signet_core::records::{ResponseType, TenantSettings};
use signet_jose::SigAlg;
use signet_tests::craft::{b64, unb64};
use signet_tests::front::{every_type, peek};
use signet_tests::provider::{Browser, ISSUER, Provider};
use signet_tests::rp::Rp;

use super::{provider, registered, unregistered};

/// OpenID Connect Core sections 10.1 and 16.19, RFC 7518 section 3.2: a secret that MACs are made with is as long as the
/// hash.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_long_enough_for_the_registered_mac_7_3_28() {
    let provider = provider(|_| ()).await;
    for (alg, bytes) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let metadata = json!({
            "token_endpoint_auth_method": "client_secret_jwt",
            "token_endpoint_auth_signing_alg": alg,
        });
        let (_, info) = registered(&provider, metadata).await;
        assert!(info["client_secret"].as_str().unwrap().len() >= bytes, "{alg}");
    }
    // No secret is made longer for responses, because none are made with it (RFC 8725 section 3.5).
    for message in ["id_token", "userinfo", "authorization", "introspection"] {
        for alg in ["HS256", "HS512"] {
            let metadata = json!({ format!("{message}_signed_response_alg"): alg });
            assert_eq!(unregistered(&provider, metadata).await, "invalid_client_metadata");
        }
        for alg in ["A128KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW", "dir", "PBES2-HS256+A128KW"] {
            let metadata = json!({ format!("{message}_encrypted_response_alg"): alg });
            assert_eq!(unregistered(&provider, metadata).await, "invalid_client_metadata", "{message} {alg}");
        }
    }
}

fn half(digest: MessageDigest, text: &str) -> String {
    let digest = hash(digest, text.as_bytes()).unwrap();
    b64(&digest[..digest.len() / 2])
}

/// OpenID Connect Core sections 3.2.2.9 and 3.3.2.11: the hash is the one of the signature's algorithm, and for Ed25519
/// SHA-512 (RFC 8032 section 5.1).
#[tokio::test(flavor = "multi_thread")]
async fn at_hash_and_c_hash_fit_every_algorithm_7_3_34() {
    let algs: Vec<SigAlg> = SigAlg::ALL.iter().copied().filter(|alg| !alg.is_symmetric()).collect();
    assert_eq!(algs.len(), 10);
    let provider = Provider::start().await;
    // Keys are named by the second in which they are made.
    provider.advance(1);
    let settings = TenantSettings { signing_algs: algs.clone(), ..TenantSettings::default() };
    provider.tenant("default", ISSUER, settings).await;
    let mut browser = Browser::default();
    for alg in algs {
        let rp = Rp::new(&alg.name().to_lowercase());
        let mut declaration = every_type(rp.declaration());
        declaration.settings.id_token.signed = alg;
        provider.register(&declaration).await;
        let digest = match alg.name() {
            "EdDSA" => MessageDigest::sha512(),
            name if name.ends_with("256") => MessageDigest::sha256(),
            name if name.ends_with("384") => MessageDigest::sha384(),
            _ => MessageDigest::sha512(),
        };
        for kind in [ResponseType::CodeIdTokenToken, ResponseType::CodeIdToken, ResponseType::IdTokenToken] {
            let back = provider.front(&rp, &[("response_type", kind.name())], &mut browser).await;
            let token = back.get("id_token");
            let header: serde_json::Value =
                serde_json::from_slice(&unb64(token.split('.').next().unwrap())).unwrap();
            assert_eq!(header["alg"], alg.name());
            let claims = peek(token);
            for (parameter, name) in [("code", "c_hash"), ("access_token", "at_hash")] {
                let text = back.get(parameter);
                if !text.is_empty() {
                    assert_eq!(claims[name], half(digest, text), "{} {name}", alg.name());
                }
            }
        }
    }
}
