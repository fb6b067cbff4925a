//! The account pages.

use askama::Template;
use zeroize::Zeroizing;

use super::{Shell, TotpOffer};

/// The parts of the account pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What people write of themselves.
    Profile,
    /// Password and second factors.
    Security,
    /// Where they are signed in.
    Sessions,
    /// What they allow to whom.
    Applications,
}

impl Section {
    /// Every part, in the order of the navigation.
    pub const ALL: [Self; 4] = [Self::Profile, Self::Security, Self::Sessions, Self::Applications];

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Profile => "Profile",
            Self::Security => "Security",
            Self::Sessions => "Sessions",
            Self::Applications => "Applications",
        }
    }

    /// Its address behind the tenant's prefix.
    pub fn path(self) -> &'static str {
        match self {
            Self::Profile => "/account",
            Self::Security => "/account/security",
            Self::Sessions => "/account/sessions",
            Self::Applications => "/account/applications",
        }
    }
}

/// What stands around a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Path in front of every address of the tenant.
    pub prefix: String,
    /// Who is signed in.
    pub account: String,
    /// Whether they have a role in the console.
    pub administers: bool,
    /// Which part it is.
    pub section: Section,
    /// Token against cross-site posts.
    pub csrf: String,
    /// What was done on the page before.
    pub done: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

impl Frame {
    /// An address of this tenant.
    pub fn href(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The parts: name, address, and whether it is this one.
    pub fn sections(&self) -> Vec<(&'static str, String, bool)> {
        let one = |part: Section| (part.title(), self.href(part.path()), part == self.section);
        Section::ALL.into_iter().map(one).collect()
    }
}

/// One claim of the profile.
#[derive(Clone, Debug)]
pub struct ProfileField {
    /// Its name.
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// Its value.
    pub value: String,
}

impl ProfileField {
    /// What browsers fill in (WCAG 2.2 criterion 1.3.5).
    pub fn autocomplete(&self) -> &'static str {
        match self.name {
            "name" => "name",
            "given_name" => "given-name",
            "family_name" => "family-name",
            "nickname" => "nickname",
            "email" => "email",
            "phone_number" => "tel",
            "birthdate" => "bday",
            "website" => "url",
            "locale" => "language",
            _ => "off",
        }
    }
}

/// One session.
#[derive(Clone, Debug)]
pub struct SessionLine {
    /// Names it.
    pub sid: String,
    /// The one that this page is seen in.
    pub is_this: bool,
    /// When it began.
    pub since: String,
    /// When it was last used.
    pub last_seen: String,
    /// How the person signed in.
    pub how: String,
    /// Where it was used.
    pub applications: Vec<String>,
}

/// One application.
#[derive(Clone, Debug)]
pub struct ApplicationLine {
    /// Names it.
    pub client_id: String,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub allowed: Vec<String>,
    /// Since when.
    pub since: String,
}

/// One passkey or authenticator application.
#[derive(Clone, Debug)]
pub struct CredentialLine {
    /// Names it.
    pub id: String,
    /// What the person calls it.
    pub name: String,
    /// When it was enrolled.
    pub since: String,
    /// When it was last used.
    pub last_used: Option<String>,
}

/// What people write of themselves.
#[derive(Clone, Debug, Template)]
#[template(path = "account/profile.html")]
pub struct ProfilePage {
    /// What all pages share.
    pub shell: Shell,
    /// What stands around it.
    pub frame: Frame,
    /// What the person types to sign in.
    pub username: String,
    /// The version that the form was made from.
    pub version: i64,
    /// The claims, in order.
    pub fields: Vec<ProfileField>,
}

/// Another password.
#[derive(Clone, Debug, Template)]
#[template(path = "account/password.html")]
pub struct PasswordPage {
    /// What all pages share.
    pub shell: Shell,
    /// What stands around it.
    pub frame: Frame,
    /// What the person types to sign in; for password managers.
    pub username: String,
    /// Whether there is one to be given first.
    pub has_password: bool,
}

/// Where the person is signed in.
#[derive(Clone, Debug, Template)]
#[template(path = "account/sessions.html")]
pub struct SessionsPage {
    /// What all pages share.
    pub shell: Shell,
    /// What stands around it.
    pub frame: Frame,
    /// Where this session is ended.
    pub sign_out: String,
    /// The sessions, the last used first.
    pub lines: Vec<SessionLine>,
}

/// What the person allows to whom.
#[derive(Clone, Debug, Template)]
#[template(path = "account/applications.html")]
pub struct ApplicationsPage {
    /// What all pages share.
    pub shell: Shell,
    /// What stands around it.
    pub frame: Frame,
    /// The applications.
    pub lines: Vec<ApplicationLine>,
}

