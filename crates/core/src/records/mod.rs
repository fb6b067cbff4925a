//! What is stored: plain records, one file per subject. Times are Unix seconds.

mod audit;
mod client;
mod flow;
mod keys;
mod people;
mod tenant;

pub use audit::{AuditEvent, Outcome};
pub use client::{
    ApplicationType, Client, ClientAuthMethod, ClientSettings, Encryption, IdTokenSettings, Lifetimes,
    RequestObjectParameters, UserInfoResponseType, UserInfoSettings,
};
pub use flow::{AccessToken, Authentication, Code, Consent, Grant, Interaction, Replay, ReplayKind, Stage};
pub use keys::{ClientKey, KeyOrigin, KeyState, TenantKey};
pub use people::{Session, User};
pub use tenant::{Branding, Tenant, TenantSettings};
