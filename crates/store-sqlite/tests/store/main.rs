//! Tests of the SQLite backend: the contract suite on a file and in memory, and what is SQLite's own.
#![expect(clippy::unwrap_used, reason = "tests")]

mod contract_file;
mod contract_memory;
mod database;
mod upgrade;
