//! Signs and encrypts on the crypto pool.

use serde_json::{Map, Value};
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::records::Client;
use signet_core::response::{self, Protection};

use crate::app::App;
use crate::tenancy::TenantView;

/// Protects `claims` as decided. The keys are looked up before any work is queued.
pub(crate) async fn protect(
    app: &App,
    view: &TenantView,
    now: UnixTime,
    client: &Client,
    protection: Protection,
    claims: Map<String, Value>,
) -> Result<String, Fault> {
    protect_as("JWT", app, view, now, client, protection, claims).await
}

/// As [`protect`], with the `typ` of the signed token.
pub(crate) async fn protect_as(
    typ: &'static str,
    app: &App,
    view: &TenantView,
    now: UnixTime,
    client: &Client,
    protection: Protection,
    claims: Map<String, Value>,
) -> Result<String, Fault> {
    let signing = protection.signed.map(|alg| view.signing_key(alg, now).map(|key| (alg, key)));
    let signing = signing.transpose()?.map(|(alg, key)| (alg, key.clone()));
    let encryption = protection.encrypted;
    let (worker, client_id) = (app.clone(), client.client_id.clone());
    app.crypto
        .run(move || {
            let signer = signing
                .map(|(alg, key)| {
                    worker.keyring.signer(&key, alg, &worker.vault).ok_or(Fault::SigningKeyMissing)
                })
                .transpose()?;
            let encrypter = encryption
                .as_ref()
                .map(|(wanted, key)| {
                    worker.keyring.encrypter(key, wanted.alg).ok_or(Fault::EncryptionKeyMissing)
                })
                .transpose()?;
            let enc = encryption.as_ref().map(|(wanted, _)| wanted.enc);
            response::protect_as(typ, &claims, enc, signer.as_ref(), encrypter.as_ref()).map_err(|fault| {
                tracing::error!(%client_id, reason = fault.code(), "a response could not be protected");
                Fault::Internal { detail: "a response could not be protected" }
            })
        })
        .await?
}
