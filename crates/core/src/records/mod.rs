//! What is stored: plain records, one file per subject. Times are Unix seconds.

mod admin;
mod audit;
mod client;
mod flow;
mod keys;
mod people;
mod protocol;
mod tenant;

pub use admin::Receipt;
pub use audit::{AuditEvent, AuditSeal, AuditTally, Outcome};
pub use client::{
    ApplicationType, Client, ClientAuthMethod, ClientSettings, Encryption, IdTokenSettings, Lifetimes,
    Protected, RequestObjectParameters, UserInfoResponseType, UserInfoSettings,
};
pub use flow::{
    AccessToken, Authentication, Code, Consent, DeviceCode, DeviceStage, Grant, Interaction, LogoutDelivery,
    PushedRequest, RefreshToken, Replay, ReplayKind, SessionClient, Stage,
};
pub use keys::{ClientKey, KeyOrigin, KeyState, TenantKey};
pub use people::{Credential, Session, User, UserLink};
pub(crate) use protocol::words;
pub use protocol::{
    AccessTokenFormat, AssertionAudience, ClaimPlacement, CredentialKind, GrantType, LinkPurpose,
    RegistrationPolicy, ResponseMode, ResponseType, Role, SecondFactor, SubjectType,
};
pub use tenant::{Branding, CustomScope, InitialAccessToken, Tenant, TenantSettings};
