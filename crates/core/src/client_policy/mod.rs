//! What a client's settings mean: which key its responses are encrypted to, which settings cannot work together, and
//! which work but should be looked at.

mod advice;
mod check;
mod check_addresses;
mod check_protection;
mod contradiction;
mod encryption_key;
mod fit;
mod key_set;
mod key_state;
mod preview;
mod reading;
mod unasked;
mod uris;

pub use advice::{Advice, advice};
pub use check::{KeptSecret, check, client_id, needed_grants, secret_bytes};
pub use check_protection::rests_on_unread_keys;
pub(crate) use check_protection::signed;
pub use contradiction::Contradiction;
pub use encryption_key::{NoKey, Takeover, encryption_key, next_encryption_key};
pub use fit::{fits_enc, fits_sig};
pub use key_set::{KeySet, Keys, Unreadable};
pub use key_state::{ClientKeyState, encrypted_to, key_state};
pub use preview::{Preview, preview};
pub use unasked::more_unasked;
pub use uris::{UriProblem, called, issuer, page_uri, redirect_uri, request_uri, resource};

/// How strict the installation is. There is no way from one to the other while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// https everywhere; loopback http only for native applications (RFC 8252 section 7.3).
    Production,
    /// Loopback http is allowed for issuers and for redirect URIs of web clients.
    Development,
}
