//! Makes tokens on the crypto pool: one job for all that one answer holds.

use signet_core::fault::Fault;
use signet_core::interaction::{self, Answer};
use signet_core::records::TenantKey;
use signet_core::response::Protection;
use signet_core::token::{AccessDraft, Issue, Made, Tools};
use signet_jose::{JoseFault, SigAlg};

use super::extract::Moment;
use crate::app::App;
use crate::tenancy::TenantView;

/// Makes the answer of the token endpoint.
pub(super) async fn make(app: &App, view: &TenantView, moment: &Moment, issue: Issue) -> Result<Made, Fault> {
    let protection = issue.id_token.as_ref().map(|draft| draft.protection.clone());
    let access = issue.access.signed();
    run(app, view, moment, access, protection, move |tools| issue.make(tools)).await
}

/// Makes a response that goes by the browser. One without tokens needs no pool.
pub(super) async fn respond(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    answer: Answer,
) -> Result<interaction::Made, Fault> {
    let protection = answer.id_token.as_ref().map(|draft| draft.protection.clone());
    let access = answer.access.as_ref().and_then(AccessDraft::signed);
    if access.is_none() && protection.is_none() {
        return answer.make(&Tools::default()).map_err(|fault| failed(&fault));
    }
    run(app, view, moment, access, protection, move |tools| answer.make(tools)).await
}

fn failed(fault: &JoseFault) -> Fault {
    tracing::error!(reason = fault.code(), "tokens could not be made");
    Fault::Internal { detail: "tokens could not be made" }
}

/// Looks up the keys before any work is queued.
async fn run<T: Send + 'static>(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    access: Option<SigAlg>,
    protection: Option<Protection>,
    work: impl FnOnce(&Tools) -> Result<T, JoseFault> + Send + 'static,
) -> Result<T, Fault> {
    let access = signing(view, moment, access)?;
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
            work(&tools).map_err(|fault| failed(&fault))
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
