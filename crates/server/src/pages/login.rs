//! The login page.

use askama::Template;

use super::{About, Shell};

/// Asks for user name and password.
#[derive(Clone, Debug, Template)]
#[template(path = "login.html")]
pub struct LoginPage {
    /// What all pages share.
    pub shell: Shell,
    /// Who the person signs in to.
    pub client_name: String,
    /// The client's image.
    pub client_logo: Option<String>,
    /// The client's links.
    pub about: About,
    /// Where people make an account, if they may.
    pub register: Option<String>,
    /// Where people sign in with a passkey, if they can here.
    pub passkey: Option<String>,
    /// Where people go who have forgotten their password, if mail works.
    pub forgot: Option<String>,
    /// Where the form is posted: `csrf`, `username`, `password`.
    pub action: String,
    /// Where cancelling is posted: `csrf`, `decision=deny`.
    pub deny_action: String,
    /// Token against cross-site posts.
    pub csrf: String,
    /// What stands in the user name field.
    pub username: String,
    /// Why the last attempt failed; one text for every reason.
    pub error: Option<String>,
    /// Why somebody who is signed in is asked again.
    pub asks: Option<String>,
    /// Names the request in the audit log.
    pub correlation_id: String,
    /// User names and passwords to try; only ever filled by `signet dev`.
    pub demo_users: Vec<(String, String)>,
}

impl LoginPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}
