//! Two tenants on one host know nothing of each other.

use axum::http::header;
use signet_core::records::TenantSettings;
use signet_tests::flow::encode;
use signet_tests::provider::{Browser, ISSUER, Provider, Reply};
use signet_tests::rp::Rp;

use super::{request, start};

const ACME: &str = "https://id.example/acme";

async fn at_acme(provider: &Provider, path: &str, cookie: Option<String>) -> Reply {
    let mut request = request("GET", &format!("/acme{path}"));
    request.headers_mut().insert(header::HOST, "id.example".parse().unwrap());
    if let Some(cookie) = cookie {
        request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
    }
    provider.raw(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_interactions_sessions_and_keys_are_each_tenants_own_a7() {
    let provider = start().await;
    let acme = provider.tenant("acme", ACME, TenantSettings::default()).await;
    let only_here = Rp::new("acme-only");
    provider.provisioner().client(&acme, &only_here.declaration()).await.unwrap();

    let good = |rp: &Rp| format!("/authorize?{}", encode(&rp.request(&[])));
    let reply = at_acme(&provider, &good(&Rp::new("rp")), None).await;
    assert!(reply.body.contains("<dd>client_unknown</dd>"), "{}", reply.body);
    let reply = provider.get(&good(&only_here), None).await;
    assert!(reply.body.contains("<dd>client_unknown</dd>"), "{}", reply.body);
    let reply = at_acme(&provider, &good(&only_here), None).await;
    assert!(reply.location().starts_with("/acme/interaction/"), "{}", reply.location());

    // An interaction, with its cookie, under the other issuer.
    let mut browser = Browser::default();
    let accepted = provider.authorize(&Rp::new("rp"), &[], Some(&mut browser)).await;
    let id = accepted.location().rsplit_once('/').unwrap().1.to_owned();
    let reply = at_acme(&provider, &format!("/interaction/{id}"), Some(browser.cookie())).await;
    assert!(reply.body.contains("<dd>interaction_unknown</dd>"), "{}", reply.body);

    // A session of one tenant logs in nobody at the other.
    provider.sign_in(&accepted, &mut browser).await;
    let silent = format!("/authorize?{}", encode(&only_here.request(&[("prompt", "none")])));
    let accepted = at_acme(&provider, &silent, None).await;
    browser.take(&accepted);
    let path = accepted.location().strip_prefix("/acme").unwrap();
    let renamed = browser.cookie().replace("signet-session-default", "signet-session-acme");
    for cookie in [browser.cookie(), renamed] {
        let reply = at_acme(&provider, path, Some(cookie)).await;
        let told = reply.location_param("error");
        assert!(
            told.as_deref() == Some("login_required") || reply.body.contains("interaction_finished"),
            "{reply:?}"
        );
    }

    let (here, there) = (provider.jwks().await, at_acme(&provider, "/jwks", None).await.json());
    let moduli = |set: &serde_json::Value| {
        let keys = set["keys"].as_array().unwrap().clone();
        keys.into_iter()
            .filter_map(|key| key["n"].as_str().or(key["x"].as_str()).map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert!(moduli(&here).iter().all(|modulus| !moduli(&there).contains(modulus)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_is_the_stored_one_whatever_the_host_says() {
    let provider = start().await;
    for host in ["id.example", "evil.example", "id.example:8443"] {
        let mut request = request("GET", "/auth/open/.well-known/openid-configuration");
        request.headers_mut().insert(header::HOST, host.parse().unwrap());
        request.headers_mut().insert("x-forwarded-host", "evil.example".parse().unwrap());
        let reply = provider.raw(request).await;
        assert_eq!(reply.json()["issuer"], ISSUER);
        assert!(!reply.body.contains("evil"), "{}", reply.body);
    }
    provider.tenant("acme", ACME, TenantSettings::default()).await;
    let mut request = request("GET", "/auth/open/jwks");
    request.headers_mut().insert(header::HOST, "evil.example".parse().unwrap());
    assert_eq!(provider.raw(request).await.status, 404, "with two tenants the host decides");
}
