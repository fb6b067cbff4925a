//! Sessions by their public id, where they have logged in, and what is told when they end.

use signet_core::change::{Change, Conflict};
use signet_core::ids::TokenHash;
use signet_core::records::{LogoutDelivery, Session, SessionClient};

use super::build::{
    self, NOW, access_token, attempt, client, delivery, grant, id, session, session_client, user, world,
};
use super::{Handle, apply, assert_conflict};
use crate::backend;

pub async fn a_session_is_found_by_its_sid(store: &Handle) {
    let world = world(store, "one").await;
    let (old, other) = (session(&world.user, "old"), session(&world.user, "other"));
    apply(store, &world.id, &[Change::InsertSession(old.clone()), Change::InsertSession(other.clone())])
        .await;
    assert_eq!(store.session_by_sid(&world.id, &old.sid).await.unwrap(), Some(old.clone()));
    assert_eq!(store.session_by_sid(&world.id, &other.sid).await.unwrap(), Some(other));
    assert_eq!(store.session_by_sid(&world.id, "unknown").await.unwrap(), None);
    // A new login in the same browser keeps the sid under another cookie.
    let new = Session { sid: old.sid.clone(), auth_time: NOW + 5, ..session(&world.user, "new") };
    apply(store, &world.id, &[Change::InsertSession(new.clone())]).await;
    assert_eq!(store.session_by_sid(&world.id, &old.sid).await.unwrap(), Some(new.clone()));
    apply(store, &world.id, &[Change::DeleteSession(old.hash)]).await;
    assert_eq!(store.session_by_sid(&world.id, &old.sid).await.unwrap(), Some(new));
}

/// Back-Channel Logout section 2.5: "the set of logged-in RPs" of a session.
pub async fn a_session_remembers_its_clients(store: &Handle) {
    let world = world(store, "one").await;
    let other = client(&world.id, "aaa");
    let (mut app, aaa) =
        (session_client(&world.user, &world.client, "s"), session_client(&world.user, &other, "s"));
    let elsewhere = session_client(&world.user, &world.client, "S");
    let mut changes = vec![Change::InsertClient(other)];
    changes.extend([&app, &aaa, &elsewhere, &app].map(|noted| Change::PutSessionClient(noted.clone())));
    apply(store, &world.id, &changes).await;
    assert_eq!(store.session_clients(&world.id, "s").await.unwrap(), [aaa.clone(), app.clone()]);

    // What was noted is remembered as long as the longest session asks for.
    for (expires_at, stored) in [(NOW + 9000, NOW + 9000), (NOW + 10, NOW + 9000)] {
        let again = SessionClient { expires_at, ..app.clone() };
        apply(store, &world.id, &[Change::PutSessionClient(again)]).await;
        app.expires_at = stored;
        assert_eq!(store.session_clients(&world.id, "s").await.unwrap(), [aaa.clone(), app.clone()]);
    }
    for _ in 0..2 {
        apply(store, &world.id, &[Change::DeleteSessionClients { sid: "s".into() }]).await;
        assert_eq!(store.session_clients(&world.id, "s").await.unwrap(), []);
    }
    assert_eq!(store.session_clients(&world.id, "S").await.unwrap(), [elsewhere]);
    // The end of the session itself does not forget them: they are still to be told.
    let cookie = session(&world.user, "cookie");
    let noted = session_client(&world.user, &world.client, &cookie.sid);
    let changes = [
        Change::InsertSession(cookie.clone()),
        Change::PutSessionClient(noted.clone()),
        Change::DeleteSession(cookie.hash),
    ];
    apply(store, &world.id, &changes).await;
    assert_eq!(store.session_clients(&world.id, &cookie.sid).await.unwrap(), [noted]);
}

