//! The desk at which a tenant is administered: everything that the administrative interface and the console can do, each
//! judged by who asks. Neither of the two reads or writes records in any other way.
//!
//! Every method begins with the scope it needs ([`Actor::need`]), and a client that somebody may not see does not exist for
//! them. Writes load, let the core decide, and apply; a write on a record names the version that was seen.

mod audit;
mod audit_chain;
mod client_keys;
mod client_writes;
mod clients;
mod configuration;
mod declared;
mod doctor;
mod explain;
mod key_set;
mod overview;
mod preview;
pub mod reading;
mod receipt;
mod refused;
mod registration_tokens;
mod tenant;
mod tenant_keys;
mod tenants;
mod trial;
mod user_access;
mod user_import;
mod users;

use schemars::JsonSchema;
use serde::Serialize;
use signet_core::admin::Actor;
use signet_core::change::Change;
use signet_core::client_policy::Mode;
use signet_core::context::UnixTime;
use signet_core::records::Tenant;

use crate::app::App;
use crate::provisioning::{Along, Provisioner};
use crate::tenancy::TenantView;

pub use audit::{AuditLine, AuditQuery, AuditStory, Lines};
pub use audit_chain::{AuditChain, AuditLink};
pub use client_keys::{ClientKeyView, KeyChange, KeysWritten, NewKeyPair, PrivateKeyView, RotateKey};
pub use client_writes::{ClientChange, ClientPatch, ClientWritten, NewClient};
pub use clients::{ClientLine, ClientQuery, ClientView, DeliveryState, DeliveryView, Remark, TemplateView};
pub use configuration::{Configuration, Offer};
pub use declared::{Applied, MadeSecret};
pub use explain::Failure;
pub use key_set::{KeySetFailing, KeySetView};
pub use overview::{
    ClientHealth, DAYS, DayCount, EndingKey, FailingClient, Overview, ReasonCount, TenantKeyHealth,
};
pub use preview::PreviewView;
pub use refused::Refused;
pub use registration_tokens::{NewRegistrationToken, RegistrationTokenView, RegistrationTokenWritten};
pub use tenant::{TenantChange, TenantPatch, TenantRecord, TenantWritten};
pub use tenant_keys::{RotateTenantKeys, TenantKeyView, TenantKeys, TenantKeysWritten};
pub use tenants::{FirstOwner, NewTenant, TenantCreated, TenantLine, TenantQuery};
pub use trial::{NewTrialKey, TRIAL_CALLBACK, TrialEndpoints, TrialKey, TrialView};

pub use user_access::{ConsentView, CredentialView, Done, Handed, NewPassword, SessionView};
pub use user_import::{ImportReport, ImportRow, ImportUsers};
pub use users::{NewUser, UserChange, UserLine, UserQuery, UserView, UserWritten};

/// Result of something that was asked for at the desk.
pub type Result<T> = std::result::Result<T, Refused>;

/// Somebody at the desk of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The node.
    pub app: &'a App,
    /// The tenant.
    pub view: &'a TenantView,
    /// Who asks.
    pub actor: &'a Actor,
    /// The request's instant.
    pub now: UnixTime,
    /// Ties what is written to the request.
    pub correlation_id: &'a str,
}

/// How a write is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Write {
    /// Decide, say what would be done, and do nothing.
    pub dry_run: bool,
    /// The version that was seen (`If-Match`, RFC 9110 section 13.1.1). A change of a record needs one.
    pub seen: Option<i64>,
    /// The idempotency key of a creation.
    pub idempotency_key: Option<String>,
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Paged<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

impl<'a> Desk<'a> {
    fn tenant(&self) -> &'a Tenant {
        &self.view.tenant
    }

    /// How strict the rules are.
    fn mode(&self) -> Mode {
        self.app.mode
    }

    /// What goes along with a write of this request.
    fn along(&self, write: &Write, further: Vec<Change>) -> Along<'a> {
        Along { correlation_id: Some(self.correlation_id), seen: write.seen, key_set: None, further }
    }

    fn provisioner(&self, write: &Write) -> Provisioner {
        Provisioner {
            store: self.app.store.clone(),
            entropy: self.app.entropy.clone(),
            vault: Some(self.app.vault.clone()),
            by: self.actor.by(),
            now: self.now,
            millis: self.app.clock.millis(),
            mode: self.mode(),
            dry_run: write.dry_run,
        }
    }
}

/// Cuts a listing that was read one row too long into a page.
fn paged<R, T>(mut rows: Vec<R>, limit: u32, name: impl Fn(&R) -> String, item: impl Fn(R) -> T) -> Paged<T> {
    let limit = limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(name);
    Paged { items: rows.into_iter().map(item).collect(), next }
}
