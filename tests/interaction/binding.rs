//! One interaction, one browser, and forms from our own pages only.

use axum::body::Body;
use axum::http::{Request, header};
use signet_tests::provider::{Browser, Provider, Reply, USER, form};

use super::{Visit, csrf, is_consent, is_login, outcome, shown, start};

#[tokio::test(flavor = "multi_thread")]
async fn another_browser_is_refused() {
    let provider = start().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let page = visit.page().await;
    let body = form(&[("csrf", csrf(&page)), ("username", USER.0), ("password", USER.1)]);
    let path = visit.path.clone();
    // Without a cookie, with the cookie of another interaction, and with that one's value under this one's name.
    let mut other = Browser::default();
    Visit::to(&provider, &mut other, "rp", &[]).await;
    let stranger = other.cookie();
    let renamed = {
        let id = path.strip_prefix("/interaction/").unwrap();
        format!("__Host-signet-interaction-{id}={}", stranger.split_once('=').unwrap().1)
    };
    for cookie in ["", &stranger, &renamed] {
        for (method, to) in [("GET", ""), ("POST", "/login"), ("POST", "/consent"), ("POST", "/switch")] {
            let request = Request::builder()
                .method(method)
                .uri(format!("{path}{to}"))
                .header(header::COOKIE, cookie)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(body.clone()))
                .unwrap();
            let reply = provider.send(request).await;
            assert_eq!(shown(&reply), (403, "interaction_foreign"), "{method} {to} {cookie}");
        }
    }
    // A cookie that came twice was planted.
    let twice = format!("{0}; {0}", browser.cookie());
    let request = Request::get(&path).header(header::COOKIE, twice).body(Body::empty()).unwrap();
    assert_eq!(shown(&provider.send(request).await), (403, "interaction_foreign"));
    assert!(is_login(&provider.get(&path, Some(&mut browser)).await), "the own browser goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_none_are_unknown() {
    let provider = start().await;
    for id in ["x", "AAAAAAAAAAAAAAAAAAAAAA", "%00", "%ff", "a%2Fb", "..", "a.b", &"a".repeat(3000)] {
        for (method, to) in [("GET", ""), ("POST", "/login"), ("POST", "/consent"), ("POST", "/switch")] {
            let request = Request::builder().method(method).uri(format!("/interaction/{id}{to}"));
            let reply = provider.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(shown(&reply), (400, "interaction_unknown"), "{method} {id}{to}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_told_as_such_with_and_without_the_cookie() {
    let provider = start().await;
    let mut browser = Browser::default();
    let visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let path = visit.path;
    provider.advance(1799);
    assert!(is_login(&provider.get(&path, Some(&mut browser)).await));
    provider.advance(1);
    let page = provider.get(&path, Some(&mut browser)).await;
    assert_eq!(shown(&page), (400, "interaction_expired"));
    assert!(page.body.contains("took too long"));
    // The browser drops the cookie at the same time.
    assert_eq!(shown(&provider.get(&path, None).await), (400, "interaction_expired"));
    assert_eq!(
        shown(&provider.post(&format!("{path}/login"), String::new(), None).await),
        (400, "interaction_expired")
    );
}

async fn post(
    provider: &Provider,
    path: &str,
    browser: &Browser,
    body: &str,
    headers: &[(&str, &str)],
) -> Reply {
    let mut request = Request::post(path)
        .header(header::COOKIE, browser.cookie())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    provider.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_from_elsewhere_are_refused() {
    let provider = start().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let (path, page) = (visit.path.clone(), visit.page().await);
    let good = form(&[("csrf", csrf(&page)), ("username", USER.0), ("password", USER.1)]);
    let to = format!("{path}/login");
    for headers in [
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![("origin", "http://id.example")],
        vec![("origin", "https://id.example:8443")],
        vec![("origin", "https://id.example.evil.example")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "cross-site"), ("origin", "https://id.example")],
    ] {
        let reply = post(&provider, &to, &browser, &good, &headers).await;
        assert_eq!(shown(&reply), (403, "form_forged"), "{headers:?}");
    }
    let mut other = Browser::default();
    let foreign = Visit::to(&provider, &mut other, "rp", &[]).await.page().await;
    let token = csrf(&page).to_owned();
    for sent in ["", "x", csrf(&foreign), &token.to_uppercase(), &token[1..], &format!("{token}0")] {
        let body = form(&[("csrf", sent), ("username", USER.0), ("password", USER.1)]);
        assert_eq!(shown(&post(&provider, &to, &browser, &body, &[]).await), (403, "form_forged"), "{sent}");
    }
    let twice = format!("{good}&csrf={token}");
    assert_eq!(shown(&post(&provider, &to, &browser, &twice, &[]).await), (400, "parameter_repeated"));
    // The token in the address does not count.
    let reply = post(&provider, &format!("{to}?csrf={token}"), &browser, "username=alice", &[]).await;
    assert_eq!(shown(&reply), (403, "form_forged"));
    for headers in [
        vec![],
        vec![("origin", "https://id.example")],
        vec![("sec-fetch-site", "same-origin"), ("origin", "https://id.example")],
        vec![("sec-fetch-site", "none")],
    ] {
        let reply = post(&provider, &to, &browser, &good, &headers).await;
        assert_eq!(reply.status, 303, "{headers:?}: {}", reply.body);
        browser.take(&reply);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_and_switch_have_a_token_of_their_own() {
    let provider = start().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let login_page = visit.page().await;
    visit.log_in(USER.0).await;
    let path = visit.path.clone();
    for token in ["", csrf(&login_page)] {
        for to in ["consent", "switch"] {
            let body = form(&[("csrf", token), ("decision", "accept")]);
            let reply = post(&provider, &format!("{path}/{to}"), &browser, &body, &[]).await;
            assert_eq!(shown(&reply), (403, "form_forged"), "{to}");
        }
    }
    for to in ["consent", "switch"] {
        let page = provider.get(&path, Some(&mut browser)).await;
        assert!(is_consent(&page), "a forged form changes nothing");
        let body = form(&[("csrf", csrf(&page)), ("decision", "accept")]);
        let reply =
            post(&provider, &format!("{path}/{to}"), &browser, &body, &[("sec-fetch-site", "cross-site")])
                .await;
        assert_eq!(shown(&reply), (403, "form_forged"), "{to}");
    }
    let mut visit = Visit { provider: &provider, browser: &mut browser, path };
    assert_eq!(outcome(&visit.accept().await), "code");
}
