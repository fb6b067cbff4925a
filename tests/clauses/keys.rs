//! Which keys are used for what.

use serde_json::{Value, json};
use signet_core::records::{RegistrationPolicy, TenantSettings};
use signet_jose::{ContentAlg, KeyAlg, KeySpec, SigAlg};
use signet_tests::craft;
use signet_tests::key;
use signet_tests::provider::ISSUER;
use signet_tests::rp::{Rp, seal};

use super::{claims, provider, published, registered, unregistered, verdict};

/// The client's RSA key with members changed.
fn jwk(changes: &Value) -> Value {
    let mut jwk = published(&Rp::new("rp").signing);
    for (name, value) in changes.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    jwk
}

/// RFC 7517 sections 4.2 to 4.4: `use`, `key_ops` and `alg` of a key say what it is for, and it is for nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_verifies_what_it_says_it_is_for_7_1_17() {
    let provider = provider(|_| ()).await;
    let other = published(&super::ec("other"));
    for (changes, reason) in [
        (json!({ "use": "enc" }), "jws_key_unknown"),
        (json!({ "use": null, "key_ops": ["encrypt", "wrapKey"] }), "jws_key_unknown"),
        (json!({ "use": null, "alg": "RSA-OAEP" }), "jws_key_unknown"),
    ] {
        let (rp, _) = registered(&provider, json!({ "jwks": { "keys": [other, jwk(&changes)] } })).await;
        let found = verdict(&provider, &rp, &rp.sign(&claims(&provider, &rp))).await;
        assert_eq!(found.as_deref(), Some(reason), "{changes}");
    }
    for changes in [json!({ "use": null, "key_ops": ["verify"] }), json!({ "use": null }), json!({})] {
        let (rp, _) = registered(&provider, json!({ "jwks": { "keys": [other, jwk(&changes)] } })).await;
        assert_eq!(verdict(&provider, &rp, &rp.sign(&claims(&provider, &rp))).await, None, "{changes}");
    }
    let (rp, _) =
        registered(&provider, json!({ "jwks": { "keys": [other, jwk(&json!({ "alg": "PS256" }))] } })).await;
    // The same key has verified RS256 for clients that said nothing of an algorithm (RFC 8725 section 3.1).
    let found = verdict(&provider, &rp, &rp.sign(&claims(&provider, &rp))).await;
    assert_eq!(found.as_deref(), Some("jws_key_unknown"));
    let signer = rp.signing.signer(SigAlg::PS256).unwrap();
    let object = signer.sign(None, &craft::json(&claims(&provider, &rp))).unwrap();
    assert_eq!(verdict(&provider, &rp, &object).await, None);
}

/// Registration section 2, on what a client registers for encrypting its request objects: "The RP MAY still use other
/// supported encryption algorithms or send unencrypted Request Objects, even when this parameter is present."
#[tokio::test(flavor = "multi_thread")]
async fn the_registered_encryption_of_objects_is_an_announcement_7_2_22() {
    let provider = provider(|_| ()).await;
    let (rp, info) = registered(&provider, json!({ "request_object_encryption_alg": "RSA-OAEP" })).await;
    // "If request_object_encryption_alg is specified, the default for this value is A128CBC-HS256."
    assert_eq!(info["request_object_encryption_enc"], "A128CBC-HS256");
    let jwks = provider.jwks().await;
    let signed = rp.sign(&claims(&provider, &rp));
    for (alg, enc) in [
        (KeyAlg::RsaOaep, ContentAlg::A128CbcHs256),
        (KeyAlg::RsaOaep256, ContentAlg::A256Gcm),
        (KeyAlg::EcdhEsA256Kw, ContentAlg::A192CbcHs384),
    ] {
        let object = seal(&jwks, alg, enc, signed.as_bytes());
        assert_eq!(verdict(&provider, &rp, &object).await, None);
    }
    assert_eq!(verdict(&provider, &rp, &signed).await, None);
    // "When request_object_encryption_enc is included, request_object_encryption_alg MUST also be provided."
    let alone = json!({ "request_object_encryption_enc": "A256GCM" });
    assert_eq!(unregistered(&provider, alone).await, "invalid_client_metadata");
}

/// OpenID Connect Core section 10.2.1: "it should also retain recently decommissioned encryption keys" for those who hold
/// a cached set.
#[tokio::test(flavor = "multi_thread")]
async fn the_previous_encryption_key_opens_until_its_retention_ends_7_2_23() {
    const DAY: i64 = 86_400;
    let settings = || TenantSettings { registration: RegistrationPolicy::Open, ..TenantSettings::default() };
    let provider = provider(|_| ()).await;
    let (rp, _) = registered(&provider, json!({})).await;
    let old = provider.jwks().await;
    let kid = |jwks: &Value| craft::entry(jwks, "enc", "RSA-OAEP")["kid"].clone();
    let by_old = |now: i64| {
        let signed = rp.sign(&rp.claims(ISSUER, now, None));
        seal(&old, KeyAlg::RsaOaep, ContentAlg::A128CbcHs256, signed.as_bytes())
    };
    // The successor is made before it is due, and takes over then.
    for days in [88, 1, 1] {
        assert_eq!(kid(&provider.jwks().await), kid(&old));
        provider.advance(days * DAY);
        provider.tenant("default", ISSUER, settings()).await;
    }
    provider.advance(10);
    assert_ne!(kid(&provider.jwks().await), kid(&old), "the new key is published");
    assert_eq!(verdict(&provider, &rp, &by_old(provider.now())).await, None, "the old one opens");
    provider.advance(6 * DAY);
    assert_eq!(verdict(&provider, &rp, &by_old(provider.now())).await, None, "still");
    provider.advance(2 * DAY);
    let late = verdict(&provider, &rp, &by_old(provider.now())).await;
    assert_eq!(late.as_deref(), Some("undecryptable_key_unknown"));
}

/// Registration section 2 and OpenID Connect Core section 10.2: whoever wants encrypted responses brings a key for them,
/// and a key for signatures is none.
#[tokio::test(flavor = "multi_thread")]
async fn no_response_is_encrypted_to_a_signing_key_7_3_31() {
    let provider = provider(|_| ()).await;
    for (message, extra) in [
        ("id_token", json!({})),
        ("userinfo", json!({})),
        ("authorization", json!({})),
        ("introspection", json!({})),
    ] {
        let name = format!("{message}_encrypted_response_alg");
        for keys in [
            json!([jwk(&json!({}))]),
            json!([jwk(&json!({ "use": null, "key_ops": ["verify"] }))]),
            json!([jwk(&json!({ "use": null, "alg": "RS256" }))]),
            // Of the right use, and of a kind that does not fit.
            json!([
                jwk(&json!({})),
                published(&key(KeySpec::P256).clone().with_use(signet_jose::KeyUse::Enc))
            ]),
        ] {
            let mut metadata = json!({ "jwks": { "keys": keys } });
            metadata[&name] = json!("RSA-OAEP");
            metadata.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            assert_eq!(unregistered(&provider, metadata).await, "invalid_client_metadata", "{message}");
        }
    }
}