/// Back-Channel Logout section 2.7: tokens without `offline_access` end with the session.
pub async fn a_session_takes_its_grants_along(store: &Handle) {
    let world = world(store, "one").await;
    let mut changes = Vec::new();
    for (number, sid) in [(1, Some("s")), (2, Some("s")), (3, Some("S")), (4, None)] {
        let mut grant = grant(&world.user, &world.client, number);
        grant.sid = sid.map(str::to_owned);
        changes.push(Change::InsertGrant(grant.clone()));
        changes.push(Change::InsertAccessToken(access_token(&grant, &number.to_string())));
    }
    apply(store, &world.id, &changes).await;
    let end = |sid: &str| Change::RevokeSessionGrants { sid: sid.into(), at: NOW };
    apply(store, &world.id, &[end("s"), end("s"), end("unknown")]).await;
    for (number, alive) in [(1, false), (2, false), (3, true), (4, true)] {
        let hash = TokenHash::of(&number.to_string());
        assert_eq!(store.access_token(&world.id, &hash).await.unwrap().is_some(), alive, "{number}");
    }
}

pub async fn a_delivery_is_tried_until_it_is_settled(store: &Handle) {
    let world = world(store, "one").await;
    let mut told = delivery(&world.user, &world.client, 1);
    apply(store, &world.id, &[Change::InsertLogoutDelivery(told.clone())]).await;
    assert_eq!(store.logout_delivery(&world.id, told.id).await.unwrap(), Some(told.clone()));
    assert_eq!(store.logout_delivery(&world.id, id(99)).await.unwrap(), None);
    let again = Change::InsertLogoutDelivery(told.clone());
    assert_conflict(store.apply(&world.id, &[again]).await, Conflict::Exists);
    let refused = async |change: Change| {
        assert_conflict(store.apply(&world.id, &[change]).await, Conflict::Delivery);
    };
    refused(attempt(&delivery(&world.user, &world.client, 99), None)).await;

    // A failure, then success.
    let failure = LogoutDelivery {
        attempts: 1,
        next_attempt_at: Some(NOW + 60),
        last_error: Some("status".into()),
        ..told.clone()
    };
    let success = LogoutDelivery {
        attempts: 2,
        next_attempt_at: None,
        delivered_at: Some(NOW + 61),
        ..failure.clone()
    };
    for next in [failure, success] {
        let seen_attempts = told.attempts;
        let change = Change::UpdateLogoutDelivery { delivery: next.clone(), seen_attempts };
        apply(store, &world.id, std::slice::from_ref(&change)).await;
        refused(change).await;
        told = next;
        assert_eq!(store.logout_delivery(&world.id, told.id).await.unwrap(), Some(told.clone()));
    }
    refused(attempt(&told, Some(NOW))).await;
}

/// Of every tenant: whoever has time makes the attempt.
pub async fn due_deliveries_come_longest_waiting_first(store: &Handle) {
    let (one, two) = (world(store, "one").await, build::world(store, "two").await);
    let mut expected = Vec::new();
    for (world, number, due) in [
        (&one, 1, Some(NOW + 3)),
        (&two, 1, Some(NOW + 1)),
        (&one, 2, Some(NOW + 4)),
        (&one, 3, Some(NOW + 2)),
        (&two, 4, None),
    ] {
        let delivery =
            LogoutDelivery { next_attempt_at: due, ..delivery(&world.user, &world.client, number) };
        apply(store, &world.id, &[Change::InsertLogoutDelivery(delivery.clone())]).await;
        expected.push(delivery);
    }
    let [first, second, late, third, _] = expected.try_into().expect("five");
    let sorted: [LogoutDelivery; 3] = [second, third, first];
    assert_eq!(store.due_logout_deliveries(NOW + 3, 9).await.unwrap(), sorted);
    assert_eq!(store.due_logout_deliveries(NOW + 3, 2).await.unwrap(), sorted[..2]);
    assert_eq!(store.due_logout_deliveries(NOW, 9).await.unwrap(), []);
    // An attempt in progress is nobody else's until its time is over.
    apply(store, &one.id, &[attempt(&late, Some(NOW + 60))]).await;
    assert_eq!(store.due_logout_deliveries(NOW + 59, 9).await.unwrap().len(), 3);
    assert_eq!(store.due_logout_deliveries(NOW + 60, 9).await.unwrap().len(), 4);
}

