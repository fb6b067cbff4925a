//! The page on which people make an account.

use askama::Template;

use super::{About, Shell};

/// Asks for user name, password, name and e-mail address.
#[derive(Clone, Debug, Template)]
#[template(path = "register.html")]
pub struct RegisterPage {
    /// What all pages share.
    pub shell: Shell,
    /// Who the person makes the account for.
    pub client_name: String,
    /// The client's image.
    pub client_logo: Option<String>,
    /// The client's links.
    pub about: About,
    /// Where the form is posted: `csrf`, `username`, `password`, `password_again`, `name`, `email`.
    pub action: String,
    /// Where people go who have an account.
    pub login: String,
    /// Token against cross-site posts.
    pub csrf: String,
    /// What stands in the user name field.
    pub username: String,
    /// What stands in the name field.
    pub name: String,
    /// What stands in the e-mail field.
    pub email: String,
    /// What is wrong with the last attempt, with the id of the field.
    pub error: Option<(&'static str, String)>,
    /// Names the request in the audit log.
    pub correlation_id: String,
}

impl RegisterPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }

    fn wrong(&self, field: &str) -> bool {
        self.error.as_ref().is_some_and(|(wrong, _)| *wrong == field)
    }
}
