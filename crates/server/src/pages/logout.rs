//! Before and after signing out.

use askama::Template;

use super::Shell;

/// Asks whether to sign out (OpenID Connect RP-Initiated Logout 1.0 section 2: "the OP SHOULD ask the End-User").
#[derive(Clone, Debug, Template)]
#[template(path = "logout.html")]
pub struct LogoutPage {
    /// What all pages share.
    pub shell: Shell,
    /// Who is signed in.
    pub account: String,
    /// The client that asked for it, if one did.
    pub client_name: Option<String>,
    /// Where the answer is posted: `csrf`.
    pub action: String,
    /// Token against cross-site posts.
    pub csrf: String,
}

/// Says that the person is signed out.
#[derive(Clone, Debug, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage {
    /// What all pages share.
    pub shell: Shell,
    /// Where to go on: name and address of the client.
    pub client: Option<(String, String)>,
}

impl LogoutPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}

impl SignedOutPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}