pub async fn deliveries_are_listed_newest_first(store: &Handle) {
    let world = world(store, "one").await;
    let (other, bob) = (client(&world.id, "other"), user(&world.id, 2, "bob"));
    apply(store, &world.id, &[Change::InsertClient(other.clone()), Change::InsertUser(bob.clone())]).await;
    let mut all = Vec::new();
    for (number, created_at) in [(1, NOW + 2), (2, NOW + 1), (3, NOW + 2), (4, NOW + 3)] {
        let delivery = LogoutDelivery { created_at, ..delivery(&bob, &world.client, number) };
        all.push(delivery.clone());
        apply(store, &world.id, &[Change::InsertLogoutDelivery(delivery)]).await;
    }
    apply(store, &world.id, &[Change::InsertLogoutDelivery(delivery(&bob, &other, 5))]).await;
    let sorted = [3, 2, 0, 1].map(|index: usize| all[index].clone());
    let app = &world.client.client_id;
    assert_eq!(store.logout_deliveries(&world.id, app, 9).await.unwrap(), sorted);
    assert_eq!(store.logout_deliveries(&world.id, app, 2).await.unwrap(), sorted[..2]);
    assert_eq!(store.logout_deliveries(&world.id, app, 0).await.unwrap(), sorted[..1]);

    // That an account was removed is a reason to tell: what is on its way stays so.
    apply(store, &world.id, &[Change::DeleteUser(bob.id)]).await;
    assert_eq!(store.logout_deliveries(&world.id, app, 9).await.unwrap(), sorted);
    apply(store, &world.id, &[Change::DeleteClient(app.clone())]).await;
    assert_eq!(store.logout_deliveries(&world.id, app, 9).await.unwrap(), []);
    assert_eq!(store.logout_deliveries(&world.id, &other.client_id, 9).await.unwrap().len(), 1);
}

/// The operator may look at what was settled for a week; what is not settled stays.
pub async fn settled_deliveries_are_kept_for_a_while(store: &Handle) {
    let world = world(store, "one").await;
    let told = |number| delivery(&world.user, &world.client, number);
    let changes = [1, 2, 3].map(|number| Change::InsertLogoutDelivery(told(number)));
    apply(store, &world.id, &changes).await;
    let born_settled = LogoutDelivery { next_attempt_at: None, ..told(4) };
    let delivered =
        LogoutDelivery { attempts: 1, next_attempt_at: None, delivered_at: Some(NOW + 50), ..told(1) };
    let changes = [
        Change::InsertLogoutDelivery(born_settled),
        Change::UpdateLogoutDelivery { delivery: delivered, seen_attempts: 0 },
        attempt(&told(2), Some(NOW + 100)),
        // Given up: its last attempt was due then.
        attempt(&LogoutDelivery { attempts: 1, ..told(2) }, None),
    ];
    apply(store, &world.id, &changes).await;
    for (after, number) in [(0, 4), (50, 1), (100, 2)] {
        let end = NOW + after + backend::DELIVERY_MEMORY;
        assert_eq!(store.sweep(end - 1, 10).await.unwrap().rows, 0);
        assert!(store.logout_delivery(&world.id, id(number)).await.unwrap().is_some());
        assert_eq!(store.sweep(end, 10).await.unwrap().rows, 1);
        assert_eq!(store.logout_delivery(&world.id, id(number)).await.unwrap(), None);
    }
    store.sweep(i64::MAX, 10).await.unwrap();
    assert_eq!(store.logout_delivery(&world.id, id(3)).await.unwrap(), Some(told(3)));
}
