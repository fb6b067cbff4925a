//! Ten thousand altered request objects against one process, while people go on signing in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use signet_tests::provider::{Browser, Reply};
use tokio::task::JoinSet;

use crate::mutate::{Noise, mutate};
use crate::party::{Object, Party, now};
use crate::site::{ISSUER, Ready, Site, trail};
use crate::web::{Web, is_accepted};

const ALTERED: usize = 10_000;
const SENDERS: usize = 8;
/// Sign-ins that are made meanwhile at least.
const SIGN_INS: usize = 20;
/// How much more memory the process may hold afterwards, in KiB: room for allocator and caches, too little for a leak of
/// one object (2.5 KiB) with each request.
const GROWTH_KIB: u64 = 24 * 1024;
const SEED: u64 = 0x5167_6e65_7410;

/// What can be sent: a good nested object, a good signed one, and nested ones around an altered signed one.
struct Source {
    sealed: Party,
    signed: Party,
    nested: String,
    plain: String,
    inner: String,
}

impl Source {
    fn new(sealed: Party, signed: Party) -> Self {
        let iat = now();
        // They must stay good for as long as the test runs: what is refused is refused for what was altered.
        let object = Object { jti: "the good one", iat, exp: iat + 80_000 };
        let inner = sealed.signed(object);
        Self { nested: sealed.seal(&inner), plain: signed.object(object), inner, sealed, signed }
    }

    /// An altered object, and whose it pretends to be.
    fn altered(&self, noise: &mut Noise) -> (&Party, String) {
        loop {
            let (party, good, altered) = match noise.below(3) {
                0 => (&self.sealed, &self.nested, mutate(&self.nested, noise)),
                1 => (&self.signed, &self.plain, mutate(&self.plain, noise)),
                _ => {
                    let inner = mutate(&self.inner, noise);
                    // Nothing at all cannot be sealed; what was not altered is not what is wanted.
                    if inner.is_empty() || inner == self.inner {
                        continue;
                    }
                    (&self.sealed, &self.nested, self.sealed.seal(&inner))
                }
            };
            let altered = if noise.below(4) == 0 { mutate(&altered, noise) } else { altered };
            if altered != *good {
                return (party, altered);
            }
        }
    }
}

/// A refusal: a page with 4xx, or a redirect to the client with an error.
fn is_refusal(reply: &Reply) -> bool {
    reply.status.is_client_error()
        || (reply.status.is_redirection() && !is_accepted(reply) && reply.location().contains("error="))
}

async fn storm(source: &Arc<Source>, node: &str) {
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let (source, node) = (Arc::clone(source), node.to_owned());
        senders.spawn(async move {
            let mut noise = Noise(SEED + u64::try_from(sender).unwrap());
            let web = Web::new();
            for number in 0..ALTERED / SENDERS {
                let (party, object) = source.altered(&mut noise);
                let reply = if number % 2 == 0 {
                    web.authorize(&node, party, &object, None).await
                } else {
                    web.authorize_get(&node, party, &object).await
                };
                let reply = reply
                    .unwrap_or_else(|| panic!("sender {sender}, object {number}: the connection breaks"));
                assert!(
                    is_refusal(&reply),
                    "sender {sender}, object {number}: {} {}\n{object}\n{}",
                    reply.status,
                    reply.location(),
                    reply.body
                );
            }
        });
    }
    senders.join_all().await;
}

/// Signs in until told to stop; every one must succeed.
async fn sign_ins(web: &Web, node: &str, party: &Party, stop: &AtomicUsize) -> usize {
    let mut done = 0;
    while stop.load(Ordering::SeqCst) == 0 || done < SIGN_INS {
        let code = web.code(node, party, &mut Browser::default()).await;
        let tokens = web.redeem(node, party, &code, &party.rp.redirect_uri).await.expect("an answer");
        crate::web::access_token(&tokens);
        done += 1;
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_is_refused_in_bounded_memory_while_logins_go_on() {
    let Ready { site, node, alpha, demo, .. } = Site::sqlite().ready().await;
    let web = Web::new();
    let jwks = web.get(&format!("{}/jwks", node.address()), None).await.unwrap().json();
    let signed = Party::own("signed", false, ISSUER, &jwks);
    site.apply(&json!({ "version": 1, "clients": [signed.declaration()] })).await;
    let source = Arc::new(Source::new(alpha.clone(), signed.clone()));

    // Warm: caches are filled, every thread has its stack.
    for _ in 0..SIGN_INS {
        web.code(node.address(), &demo, &mut Browser::default()).await;
    }
    let before = node.resident_kib();
    let stop = AtomicUsize::new(0);
    let quiet = async {
        storm(&source, node.address()).await;
        stop.store(1, Ordering::SeqCst);
    };
    let ((), done) = tokio::join!(quiet, sign_ins(&web, node.address(), &alpha, &stop));
    let after = node.resident_kib();

    let store = site.store().await;
    let refused = trail(store.as_ref(), "authorize.refused").await;
    println!(
        "noise: {ALTERED} altered objects, {done} sign-ins meanwhile, resident {before} KiB, then {after} KiB"
    );
    for (reason, count) in &refused {
        println!("noise: {count:6} {reason}");
    }
    assert_eq!(refused.values().sum::<usize>(), ALTERED, "each refusal has its audit event");
    assert!(refused.len() >= 10, "the noise reaches many rules");
    assert!(!refused.contains_key("internal") && !refused.contains_key("busy"));
    assert!(after < before + GROWTH_KIB, "{before} KiB grew to {after} KiB");
    // no broken object has burned the jti of the good one.
    for (party, good) in [(&alpha, &source.nested), (&signed, &source.plain)] {
        let reply = web.authorize(node.address(), party, good, None).await.unwrap();
        assert!(is_accepted(&reply), "{} {}", reply.status, reply.location());
    }
    store.close().await;
    node.terminate().await;
    site.close().await;
}
