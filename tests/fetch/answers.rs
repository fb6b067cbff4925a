//! What comes back.

use signet_server::fetch::Kind;

use crate::hostile::{Conduct, Hostile, good};
use crate::{HOST, Site, get, refused};

fn says(text: &str) -> Conduct {
    Conduct::Says(text.replace('\n', "\r\n"))
}

#[tokio::test]
async fn what_is_fetched_and_how_long_it_may_be_kept() {
    let site = Site::new();
    let answer = "HTTP/1.1 200 OK\ncontent-type: application/jwk-set+json\ncache-control: public, max-age=120\n\n{\"keys\":[]}";
    let server = Hostile::start(Some(&site.identity), says(answer)).await;
    let fetched = get(&site.fetcher(), &format!("{}#fragment", server.url(HOST))).await.unwrap();
    assert_eq!(&fetched.body[..], b"{\"keys\":[]}");
    assert_eq!(fetched.max_age, Some(120));
    let request = server.requests.lock().unwrap()[0].to_lowercase();
    assert!(request.starts_with("get /path?query http/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {HOST}:{}\r\n", server.address.port())), "{request}");
    assert!(request.contains("accept: application/jwk-set+json, application/json\r\n"), "{request}");
    for absent in ["cookie", "authorization", "accept-encoding", "referer", "#fragment"] {
        assert!(!request.contains(absent), "{request}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let site = Site::new();
    let target = Hostile::start(Some(&site.identity), good("application/json", "{}")).await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let answer = format!("HTTP/1.1 {status}\nlocation: {}\ncontent-length: 0\n\n", target.url(HOST));
        let server = Hostile::start(Some(&site.identity), says(&answer)).await;
        assert_eq!(refused(&site.fetcher(), &server.url(HOST)).await, "fetch_redirected", "{status}");
        let posted = site.fetcher().post_form(&server.url(HOST), &[("a", "b")]).await;
        assert_eq!(posted.unwrap_err().code(), "fetch_redirected", "{status}");
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn bad_answers_are_told_apart() {
    let site = Site::new();
    let huge = " ".repeat(300_000);
    let head = "HTTP/1.1 200 OK\ncontent-type: application/json\n";
    for (answer, expected) in [
        ("HTTP/1.1 404 Not Found\ncontent-type: application/json\n\n{}".to_owned(), "fetch_status"),
        ("HTTP/1.1 500 Broken\ncontent-type: application/json\n\n{}".to_owned(), "fetch_status"),
        ("HTTP/1.1 204 No Content\n\n".to_owned(), "fetch_status"),
        ("HTTP/1.1 206 Partial Content\ncontent-type: application/json\n\n{}".to_owned(), "fetch_status"),
        ("HTTP/1.1 200 OK\ncontent-type: text/html\n\n{}".to_owned(), "fetch_content_type"),
        ("HTTP/1.1 200 OK\n\n{}".to_owned(), "fetch_content_type"),
        (format!("{head}content-encoding: gzip\n\n{{}}"), "fetch_encoded"),
        (format!("{head}\n{huge}"), "fetch_too_large"),
        (format!("{head}content-length: 300000\n\n{huge}"), "fetch_too_large"),
        (format!("{head}content-length: 99999999999999\n\n{{}}"), "fetch_too_large"),
        (format!("{head}content-length: 100\n\n{{}}"), "fetch_protocol"),
        (format!("{head}content-length: 1\ncontent-length: 2\n\n{{}}"), "fetch_protocol"),
        (format!("{head}transfer-encoding: chunked\n\nzz\n"), "fetch_protocol"),
        (format!("{head}x: {huge}\n\n{{}}"), "fetch_protocol"),
        (format!("{head}{}\n{{}}", "x: y\n".repeat(1000)), "fetch_protocol"),
        ("SSH-2.0-OpenSSH\n".to_owned(), "fetch_protocol"),
        (String::new(), "fetch_protocol"),
    ] {
        let server = Hostile::start(Some(&site.identity), says(&answer)).await;
        let start: String = answer.chars().take(80).collect();
        assert_eq!(refused(&site.fetcher(), &server.url(HOST)).await, expected, "{start}");
    }
}

#[tokio::test]
async fn each_kind_has_its_types_and_its_size() {
    let site = Site::new();
    let fetcher = site.fetcher();
    let object = Hostile::start(Some(&site.identity), good("application/jwt; charset=utf-8", "a.b.c")).await;
    assert!(fetcher.get(&object.url(HOST), Kind::RequestObject).await.is_ok());
    assert!(fetcher.get(&object.url(HOST), Kind::SectorIdentifier).await.is_err());
    let large = Hostile::start(Some(&site.identity), good("application/json", &" ".repeat(100_000))).await;
    assert!(fetcher.get(&large.url(HOST), Kind::Jwks).await.is_ok());
    let refused = fetcher.get(&large.url(HOST), Kind::SectorIdentifier).await.unwrap_err();
    assert_eq!(refused.code(), "fetch_too_large");
}

#[tokio::test]
async fn a_body_without_end_is_cut_off_by_its_size() {
    let site = Site::new();
    let server = Hostile::start(Some(&site.identity), Conduct::Floods).await;
    assert_eq!(refused(&site.fetcher(), &server.url(HOST)).await, "fetch_too_large");
}

/// OpenID Connect Back-Channel Logout section 2.8.
#[tokio::test]
async fn a_posted_form_gives_the_status_and_its_body_is_not_read() {
    let site = Site::new();
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\ncontent-length: 0\n\n", 200),
        ("HTTP/1.1 204 No Content\n\n", 204),
        ("HTTP/1.1 400 Bad Request\ncontent-type: application/json\n\n{}", 400),
        ("HTTP/1.1 503 Later\ncontent-length: 99999999\n\n", 503),
    ] {
        let server = Hostile::start(Some(&site.identity), says(answer)).await;
        let status =
            site.fetcher().post_form(&server.url(HOST), &[("logout_token", "a+b c"), ("x", "&")]).await;
        assert_eq!(status, Ok(expected));
        let request = server.requests.lock().unwrap()[0].clone();
        assert!(request.starts_with("POST /path?query HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"), "{request}");
        assert!(request.ends_with("\r\n\r\nlogout_token=a%2Bb+c&x=%26"), "{request}");
    }
}
