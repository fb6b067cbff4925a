//! Records of the clients that are part of Signet itself ([`crate::builtin`]): made when they are first needed, and again
//! what they must be when the issuer moved or somebody changed them.

use crate::audit;
use crate::builtin;
use crate::change::Change;
use crate::context::Context;
use crate::ids::ClientId;
use crate::records::{Client, Tenant};

/// What to write so that the record of the built-in client `id` is as it must be; nothing if it is.
pub fn builtin_client(
    id: &str,
    tenant: &Tenant,
    current: Option<&Client>,
    correlation_id: &str,
    context: &Context<'_>,
) -> Vec<Change> {
    let Some(settings) = builtin::settings(id, tenant) else { return Vec::new() };
    let (version, created_at) = match current {
        Some(client) if !client.disabled && client.settings == settings && client.secret_hash.is_none() => {
            return Vec::new();
        }
        Some(client) => (client.version + 1, client.created_at),
        None => (1, context.now),
    };
    let client = Client {
        tenant: tenant.id.clone(),
        client_id: ClientId::from(id),
        version,
        disabled: false,
        secret_hash: None,
        sealed_secret: None,
        registration_token: None,
        owner: None,
        settings,
        created_at,
        updated_at: context.now,
    };
    let (kind, change): (_, fn(Client) -> Change) = match current {
        Some(_) => ("client.changed", Change::UpdateClient),
        None => ("client.created", Change::InsertClient),
    };
    let event = audit::success(&tenant.id, kind, correlation_id, context)
        .client(&client.client_id)
        .fact("builtin", true)
        .change();
    vec![change(client), event]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::{ACCOUNT, CONSOLE};
    use crate::context::Entropy;
    use crate::records::TenantSettings;

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn written(id: &str, issuer: &str, current: Option<&Client>) -> Option<Client> {
        let tenant = Tenant {
            id: "t".into(),
            issuer: issuer.into(),
            version: 1,
            settings: TenantSettings::default(),
            pairwise_salt: [0; 32],
            created_at: 0,
        };
        let context = Context { now: 7, millis: 0, entropy: &Zeros };
        match builtin_client(id, &tenant, current, "c", &context).into_iter().next()? {
            Change::InsertClient(client) => {
                assert!(current.is_none());
                Some(client)
            }
            Change::UpdateClient(client) => {
                assert_eq!(client.version, current.unwrap().version + 1);
                Some(client)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_record_is_made_once_and_follows_the_issuer() {
        let client = written(CONSOLE, "https://a.example", None).unwrap();
        assert_eq!(client.settings.redirect_uris, ["https://a.example/console/callback"]);
        assert!(written(CONSOLE, "https://a.example", Some(&client)).is_none());
        let moved = written(CONSOLE, "https://b.example/x", Some(&client)).unwrap();
        assert_eq!(moved.settings.redirect_uris, ["https://b.example/x/console/callback"]);
        assert!(written("other", "https://a.example", None).is_none());
    }

    #[test]
    fn a_record_that_somebody_opened_up_is_closed_again() {
        let good = written(ACCOUNT, "https://a.example", None).unwrap();
        let mut bad = good.clone();
        bad.settings.redirect_uris.push("https://evil.example/".into());
        assert_eq!(written(ACCOUNT, "https://a.example", Some(&bad)).unwrap().settings, good.settings);
        let off = Client { disabled: true, ..good };
        assert!(!written(ACCOUNT, "https://a.example", Some(&off)).unwrap().disabled);
    }
}
