//! The settings of a node: an embedded default file, the operator's file over it, the environment over both.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::fetch::AllowedHost;
use crate::proxies::Proxies;

/// The commented default file; also the sample that `signet config default` prints.
pub const DEFAULT: &str = include_str!("../../../config/signet.toml");

/// All settings. Secrets are not among them: they come by environment or file (see the command line).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP server.
    pub http: Http,
    /// TLS of its own.
    pub tls: Tls,
    /// What Signet fetches from others.
    pub fetch: Fetch,
    /// The database.
    pub database: Database,
    /// Rate limits.
    pub limits: RateLimits,
    /// CPU-heavy work.
    pub crypto: Crypto,
    /// Background jobs.
    pub jobs: Jobs,
    /// Mail to people.
    pub mail: MailSettings,
    /// Time.
    pub clock: ClockSettings,
    /// Logging.
    pub log: Log,
}

/// The HTTP server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Longest path and query of a request, in bytes.
    pub max_uri_bytes: usize,
    /// Largest body of a request, in bytes.
    pub max_body_bytes: usize,
    /// Longest time until a request is answered, in seconds.
    pub request_timeout_seconds: u64,
    /// Longest time to wait for running requests at shutdown, in seconds.
    pub shutdown_seconds: u64,
    /// Reverse proxies whose `X-Forwarded-For` is believed: addresses and CIDR blocks.
    pub trusted_proxies: Proxies,
    /// Whether to send `Strict-Transport-Security`.
    pub hsts: bool,
}

/// TLS of its own; without both files the node speaks plain HTTP and stands behind a proxy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file of the certificate and its chain; empty means no TLS.
    pub certificate: PathBuf,
    /// PEM file of the private key; empty means no TLS.
    pub key: PathBuf,
}

/// What Signet fetches from others: request objects, key sets, sector identifiers, logout calls.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// Hosts (`host` or `host:port`) that may have private addresses.
    pub allow_hosts: Vec<AllowedHost>,
    /// PEM file of certificates that are believed beside the public ones; empty means none.
    pub extra_ca_file: PathBuf,
    /// Longest time of one fetch, in seconds.
    pub timeout_seconds: NonZeroU64,
    /// Most fetches at the same time.
    pub max_concurrent: NonZeroUsize,
    /// Most fetches from one host at the same time.
    pub max_concurrent_per_host: NonZeroUsize,
}

/// The database.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Most connections of this node.
    pub max_connections: NonZeroU32,
}

/// Rate limits.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimits {
    /// Requests per second of one client address.
    pub requests_per_second: NonZeroU32,
    /// Requests of one client address at once.
    pub burst: NonZeroU32,
    /// Password attempts per minute for one account.
    pub passwords_per_minute: NonZeroU32,
    /// Registrations of clients per minute and client address.
    pub registrations_per_minute: NonZeroU32,
}

/// CPU-heavy work.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crypto {
    /// Signatures and encryption at the same time; 0 means one for each core.
    pub threads: usize,
    /// Signatures and encryption that may wait.
    pub queue: usize,
    /// Password hashes at the same time; 0 means one less than there are cores.
    pub hashing_threads: usize,
    /// Password hashes that may wait.
    pub hashing_queue: usize,
}

/// Background jobs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Seconds between deletions of what is past its time.
    pub sweep_seconds: u64,
    /// Seconds between looks at the tenants' keys.
    pub key_seconds: u64,
    /// Seconds between looks at logout tokens that are to be sent again.
    pub logout_seconds: u64,
    /// Seconds between links of the audit chain.
    pub audit_seconds: u64,
    /// Seconds between removals of audit events whose time is over.
    pub retention_seconds: u64,
}

/// Mail to people: invitations, and links for a forgotten password.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// The server that takes mail, with user and password; empty means that no mail is sent.
    pub smtp_url: String,
    /// Whom mails come from, as in `Bank <no-reply@bank.example>`.
    pub from: String,
}

impl std::fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailSettings").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockSettings {
    /// Tolerated difference between this node's clock and the database's, in seconds.
    pub tolerance_seconds: i64,
}

/// Logging.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How lines are written.
    pub format: LogFormat,
    /// Level, or levels by target.
    pub filter: String,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Config {
    /// Reads the defaults, then `file`, then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, config::ConfigError> {
        let environment = config::Environment::with_prefix("SIGNET").prefix_separator("__").separator("__");
        Self::layered(file, environment)
    }

    fn layered(file: Option<&Path>, environment: config::Environment) -> Result<Self, config::ConfigError> {
        let defaults = config::File::from_str(DEFAULT, config::FileFormat::Toml);
        let mut layers = config::Config::builder().add_source(defaults);
        if let Some(file) = file {
            layers = layers.add_source(config::File::from(file).format(config::FileFormat::Toml));
        }
        layers.add_source(lists(environment.try_parsing(true))).build()?.try_deserialize()
    }

    /// JSON Schema of the file.
    pub fn schema() -> String {
        let schema = schemars::schema_for!(Config);
        serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
    }
}

/// Settings that are lists: in the environment, their values are separated by commas.
fn lists(environment: config::Environment) -> config::Environment {
    let lists = ["http.trusted_proxies", "fetch.allow_hosts"];
    lists.into_iter().fold(environment.list_separator(","), config::Environment::with_list_parse_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(file: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signet.toml");
        std::fs::write(&path, file).unwrap();
        let given = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = config::Environment::with_prefix("SIGNET")
            .prefix_separator("__")
            .separator("__")
            .source(Some(given.collect()));
        Config::layered(Some(&path), environment).map_err(|error| error.to_string())
    }

    #[test]
    fn the_file_overrides_the_defaults_and_the_environment_both() {
        let file = "[http]\nlisten = \"127.0.0.1:1\"\nhsts = false\n";
        let config =
            with(file, &[("SIGNET__HTTP__LISTEN", "127.0.0.1:2"), ("SIGNET__JOBS__SWEEP_SECONDS", "9")]);
        let config = config.unwrap();
        assert_eq!(config.http.listen.port(), 2);
        assert!(!config.http.hsts);
        assert_eq!(config.jobs.sweep_seconds, 9);
        assert_eq!(config.http.max_uri_bytes, 32_768);
        assert_eq!(config.log.format, LogFormat::Json);
    }

    #[test]
    fn misspelt_settings_stop_the_start_and_are_named() {
        assert!(with("[http]\nlissten = \"x\"\n", &[]).unwrap_err().contains("lissten"));
        assert!(with("[htpp]\n", &[]).unwrap_err().contains("htpp"));
        assert!(with("[limits]\nburst = 0\n", &[]).is_err());
    }

    #[test]
    fn lists_are_separated_by_commas_in_the_environment() {
        let config = with("", &[("SIGNET__FETCH__ALLOW_HOSTS", "rp.internal,localhost:8443")]).unwrap();
        assert_eq!(config.fetch.allow_hosts.len(), 2);
        let config = with("", &[("SIGNET__HTTP__TRUSTED_PROXIES", "10.0.0.0/8")]).unwrap();
        assert_ne!(config.http.trusted_proxies, Proxies::default());
        for wrong in
            ["[fetch]\nallow_hosts = [\"https://rp\"]\n", "[http]\ntrusted_proxies = [\"10.0.0.0/33\"]\n"]
        {
            assert!(with(wrong, &[]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_committed_schema_is_current() {
        let committed = include_str!("../../../config/signet.schema.json");
        assert_eq!(
            committed,
            Config::schema(),
            "write the output of `signet config schema` to config/signet.schema.json"
        );
    }
}
