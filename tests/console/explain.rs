//! Why a request fails: pasted, and by the reference of its error page.

use serde_json::{Value, json};
use signet_core::explain::Record;
use signet_core::records::{AuditEvent, Role};
use signet_jose::{ContentAlg, KeyAlg};
use signet_tests::console::{Person, add_user, user};
use signet_tests::provider::{Provider, form};
use signet_tests::rp::{Rp, seal};

/// The names of the mistakes on a page, in their order.
fn findings(page: &str) -> Vec<&str> {
    page.split("data-finding=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

fn request(client_id: &str, object: &str) -> String {
    form(&[("client_id", client_id), ("request", object)])
}

async fn with_client(provider: &Provider, id: &str, owner: Option<&str>) -> Rp {
    let rp = Rp::new(id);
    let mut declared = rp.declaration();
    if let Some(owner) = owner {
        declared.owner = Some(Some(user(provider, owner).await.id));
    }
    provider.register(&declared).await;
    rp
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_login_is_explained_by_its_reference_as_well_as_by_its_object() {
    let provider = Provider::start().await;
    let rp = with_client(&provider, "app", None).await;
    let mut person = Person::with_role(&provider, Role::Auditor).await;
    let mut claims = rp.claims(signet_tests::provider::ISSUER, provider.now(), Some("j"));
    claims.insert("exp".into(), json!((provider.now() + 600) * 1000));
    let sent = request("app", &rp.sign(&claims));
    let refused = provider.get(&format!("/authorize?{sent}"), None).await;
    let reference = refused.correlation_id();
    assert_eq!(provider.reasons(reference).await, ["lifetime_too_long"]);

    let page = person.get(&format!("/console/explain?reference={reference}")).await;
    assert_eq!(page.status, 200);
    assert_eq!(findings(&page.body), ["milliseconds"]);
    for text in ["lifetime_too_long", "Times in milliseconds", "setExpirationTime", "authorize.refused"] {
        assert!(page.body.contains(text), "{text}");
    }
    let pasted = person.post("/console/explain", &[("pasted", &sent)]).await;
    assert_eq!((pasted.status.as_u16(), findings(&pasted.body)), (200, vec!["milliseconds"]));
    let story = person.get(&format!("/console/audit/story/{reference}")).await;
    assert!(story.body.contains(&format!("/console/explain?reference={reference}")), "{}", story.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_is_told_at_least_what_the_client_was_told() {
    let provider = Provider::start().await;
    let rp = with_client(&provider, "app", None).await;
    let mut person = Person::with_role(&provider, Role::Auditor).await;
    let twice = "client_id=app&scope=openid&scope=profile";
    let authorize = provider.get(&format!("/authorize?{twice}"), None).await;
    let basic = rp.basic();
    let body = [("grant_type", "authorization_code"), ("scope", "a"), ("scope", "b")];
    let token = provider.call("/token", &[("authorization", &basic)], &body).await;
    for refused in [authorize, token] {
        let page = person.get(&format!("/console/explain?reference={}", refused.correlation_id())).await;
        assert!(page.body.contains("occurs more than once"), "{}", page.body);
        assert!(page.body.contains("The parameter &#34;scope&#34;"), "{}", page.body);
    }
    let overview = person.get("/console").await;
    assert!(overview.body.contains("&#34;(its name)&#34; occurs more than once"), "{}", overview.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn explaining_consumes_nothing_and_writes_nothing() {
    let provider = Provider::start().await;
    let rp = with_client(&provider, "app", None).await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let claims = rp.claims(signet_tests::provider::ISSUER, provider.now(), Some("once"));
    let jwks = provider.jwks().await;
    let object = seal(&jwks, KeyAlg::RsaOaep256, ContentAlg::A256Gcm, rp.sign(&claims).as_bytes());
    let sent = request("app", &object);
    for _ in 0..2 {
        let page = person.post("/console/explain", &[("pasted", &sent)]).await;
        assert!(page.body.contains("This request would be accepted"), "{}", page.body);
        let explained = provider.audit(page.correlation_id()).await;
        assert!(explained.is_empty(), "{explained:?}");
    }
    let accepted = provider.get(&format!("/authorize?{sent}"), None).await;
    assert!(accepted.location().contains("/interaction/"), "{}", accepted.location());
    let again = provider.get(&format!("/authorize?{sent}"), None).await;
    assert_eq!(provider.reasons(again.correlation_id()).await, ["object_replayed"]);
    let page = person.get(&format!("/console/explain?reference={}", again.correlation_id())).await;
    assert!(page.body.contains("Each object is good for one login"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn pushed_objects_are_explained_too() {
    let provider = Provider::start().await;
    let rp = with_client(&provider, "app", None).await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let mut claims = rp.claims(signet_tests::provider::ISSUER, provider.now(), Some("j"));
    claims.insert("aud".into(), json!(format!("{}/par", signet_tests::provider::ISSUER)));
    let basic = rp.basic();
    let object = rp.sign(&claims);
    let refused = provider.call("/par", &[("authorization", &basic)], &[("request", &object)]).await;
    let page = person.get(&format!("/console/explain?reference={}", refused.correlation_id())).await;
    assert_eq!(findings(&page.body), ["aud_is_endpoint"], "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_keeps_no_token_and_no_secret_of_a_refused_request() {
    let provider = Provider::start().await;
    let rp = with_client(&provider, "app", None).await;
    let mut claims =
        rp.claims(signet_tests::provider::ISSUER, provider.now(), Some("a-jti-that-is-kept-nowhere"));
    claims.insert("login_hint".into(), json!("290264-9876"));
    claims.insert("nonce".into(), json!("nonce-of-somebody"));
    claims.insert("scope".into(), json!("profile"));
    let jwks = provider.jwks().await;
    let object = seal(&jwks, KeyAlg::RsaOaep, ContentAlg::A128CbcHs256, rp.sign(&claims).as_bytes());
    let refused = provider.get(&format!("/authorize?{}", request("app", &object)), None).await;
    let events: Vec<AuditEvent> = provider.audit(refused.correlation_id()).await;
    let kept = serde_json::to_string(&events).unwrap();
    assert!(events[0].detail.contains_key(Record::MEMBER), "{kept}");
    for text in ["a-jti-that-is-kept-nowhere", "290264-9876", "nonce-of-somebody", "state-1"] {
        assert!(!kept.contains(text), "{text}");
    }
    assert!(object.split('.').filter(|part| part.len() > 30).all(|part| !kept.contains(&part[..30])));
}

#[tokio::test(flavor = "multi_thread")]
async fn developers_are_told_of_their_own_clients_alone() {
    let provider = Provider::start().await;
    add_user(&provider, "dev", Some(Role::Developer)).await;
    let own = with_client(&provider, "own", Some("dev")).await;
    let other = with_client(&provider, "other", None).await;
    let mut person = Person::sign_in(&provider, "dev").await;
    let now = provider.now();
    let object = |rp: &Rp| {
        let mut claims = rp.claims(signet_tests::provider::ISSUER, now, Some("j"));
        claims.insert("scope".into(), json!("secret-scope"));
        rp.sign(&claims)
    };
    let page = person.post("/console/explain", &[("pasted", &object(&own))]).await;
    assert!(page.body.contains("scope_without_openid"), "{}", page.body);
    let jwks = provider.jwks().await;
    let sealed = seal(&jwks, KeyAlg::RsaOaep, ContentAlg::A128CbcHs256, object(&other).as_bytes());
    for (object, beside) in [(object(&other), None), (sealed.clone(), None), (sealed, Some("own"))] {
        let pasted = beside.map_or(object.clone(), |id| request(id, &object));
        let page = person.post("/console/explain", &[("pasted", &pasted)]).await;
        assert!(page.body.contains("id=\"reason\">client_unknown<"), "{}", page.body);
        let answer = page.body.split("Explain another one").next().unwrap();
        assert!(!answer.contains("secret-scope") && !answer.contains("code_challenge"), "{answer}");
    }
    let refused = provider.get(&format!("/authorize?{}", request("other", &object(&other))), None).await;
    let page = person.get(&format!("/console/explain?reference={}", refused.correlation_id())).await;
    assert_eq!(page.status, 404);
    let refused = provider.get(&format!("/authorize?{}", request("own", &object(&own))), None).await;
    let page = person.get(&format!("/console/explain?reference={}", refused.correlation_id())).await;
    assert_eq!(page.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pasted_is_text_and_nothing_else() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let attack = "</textarea><script>alert(1)</script>";
    let header = json!({ "alg": attack, "kid": attack });
    let encode = |value: &Value| signet_tests::craft::b64(value.to_string());
    let token = format!("{}.{}.AAAA", encode(&header), encode(&json!({ "iss": attack })));
    for pasted in [attack, &token, &request(attack, attack)] {
        let page = person.post("/console/explain", &[("pasted", pasted), ("client_id", attack)]).await;
        assert!(page.status.is_success() || page.status.is_client_error());
        assert!(!page.body.contains("<script>"), "{}", page.body);
    }
    for (pasted, status) in [("", 400), ("state=1", 400), ("client_id=a&client_id=b", 400)] {
        let page = person.post("/console/explain", &[("pasted", pasted)]).await;
        assert_eq!(page.status, status, "{pasted}");
        assert!(page.body.contains("id=\"problems\""), "{}", page.body);
    }
    assert_eq!(person.get("/console/explain?reference=nobody").await.status, 404);
    assert_eq!(person.get(&format!("/console/explain?reference={}", "x".repeat(500))).await.status, 404);
}
