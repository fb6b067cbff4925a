//! Request objects of clients that registered themselves.

use serde_json::json;
use signet_jose::{KeySpec, SigAlg};
use signet_tests::provider::{Browser, ISSUER};
use signet_tests::rp::Rp;
use signet_tests::{craft, key};

use super::{ALG, claims, ec, provider, registered, unsigned, verdict};

/// Registration section 2: "All Request Objects from this Client MUST be rejected, if not signed with this algorithm."
#[tokio::test(flavor = "multi_thread")]
async fn only_the_registered_algorithm_signs_request_objects_7_1_5() {
    let provider = provider(|tenant| tenant.unsigned_request_objects = true).await;
    let es256 = |rp: &Rp| {
        let signer = ec("ec").signer(SigAlg::ES256).unwrap();
        signer.sign(None, &craft::json(&claims(&provider, rp))).unwrap()
    };
    let ps256 = |rp: &Rp| {
        let signer = rp.signing.signer(SigAlg::PS256).unwrap();
        signer.sign(None, &craft::json(&claims(&provider, rp))).unwrap()
    };
    let (rp, info) = registered(&provider, json!({ "request_object_signing_alg": "RS256" })).await;
    let secret = info["client_secret"].as_str().unwrap();
    let hs256 = craft::mac(br#"{"alg":"HS256"}"#, &craft::json(&claims(&provider, &rp)), secret.as_bytes());
    assert_eq!(verdict(&provider, &rp, &rp.sign(&claims(&provider, &rp))).await, None);
    for other in [es256(&rp), ps256(&rp), hs256] {
        assert_eq!(verdict(&provider, &rp, &other).await.as_deref(), ALG);
    }
    let none = verdict(&provider, &rp, &unsigned(&claims(&provider, &rp))).await;
    assert_eq!(none.as_deref(), Some("object_unsigned"));
    // It holds for the absence of a signature as well.
    let (rp, _) = registered(&provider, json!({ "request_object_signing_alg": "none" })).await;
    assert_eq!(verdict(&provider, &rp, &unsigned(&claims(&provider, &rp))).await, None);
    for signed in [rp.sign(&claims(&provider, &rp)), es256(&rp)] {
        assert_eq!(verdict(&provider, &rp, &signed).await.as_deref(), ALG);
    }
    // "The default, if omitted, is that any algorithm supported by the OP and the RP MAY be used."
    let (rp, _) = registered(&provider, json!({})).await;
    for object in
        [rp.sign(&claims(&provider, &rp)), es256(&rp), ps256(&rp), unsigned(&claims(&provider, &rp))]
    {
        assert_eq!(verdict(&provider, &rp, &object).await, None);
    }
}

/// RFC 8725 sections 2.1 and 3.1. Our own key set is the one that everybody can download.
#[tokio::test(flavor = "multi_thread")]
async fn our_public_keys_are_nobodys_secrets_7_1_6() {
    let provider = provider(|_| ()).await;
    let (rp, _) = registered(&provider, json!({})).await;
    let jwks = provider.jwks().await;
    for entry in jwks["keys"].as_array().unwrap() {
        let header = json!({ "alg": "HS256", "kid": entry["kid"] }).to_string();
        for secret in [entry.to_string(), entry["n"].to_string(), entry["x"].to_string()] {
            let payload = craft::json(&claims(&provider, &rp));
            let forged = craft::mac(header.as_bytes(), &payload, secret.as_bytes());
            assert_eq!(verdict(&provider, &rp, &forged).await.as_deref(), ALG);
        }
    }
}

/// RFC 9101 section 10.5, RFC 9126 sections 5 and 6: plain requests are refused where either is demanded.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_or_the_server_demands_is_demanded_7_1_7() {
    let provider = provider(|_| ()).await;
    let metadata = provider.get("/.well-known/openid-configuration", None).await.json();
    for name in ["require_signed_request_object", "require_pushed_authorization_requests"] {
        assert_eq!(metadata[name], json!(false));
    }
    let (rp, _) = registered(&provider, json!({ "require_signed_request_object": true })).await;
    let refused = provider.authorize(&rp, &[], None).await;
    assert_eq!(provider.reason(&refused).await, "request_object_required");
    assert_eq!(verdict(&provider, &rp, &rp.sign(&claims(&provider, &rp))).await, None);
    let (rp, _) = registered(&provider, json!({ "require_pushed_authorization_requests": true })).await;
    let refused = provider.authorize(&rp, &[], None).await;
    assert_eq!(provider.reason(&refused).await, "push_required");
    let strict = super::provider(|tenant| tenant.require_pushed_authorization_requests = true).await;
    let metadata = strict.get("/.well-known/openid-configuration", None).await.json();
    assert_eq!(metadata["require_pushed_authorization_requests"], json!(true));
    let (rp, _) = registered(&strict, json!({})).await;
    let refused = strict.authorize(&rp, &[], None).await;
    assert_eq!(strict.reason(&refused).await, "push_required");
}

