//! Every protocol rule as a pure function: no async, HTTP, SQL, clock or randomness of its own.
#![recursion_limit = "256"] // The discovery document is one `json!`.

pub mod admin;
pub mod audit;
pub mod authorize;
pub mod bearer;
pub mod builtin;
pub mod change;
pub mod claims;
pub mod client_assertion;
pub mod client_auth;
pub mod client_policy;
mod coded;
pub mod context;
pub mod device;
pub mod discovery;
pub mod duration;
pub mod explain;
pub mod fault;
pub mod hint;
pub mod ids;
pub mod initiation;
pub mod interaction;
pub mod introspection;
pub mod logout;
pub mod merge_patch;
pub mod opening;
pub mod own_login;
pub mod params;
pub mod people;
pub mod pkce;
pub mod provision;
pub mod records;
pub mod redirect;
pub mod registration;
pub mod relying_party;
pub mod remote_keys;
pub mod replay;
pub mod request_object;
pub mod response;
pub mod revocation;
pub mod setting;
pub mod subject;
pub mod templates;
pub mod tenant_health;
pub mod tenant_keys;
pub mod token;
pub mod userinfo;

#[cfg(test)]
mod testing;
