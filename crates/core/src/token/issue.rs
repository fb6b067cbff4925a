//! From a decision to tokens: the CPU-heavy part, kept apart so that it can run off the async threads.

use serde_json::{Map, Value};
use signet_jose::{ContentAlg, Encrypter, JoseFault, Signer, unsigned};
use zeroize::Zeroizing;

use super::access::{AccessDraft, scope_text};
use crate::change::Change;
use crate::response::{self, Protection};

/// What is to be issued. Nothing of it leaves before the changes that go with it are applied.
#[derive(Debug)]
pub struct Issue {
    /// The access token.
    pub access: AccessDraft,
    /// The refresh token, to be sent once.
    pub refresh_token: Option<Zeroizing<String>>,
    /// The ID token.
    pub id_token: Option<IdTokenDraft>,
    /// Further members of the answer.
    pub extra: Map<String, Value>,
}

/// An ID token without `at_hash`: the access token may not be there yet.
#[derive(Debug)]
pub struct IdTokenDraft {
    /// Neither signed nor encrypted means `alg: none`; only [`response::token_endpoint_protection`] decides so.
    pub protection: Protection,
    /// What is in it.
    pub claims: Map<String, Value>,
}

/// Keys for what is to be made, as [`Issue::access`] and [`Issue::id_token`] ask for them.
#[derive(Debug, Default)]
pub struct Tools {
    /// Signs the access token.
    pub access: Option<Signer>,
    /// Signs the ID token.
    pub id_token: Option<Signer>,
    /// Encrypts the ID token.
    pub encrypter: Option<Encrypter>,
}

/// Finished tokens.
#[derive(Debug)]
pub struct Made {
    /// To be applied behind those of the [`super::Outcome`].
    pub change: Change,
    /// The answer (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).
    pub body: Map<String, Value>,
}

impl Issue {
    /// Makes the tokens.
    pub fn make(self, tools: &Tools) -> Result<Made, JoseFault> {
        let mut body = self.extra;
        let expires_in = self.access.expires_in();
        let scope = scope_text(self.access.scope());
        let (token, record) = self.access.make(tools.access.as_ref())?;
        if let Some(draft) = self.id_token {
            body.insert("id_token".into(), draft.make(Some(&token), tools)?.into());
        }
        body.insert("access_token".into(), token.as_str().into());
        body.insert("token_type".into(), "Bearer".into());
        body.insert("expires_in".into(), expires_in.into());
        if !scope.is_empty() {
            body.insert("scope".into(), scope.into());
        }
        if let Some(token) = self.refresh_token {
            body.insert("refresh_token".into(), token.as_str().into());
        }
        Ok(Made { change: Change::InsertAccessToken(record), body })
    }
}

impl IdTokenDraft {
    /// Makes the token. `access_token` is the one that it is issued together with.
    pub(crate) fn make(mut self, access_token: Option<&str>, tools: &Tools) -> Result<String, JoseFault> {
        let Protection { signed, encrypted } = &self.protection;
        if let (Some(alg), Some(access_token)) = (signed, access_token) {
            // OpenID Connect Core section 3.1.3.6: the left half of the hash that fits the signature algorithm.
            self.claims.insert("at_hash".into(), alg.half_hash(access_token.as_bytes()).into());
        }
        match (signed, encrypted) {
            (None, None) => {
                let payload = serde_json::to_vec(&self.claims).map_err(|_| JoseFault::SignFailed)?;
                Ok(unsigned(Some("JWT"), &payload))
            }
            (alg, encrypted) => {
                let enc: Option<ContentAlg> = encrypted.as_ref().map(|(wanted, _)| wanted.enc);
                let signer = tools.id_token.as_ref().filter(|signer| Some(signer.alg()) == *alg);
                response::protect(&self.claims, enc, signer, tools.encrypter.as_ref())
            }
        }
    }
}
