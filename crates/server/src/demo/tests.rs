//! The demo against a provider that does just enough, over HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use axum::body::{Body, to_bytes};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Json, Redirect, Response};
use serde_json::{Map, Value, json};
use signet_jose::{
    Claims, Compact, ContentAlg, Expect, KeyAlg, KeySpec, KeyUse, Limits, SealHeader, SigAlg, Trace, Typ,
    parse, parse_nested, verify,
};
use tower::ServiceExt as _;

use super::fault::DemoFault;
use super::words::{moment, rows, segments, shortened};
use super::*;
use crate::pages::tests::check as check_page;

const NOW: i64 = 1_700_000_000;

/// Predictable bytes, different each time.
#[derive(Debug, Default)]
struct Seeded(std::sync::atomic::AtomicU8);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    }
}

struct KeySet {
    op_sig: PrivateKey,
    op_enc: PrivateKey,
    rp_sig: PrivateKey,
    rp_enc: PrivateKey,
    stranger: PrivateKey,
}

fn keys() -> &'static KeySet {
    static KEYS: OnceLock<KeySet> = OnceLock::new();
    KEYS.get_or_init(|| {
        let make =
            |spec, kid: &str, key_use| PrivateKey::generate(spec).unwrap().with_kid(kid).with_use(key_use);
        KeySet {
            op_sig: make(KeySpec::Rsa2048, "op-sig", KeyUse::Sig),
            op_enc: make(KeySpec::Rsa2048, "op-enc", KeyUse::Enc),
            rp_sig: make(KeySpec::P256, "rp-sig", KeyUse::Sig),
            rp_enc: make(KeySpec::P256, "rp-enc", KeyUse::Enc),
            stranger: make(KeySpec::Rsa2048, "op-sig", KeyUse::Sig),
        }
    })
}

/// How the provider misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    Nonce,
    AccessToken,
    Subject,
    Signature,
    NotSealed,
    PlainUserInfo,
    Iss,
    Denied,
}

struct Provider {
    issuer: String,
    fault: Fault,
    codes: Mutex<BTreeMap<String, Map<String, Value>>>,
    used: Mutex<BTreeSet<String>>,
}

/// The request's parameters, out of the object if there is one.
fn request_of(provider: &Provider, query: &BTreeMap<String, String>) -> Map<String, Value> {
    let Some(object) = query.get("request") else {
        return query.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    };
    assert_eq!(query.keys().collect::<Vec<_>>(), ["client_id", "request"]);
    let Ok(Compact::Jwe(jwe)) = parse(object, &Limits::default()) else { panic!("not sealed") };
    assert_eq!((jwe.header().kid.as_deref(), jwe.header().cty.as_deref()), (Some("op-enc"), Some("JWT")));
    let plain = keys().op_enc.decrypter().unwrap().open(&jwe).unwrap();
    let jws = parse_nested(&plain, &Limits::default()).unwrap();
    let expect = Expect {
        issuer: &query["client_id"],
        audiences: &[&provider.issuer],
        algorithms: &[SigAlg::ES256],
        now: NOW,
        skew: 0,
        require: &["iat", "nbf", "jti", "nonce", "code_challenge", "redirect_uri", "scope", "state"],
        max_lifetime: Some(600),
        max_age: None,
        typ: Typ::Required(&["oauth-authz-req+jwt"]),
    };
    let verifier = keys().rp_sig.public_key().verifier(SigAlg::ES256).unwrap();
    verify(&jws, &[&verifier], &expect, &mut Trace::new()).unwrap().into_claims().into_map()
}

async fn authorize(
    State(provider): State<Arc<Provider>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let request = request_of(&provider, &query);
    let text = |name: &str| request[name].as_str().unwrap().to_owned();
    let mut url = url::Url::parse(&text("redirect_uri")).unwrap();
    let code = format!("code-of-{}", text("state"));
    let jti = request.get("jti").and_then(Value::as_str).unwrap_or(&code).to_owned();
    let iss = if provider.fault == Fault::Iss { "https://other.example" } else { &provider.issuer };
    url.query_pairs_mut().append_pair("state", &text("state")).append_pair("iss", iss);
    if provider.fault == Fault::Denied {
        url.query_pairs_mut().append_pair("error", "access_denied");
    } else if provider.used.lock().unwrap().insert(jti) {
        url.query_pairs_mut().append_pair("code", &code);
        provider.codes.lock().unwrap().insert(code, request);
    } else {
        url.query_pairs_mut()
            .append_pair("error", "invalid_request_object")
            .append_pair("error_description", "<b>jti</b> was used");
    }
    Redirect::to(url.as_str()).into_response()
}

