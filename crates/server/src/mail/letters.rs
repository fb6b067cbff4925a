//! What mails say, with the tenant's name and colour.

use askama::Template;
use signet_core::context::UnixTime;
use signet_core::records::{LinkPurpose, Tenant};
use signet_core::{duration, people, provision};

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
    /// How the account is called. Whoever makes an account chooses its name, and whom we write to: it is left out where it could
    /// be more than a name ([`provision::may_be_mailed`]).
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
        let good = format!("The link is good once, for {}.", duration::exactly(people::lifetime(purpose)));
        let name = provision::may_be_mailed(self.account, self.to).then_some(self.account);
        let (subject, before, button, after) = match purpose {
            LinkPurpose::Invitation => (
                format!("Your account at {}", brand.name),
                match name {
                    Some(name) => format!("There is an account for you at {}: {name}.", brand.name),
                    None => format!("There is an account for you at {}.", brand.name),
                },
                "Choose a password",
                format!("{good} If you expect nothing of this kind, do nothing."),
            ),
            LinkPurpose::PasswordReset | LinkPurpose::Forgotten => (
                format!("A new password at {}", brand.name),
                format!(
                    "Somebody wants to choose a new password for {} at {}.",
                    name.unwrap_or("your account"),
                    brand.name
                ),
                "Choose a new password",
                format!("{good} If it was not you, do nothing: your password stays as it is."),
            ),
        };
        let text = format!("{before}\n\n{button}:\n{url}\n\n{after}\n");
        let lines = [before, after];
        let html = crate::pages::rendered(&Html { brand: &brand, lines: &lines, button, url });
        Mail { to: self.to.to_owned(), subject, text, html, link: url.to_owned(), at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signet_core::records::TenantSettings;

    #[test]
    fn both_forms_hold_the_link_and_of_names_those_that_are_names_only() {
        let mut tenant = Tenant {
            id: "t".into(),
            issuer: "https://op.example".into(),
            version: 1,
            settings: TenantSettings::default(),
            pairwise_salt: [0; 32],
            created_at: 0,
        };
        tenant.settings.branding.name = "<script>alert(1)</script>".into();
        for (purpose, good) in [
            (LinkPurpose::Invitation, "for 7 days."),
            (LinkPurpose::PasswordReset, "for 30 minutes."),
            (LinkPurpose::Forgotten, "for 30 minutes."),
        ] {
            let url = "https://op.example/account/link?token=x&y";
            let written = |account: &str| {
                let occasion = Occasion::Link { purpose, url };
                Letter { tenant: &tenant, to: "a@b.example", account, occasion, at: 0 }.write()
            };
            let mail = written("alice");
            assert!(mail.text.contains(url) && mail.text.contains("alice") && mail.text.contains(good));
            assert_eq!(mail.link, url);
            let href = "href=\"https://op.example/account/link?token=x&#38;y\"";
            assert!(mail.html.contains(href) && mail.html.contains(good), "{}", mail.html);
            assert!(!mail.html.contains("<script"), "{}", mail.html);
            assert!(written("a@b.example").text.contains("a@b.example"));
            for name in
                ["alice<b>", "https://evil.example/claim-your-prize", "evil.example", "prize@evil.example"]
            {
                let mail = written(name);
                assert!(
                    !mail.text.contains(name) && !mail.html.contains("evil") && !mail.html.contains("alice")
                );
            }
        }
    }
}
