//! Before and after signing out.

use askama::Template;

use super::{Shell, application_address, web_address};

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
    /// What the client asked, to be judged again with the answer.
    pub client_id: Option<String>,
    /// Where the browser goes afterwards.
    pub post_logout_redirect_uri: Option<String>,
    /// Goes with it.
    pub state: Option<String>,
}

/// Says that the person is signed out, tells clients by frames, and leads on.
#[derive(Clone, Debug, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage {
    /// What all pages share.
    pub shell: Shell,
    /// Where to go on.
    pub onward: Option<Onward>,
    /// Addresses that are loaded in frames (OpenID Connect Front-Channel Logout 1.0 section 3).
    pub frames: Vec<String>,
    /// Address of the script that goes on when the frames are loaded.
    pub script: String,
}

/// The way on after a logout.
#[derive(Clone, Debug)]
pub struct Onward {
    /// The client's name.
    pub name: String,
    /// Its registered address, with the `state` it sent.
    pub address: String,
    /// Go there without being asked.
    pub at_once: bool,
}

impl LogoutPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}

impl SignedOutPage {
    fn onward(&self) -> Option<&Onward> {
        self.onward.as_ref().filter(|onward| application_address(&onward.address).is_some())
    }

    fn frames(&self) -> impl Iterator<Item = &str> {
        self.frames.iter().filter_map(|frame| web_address(Some(frame.as_str())))
    }

    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}
