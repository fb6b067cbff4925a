//! Makes tokens on the crypto pool: one job for all that one answer holds.

use signet_core::fault::Fault;
use signet_core::records::TenantKey;
use signet_core::token::{Issue, Made, Tools};
use signet_jose::SigAlg;

use super::extract::Moment;
use crate::app::App;
use crate::tenancy::TenantView;

/// Makes what was decided. The keys are looked up before any work is queued.
pub(super) async fn make(app: &App, view: &TenantView, moment: &Moment, issue: Issue) -> Result<Made, Fault> {
    let protection = issue.id_token.as_ref().map(|draft| draft.protection.clone());
    let access = signing(view, moment, issue.access.signed())?;
    let id_token = signing(view, moment, protection.as_ref().and_then(|protection| protection.signed))?;
    let encryption = protection.and_then(|protection| protection.encrypted);
    let worker = app.clone();
    app.crypto
        .run(move || {
            let signer = |key: Option<(SigAlg, TenantKey)>| {
                let made = |(alg, key): (SigAlg, TenantKey)| {
                    worker.keyring.signer(&key, alg, &worker.vault).ok_or(Fault::SigningKeyMissing)
                };
                key.map(made).transpose()
            };
            let encrypter = encryption.map(|(wanted, key)| {
                worker.keyring.encrypter(&key, wanted.alg).ok_or(Fault::EncryptionKeyMissing)
            });
            let tools = Tools {
                access: signer(access)?,
                id_token: signer(id_token)?,
                encrypter: encrypter.transpose()?,
            };
            issue.make(&tools).map_err(|fault| {
                tracing::error!(reason = fault.code(), "tokens could not be made");
                Fault::Internal { detail: "tokens could not be made" }
            })
        })
        .await?
}

fn signing(
    view: &TenantView,
    moment: &Moment,
    alg: Option<SigAlg>,
) -> Result<Option<(SigAlg, TenantKey)>, Fault> {
    alg.map(|alg| view.signing_key(alg, moment.now).map(|key| (alg, key.clone()))).transpose()
}
