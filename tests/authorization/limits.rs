//! Sizes, methods, content types and paths (A-8, A-9, A-10; RFC 9110 sections 9 and 15.5).

use axum::body::Body;
use axum::http::{Request, header};
use signet_tests::flow::encode;
use signet_tests::provider::{ISSUER, form};
use signet_tests::rp::Rp;

use super::{form_request, request, start};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn long_requests_are_refused_with_a_hint_a8_a9() {
    let provider = start().await;
    let good = encode(&Rp::new("rp").request(&[]));
    // eight kilobytes and more by GET.
    let padding = (0..3).map(|n| format!("&x{n}={}", "a".repeat(8000))).collect::<Vec<_>>().concat();
    let reply = provider.get(&format!("/authorize?{good}{padding}"), None).await;
    assert!(reply.location().contains("/interaction/"), "{}", reply.status);
    let padding = (0..5).map(|n| format!("&x{n}={}", "a".repeat(8000))).collect::<Vec<_>>().concat();
    let reply = provider.get(&format!("/authorize?{good}{padding}"), None).await;
    assert_eq!(reply.status, 414);
    assert!(reply.body.contains("<dd>uri_too_long</dd>") && reply.body.contains("by POST"), "{}", reply.body);
    // The same by POST.
    let reply = provider.post("/authorize", format!("{good}{padding}"), None).await;
    assert!(reply.location().contains("/interaction/"), "{}", reply.status);
    let padding = (0..20).map(|n| format!("&x{n}={}", "a".repeat(8000))).collect::<Vec<_>>().concat();
    for path in ["/authorize", "/token", "/userinfo"] {
        let reply = provider.post(path, format!("{good}{padding}"), None).await;
        assert_eq!(reply.status, 413, "{path}");
        assert!(reply.body.contains("too large"), "{path}: {}", reply.body);
    }
    let reply = provider.get(&format!("/{}", "a".repeat(40_000)), None).await;
    assert_eq!(reply.status, 414);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_forms_are_read_rfc6749_appendix_b() {
    let provider = start().await;
    let good = encode(&Rp::new("rp").request(&[]));
    for kind in
        [FORM, "application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-Urlencoded"]
    {
        let reply = provider.send(form_request("/authorize", kind, good.clone())).await;
        assert!(reply.location().contains("/interaction/"), "{kind}");
    }
    for kind in
        ["application/json", "multipart/form-data; boundary=x", "text/plain", "", "x-www-form-urlencoded"]
    {
        let reply = provider.send(form_request("/authorize", kind, good.clone())).await;
        assert_eq!(reply.status, 415, "{kind}");
        assert!(reply.body.contains("<dd>content_type_unsupported</dd>"), "{kind}");
    }
    let bare =
        Request::post("/authorize").header(header::CONTENT_LENGTH, good.len()).body(Body::from(good.clone()));
    assert_eq!(provider.send(bare.unwrap()).await.status, 415);
    // No body at all: the query counts, also by POST.
    let reply = provider.send(request("POST", &format!("/authorize?{good}"))).await;
    assert!(reply.location().contains("/interaction/"), "{}", reply.body);
    // parts in the query and parts in the body, but none in both.
    let (query, body) = good.split_once('&').unwrap();
    let reply = provider.post(&format!("/authorize?{query}"), body.into(), None).await;
    assert!(reply.location().contains("/interaction/"), "{}", reply.body);
    let reply = provider.post(&format!("/authorize?{query}"), good.clone(), None).await;
    assert!(reply.body.contains("<dd>parameter_repeated</dd>"), "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_answered_with_those_that_are_allowed_rfc9110_15_5_6() {
    let provider = start().await;
    for (path, allowed) in [
        ("/authorize", ["GET", "POST"].as_slice()),
        ("/token", &["POST"]),
        ("/userinfo", &["GET", "HEAD", "POST"]),
        ("/jwks", &["GET", "HEAD"]),
        ("/.well-known/openid-configuration", &["GET", "HEAD"]),
        ("/logout", &["GET", "POST"]),
        ("/logout/confirm", &["POST"]),
        ("/logout/done", &["GET", "HEAD"]),
        ("/check-session", &["GET", "HEAD"]),
        ("/interaction/x", &["GET", "HEAD"]),
        ("/interaction/x/login", &["GET", "HEAD", "POST"]),
        ("/interaction/x/register", &["GET", "HEAD", "POST"]),
        ("/interaction/x/consent", &["POST"]),
        ("/interaction/x/switch", &["POST"]),
        ("/", &["GET", "HEAD"]),
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "BREW"] {
            if allowed.contains(&method) {
                continue;
            }
            let reply = provider.send(request(method, path)).await;
            assert_eq!(reply.status, 405, "{method} {path}");
            let mut told: Vec<&str> = reply.header("allow").split(',').map(str::trim).collect();
            told.sort_unstable();
            assert_eq!(told, allowed, "{method} {path}");
            assert!(reply.body.contains("<dd>method_not_allowed</dd>"), "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_answers_as_get_does_without_a_body_rfc9110_9_3_2() {
    let provider = start().await;
    for path in ["/jwks", "/.well-known/openid-configuration", "/", "/logout/done", "/userinfo", "/nothing"] {
        let head = provider.send(request("HEAD", path)).await;
        let get = provider.send(request("GET", path)).await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert_eq!(head.body, "", "{path}");
    }
}

/// RFC 9110 section 9.2.1: HEAD is safe; accepting a request is not.
#[tokio::test(flavor = "multi_thread")]
async fn head_at_the_authorization_endpoint_accepts_nothing() {
    let provider = start().await;
    let rp = Rp::new("rp");
    let object = rp.sign(&rp.claims(ISSUER, provider.now(), Some("seen by a scanner")));
    let path = format!("/authorize?{}", form(&[("client_id", "rp"), ("request", &object)]));
    let head = provider.send(request("HEAD", &path)).await;
    assert_eq!((head.status.as_u16(), head.header("allow")), (405, "GET,POST"));
    let reply = provider.get(&path, None).await;
    assert!(reply.location().contains("/interaction/"), "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_paths_are_nothing() {
    let provider = start().await;
    for path in [
        "/nothing",
        "/authorize/",
        "/Authorize",
        "/authorize/x",
        "//authorize",
        "/interaction",
        "/interaction/",
        "/.well-known/",
        "/.well-known/webfinger",
        "/.git/config",
        "/%2e%2e/authorize",
        "/\u{25}00",
    ] {
        let reply = provider.send(request("GET", path)).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.body.contains("<dd>not_found</dd>"), "{path}");
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
    }
    // Outside every issuer.
    for path in ["/", "/authorize", "/auth", "/auth/openx/authorize", "/auth/opensomething"] {
        let mut request = request("GET", path);
        request.headers_mut().insert(header::HOST, "id.example".parse().unwrap());
        assert_eq!(provider.raw(request).await.status, 404, "{path}");
    }
}
