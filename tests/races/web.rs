//! HTTP as a browser and as a client application speak it: cookies by hand, redirects not followed.

use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, RequestBuilder};
use signet_tests::provider::{Browser, Reply, between, form};
use signet_tests::rp::VERIFIER;

use crate::party::Party;

/// Longer than the server's own limit of 30 seconds: a request that comes to this hangs.
const HANGS: Duration = Duration::from_secs(45);

/// One person's or application's way to the nodes.
#[derive(Clone, Debug)]
pub(crate) struct Web(Client);

impl Web {
    pub(crate) fn new() -> Self {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .resolve("localhost", ([127, 0, 0, 1], 0).into())
            .timeout(HANGS)
            .build();
        Self(client.unwrap())
    }

    /// `None` if the connection was refused or broke. A request that hangs fails the test.
    async fn send(request: RequestBuilder, browser: Option<&mut Browser>) -> Option<Reply> {
        let request = match &browser {
            Some(browser) => request.header("cookie", browser.cookie()),
            None => request,
        };
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                assert!(!error.is_timeout(), "a request hangs: {error:?}");
                return None;
            }
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match response.text().await {
            Ok(body) => body,
            Err(error) => {
                assert!(!error.is_timeout(), "an answer hangs: {error:?}");
                return None;
            }
        };
        let reply = Reply { status, headers, body };
        if let Some(browser) = browser {
            browser.take(&reply);
        }
        Some(reply)
    }

    pub(crate) async fn get(&self, url: &str, browser: Option<&mut Browser>) -> Option<Reply> {
        Self::send(self.0.get(url), browser).await
    }

    pub(crate) async fn post(&self, url: &str, body: String, browser: Option<&mut Browser>) -> Option<Reply> {
        let request = self.0.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
        Self::send(request, browser).await
    }

    /// An authorization request by POST.
    pub(crate) async fn authorize(
        &self,
        node: &str,
        party: &Party,
        object: &str,
        browser: Option<&mut Browser>,
    ) -> Option<Reply> {
        self.post(&format!("{node}/authorize"), authorization(party, object), browser).await
    }

    /// The same by GET.
    pub(crate) async fn authorize_get(&self, node: &str, party: &Party, object: &str) -> Option<Reply> {
        self.get(&format!("{node}/authorize?{}", authorization(party, object)), None).await
    }

    /// Takes an accepted request through whatever pages follow. The last answer leads to the client, or is an error.
    pub(crate) async fn sign_in(&self, node: &str, accepted: &Reply, browser: &mut Browser) -> Option<Reply> {
        let url = format!("{node}{}", accepted.location());
        for _ in 0..4 {
            let page = self.get(&url, Some(browser)).await?;
            if page.status != StatusCode::OK {
                return Some(page);
            }
            let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
            let next = if page.body.contains("id=\"password\"") {
                let body = form(&[("csrf", csrf), ("username", "alice"), ("password", "alice")]);
                self.post(&format!("{url}/login"), body, Some(browser)).await?
            } else {
                let body = form(&[("csrf", csrf), ("decision", "accept")]);
                self.post(&format!("{url}/consent"), body, Some(browser)).await?
            };
            if !next.location().starts_with("/interaction/") {
                return Some(next);
            }
        }
        panic!("the sign-in does not end");
    }

    /// A new, full sign-in; every step must succeed. Returns the code.
    pub(crate) async fn code(&self, node: &str, party: &Party, browser: &mut Browser) -> String {
        let object = party.fresh(None);
        let accepted = self.authorize(node, party, &object, Some(browser)).await.unwrap();
        assert!(is_accepted(&accepted), "{} {}: {}", accepted.status, accepted.location(), accepted.body);
        let back = self.sign_in(node, &accepted, browser).await.unwrap();
        back.location_param("code").unwrap_or_else(|| panic!("no code: {} {}", back.status, back.location()))
    }

    /// Redeems a code as `party`. The redirect URI is that of the code's owner.
    pub(crate) async fn redeem(
        &self,
        node: &str,
        party: &Party,
        code: &str,
        redirect_uri: &str,
    ) -> Option<Reply> {
        let body = form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ]);
        let basic = STANDARD.encode(format!("{}:{}", party.rp.id, party.secret));
        let request = self.0.post(format!("{node}/token")).header("authorization", format!("Basic {basic}"));
        let kind = "application/x-www-form-urlencoded";
        Self::send(request.header("content-type", kind).body(body), None).await
    }

    /// Uses a refresh token as `party`.
    pub(crate) async fn refresh(&self, node: &str, party: &Party, token: &str) -> Option<Reply> {
        let body = form(&[("grant_type", "refresh_token"), ("refresh_token", token)]);
        let basic = STANDARD.encode(format!("{}:{}", party.rp.id, party.secret));
        let request = self.0.post(format!("{node}/token")).header("authorization", format!("Basic {basic}"));
        let kind = "application/x-www-form-urlencoded";
        Self::send(request.header("content-type", kind).body(body), None).await
    }

    pub(crate) async fn userinfo(&self, node: &str, token: &str) -> Option<Reply> {
        let request =
            self.0.get(format!("{node}/userinfo")).header("authorization", format!("Bearer {token}"));
        Self::send(request, None).await
    }
}

fn authorization(party: &Party, object: &str) -> String {
    form(&[("client_id", &party.rp.id), ("request", object)])
}

/// Whether an authorization request was accepted: the browser is moved on to its interaction.
pub(crate) fn is_accepted(reply: &Reply) -> bool {
    reply.status == StatusCode::SEE_OTHER && reply.location().starts_with("/interaction/")
}

/// Whether an answer is the one for a database that is away: 503 with Retry-After (RFC 9110 section 15.6.4).
pub(crate) fn is_unavailable(reply: &Reply) -> bool {
    reply.status == StatusCode::SERVICE_UNAVAILABLE && !reply.header("retry-after").is_empty()
}

/// The access token of a successful token response.
pub(crate) fn access_token(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    reply.json()["access_token"].as_str().unwrap().to_owned()
}
