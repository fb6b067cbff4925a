//! Clients register themselves and look after their registration: RFC 7591, RFC 7592, OpenID Connect Dynamic Client
//! Registration 1.0.

mod decide;
mod keys;
mod metadata;
mod reader;
mod sector;

pub use decide::{
    Facts, INITIAL_TOKEN_PREFIX, REGISTRATION_TOKEN_PREFIX, Registered, admit, create, delete, manage,
    presented, update,
};
pub use metadata::{defaults, metadata, settings};
pub use reader::body;
pub use sector::sector;
