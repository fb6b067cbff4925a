//! TLS of its own: the certificate's files, and their replacement while the node runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use crate::config;

/// How often the files are looked at. They are compared by content: whoever replaces them by renaming, by a symbolic
/// link or with the old times is understood.
const PERIOD: Duration = Duration::from_secs(2);

/// The certificate in use and the files that it came from.
#[derive(Debug)]
pub struct Certificate {
    files: Files,
    seen: Contents,
    live: RustlsConfig,
}

#[derive(Clone, Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What the files held when they were last looked at, good or bad.
#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contents")
    }
}

impl Certificate {
    /// Reads the files; `None` if none are set. One without the other, or files that do not fit, stop the start.
    pub fn load(settings: &config::Tls) -> Result<Option<Self>, String> {
        let set = |path: &PathBuf| !path.as_os_str().is_empty();
        match (set(&settings.certificate), set(&settings.key)) {
            (false, false) => return Ok(None),
            (true, true) => {}
            _ => return Err("certificate and key must be set together".to_owned()),
        }
        let files = Files { certificate: settings.certificate.clone(), key: settings.key.clone() };
        let seen = files.read()?;
        let live = RustlsConfig::from_config(Arc::new(build(&seen)?));
        Ok(Some(Self { files, seen, live }))
    }

    /// What the listener asks at every new connection. Those that exist keep what they were made with.
    pub fn live(&self) -> RustlsConfig {
        self.live.clone()
    }

    /// Takes up new files as they come, on SIGHUP at once. Bad ones are reported once, and the certificate in use stays.
    pub async fn keep(mut self) {
        let mut hangup = signal(SignalKind::hangup()).inspect_err(|error| {
            tracing::error!(%error, "SIGHUP cannot be heard; files are looked at by time alone");
        });
        loop {
            let told = async {
                match &mut hangup {
                    Ok(hangup) => drop(hangup.recv().await),
                    Err(_) => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                () = told => tracing::info!("SIGHUP: looking at the certificate's files"),
            }
            self = match tokio::task::spawn_blocking(move || self.look()).await {
                Ok(looked) => looked,
                Err(error) => {
                    tracing::error!(%error, "the certificate's files are not looked at any more");
                    return;
                }
            };
        }
    }

    fn look(mut self) -> Self {
        let now = match self.files.read() {
            // While files are being replaced one may be missing.
            Err(error) => {
                tracing::debug!(error, "the certificate's files cannot be read now");
                return self;
            }
            Ok(now) if now == self.seen => return self,
            Ok(now) => now,
        };
        match build(&now) {
            Ok(config) => {
                self.live.reload_from_config(Arc::new(config));
                tracing::info!(certificate = %self.files.certificate.display(), "a new certificate is in use");
            }
            Err(error) => {
                tracing::error!(error, "new certificate files are not usable; the old ones stay in use");
            }
        }
        self.seen = now;
        self
    }
}

impl Files {
    fn read(&self) -> Result<Contents, String> {
        let read =
            |path: &PathBuf| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
        Ok(Contents { certificate: read(&self.certificate)?, key: Zeroizing::new(read(&self.key)?) })
    }
}

/// TLS 1.2 and 1.3 (RFC 9325 section 3.1.1), HTTP/2 and HTTP/1.1. A key that is not the certificate's is refused.
fn build(contents: &Contents) -> Result<ServerConfig, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&contents.certificate).collect();
    let chain = chain.map_err(|error| format!("certificate: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|error| format!("key: {error}"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
