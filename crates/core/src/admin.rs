//! Who may administer a tenant: access tokens of Signet's own, with scopes of Signet's own.

use crate::bearer;
use crate::context::UnixTime;
use crate::fault::Fault;
use crate::records::{AccessToken, Client, Tenant};

/// See the tenant's keys.
pub const KEYS_READ: &str = "signet:keys.read";
/// Rotate the tenant's keys.
pub const KEYS_WRITE: &str = "signet:keys.write";

/// Every scope of this kind. Only an operator gives a client one.
pub const SCOPES: &[&str] = &[KEYS_READ, KEYS_WRITE];

/// Judges an access token for an administrative request that needs `scope`. Only a client that acts for itself has one
/// (RFC 6749 section 4.4), and only while an operator leaves it the scope: a client that loses it loses it at once, not when
/// its tokens end.
pub fn authorize(
    tenant: &Tenant,
    token: Option<&AccessToken>,
    client: Option<&Client>,
    scope: &'static str,
    now: UnixTime,
) -> Result<(), Fault> {
    let (token, client) = bearer::accepted(tenant, token, client, now)?;
    if token.user_id.is_some() || !token.scope.contains(scope) || !client.settings.scope.contains(scope) {
        return Err(Fault::AdminScopeMissing { scope });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;
    use crate::ids::TokenHash;
    use crate::records::TenantSettings;
    use crate::testing::client;

    #[test]
    fn only_clients_that_hold_the_scope_now_administer() {
        let tenant = Tenant {
            id: "t".into(),
            issuer: "https://op.example".into(),
            version: 1,
            settings: TenantSettings::default(),
            pairwise_salt: [0; 32],
            created_at: 0,
        };
        let scope: BTreeSet<String> = [KEYS_WRITE.to_owned()].into();
        let mut holder = client("c");
        holder.settings.scope = scope.clone();
        let token = AccessToken {
            tenant: "t".into(),
            hash: TokenHash::of("t"),
            grant_id: Uuid::from_u128(1),
            client_id: "c".into(),
            user_id: None,
            scope,
            claims: BTreeSet::new(),
            audience: BTreeSet::new(),
            actor: None,
            issued_at: 0,
            expires_at: 10,
        };
        let judge = |token: &AccessToken, client: &Client, wanted, now| {
            authorize(&tenant, Some(token), Some(client), wanted, now).map_err(|fault| fault.code())
        };
        assert_eq!(judge(&token, &holder, KEYS_WRITE, 9), Ok(()));
        assert_eq!(judge(&token, &holder, KEYS_READ, 9), Err("admin_scope_missing"));
        assert_eq!(judge(&token, &holder, KEYS_WRITE, 10), Err("access_token_expired"));
        assert_eq!(judge(&token, &client("c"), KEYS_WRITE, 9), Err("admin_scope_missing"));
        assert_eq!(judge(&token, &client("d"), KEYS_WRITE, 9), Err("token_unknown"));
        let of_person = AccessToken { user_id: Some(Uuid::from_u128(7)), ..token.clone() };
        assert_eq!(judge(&of_person, &holder, KEYS_WRITE, 9), Err("admin_scope_missing"));
        let elsewhere = AccessToken { audience: ["https://api.example".to_owned()].into(), ..token };
        assert_eq!(judge(&elsewhere, &holder, KEYS_WRITE, 9), Err("token_for_other_resource"));
        let nothing = authorize(&tenant, None, Some(&holder), KEYS_WRITE, 9);
        assert_eq!(nothing.map_err(|fault| fault.code()), Err("token_unknown"));
    }
}
