//! From registration to removal.

use serde_json::{Value, json};
use signet_core::change::Change;
use signet_tests::flow::basic;
use signet_tests::provider::Browser;
use signet_tests::rp::Rp;

use crate::{CALLBACK, Known, metadata, open, refusal, register, request};

/// A relying party that is registered as `known`.
fn rp(known: &Known) -> Rp {
    let mut rp = Rp::new("rp");
    known.id().clone_into(&mut rp.id);
    CALLBACK.clone_into(&mut rp.redirect_uri);
    rp
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_registers_logs_people_in_changes_and_leaves_rfc7592_2() {
    let provider = open().await;
    let known = Known::new(&provider, json!({ "tos_uri": "https://rp.example/tos" })).await;
    // It is usable at once.
    let rp = rp(&known);
    let code = provider.code(&rp, &[], &mut Browser::default()).await;
    let secret = known.info["client_secret"].as_str().unwrap();
    assert_eq!(known.info["client_secret_expires_at"], 0);
    let tokens = provider.token(Some(&basic(known.id(), secret)), &rp.redemption(&code)).await;
    assert_eq!(tokens.status.as_u16(), 200, "{}", tokens.body);

    let read = known.get(&provider).await;
    assert_eq!((read.status.as_u16(), read.header("cache-control")), (200, "no-store"));
    let mut expected = known.info.clone();
    // Only hashes of secrets are kept.
    let kept = |name: &String| !name.starts_with("client_secret");
    expected.as_object_mut().unwrap().retain(|name, _| kept(name));
    assert_eq!(read.json(), expected);

    let changed = known.put(&provider, json!({ "redirect_uris": ["https://rp.example/new"] })).await;
    assert_eq!(changed.status.as_u16(), 200, "{}", changed.body);
    assert_eq!(changed.json()["redirect_uris"], json!(["https://rp.example/new"]));
    assert_eq!(changed.json().get("tos_uri"), None, "a change replaces everything");
    assert_eq!(known.get(&provider).await.json(), changed.json());
    let old = provider.authorize(&rp, &[], None).await;
    assert_eq!(old.status.as_u16(), 400, "the old redirect URI is gone at once");

    let deleted = known.delete(&provider).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.as_str()), (204, ""));
    for reply in
        [known.get(&provider).await, known.put(&provider, json!({})).await, known.delete(&provider).await]
    {
        assert_eq!(refusal(&reply), (401, "invalid_token".to_owned()));
    }
    let access_token = tokens.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(provider.userinfo(&access_token).await.status.as_u16(), 401);
    assert_eq!(provider.authorize(&rp, &[], None).await.status.as_u16(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_was_registered_is_told_with_its_defaults_rfc7591_3_2_1() {
    let provider = open().await;
    let asked = json!({
        "application_type": "web",
        "client_name": "Shop",
        "client_uri": "https://rp.example/",
        "logo_uri": "https://rp.example/logo.png",
        "policy_uri": "https://rp.example/policy",
        "tos_uri": "https://rp.example/tos",
        "contacts": ["ops@rp.example"],
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "1.2",
        "default_max_age": 3600,
        "require_auth_time": true,
        "default_acr_values": ["urn:example:high"],
        // OpenID Connect Core section 4.
        "initiate_login_uri": "https://rp.example/login",
        // Core section 6.2: the fragment is part of what is registered.
        "request_uris": ["https://rp.example/ro.jwt#Mzk0NTg3", "https://rp.example/other"],
        "post_logout_redirect_uris": ["https://rp.example/bye"],
        "backchannel_logout_uri": "https://rp.example/backchannel",
        "backchannel_logout_session_required": true,
        "frontchannel_logout_uri": "https://rp.example/frontchannel",
        "frontchannel_logout_session_required": true,
        "userinfo_signed_response_alg": "ES256",
        "id_token_signed_response_alg": "ES256",
        "request_object_signing_alg": "RS256",
        "subject_type": "pairwise",
    });
    let known = Known::new(&provider, asked.clone()).await;
    for (name, value) in asked.as_object().unwrap() {
        assert_eq!(known.info[name], *value, "{name}");
    }
    for (name, value) in [
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("grant_types", json!(["authorization_code"])),
        ("response_types", json!(["code"])),
        ("require_pushed_authorization_requests", json!(false)),
        ("authorization_signed_response_alg", json!("RS256")),
    ] {
        assert_eq!(known.info[name], value, "{name}");
    }
    assert_eq!(known.get(&provider).await.json()["initiate_login_uri"], "https://rp.example/login");
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_is_not_understood_is_ignored_rfc7591_2() {
    let provider = open().await;
    let known = Known::new(&provider, json!({ "made_up": { "a": [1] }, "client_name#fi": "Kauppa" })).await;
    assert_eq!(known.info.get("made_up"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_kid_verifies_request_objects_registration_2() {
    let provider = open().await;
    let mut jwk = Rp::new("rp").signing.public_key().to_jwk();
    jwk.remove("kid");
    let known = Known::new(&provider, json!({ "jwks": { "keys": [Value::Object(jwk)] } })).await;
    assert_eq!(known.info["jwks"]["keys"][0].get("kid"), None);
    let rp = rp(&known);
    let object = rp.sign(&rp.claims(signet_tests::provider::ISSUER, provider.now(), None));
    let query = signet_tests::provider::form(&[("client_id", &rp.id), ("request", &object)]);
    let accepted = provider.get(&format!("/authorize?{query}"), None).await;
    assert_eq!(accepted.status.as_u16(), 303, "{}", accepted.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_client_has_no_secret_and_must_use_pkce_rfc9700_2_1_1() {
    let provider = open().await;
    let known = Known::new(&provider, json!({ "token_endpoint_auth_method": "none" })).await;
    assert_eq!(known.info.get("client_secret"), None);
    let reply =
        provider.authorize(&rp(&known), &[("code_challenge", ""), ("code_challenge_method", "")], None).await;
    assert_eq!(reply.location_param("error").as_deref(), Some("invalid_request"));
    // Whoever has a secret may go without: OpenID Connect Core knows no PKCE.
    let known = Known::new(&provider, json!({})).await;
    let reply =
        provider.authorize(&rp(&known), &[("code_challenge", ""), ("code_challenge_method", "")], None).await;
    assert_eq!(reply.location_param("error"), None, "{}", reply.location());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_registration_is_in_the_audit_trail() {
    let provider = open().await;
    let reply = register(&provider, json!({})).await;
    let kinds = |events: Vec<signet_core::records::AuditEvent>| -> Vec<String> {
        events.into_iter().map(|event| event.kind).collect()
    };
    let mut seen = kinds(provider.audit(reply.correlation_id()).await);
    seen.sort();
    assert_eq!(seen, ["client.created", "client.registered"]);
    let refused = register(&provider, json!({ "redirect_uris": ["http://rp.example/"] })).await;
    assert_eq!(provider.reason(&refused).await, "client_metadata_redirect_uri");
    let info = reply.json();
    let path = format!("/register/{}", info["client_id"].as_str().unwrap());
    let wrong = provider.send(request("DELETE", &path, Some("sgn_rat_wrong"), None)).await;
    assert_eq!(provider.reason(&wrong).await, "registration_access_token_wrong");
    // Tokens and secrets are in none of it.
    let all = signet_store::AuditFilter { limit: 1000, ..signet_store::AuditFilter::default() };
    let trail = format!("{:?}", provider.app.store.audit(&"default".into(), &all).await.unwrap());
    for secret in ["client_secret", "registration_access_token"] {
        assert!(!trail.contains(info[secret].as_str().unwrap()), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_the_client_keeps_what_it_is_not_asked_for_rfc7592_2_2() {
    let provider = open().await;
    let known = Known::new(&provider, json!({})).await;
    let secret = known.info["client_secret"].clone();
    for (more, status) in [
        (json!({ "client_secret": secret }), 200),
        (json!({ "client_secret": "one-of-my-own-choosing-0001" }), 400),
        (json!({ "registration_access_token": known.token }), 400),
        (json!({ "client_id_issued_at": 1 }), 400),
    ] {
        let reply = known.put(&provider, more.clone()).await;
        assert_eq!(reply.status.as_u16(), status, "{more}: {}", reply.body);
    }
    let mut other = metadata(&json!({}));
    for id in [json!(null), json!("other"), json!(1)] {
        other["client_id"] = id;
        let reply = provider.send(request("PUT", &known.path, Some(&known.token), Some(&other))).await;
        assert_eq!(refusal(&reply), (400, "invalid_client_metadata".to_owned()));
    }
    let now_public = known.put(&provider, json!({ "token_endpoint_auth_method": "none" })).await;
    assert_eq!(now_public.json().get("client_secret"), None);
    let again = known.put(&provider, json!({})).await.json();
    assert!(again["client_secret"].is_string() && again["client_secret"] != secret);
    assert_eq!(again["client_secret_expires_at"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_adds_to_what_it_gets_asks_people_again_rfc7592_2_2() {
    let provider = open().await;
    let known = Known::new(&provider, json!({ "scope": "openid email" })).await;
    let (store, tenant) = (&provider.app.store, "default".into());
    let stored = || async { store.client(&tenant, &known.id().into()).await.unwrap().unwrap() };
    for (more, asks) in [
        (json!({ "scope": "openid email", "client_name": "Another name" }), false),
        (json!({ "scope": "openid" }), false),
        (json!({ "scope": "openid email phone" }), true),
        (
            json!({ "scope": "openid email", "redirect_uris": [CALLBACK, "https://elsewhere.example/cb"] }),
            true,
        ),
    ] {
        // An administrator lets it go without consent, as it is now.
        known.put(&provider, json!({ "scope": "openid email" })).await;
        let mut client = stored().await;
        (client.version, client.settings.require_consent) = (client.version + 1, false);
        store.apply(&tenant, &[Change::UpdateClient(client)]).await.unwrap();
        let reply = known.put(&provider, more.clone()).await;
        assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
        assert_eq!(stored().await.settings.require_consent, asks, "{more}");
    }
}
