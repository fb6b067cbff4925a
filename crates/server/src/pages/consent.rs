//! The consent page.

use askama::Template;

use super::{About, Shell};

/// One thing that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeLine {
    /// A few words.
    pub title: String,
    /// A sentence.
    pub detail: String,
}

/// Asks whether a client may have what it asks for.
#[derive(Clone, Debug, Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    /// What all pages share.
    pub shell: Shell,
    /// Who asks.
    pub client_name: String,
    /// The client's image.
    pub client_logo: Option<String>,
    /// The client's links.
    pub about: About,
    /// Who is signed in: user name or display name.
    pub account: String,
    /// What is asked for, but for what is in `administers`.
    pub scopes: Vec<ScopeLine>,
    /// What the client could do in the administration of the tenant.
    pub administers: Vec<ScopeLine>,
    /// Where the answer goes, for a client that would administer: its name tells nothing of whose it is by now.
    pub goes_to: Option<String>,
    /// The person's role there.
    pub role: String,
    /// Where the answer is posted: `csrf`, `decision=accept` or `decision=deny`.
    pub action: String,
    /// Token against cross-site posts.
    pub csrf: String,
    /// Whether a device waits for the answer, so that the person is warned of codes from others (RFC 8628 section 5.4).
    pub device: bool,
    /// Whether the answer is kept for the next time.
    pub remembered: bool,
    /// Where "another account" is posted: `csrf`.
    pub switch_action: Option<String>,
    /// Names the request in the audit log.
    pub correlation_id: String,
}

impl ConsentPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}
