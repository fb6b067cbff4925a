//! Clients that act for themselves (RFC 6749 section 4.4), and access tokens in JWT form (RFC 9068).

use serde_json::Value;
use signet_core::records::{AccessTokenFormat, ClientAuthMethod, GrantType};
use signet_jose::{Compact, Expect, Limits, PublicKey, SigAlg, Trace, Typ, parse, verify};
use signet_tests::craft::entry;
use signet_tests::provider::{Browser, ISSUER, Provider};
use signet_tests::rp::Rp;

use super::start;

async fn service(provider: &Provider, format: AccessTokenFormat) -> Rp {
    let rp = Rp::new("service");
    let mut declaration = rp.declaration();
    declaration.settings.grant_types.insert(GrantType::ClientCredentials);
    declaration.settings.access_token_format = format;
    provider.register(&declaration).await;
    rp
}

async fn ask(provider: &Provider, rp: &Rp, more: &[(&str, &str)]) -> signet_tests::provider::Reply {
    let pairs = [&[("grant_type", "client_credentials")], more].concat();
    provider.call("/token", &[("authorization", &rp.basic())], &pairs).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_nobodys_and_opens_no_userinfo_rfc6749_4_4_3() {
    let provider = start().await;
    let rp = service(&provider, AccessTokenFormat::Opaque).await;
    let reply = ask(&provider, &rp, &[("scope", "email")]).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"), "{}", reply.body);
    let answer = reply.json();
    let mut members: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
    let reply = provider.userinfo(answer["access_token"].as_str().unwrap()).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (403, &"insufficient_scope".into()));
    for (scope, error) in
        [("openid", "invalid_scope"), ("offline_access", "invalid_scope"), ("x", "invalid_scope")]
    {
        let reply = ask(&provider, &rp, &[("scope", scope)]).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &error.into()), "{scope}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_clients_registered_for_it_and_never_public_ones_rfc6749_4_4() {
    let provider = start().await;
    let reply = ask(&provider, &Rp::new("rp"), &[]).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &"unauthorized_client".into()));
    let mut declaration = Rp::new("app").declaration();
    declaration.secret = None;
    declaration.settings.token_endpoint_auth_method = ClientAuthMethod::None;
    declaration.settings.grant_types.insert(GrantType::ClientCredentials);
    let tenant = provider.app.store.tenants().await.unwrap().remove(0);
    let refused = provider.provisioner().client(&tenant, &declaration).await;
    assert!(refused.is_err(), "not even registered");
}

/// Verifies an access token as a resource server does (RFC 9068 section 4).
fn verified(jwt: &str, published: &Value, audience: &str, now: i64) -> Value {
    let Compact::Jws(jws) = parse(jwt, &Limits::default()).unwrap() else { panic!("not a JWS") };
    let key = PublicKey::from_jwk(entry(published, "sig", "RS256")).unwrap().verifier(SigAlg::RS256).unwrap();
    let expect = Expect {
        issuer: ISSUER,
        audiences: &[audience],
        algorithms: &[SigAlg::RS256],
        now,
        skew: 0,
        require: &["sub", "client_id", "iat", "jti"],
        max_lifetime: None,
        max_age: None,
        typ: Typ::Required(&["at+jwt"]),
    };
    let verified = verify(&jws, &[&key], &expect, &mut Trace::new()).unwrap();
    let claims = verified.claims();
    serde_json::json!({ "sub": claims.sub(), "client_id": claims.str("client_id"), "scope": claims.str("scope") })
}

#[tokio::test(flavor = "multi_thread")]
async fn jwt_access_tokens_verify_and_are_known_here_like_others_rfc9068_4() {
    let provider = start().await;
    let rp = service(&provider, AccessTokenFormat::Jwt).await;
    let jwks = provider.jwks().await;
    let answer = ask(&provider, &rp, &[]).await.json();
    let claims = verified(answer["access_token"].as_str().unwrap(), &jwks, ISSUER, provider.now());
    assert_eq!(claims, serde_json::json!({ "sub": "service", "client_id": "service", "scope": null }));

    let answer = provider.tokens(&rp, &[], &mut Browser::default()).await;
    let token = answer["access_token"].as_str().unwrap();
    let claims = verified(token, &jwks, ISSUER, provider.now());
    assert_eq!(claims["scope"], "openid profile");
    let reply = provider.userinfo(token).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["sub"]), (200, &claims["sub"]));
    // RFC 6750 section 2.3: a token in the query is not looked at.
    assert_eq!(provider.get(&format!("/userinfo?access_token={token}"), None).await.status, 401);
    // A changed one is another one, whatever it says.
    let changed = format!("{}A", &token[..token.len() - 1]);
    if changed != token {
        assert_eq!(provider.userinfo(&changed).await.status, 401);
    }
}
