//! `signet dev`: a provider for development, ready in a moment and loudly not for production.

mod announce;
mod folder;
mod seed;

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use clap::Args;
use signet_core::client_policy::Mode;
use signet_store_sqlite::Durability;

use super::Common;
use super::output::Problem;
use crate::config::{Config, LogFormat};
use crate::demo::{self, DemoRp, DemoSettings};
use crate::edge::{self, Clock};
use crate::fetch::Fetcher;
use crate::mail::Mailer;
use crate::node::{self, Listening, Location, Setup};
use crate::pages::Shell;
use crate::{logging, tenant_keys};
use folder::Folder;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Port to listen on; 0 picks a free one.
    #[arg(long, short, default_value_t = 8080)]
    port: u16,
    /// Address to listen on. Anything but loopback lets others sign in with the demo passwords.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Keep nothing: records and keys are gone with the process.
    #[arg(long)]
    ephemeral: bool,
    /// The issuer URL, if it shall not be http://localhost:PORT.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Run this many seconds ahead of (or behind) the system's clock, to test what time does.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true)]
    clock_offset: i64,
}

pub(super) async fn run(common: &Common, options: Options) -> Result<ExitCode, Problem> {
    let mut config = Config::load(None).map_err(|error| Problem::new("config", error.to_string()))?;
    config.log.format = LogFormat::Text;
    logging::start(&config.log)?;
    let listener = listen(&options)?;
    let port = listener.local_addr().map_err(|error| Problem::new("listen", error.to_string()))?.port();
    let origin = format!("http://localhost:{port}");
    let issuer = options.issuer.clone().unwrap_or_else(|| origin.clone());
    let folder = if options.ephemeral { Folder::ephemeral() } else { Folder::open(&common.data)? };
    let clock = Clock::shifted(options.clock_offset);
    let store = location(common, &options, &folder)?.open(8, Durability::Relaxed).await?;
    store.migrate().await?;
    let fetcher = Fetcher::new(&config.fetch, Mode::Development)
        .map_err(|error| Problem::new("fetch", error).hint("See extra_ca_file under [fetch]."))?;
    let setup = Setup {
        store,
        vault: folder.vault(common)?,
        clock: clock.clone(),
        mode: Mode::Development,
        demo_users: Some(seed::demo_users()),
        fetcher,
        mailer: Mailer::outbox(),
    };
    let app = node::assemble(setup, &config);
    let tenant = seed::tenant(&app, &issuer).await?;
    // Making key pairs takes a while: beside each other, and never where the database is waited for.
    let (kept, keys) = tokio::join!(seed::kept(&app, folder), tenant_keys::ensure(&app, &tenant));
    keys?;
    let users = seed::users(&app, &tenant).await?;
    let clients = seed::clients(&app, &tenant, kept?, &origin).await?;
    let rp = DemoRp::new(DemoSettings {
        issuer: issuer.clone(),
        origin: origin.clone(),
        shell: Shell::new("", &tenant.settings.branding),
        clients: seed::demo_clients(&clients)?,
        users: seed::demo_users().people,
        now: Arc::new(move || clock.now()),
        entropy: edge::entropy(),
    });
    let rp = rp.map_err(|error| Problem::new("demo", error.to_string()))?;
    let extra: Router = demo::router(Arc::new(rp));
    announce::ready(common.json, &issuer, &origin, &users, &clients, &options);
    node::run(app, Listening { listener, certificate: None }, extra, &config)
        .await
        .map_err(|error| Problem::new("serve", error.to_string()))?;
    Ok(ExitCode::SUCCESS)
}

fn listen(options: &Options) -> Result<TcpListener, Problem> {
    TcpListener::bind((options.host, options.port)).map_err(|error| {
        Problem::new("listen", format!("port {} on {}: {error}", options.port, options.host))
            .hint("Choose another with --port N, or let one be picked with --port 0.")
    })
}

fn location(common: &Common, options: &Options, folder: &Folder) -> Result<Location, Problem> {
    match (&common.database_url, options.ephemeral, folder.database()) {
        (Some(url), false, _) => Location::parse(url).ok_or_else(|| {
            Problem::new("database_url", "DATABASE_URL is neither postgres://… nor sqlite:PATH")
        }),
        (_, _, Some(file)) => Ok(Location::Sqlite(file)),
        (_, _, None) => Ok(Location::Ephemeral),
    }
}
