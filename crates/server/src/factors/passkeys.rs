//! Passkeys (Web Authentication). The relying party is the issuer: its host is the id, its origin the only one that counts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use signet_core::change::Change;
use signet_core::context::{Context, UnixTime};
use signet_core::fault::Fault;
use signet_core::interaction::{Second, use_passkey};
use signet_core::records::{Credential, CredentialKind, User};
use url::Url;
use uuid::{Builder, Uuid};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use crate::tenancy::TenantView;

/// Passkeys of one tenant.
#[derive(Debug)]
pub struct Passkeys(Webauthn);

/// A question to the browser, and what its answer is judged by.
#[derive(Debug)]
pub struct Question<T> {
    /// For the script, in JSON.
    pub options: String,
    /// To be kept until the answer, out of the browser's reach.
    pub state: T,
}

/// What is kept of a question for a known passkey.
#[derive(Debug, Serialize, Deserialize)]
pub struct Asked(DiscoverableAuthentication);

/// What is kept of a question for a new passkey.
#[derive(Debug, Serialize, Deserialize)]
pub struct Enrolling(PasskeyRegistration);

/// A passkey that was used rightly.
#[derive(Debug)]
pub struct Used {
    /// What the login is worth.
    pub second: Second,
    /// What the store has to hear.
    pub change: Change,
}

impl Passkeys {
    /// `None` where browsers have none: a relying party is a domain, no bare address, and its pages come by https or from
    /// this machine (Web Authentication section 5.1.2, Secure Contexts section 3.1).
    pub fn of(view: &TenantView) -> Option<Self> {
        let origin = Url::parse(&view.origin).ok()?;
        let host = origin.domain()?;
        let local = host == "localhost" || host.ends_with(".localhost");
        if origin.scheme() != "https" && !local {
            return None;
        }
        let name = &view.tenant.settings.branding.name;
        WebauthnBuilder::new(host, &origin).ok()?.rp_name(name).build().ok().map(Self)
    }

