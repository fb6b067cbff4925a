//! Nobody climbs by a client: what people may administer goes to an application on a page that says so, each time; and no
//! developer lets a client tell of people who were not asked.

use serde_json::{Value, json};
use signet_core::admin::{CLIENTS_WRITE, USERS_WRITE};
use signet_core::change::Change;
use signet_core::records::{Client, GrantType, Role};
use signet_tests::admin::Office;
use signet_tests::console::give_role;
use signet_tests::provider::{Browser, Provider, Reply, USER, between, form};
use signet_tests::rp::Rp;

use super::clients::code;

/// A client as an older version let it be saved: it may administer, and asks nobody.
async fn unasking(provider: &Provider, rp: &Rp) {
    let mut declared = rp.declaration();
    declared.settings.scope.insert(USERS_WRITE.to_owned());
    let grants =
        [GrantType::RefreshToken, GrantType::DeviceCode, GrantType::TokenExchange, GrantType::Implicit];
    declared.settings.grant_types.extend(grants);
    provider.register(&declared).await;
    let (store, tenant) = (&provider.app.store, "default".into());
    let mut client = store.client(&tenant, &rp.id.as_str().into()).await.unwrap().unwrap();
    client.version += 1;
    client.settings.require_consent = false;
    store.apply(&tenant, &[Change::UpdateClient(client)]).await.unwrap();
    provider.app.clients.forget();
}

fn asked_scope() -> String {
    format!("openid {USERS_WRITE}")
}

