//! The page for what is shown once: secrets and private keys that were made just now. It answers the form itself, because
//! nothing of it is kept to be shown on a page after it; the browser is told to keep none of it either (`no-store`).

use askama::Template;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use signet_jose::KeyUse;
use zeroize::Zeroizing;

use super::Visit;
use crate::desk::PrivateKeyView;
use crate::pages::console::Frame;
use crate::pages::{asset_name, rendered};

/// A private key with its downloads.
pub(super) struct Private {
    title: &'static str,
    kid: String,
    jwk: Zeroizing<String>,
    pem: Zeroizing<String>,
    jwk_address: String,
    pem_address: String,
}

impl From<&PrivateKeyView> for Private {
    fn from(key: &PrivateKeyView) -> Self {
        Self {
            title: if key.usage == KeyUse::Sig { "Private signing key" } else { "Private encryption key" },
            kid: key.kid.clone(),
            jwk: key.jwk.clone(),
            pem: key.pem.clone(),
            jwk_address: address("application/jwk+json", &key.jwk),
            pem_address: address("application/x-pem-file", &key.pem),
        }
    }
}

/// A file in an address (RFC 2397): it is saved out of the page itself, so the key does not travel again.
fn address(kind: &str, text: &str) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(text))
}

/// What is shown once.
#[derive(Template)]
#[template(path = "console/once.html")]
pub(super) struct OncePage {
    pub(super) frame: Frame,
    pub(super) heading: String,
    /// What was done, and why this is shown.
    pub(super) text: String,
    pub(super) client_id: String,
    pub(super) secret: Option<Zeroizing<String>>,
    pub(super) keys: Vec<Private>,
    /// What works but should be looked at.
    pub(super) remarks: Vec<String>,
    /// Where to go on: title and address.
    pub(super) onward: (String, String),
}

impl OncePage {
    pub(super) fn answer(self, visit: &Visit) -> Response {
        let page = Self { frame: self.frame.script(asset_name("copy")), ..self };
        visit.page(&page.frame, rendered(&page))
    }
}
