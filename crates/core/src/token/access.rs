//! Access tokens: opaque, or JWTs (RFC 9068). Either way the store knows them by their hash, so revocation, introspection
//! and UserInfo treat both alike.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use signet_jose::{JoseFault, SigAlg, Signer};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::context::{Context, UnixTime};
use crate::ids::TokenHash;
use crate::records::{AccessToken, AccessTokenFormat, Authentication, Client, Tenant};
use crate::subject;

/// Prefix of opaque access tokens.
pub const ACCESS_TOKEN_PREFIX: &str = "sgn_at_";
/// RFC 9068 section 2.1: "JWT access tokens MUST include this media type in the "typ" header parameter".
pub const JWT_TYPE: &str = "at+jwt";

/// What an access token stands for.
#[derive(Clone, Debug)]
pub struct AccessFacts<'a> {
    /// Whose token.
    pub tenant: &'a Tenant,
    /// For whom.
    pub client: &'a Client,
    /// The grant it ends with.
    pub grant_id: Uuid,
    /// Of whom; `None` where the client acts for itself.
    pub user_id: Option<Uuid>,
    /// How that person logged in, where it is known.
    pub authentication: Option<&'a Authentication>,
    /// What it allows.
    pub scope: BTreeSet<String>,
    /// Claims asked for one by one at UserInfo.
    pub claims: BTreeSet<String>,
    /// Resource servers it is for; empty means this provider's own.
    pub audience: BTreeSet<String>,
    /// Who acts for the subject (RFC 8693 section 4.1).
    pub actor: Option<Map<String, Value>>,
}

/// An access token that is still to be made: a JWT has no hash before it is signed.
#[derive(Debug)]
pub struct AccessDraft {
    record: AccessToken,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Opaque(Zeroizing<String>),
    Jwt { alg: SigAlg, claims: Map<String, Value> },
}

impl AccessDraft {
    /// Plans a token in the form that its client is registered for.
    pub fn new(facts: AccessFacts<'_>, context: &Context<'_>) -> Self {
        let settings = &facts.client.settings;
        let expires_at = context.now.saturating_add(settings.lifetimes.access_token);
        let form = match settings.access_token_format {
            AccessTokenFormat::Opaque => Form::Opaque(context.mint(ACCESS_TOKEN_PREFIX).secret),
            AccessTokenFormat::Jwt => {
                Form::Jwt { alg: settings.access_token_signed, claims: claims(&facts, expires_at, context) }
            }
        };
        let record = AccessToken {
            tenant: facts.tenant.id.clone(),
            hash: TokenHash::from_bytes([0; 32]),
            grant_id: facts.grant_id,
            client_id: facts.client.client_id.clone(),
            user_id: facts.user_id,
            scope: facts.scope,
            claims: facts.claims,
            audience: facts.audience,
            actor: facts.actor,
            issued_at: context.now,
            expires_at,
        };
        Self { record, form }
    }

    /// Ends at `end` at the latest.
    #[must_use]
    pub fn until(mut self, end: UnixTime) -> Self {
        self.record.expires_at = self.record.expires_at.min(end);
        if let Form::Jwt { claims, .. } = &mut self.form {
            claims.insert("exp".into(), self.record.expires_at.into());
        }
        self
    }

    /// The algorithm it is to be signed with, by one of the tenant's keys; `None` if it is opaque.
    pub fn signed(&self) -> Option<SigAlg> {
        match self.form {
            Form::Opaque(_) => None,
            Form::Jwt { alg, .. } => Some(alg),
        }
    }

    /// What it allows.
    pub fn scope(&self) -> &BTreeSet<String> {
        &self.record.scope
    }

    /// Its lifetime in seconds.
    pub fn expires_in(&self) -> i64 {
        self.record.expires_at.saturating_sub(self.record.issued_at)
    }

    /// Makes the token, and the record that goes to the store. CPU-heavy if it is a JWT.
    pub fn make(self, signer: Option<&Signer>) -> Result<(Zeroizing<String>, AccessToken), JoseFault> {
        let token = match self.form {
            Form::Opaque(token) => token,
            Form::Jwt { alg, claims } => {
                // RFC 9068 section 2.1: never unsigned.
                let signer = signer.filter(|signer| signer.alg() == alg).ok_or(JoseFault::SignFailed)?;
                let payload = serde_json::to_vec(&claims).map_err(|_| JoseFault::SignFailed)?;
                Zeroizing::new(signer.sign(Some(JWT_TYPE), &payload)?)
            }
        };
        let record = AccessToken { hash: TokenHash::of(&token), ..self.record };
        Ok((token, record))
    }
}

/// Who the token is about. RFC 9068 section 2.2: where no resource owner is involved, "the value of "sub" SHOULD
/// correspond to an identifier the authorization server uses to indicate the client application".
pub(crate) fn subject_of(tenant: &Tenant, client: &Client, user_id: Option<Uuid>) -> String {
    user_id.map_or_else(|| client.client_id.as_str().to_owned(), |user| subject::of(tenant, client, user))
}

/// RFC 9068 section 3: the resources asked for, or a default, which is the issuer; one of them as a string (RFC 7519
/// section 4.1.3).
pub(crate) fn audience_claim(tenant: &Tenant, audience: &BTreeSet<String>) -> Value {
    let mut all = audience.iter();
    match (all.next(), all.next()) {
        (None, _) => tenant.issuer.clone().into(),
        (Some(one), None) => one.clone().into(),
        _ => audience.iter().cloned().collect::<Vec<_>>().into(),
    }
}

/// Scope values as they stand in claims and answers.
pub(crate) fn scope_text(scope: &BTreeSet<String>) -> String {
    scope.iter().cloned().collect::<Vec<_>>().join(" ")
}

/// RFC 9068 sections 2.2 and 2.2.1 to 2.2.3.
fn claims(facts: &AccessFacts<'_>, expires_at: i64, context: &Context<'_>) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("iss", facts.tenant.issuer.clone().into());
    set("sub", subject_of(facts.tenant, facts.client, facts.user_id).into());
    set("aud", audience_claim(facts.tenant, &facts.audience));
    set("client_id", facts.client.client_id.as_str().into());
    set("iat", context.now.into());
    set("exp", expires_at.into());
    set("jti", context.handle().into());
    if !facts.scope.is_empty() {
        set("scope", scope_text(&facts.scope).into());
    }
    if let Some(authentication) = facts.authentication {
        set("auth_time", authentication.auth_time.into());
        set("acr", authentication.acr.clone().into());
        set("amr", authentication.amr.clone().into());
    }
    if let Some(actor) = &facts.actor {
        set("act", Value::Object(actor.clone()));
    }
    claims
}
