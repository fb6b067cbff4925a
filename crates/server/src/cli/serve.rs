//! `signet serve`: production. Refuses to start on anything that would make it unsafe, and says what to do.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use clap::Args;
use signet_core::client_policy::Mode;
use signet_core::records::Tenant;
use signet_store::Store;
use signet_store_sqlite::Durability;

use super::Common;
use super::admin;
use super::output::Problem;
use crate::app::App;
use crate::config::Config;
use crate::edge::Clock;
use crate::fetch::Fetcher;
use crate::mail::Mailer;
use crate::node::{self, Listening, Location, Setup};
use crate::tls::Certificate;
use crate::vault::{Vault, tenant_key_context};
use crate::{logging, tenant_keys};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Settings file; see `signet config default`.
    #[arg(long, short, env = "SIGNET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen; overrides the file.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Bring the database's schema up to this version first.
    #[arg(long)]
    migrate: bool,
}

pub(super) async fn run(common: &Common, options: Options) -> Result<ExitCode, Problem> {
    let mut config =
        Config::load(options.config.as_deref()).map_err(|error| Problem::new("config", error.to_string()))?;
    config.http.listen = options.listen.unwrap_or(config.http.listen);
    logging::start(&config.log)?;
    let location = location(common)?;
    let vault = admin::vault(common)?;
    let store = location.open(config.database.max_connections.get(), Durability::Full).await?;
    schema(store.as_ref(), options.migrate).await?;
    let certificate = Certificate::load(&config.tls)
        .map_err(|error| Problem::new("tls", error).hint("See certificate and key under [tls]."))?;
    let fetcher = Fetcher::new(&config.fetch, Mode::Production)
        .map_err(|error| Problem::new("fetch", error).hint("See extra_ca_file under [fetch]."))?;
    let mailer = Mailer::new(&config.mail)
        .map_err(|error| Problem::new("mail", error).hint("See smtp_url and from under [mail]."))?;
    let setup = Setup {
        store,
        vault,
        clock: Clock::system(),
        mode: Mode::Production,
        demo_users: None,
        fetcher,
        mailer,
    };
    let app = node::assemble(setup, &config);
    for tenant in tenants(app.store.as_ref()).await? {
        openable(&app, &tenant).await?;
        tenant_keys::ensure(&app, &tenant).await?;
    }
    let listener = TcpListener::bind(config.http.listen)
        .map_err(|error| Problem::new("listen", format!("{}: {error}", config.http.listen)))?;
    let address = listener.local_addr().map_err(|error| Problem::new("listen", error.to_string()))?;
    tracing::info!(%address, tls = certificate.is_some(), version = env!("CARGO_PKG_VERSION"), "serving");
    node::run(app, Listening { listener, certificate }, Router::new(), &config)
        .await
        .map_err(|error| Problem::new("serve", error.to_string()))?;
    Ok(ExitCode::SUCCESS)
}

fn location(common: &Common) -> Result<Location, Problem> {
    let missing = || {
        Problem::new("database_url", "DATABASE_URL is not set")
            .hint("Set it to postgres://USER:PASSWORD@HOST/DATABASE. For a first look use `signet dev`.")
    };
    let url = common.database_url.as_ref().ok_or_else(missing)?;
    match Location::parse(url) {
        Some(Location::Ephemeral) => {
            Err(Problem::new("database_url", "an in-memory database forgets every jti")
                .hint("Use a PostgreSQL database, or a SQLite file."))
        }
        Some(location) => Ok(location),
        None => Err(Problem::new("database_url", "DATABASE_URL is neither postgres://… nor sqlite:PATH")),
    }
}

async fn schema(store: &dyn Store, migrate: bool) -> Result<(), Problem> {
    if migrate {
        store.migrate().await?;
    }
    if store.is_current().await? {
        return Ok(());
    }
    Err(Problem::new("schema", "the database's schema is not the one this program needs")
        .hint("Run `signet migrate`, or start with --migrate."))
}

/// The tenants, all of them fit for production.
async fn tenants(store: &dyn Store) -> Result<Vec<Tenant>, Problem> {
    let tenants = store.tenants().await?;
    if tenants.is_empty() {
        return Err(Problem::new("tenant_missing", "there is no tenant yet")
            .hint("Make one: signet tenant create default --issuer https://id.example.com"));
    }
    for tenant in &tenants {
        if tenant.settings.development {
            return Err(Problem::new("development_records", "this database was made by `signet dev`: everybody knows its passwords and secrets")
                .hint("Make an empty database, then: signet migrate; signet tenant create default --issuer https://id.example.com"));
        }
        if !public_https(&tenant.issuer) {
            let text =
                format!("the issuer of tenant \"{}\" is {}, which is not https", tenant.id, tenant.issuer);
            return Err(Problem::new("issuer_not_https", text)
                .hint("OpenID Connect Core section 16.17 demands TLS. Give the tenant an https issuer (signet apply), and either run behind a proxy that has the certificate, or set it under [tls]."));
        }
    }
    Ok(tenants)
}

/// https, or http that never leaves this machine.
fn public_https(issuer: &str) -> bool {
    let Ok(url) = url::Url::parse(issuer) else { return false };
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

/// Whether the master key opens the tenant's keys; better known now than at the first login.
async fn openable(app: &App, tenant: &Tenant) -> Result<(), Problem> {
    let keys = app.store.tenant_keys(&tenant.id, app.clock.now()).await?;
    let vault: &Arc<Vault> = &app.vault;
    for key in &keys {
        vault.open(&tenant_key_context(key), &key.sealed_private)?;
    }
    Ok(())
}
