//! SIGTERM: running requests finish, new connections are refused, the exit code is 0.

use std::time::Duration;

use signet_tests::process::PATIENCE;
use signet_tests::provider::{Browser, between, form};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::site::{Ready, Site};
use crate::web::{Web, is_accepted};

/// Password checks under way when the signal comes; one after the other they keep the node busy.
const LOGINS: usize = 24;

/// Reads until `mark` was seen or the other side closes.
async fn read_until(stream: &mut TcpStream, mark: &str) -> String {
    let mut seen = Vec::new();
    let read = async {
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&seen).contains(mark) {
            match stream.read(&mut buffer).await.unwrap() {
                0 => return,
                count => seen.extend_from_slice(&buffer[..count]),
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("the node answers");
    String::from_utf8(seen).unwrap()
}

/// A request that the node has begun to read: "100 Continue" (RFC 9110 section 10.1.1) tells so. The body is still to be
/// sent.
async fn begin(address: &str, path: &str, cookie: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nCookie: {cookie}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = read_until(&mut stream, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 100"), "{answer}");
    stream
}

/// Each of them moves on to an interaction.
async fn is_answered(stream: &mut TcpStream) {
    let answer = read_until(stream, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 303") && answer.contains("location: /interaction/"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_asked_to_end_finishes_what_it_began() {
    let Ready { site, mut node, alpha, .. } = Site::sqlite().ready().await;
    let address = node.address().trim_start_matches("http://").replace("localhost", "127.0.0.1");
    let web = Web::new();
    // An idle connection does not hold the node up.
    let mut idle = TcpStream::connect(&address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    read_until(&mut idle, "alive").await;

    let body = form(&[("client_id", &alpha.rp.id), ("request", &alpha.fresh(None))]);
    let mut slow = begin(&address, "/authorize", "", &body).await;
    slow.write_all(&body.as_bytes()[..10]).await.unwrap();

    let mut logins = Vec::new();
    for _ in 0..LOGINS {
        let mut browser = Browser::default();
        let accepted =
            web.authorize(node.address(), &alpha, &alpha.fresh(None), Some(&mut browser)).await.unwrap();
        assert!(is_accepted(&accepted), "{}", accepted.location());
        let page =
            web.get(&format!("{}{}", node.address(), accepted.location()), Some(&mut browser)).await.unwrap();
        let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
        let login = form(&[("csrf", csrf), ("username", "alice"), ("password", "alice")]);
        let path = format!("{}/login", accepted.location());
        logins.push((begin(&address, &path, &browser.cookie(), &login).await, login));
    }
    for (stream, login) in &mut logins {
        stream.write_all(login.as_bytes()).await.unwrap();
    }

    node.ask_to_end().await;
    let refused = async {
        while TcpStream::connect(&address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("new connections are refused");
    assert_eq!(node.ended(), None, "a request is still running");

    slow.write_all(&body.as_bytes()[10..]).await.unwrap();
    is_answered(&mut slow).await;
    for (mut stream, _) in logins {
        is_answered(&mut stream).await;
    }
    let status = node.wait().await;
    assert!(status.success(), "{status}:\n{}", node.log());
    println!("shutdown: {} running requests finished, then exit code 0", LOGINS + 1);
    site.close().await;
}