/// Password, passkeys, authenticator application, recovery codes.
#[derive(Clone, Debug, Template)]
#[template(path = "account/security.html")]
pub struct SecurityPage {
    /// What all pages share.
    pub shell: Shell,
    /// What stands around it.
    pub frame: Frame,
    /// Whether there is a password.
    pub has_password: bool,
    /// Whether browsers have passkeys for this address.
    pub can_have_passkeys: bool,
    /// The passkeys, oldest first.
    pub passkeys: Vec<CredentialLine>,
    /// The authenticator application.
    pub totp: Vec<CredentialLine>,
    /// How many recovery codes are unused.
    pub recovery_codes: usize,
    /// Whether there is a second factor, so that recovery codes make sense.
    pub has_second: bool,
}

/// Asks the browser for a new passkey.
#[derive(Clone, Debug, Template)]
#[template(path = "account/new_passkey.html")]
pub struct NewPasskeyPage {
    /// What all pages share.
    pub shell: Shell,
    /// What stands around it.
    pub frame: Frame,
    /// What the script asks for, in JSON.
    pub options: String,
}

/// Sets up an authenticator application.
#[derive(Clone, Debug, Template)]
#[template(path = "account/new_totp.html")]
pub struct NewTotpPage {
    /// What all pages share.
    pub shell: Shell,
    /// What stands around it.
    pub frame: Frame,
    /// Its setup.
    pub offer: TotpOffer,
}

/// Shows recovery codes, this once.
#[derive(Clone, Debug, Template)]
#[template(path = "account/codes.html")]
pub struct CodesPage {
    /// What all pages share.
    pub shell: Shell,
    /// What stands around it.
    pub frame: Frame,
    /// The codes.
    pub codes: Vec<String>,
}

/// Asks who has forgotten their password.
#[derive(Clone, Debug, Template)]
#[template(path = "account/forgot.html")]
pub struct ForgotPage {
    /// What all pages share.
    pub shell: Shell,
    /// Where the form is posted: `csrf`, `account`.
    pub action: String,
    /// Token against cross-site posts.
    pub csrf: String,
    /// Whether an answer is given; it is the same for everybody.
    pub sent: bool,
    /// How long the link is good, in words.
    pub lifetime: String,
    /// How long no other one is sent, in words.
    pub quiet: String,
    /// Where mails are shown instead of being sent; only ever given by `signet dev`.
    pub mails: Option<String>,
    /// Their account pages, where one signs in.
    pub account: String,
    /// Why not.
    pub error: Option<String>,
}

/// Lets somebody with a link choose a password.
#[derive(Clone, Template)]
#[template(path = "account/choose.html")]
pub struct ChoosePage {
    /// What all pages share.
    pub shell: Shell,
    /// Where the form is posted: `token`, `password`, `password_again`.
    pub action: String,
    /// The secret of the link.
    pub token: Zeroizing<String>,
    /// Whose account it is.
    pub username: String,
    /// Whether it is their first password.
    pub invited: bool,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

impl std::fmt::Debug for ChoosePage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChoosePage").field("action", &self.action).finish_non_exhaustive()
    }
}

/// Says that the password is set.
#[derive(Clone, Debug, Template)]
#[template(path = "account/chosen.html")]
pub struct ChosenPage {
    /// What all pages share.
    pub shell: Shell,
    /// Whose account it is.
    pub username: String,
    /// The account pages.
    pub account: String,
    /// The console, for those who have a role in it.
    pub console: Option<String>,
}

/// A mail in the list of `signet dev`.
#[derive(Clone, Debug)]
pub struct MailLine {
    /// Names it.
    pub number: usize,
    /// To whom.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// When.
    pub at: String,
    /// The plain text.
    pub text: String,
}

/// The mails of `signet dev`.
#[derive(Clone, Debug, Template)]
#[template(path = "account/mails.html")]
pub struct MailsPage {
    /// What all pages share.
    pub shell: Shell,
    /// Address of the list.
    pub home: String,
    /// The mails, newest first.
    pub lines: Vec<MailLine>,
}

/// One mail of `signet dev`.
#[derive(Clone, Debug, Template)]
#[template(path = "account/mail.html")]
pub struct MailPage {
    /// What all pages share.
    pub shell: Shell,
    /// Address of the list.
    pub home: String,
    /// The mail.
    pub line: MailLine,
    /// Its text up to the link.
    pub before: String,
    /// The link.
    pub link: String,
    /// The rest.
    pub after: String,
}

macro_rules! rendered {
    ($($page:ident),+) => {
        $(impl $page {
            /// The HTML document.
            pub fn render(&self) -> String {
                super::rendered(self)
            }
        })+
    };
}

rendered!(
    ProfilePage,
    PasswordPage,
    SessionsPage,
    ApplicationsPage,
    SecurityPage,
    NewPasskeyPage,
    NewTotpPage,
    CodesPage,
    ForgotPage,
    ChoosePage,
    ChosenPage,
    MailsPage,
    MailPage
);
