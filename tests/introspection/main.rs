//! The introspection endpoint (RFC 7662, RFC 9701; certification 7.3, row 36).
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};
use signet_core::provision::ClientDeclaration;
use signet_core::records::{AccessTokenFormat, ClientAuthMethod, Encryption, GrantType};
use signet_jose::{Compact, ContentAlg, KeyAlg, Limits, parse, parse_nested};
use signet_tests::craft::unb64;
use signet_tests::provider::{Browser, ISSUER, Provider, Reply};
use signet_tests::rp::Rp;

const API: &str = "https://api.example/";
const JWT: &str = "application/token-introspection+jwt";

async fn register(provider: &Provider, id: &str, edit: impl FnOnce(&mut ClientDeclaration)) {
    let mut declaration = Rp::new(id).declaration();
    declaration.settings.grant_types.insert(GrantType::RefreshToken);
    edit(&mut declaration);
    provider.register(&declaration).await;
}

/// A provider with clients `rp` and `other`, the resource server `api`, and `rp`'s tokens.
async fn start() -> (Provider, Value) {
    let provider = Provider::start().await;
    for (id, resource) in [("rp", Some(API)), ("other", None), ("api", Some(API))] {
        let resources = resource.into_iter().map(str::to_owned).collect();
        register(&provider, id, |declaration| declaration.settings.resources = resources).await;
    }
    let tokens = provider.tokens(&Rp::new("rp"), &[], &mut Browser::default()).await;
    (provider, tokens)
}

async fn ask(provider: &Provider, id: &str, token: &str, accept: &str) -> Reply {
    let headers = [("authorization", &*Rp::new(id).basic()), ("accept", accept)];
    let reply = provider.call("/introspect", &headers, &[("token", token)]).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    reply
}

async fn look(provider: &Provider, id: &str, token: &Value) -> Value {
    let reply = ask(provider, id, token.as_str().unwrap(), "application/json").await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("content-type")),
        (200, "application/json"),
        "{}",
        reply.body
    );
    reply.json()
}