/// Signs, and seals for the sealed client.
fn protect(claims: &Value, sealed: bool, fault: Fault) -> String {
    let key = if fault == Fault::Signature { &keys().stranger } else { &keys().op_sig };
    let signed = key.signer(SigAlg::RS256).unwrap().sign(None, &serde_json::to_vec(claims).unwrap()).unwrap();
    if !sealed || fault == Fault::NotSealed {
        return signed;
    }
    let header = SealHeader { cty: Some("JWT"), ..SealHeader::new(ContentAlg::A256Gcm) };
    let encrypter = keys().rp_enc.public_key().encrypter(KeyAlg::EcdhEsA256Kw).unwrap();
    encrypter.seal(&header, signed.as_bytes()).unwrap()
}

async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let request = provider.codes.lock().unwrap().remove(&form["code"]).unwrap();
    signet_core::pkce::verify(request["code_challenge"].as_str(), Some(&form["code_verifier"])).unwrap();
    assert_eq!(request["redirect_uri"], form["redirect_uri"].as_str());
    assert!(headers[header::AUTHORIZATION].to_str().unwrap().starts_with("Basic "));
    let client_id = request["client_id"].as_str().unwrap();
    let access_token = format!("token-of-{client_id}-in-full-length");
    let hashed = if provider.fault == Fault::AccessToken { "another" } else { &access_token };
    let nonce = if provider.fault == Fault::Nonce { json!("another") } else { request["nonce"].clone() };
    let claims = json!({
        "iss": provider.issuer, "aud": client_id, "sub": "user-1", "iat": NOW, "exp": NOW + 300, "auth_time": NOW,
        "nonce": nonce, "at_hash": SigAlg::RS256.half_hash(hashed.as_bytes()),
    });
    let id_token = protect(&claims, client_id == "sealed", provider.fault);
    Json(json!({
        "access_token": access_token, "token_type": "Bearer", "expires_in": 300,
        "scope": "openid profile email", "id_token": id_token,
    }))
    .into_response()
}

async fn user_info(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Response {
    let sealed = headers[header::AUTHORIZATION] == "Bearer token-of-sealed-in-full-length";
    let sub = if provider.fault == Fault::Subject { "user-2" } else { "user-1" };
    let mut claims = json!({ "sub": sub, "name": "Alice <b>Example</b>", "email": "alice@example.com" });
    if !sealed || provider.fault == Fault::PlainUserInfo {
        return Json(claims).into_response();
    }
    claims["iss"] = json!(provider.issuer);
    claims["aud"] = json!("sealed");
    ([(header::CONTENT_TYPE, "application/jwt")], protect(&claims, true, provider.fault)).into_response()
}

/// Starts a provider and gives its demo.
async fn demo(fault: Fault) -> Router {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let provider =
        Arc::new(Provider { issuer: issuer.clone(), fault, codes: Mutex::default(), used: Mutex::default() });
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"),
        "id_token_signing_alg_values_supported": ["RS256", "HS256"],
        "authorization_response_iss_parameter_supported": true,
    });
    let jwks = json!({
        "keys": [keys().op_sig.public_key().to_jwk(), { "kty": "future" }, keys().op_enc.public_key().to_jwk()],
    });
    let app = Router::new()
        .route("/.well-known/openid-configuration", get(async move || Json(metadata)))
        .route("/jwks", get(async move || Json(jwks)))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .route("/userinfo", get(user_info))
        .with_state(provider);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let client = |client_id: &str, sealed: bool| DemoClient {
        client_id: client_id.into(),
        client_secret: Some(Zeroizing::new("secret".into())),
        title: format!("{client_id} login"),
        description: "A description.".into(),
        signing_key: sealed.then(|| keys().rp_sig.clone()),
        encryption_key: sealed.then(|| keys().rp_enc.clone()),
        sealed,
    };
    let settings = DemoSettings {
        issuer,
        origin: "http://rp.example".into(),
        shell: Shell::default(),
        clients: vec![client("sealed", true), client("plain", false)],
        users: vec![("alice".into(), "alice-demo".into())],
        now: Arc::new(|| NOW),
        entropy: Arc::new(Seeded::default()),
    };
    router(Arc::new(DemoRp::new(settings).unwrap()))
}

struct Answer {
    status: StatusCode,
    location: String,
    cookie: Option<String>,
    html: String,
}

