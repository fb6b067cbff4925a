//! The page that posts a response to its client.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::Shell;

/// Submits the form. The page's policy names it by its hash, and allows no other script.
const SCRIPT: &str = "document.forms[0].submit();";

static SCRIPT_SOURCE: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(SCRIPT))));

/// OAuth 2.0 Form Post Response Mode section 2: "Authorization Response parameters are encoded as HTML form values that are
/// auto-submitted in the User Agent". Without JavaScript there is a button.
#[derive(Clone, Template)]
#[template(path = "form_post.html")]
pub struct FormPostPage {
    /// What all pages share.
    pub shell: Shell,
    /// The redirect URI.
    pub action: String,
    /// The parameters of the response, and nothing else.
    pub fields: Vec<(&'static str, String)>,
}

impl std::fmt::Debug for FormPostPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FormPostPage").field("action", &self.action).finish_non_exhaustive()
    }
}

impl FormPostPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }

    /// The source expression of the page's script (CSP3 section 2.3.1).
    pub fn script_source() -> &'static str {
        &SCRIPT_SOURCE
    }

    fn script() -> &'static str {
        SCRIPT
    }
}
