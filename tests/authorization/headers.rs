//! The headers of every answer, and who may read answers from other origins.

use axum::http::header;
use signet_tests::flow::encode;
use signet_tests::provider::{Browser, Provider, Reply};
use signet_tests::rp::Rp;

use super::{request, start};

fn common(reply: &Reply, what: &str) {
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(reply.header("referrer-policy"), "no-referrer", "{what}");
    // The provider of these tests is one for development, which never binds a host to TLS.
    assert_eq!(reply.header("strict-transport-security"), "", "{what}");
    assert!(reply.correlation_id().len() >= 16, "{what}");
}

fn page(reply: &Reply, what: &str) {
    common(reply, what);
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8", "{what}");
    assert_eq!(reply.header("cache-control"), "no-store", "{what}");
    assert_eq!(reply.header("x-frame-options"), "DENY", "{what}");
    let policy = reply.header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'self'"] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("script"), "{what}: {policy}");
    assert!(
        !reply.body.contains("<script")
            && !reply.body.contains(" style=")
            && !reply.body.contains(" onclick=")
    );
}

/// Every page that a browser can get to.
async fn pages(provider: &Provider) -> Vec<(&'static str, Reply)> {
    let mut browser = Browser::default();
    let accepted = provider.authorize(&Rp::new("rp"), &[], Some(&mut browser)).await;
    let path = accepted.location().strip_prefix("/auth/open").unwrap().to_owned();
    let login = provider.get(&path, Some(&mut browser)).await;
    let csrf = signet_tests::provider::between(&login.body, "name=\"csrf\" value=\"", "\"").to_owned();
    let form = |password: &str| {
        signet_tests::provider::form(&[("csrf", &csrf), ("username", "alice"), ("password", password)])
    };
    let wrong = provider.post(&format!("{path}/login"), form("wrong"), Some(&mut browser)).await;
    let forged = provider.post(&format!("{path}/login"), String::new(), Some(&mut browser)).await;
    let right = provider
        .post(&format!("{path}/login"), form(signet_tests::provider::USER.1), Some(&mut browser))
        .await;
    assert_eq!(right.status, 303);
    let consent = provider.get(&path, Some(&mut browser)).await;
    assert!(consent.body.contains("id=\"accept\""));
    vec![
        ("login", login),
        ("login refused", wrong),
        ("forged form", forged),
        ("consent", consent),
        ("logout", provider.get("/logout", Some(&mut browser)).await),
        ("signed out", provider.get("/logout", None).await),
        ("home", provider.get("/", None).await),
        ("refused request", provider.get("/authorize", None).await),
        ("foreign interaction", provider.get(&path, None).await),
        ("nothing", provider.get("/nothing", None).await),
        ("method", provider.send(request("PUT", "/authorize")).await),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_a_strict_policy_and_is_not_stored() {
    let provider = start().await;
    for (what, reply) in pages(&provider).await {
        page(&reply, what);
    }
    let login = &pages(&provider).await[0].1;
    insta::assert_snapshot!(
        login.header("content-security-policy"),
        @"default-src 'none'; style-src 'self'; img-src 'self' https: data:; form-action 'self' https:; frame-ancestors 'none'; base-uri 'none'"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_stored_and_leave_no_referrer() {
    let provider = start().await;
    let mut browser = Browser::default();
    let accepted = provider.authorize(&Rp::new("rp"), &[], None).await;
    let refused = provider.authorize(&Rp::new("rp"), &[("scope", "x")], None).await;
    let back = provider.sign_in(&accepted, &mut browser).await;
    for reply in [&accepted, &refused, &back] {
        common(reply, reply.location());
        assert_eq!(reply.status, 303);
        assert_eq!(reply.header("cache-control"), "no-store", "{}", reply.location());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interaction_cookie_is_bound_to_host_and_tls() {
    let provider = start().await;
    let accepted = provider.authorize(&Rp::new("rp"), &[], None).await;
    let cookie = accepted.header("set-cookie");
    assert!(cookie.starts_with("__Host-signet-interaction-"), "{cookie}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age=1800"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_applications_may_call_what_reads_no_cookie() {
    let provider = start().await;
    for path in [
        "/token",
        "/userinfo",
        "/jwks",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ] {
        let mut preflight = request("OPTIONS", path);
        for (name, value) in [
            (header::ORIGIN, "https://spa.example"),
            (header::ACCESS_CONTROL_REQUEST_METHOD, "POST"),
            (header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization"),
        ] {
            preflight.headers_mut().insert(name, value.parse().unwrap());
        }
        let reply = provider.send(preflight).await;
        assert_eq!(reply.status, 204, "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(reply.header("access-control-allow-headers"), "authorization, content-type", "{path}");
        assert_eq!(reply.header("access-control-allow-credentials"), "", "{path}");
        let method = if path == "/token" { "POST" } else { "GET" };
        let reply = provider.send(request(method, path)).await;
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{method} {path}");
        assert!(reply.header("access-control-expose-headers").contains("www-authenticate"), "{path}");
    }
    let good = format!("/authorize?{}", encode(&Rp::new("rp").request(&[])));
    for path in [good.as_str(), "/logout", "/", "/interaction/x"] {
        let reply = provider.send(request("GET", path)).await;
        assert_eq!(reply.header("access-control-allow-origin"), "", "{path}");
        let mut preflight = request("OPTIONS", path);
        preflight.headers_mut().insert(header::ACCESS_CONTROL_REQUEST_METHOD, "GET".parse().unwrap());
        let reply = provider.send(preflight).await;
        assert_eq!((reply.status.as_u16(), reply.header("access-control-allow-origin")), (405, ""), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_may_be_kept_for_a_while() {
    let provider = start().await;
    for (path, kind) in
        [("/jwks", "application/jwk-set+json"), ("/.well-known/openid-configuration", "application/json")]
    {
        let reply = provider.get(path, None).await;
        common(&reply, path);
        assert_eq!(
            (reply.header("content-type"), reply.header("cache-control")),
            (kind, "public, max-age=3600")
        );
    }
}