async fn ask(demo: &Router, method: &str, address: &str, cookie: Option<&str>, body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(address);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, format!("other=1; signet-demo={cookie}"));
    }
    if method == "POST" {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    let response = demo.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let status = response.status();
    let text = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let location = text(header::LOCATION).unwrap_or_default();
    let set_cookie = text(header::SET_COOKIE);
    if let Some(set) = &set_cookie {
        assert!(set.contains("HttpOnly; SameSite=Lax") && set.contains("Path=/demo;"), "{set}");
    }
    let cookie = set_cookie.and_then(|set| Some(set.split_once('=')?.1.split_once(';')?.0.to_owned()));
    let html = String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap();
    if html.starts_with("<!doctype") {
        check_page(address, &html);
    }
    Answer { status, location, cookie, html }
}

async fn follow(address: &str) -> String {
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let location = http.get(address).send().await.unwrap().headers()[header::LOCATION].clone();
    location.to_str().unwrap().strip_prefix("http://rp.example").unwrap().to_owned()
}

/// Starts a login and gives the cookie, the address at the provider, and the address of the callback.
async fn go(demo: &Router, client_id: &str) -> (String, String, String) {
    let start = ask(demo, "POST", "/demo/start", None, &format!("client_id={client_id}")).await;
    assert_eq!(start.status, StatusCode::SEE_OTHER, "{}", start.html);
    let back = follow(&start.location).await;
    (start.cookie.unwrap(), start.location, back)
}

#[tokio::test]
async fn a_sealed_login_is_told_layer_by_layer() {
    let demo = demo(Fault::None).await;
    let (cookie, address, back) = go(&demo, "sealed").await;
    // RFC 9101 section 5: nothing but client_id and request.
    assert_eq!(address.matches('&').count(), 1);
    let done = ask(&demo, "GET", &back, Some(&cookie), "").await;
    assert_eq!(
        (done.status, done.location.as_str()),
        (StatusCode::SEE_OTHER, "/demo/result"),
        "{}",
        done.html
    );
    for _ in 0..2 {
        let result = ask(&demo, "GET", "/demo/result", Some(&cookie), "").await;
        assert_eq!(result.status, StatusCode::OK);
        let html = &result.html;
        assert_eq!((html.matches("layer sealed").count(), html.matches("layer signed").count()), (3, 3));
        for text in [
            "op-sig",
            "op-enc",
            "rp-sig",
            "rp-enc",
            "ECDH-ES+A256KW",
            "RSA-OAEP-256",
            "2023-11-14 22:13:20 UTC",
        ] {
            assert!(html.contains(text), "{text}");
        }
        // Secrets of the login are not on the page.
        assert!(!html.contains("in-full-length") && !html.contains("Basic c2"));
        assert!(html.contains("Alice &#60;b&#62;Example"));
    }
    let home = ask(&demo, "GET", "/demo", Some(&cookie), "").await;
    assert!(home.html.contains("/demo/result") && home.html.contains("alice-demo"));
}

#[tokio::test]
async fn a_replayed_object_is_refused_and_the_page_says_why_a_59() {
    let demo = demo(Fault::None).await;
    let (cookie, address, back) = go(&demo, "sealed").await;
    ask(&demo, "GET", &back, Some(&cookie), "").await;
    let again = ask(&demo, "GET", &follow(&address).await, Some(&cookie), "").await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.html.contains("Refused, as it must be"));
    assert!(
        again.html.contains("&#60;b&#62;jti&#60;/b&#62; was used.") && again.html.contains("/demo/result")
    );
    // The same response a second time.
    let twice = ask(&demo, "GET", &back, Some(&cookie), "").await;
    assert!(twice.html.contains("demo_login_finished"));
}

#[tokio::test]
async fn a_plain_login_has_a_signed_id_token_and_json() {
    let demo = demo(Fault::None).await;
    let (cookie, _, back) = go(&demo, "plain").await;
    ask(&demo, "GET", &back, Some(&cookie), "").await;
    let html = ask(&demo, "GET", "/demo/result", Some(&cookie), "").await.html;
    assert_eq!((html.matches("layer sealed").count(), html.matches("layer signed").count()), (0, 1));
    assert!(!html.contains("id=\"replay\""));
}

