//! The fetcher against a hostile server and a hostile DNS.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod addresses;
mod answers;
mod bounds;
mod hostile;
mod published;
mod trust;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use signet_core::client_policy::Mode;
use signet_server::config::{Config, Fetch};
use signet_server::fetch::{AllowedHost, FetchFault, Fetched, Fetcher, Kind, Resolve};
use signet_tests::certificates::{Flaw, Identity};
use tempfile::TempDir;

/// The name that the certificate of the hostile server is for.
const HOST: &str = "rp.example";

/// A DNS that may say something else each time: the answers of a name in turn, the last one for ever.
#[derive(Debug, Default)]
struct Dns(Mutex<HashMap<String, Vec<Vec<IpAddr>>>>);

impl Dns {
    fn says(answers: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let addresses = |one: &&[&str]| one.iter().map(|ip| ip.parse().unwrap()).collect();
        let of = |(name, all): &(&str, &[&[&str]])| ((*name).to_owned(), all.iter().map(addresses).collect());
        Arc::new(Self(Mutex::new(answers.iter().map(of).collect())))
    }
}

impl Resolve for Dns {
    fn resolve(&self, host: &str) -> std::pin::Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send>> {
        let mut names = self.0.lock().unwrap();
        let answer = names.get_mut(host).map_or_else(Vec::new, |answers| {
            if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
        });
        Box::pin(std::future::ready(answer))
    }
}

/// A certificate authority, a certificate for [`HOST`], and settings that trust it.
struct Site {
    authority: Identity,
    identity: Identity,
    folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let authority = Identity::authority("Test authority");
        let identity = authority.issue(&[HOST, "127.0.0.1"], Flaw::None);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.certificate_pem()).unwrap();
        Self { authority, identity, folder }
    }

    fn settings(&self, allow: &[&str]) -> Fetch {
        let mut settings = Config::load(None).unwrap().fetch;
        settings.timeout_seconds = 2.try_into().unwrap();
        settings.extra_ca_file = self.folder.path().join("ca.pem");
        settings.allow_hosts =
            allow.iter().map(|host| AllowedHost::try_from((*host).to_owned()).unwrap()).collect();
        settings
    }

    /// In production, with [`HOST`] on this machine and allowed there.
    fn fetcher(&self) -> Fetcher {
        let dns = Dns::says(&[(HOST, &[&["127.0.0.1"]])]);
        Fetcher::with_resolver(&self.settings(&[HOST]), Mode::Production, dns).unwrap()
    }
}

async fn refused(fetcher: &Fetcher, url: &str) -> &'static str {
    get(fetcher, url).await.unwrap_err().code()
}

async fn get(fetcher: &Fetcher, url: &str) -> Result<Fetched, FetchFault> {
    fetcher.get(url, Kind::Jwks).await
}
