//! Real processes on real databases: races, crashes, restarts, noise (design sections 2 and 5; ).
//!
//! Every bound on time here is a bound for the test run. What counts is who was accepted, how often, and what the
//! audit trail says of the rest.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![expect(clippy::print_stdout, reason = "figures, for those who ask for them with --nocapture")]

mod codes;
mod crash;
mod jti;
mod load;
#[path = "../../crates/jose/tests/common/mutate.rs"]
mod mutate;
mod noise;
mod party;
mod refresh;
mod shutdown;
mod site;
mod web;
