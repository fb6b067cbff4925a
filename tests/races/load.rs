//! Sign-ins under way when something is killed, and what must be true of them afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use signet_store::Store;
use signet_tests::process::PATIENCE;
use signet_tests::provider::Browser;
use tokio::task::JoinSet;

use crate::party::Party;
use crate::site::reason;
use crate::web::{Web, access_token, is_accepted, is_unavailable};

/// One sign-in, as far as it came. What is set here was acknowledged to the outside.
#[derive(Debug, Default)]
pub(crate) struct Attempt {
    object: String,
    accepted: bool,
    code: Option<String>,
    /// The code was sent to be redeemed; whether it was is known only if there is a token.
    redeeming: bool,
    token: Option<String>,
}

/// What the workers and the test tell each other.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    stop: AtomicBool,
    /// The database is away; nothing can be accepted.
    away: AtomicBool,
    /// Sign-ins that came to their token.
    done: AtomicUsize,
    /// Answers with 503 and Retry-After.
    unavailable: AtomicUsize,
    /// Connections that were refused or broke.
    broken: AtomicUsize,
}

/// Workers that sign in over and over.
#[derive(Debug)]
pub(crate) struct Load {
    signals: Arc<Signals>,
    workers: JoinSet<Vec<Attempt>>,
}

