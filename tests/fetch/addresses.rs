//! Where connections may go.

use signet_core::client_policy::Mode;
use signet_server::fetch::Fetcher;

use crate::hostile::{Hostile, good};
use crate::{Dns, HOST, Site, get, refused};

#[tokio::test]
async fn a_host_with_a_private_address_is_not_connected_to() {
    let site = Site::new();
    let server = Hostile::start(Some(&site.identity), good("application/json", "{}")).await;
    for address in
        ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00::1"]
    {
        let dns = Dns::says(&[(HOST, &[&[address]])]);
        let fetcher = Fetcher::with_resolver(&site.settings(&[]), Mode::Production, dns).unwrap();
        assert_eq!(refused(&fetcher, &server.url(HOST)).await, "fetch_address_forbidden", "{address}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn one_private_address_among_public_ones_is_enough_to_refuse() {
    let site = Site::new();
    let server = Hostile::start(Some(&site.identity), good("application/json", "{}")).await;
    let dns = Dns::says(&[(HOST, &[&["1.1.1.1", "127.0.0.1"]])]);
    let fetcher = Fetcher::with_resolver(&site.settings(&[]), Mode::Production, dns).unwrap();
    assert_eq!(refused(&fetcher, &server.url(HOST)).await, "fetch_address_forbidden");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn addresses_in_odd_spellings_are_judged_as_what_they_are() {
    let site = Site::new();
    let server = Hostile::start(Some(&site.identity), good("application/json", "{}")).await;
    let fetcher = Fetcher::new(&site.settings(&[]), Mode::Production).unwrap();
    for host in [
        "127.0.0.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "0.0.0.0",
        "0",
        "[::]",
        "[64:ff9b::127.0.0.1]",
        "localhost",
    ] {
        assert_eq!(refused(&fetcher, &server.url(host)).await, "fetch_address_forbidden", "{host}");
    }
    assert_eq!(server.connections(), 0);
}

/// DNS rebinding: a public address when it is judged, a private one when it is connected to. The name is asked for
/// once, and the connection goes to what was judged.
#[tokio::test]
async fn a_dns_that_changes_its_answer_gains_nothing() {
    let site = Site::new();
    let server = Hostile::start(Some(&site.identity), good("application/json", "{}")).await;
    let dns = Dns::says(&[(HOST, &[&["2d00::1"], &["127.0.0.1"]])]);
    let fetcher = Fetcher::with_resolver(&site.settings(&[]), Mode::Production, dns).unwrap();
    // Judged as public, so it goes out to an address that nobody has, and never to the second answer.
    assert!(get(&fetcher, &server.url(HOST)).await.is_err());
    assert_eq!(server.connections(), 0);
    // The second answer is judged like any other.
    assert_eq!(refused(&fetcher, &server.url(HOST)).await, "fetch_address_forbidden");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_judged() {
    let site = Site::new();
    // Two machines under one name, one after the other: the fetch ends at the first.
    let first =
        Hostile::start_at([127, 0, 0, 2].into(), Some(&site.identity), good("application/json", "{}")).await;
    let dns = Dns::says(&[(HOST, &[&["127.0.0.2"], &["127.0.0.3"]])]);
    let fetcher = Fetcher::with_resolver(&site.settings(&[HOST]), Mode::Production, dns).unwrap();
    assert_eq!(&get(&fetcher, &first.url(HOST)).await.unwrap().body[..], b"{}");
    assert_eq!(refused(&fetcher, &first.url(HOST)).await, "fetch_unreachable");
    assert_eq!(first.connections(), 1);
}

#[tokio::test]
async fn a_dead_first_address_leaves_time_for_the_second() {
    let site = Site::new();
    let server = Hostile::start(Some(&site.identity), good("application/json", "{}")).await;
    let dns = Dns::says(&[(HOST, &[&["127.0.0.9", "127.0.0.1"]])]);
    let fetcher = Fetcher::with_resolver(&site.settings(&[HOST]), Mode::Production, dns).unwrap();
    assert!(get(&fetcher, &server.url(HOST)).await.is_ok());
}

#[tokio::test]
async fn only_listed_hosts_may_be_private_and_only_on_their_port() {
    let site = Site::new();
    let server = Hostile::start(Some(&site.identity), good("application/json", "{}")).await;
    let port = server.address.port();
    for (allowed, expected) in [
        (HOST.to_owned(), true),
        (format!("{HOST}:{port}"), true),
        (format!("{HOST}:{}", port ^ 1), false),
        ("other.example".to_owned(), false),
        ("example".to_owned(), false),
    ] {
        let dns = Dns::says(&[(HOST, &[&["127.0.0.1"]])]);
        let fetcher = Fetcher::with_resolver(&site.settings(&[&allowed]), Mode::Production, dns).unwrap();
        assert_eq!(get(&fetcher, &server.url(HOST)).await.is_ok(), expected, "{allowed}");
    }
}

#[tokio::test]
async fn plain_http_is_for_loopback_in_development_only() {
    let site = Site::new();
    let server = Hostile::start(None, good("application/json", "{}")).await;
    let url = |host: &str| format!("http://{host}:{}/", server.address.port());
    let fetcher = |mode| {
        let dns = Dns::says(&[(HOST, &[&["127.0.0.1"]]), ("far.example", &[&["1.1.1.1"]])]);
        Fetcher::with_resolver(&site.settings(&[HOST]), mode, dns).unwrap()
    };
    let (production, development) = (fetcher(Mode::Production), fetcher(Mode::Development));
    assert!(get(&development, &url("127.0.0.1")).await.is_ok());
    assert!(get(&development, &url(HOST)).await.is_ok());
    assert_eq!(refused(&development, &url("far.example")).await, "fetch_not_https");
    assert_eq!(refused(&development, &url("10.0.0.1")).await, "fetch_not_https");
    assert_eq!(server.connections(), 2);
    for host in ["127.0.0.1", HOST, "far.example"] {
        assert_eq!(refused(&production, &url(host)).await, "fetch_not_https");
    }
    assert_eq!(refused(&production, &format!("https://user:secret@{HOST}/")).await, "fetch_user_info");
    assert_eq!(refused(&production, "not an address").await, "fetch_url_malformed");
    assert_eq!(refused(&production, "https://nowhere.example/").await, "fetch_unresolved");
    assert_eq!(server.connections(), 2);
}
