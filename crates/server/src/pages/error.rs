//! The page for errors that cannot be sent to a client.

use askama::Template;

use super::Shell;

/// Tells a person what went wrong, without a word that helps an attacker.
#[derive(Clone, Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// What all pages share; [`Shell::default`] where no tenant is known.
    pub shell: Shell,
    /// HTTP status of the answer.
    pub status: u16,
    /// What went wrong, in a few words.
    pub heading: String,
    /// What went wrong, in a sentence.
    pub text: String,
    /// What the reader can do about it.
    pub hint: String,
    /// The protocol's error code.
    pub wire: String,
    /// Stable reason code.
    pub code: String,
    /// Names the request in the audit log.
    pub correlation_id: String,
    /// Where to begin again, with what the link says.
    pub retry: Option<(String, String)>,
}

impl ErrorPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}
