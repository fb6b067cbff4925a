//! The revocation endpoint (RFC 7009; certification 7.3, row 36).
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use signet_core::records::{AccessTokenFormat, ClientAuthMethod, GrantType};
use signet_tests::provider::{Browser, Provider, Reply};
use signet_tests::rp::Rp;

/// A provider with clients `rp`, `other` and `public`, and `rp`'s tokens.
async fn start(format: AccessTokenFormat) -> (Provider, Value) {
    let provider = Provider::start().await;
    for id in ["rp", "other", "public"] {
        let mut declaration = Rp::new(id).declaration();
        declaration.settings.grant_types.insert(GrantType::RefreshToken);
        declaration.settings.access_token_format = format;
        if id == "public" {
            declaration.secret = None;
            declaration.settings.token_endpoint_auth_method = ClientAuthMethod::None;
        }
        provider.register(&declaration).await;
    }
    let tokens = provider.tokens(&Rp::new("rp"), &[], &mut Browser::default()).await;
    (provider, tokens)
}

async fn revoke(provider: &Provider, id: &str, token: &Value, hint: Option<&str>) -> Reply {
    let mut form = vec![("token", token.as_str().unwrap())];
    form.extend(hint.map(|hint| ("token_type_hint", hint)));
    provider.call("/revoke", &[("authorization", &Rp::new(id).basic())], &form).await
}

async fn works(provider: &Provider, tokens: &Value) -> bool {
    provider.userinfo(tokens["access_token"].as_str().unwrap()).await.status == 200
}

async fn refreshes(provider: &Provider, tokens: &Value) -> bool {
    provider.refresh(&Rp::new("rp"), tokens["refresh_token"].as_str().unwrap(), &[]).await.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_ends_alone_rfc7009_2_1() {
    for format in [AccessTokenFormat::Opaque, AccessTokenFormat::Jwt] {
        let (provider, tokens) = start(format).await;
        let reply = revoke(&provider, "rp", &tokens["access_token"], None).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, ""));
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(!works(&provider, &tokens).await);
        assert!(refreshes(&provider, &tokens).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_ends_its_whole_grant_rfc7009_2_1() {
    let (provider, tokens) = start(AccessTokenFormat::Opaque).await;
    let other = provider.tokens(&Rp::new("rp"), &[], &mut Browser::default()).await;
    // An old link of the chain is as good as the last one, and a wrong hint does no harm.
    let second =
        provider.refresh(&Rp::new("rp"), tokens["refresh_token"].as_str().unwrap(), &[]).await.json();
    assert_eq!(revoke(&provider, "rp", &tokens["refresh_token"], Some("access_token")).await.status, 200);
    assert!(!works(&provider, &tokens).await && !works(&provider, &second).await);
    assert!(!refreshes(&provider, &second).await);
    assert!(works(&provider, &other).await && refreshes(&provider, &other).await, "other grants stand");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_tokens_own_client_may_rfc7009_2_1() {
    let (provider, tokens) = start(AccessTokenFormat::Opaque).await;
    for member in ["access_token", "refresh_token"] {
        let reply = revoke(&provider, "other", &tokens[member], None).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &"invalid_grant".into()));
        let form = [("token", tokens[member].as_str().unwrap()), ("client_id", "public")];
        assert_eq!(provider.call("/revoke", &[], &form).await.status, 400);
    }
    let nobody = provider.call("/revoke", &[], &[("token", tokens["access_token"].as_str().unwrap())]).await;
    assert_eq!((nobody.status.as_u16(), &nobody.json()["error"]), (401, &"invalid_client".into()));
    assert!(works(&provider, &tokens).await && refreshes(&provider, &tokens).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_tokens_are_no_error_and_a_missing_one_is_rfc7009_2_2() {
    let (provider, tokens) = start(AccessTokenFormat::Opaque).await;
    for unknown in ["x", "sgn_rt_unknown", "a.b.c"] {
        assert_eq!(revoke(&provider, "rp", &unknown.into(), Some("refresh_token")).await.status, 200);
    }
    for _ in 0..2 {
        assert_eq!(
            revoke(&provider, "rp", &tokens["access_token"], None).await.status,
            200,
            "again is no error"
        );
    }
    let reply = provider.call("/revoke", &[("authorization", &Rp::new("rp").basic())], &[]).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &"invalid_request".into()));
}
