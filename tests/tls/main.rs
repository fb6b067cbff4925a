//! TLS of its own: over a socket, with certificates that change.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use signet_server::config::{Config, Tls};
use signet_server::node::{self, Listening};
use signet_server::tls::Certificate;
use signet_tests::certificates::{Flaw, Identity};
use signet_tests::process::{PATIENCE, signal};
use signet_tests::provider::Provider;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const HOST: &str = "id.example";

/// A node with TLS of its own, and the authority that its certificates come from.
struct Node {
    authority: Identity,
    folder: TempDir,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn settings(folder: &Path) -> Tls {
    Tls { certificate: folder.join("cert.pem"), key: folder.join("key.pem") }
}

impl Node {
    async fn start() -> (Self, Vec<u8>) {
        let authority = Identity::authority("Test authority");
        let folder = tempfile::tempdir().unwrap();
        let first = authority.issue(&[HOST], Flaw::None);
        write(folder.path(), &first.certificate_pem(), &first.key_pem());
        let provider = Provider::start().await;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let certificate = Certificate::load(&settings(folder.path())).unwrap();
        assert!(certificate.is_some());
        let task = tokio::spawn(async move {
            let config = Config::load(None).unwrap();
            node::run(provider.app, Listening { listener, certificate }, Router::new(), &config)
                .await
                .unwrap();
        });
        (Self { authority, folder, address, task }, first.der())
    }

    async fn connect(&self, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(HOST).unwrap(), stream).await
    }

    /// The certificate that a new connection gets.
    async fn shown(&self) -> Vec<u8> {
        let stream = self.connect(self.authority.client()).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    }

    async fn shows(&self, expected: &[u8]) {
        let wait = async {
            while self.shown().await != expected {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("the certificate is taken up");
    }
}

fn write(folder: &Path, certificate: &[u8], key: &[u8]) {
    std::fs::write(folder.join("cert.pem"), certificate).unwrap();
    std::fs::write(folder.join("key.pem"), key).unwrap();
}

/// One HTTP/1.1 exchange on a connection that stays open.
async fn discovery(stream: &mut TlsStream<TcpStream>) -> String {
    let request = format!("GET /auth/open/.well-known/openid-configuration HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the connection was closed");
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            return String::from_utf8(answer).unwrap();
        }
    }
}

#[tokio::test]
async fn discovery_is_served_over_tls_1_2_and_1_3_with_http_2_and_1_1() {
    let (node, _) = Node::start().await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for protocol in [&b"h2"[..], b"http/1.1"] {
            let mut config = ClientConfig::builder_with_protocol_versions(&[version])
                .with_root_certificates({
                    let mut roots = rustls::RootCertStore::empty();
                    roots.add(node.authority.der().into()).unwrap();
                    roots
                })
                .with_no_client_auth();
            config.alpn_protocols = vec![protocol.to_vec()];
            let mut stream = node.connect(config).await.unwrap();
            let (_, session) = stream.get_ref();
            assert_eq!(session.protocol_version(), Some(version.version));
            assert_eq!(session.alpn_protocol(), Some(protocol));
            if protocol == b"http/1.1" {
                let answer = discovery(&mut stream).await;
                assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
                assert!(answer.contains("\"issuer\":\"https://id.example/auth/open\""), "{answer}");
            }
        }
    }
    // Plain HTTP gets no answer there.
    let mut plain = TcpStream::connect(node.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: id.example\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_new_certificate_is_taken_up_and_open_connections_go_on() {
    let (node, first) = Node::start().await;
    let mut open = node.connect(node.authority.client()).await.unwrap();
    assert!(discovery(&mut open).await.starts_with("HTTP/1.1 200"));
    let next = node.authority.issue(&[HOST], Flaw::None);
    assert_ne!(next.der(), first);
    write(node.folder.path(), &next.certificate_pem(), &next.key_pem());
    node.shows(&next.der()).await;
    assert!(discovery(&mut open).await.starts_with("HTTP/1.1 200"));
    // SIGHUP: the same, without waiting for the next look.
    let last = node.authority.issue(&[HOST], Flaw::None);
    write(node.folder.path(), &last.certificate_pem(), &last.key_pem());
    signal(std::process::id(), "HUP").await;
    node.shows(&last.der()).await;
    assert!(discovery(&mut open).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn files_that_do_not_fit_leave_the_old_certificate_in_use() {
    let (node, first) = Node::start().await;
    let next = node.authority.issue(&[HOST], Flaw::None);
    let folder = node.folder.path();
    let looked = || tokio::time::sleep(Duration::from_millis(2500));
    write(folder, &next.certificate_pem(), b"");
    looked().await;
    assert_eq!(node.shown().await, first);
    // A certificate with another's key: half of a replacement.
    let other = node.authority.issue(&[HOST], Flaw::None);
    write(folder, &next.certificate_pem(), &other.key_pem());
    looked().await;
    assert_eq!(node.shown().await, first);
    std::fs::remove_file(folder.join("cert.pem")).unwrap();
    looked().await;
    assert_eq!(node.shown().await, first);
    write(folder, &next.certificate_pem(), &next.key_pem());
    node.shows(&next.der()).await;
}

#[test]
fn files_that_cannot_be_used_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Identity::authority("Test authority");
    let (one, other) = (authority.issue(&[HOST], Flaw::None), authority.issue(&[HOST], Flaw::None));
    let load = || Certificate::load(&settings(folder.path())).map(|loaded| loaded.is_some());
    assert!(load().unwrap_err().contains("cert.pem"));
    write(folder.path(), &one.certificate_pem(), &other.key_pem());
    assert!(load().is_err());
    write(folder.path(), b"", &one.key_pem());
    assert!(load().is_err());
    write(folder.path(), &one.certificate_pem(), b"");
    assert!(load().is_err());
    write(folder.path(), &one.certificate_pem(), &one.key_pem());
    assert_eq!(load(), Ok(true));
    let half = Tls { key: "".into(), ..settings(folder.path()) };
    assert!(Certificate::load(&half).unwrap_err().contains("together"));
    let none = Tls { certificate: "".into(), key: "".into() };
    assert!(Certificate::load(&none).unwrap().is_none());
}
