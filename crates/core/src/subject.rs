//! What a client knows a person by: the `sub` claim (OpenID Connect Core section 8).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use url::Url;
use uuid::Uuid;

use crate::records::{Client, ClientSettings, SubjectType, Tenant};

/// The `sub` of `user` for `client`: in ID tokens of every flow, at UserInfo, in introspection and logout tokens alike.
///
/// Core section 8.1: "The Subject Identifier value MUST NOT be reversible by any party other than the OpenID Provider.
/// Distinct Sector Identifier values MUST result in distinct Subject Identifier values. The same algorithm MUST be
/// deterministic."
pub fn of(tenant: &Tenant, client: &Client, user: Uuid) -> String {
    match (client.settings.subject_type, sector(&client.settings)) {
        (SubjectType::Public, _) => user.to_string(),
        // A client without a sector cannot be saved; should one be read anyway, it is a sector of its own.
        (SubjectType::Pairwise, None) => pairwise(tenant, client.client_id.as_str(), user),
        (SubjectType::Pairwise, Some(sector)) => pairwise(tenant, &sector, user),
    }
}

/// Core section 8.1: the host of `sector_identifier_uri`; without one, the host that all redirect URIs share. `None` if
/// they do not.
pub fn sector(settings: &ClientSettings) -> Option<String> {
    let host = |uri: &String| Url::parse(uri).ok()?.host_str().map(str::to_owned);
    if let Some(uri) = &settings.sector_identifier_uri {
        return host(uri);
    }
    let mut hosts = settings.redirect_uris.iter().map(host);
    let first = hosts.next()??;
    hosts.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

fn pairwise(tenant: &Tenant, sector: &str, user: Uuid) -> String {
    // HMAC takes keys of one block; a shorter one is padded with zeros (RFC 2104 section 2).
    let mut block = [0; 64];
    block[..32].copy_from_slice(&tenant.pairwise_salt);
    let mut mac = <Hmac<Sha256> as Mac>::new(&block.into());
    mac.update(user.as_bytes());
    mac.update(sector.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::client;

    fn tenant(salt: u8) -> Tenant {
        Tenant {
            id: "t".into(),
            issuer: "https://op.example".into(),
            version: 1,
            settings: crate::records::TenantSettings::default(),
            pairwise_salt: [salt; 32],
            created_at: 0,
        }
    }

    #[test]
    fn pairwise_subjects_are_of_the_sector_core_8_1() {
        let user = Uuid::from_u128(7);
        let of = |salt: u8, uris: &[&str], sector: Option<&str>| {
            let mut client = client("c");
            client.settings.subject_type = SubjectType::Pairwise;
            client.settings.redirect_uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
            client.settings.sector_identifier_uri = sector.map(str::to_owned);
            super::of(&tenant(salt), &client, user)
        };
        let a = of(1, &["https://a.example/cb"], None);
        assert_eq!(a.len(), 43);
        assert_eq!(a, of(1, &["https://a.example/1", "https://a.example:444/2"], None));
        assert_eq!(a, of(1, &["https://b.example/cb"], Some("https://a.example/sector.json")));
        assert_ne!(a, of(1, &["https://b.example/cb"], None));
        assert_ne!(a, of(2, &["https://a.example/cb"], None));
        assert_eq!(super::of(&tenant(1), &client("c"), user), user.to_string());
    }

    #[test]
    fn redirect_uris_of_two_hosts_have_no_sector() {
        let mut client = client("c");
        client.settings.redirect_uris = vec!["https://a.example/1".into(), "https://b.example/1".into()];
        assert_eq!(sector(&client.settings), None);
        client.settings.redirect_uris.clear();
        assert_eq!(sector(&client.settings), None);
    }
}
