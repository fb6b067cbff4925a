//! Clients whose keys are at a `jwks_uri`: sealed logins while keys rotate, change, and cannot be fetched.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use serde_json::{Value, json};
use signet_core::change::Change;
use signet_core::records::AuditEvent;
use signet_core::remote_keys::{DEFAULT_AGE, Demand, PAUSE};
use signet_jose::{ContentAlg, KeyAlg, KeySpec, PrivateKey};
use signet_server::config::Config;
use signet_store::AuditFilter;
use signet_store_sqlite::SqliteStore;
use signet_tests::provider::{Browser, ISSUER, Provider, Reply};
use signet_tests::rp::{Rp, seal};
use tokio::sync::Notify;

/// What a client publishes, and how often it was asked.
#[derive(Clone, Debug, Default)]
struct Published {
    keys: Arc<Mutex<Option<Vec<Value>>>>,
    asked: Arc<AtomicUsize>,
    /// Answers wait for it, when set.
    gate: Arc<Mutex<Option<Arc<Notify>>>>,
}

impl Published {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let this = self.clone();
        let answer = move || async move {
            this.asked.fetch_add(1, Ordering::SeqCst);
            let gate = this.gate.lock().unwrap().clone();
            if let Some(gate) = gate {
                gate.notified().await;
            }
            let keys = this.keys.lock().unwrap().clone();
            match keys {
                Some(keys) => (
                    StatusCode::OK,
                    [(header::CONTENT_TYPE, "application/json")],
                    json!({ "keys": keys }).to_string(),
                ),
                None => {
                    (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/html")], String::new())
                }
            }
        };
        let router = Router::new().route("/jwks", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}/jwks")
    }

    fn publish(&self, keys: &[&PrivateKey]) {
        let keys = keys.iter().map(|key| Value::Object(key.public_key().to_jwk())).collect();
        *self.keys.lock().unwrap() = Some(keys);
    }

