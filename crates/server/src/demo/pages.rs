//! The demo's pages.

use askama::Template;

use super::DemoRp;
use super::fault::Told;
use super::story::Story;
use crate::pages::{Shell, rendered};

/// A client to choose.
struct Card {
    client_id: String,
    title: String,
    description: String,
    sealed: bool,
}

/// What it is, and which login to try.
#[derive(Template)]
#[template(path = "demo/landing.html")]
pub(super) struct LandingPage<'a> {
    shell: &'a Shell,
    issuer: &'a str,
    users: &'a [(String, String)],
    cards: Vec<Card>,
    has_story: bool,
}

/// A login, told.
#[derive(Template)]
#[template(path = "demo/result.html")]
pub(super) struct ResultPage<'a> {
    shell: &'a Shell,
    story: &'a Story,
}

/// What went wrong.
#[derive(Template)]
#[template(path = "demo/failure.html")]
pub(super) struct FailurePage<'a> {
    shell: &'a Shell,
    pub(super) told: Told,
    has_story: bool,
}

impl<'a> LandingPage<'a> {
    pub(super) fn new(demo: &'a DemoRp, has_story: bool) -> Self {
        let settings = &demo.settings;
        let cards = settings.clients.iter().map(|client| Card {
            client_id: client.client_id.clone(),
            title: client.title.clone(),
            description: client.description.clone(),
            sealed: client.sealed,
        });
        Self {
            shell: &settings.shell,
            issuer: &settings.issuer,
            users: &settings.users,
            cards: cards.collect(),
            has_story,
        }
    }

    pub(super) fn render(&self) -> String {
        rendered(self)
    }
}

impl<'a> ResultPage<'a> {
    pub(super) fn new(demo: &'a DemoRp, story: &'a Story) -> Self {
        Self { shell: &demo.settings.shell, story }
    }

    pub(super) fn render(&self) -> String {
        rendered(self)
    }
}

impl<'a> FailurePage<'a> {
    pub(super) fn new(demo: &'a DemoRp, told: Told, has_story: bool) -> Self {
        Self { shell: &demo.settings.shell, told, has_story }
    }

    pub(super) fn render(&self) -> String {
        rendered(self)
    }
}
