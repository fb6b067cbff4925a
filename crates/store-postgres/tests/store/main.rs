//! Tests on a PostgreSQL server that `SIGNET_TEST_POSTGRES` names (see scripts/postgres); without it they fail.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod contract;
mod database;
mod support;
mod upgrade;
