//! A server that does what servers should not, over TLS with a certificate that the fetcher trusts.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use signet_tests::certificates::Identity;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What a server does with a connection.
#[derive(Clone, Debug)]
pub(crate) enum Conduct {
    /// Answers with these bytes and closes.
    Says(String),
    /// Sends a good head, then a byte of the body every 50 ms for ever.
    DripsBody,
    /// Sends a byte of the head every 50 ms for ever.
    DripsHead,
    /// Sends a chunked body for ever, as fast as it can.
    Floods,
    /// Takes the request and says nothing.
    Hangs,
}

/// A running server. Gone when dropped.
#[derive(Debug)]
pub(crate) struct Hostile {
    pub(crate) address: SocketAddr,
    /// The requests that arrived.
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    /// The connections that arrived.
    pub(crate) connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer of 200 with the right headers.
pub(crate) fn good(content_type: &str, body: &str) -> Conduct {
    let length = body.len();
    Conduct::Says(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
    ))
}

impl Hostile {
    /// Over TLS with this certificate; in the clear without one.
    pub(crate) async fn start(identity: Option<&Identity>, conduct: Conduct) -> Self {
        Self::start_at([127, 0, 0, 1].into(), identity, conduct).await
    }

    pub(crate) async fn start_at(ip: IpAddr, identity: Option<&Identity>, conduct: Conduct) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = identity.map(|identity| TlsAcceptor::from(identity.server()));
        let (requests, connections) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicUsize>::default());
        let task = tokio::spawn({
            let (requests, connections) = (requests.clone(), connections.clone());
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    connections.fetch_add(1, Ordering::SeqCst);
                    let (acceptor, conduct, requests) = (acceptor.clone(), conduct.clone(), requests.clone());
                    tokio::spawn(async move {
                        match acceptor {
                            None => serve(stream, conduct, &requests).await,
                            Some(acceptor) => {
                                if let Ok(stream) = acceptor.accept(stream).await {
                                    serve(stream, conduct, &requests).await;
                                }
                            }
                        }
                    });
                }
            }
        });
        Self { address, requests, connections, task }
    }

    pub(crate) fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/path?query", self.address.port())
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    conduct: Conduct,
    requests: &Mutex<Vec<String>>,
) {
    let mut request = Vec::new();
    while !complete(&request) {
        match stream.read_buf(&mut request).await {
            Ok(1..) => {}
            _ => return,
        }
    }
    requests.lock().unwrap().push(String::from_utf8(request).unwrap());
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    // Writing fails when the fetcher has had enough.
    let _ = match conduct {
        Conduct::Says(answer) => say(&mut stream, &answer).await,
        Conduct::DripsBody => {
            let start = format!("{head}content-length: 1000\r\n\r\n");
            drip(&mut stream, &start, " ").await
        }
        Conduct::DripsHead => drip(&mut stream, head, "x").await,
        Conduct::Floods => flood(&mut stream, head).await,
        Conduct::Hangs => std::future::pending().await,
    };
}

fn complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), answer: &str) -> std::io::Result<()> {
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

async fn drip(stream: &mut (impl AsyncWrite + Unpin), start: &str, drop: &str) -> std::io::Result<()> {
    stream.write_all(start.as_bytes()).await?;
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stream.write_all(drop.as_bytes()).await?;
        stream.flush().await?;
    }
}

async fn flood(stream: &mut (impl AsyncWrite + Unpin), head: &str) -> std::io::Result<()> {
    stream.write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).await?;
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    loop {
        stream.write_all(chunk.as_bytes()).await?;
    }
}
