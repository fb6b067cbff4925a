//! The administrative interface: who may do what, and what is done.
#![expect(clippy::unwrap_used, reason = "tests")]

mod audit;
mod clients;
mod climb;
mod conforming;
mod declared;
mod key_sets;
mod keys;
mod passwords;
mod problems;
mod random;
mod table;
mod tenant;
mod tenant_keys;
mod tenants;
