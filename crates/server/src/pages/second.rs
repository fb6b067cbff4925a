//! The pages of the second step: a code, a passkey, an authenticator application to enrol, and recovery codes.

use askama::Template;

use super::Shell;

/// What these pages have in common.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Who the person signs in to.
    pub client_name: String,
    /// Where the form is posted: `csrf`, and what the page asks for; or `decision=deny`.
    pub action: String,
    /// Token against cross-site posts.
    pub csrf: String,
    /// Names the request in the audit log.
    pub correlation_id: String,
}

/// Asks for a code.
#[derive(Clone, Debug, Template)]
#[template(path = "second.html")]
pub struct SecondPage {
    /// What all pages share.
    pub shell: Shell,
    /// The form.
    pub frame: Frame,
    /// Whose second step it is.
    pub account: String,
    /// Whether there is an authenticator application.
    pub totp: bool,
    /// Whether recovery codes are left.
    pub recovery: bool,
    /// Where a passkey is used, if there is one.
    pub passkey: Option<String>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// What an authenticator application is set up with.
#[derive(Clone, Debug)]
pub struct TotpOffer {
    /// A QR code, as SVG of our own making.
    pub picture: String,
    /// What the QR code says; a link for applications on the same device.
    pub address: String,
    /// The secret, for typing.
    pub secret: String,
    /// The secret, sealed: comes back with the form.
    pub enrolment: String,
}

/// Lets a person enrol an authenticator application on the way to a client that wants it.
#[derive(Clone, Debug, Template)]
#[template(path = "enrol.html")]
pub struct EnrolPage {
    /// What all pages share.
    pub shell: Shell,
    /// The form.
    pub frame: Frame,
    /// The application's setup.
    pub offer: TotpOffer,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// Shows recovery codes, this once.
#[derive(Clone, Debug, Template)]
#[template(path = "recovery.html")]
pub struct RecoveryPage {
    /// What all pages share.
    pub shell: Shell,
    /// Whose page.
    pub frame: Frame,
    /// The codes.
    pub codes: Vec<String>,
    /// Where it goes on.
    pub onward: String,
}

/// Asks the browser for a passkey.
#[derive(Clone, Debug, Template)]
#[template(path = "passkey.html")]
pub struct PasskeyPage {
    /// What all pages share.
    pub shell: Shell,
    /// The form: `answer`.
    pub frame: Frame,
    /// What the script asks the browser for, in JSON.
    pub options: String,
    /// The way back, to other ways.
    pub back: String,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

impl SecondPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}

impl EnrolPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}

impl RecoveryPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}

impl PasskeyPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}
