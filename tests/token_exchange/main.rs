//! Token exchange over HTTP (RFC 8693).
#![expect(clippy::unwrap_used, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use signet_core::records::{AccessTokenFormat, ClientAuthMethod, ClientSettings, GrantType};
use signet_tests::provider::{Browser, ISSUER, Provider, Reply};
use signet_tests::rp::Rp;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ORDERS: &str = "https://orders.example/";
const STOCK: &str = "https://stock.example/";

/// A shop with which people sign in, and two services: orders, which the shop calls, and stock, which orders calls.
struct World {
    provider: Provider,
    shop: Rp,
    orders: Rp,
    stock: Rp,
}

async fn client(provider: &Provider, id: &str, resources: &[&str], more: fn(&mut ClientSettings)) -> Rp {
    let rp = Rp::new(id);
    let mut declared = rp.declaration();
    declared.settings.grant_types.insert(GrantType::TokenExchange);
    declared.settings.resources = resources.iter().map(|uri| (*uri).to_owned()).collect();
    more(&mut declared.settings);
    provider.register(&declared).await;
    rp
}

async fn world() -> World {
    let provider = Provider::start().await;
    let shop = client(&provider, "shop", &[ORDERS], |_| {}).await;
    let as_jwt = |settings: &mut ClientSettings| settings.access_token_format = AccessTokenFormat::Jwt;
    let orders = client(&provider, "orders", &[ORDERS, STOCK], as_jwt).await;
    let stock = client(&provider, "stock", &[STOCK], as_jwt).await;
    World { provider, shop, orders, stock }
}