/// RFC 7519 sections 4.1.4 to 4.1.6: whoever need not give times is held to those that it gives.
#[tokio::test(flavor = "multi_thread")]
async fn times_that_are_given_count_where_none_are_demanded_7_1_11() {
    let provider = provider(|_| ()).await;
    let (rp, _) = registered(&provider, json!({})).await;
    let now = provider.now();
    let mut bare = claims(&provider, &rp);
    bare.retain(|name, _| !["iat", "exp", "nbf"].contains(&name.as_str()));
    assert_eq!(verdict(&provider, &rp, &rp.sign(&bare)).await, None);
    for (name, value, reason) in [
        ("exp", json!(now - 61), "token_expired"),
        ("nbf", json!(now + 61), "nbf_in_future"),
        ("iat", json!(now + 61), "iat_in_future"),
        ("exp", json!("soon"), "time_invalid"),
        ("exp", json!(-1), "time_invalid"),
        ("exp", json!(1e300), "time_invalid"),
        ("nbf", json!([now]), "time_invalid"),
    ] {
        let mut claims = bare.clone();
        claims.insert(name.into(), value.clone());
        let found = verdict(&provider, &rp, &rp.sign(&claims)).await;
        assert_eq!(found.as_deref(), Some(reason), "{name} {value}");
    }
    let mut fraction = bare.clone();
    fraction.insert("exp".into(), json!(f64::from(u32::try_from(now).unwrap()) + 10.5));
    assert_eq!(verdict(&provider, &rp, &rp.sign(&fraction)).await, None);
}

/// RFC 9396 is not offered, so its parameter is one that is not known: RFC 6749 section 3.1, "The authorization server MUST
/// ignore unrecognized request parameters".
#[tokio::test(flavor = "multi_thread")]
async fn authorization_details_give_nothing_7_1_14() {
    let provider = provider(|_| ()).await;
    provider.register(&Rp::new("rp").declaration()).await;
    let rp = Rp::new("rp");
    let mut claims = claims(&provider, &rp);
    claims.insert("authorization_details".into(), json!([{ "type": "payment_initiation" }]));
    let answer = provider.tokens(&rp, &[("request", &rp.sign(&claims))], &mut Browser::default()).await;
    assert!(answer.get("authorization_details").is_none(), "{answer}");
    let token = answer["access_token"].as_str().unwrap();
    let told = provider.call("/introspect", &[("authorization", &rp.basic())], &[("token", token)]).await;
    assert_eq!(told.json()["active"], json!(true));
    assert!(told.json().get("authorization_details").is_none());
}

/// RFC 7516 section 11.5. At the endpoint that answers in JSON every failure to decrypt reads the same.
#[tokio::test(flavor = "multi_thread")]
async fn pushed_objects_that_cannot_be_decrypted_read_all_the_same_7_2_25() {
    let provider = provider(|_| ()).await;
    let rp = Rp::new("rp");
    provider.register(&rp.declaration()).await;
    let jwks = provider.jwks().await;
    let signed = rp.sign(&claims(&provider, &rp));
    let entry = craft::entry(&jwks, "enc", "RSA-OAEP");
    let foreign = json!(key(KeySpec::Rsa3072).public_key().to_jwk());
    let sealed = |kid: &serde_json::Value, to: &serde_json::Value| {
        let header = json!({ "alg": "RSA-OAEP", "enc": "A128CBC-HS256", "cty": "JWT", "kid": kid });
        craft::jwe(header.to_string().as_bytes(), signed.as_bytes(), to)
    };
    let good = sealed(&entry["kid"], entry);
    let mut bodies = Vec::new();
    for object in [
        sealed(&json!("somebody-else"), entry),
        sealed(&entry["kid"], &foreign),
        craft::flip(&good, 1, false),
        craft::flip(&good, 3, false),
        craft::flip(&good, 4, false),
    ] {
        let reply = provider.call("/par", &[("authorization", &rp.basic())], &[("request", &object)]).await;
        assert_eq!((reply.status.as_u16(), reply.location()), (400, ""));
        assert_eq!(reply.json()["error"], "invalid_request_object");
        bodies.push(reply.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let reply = provider.call("/par", &[("authorization", &rp.basic())], &[("request", &good)]).await;
    assert_eq!(reply.status.as_u16(), 201, "{} at {ISSUER}", reply.body);
}
