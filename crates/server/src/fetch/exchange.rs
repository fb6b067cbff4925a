//! One request and its answer over one connection, which is made for it and closed after it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::destination::Destination;
use super::fault::FetchFault;
use super::trust::Trust;

/// Largest head of an answer, in bytes.
const HEAD_BYTES: usize = 64 * 1024;
/// Most addresses of one host that are tried.
const ATTEMPTS: usize = 4;
const AGENT: &str = concat!("Signet/", env!("CARGO_PKG_VERSION"));

/// An answer whose body is still to come. The connection ends with it.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    _connection: JoinSet<()>,
}

/// Connects to one of `addresses`, all of which have been judged, and sends the request there.
pub(super) async fn send(
    to: &Destination,
    addresses: &[IpAddr],
    request: Request<Full<Bytes>>,
    trust: &Trust,
    limit: Duration,
) -> Result<Answer, FetchFault> {
    let stream = connect(to, addresses, limit).await?;
    if !to.tls {
        return exchange(stream, to, request).await;
    }
    let config = if to.listed { &trust.listed } else { &trust.any };
    let name = match to.literal {
        Some(ip) => ServerName::from(ip),
        None => ServerName::try_from(to.host.clone()).map_err(|_| FetchFault::Malformed)?,
    };
    let stream = TlsConnector::from(config.clone()).connect(name, stream).await.map_err(|error| {
        tracing::debug!(host = to.host, %error, "no TLS");
        FetchFault::Tls
    })?;
    exchange(stream, to, request).await
}

/// Every address gets its share of the time, so that one that is dead leaves some for the next.
async fn connect(to: &Destination, addresses: &[IpAddr], limit: Duration) -> Result<TcpStream, FetchFault> {
    let tried = addresses.len().clamp(1, ATTEMPTS);
    let share = limit / u32::try_from(tried).unwrap_or(1);
    for address in addresses.iter().take(tried) {
        let attempt = TcpStream::connect(SocketAddr::new(*address, to.port));
        match tokio::time::timeout(share, attempt).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => tracing::debug!(host = to.host, %address, %error, "no connection"),
            Err(_) => tracing::debug!(host = to.host, %address, "no connection in time"),
        }
    }
    Err(FetchFault::Unreachable)
}

async fn exchange<S>(
    stream: S,
    to: &Destination,
    mut request: Request<Full<Bytes>>,
) -> Result<Answer, FetchFault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| {
        tracing::debug!(host = to.host, %error, "no HTTP");
        FetchFault::Protocol
    };
    let url = &to.url;
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    *request.uri_mut() = target.parse().map_err(|_| FetchFault::Malformed)?;
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let host = HeaderValue::from_str(authority).map_err(|_| FetchFault::Malformed)?;
    request.headers_mut().insert(HOST, host);
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let mut running = JoinSet::new();
    running.spawn(async move { drop(connection.await) });
    let response = sender.send_request(request).await.map_err(broken)?;
    Ok(Answer { response, _connection: running })
}

impl Answer {
    /// The body, as long as it stays within `limit` bytes.
    pub(super) async fn body(self, limit: usize) -> Result<Bytes, FetchFault> {
        let Self { response, _connection } = self;
        let mut body = response.into_body();
        let stated = hyper::body::Body::size_hint(&body).lower();
        if stated > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(FetchFault::TooLarge { limit });
        }
        let mut read = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| FetchFault::Protocol)?;
            let Ok(data) = frame.into_data() else { continue };
            if read.len() + data.len() > limit {
                return Err(FetchFault::TooLarge { limit });
            }
            read.extend_from_slice(&data);
        }
        Ok(read.into())
    }
}
