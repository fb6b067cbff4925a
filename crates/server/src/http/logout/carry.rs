//! What goes from one address of the logout to the next, sealed under the master key: nobody reads it or writes it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::logout::LogoutRequest;

use super::Visit;

/// The parameter that holds a [`LogoutRequest`].
pub(super) const REQUEST: &str = "request";
/// The parameter that holds a [`Farewell`].
pub(super) const FAREWELL: &str = "with";

/// What is sealed, and under which name; the one is not taken for the other.
pub(super) trait Carried: Serialize + DeserializeOwned {
    const KIND: &'static str;
}

impl Carried for LogoutRequest {
    const KIND: &'static str = "request";
}

/// What the page at the end needs. Clients and addresses are looked up there once more.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Farewell {
    /// The client that asked.
    pub(super) client_id: Option<ClientId>,
    /// Where the browser goes on.
    pub(super) uri: Option<String>,
    /// Goes with it.
    pub(super) state: Option<String>,
    /// The session that ended.
    pub(super) sid: String,
    /// Clients that are told by a frame.
    pub(super) frames: Vec<ClientId>,
}

impl Carried for Farewell {
    const KIND: &'static str = "farewell";
}

fn context<T: Carried>(visit: &Visit<'_>) -> String {
    format!("logout_{}/{}", T::KIND, visit.view.tenant.id)
}

pub(super) fn seal<T: Carried>(visit: &Visit<'_>, what: &T) -> Result<String, Fault> {
    let fault = Fault::Internal { detail: "a logout could not be carried on" };
    let plain = serde_json::to_vec(what).map_err(|_| fault.clone())?;
    let sealed = visit.app.vault.seal(&context::<T>(visit), &plain, visit.app.entropy.as_ref());
    sealed.map(|sealed| URL_SAFE_NO_PAD.encode(sealed)).map_err(|_| fault)
}

/// `None` for whatever was not sealed here.
pub(super) fn open<T: Carried>(visit: &Visit<'_>, sealed: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let plain = visit.app.vault.open(&context::<T>(visit), &bytes).ok()?;
    serde_json::from_slice(&plain).ok()
}