impl World {
    /// The user's token for the shop, for orders if so asked.
    async fn token(&self, resource: Option<&str>) -> String {
        let changes: Vec<(&str, &str)> = resource.map(|uri| ("resource", uri)).into_iter().collect();
        let tokens = self.provider.tokens(&self.shop, &changes, &mut Browser::default()).await;
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    async fn exchange(&self, rp: &Rp, token: &str, more: &[(&str, &str)]) -> Reply {
        let base = [("grant_type", GRANT), ("subject_token", token), ("subject_token_type", ACCESS)];
        self.provider.call("/token", &[("authorization", &rp.basic())], &[&base[..], more].concat()).await
    }

    async fn exchanged(&self, rp: &Rp, token: &str, more: &[(&str, &str)]) -> Value {
        let reply = self.exchange(rp, token, more).await;
        assert!(reply.status.is_success(), "{}", reply.body);
        assert_eq!(reply.header("cache-control"), "no-store");
        reply.json()
    }

    async fn introspect(&self, rp: &Rp, token: &str) -> Value {
        let pairs = [("token", token)];
        self.provider.call("/introspect", &[("authorization", &rp.basic())], &pairs).await.json()
    }
}

fn access(answer: &Value) -> &str {
    answer["access_token"].as_str().unwrap()
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn error(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), reply.json()["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_service_calls_on_with_a_token_that_names_it_as_the_actor_rfc8693_4_1() {
    let world = world().await;
    let token = world.token(Some(ORDERS)).await;
    let answer = world.exchanged(&world.orders, &token, &[("audience", STOCK), ("scope", "openid")]).await;
    assert_eq!((&answer["issued_token_type"], &answer["token_type"]), (&json!(ACCESS), &json!("Bearer")));
    assert_eq!(answer["scope"], "openid");
    assert!(answer.get("refresh_token").is_none() && answer.get("id_token").is_none());
    let said = claims(access(&answer));
    assert_eq!((&said["aud"], &said["client_id"]), (&json!(STOCK), &json!("orders")));
    assert_eq!(said["act"], json!({ "iss": ISSUER, "sub": "orders" }));
    let first = world.introspect(&world.shop, &token).await;
    assert_eq!(said["sub"], first["sub"], "still about the same person");
    // Stock sees it, and hands it on in its turn: the line is kept.
    assert_eq!(world.introspect(&world.stock, access(&answer)).await["act"], said["act"]);
    let next = world.exchanged(&world.stock, access(&answer), &[("requested_token_type", JWT)]).await;
    assert_eq!(next["issued_token_type"], JWT);
    let act = json!({ "iss": ISSUER, "sub": "stock", "act": { "iss": ISSUER, "sub": "orders" } });
    assert_eq!(claims(access(&next))["act"], act);
    // It is not for this provider's own endpoints, and never becomes so.
    assert_eq!(world.provider.userinfo(access(&next)).await.status.as_u16(), 401);
}

#[tokio::test]
async fn a_client_narrows_its_own_token_and_acts_for_nobody_rfc8693_2_1() {
    let world = world().await;
    let token = world.token(None).await;
    let answer = world.exchanged(&world.shop, &token, &[("scope", "openid")]).await;
    let seen = world.introspect(&world.shop, access(&answer)).await;
    assert_eq!((&seen["scope"], seen.get("act")), (&json!("openid"), None));
    let info = world.provider.userinfo(access(&answer)).await;
    assert!(info.status.is_success() && info.json().get("name").is_none(), "{}", info.body);
}

#[tokio::test]
async fn the_actor_token_says_who_acts_rfc8693_1_1() {
    let world = world().await;
    let token = world.token(Some(ORDERS)).await;
    let machine = client(&world.provider, "machine", &[ORDERS], |settings| {
        settings.grant_types.insert(GrantType::ClientCredentials);
    })
    .await;
    let own = [("grant_type", "client_credentials"), ("resource", ORDERS)];
    let reply = world.provider.call("/token", &[("authorization", &machine.basic())], &own).await;
    let actor = reply.json()["access_token"].as_str().unwrap().to_owned();
    let more = [("audience", STOCK), ("actor_token", actor.as_str()), ("actor_token_type", ACCESS)];
    let answer = world.exchanged(&world.orders, &token, &more).await;
    assert_eq!(claims(access(&answer))["act"], json!({ "iss": ISSUER, "sub": "machine" }));
    let unknown = [("actor_token", "sgn_at_x"), ("actor_token_type", ACCESS)];
    let refused = world.exchange(&world.orders, &token, &unknown).await;
    assert_eq!(error(&refused), (400, "invalid_request".into()));
    assert_eq!(world.provider.reason(&refused).await, "exchange_actor_invalid");
    for stray in [&[("actor_token", actor.as_str())][..], &[("actor_token_type", ACCESS)]] {
        let refused = world.exchange(&world.orders, &token, stray).await;
        assert_eq!(world.provider.reason(&refused).await, "exchange_type_unsupported");
    }
    // What a client has for itself is nobody else's to be.
    let refused = world.exchange(&world.orders, &actor, &[("audience", STOCK)]).await;
    assert_eq!(world.provider.reason(&refused).await, "exchange_subject_invalid");
}

#[tokio::test]
async fn nothing_grows_by_an_exchange_rfc8693_5() {
    let world = world().await;
    let token = world.token(Some(ORDERS)).await;
    let refused =
        async |rp: &Rp, token: &str, more: &[(&str, &str)]| error(&world.exchange(rp, token, more).await).1;
    assert_eq!(refused(&world.orders, &token, &[("scope", "openid email")]).await, "invalid_scope");
    assert_eq!(
        refused(&world.orders, &token, &[("audience", "https://other.example/")]).await,
        "invalid_target"
    );
    assert_eq!(
        refused(&world.orders, &token, &[("resource", STOCK), ("audience", "x")]).await,
        "invalid_target"
    );
    // Neither issued to it nor sent to it.
    assert_eq!(refused(&world.stock, &token, &[]).await, "invalid_request");
    assert_eq!(refused(&world.orders, &world.token(None).await, &[]).await, "invalid_request");
    assert_eq!(refused(&world.orders, "sgn_at_unknown", &[]).await, "invalid_request");
    assert_eq!(refused(&world.orders, &token, &[("requested_token_type", "urn:x")]).await, "invalid_request");
    assert_eq!(refused(&world.shop, &token, &[("requested_token_type", JWT)]).await, "invalid_request");
    // The life of what was given is the bound.
    world.provider.advance(500);
    let answer = world.exchanged(&world.orders, &token, &[("audience", STOCK)]).await;
    assert_eq!(answer["expires_in"], 100);
    assert_eq!(claims(access(&answer))["exp"], world.provider.now() + 100);
    world.provider.advance(100);
    assert_eq!(refused(&world.orders, &token, &[]).await, "invalid_request");
}

#[tokio::test]
async fn what_was_exchanged_ends_with_what_was_given_rfc8693_5() {
    let world = world().await;
    let mut browser = Browser::default();
    let code = world.provider.code(&world.shop, &[("resource", ORDERS)], &mut browser).await;
    let redemption = world.shop.redemption(&code);
    let token = world.provider.token(Some(&world.shop.basic()), &redemption).await.json();
    let second = world.exchanged(&world.orders, access(&token), &[("audience", STOCK)]).await;
    let third = world.exchanged(&world.stock, access(&second), &[]).await;
    assert_eq!(world.introspect(&world.stock, access(&third)).await["active"], true);
    // The code is used a second time: everything that came of it is over.
    world.provider.token(Some(&world.shop.basic()), &redemption).await;
    for token in [access(&token), access(&second), access(&third)] {
        assert_eq!(world.introspect(&world.stock, token).await, json!({ "active": false }));
        assert_eq!(world.introspect(&world.orders, token).await, json!({ "active": false }));
    }
}

#[tokio::test]
async fn only_registered_confidential_clients_exchange_rfc8693_5() {
    let world = world().await;
    let token = world.token(Some(ORDERS)).await;
    let plain = Rp::new("plain");
    world.provider.register(&plain.declaration()).await;
    assert_eq!(error(&world.exchange(&plain, &token, &[]).await), (400, "unauthorized_client".into()));
    let public = Rp::new("public");
    let mut declared = public.declaration();
    declared.secret = None;
    declared.settings.token_endpoint_auth_method = ClientAuthMethod::None;
    declared.settings.grant_types.insert(GrantType::TokenExchange);
    declared.settings.resources = [ORDERS.to_owned()].into();
    world.provider.register(&declared).await;
    let pairs = [
        ("grant_type", GRANT),
        ("client_id", "public"),
        ("subject_token", token.as_str()),
        ("subject_token_type", ACCESS),
    ];
    let refused = world.provider.call("/token", &[], &pairs).await;
    assert_eq!(error(&refused), (400, "unauthorized_client".into()));
    for (name, value) in
        [("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"), ("subject_token", "")]
    {
        let changed: Vec<(&str, &str)> = pairs
            .into_iter()
            .filter(|(known, _)| *known != "client_id" && *known != name)
            .chain([(name, value)])
            .collect();
        let reply =
            world.provider.call("/token", &[("authorization", &world.orders.basic())], &changed).await;
        assert_eq!(error(&reply), (400, "invalid_request".into()), "{name}");
    }
    let known = world.provider.get("/.well-known/openid-configuration", None).await.json();
    assert!(known["grant_types_supported"].as_array().unwrap().contains(&GRANT.into()));
}
