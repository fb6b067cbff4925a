//! Tokens with which clients register themselves (RFC 7591 section 1.2, initial access token).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signet_core::admin::{TENANT_READ, TENANT_WRITE};
use signet_core::audit::Kind;
use signet_core::change::Change;
use signet_core::context::UnixTime;
use signet_core::provision::{Refusal, registration_token};
use signet_core::records::InitialAccessToken;
use zeroize::Zeroizing;

use super::receipt::{Before, Pass};
use super::{Desk, Refused, Result, Write};

/// A token, without the token itself: only its hash is kept.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RegistrationTokenView {
    /// What people call it; unique.
    pub name: String,
    /// How many clients may still be registered with it; any number if `null`.
    pub uses_left: Option<i64>,
    /// When it was made, in Unix seconds.
    pub created_at: UnixTime,
    /// Useless from here on, in Unix seconds.
    pub expires_at: Option<UnixTime>,
}

impl From<&InitialAccessToken> for RegistrationTokenView {
    fn from(token: &InitialAccessToken) -> Self {
        Self {
            name: token.name.clone(),
            uses_left: token.uses_left,
            created_at: token.created_at,
            expires_at: token.expires_at,
        }
    }
}

/// A token to make.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRegistrationToken {
    /// What people call it; unique.
    pub name: String,
    /// How many clients may be registered with it; any number if left out.
    #[serde(default)]
    pub uses: Option<i64>,
    /// Useless from then on, in Unix seconds.
    #[serde(default)]
    pub expires_at: Option<UnixTime>,
}

/// What a write on a token came to.
#[derive(Clone, Serialize, JsonSchema)]
pub struct RegistrationTokenWritten {
    /// The token as it is, would be, or was.
    pub token: RegistrationTokenView,
    /// The token itself. It is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub initial_access_token: Option<Zeroizing<String>>,
    /// Nothing was written.
    pub dry_run: bool,
    /// The same idempotency key had made it before: nothing was written now, and the token is not shown again.
    pub replayed: bool,
}

impl std::fmt::Debug for RegistrationTokenWritten {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistrationTokenWritten").field("token", &self.token).finish_non_exhaustive()
    }
}

impl Desk<'_> {
    /// Every token, by name.
    pub async fn registration_tokens(&self) -> Result<Vec<RegistrationTokenView>> {
        self.actor.need(TENANT_READ)?;
        Ok(self.token_records().await?.iter().map(RegistrationTokenView::from).collect())
    }

    /// Makes a token; it is in the answer and nowhere else.
    pub async fn create_registration_token(
        &self,
        new: &NewRegistrationToken,
        write: &Write,
    ) -> Result<RegistrationTokenWritten> {
        const WHAT: &str = "registration token";
        self.actor.need(TENANT_WRITE)?;
        let pass = match self.before(write, WHAT, new).await? {
            Before::Made(name) => return self.made_token(&name).await,
            Before::New(pass) => pass,
        };
        match self.make_token(new, write, &pass).await {
            Ok(made) => Ok(made),
            Err(refused) => self.made_token(&self.meanwhile(write, WHAT, new, refused).await?).await,
        }
    }

    async fn make_token(
        &self,
        new: &NewRegistrationToken,
        write: &Write,
        pass: &Pass,
    ) -> Result<RegistrationTokenWritten> {
        let (tenant, context) = (self.tenant(), self.app.context(self.now));
        let (token, minted, event) = registration_token(
            &tenant.id,
            &new.name,
            new.uses,
            new.expires_at,
            self.correlation_id,
            &context,
        )
        .map_err(|refusal: Refusal| Refused::Invalid(vec![refusal]))?;
        if self.token_records().await?.iter().any(|known| known.name == new.name) {
            return Err(Refused::Exists);
        }
        let view = RegistrationTokenView::from(&token);
        let event = event.by(&self.actor.by()).change();
        let mut changes = vec![Change::InsertInitialAccessToken(token), event];
        changes.extend(self.kept(pass, &new.name));
        if !write.dry_run {
            self.app.store.apply(&tenant.id, &changes).await?;
        }
        let initial_access_token = (!write.dry_run).then_some(minted.secret);
        Ok(RegistrationTokenWritten {
            token: view,
            initial_access_token,
            dry_run: write.dry_run,
            replayed: false,
        })
    }

    /// Removes a token. Clients that were registered with it stay.
    pub async fn delete_registration_token(
        &self,
        name: &str,
        write: &Write,
    ) -> Result<RegistrationTokenWritten> {
        self.actor.need(TENANT_WRITE)?;
        let view = self.one_token(name).await?;
        let context = self.app.context(self.now);
        let kind = Kind::RegistrationTokenDeleted;
        let event = signet_core::audit::success(&self.tenant().id, kind, self.correlation_id, &context)
            .fact("name", name)
            .by(&self.actor.by())
            .change();
        let changes = [Change::DeleteInitialAccessToken { name: name.to_owned() }, event];
        if !write.dry_run {
            self.app.store.apply(&self.tenant().id, &changes).await?;
        }
        let dry_run = write.dry_run;
        Ok(RegistrationTokenWritten { token: view, initial_access_token: None, dry_run, replayed: false })
    }

    async fn made_token(&self, name: &str) -> Result<RegistrationTokenWritten> {
        let token = self.one_token(name).await?;
        Ok(RegistrationTokenWritten { token, initial_access_token: None, dry_run: false, replayed: true })
    }

    async fn one_token(&self, name: &str) -> Result<RegistrationTokenView> {
        let all = self.token_records().await?;
        all.iter().find(|token| token.name == name).map(RegistrationTokenView::from).ok_or(Refused::NotFound)
    }

    async fn token_records(&self) -> Result<Vec<InitialAccessToken>> {
        Ok(self.app.store.initial_access_tokens(&self.tenant().id).await?)
    }
}