#[tokio::test]
async fn a_response_counts_only_in_the_browser_that_asked_rfc6749_10_12() {
    let demo = demo(Fault::None).await;
    let (cookie, _, back) = go(&demo, "plain").await;
    for foreign in [None, Some("0123456789abcdefghijkl")] {
        let answer = ask(&demo, "GET", &back, foreign, "").await;
        assert!(answer.html.contains("demo_state_unknown"));
    }
    for address in ["/demo/callback", "/demo/callback?state=x&code=y"] {
        assert!(ask(&demo, "GET", address, Some(&cookie), "").await.html.contains("demo_state_unknown"));
    }
    // Strangers did not use it up.
    assert_eq!(ask(&demo, "GET", &back, Some(&cookie), "").await.location, "/demo/result");
    assert_eq!(ask(&demo, "GET", "/demo/result", None, "").await.status, StatusCode::NOT_FOUND);
    let location = ask(&demo, "POST", "/demo/sign-out", Some(&cookie), "").await.location;
    assert!(location.ends_with("/logout"), "{location}");
    assert_eq!(ask(&demo, "GET", "/demo/result", Some(&cookie), "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn whatever_does_not_belong_to_this_login_is_refused_by_name() {
    for (fault, code) in [
        (Fault::Nonce, "demo_nonce_mismatch"),
        (Fault::AccessToken, "demo_at_hash_mismatch"),
        (Fault::Subject, "demo_sub_mismatch"),
        (Fault::Signature, "jws_signature_invalid"),
        (Fault::NotSealed, "encryption_expected"),
        (Fault::PlainUserInfo, "encryption_expected"),
        (Fault::Iss, "demo_iss_mismatch"),
        (Fault::Denied, "access_denied"),
    ] {
        let demo = demo(fault).await;
        let (cookie, _, back) = go(&demo, "sealed").await;
        let answer = ask(&demo, "GET", &back, Some(&cookie), "").await;
        assert!(answer.html.contains(&format!("<dd>{code}</dd>")), "{fault:?}: {}", answer.html);
        assert_eq!(ask(&demo, "GET", "/demo/result", Some(&cookie), "").await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn an_unknown_client_and_a_provider_that_is_away_have_their_pages() {
    let answer = ask(&demo(Fault::None).await, "POST", "/demo/start", None, "client_id=x").await;
    assert!(answer.html.contains("demo_client_unknown"));
    let settings = DemoSettings {
        // Port 9 of this machine: nobody answers there.
        issuer: "http://127.0.0.1:9".into(),
        origin: "http://rp.example".into(),
        shell: Shell::default(),
        clients: vec![DemoClient {
            client_id: "plain".into(),
            client_secret: None,
            title: String::new(),
            description: String::new(),
            signing_key: None,
            encryption_key: None,
            sealed: false,
        }],
        users: Vec::new(),
        now: Arc::new(|| NOW),
        entropy: Arc::new(Seeded::default()),
    };
    let demo = router(Arc::new(DemoRp::new(settings).unwrap()));
    let answer = ask(&demo, "POST", "/demo/start", None, "client_id=plain").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.html.contains("demo_provider_unreachable"));
}

#[test]
fn times_are_told_with_their_distance() {
    for (seconds, told) in [
        (NOW, "2023-11-14 22:13:20 UTC, now"),
        (NOW + 1, "2023-11-14 22:13:21 UTC, in 1 second"),
        (NOW + 600, "2023-11-14 22:23:20 UTC, in 10 minutes"),
        (NOW - 7_200, "2023-11-14 20:13:20 UTC, 2 hours ago"),
        (NOW - 864_000, "2023-11-04 22:13:20 UTC, 10 days ago"),
    ] {
        assert_eq!(moment(seconds, NOW).as_deref(), Some(told));
    }
    assert_eq!(moment(i64::MAX, NOW), None);
}

#[test]
fn claims_are_explained_and_the_known_ones_come_first() {
    let claims = Claims::parse(br#"{"a":1,"exp":1700000600,"iss":"x","aud":["y"]}"#, &Limits::default());
    let rows = rows(claims.unwrap().as_map(), NOW);
    let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["iss", "aud", "exp", "a"]);
    assert_eq!((rows[0].value.as_str(), rows[1].value.as_str()), ("x", "[\"y\"]"));
    assert!(rows[2].time.is_some() && rows[3].time.is_none() && rows[3].meaning.is_none());
}

#[test]
fn tokens_fall_into_their_named_segments() {
    let names = |token| segments(token).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names("a.b.c"), ["header", "claims", "signature"]);
    assert_eq!(names("a.b.c.d.e").len(), 5);
    assert_eq!(shortened("short"), "short");
    assert_eq!(shortened("ääääääääääääääääää"), "ääääääääääääääää…");
}

#[test]
fn every_fault_tells_what_to_do() {
    let faults = [
        DemoFault::StateUnknown,
        DemoFault::Finished,
        DemoFault::ResponseEmpty,
        DemoFault::EncryptionKeyMissing,
        DemoFault::StoryMissing,
        DemoFault::Interrupted,
        DemoFault::Refused { error: "x".into(), description: String::new() },
    ];
    for fault in faults {
        let told = fault.told();
        assert!(told.text.ends_with('.') && told.hint.ends_with('.'), "{told:?}");
        assert!((400..600).contains(&told.status) && !told.code.is_empty(), "{told:?}");
    }
}