fn inactive() -> Value {
    json!({ "active": false })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_its_own_tokens_and_nobody_elses_rfc7662_2_2() {
    let (provider, tokens) = start().await;
    let answer = look(&provider, "rp", &tokens["access_token"]).await;
    let sub = provider.userinfo(tokens["access_token"].as_str().unwrap()).await.json()["sub"].clone();
    let now = provider.now();
    let expected = json!({
        "active": true, "iss": ISSUER, "aud": ISSUER, "client_id": "rp", "sub": sub, "username": "alice",
        "scope": "openid profile", "token_type": "Bearer", "iat": now, "exp": now + 600,
    });
    assert_eq!(answer, expected);
    let refresh = look(&provider, "rp", &tokens["refresh_token"]).await;
    assert_eq!((&refresh["active"], &refresh["sub"], refresh.get("token_type")), (&json!(true), &sub, None));
    for member in ["access_token", "refresh_token"] {
        for id in ["other", "api"] {
            assert_eq!(look(&provider, id, &tokens[member]).await, inactive(), "{id}: {member}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_server_sees_the_tokens_that_are_for_it_rfc7662_4() {
    let (provider, _) = start().await;
    for format in [AccessTokenFormat::Opaque, AccessTokenFormat::Jwt] {
        register(&provider, "rp", |declaration| {
            declaration.settings.resources.insert(API.to_owned());
            declaration.settings.access_token_format = format;
        })
        .await;
        let rp = Rp::new("rp");
        let mut form = rp.redemption(&provider.code(&rp, &[], &mut Browser::default()).await);
        form.push(("resource".into(), API.into()));
        let tokens = provider.token(Some(&rp.basic()), &form).await.json();
        let answer = look(&provider, "api", &tokens["access_token"]).await;
        assert_eq!(
            (&answer["active"], &answer["aud"], &answer["client_id"]),
            (&json!(true), &json!(API), &json!("rp"))
        );
        assert_eq!(look(&provider, "other", &tokens["access_token"]).await, inactive());
        assert_eq!(
            look(&provider, "api", &tokens["refresh_token"]).await,
            inactive(),
            "never for resource servers"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_or_over_is_inactive_and_no_error_rfc7662_2_2() {
    let (provider, tokens) = start().await;
    let rp = Rp::new("rp");
    for unknown in ["x", "sgn_at_unknown", &"y".repeat(8000), "a.b.c", "\u{e4}"] {
        assert_eq!(look(&provider, "rp", &unknown.into()).await, inactive());
    }
    // A token that was exchanged is not usable any more, and its successor is.
    let second = provider.refresh(&rp, tokens["refresh_token"].as_str().unwrap(), &[]).await.json();
    assert_eq!(look(&provider, "rp", &tokens["refresh_token"]).await, inactive());
    assert_eq!(look(&provider, "rp", &second["refresh_token"]).await["active"], true);
    provider.advance(600);
    assert_eq!(look(&provider, "rp", &second["access_token"]).await, inactive());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_without_proof_rfc7662_2_1() {
    let (provider, tokens) = start().await;
    register(&provider, "public", |declaration| {
        declaration.secret = None;
        declaration.settings.token_endpoint_auth_method = ClientAuthMethod::None;
    })
    .await;
    let token = tokens["access_token"].as_str().unwrap();
    for form in [vec![("token", token)], vec![("token", token), ("client_id", "public")]] {
        let reply = provider.call("/introspect", &[], &form).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]),
            (401, &"invalid_client".into()),
            "{form:?}"
        );
    }
    let headers = [("authorization", &*Rp::new("rp").basic())];
    let reply = provider.call("/introspect", &headers, &[]).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &"invalid_request".into()));
    assert_eq!(provider.get("/introspect", None).await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_for_whoever_accepts_one_rfc9701_5() {
    let (provider, tokens) = start().await;
    let reply = ask(&provider, "rp", tokens["access_token"].as_str().unwrap(), JWT).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, JWT));
    let part = |at: usize| -> Value {
        serde_json::from_slice(&unb64(reply.body.split('.').nth(at).unwrap())).unwrap()
    };
    assert_eq!((&part(0)["typ"], &part(0)["alg"]), (&json!("token-introspection+jwt"), &json!("RS256")));
    let claims = part(1);
    let mut members: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["aud", "iat", "iss", "token_introspection"], "no sub and no exp outside");
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ISSUER), &json!("rp")));
    assert_eq!(claims["token_introspection"]["active"], true);
    // It is no access token.
    assert_eq!(provider.userinfo(&reply.body).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_encrypted_never_leaves_as_json_rfc9701_6() {
    let (provider, tokens) = start().await;
    let ends = provider.now() + 100;
    register(&provider, "rp", |declaration| {
        declaration.settings.introspection.encrypted =
            Some(Encryption { alg: KeyAlg::RsaOaep256, enc: ContentAlg::A256Gcm });
        declaration.keys[1].not_after = Some(ends);
    })
    .await;
    let token = tokens["access_token"].as_str().unwrap();
    for accept in ["application/json", "*/*", JWT] {
        let reply = ask(&provider, "rp", token, accept).await;
        assert_eq!(reply.header("content-type"), JWT, "{accept}");
        let Compact::Jwe(jwe) = parse(&reply.body, &Limits::default()).unwrap() else {
            panic!("not encrypted")
        };
        assert_eq!((jwe.header().kid.as_deref(), jwe.header().cty.as_deref()), (Some("enc"), Some("JWT")));
        let inner = Rp::new("rp").encryption.decrypter().unwrap().open(&jwe).unwrap();
        let inner = parse_nested(&inner, &Limits::default()).unwrap();
        assert_eq!(inner.header().typ.as_deref(), Some("token-introspection+jwt"));
    }
    // Without a key there is an error, and nothing readable.
    provider.advance(100);
    for token in [token, "unknown"] {
        let reply = ask(&provider, "rp", token, "application/json").await;
        assert_eq!(reply.status, 400, "{}", reply.body);
        assert!(!reply.body.contains("active"), "{}", reply.body);
    }
}
