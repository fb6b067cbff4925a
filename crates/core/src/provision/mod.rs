//! Administrative decisions: from what somebody declares and what is stored to the changes that close the gap. The
//! command line, declaration files and the administrative interface all come through here.
//!
//! A declaration says how things shall be, so the same declaration twice changes nothing the second time. What it leaves
//! out has its default; only secrets, passwords and keys are kept unless the declaration says otherwise.

mod client;
mod client_facts;
mod declaration;
mod difference;
mod fault;
mod keys;
mod registration_token;
mod secret;
mod tenant;
mod user;
mod username;
mod withdraw;

pub use client::client;
pub use client_facts::{ClientFacts, SecretKeeper};
pub use declaration::{
    ClientDeclaration, Declaration, KeyDeclaration, Secret, TenantDeclaration, UserDeclaration,
};
pub use fault::Refusal;
pub use registration_token::registration_token;
pub use secret::{SECRET_PREFIX, mint_secret};
pub use tenant::{TenantFacts, tenant};
pub use user::{PasswordHash, UserFacts, user};
pub use username::{chosen_username, may_be_mailed, new_username, username};
pub use withdraw::{remove_client, withdraw_key};

use zeroize::Zeroizing;

use crate::change::Change;
use crate::client_policy::Advice;

/// What a declaration comes to.
#[derive(Debug, Default)]
pub struct Provisioned {
    /// To be applied in one transaction; empty when nothing differs. Records of what was done are among them.
    pub changes: Vec<Change>,
    /// What differs, one line each, without secrets; empty when nothing does.
    pub differences: Vec<String>,
    /// A secret that was made just now, to be shown once.
    pub secret: Option<Zeroizing<String>>,
    /// What works but should be looked at.
    pub advice: Vec<Advice>,
}

impl Provisioned {
    /// Whether all was as declared.
    pub fn is_unchanged(&self) -> bool {
        self.changes.is_empty()
    }
}