    /// Asks for one of these passkeys; for whichever the browser has if there are none.
    pub fn ask(&self, credentials: &[Credential]) -> Result<Question<Asked>, Fault> {
        let started = self.0.start_discoverable_authentication();
        let (challenge, state) = started.map_err(|_| failed())?;
        let known = keys(credentials)?.into_iter().map(|(_, key)| {
            json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(key.cred_id().as_slice()) })
        });
        let known: Value = known.collect();
        let mut options = json!(challenge.public_key);
        options["allowCredentials"] = known;
        let options = options.to_string();
        Ok(Question { options, state: Asked(state) })
    }

    /// Whom the answer names (section 5.4.3: the user handle is the account's `sub`).
    pub fn named(&self, answer: &str) -> Option<Uuid> {
        let answer: PublicKeyCredential = serde_json::from_str(answer).ok()?;
        self.0.identify_discoverable_authentication(&answer).ok().map(|(user, _)| user)
    }

    /// Judges an answer by the passkeys of the person whom it is about: challenge, origin, relying party, signature, and that
    /// the authenticator has verified the person (section 7.2).
    pub fn judge(
        &self,
        answer: &str,
        asked: Asked,
        credentials: &[Credential],
        now: UnixTime,
    ) -> Result<Used, Fault> {
        let answer: PublicKeyCredential = serde_json::from_str(answer).map_err(|_| Fault::PasskeyWrong)?;
        let own = keys(credentials)?;
        let (credential, key) = own
            .iter()
            .find(|(_, key)| key.cred_id().as_slice() == answer.get_credential_id())
            .ok_or(Fault::PasskeyWrong)?;
        // The record's own counter decides below, where a copied key is told from a wrong one.
        let result = self
            .0
            .finish_discoverable_authentication(&answer, asked.0, &[DiscoverableKey::from(key)])
            .map_err(|error| refused(&error))?;
        if !result.user_verified() {
            return Err(Fault::PasskeyWrong);
        }
        let mut newer = key.clone();
        newer.update_credential(&result);
        let secret = serde_json::to_vec(&newer).map_err(|_| failed())?;
        let seen = Credential { secret, ..(*credential).clone() };
        let change = use_passkey(&seen, result.counter(), now)?;
        // Section 6.1.3: a key that may be backed up leaves its hardware.
        Ok(Used { second: Second::Passkey { hardware: !result.backup_eligible() }, change })
    }

    /// Asks for a new passkey, on an authenticator that has none of the person's yet.
    pub fn enrol(&self, user: &User, credentials: &[Credential]) -> Result<Question<Enrolling>, Fault> {
        let known = keys(credentials)?.iter().map(|(_, key)| key.cred_id().clone()).collect();
        let shown = user.claims.get("name").and_then(serde_json::Value::as_str).unwrap_or(&user.username);
        let started = self.0.start_passkey_registration(user.id, &user.username, shown, Some(known));
        let (challenge, state) = started.map_err(|_| failed())?;
        let mut options = json!(challenge.public_key);
        // So that people can sign in without a user name, where the authenticator has room for it.
        options["authenticatorSelection"]["residentKey"] = "preferred".into();
        let options = options.to_string();
        Ok(Question { options, state: Enrolling(state) })
    }

    /// The record of a new passkey (section 7.1). That it is new is decided by the write
    /// ([`signet_core::change::Conflict::Credential`]).
    pub fn enrolled(
        &self,
        answer: &str,
        asked: &Enrolling,
        user: &User,
        name: &str,
        context: &Context<'_>,
    ) -> Result<Credential, Fault> {
        let answer: RegisterPublicKeyCredential =
            serde_json::from_str(answer).map_err(|_| Fault::PasskeyWrong)?;
        let key = self.0.finish_passkey_registration(&answer, &asked.0).map_err(|error| refused(&error))?;
        Ok(Credential {
            tenant: user.tenant.clone(),
            user_id: user.id,
            id: record_id(key.cred_id().as_slice()),
            kind: CredentialKind::Passkey,
            name: name.to_owned(),
            secret: serde_json::to_vec(&key).map_err(|_| failed())?,
            counter: 0,
            failures: 0,
            created_at: context.now,
            last_used_at: None,
        })
    }
}

/// Section 7.1: "Verify that the credentialId is not yet registered for any user." The credential id names the record, so of
/// two registrations of one passkey one write wins.
fn record_id(credential_id: &[u8]) -> Uuid {
    let digest = Sha256::new().chain_update("passkey:").chain_update(credential_id).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // RFC 9562 section 5.8: a UUID of one's own making.
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// The passkeys among these credentials.
fn keys(credentials: &[Credential]) -> Result<Vec<(&Credential, Passkey)>, Fault> {
    let passkeys = credentials.iter().filter(|one| one.kind == CredentialKind::Passkey);
    let read = |one| -> Result<_, Fault> {
        let credential: &Credential = one;
        let key = serde_json::from_slice(&credential.secret);
        Ok((
            credential,
            key.map_err(|_| Fault::Internal { detail: "a stored second factor cannot be read" })?,
        ))
    };
    passkeys.map(read).collect()
}

fn refused(error: &webauthn_rs::prelude::WebauthnError) -> Fault {
    tracing::info!(%error, "a passkey was refused");
    match error {
        webauthn_rs::prelude::WebauthnError::CredentialPossibleCompromise => Fault::PasskeyCopied,
        _ => Fault::PasskeyWrong,
    }
}

fn failed() -> Fault {
    Fault::Internal { detail: "a question for a passkey could not be made" }
}

/// What the state of a question on a page is bound to.
pub fn question(tenant: &str, page: &str) -> String {
    format!("passkey/{tenant}/{page}")
}

#[cfg(test)]
mod tests {
    use super::record_id;

    #[test]
    fn a_passkey_has_one_record_however_often_it_is_registered() {
        assert_eq!(record_id(b"one"), record_id(b"one"));
        assert_ne!(record_id(b"one"), record_id(b"two"));
        assert_ne!(record_id(b""), record_id(b"\0"));
    }
}