impl Load {
    /// Starts `count` workers over `nodes`. Every fourth one types its password each time, the others have a session;
    /// every other sign-in leaves its code unredeemed.
    pub(crate) fn start(nodes: &[String], party: &Party, count: usize) -> Self {
        let signals = Arc::<Signals>::default();
        let mut workers = JoinSet::new();
        for number in 0..count {
            let (node, party, signals) =
                (nodes[number % nodes.len()].clone(), party.clone(), Arc::clone(&signals));
            workers.spawn(async move {
                let (web, mut browser, mut attempts) = (Web::new(), Browser::default(), Vec::new());
                while !signals.stop.load(Ordering::SeqCst) {
                    if number % 4 == 0 {
                        browser = Browser::default();
                    }
                    let redeem = attempts.len() % 2 == 0;
                    let mut attempt = Attempt { object: party.fresh(None), ..Attempt::default() };
                    if attempt.run(&web, &node, &party, &mut browser, redeem, &signals).await.is_none() {
                        signals.broken.fetch_add(1, Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    attempts.push(attempt);
                }
                attempts
            });
        }
        Self { signals, workers }
    }

    /// Waits until `more` sign-ins have come to their token.
    pub(crate) async fn done(&self, more: usize) {
        Self::reaches(&self.signals.done, more, "sign-ins").await;
    }

    /// Waits until `more` answers have said that the database is away.
    pub(crate) async fn unavailable(&self, more: usize) {
        Self::reaches(&self.signals.unavailable, more, "answers with 503").await;
    }

    async fn reaches(counter: &AtomicUsize, more: usize, what: &str) {
        let goal = counter.load(Ordering::SeqCst) + more;
        let reached = async {
            while counter.load(Ordering::SeqCst) < goal {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("no {more} more {what}"));
    }

    /// Says whether the database is away.
    pub(crate) fn database_away(&self, away: bool) {
        self.signals.away.store(away, Ordering::SeqCst);
    }

    /// Stops the workers. Returns all that they did, and how many connections broke.
    pub(crate) async fn stop(self) -> (Vec<Attempt>, usize) {
        self.signals.stop.store(true, Ordering::SeqCst);
        let attempts = self.workers.join_all().await.into_iter().flatten().collect();
        (attempts, self.signals.broken.load(Ordering::SeqCst))
    }
}

impl Attempt {
    /// `None` when a connection breaks.
    async fn run(
        &mut self,
        web: &Web,
        node: &str,
        party: &Party,
        browser: &mut Browser,
        redeem: bool,
        signals: &Signals,
    ) -> Option<()> {
        let unavailable = |reply: &signet_tests::provider::Reply| {
            let away = is_unavailable(reply);
            if away {
                signals.unavailable.fetch_add(1, Ordering::SeqCst);
            }
            away
        };
        let was_away = signals.away.load(Ordering::SeqCst);
        let reply = web.authorize(node, party, &self.object, Some(browser)).await?;
        if unavailable(&reply) {
            return Some(());
        }
        assert!(is_accepted(&reply), "{} {}: {}", reply.status, reply.location(), reply.body);
        assert!(!was_away || !signals.away.load(Ordering::SeqCst), "accepted without a database");
        self.accepted = true;
        let back = web.sign_in(node, &reply, browser).await?;
        if unavailable(&back) {
            return Some(());
        }
        let code = back.location_param("code");
        assert!(code.is_some(), "{} {}: {}", back.status, back.location(), back.body);
        self.code = code;
        if !redeem {
            return Some(());
        }
        self.redeeming = true;
        let tokens = web.redeem(node, party, self.code.as_deref()?, &party.rp.redirect_uri).await?;
        if unavailable(&tokens) {
            return Some(());
        }
        self.token = Some(access_token(&tokens));
        signals.done.fetch_add(1, Ordering::SeqCst);
        Some(())
    }
}

/// What became of the attempts after the crash.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    acknowledged_jtis: usize,
    unacknowledged_jtis: usize,
    accepted_at_last: usize,
    tokens: usize,
    open_codes: usize,
    codes_in_doubt: usize,
}

/// Nothing acknowledged is lost: each accepted `jti` is still used, each access token answers, each code redeems. Nothing
/// is accepted twice: whatever was not acknowledged passes once at most.
pub(crate) async fn verify(store: &dyn Store, node: &str, party: &Party, attempts: &[Attempt]) -> Verdict {
    let (web, mut verdict) = (Web::new(), Verdict::default());
    for attempt in attempts {
        attempt.verify_object(store, &web, node, party, &mut verdict).await;
        attempt.verify_code(&web, node, party, &mut verdict).await;
    }
    verdict
}

impl Attempt {
    async fn verify_object(
        &self,
        store: &dyn Store,
        web: &Web,
        node: &str,
        party: &Party,
        verdict: &mut Verdict,
    ) {
        let mut accepted = usize::from(self.accepted);
        for _ in 0..2 {
            let reply = web.authorize(node, party, &self.object, None).await.expect("an answer");
            if is_accepted(&reply) {
                accepted += 1;
                verdict.accepted_at_last += 1;
            } else {
                assert_eq!(reason(store, &reply).await.0.as_deref(), Some("object_replayed"));
            }
        }
        assert!(accepted <= 1, "a jti was accepted {accepted} times: {self:?}");
        *if self.accepted { &mut verdict.acknowledged_jtis } else { &mut verdict.unacknowledged_jtis } += 1;
    }

    async fn verify_code(&self, web: &Web, node: &str, party: &Party, verdict: &mut Verdict) {
        let Some(code) = &self.code else { return };
        if let Some(token) = &self.token {
            let answer = web.userinfo(node, token).await.expect("an answer");
            assert_eq!(answer.status, StatusCode::OK, "an issued token is lost: {self:?}");
            verdict.tokens += 1;
        }
        let mut redeemed = usize::from(self.token.is_some());
        for _ in 0..2 {
            let reply = web.redeem(node, party, code, &party.rp.redirect_uri).await.expect("an answer");
            redeemed += usize::from(reply.status == StatusCode::OK);
            assert!(
                reply.status == StatusCode::OK || reply.json()["error"] == "invalid_grant",
                "{}",
                reply.body
            );
        }
        assert!(redeemed <= 1, "a code was redeemed {redeemed} times: {self:?}");
        if self.redeeming {
            verdict.codes_in_doubt += usize::from(self.token.is_none());
        } else {
            assert_eq!(redeemed, 1, "an issued code is lost: {self:?}");
            verdict.open_codes += 1;
        }
        if let Some(token) = &self.token {
            let answer = web.userinfo(node, token).await.expect("an answer");
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "the replayed code ends its token");
        }
    }
}
