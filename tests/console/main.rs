//! The console: who gets in, and what its forms do.
#![expect(clippy::unwrap_used, reason = "tests")]

mod clients;
mod explain;
mod forms;
mod keys;
mod published;
mod sign_in;
mod tenant;
mod trial;
mod users;
mod watching;