    fn break_down(&self) {
        *self.keys.lock().unwrap() = None;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Registers a sealed client, then moves its keys to `uri`.
async fn move_keys(provider: &Provider, rp: &Rp, uri: &str) {
    provider.register(&rp.sealed_declaration()).await;
    let (tenant, id) = ("default".into(), rp.id.as_str().into());
    let mut client = provider.app.store.client(&tenant, &id).await.unwrap().unwrap();
    client.version += 1;
    client.settings.jwks_uri = Some(uri.to_owned());
    let mut changes = vec![Change::UpdateClient(client)];
    for key in provider.app.store.client_keys(&tenant, &id).await.unwrap() {
        changes.push(Change::RevokeClientKey { client_id: id.clone(), id: key.id, at: provider.now() });
    }
    provider.app.store.apply(&tenant, &changes).await.unwrap();
    provider.app.clients.forget();
}

/// Sends a sealed request object that `rp` has signed.
async fn ask(provider: &Provider, rp: &Rp, jti: &str) -> Reply {
    let signed = rp.sign(&rp.claims(ISSUER, provider.now(), Some(jti)));
    let sealed = seal(&provider.jwks().await, KeyAlg::RsaOaep, ContentAlg::A128CbcHs256, signed.as_bytes());
    provider.get(&format!("/authorize?client_id={}&request={sealed}", rp.id), None).await
}

fn accepted(reply: &Reply) -> bool {
    reply.location().starts_with("/auth/open/interaction/")
}

/// The ID token of a whole login, and the `kid` that it is encrypted to.
async fn login(provider: &Provider, rp: &Rp, jti: &str) -> (String, String) {
    let mut browser = Browser::default();
    let reply = ask(provider, rp, jti).await;
    assert!(accepted(&reply), "{}", reply.body);
    let back = provider.sign_in(&reply, &mut browser).await;
    let code = back.location_param("code").unwrap();
    let reply = provider.token(Some(&rp.basic()), &rp.redemption(&code)).await;
    assert!(reply.status.is_success(), "{}", reply.body);
    let token = reply.json()["id_token"].as_str().unwrap().to_owned();
    let signet_jose::Compact::Jwe(jwe) = signet_jose::parse(&token, &signet_jose::Limits::default()).unwrap()
    else {
        panic!("the ID token is not encrypted");
    };
    let kid = jwe.header().kid.clone().unwrap();
    (token, kid)
}

async fn alarms(provider: &Provider) -> Vec<AuditEvent> {
    let filter = AuditFilter { limit: 1000, ..AuditFilter::default() };
    let events = provider.app.store.audit(&"default".into(), &filter).await.unwrap();
    events.into_iter().filter(|event| event.kind == "client.key_changed").collect()
}

async fn start(rp: &Rp) -> (Provider, Published) {
    let (provider, published) = (Provider::start().await, Published::default());
    published.publish(&[&rp.signing, &rp.encryption]);
    let uri = published.start().await;
    move_keys(&provider, rp, &uri).await;
    (provider, published)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_login_with_published_keys_fetches_them_once() {
    let rp = Rp::new("acme");
    let (provider, published) = start(&rp).await;
    let (_, kid) = login(&provider, &rp, "one").await;
    assert_eq!(kid, "enc");
    login(&provider, &rp, "two").await;
    assert_eq!(published.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_kid_is_a_reason_to_fetch_but_not_more_often_than_the_pause_allows() {
    let mut rp = Rp::new("acme");
    let (provider, published) = start(&rp).await;
    login(&provider, &rp, "one").await;
    // The client replaces its only signing key (certification: refresh-token-rp-key-rotation waits a minute).
    rp.signing = PrivateKey::generate(KeySpec::Rsa2048).unwrap().with_kid("sig-2");
    published.publish(&[&rp.signing, &rp.encryption]);
    provider.advance(60);
    login(&provider, &rp, "two").await;
    assert_eq!(published.asked(), 2);
    // Anybody can make up a kid.
    let mut stranger = rp.clone();
    stranger.signing = PrivateKey::generate(KeySpec::Rsa2048).unwrap().with_kid("made-up");
    for attempt in 0..5 {
        let reply = ask(&provider, &stranger, &format!("stranger-{attempt}")).await;
        assert_eq!(provider.reason(&reply).await, "jws_key_unknown");
    }
    assert_eq!(published.asked(), 2);
    provider.advance(PAUSE);
    for attempt in 5..10 {
        assert!(!accepted(&ask(&provider, &stranger, &format!("stranger-{attempt}")).await));
    }
    assert_eq!(published.asked(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_go_on_with_what_is_cached_while_the_keys_cannot_be_fetched() {
    let rp = Rp::new("acme");
    let (provider, published) = start(&rp).await;
    login(&provider, &rp, "one").await;
    published.break_down();
    provider.advance(DEFAULT_AGE);
    login(&provider, &rp, "two").await;
    provider.advance(80_000);
    login(&provider, &rp, "three").await;
    assert!(published.asked() > 1);
    // After a day without a set, nothing is believed any more, and the answer is a refusal.
    provider.advance(20_000);
    let reply = ask(&provider, &rp, "four").await;
    assert_eq!(provider.reason(&reply).await, "object_key_missing");
    published.publish(&[&rp.signing, &rp.encryption]);
    provider.advance(300);
    login(&provider, &rp, "five").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_not_encrypted_to_once_a_fresh_set_leaves_it_out() {
    let mut rp = Rp::new("acme");
    let (provider, published) = start(&rp).await;
    assert_eq!(login(&provider, &rp, "one").await.1, "enc");
    rp.encryption = rp.encryption.with_kid("enc-2");
    published.publish(&[&rp.signing, &rp.encryption]);
    provider.advance(DEFAULT_AGE);
    // Stale: fetched before it is encrypted to (OpenID Connect Core section 10.2.1).
    assert_eq!(login(&provider, &rp, "two").await.1, "enc-2");
    assert_eq!(published.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_at_once_share_one_fetch() {
    let rp = Rp::new("acme");
    let (provider, published) = start(&rp).await;
    let (gate, provider) = (Arc::new(Notify::new()), Arc::new(provider));
    *published.gate.lock().unwrap() = Some(gate.clone());
    let asking: Vec<_> = (0..20)
        .map(|number| {
            let (provider, rp) = (provider.clone(), rp.clone());
            tokio::spawn(async move { ask(&provider, &rp, &format!("at-once-{number}")).await })
        })
        .collect();
    while published.asked() == 0 {
        assert!(!asking.iter().all(tokio::task::JoinHandle::is_finished), "nobody asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    gate.notify_one();
    for reply in asking {
        let reply = reply.await.unwrap();
        assert!(accepted(&reply), "{}", reply.body);
    }
    assert_eq!(published.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_jwks_uri_of_one_client_does_not_touch_the_logins_of_others() {
    let (dead, alive) = (Rp::new("dead"), Rp::new("alive"));
    let mut config = Config::load(None).unwrap();
    // Longer than any test run: whoever waits for the dead one waits until it is let go.
    config.fetch.timeout_seconds = 3600.try_into().unwrap();
    let store = Arc::new(SqliteStore::ephemeral().await.unwrap());
    let provider = Arc::new(Provider::with(store, &config).await);
    let (hanging, published, gate) = (Published::default(), Published::default(), Arc::new(Notify::new()));
    *hanging.gate.lock().unwrap() = Some(gate.clone());
    move_keys(&provider, &dead, &hanging.start().await).await;
    published.publish(&[&alive.signing, &alive.encryption]);
    move_keys(&provider, &alive, &published.start().await).await;
    let waiting: Vec<_> = (0..10)
        .map(|number| {
            let (provider, dead) = (provider.clone(), dead.clone());
            tokio::spawn(async move { ask(&provider, &dead, &format!("dead-{number}")).await })
        })
        .collect();
    while hanging.asked() == 0 {
        assert!(!waiting.iter().all(tokio::task::JoinHandle::is_finished), "nobody asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for number in 0..5 {
        login(&provider, &alive, &format!("alive-{number}")).await;
    }
    assert!(waiting.iter().all(|request| !request.is_finished()), "the dead one is still waited for");
    gate.notify_one();
    for reply in waiting {
        assert_eq!(provider.reason(&reply.await.unwrap()).await, "object_key_missing");
    }
    assert_eq!(hanging.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_under_an_old_kid_is_audited() {
    let mut rp = Rp::new("acme");
    let (provider, published) = start(&rp).await;
    login(&provider, &rp, "one").await;
    rp.signing = PrivateKey::generate(KeySpec::Rsa2048).unwrap().with_kid("sig");
    published.publish(&[&rp.signing, &rp.encryption]);
    provider.advance(DEFAULT_AGE);
    // Somebody who looks at the address for a client of another tenant does not take the alarm away.
    let client = provider.app.store.client(&"default".into(), &"acme".into()).await.unwrap().unwrap();
    let uri = client.settings.jwks_uri.unwrap();
    let (set, fetched) = provider.app.look(&uri, (&"other".into(), &"stranger".into()), Demand::Look).await;
    // The new one does not say what it is for, so it counts twice.
    assert!(fetched && set.keys.len() == 3, "{set:?}");
    // The provider of these tests is in development, where the new key is taken.
    login(&provider, &rp, "two").await;
    let alarms = alarms(&provider).await;
    assert!(!alarms.is_empty());
    assert!(alarms.iter().all(|event| event.detail["kid"] == "sig" && event.detail["taken"] == true));
    assert!(alarms.iter().all(|event| event.client_id.as_ref().is_some_and(|id| id.as_str() == "acme")));
    assert_eq!(alarms[0].detail["offered"], rp.signing.public_key().thumbprint());
}
