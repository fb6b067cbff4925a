//! The page that describes the administrative interface.

use askama::Template;

use super::{Shell, rendered};

/// What can be done over the administrative interface.
#[derive(Clone, Debug, Template)]
#[template(path = "api.html")]
pub struct ApiPage {
    /// What all pages share.
    pub shell: Shell,
    /// The address in front of every path.
    pub base: String,
    /// The address of the OpenAPI document.
    pub document: String,
    /// The operations.
    pub operations: Vec<ApiOperation>,
    /// Each scope with its sentence and the roles that have it.
    pub scopes: Vec<(&'static str, &'static str, String)>,
    /// Each reason code with its status and text.
    pub problems: Vec<(&'static str, u16, String)>,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct ApiOperation {
    /// Its name.
    pub id: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path below the interface.
    pub path: &'static str,
    /// The scopes that it needs.
    pub scopes: Vec<&'static str>,
    /// What it does.
    pub summary: &'static str,
    /// More of it.
    pub detail: &'static str,
    /// Headers that it takes.
    pub headers: Vec<(&'static str, &'static str)>,
    /// Query parameters that it takes.
    pub query: Vec<(&'static str, String)>,
    /// A body that works.
    pub example: Option<String>,
}

impl ApiPage {
    /// The operations by what they are about: the first part of their paths, in the order of the table.
    fn groups(&self) -> Vec<(&'static str, Vec<&ApiOperation>)> {
        let mut groups: Vec<(&'static str, Vec<&ApiOperation>)> = Vec::new();
        for operation in &self.operations {
            let name = operation.path.split('/').nth(1).unwrap_or_default();
            match groups.iter_mut().find(|group| group.0 == name) {
                Some(group) => group.1.push(operation),
                None => groups.push((name, vec![operation])),
            }
        }
        groups
    }

    /// The page as HTML.
    pub fn render(&self) -> String {
        rendered(self)
    }
}

/// A text in pieces; those between backticks are code.
pub fn pieces(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(index, piece)| (index % 2 == 1, piece))
}
