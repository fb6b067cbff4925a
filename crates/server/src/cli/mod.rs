//! The command line.

mod admin;
mod apply;
mod assign;
mod audit;
mod client;
mod dev;
mod doctor;
mod explain;
mod key;
mod logouts;
mod migrate;
mod output;
mod registration_token;
mod request_object;
mod serve;
mod settings;
mod tenant;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use zeroize::Zeroizing;

use output::Problem;

/// An OpenID Provider that signs and seals.
#[derive(Debug, Parser)]
#[command(name = "signet", version, about, propagate_version = true, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Where the records are, for every command.
#[derive(Clone, Args)]
struct Common {
    /// postgres://… or sqlite:PATH. Without it: the database of `signet dev` in this folder, if there is one.
    #[arg(long, env = "DATABASE_URL", global = true, hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// The master key: 32 random bytes in base64; several separated by commas while it is being replaced.
    #[arg(long, env = "SIGNET_MASTER_KEY", global = true, hide_env_values = true, value_name = "BASE64")]
    master_key: Option<String>,
    /// A file that holds the master key.
    #[arg(
        long,
        env = "SIGNET_MASTER_KEY_FILE",
        global = true,
        value_name = "FILE",
        conflicts_with = "master_key"
    )]
    master_key_file: Option<PathBuf>,
    /// Which tenant; needed only where there are several.
    #[arg(long, env = "SIGNET_TENANT", global = true, value_name = "NAME")]
    tenant: Option<String>,
    /// Folder of `signet dev`.
    #[arg(long, env = "SIGNET_DATA", global = true, default_value = ".signet", value_name = "FOLDER")]
    data: PathBuf,
    /// Machine-readable output.
    #[arg(long, global = true)]
    json: bool,
}

impl std::fmt::Debug for Common {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Common")
            .field("tenant", &self.tenant)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl Common {
    /// The master key as it was given.
    fn master_key(&self) -> Result<Option<Zeroizing<String>>, Problem> {
        match (&self.master_key, &self.master_key_file) {
            (Some(text), _) => Ok(Some(Zeroizing::new(text.clone()))),
            (None, Some(file)) => {
                let read = std::fs::read_to_string(file);
                read.map(|text| Some(Zeroizing::new(text))).map_err(|error| Problem::file(file, &error))
            }
            (None, None) => Ok(None),
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a provider for development: SQLite, demo users, demo clients, a demo application. No configuration.
    Dev(dev::Options),
    /// Run a provider in production.
    Serve(serve::Options),
    /// Bring the database's schema up to this version.
    Migrate,
    /// Tenants: issuers with their own keys, clients and users.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Client applications.
    #[command(subcommand)]
    Client(client::Command),
    /// Initial access tokens: who may register clients by themselves.
    #[command(subcommand)]
    RegistrationToken(registration_token::Command),
    /// Keys of clients and of the tenant.
    #[command(subcommand)]
    Key(key::Command),
    /// People.
    #[command(subcommand)]
    User(user::Command),
    /// Make clients and users what a file says. A second run changes nothing.
    Apply(apply::Options),
    /// What happened: logins, refusals with their reason codes, changes. Newest first.
    Audit(audit::Options),
    /// Look for what is wrong or soon will be, and say what to do.
    Doctor(doctor::Options),
    /// Make or explain a request object.
    #[command(subcommand)]
    RequestObject(request_object::Command),
    /// The settings file of `serve`.
    #[command(subcommand)]
    Config(settings::Command),
}

/// Runs the program. Exit codes: 0 done, 1 refused or failed, 2 wrong use.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.common.json;
    match run(cli) {
        Ok(code) => code,
        Err(problem) => {
            output::problem(&problem, json);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Problem> {
    let Cli { common, command } = cli;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new("runtime", format!("the runtime does not start: {error}")))?;
    runtime.block_on(async move {
        match command {
            Command::Dev(options) => dev::run(&common, options).await,
            Command::Serve(options) => serve::run(&common, options).await,
            Command::Migrate => migrate::run(&common).await,
            Command::Tenant(command) => tenant::run(&common, command).await,
            Command::Client(command) => client::run(&common, command).await,
            Command::RegistrationToken(command) => registration_token::run(&common, command).await,
            Command::Key(command) => key::run(&common, command).await,
            Command::User(command) => user::run(&common, command).await,
            Command::Apply(options) => apply::run(&common, options).await,
            Command::Audit(options) => audit::run(&common, options).await,
            Command::Doctor(options) => doctor::run(&common, options).await,
            Command::RequestObject(command) => request_object::run(&common, command).await,
            Command::Config(command) => Ok(settings::run(&command)),
        }
    })
}
