//! Request objects by reference (OpenID Connect Core section 6.2, RFC 9101 section 5.2), and those that nobody signed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::header;
use axum::routing::get;
use serde_json::{Map, Value};
use signet_core::change::Change;
use signet_core::records::{ClientSettings, TenantSettings};
use signet_jose::{ContentAlg, KeyAlg, unsigned};
use signet_tests::provider::{Browser, ISSUER, Provider, Reply, form};
use signet_tests::rp::{Rp, seal};

/// Where a client keeps its request object.
#[derive(Clone, Debug)]
struct Kept {
    object: Arc<Mutex<(&'static str, String)>>,
    asked: Arc<AtomicUsize>,
    uri: String,
}

impl Kept {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (object, asked) = (Arc::new(Mutex::new(("application/jwt", String::new()))), Arc::default());
        // The fragment is random: no hash of anything.
        let this = Self { object, asked, uri: format!("http://{address}/object#x81j2") };
        let served = this.clone();
        let answer = move || async move {
            served.asked.fetch_add(1, Ordering::SeqCst);
            let (kind, body) = served.object.lock().unwrap().clone();
            ([(header::CONTENT_TYPE, kind)], body)
        };
        let router = Router::new().route("/object", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        this
    }

    fn holds(&self, kind: &'static str, object: impl Into<String>) {
        *self.object.lock().unwrap() = (kind, object.into());
    }
}

/// Registers a client, then changes what the rules of production would not let it have here.
async fn register(provider: &Provider, rp: &Rp, change: impl FnOnce(&mut ClientSettings)) {
    provider.register(&rp.declaration()).await;
    let tenant = "default".into();
    let mut client = provider.app.store.client(&tenant, &rp.id.as_str().into()).await.unwrap().unwrap();
    client.version += 1;
    change(&mut client.settings);
    provider.app.store.apply(&tenant, &[Change::UpdateClient(client)]).await.unwrap();
    provider.app.clients.forget();
}

async fn world() -> (Provider, Rp, Kept) {
    let (provider, rp, kept) = (Provider::start().await, Rp::new("rp"), Kept::start().await);
    let uri = kept.uri.clone();
    register(&provider, &rp, |settings| settings.request_uris = vec![uri]).await;
    (provider, rp, kept)
}

/// What stands beside the reference: no state, no nonce.
async fn ask(provider: &Provider, rp: &Rp, uri: &str, more: &[(&str, &str)]) -> Reply {
    let beside = [
        ("client_id", rp.id.as_str()),
        ("response_type", "code"),
        ("redirect_uri", &rp.redirect_uri),
        ("scope", "openid"),
        ("request_uri", uri),
    ];
    provider.get(&format!("/authorize?{}", form(&[&beside[..], more].concat())), None).await
}

fn accepted(reply: &Reply) -> bool {
    reply.location().starts_with("/auth/open/interaction/")
}

fn error(reply: &Reply) -> String {
    assert!(reply.location().starts_with("https://rp.example/callback?"), "{}", reply.location());
    reply.location_param("error").unwrap()
}

#[tokio::test]
async fn a_registered_reference_is_fetched_each_time_and_only_the_object_counts_core_6_2() {
    let (provider, rp, kept) = world().await;
    kept.holds("application/jwt", rp.sign(&rp.claims(ISSUER, provider.now(), None)) + "\n");
    let reply = ask(&provider, &rp, &kept.uri, &[("state", "outside")]).await;
    assert!(accepted(&reply), "{}", reply.body);
    let back = provider.sign_in(&reply, &mut Browser::default()).await;
    assert_eq!(back.location_param("state").as_deref(), Some("state-1"));
    let event = provider.audit(reply.correlation_id()).await;
    let told = event.iter().find(|event| event.kind == "authorize.accepted").unwrap();
    assert_eq!((&told.detail["sent"], &told.detail["source"]), (&"reference".into(), &"signed".into()));
    assert!(accepted(&ask(&provider, &rp, &kept.uri, &[]).await));
    assert_eq!(kept.asked.load(Ordering::SeqCst), 2, "nothing is cached");
}

#[tokio::test]
async fn a_reference_leads_to_every_kind_of_object_and_its_jti_counts_once_a23() {
    let (provider, rp, kept) = world().await;
    let signed = rp.sign(&rp.claims(ISSUER, provider.now(), Some("j-1")));
    let sealed = seal(&provider.jwks().await, KeyAlg::RsaOaep256, ContentAlg::A256Gcm, signed.as_bytes());
    kept.holds("application/oauth-authz-req+jwt", sealed);
    assert!(accepted(&ask(&provider, &rp, &kept.uri, &[]).await));
    let again = ask(&provider, &rp, &kept.uri, &[]).await;
    assert_eq!(
        (error(&again).as_str(), provider.reason(&again).await.as_str()),
        ("invalid_request_object", "object_replayed")
    );
}

#[tokio::test]
async fn what_is_not_registered_is_not_fetched_core_6_2() {
    let (provider, rp, kept) = world().await;
    kept.holds("application/jwt", rp.sign(&rp.claims(ISSUER, provider.now(), None)));
    let without = kept.uri.split('#').next().unwrap().to_owned();
    let long = format!("{}{}", kept.uri, "a".repeat(600));
    for (uri, reason) in [
        (without.as_str(), "request_uri_unregistered"),
        (&format!("{without}#other"), "request_uri_unregistered"),
        ("https://rp.example/object", "request_uri_unregistered"),
        (&long, "request_uri_too_long"),
    ] {
        let reply = ask(&provider, &rp, uri, &[]).await;
        assert_eq!(
            (error(&reply).as_str(), provider.reason(&reply).await.as_str()),
            ("invalid_request_uri", reason)
        );
    }
    assert_eq!(kept.asked.load(Ordering::SeqCst), 0);
    // Without a registered address for the error there is only the page.
    let page =
        ask(&provider, &Rp { redirect_uri: "https://evil.example/".into(), ..rp }, &without, &[]).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, ""));
}

