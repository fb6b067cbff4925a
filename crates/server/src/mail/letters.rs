//! What mails say, with the tenant's name and colour.

use askama::Template;
use signet_core::context::UnixTime;
use signet_core::records::{LinkPurpose, Tenant};

use super::Mail;
use crate::pages::Brand;

/// What a mail is about.
#[derive(Clone, Debug)]
pub enum Occasion<'a> {
    /// A link to choose a password with.
    Link {
        /// What it opens.
        purpose: LinkPurpose,
        /// The link.
        url: &'a str,
    },
}

/// A mail about to be written.
#[derive(Debug)]
pub struct Letter<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    /// To which address.
    pub to: &'a str,
    /// How the account is called.
    pub account: &'a str,
    /// What it is about.
    pub occasion: Occasion<'a>,
    /// When.
    pub at: UnixTime,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    brand: &'a Brand,
    lines: &'a [String],
    button: &'a str,
    url: &'a str,
}

impl Letter<'_> {
    /// The mail.
    pub fn write(&self) -> Mail {
        let brand = Brand::from(&self.tenant.settings.branding);
        let Occasion::Link { purpose, url } = self.occasion;
        let (subject, before, button, after) = match purpose {
            LinkPurpose::Invitation => (
                format!("Your account at {}", brand.name),
                format!("There is an account for you at {}: {}.", brand.name, self.account),
                "Choose a password",
                "The link is good once, for seven days. If you expect nothing of this kind, do nothing.",
            ),
            LinkPurpose::PasswordReset => (
                format!("A new password at {}", brand.name),
                format!("Somebody wants to choose a new password for {} at {}.", self.account, brand.name),
                "Choose a new password",
                "The link is good once, for half an hour. If it was not you, do nothing: your password stays as it is.",
            ),
        };
        let text = format!("{before}\n\n{button}:\n{url}\n\n{after}\n");
        let lines = [before, after.to_owned()];
        let html = crate::pages::rendered(&Html { brand: &brand, lines: &lines, button, url });
        Mail { to: self.to.to_owned(), subject, text, html, at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signet_core::records::TenantSettings;

    #[test]
    fn both_forms_hold_the_link_and_markup_in_names_is_shown_only() {
        let mut tenant = Tenant {
            id: "t".into(),
            issuer: "https://op.example".into(),
            version: 1,
            settings: TenantSettings::default(),
            pairwise_salt: [0; 32],
            created_at: 0,
        };
        tenant.settings.branding.name = "<script>alert(1)</script>".into();
        for purpose in [LinkPurpose::Invitation, LinkPurpose::PasswordReset] {
            let url = "https://op.example/account/link?token=x&y";
            let occasion = Occasion::Link { purpose, url };
            let mail =
                Letter { tenant: &tenant, to: "a@b.example", account: "alice<b>", occasion, at: 0 }.write();
            assert!(mail.text.contains(url) && mail.text.contains("alice<b>"));
            assert!(
                mail.html.contains("href=\"https://op.example/account/link?token=x&#38;y\""),
                "{}",
                mail.html
            );
            assert!(!mail.html.contains("<script") && !mail.html.contains("alice<b>"), "{}", mail.html);
        }
    }
}