async fn opened(
    provider: &Provider,
    rp: &Rp,
    changes: &[(&str, &str)],
    browser: &mut Browser,
) -> (String, Reply) {
    let accepted = provider.authorize(rp, changes, Some(browser)).await;
    let path = accepted.location().strip_prefix("/auth/open").unwrap().to_owned();
    let mut page = provider.get(&path, Some(browser)).await;
    if page.body.contains("id=\"password\"") {
        let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
        let login = form(&[("csrf", csrf), ("username", USER.0), ("password", USER.1)]);
        page = provider.post(&format!("{path}/login"), login, Some(browser)).await;
        if page.location().contains("/interaction/") {
            page = provider.get(&path, Some(browser)).await;
        }
    }
    (path, page)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_to_administer_is_given_on_a_page_that_says_so_each_time() {
    let office = Office::open().await;
    let (provider, rp) = (&office.provider, Rp::new("lure"));
    unasking(provider, &rp).await;
    give_role(provider, USER.0, Some(Role::Owner)).await;
    let scope = asked_scope();
    let mut browser = Browser::default();
    // Whoever is signed in follows a link: once, and again after having allowed it.
    for _ in 0..2 {
        let (path, page) = opened(provider, &rp, &[("scope", &scope)], &mut browser).await;
        assert_eq!(page.status, 200, "{}", page.location());
        for text in [
            "id=\"accept\"",
            "id=\"administers\"",
            "Manage users",
            "your role of owner",
            "https://lure.example",
        ] {
            assert!(page.body.contains(text), "{text}: {}", page.body);
        }
        assert!(!page.body.contains("Your answer is remembered"));
        let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
        let body = form(&[("csrf", csrf), ("decision", "accept")]);
        let back = provider.post(&format!("{path}/consent"), body, Some(&mut browser)).await;
        assert!(back.location_param("code").is_some(), "{}", back.location());
    }
    let silent = [("scope", scope.as_str()), ("prompt", "none")];
    let (_, back) = opened(provider, &rp, &silent, &mut browser).await;
    assert_eq!(back.location_param("error").as_deref(), Some("consent_required"));
    // For what is no administration the setting counts.
    let (_, back) = opened(provider, &rp, &[("scope", "openid email")], &mut browser).await;
    assert!(back.location_param("code").is_some(), "{}", back.location());
    // Neither does a pushed request go around the page.
    let pairs: Vec<(String, String)> = rp.request(&[("scope", &scope)]);
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    let pushed = provider.call("/par", &[("authorization", &rp.basic())], &pairs).await.json();
    let query = form(&[("client_id", &rp.id), ("request_uri", pushed["request_uri"].as_str().unwrap())]);
    let accepted = provider.get(&format!("/authorize?{query}"), Some(&mut browser)).await;
    let path = accepted.location().strip_prefix("/auth/open").unwrap();
    assert!(provider.get(path, Some(&mut browser)).await.body.contains("id=\"administers\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_do_not_administer_never_grow_into_such_that_do() {
    let office = Office::open().await;
    let (provider, rp) = (&office.provider, Rp::new("lure"));
    unasking(provider, &rp).await;
    give_role(provider, USER.0, Some(Role::Owner)).await;
    let tokens = provider.tokens(&rp, &[("scope", "openid")], &mut Browser::default()).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let grown = provider.refresh(&rp, refresh, &[("scope", &asked_scope())]).await;
    assert_eq!((grown.status.as_u16(), grown.json()["error"].as_str()), (400, Some("invalid_scope")));
    let subject = tokens["access_token"].as_str().unwrap();
    let exchange = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", subject),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("scope", USERS_WRITE),
    ];
    let grown = provider.call("/token", &[("authorization", &rp.basic())], &exchange).await;
    assert_eq!((grown.status.as_u16(), grown.json()["error"].as_str()), (400, Some("invalid_scope")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_would_administer_says_so() {
    let office = Office::open().await;
    let (provider, rp) = (&office.provider, Rp::new("lure"));
    unasking(provider, &rp).await;
    give_role(provider, USER.0, Some(Role::Owner)).await;
    let mut browser = Browser::default();
    provider.tokens(&rp, &[("scope", "openid")], &mut browser).await;
    // By name a device cannot ask for it; without a scope it asks for all that its client has.
    let started = provider.call("/device_authorization", &[("authorization", &rp.basic())], &[]).await.json();
    let page = provider.get("/device", Some(&mut browser)).await;
    let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
    let typed = form(&[("csrf", csrf), ("user_code", started["user_code"].as_str().unwrap())]);
    let entered = provider.post("/device", typed, Some(&mut browser)).await;
    let page = provider.get(entered.location().strip_prefix("/auth/open").unwrap(), Some(&mut browser)).await;
    assert!(page.body.contains("id=\"administers\"") && page.body.contains("id=\"device\""), "{}", page.body);
}

fn settings(scope: &[&str], require_consent: bool) -> Value {
    json!({ "client_name": "c", "redirect_uris": ["https://rp.example/cb"], "scope": scope, "require_consent": require_consent })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_is_saved_that_could_administer_unasked() {
    let office = Office::open().await;
    let administrator = office.token_of(Role::Administrator).await;
    let make = |body: Value| {
        let (office, token) = (&office, administrator.clone());
        async move { office.call("POST", "/clients", &token, Some(&body)).await }
    };
    let scope = ["openid", USERS_WRITE, CLIENTS_WRITE];
    let refused = make(json!({ "client_id": "a", "settings": settings(&scope, false) })).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let named = ["administers_unasked", "require_consent", "signet:clients.write"];
    assert!(named.iter().all(|text| refused.body.contains(text)), "{}", refused.body);
    let asking = make(json!({ "client_id": "b", "settings": settings(&scope, true) })).await;
    assert_eq!(asking.status, 201, "{}", asking.body);
    let off = json!({ "settings": settings(&scope, false) });
    let seen = [("if-match", "\"1\"")];
    let refused = office.call_with("PUT", "/clients/b", &administrator, &seen, Some(&off)).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    // A program acts for itself: there is nobody to ask.
    let machine = json!({ "scope": [USERS_WRITE], "require_consent": false });
    let machine = make(json!({ "client_id": "m", "template": "machine", "settings": machine })).await;
    assert_eq!(machine.status, 201, "{}", machine.body);
}

async fn stored(office: &Office, id: &str) -> Client {
    office.provider.app.store.client(&"default".into(), &id.into()).await.unwrap().unwrap()
}

async fn put(office: &Office, token: &str, id: &str, settings: &Value) -> (u16, String) {
    let etag = format!("\"{}\"", stored(office, id).await.version);
    let body = json!({ "settings": settings });
    code(
        &office.call_with("PUT", &format!("/clients/{id}"), token, &[("if-match", &etag)], Some(&body)).await,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn developers_let_no_client_go_without_consent_and_add_nothing_to_one_that_does() {
    let office = Office::open().await;
    let dev = office.person("dev", Some(Role::Developer)).await;
    let developer = office.token(Some(dev)).await;
    let administrator = office.token_of(Role::Administrator).await;
    let forbidden = (403, "admin_consent_forbidden".to_owned());
    let wide = ["openid", "profile", "email", "address", "phone"];
    let unasked = json!({ "client_id": "a", "settings": settings(&wide, false) });
    assert_eq!(code(&office.call("POST", "/clients", &developer, Some(&unasked)).await), forbidden);
    let machine =
        json!({ "client_id": "a", "template": "machine", "settings": { "require_consent": false } });
    assert_eq!(
        code(&office.call("POST", "/clients", &developer, Some(&machine)).await),
        forbidden,
        "a grant is soon added"
    );
    let asking = json!({ "client_id": "a", "settings": settings(&["openid", "email"], true) });
    assert_eq!(office.call("POST", "/clients", &developer, Some(&asking)).await.status, 201);
    assert_eq!(put(&office, &developer, "a", &settings(&["openid", "email"], false)).await, forbidden);
    assert!(stored(&office, "a").await.settings.require_consent);

    // What an administrator switched off stays so while the developer saves other settings, and gets no further.
    let off = settings(&["openid", "email"], false);
    assert_eq!(put(&office, &administrator, "a", &off).await.0, 200);
    let with = |name: &str, value: Value| {
        let mut settings = off.clone();
        settings[name] = value;
        settings
    };
    assert_eq!(put(&office, &developer, "a", &with("client_name", json!("New name"))).await.0, 200);
    assert!(!stored(&office, "a").await.settings.require_consent);
    for (name, value) in [
        ("scope", json!(["openid", "email", "phone"])),
        ("redirect_uris", json!(["https://rp.example/cb", "https://elsewhere.example/cb"])),
        ("resources", json!(["https://api.example"])),
    ] {
        let refused = put(&office, &developer, "a", &with(name, value.clone())).await;
        assert_eq!(refused, forbidden, "{name}");
        assert_eq!(put(&office, &administrator, "a", &with(name, value)).await.0, 200, "{name}");
        assert_eq!(put(&office, &administrator, "a", &off).await.0, 200);
    }
    assert_eq!(
        put(&office, &developer, "a", &with("scope", json!(["openid"]))).await.0,
        200,
        "less is no harm"
    );
    let more = settings(&["openid", "email", "phone"], true);
    assert_eq!(put(&office, &developer, "a", &more).await.0, 200, "people are asked again");
    assert_eq!(put(&office, &developer, "a", &off).await, forbidden, "and there is no way back");
}
