//! Clients that every tenant has for pages of its own: the console and the account pages. Nobody registers, changes or removes
//! them.

use signet_jose::SigAlg;

use crate::admin;
use crate::audit::{self, Kind};
use crate::change::Change;
use crate::context::Context;
use crate::ids::ClientId;
use crate::records::{Client, ClientAuthMethod, ClientSettings, IdTokenSettings, Lifetimes, Tenant};

/// The console's `client_id`.
pub const CONSOLE: &str = "signet-console";
/// The `client_id` through which people sign in to their account pages.
pub const ACCOUNT: &str = "signet-account";

/// How long somebody may work in the console before they sign in again, in seconds.
const CONSOLE_LIFETIME: i64 = 8 * 3600;

/// One of these clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// The console.
    Console,
    /// The account pages.
    Account,
}

impl Builtin {
    /// The one of this `client_id`.
    pub fn of(id: &ClientId) -> Option<Self> {
        [Self::Console, Self::Account].into_iter().find(|builtin| builtin.client_id() == id.as_str())
    }

    /// Its `client_id`.
    pub fn client_id(self) -> &'static str {
        match self {
            Self::Console => CONSOLE,
            Self::Account => ACCOUNT,
        }
    }

    /// Where its responses go.
    pub fn redirect_uri(self, tenant: &Tenant) -> String {
        let path = match self {
            Self::Console => "console/callback",
            Self::Account => "account/callback",
        };
        format!("{}/{path}", tenant.issuer.trim_end_matches('/'))
    }

    /// Its settings: public, code with PKCE, no question of consent, because the pages are the provider's own.
    pub fn settings(self, tenant: &Tenant) -> ClientSettings {
        let name = match self {
            Self::Console => "Console",
            Self::Account => "Your account",
        };
        let mut scope: std::collections::BTreeSet<String> = ["openid".to_owned()].into();
        if self == Self::Console {
            scope.extend(admin::SCOPES.iter().map(|scope| scope.name.to_owned()));
        }
        ClientSettings {
            client_name: name.into(),
            redirect_uris: vec![self.redirect_uri(tenant)],
            token_endpoint_auth_method: ClientAuthMethod::None,
            require_consent: false,
            scope,
            id_token: IdTokenSettings { signed: signature(tenant), ..IdTokenSettings::default() },
            lifetimes: Lifetimes { access_token: CONSOLE_LIFETIME, ..Lifetimes::default() },
            ..ClientSettings::default()
        }
    }

    /// What brings its record up to date; nothing if it is. Two nodes at once do no harm: one of them meets a conflict.
    pub fn bring_up_to_date(
        self,
        tenant: &Tenant,
        current: Option<&Client>,
        correlation_id: &str,
        context: &Context<'_>,
    ) -> Vec<Change> {
        let settings = self.settings(tenant);
        let is_good = |client: &Client| client.settings == settings && !client.disabled;
        if current.is_some_and(is_good) {
            return Vec::new();
        }
        let client_id = ClientId::from(self.client_id());
        let next = Client {
            tenant: tenant.id.clone(),
            client_id: client_id.clone(),
            version: current.map_or(1, |client| client.version + 1),
            disabled: false,
            secret_hash: None,
            sealed_secret: None,
            registration_token: None,
            owner: None,
            settings,
            created_at: current.map_or(context.now, |client| client.created_at),
            updated_at: context.now,
        };
        let (kind, change) = match current {
            Some(_) => (Kind::ClientUpdated, Change::UpdateClient(next)),
            None => (Kind::ClientCreated, Change::InsertClient(next)),
        };
        let event = audit::success(&tenant.id, kind, correlation_id, context).client(&client_id);
        vec![change, event.fact("builtin", true).change()]
    }
}

/// The default signature of ID tokens, where the tenant keeps a key for it.
fn signature(tenant: &Tenant) -> SigAlg {
    let (default, kept) = (IdTokenSettings::default().signed, &tenant.settings.signing_algs);
    if kept.contains(&default) { default } else { kept.first().copied().unwrap_or(default) }
}
