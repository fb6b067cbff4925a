//! Clients that every tenant has of itself: the console and the account pages sign people in like any other application.
//! Nobody else changes, removes or takes them.

use crate::admin;
use crate::ids::ClientId;
use crate::records::{ClientAuthMethod, ClientSettings, Lifetimes, Tenant};

/// The console.
pub const CONSOLE: &str = "signet-console";
/// The account pages.
pub const ACCOUNT: &str = "signet-account";
/// All of them.
pub const ALL: &[&str] = &[CONSOLE, ACCOUNT];

/// How long one signs in to the console for, in seconds.
const CONSOLE_LIFETIME: i64 = 8 * 3600;

/// Whether the client of this id is one of these.
pub fn is_builtin(id: &ClientId) -> bool {
    ALL.contains(&id.as_str())
}

/// The settings of a built-in client in this tenant; `None` if `id` is not one. `redirect_uri` is what stands behind the
/// issuer.
pub fn settings(id: &str, tenant: &Tenant) -> Option<ClientSettings> {
    let own = ["openid", "profile", "email"].into_iter();
    let (client_name, path, scope) = match id {
        CONSOLE => {
            let administrative = admin::SCOPES.iter().map(|scope| scope.name);
            ("Console", "/console/callback", own.chain(administrative).map(String::from).collect())
        }
        ACCOUNT => ("Your account", "/account/callback", own.map(String::from).collect()),
        _ => return None,
    };
    let issuer = tenant.issuer.trim_end_matches('/');
    let access_token = if id == CONSOLE { CONSOLE_LIFETIME } else { Lifetimes::default().access_token };
    Some(ClientSettings {
        client_name: client_name.to_owned(),
        redirect_uris: vec![format!("{issuer}{path}")],
        post_logout_redirect_uris: vec![format!("{issuer}/")],
        token_endpoint_auth_method: ClientAuthMethod::None,
        scope,
        require_consent: false,
        lifetimes: Lifetimes { access_token, ..Lifetimes::default() },
        ..ClientSettings::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_policy::{self, KeptSecret, Mode};
    use crate::records::TenantSettings;

    #[test]
    fn each_can_be_saved_in_production() {
        let tenant = Tenant {
            id: "t".into(),
            issuer: "https://op.example/a".into(),
            version: 1,
            settings: TenantSettings::default(),
            pairwise_salt: [0; 32],
            created_at: 0,
        };
        for id in ALL {
            let settings = settings(id, &tenant).unwrap();
            let problems = client_policy::check(
                &settings,
                KeptSecret::Nothing,
                &[],
                &tenant.settings,
                Mode::Production,
                0,
            );
            assert!(problems.is_empty(), "{id}: {problems:?}");
            assert!(
                is_builtin(&ClientId::from(*id)) && settings.redirect_uris[0].starts_with(&tenant.issuer)
            );
        }
        assert!(settings("other", &tenant).is_none() && !is_builtin(&ClientId::from("other")));
    }
}
