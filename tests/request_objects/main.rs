//! Request objects over HTTP (A.2 to A.5 of the checklist, RFC 9101, OpenID Connect Core section 6).
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod accepted;
mod bench;
mod by_reference;
mod refused;
mod replay;
mod row;
mod rows_claims;
mod rows_form;
mod rows_keys;
mod rows_parameters;
mod rows_transport;
mod which_counts;
