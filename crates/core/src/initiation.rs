//! Logins that somebody else starts (OpenID Connect Core section 4).

use url::Url;

use crate::records::{Client, Tenant};

/// The address at which `client` starts a login at this provider, if it has registered one.
///
/// Section 4: "The login initiation endpoint MUST support [...] HTTP GET and HTTP POST"; `iss` is "REQUIRED. Issuer
/// Identifier for the OP that the RP is to send the Authentication Request to."
pub fn initiation(tenant: &Tenant, client: &Client) -> Option<String> {
    let uri = client.settings.initiate_login_uri.as_deref().filter(|_| !client.disabled)?;
    let mut url = Url::parse(uri).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    url.query_pairs_mut().append_pair("iss", &tenant.issuer);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::client;

    #[test]
    fn the_issuer_is_named_core_4() {
        let tenant = Tenant {
            id: "t".into(),
            issuer: "https://op.example/a b".into(),
            version: 1,
            settings: crate::records::TenantSettings::default(),
            pairwise_salt: [0; 32],
            created_at: 0,
        };
        let of = |uri: Option<&str>, disabled| {
            let mut client = client("c");
            client.settings.initiate_login_uri = uri.map(str::to_owned);
            client.disabled = disabled;
            initiation(&tenant, &client)
        };
        let iss = "iss=https%3A%2F%2Fop.example%2Fa+b";
        assert_eq!(of(Some("https://rp.example/in"), false), Some(format!("https://rp.example/in?{iss}")));
        assert_eq!(
            of(Some("https://rp.example/in?x=1"), false),
            Some(format!("https://rp.example/in?x=1&{iss}"))
        );
        for (uri, disabled) in
            [(None, false), (Some("javascript:x"), false), (Some("https://rp.example/in"), true)]
        {
            assert_eq!(of(uri, disabled), None);
        }
    }
}
