//! What the demo remembers between two requests of a browser.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use moka::sync::Cache;
use subtle::ConstantTimeEq as _;

use super::fault::DemoFault;
use super::request::Sent;
use super::story::Story;

const LIFETIME: Duration = Duration::from_mins(15);
const COOKIE: &str = "signet-demo";

/// A login that was begun.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    /// Value of the cookie of the browser that began it.
    pub(super) browser: String,
    /// What was sent.
    pub(super) sent: Arc<Sent>,
    /// Whether its response has come.
    pub(super) used: bool,
}

impl Transaction {
    /// RFC 6749 section 10.12: the response must come back to the browser that was sent away.
    pub(super) fn belongs_to(&self, browser: Option<&str>) -> bool {
        browser.is_some_and(|browser| bool::from(browser.as_bytes().ct_eq(self.browser.as_bytes())))
    }
}

/// Logins by `state`, results by browser. Both are forgotten after a while.
pub(super) struct Transactions {
    begun: Cache<String, Transaction>,
    stories: Cache<String, Arc<Story>>,
}

impl Transactions {
    pub(super) fn new() -> Self {
        fn cache<T: Clone + Send + Sync + 'static>() -> Cache<String, T> {
            Cache::builder().max_capacity(1_000).time_to_live(LIFETIME).build()
        }
        Self { begun: cache(), stories: cache() }
    }

    pub(super) fn begin(&self, browser: &str, sent: Sent) {
        let transaction = Transaction { browser: browser.to_owned(), sent: Arc::new(sent), used: false };
        self.begun.insert(transaction.sent.state.clone(), transaction);
    }

    /// The login that `state` belongs to, as it was before. From now on it counts as used.
    pub(super) fn take(&self, state: Option<&str>, browser: Option<&str>) -> Result<Transaction, DemoFault> {
        let state = state.ok_or(DemoFault::StateUnknown)?;
        let found = self.begun.get(state).filter(|found| found.belongs_to(browser));
        found.ok_or(DemoFault::StateUnknown)?;
        // Taken out, so that of two responses at the same time one finds nothing.
        let taken = self.begun.remove(state).ok_or(DemoFault::Finished)?;
        self.begun.insert(state.to_owned(), Transaction { used: true, ..taken.clone() });
        Ok(taken)
    }

    pub(super) fn keep(&self, browser: &str, story: Story) {
        self.stories.insert(browser.to_owned(), Arc::new(story));
    }

    pub(super) fn story(&self, browser: Option<&str>) -> Option<Arc<Story>> {
        self.stories.get(browser?)
    }

    pub(super) fn forget(&self, browser: Option<&str>) -> Option<Arc<Story>> {
        self.stories.remove(browser?)
    }
}

/// The browser's cookie.
pub(super) fn browser(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == COOKIE && (16..=64).contains(&value.len()))
        .map(|(_, value)| value.to_owned())
}

/// The `Set-Cookie` that gives a browser its cookie.
pub(super) fn set_cookie(value: &str, origin: &str) -> String {
    let secure = if origin.starts_with("https://") { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/demo; HttpOnly; SameSite=Lax; Max-Age={}{secure}", LIFETIME.as_secs())
}
