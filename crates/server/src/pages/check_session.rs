//! The frame that clients ask whether a login is still the same.

use askama::Template;

use super::assets;

/// A page with a script and nothing else (OpenID Connect Session Management 1.0 section 3.3).
#[derive(Clone, Debug, Template)]
#[template(path = "check_session.html")]
pub struct CheckSessionPage {
    /// Path in front of every address of the tenant.
    pub prefix: String,
    /// Name of the cookie that holds the browser state.
    pub cookie: String,
}

impl CheckSessionPage {
    /// Address of the script.
    pub fn script(&self) -> String {
        format!("{}/assets/{}", self.prefix, assets::check_session_name())
    }

    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}
