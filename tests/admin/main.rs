//! The administrative interface: who may do what, and what is done.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod clients;
mod keys;
mod problems;
mod table;
mod tenant;
mod tenant_keys;