#[tokio::test]
async fn request_beside_request_uri_is_refused_rfc9101_5() {
    let (provider, rp, kept) = world().await;
    let object = rp.sign(&rp.claims(ISSUER, provider.now(), None));
    let reply = ask(&provider, &rp, &kept.uri, &[("request", &object)]).await;
    assert_eq!(error(&reply), "invalid_request");
    assert_eq!(provider.reason(&reply).await, "request_and_request_uri");
    assert_eq!(kept.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_cannot_be_fetched_or_read_is_refused_with_its_reason_rfc9101_7() {
    let (provider, rp, kept) = world().await;
    let good = rp.sign(&rp.claims(ISSUER, provider.now(), None));
    kept.holds("text/html", good.clone());
    let reply = ask(&provider, &rp, &kept.uri, &[]).await;
    assert_eq!(error(&reply), "invalid_request_uri");
    let event = provider.event(&reply).await;
    assert_eq!(event.reason.as_deref(), Some("request_uri_not_fetched"));
    assert_eq!(event.detail["offered"], "fetch_content_type");
    kept.holds("application/jwt", "x".repeat(70_000));
    assert_eq!(error(&ask(&provider, &rp, &kept.uri, &[]).await), "invalid_request_uri");
    kept.holds("application/jwt", "no.jwt");
    assert_eq!(error(&ask(&provider, &rp, &kept.uri, &[]).await), "invalid_request_object");
    let foreign = rp.claims("https://other.example", provider.now(), None);
    kept.holds("application/jwt", rp.sign(&foreign));
    assert_eq!(error(&ask(&provider, &rp, &kept.uri, &[]).await), "invalid_request_object");
}

/// What a conformance suite sends: claims of a request, nothing of times.
fn undated(rp: &Rp, provider: &Provider) -> Map<String, Value> {
    let mut claims = rp.claims(ISSUER, provider.now(), None);
    claims.retain(|name, _| name != "iat" && name != "exp");
    claims
}

#[tokio::test]
async fn objects_without_times_are_for_clients_that_are_excused_core_6_1() {
    let (provider, rp, kept) = world().await;
    kept.holds("application/jwt", rp.sign(&undated(&rp, &provider)));
    let reply = ask(&provider, &rp, &kept.uri, &[]).await;
    assert_eq!(provider.reason(&reply).await, "exp_missing");
    let uri = kept.uri.clone();
    let excused = Rp::new("excused");
    register(&provider, &excused, |settings| {
        settings.request_uris = vec![uri];
        settings.require_request_object_times = false;
    })
    .await;
    kept.holds("application/jwt", excused.sign(&undated(&excused, &provider)));
    assert!(accepted(&ask(&provider, &excused, &kept.uri, &[]).await));
}

#[tokio::test]
async fn unsigned_objects_need_the_tenant_and_the_client_core_6_1() {
    let (provider, rp, kept) = world().await;
    let open = TenantSettings { unsigned_request_objects: true, ..TenantSettings::default() };
    let object = unsigned(None, Value::Object(undated(&rp, &provider)).to_string().as_bytes());
    kept.holds("application/jwt", object.clone());
    let refused = ask(&provider, &rp, &kept.uri, &[]).await;
    assert_eq!(
        (error(&refused).as_str(), provider.reason(&refused).await.as_str()),
        ("invalid_request_object", "alg_none")
    );
    let advertised = provider.get("/.well-known/openid-configuration", None).await.json();
    assert_eq!(advertised["request_uri_parameter_supported"], true);
    assert_eq!(advertised["require_request_uri_registration"], true);
    let algs = advertised["request_object_signing_alg_values_supported"].as_array().unwrap();
    assert!(!algs.contains(&"none".into()));

    provider.tenant("default", ISSUER, open).await;
    let refused = ask(&provider, &rp, &kept.uri, &[]).await;
    assert_eq!(
        (error(&refused).as_str(), provider.reason(&refused).await.as_str()),
        ("invalid_request_object", "object_unsigned")
    );
    let advertised = provider.get("/.well-known/openid-configuration", None).await.json();
    assert!(
        advertised["request_object_signing_alg_values_supported"]
            .as_array()
            .unwrap()
            .contains(&"none".into())
    );

    let uri = kept.uri.clone();
    register(&provider, &Rp::new("rp"), |settings| {
        settings.request_uris = vec![uri];
        settings.allow_unsigned_request_object = true;
    })
    .await;
    assert!(accepted(&ask(&provider, &rp, &kept.uri, &[]).await));
    // By value too; the good address is inside, a bad one outside.
    let bad = form(&[("client_id", "rp"), ("request", &object), ("redirect_uri", "https://evil.example/")]);
    let reply = provider.get(&format!("/authorize?{bad}"), None).await;
    assert!(accepted(&reply), "{}", reply.body);
    let back = provider.sign_in(&reply, &mut Browser::default()).await;
    assert!(back.location().starts_with("https://rp.example/callback?code="), "{}", back.location());
}
