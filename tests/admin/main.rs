//! The administrative interface: who may do what, and what is done.
#![expect(clippy::unwrap_used, reason = "tests")]

mod clients;
mod conforming;
mod keys;
mod problems;
mod random;
mod table;
mod tenant;
mod tenant_keys;
mod tenants;
