//! Puts a node together and runs it until it is told to stop.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use signet_core::client_policy::Mode;
use signet_store::{Store, StoreError};
use signet_store_postgres::{PostgresOptions, PostgresStore};
use signet_store_sqlite::{Durability, SqliteStore};

use crate::app::{App, DemoUsers, HttpLimits, Parts};
use crate::config::Config;
use crate::edge::{self, Clock};
use crate::fetch::Fetcher;
use crate::limits::{Limits, Rates};
use crate::mail::Mailer;
use crate::pool::Pool;
use crate::remote_keys::RemoteKeys;
use crate::tls::Certificate;
use crate::vault::Vault;
use crate::{http, jobs};

/// Longest time in which a client may send the head of a request; slower ones are cut off.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest head of a request. Above the longest URI, so that a long one gets its own answer.
const HEAD_BYTES: usize = 256 * 1024;

/// Most key pairs that wait to be made for clients.
const KEY_QUEUE: usize = 16;

/// Where the records are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A PostgreSQL URL.
    Postgres(String),
    /// A SQLite file.
    Sqlite(PathBuf),
    /// SQLite, gone with the process.
    Ephemeral,
}

impl Location {
    /// Reads `postgres://…`, `sqlite:PATH` or `sqlite::memory:`.
    pub fn parse(url: &str) -> Option<Self> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Some(Self::Postgres(url.to_owned()));
        }
        let path = url.strip_prefix("sqlite:")?;
        match path.strip_prefix("//").unwrap_or(path) {
            "" => None,
            ":memory:" => Some(Self::Ephemeral),
            path => Some(Self::Sqlite(path.into())),
        }
    }

    /// Opens the store.
    pub async fn open(&self, connections: u32, durability: Durability) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Postgres(url) => {
                let options = PostgresOptions { max_connections: connections, ..PostgresOptions::default() };
                Arc::new(PostgresStore::connect(url, options).await?)
            }
            Self::Sqlite(path) => Arc::new(SqliteStore::open(path, durability).await?),
            Self::Ephemeral => Arc::new(SqliteStore::ephemeral().await?),
        })
    }
}

/// What differs between one node and the next.
#[derive(Debug)]
pub struct Setup {
    /// The records.
    pub store: Arc<dyn Store>,
    /// The master key.
    pub vault: Arc<Vault>,
    /// Time.
    pub clock: Clock,
    /// Production or development.
    pub mode: Mode,
    /// People to show on the login page; none in production.
    pub demo_users: Option<DemoUsers>,
    /// Fetches from addresses that clients name.
    pub fetcher: Fetcher,
    /// Mail to people.
    pub mailer: Mailer,
}

/// A node from its settings. Rate limits and the clock's tolerance hold in production only.
pub fn assemble(setup: Setup, config: &Config) -> App {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let or = |threads: usize, default: usize| if threads == 0 { default.max(1) } else { threads };
    let production = setup.mode == Mode::Production;
    let rates = Rates {
        requests: config.limits.requests_per_second,
        burst: config.limits.burst,
        passwords: config.limits.passwords_per_minute,
        registrations: config.limits.registrations_per_minute,
    };
    App::new(Parts {
        store: setup.store,
        vault: setup.vault,
        clock: setup.clock.clone(),
        entropy: edge::entropy(),
        mode: setup.mode,
        tenancy: crate::tenancy::Tenancy::default(),
        clients: crate::clients::Clients::default(),
        checkups: crate::checkups::Checkups::default(),
        keyring: Arc::default(),
        crypto: Pool::new(or(config.crypto.threads, cores), config.crypto.queue),
        key_making: Pool::new(1, KEY_QUEUE),
        hashing: Pool::new(
            or(config.crypto.hashing_threads, cores.saturating_sub(1)),
            config.crypto.hashing_queue,
        ),
        hasher: Arc::default(),
        limits: if production { Limits::new(rates) } else { Limits::none() },
        http: HttpLimits {
            max_uri_bytes: config.http.max_uri_bytes,
            max_body_bytes: config.http.max_body_bytes,
            request_timeout_seconds: config.http.request_timeout_seconds,
        },
        hsts: production && config.http.hsts,
        trusted_proxies: config.http.trusted_proxies.clone(),
        remote_keys: RemoteKeys::new(setup.fetcher.clone(), setup.clock.clone(), setup.mode),
        fetcher: setup.fetcher,
        mailer: setup.mailer,
        demo_users: setup.demo_users.filter(|_| !production),
        clock_tolerance: production.then_some(config.clock.tolerance_seconds),
    })
}

/// How a node listens.
#[derive(Debug)]
pub struct Listening {
    /// Where.
    pub listener: TcpListener,
    /// With TLS of its own, if it has a certificate.
    pub certificate: Option<Certificate>,
}

/// Serves until the process is told to stop, then lets running requests finish.
pub async fn run(app: App, on: Listening, extra: Router, config: &Config) -> std::io::Result<()> {
    let Listening { listener, certificate } = on;
    listener.set_nonblocking(true)?;
    let handle = Handle::<SocketAddr>::new();
    let grace = Duration::from_secs(config.http.shutdown_seconds);
    let jobs = jobs::start(&app, &config.jobs);
    tokio::spawn({
        let handle = handle.clone();
        async move {
            told_to_stop().await;
            tracing::info!("stopping: no new connections, running requests may finish");
            handle.graceful_shutdown(Some(grace));
        }
    });
    let service = http::router(&app, extra).into_make_service_with_connect_info::<SocketAddr>();
    let outcome = match certificate {
        None => bounded(axum_server::from_tcp(listener)?.handle(handle)).serve(service).await,
        Some(certificate) => {
            let server = axum_server::from_tcp_rustls(listener, certificate.live())?.handle(handle);
            let keeping = tokio::spawn(certificate.keep());
            let outcome = bounded(server).serve(service).await;
            keeping.abort();
            outcome
        }
    };
    jobs.stop().await;
    app.store.close().await;
    outcome
}

/// A server that cuts off slow and large heads.
fn bounded<A>(mut server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES);
    server.http_builder().http2().timer(TokioTimer::new()).max_concurrent_streams(128);
    server
}

/// SIGTERM, or Ctrl-C.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        tracing::error!("SIGTERM cannot be heard; only Ctrl-C stops this node");
        drop(tokio::signal::ctrl_c().await);
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_urls() {
        let postgres = "postgres://u:p@h/db";
        assert_eq!(Location::parse(postgres), Some(Location::Postgres(postgres.into())));
        assert_eq!(Location::parse("sqlite:a/b.db"), Some(Location::Sqlite("a/b.db".into())));
        assert_eq!(Location::parse("sqlite:///var/b.db"), Some(Location::Sqlite("/var/b.db".into())));
        assert_eq!(Location::parse("sqlite::memory:"), Some(Location::Ephemeral));
        for bad in ["", "sqlite:", "mysql://x", "/var/b.db"] {
            assert_eq!(Location::parse(bad), None, "{bad}");
        }
    }
}
