//! HTTP, pages, configuration, jobs and the `signet` binary.

pub mod app;
pub mod cli;
pub mod clients;
pub mod config;
pub mod demo;
pub mod desk;
pub mod edge;
pub mod fetch;
pub mod hints;
pub mod http;
pub mod jobs;
pub mod keyring;
pub mod limits;
pub mod logging;
pub mod logout_delivery;
pub mod node;
pub mod pages;
pub mod passwords;
pub mod pool;
pub mod provisioning;
pub mod proxies;
pub mod remote_keys;
pub mod tenancy;
pub mod tenant_keys;
pub mod tls;
pub mod vault;
