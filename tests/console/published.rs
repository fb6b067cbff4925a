//! A client whose keys are published, what a configuration is for, and what is said of clients that sign nobody in.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::header;
use axum::routing::get;
use serde_json::json;
use signet_core::records::Role;
use signet_jose::{KeySpec, KeyUse};
use signet_tests::console::Person;
use signet_tests::key;
use signet_tests::provider::{Provider, Reply};

use super::clients::{filled, send, set, stored};

/// A key set that is a web page until it is mended.
async fn serve(mended: Arc<Mutex<bool>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move || async move {
        let kind = if *mended.lock().unwrap() { "application/json" } else { "text/html" };
        let one = key(KeySpec::Rsa2048).clone().with_kid("published").with_use(KeyUse::Enc);
        ([(header::CONTENT_TYPE, kind)], json!({ "keys": [one.public_key().to_jwk()] }).to_string())
    };
    let router = Router::new().route("/jwks", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}/jwks")
}

async fn make(person: &mut Person<'_>, id: &str, template: &str, uri: &str) -> Reply {
    let fields = [("template", template), ("name", id), ("client_id", id), ("redirect_uris", uri)];
    person.post("/console/new-client", &fields).await
}

async fn follow(person: &mut Person<'_>, provider: &Provider, uri: &str) -> Reply {
    let version = stored(provider, "app").await.version.to_string();
    let fields = [("version", version.as_str()), ("jwks_uri", uri), ("encryption_kid", "")];
    person.post("/console/clients/app/keys/follow", &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_a_client_say_what_was_read_at_its_jwks_uri() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let mended = Arc::new(Mutex::new(false));
    let uri = serve(mended.clone()).await;
    make(&mut person, "app", "spa", "https://rp.example/cb").await;
    // Nothing needs a key yet, so this is saved, and the page says that it could not be read.
    assert_eq!(follow(&mut person, &provider, &uri).await.status, 303);
    let page = person.get("/console/clients/app/keys").await;
    for part in ["Not readable since", "another content type", "fetch_content_type"] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert!(!page.body.contains("This client has no key yet"), "{}", page.body);

    // What needs a key of it is refused, with the reason and links to both settings.
    let path = "/console/clients/app/security";
    let security = person.get(path).await;
    let mut fields = filled(&security, path, &[]);
    set(&mut fields, "id_token-encrypted", "RSA-OAEP-256");
    let refused = send(&provider, &mut person, path, &fields).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    for part in ["key_set_unreadable", "another content type", "keys#jwks_uri", "#id_token-encrypted"] {
        assert!(refused.body.contains(part), "{part}: {}", refused.body);
    }

    // The other way round as well: the setting is there, and another address is typed, which the form keeps.
    *mended.lock().unwrap() = true;
    provider.advance(10);
    let saved = send(&provider, &mut person, path, &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let page = person.get("/console/clients/app/keys").await;
    assert!(page.body.contains("Read at ") && page.body.contains(": 1 key."), "{}", page.body);
    assert!(page.body.contains("published") && page.body.contains("RSA 2048"), "{}", page.body);
    let preview = person.get("/console/clients/app/preview").await;
    assert!(preview.body.contains("encrypted to its key published"), "{}", preview.body);
    let dead = format!("{uri}/nothing/here");
    let refused = follow(&mut person, &provider, &dead).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains(&format!("value=\"{dead}\"")), "{}", refused.body);
    assert!(refused.body.contains("status 404"), "{}", refused.body);
    assert_eq!(stored(&provider, "app").await.settings.jwks_uri, Some(uri));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_signs_nobody_in_is_offered_no_login_to_test() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let made = make(&mut person, "robot", "machine", "").await;
    assert!(made.body.contains("get tokens of its own from now on"), "{}", made.body);
    assert!(!made.body.contains("sign people in"), "{}", made.body);
    let page = person.get("/console/clients/robot").await;
    assert!(page.body.contains("/clients/robot/keys") && !page.body.contains("/clients/robot/trial"));
    let path = "/console/clients/robot/trial";
    assert_eq!(person.get(path).await.status, 422);
    let version = stored(&provider, "robot").await.version.to_string();
    let refused = person.post(path, &[("action", "add_address"), ("version", &version)]).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("signs nobody in"), "{}", refused.body);
    assert!(stored(&provider, "robot").await.settings.redirect_uris.is_empty());
    let made = make(&mut person, "shop", "web", "https://rp.example/cb").await;
    assert!(made.body.contains("sign people in from now on"), "{}", made.body);
    assert!(person.get("/console/clients/shop").await.body.contains("/clients/shop/trial"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_for_a_redirect_uri_that_its_program_receives_responses_at() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    for (id, template, uri, there, not) in [
        (
            "s1",
            "sealed",
            "https://s.example/cb",
            &["Register it", "/clients/s1#redirect_uris"][..],
            &["export PORT"][..],
        ),
        ("s2", "sealed", "http://127.0.0.1:3456/callback", &["export PORT=3456"], &["Register it"]),
        (
            "n1",
            "native",
            "com.example.app:/cb",
            &["appAuthRedirectScheme", "OIDAuthorizationRequest", "URI scheme of the application"],
            &["flask", "application.yml", "OIDCRedirectURI"],
        ),
        ("n2", "native", "http://127.0.0.1/cb", &["http://127.0.0.1:3000/cb"], &["appAuthRedirectScheme"]),
    ] {
        make(&mut person, id, template, uri).await;
        let page = person.get(&format!("/console/clients/{id}/configuration")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for part in there {
            assert!(page.body.contains(part), "{id} {part}: {}", page.body);
        }
        for part in not {
            assert!(!page.body.contains(part), "{id} {part}: {}", page.body);
        }
    }
}
