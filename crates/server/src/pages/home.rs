//! The page at an issuer's root.

use askama::Template;

use super::Shell;

/// Says what lives here.
#[derive(Clone, Debug, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    /// What all pages share.
    pub shell: Shell,
    /// The issuer URL.
    pub issuer: String,
    /// Address of the metadata (OpenID Connect Discovery 1.0 section 4).
    pub discovery: String,
    /// Address of the public keys.
    pub jwks: String,
    /// The parts that this visitor may want to open.
    pub doors: Vec<Door>,
    /// Address of the demo; only ever given by `signet dev`.
    pub demo: Option<String>,
    /// Who is signed in here.
    pub visitor: Option<Visitor>,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Who.
    pub account: String,
    /// Where to sign out.
    pub sign_out: String,
    /// Applications that can be started from here: name and address (OpenID Connect Core section 4).
    pub applications: Vec<(String, String)>,
}

/// The way to a part of the provider.
#[derive(Clone, Debug)]
pub struct Door {
    /// What it is called.
    pub name: &'static str,
    /// Its address.
    pub address: String,
    /// What is done there.
    pub text: &'static str,
}

impl HomePage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}
