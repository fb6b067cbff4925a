//! What a decision on a client begins with.

use std::fmt;

use crate::client_policy::{KeySet, Mode};
use crate::ids::{ClientId, TenantId};
use crate::records::{Client, ClientKey, Tenant};

/// What is there already.
#[derive(Clone, Copy, Debug)]
pub struct ClientFacts<'a> {
    /// Whose client.
    pub tenant: &'a Tenant,
    /// The client, if there is one of that name.
    pub current: Option<&'a Client>,
    /// Every key of it, withdrawn ones included.
    pub keys: &'a [ClientKey],
    /// What is known of the set at the `jwks_uri` that it will have; `None` if nobody has looked.
    pub key_set: Option<&'a KeySet>,
    /// Keeps secrets that MACs are made with.
    pub secrets: &'a dyn SecretKeeper,
    /// How strict the installation is.
    pub mode: Mode,
}

/// Keeps secrets under the master key. Handed in from outside, like randomness.
pub trait SecretKeeper: Send + Sync + fmt::Debug {
    /// Encrypts a client's secret, bound to tenant and client; `None` if there is no master key at hand.
    fn seal(&self, tenant: &TenantId, client: &ClientId, secret: &str) -> Option<Vec<u8>>;

    /// The length of the secret in what [`SecretKeeper::seal`] gave.
    fn length(&self, sealed: &[u8]) -> usize;
}
