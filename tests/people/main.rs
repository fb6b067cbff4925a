//! What people do with their accounts, and what is done with them: account pages, mail and its links, users at the desk.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod account;
mod commands;
mod links;
mod users;

use signet_tests::provider::{Browser, Provider, Reply, USER, between, form};
use signet_tests::rp::Rp;

/// A provider with the client `rp`.
async fn start() -> Provider {
    let provider = Provider::start().await;
    provider.register(&Rp::new("rp").declaration()).await;
    provider
}

/// Follows redirects within the tenant, and signs in on the way.
async fn visit(provider: &Provider, browser: &mut Browser, path: &str) -> Reply {
    let mut reply = provider.get(path, Some(browser)).await;
    for _ in 0..10 {
        if reply.status.is_redirection() {
            let to = reply.location().strip_prefix("/auth/open").map(str::to_owned);
            // The authorization response goes to the issuer's own address.
            let to = to
                .or_else(|| reply.location().strip_prefix(signet_tests::provider::ISSUER).map(str::to_owned));
            let to = to.unwrap_or_else(|| panic!("leads away: {}", reply.location()));
            reply = provider.get(&to, Some(browser)).await;
        } else if reply.body.contains("data-page=\"login\"") {
            let body = form(&[("csrf", csrf(&reply)), ("username", USER.0), ("password", USER.1)]);
            reply = provider.post(&action(&reply), body, Some(browser)).await;
        } else {
            return reply;
        }
    }
    panic!("no end: {}", reply.body)
}

fn csrf(page: &Reply) -> &str {
    between(&page.body, "name=\"csrf\" value=\"", "\"")
}

/// Where the first form of a page goes, behind the issuer.
fn action(page: &Reply) -> String {
    between(&page.body, "action=\"", "\"").strip_prefix("/auth/open").unwrap().to_owned()
}

fn page_of(reply: &Reply) -> &str {
    between(&reply.body, "data-page=\"", "\"")
}

/// Sends a form with the page's token.
async fn submit(
    provider: &Provider,
    browser: &mut Browser,
    page: &Reply,
    to: &str,
    fields: &[(&str, &str)],
) -> Reply {
    let mut all = vec![("csrf", csrf(page))];
    all.extend_from_slice(fields);
    provider.post(to, form(&all), Some(browser)).await
}

/// What a request with `prompt=none` comes to.
async fn silently(provider: &Provider, browser: &mut Browser) -> String {
    let accepted = provider.authorize(&Rp::new("rp"), &[("prompt", "none")], Some(browser)).await;
    let path = accepted.location().strip_prefix("/auth/open").unwrap().to_owned();
    let back = provider.get(&path, Some(browser)).await;
    back.location_param("error").unwrap_or_else(|| "code".into())
}
