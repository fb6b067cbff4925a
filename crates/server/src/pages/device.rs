//! Where people type the code that a device shows, and what they see when all is done.

use askama::Template;

use super::Shell;

/// Asks for the code (RFC 8628 section 3.3).
#[derive(Clone, Debug, Template)]
#[template(path = "device.html")]
pub struct DevicePage {
    /// What all pages share.
    pub shell: Shell,
    /// Where the code is posted: `csrf`, `user_code`.
    pub action: String,
    /// Token against cross-site posts.
    pub csrf: String,
    /// What is in the field already.
    pub user_code: String,
    /// Why the last one was refused.
    pub error: Option<String>,
}

/// Says that the device goes on by itself.
#[derive(Clone, Debug, Template)]
#[template(path = "device_done.html")]
pub struct DeviceDonePage {
    /// What all pages share.
    pub shell: Shell,
    /// Who asked.
    pub client_name: String,
    /// Whether the person allowed it.
    pub allowed: bool,
}

impl DevicePage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}

impl DeviceDonePage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}
