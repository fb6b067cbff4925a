//! Testing a login: what the page is given, and what it may change.

use serde_json::Value;
use signet_core::ids::ClientId;
use signet_core::provision::KeyDeclaration;
use signet_core::records::{ClientKey, KeyOrigin, Role};
use signet_jose::{KeySpec, KeyUse, PrivateKey};
use signet_tests::console::{Person, add_user, user};
use signet_tests::provider::{ISSUER, Provider, between};
use signet_tests::rp::Rp;

const PATH: &str = "/console/clients/app/trial";

async fn client(provider: &Provider) -> signet_core::records::Client {
    provider.app.store.client(&"default".into(), &ClientId::from("app")).await.unwrap().unwrap()
}

fn settings(page: &str) -> Value {
    let escaped = between(page, "data-settings=\"", "\"");
    let text =
        escaped.replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&");
    serde_json::from_str(&text.replace("&#39;", "'")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_runs_one_script_of_its_own_and_talks_to_this_server_alone() {
    let provider = Provider::start().await;
    provider.register(&Rp::new("app").sealed_declaration()).await;
    let mut person = Person::with_role(&provider, Role::Auditor).await;
    for path in [PATH, "/console/trial/callback?code=x&state=y"] {
        let page = person.get(path).await;
        let policy = page.header("content-security-policy");
        for part in
            ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(page.body.matches("<script").count(), 1, "{path}");
        assert!(page.body.contains("/assets/trial-"), "{path}");
    }
    let given = settings(&person.get(PATH).await.body);
    assert_eq!(given["issuer"], ISSUER);
    assert_eq!(given["redirect_uri"], format!("{ISSUER}/console/trial/callback"));
    assert_eq!((&given["request"], &given["redirect_registered"]), (&"nested".into(), &false.into()));
    assert_eq!(given["endpoints"]["token"], "/auth/open/token");
    assert!(!given.to_string().contains(signet_tests::rp::SECRET));
    // Who may not write is offered nothing to change, and changes nothing.
    assert!(!person.get(PATH).await.body.contains("add-address"));
    let version = client(&provider).await.version.to_string();
    let reply = person.post(PATH, &[("action", "add_address"), ("version", &version)]).await;
    assert_eq!(reply.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_added_and_taken_away_again() {
    let provider = Provider::start().await;
    let mut declared = Rp::new("app").declaration();
    declared.settings.client_name = "</div><script>alert(1)</script>\"'".into();
    provider.register(&declared).await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let before = client(&provider).await;
    let page = person.get(PATH).await;
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
    assert_eq!(settings(&page.body)["client_name"], declared.settings.client_name.as_str());

    let version = before.version.to_string();
    let reply = person.post(PATH, &[("action", "add_address"), ("version", &version)]).await;
    assert!(reply.status.is_redirection(), "{}", reply.body);
    let after = client(&provider).await;
    let address = format!("{ISSUER}/console/trial/callback");
    assert_eq!(after.settings.redirect_uris, [before.settings.redirect_uris[0].clone(), address]);
    // Somebody who saw the old version changes nothing.
    let reply = person.post(PATH, &[("action", "remove"), ("version", &version)]).await;
    assert_eq!(reply.status, 412);
    let version = after.version.to_string();
    person.post(PATH, &[("action", "remove"), ("version", &version)]).await;
    assert_eq!(client(&provider).await.settings, before.settings);
}

#[tokio::test(flavor = "multi_thread")]
async fn public_parts_are_registered_and_private_ones_refused() {
    let provider = Provider::start().await;
    let mut declared = Rp::new("app").declaration();
    declared.keys.clear();
    provider.register(&declared).await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let own = signet_tests::key(KeySpec::P256);
    let public = |usage| Value::Object(own.public_key().clone().with_use(usage).to_jwk()).to_string();
    let version = client(&provider).await.version.to_string();
    let sent = [
        ("action", "keys"),
        ("version", version.as_str()),
        ("signing", &public(KeyUse::Sig)),
        ("encryption", &Value::Object(signet_tests::key(KeySpec::Rsa2048).public_key().to_jwk()).to_string()),
    ];
    let reply = person.post(PATH, &sent).await;
    assert!(reply.status.is_redirection(), "{}", reply.body);
    let keys = provider.app.store.client_keys(&"default".into(), &ClientId::from("app")).await.unwrap();
    let usages: std::collections::BTreeSet<_> = keys.iter().map(|key| key.usage).collect();
    assert_eq!((keys.len(), usages.len()), (2, 2));
    assert!(keys.iter().all(|key| key.origin == KeyOrigin::Trial && key.name.starts_with("Test a login")));
    // They end by themselves, so that none is left behind.
    assert!(keys.iter().all(|key| key.not_after == Some(key.created_at + 86_400)));

    let private = own.to_jwk().unwrap();
    let version = client(&provider).await.version.to_string();
    let sent = [("action", "keys"), ("version", version.as_str()), ("signing", private.as_str())];
    let reply = person.post(PATH, &sent).await;
    assert!(reply.status.is_client_error(), "{}", reply.status);
    let events = provider.audit(reply.correlation_id()).await;
    let d: Value = serde_json::from_str(&private).unwrap();
    assert!(!serde_json::to_string(&events).unwrap().contains(d["d"].as_str().unwrap()));
}

async fn stored(provider: &Provider) -> Vec<ClientKey> {
    provider.app.store.client_keys(&"default".into(), &ClientId::from("app")).await.unwrap()
}

fn public(spec: KeySpec, usage: KeyUse) -> String {
    Value::Object(signet_tests::key(spec).public_key().clone().with_use(usage).to_jwk()).to_string()
}

/// The public part of a key that no client has.
fn fresh(usage: KeyUse) -> String {
    let made = PrivateKey::generate(KeySpec::P256).unwrap();
    Value::Object(made.public_key().clone().with_use(usage).to_jwk()).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_made_where_the_client_has_one_whose_place_it_would_take() {
    let provider = Provider::start().await;
    provider.register(&Rp::new("app").sealed_declaration()).await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let page = person.get(PATH).await.body;
    assert!(!page.contains("make-keys"), "{page}");
    assert_eq!(settings(&page)["missing"], serde_json::json!([]));
    let (before, version) = (stored(&provider).await, client(&provider).await.version.to_string());
    for (name, usage) in [("signing", KeyUse::Sig), ("encryption", KeyUse::Enc)] {
        let sent = [("action", "keys"), ("version", &*version), (name, &*fresh(usage))];
        let reply = person.post(PATH, &sent).await;
        assert_eq!(reply.status, 409, "{name}: {}", reply.body);
        assert!(reply.body.contains("admin_trial_key_needless"), "{name}: {}", reply.body);
    }
    assert_eq!(stored(&provider).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trials_key_ends_before_the_clients_own_begins() {
    let provider = Provider::start().await;
    let mut declared = Rp::new("app").declaration();
    let from = provider.now() + 3_600;
    declared.keys = vec![KeyDeclaration {
        name: "Next".into(),
        usage: KeyUse::Enc,
        source: serde_json::from_str(&fresh(KeyUse::Enc)).unwrap(),
        not_before: Some(from),
        not_after: None,
        origin: None,
    }];
    provider.register(&declared).await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let version = client(&provider).await.version.to_string();
    let sent = [("action", "keys"), ("version", &*version), ("encryption", &*fresh(KeyUse::Enc))];
    let reply = person.post(PATH, &sent).await;
    assert!(reply.status.is_redirection(), "{}", reply.body);
    let made = stored(&provider).await.into_iter().find(|key| key.origin == KeyOrigin::Trial).unwrap();
    assert_eq!(made.not_after, Some(from));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_trial_registered_goes_together_and_nothing_else_does() {
    let provider = Provider::start().await;
    let mut declared = Rp::new("app").declaration();
    declared.keys = vec![KeyDeclaration {
        name: "Own".into(),
        usage: KeyUse::Sig,
        source: serde_json::from_str(&public(KeySpec::P256, KeyUse::Sig)).unwrap(),
        not_before: None,
        not_after: None,
        origin: None,
    }];
    provider.register(&declared).await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let before = client(&provider).await;
    let mut send = async |sent: &[(&str, &str)]| {
        let version = client(&provider).await.version.to_string();
        let reply = person.post(PATH, &[sent, &[("version", &*version)]].concat()).await;
        assert!(reply.status.is_redirection(), "{}", reply.body);
    };
    send(&[("action", "add_address")]).await;
    send(&[("action", "keys"), ("encryption", &fresh(KeyUse::Enc))]).await;
    send(&[("action", "remove")]).await;
    assert_eq!(client(&provider).await.settings, before.settings);
    let left: Vec<_> = stored(&provider).await.into_iter().filter(|key| key.revoked_at.is_none()).collect();
    assert_eq!(left.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["Own"]);
    assert!(!person.get(PATH).await.body.contains("remove-trial"));
}

#[tokio::test(flavor = "multi_thread")]
async fn developers_test_their_own_clients_alone() {
    let provider = Provider::start().await;
    add_user(&provider, "dev", Some(Role::Developer)).await;
    provider.register(&Rp::new("app").declaration()).await;
    let mut own = Rp::new("own").declaration();
    own.owner = Some(Some(user(&provider, "dev").await.id));
    provider.register(&own).await;
    let mut person = Person::sign_in(&provider, "dev").await;
    assert_eq!(person.get("/console/clients/own/trial").await.status, 200);
    assert_eq!(person.get(PATH).await.status, 404);
    assert_eq!(person.post(PATH, &[("action", "add_address"), ("version", "1")]).await.status, 404);
}
