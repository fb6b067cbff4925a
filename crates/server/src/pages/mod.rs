//! The pages people see. Each is a context struct with one template, rendered on the server; none needs JavaScript, an
//! inline style or an inline script, so that the Content Security Policy can forbid all three. Two pages of the logout have
//! a script in a file of its own: one spares people a click, the other is a frame for scripts and shows nothing. So have the
//! pages that ask the browser for a passkey.
//!
//! Everything that is shown as text is escaped by the template engine; everything that becomes an address passes
//! [`web_address`] or [`image_address`] first.

mod accent;
pub mod account;
mod api;
mod assets;
mod check_session;
mod consent;
pub mod console;
mod device;
mod error;
mod form_post;
mod home;
mod login;
mod logout;
mod register;
mod second;
#[cfg(test)]
pub(crate) mod tests;

use askama::Template;
use signet_core::records::Branding;

pub use accent::{Accent, Colour};
pub use api::{ApiOperation, ApiPage, pieces};
pub use assets::{Asset, asset_name, assets, find as find_asset, frames_script_path};
pub use check_session::CheckSessionPage;
pub use consent::{ConsentPage, ScopeLine};
pub use device::{DeviceDonePage, DevicePage};
pub use error::ErrorPage;
pub use form_post::FormPostPage;
pub use home::{Door, HomePage, Visitor};
pub use login::LoginPage;
pub use logout::{LogoutPage, Onward, SignedOutPage};
pub use register::RegisterPage;
pub use second::{EnrolPage, Frame, PasskeyPage, RecoveryPage, SecondPage, TotpOffer};

/// What all pages of a tenant share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    /// Path in front of every address of the tenant, without a slash at its end; empty at the root.
    pub prefix: String,
    /// How the pages look.
    pub brand: Brand,
    /// BCP 47 language of the texts (WCAG 2.2 criterion 3.1.1).
    pub lang: String,
}

/// Where people learn more of a client: shown on every page that a login may begin with (OpenID Connect Dynamic Client
/// Registration section 2, `policy_uri` and `tos_uri`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The client's home page.
    pub client_uri: Option<String>,
    /// Its privacy policy.
    pub policy_uri: Option<String>,
    /// Its terms.
    pub tos_uri: Option<String>,
}

/// A tenant's looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// Name in headings and titles.
    pub name: String,
    /// Image in place of the seal; see [`image_address`].
    pub logo_url: Option<String>,
    /// Colour of seal, buttons and links.
    pub accent: Accent,
}

impl From<&Branding> for Brand {
    fn from(branding: &Branding) -> Self {
        Self {
            name: branding.name.clone(),
            logo_url: branding.logo_url.clone(),
            accent: Accent::parse(&branding.accent).unwrap_or_default(),
        }
    }
}

impl Shell {
    /// The shell of a tenant whose addresses start with `prefix`.
    pub fn new(prefix: impl Into<String>, branding: &Branding) -> Self {
        Self { prefix: prefix.into(), brand: branding.into(), lang: "en".into() }
    }

    /// Address of the stylesheet; its content is part of the name.
    pub fn stylesheet(&self) -> String {
        format!("{}/assets/{}", self.prefix, assets::stylesheet_name())
    }

    /// Address of the demo's stylesheet.
    pub fn demo_stylesheet(&self) -> String {
        format!("{}/assets/{}", self.prefix, assets::demo_stylesheet_name())
    }

    /// Address of the script that asks the browser for a passkey.
    pub fn passkey_script(&self) -> String {
        format!("{}/assets/{}", self.prefix, assets::passkey_name())
    }

    /// Address of the colours.
    pub fn theme(&self) -> String {
        format!("{}/assets/theme-{}.css", self.prefix, self.brand.accent.hex())
    }

    /// Address of the seal in the brand's colour.
    pub fn seal(&self) -> String {
        format!("{}/assets/seal-{}.svg", self.prefix, self.brand.accent.hex())
    }

    /// The brand's own image.
    pub fn logo(&self) -> Option<&str> {
        image_address(self.brand.logo_url.as_deref())
    }
}

impl Default for Shell {
    /// The shell of pages that belong to no tenant.
    fn default() -> Self {
        Self::new("", &Branding::default())
    }
}

/// An address that may become a link: http or https. Whoever registers `javascript:` gets text without a link.
pub fn web_address(address: Option<&str>) -> Option<&str> {
    address.filter(|address| has_scheme(address, "https://") || has_scheme(address, "http://"))
}

/// An address that may become an image: https, an image in the address itself, or a path of this server.
pub fn image_address(address: Option<&str>) -> Option<&str> {
    address.filter(|address| {
        has_scheme(address, "https://")
            || has_scheme(address, "data:image/")
            || (address.starts_with('/') && !address.starts_with("//"))
    })
}

/// An address that a native application may have as well: http, https, or a scheme that is a reversed domain name (RFC 8252
/// section 7.1).
pub fn application_address(address: &str) -> Option<&str> {
    let scheme = address.split_once(':').map_or("", |(scheme, _)| scheme);
    let own =
        scheme.contains('.') && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    web_address(Some(address)).or_else(|| own.then_some(address))
}

fn has_scheme(address: &str, scheme: &str) -> bool {
    address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// Renders a template. Writing to a string does not fail; should a template fail all the same, people still get a page.
pub(crate) fn rendered(template: &impl Template) -> String {
    template.render().unwrap_or_else(|_| {
        "<!doctype html><html lang=\"en\"><title>Error</title><h1>This page cannot be shown</h1></html>"
            .into()
    })
}
