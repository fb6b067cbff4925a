//! The frames that tell clients of a logout (Front-Channel Logout 1.0 section 3).

use url::Url;

use crate::records::{Client, Tenant};

/// One client's frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What is loaded.
    pub address: String,
    /// The only place it may come from: scheme, host and port, as a source of a Content Security Policy.
    pub origin: String,
}

impl Frame {
    /// The frame of `client`, if it has registered one.
    ///
    /// Section 3: "The OP MAY add these query parameters when rendering the logout URI, and if either is included, both MUST
    /// be: `iss` [...], `sid`". They are always there; and a query that the address has stays.
    pub fn of(tenant: &Tenant, client: &Client, sid: &str) -> Option<Self> {
        let uri = client.settings.frontchannel_logout_uri.as_deref().filter(|_| !client.disabled)?;
        let url = Url::parse(uri).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
        let origin = url.origin().ascii_serialization();
        let pairs = [("iss", tenant.issuer.as_str()), ("sid", sid)];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let separator = if url.query().is_some() { '&' } else { '?' };
        Some(Self { address: format!("{uri}{separator}{query}"), origin })
    }
}
