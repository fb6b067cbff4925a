//! Whose certificates are believed.

use signet_core::client_policy::Mode;
use signet_server::fetch::Fetcher;
use signet_tests::certificates::{Flaw, Identity};

use crate::hostile::{Hostile, good};
use crate::{Dns, HOST, Site, get, refused};

#[tokio::test]
async fn certificates_must_be_trusted_current_and_for_the_host() {
    let site = Site::new();
    let stranger = Identity::authority("Another authority");
    for (identity, what) in [
        (stranger.issue(&[HOST], Flaw::None), "unknown authority"),
        (site.authority.issue(&["other.example"], Flaw::None), "another host"),
        (site.authority.issue(&[HOST], Flaw::Expired), "expired"),
        (Identity::authority(HOST), "self-signed"),
    ] {
        let server = Hostile::start(Some(&identity), good("application/json", "{}")).await;
        assert_eq!(refused(&site.fetcher(), &server.url(HOST)).await, "fetch_tls", "{what}");
        assert!(server.requests.lock().unwrap().is_empty(), "{what}");
    }
    // Not TLS at all.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{HOST}:{}/", listener.local_addr().unwrap().port());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail.example ESMTP\r\n").await.unwrap();
        stream
    });
    assert_eq!(refused(&site.fetcher(), &url).await, "fetch_tls");
    drop(server.await.unwrap());
}

#[tokio::test]
async fn without_the_extra_file_the_test_authority_is_a_stranger() {
    let site = Site::new();
    let server = Hostile::start(Some(&site.identity), good("application/json", "{}")).await;
    let mut settings = site.settings(&["127.0.0.1"]);
    settings.extra_ca_file = std::path::PathBuf::default();
    let fetcher = Fetcher::new(&settings, Mode::Production).unwrap();
    assert_eq!(refused(&fetcher, &server.url("127.0.0.1")).await, "fetch_tls");
}

/// `openssl req -x509` makes certificates that are marked as an authority and have no host name; test set-ups use them.
#[tokio::test]
async fn a_self_signed_certificate_on_the_list_is_believed_for_listed_hosts_only() {
    let site = Site::new();
    let own = Identity::authority("localhost");
    let file = site.folder.path().join("own.pem");
    std::fs::write(&file, own.certificate_pem()).unwrap();
    let server = Hostile::start(Some(&own), good("application/json", "{}")).await;
    let fetcher = |allow: &[&str], mode| {
        let mut settings = site.settings(allow);
        settings.extra_ca_file.clone_from(&file);
        let dns = Dns::says(&[(HOST, &[&["127.0.0.1"]])]);
        Fetcher::with_resolver(&settings, mode, dns).unwrap()
    };
    assert!(get(&fetcher(&[HOST], Mode::Production), &server.url(HOST)).await.is_ok());
    assert_eq!(refused(&fetcher(&[], Mode::Development), &server.url(HOST)).await, "fetch_tls");
    // Whoever shows it must have its key.
    let thief = Identity::authority("localhost");
    let server = Hostile::start(Some(&thief), good("application/json", "{}")).await;
    assert_eq!(refused(&fetcher(&[HOST], Mode::Production), &server.url(HOST)).await, "fetch_tls");
}

#[test]
fn an_extra_file_that_cannot_be_used_stops_the_start() {
    let site = Site::new();
    let mut settings = site.settings(&[]);
    for (name, content) in
        [("absent.pem", None), ("empty.pem", Some("")), ("key.pem", Some("-----BEGIN X-----\n"))]
    {
        settings.extra_ca_file = site.folder.path().join(name);
        if let Some(content) = content {
            std::fs::write(&settings.extra_ca_file, content).unwrap();
        }
        assert!(Fetcher::new(&settings, Mode::Production).unwrap_err().contains(name), "{name}");
    }
}
