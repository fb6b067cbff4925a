//! What was judged by a user or a session that others end: it is written before the end, and ends with it, or not at all.

use signet_core::change::{Change, Conflict};
use signet_core::records::{Grant, Session, User};

use super::build::{self, NOW, World, code, id, redeem, session, session_client, tenant, user, world};
use super::races::race;
use super::{Handle, apply, assert_conflict};
use crate::StoreError;

const ROUNDS: usize = 16;

fn need(user: &User) -> Change {
    Change::NeedUser { id: user.id, version: user.version }
}

fn next(user: &User) -> User {
    User { version: user.version + 1, password_hash: Some("another".into()), ..user.clone() }
}

fn end_all(user: &User) -> Change {
    Change::EndUserSessions { user_id: user.id, keep: None, at: NOW }
}

fn grant_of(world: &World, number: u128, session: &Session) -> Grant {
    Grant { sid: Some(session.sid.clone()), ..build::grant(&world.user, &world.client, number) }
}

/// What a login would write that has seen `world.user`.
fn login(world: &World, session: &Session) -> Vec<Change> {
    vec![need(&world.user), Change::InsertSession(session.clone())]
}

pub async fn what_was_judged_by_a_user_needs_them_as_they_were(store: &Handle) {
    let world = world(store, "one").await;
    let cookie = session(&world.user, "cookie");
    apply(store, &world.id, &login(&world, &cookie)).await;
    assert_eq!(
        store.user(&world.id, world.user.id).await.unwrap(),
        Some(world.user.clone()),
        "nothing written"
    );
    // The transaction's own change is what comes next; the version that was seen is what it is held against.
    apply(store, &world.id, &[need(&world.user), Change::UpdateUser(next(&world.user))]).await;
    let late = session(&world.user, "late");
    assert_conflict(store.apply(&world.id, &login(&world, &late)).await, Conflict::Version);
    assert_eq!(store.session(&world.id, &late.hash).await.unwrap(), None);
    apply(store, &world.id, &[need(&next(&world.user)), Change::DeleteUser(world.user.id)]).await;
    assert_conflict(store.apply(&world.id, &login(&world, &late)).await, Conflict::Version);
    let two = super::build::world(store, "two").await;
    let foreign = Change::NeedUser { id: id(77), version: 1 };
    assert_conflict(store.apply(&two.id, &[foreign]).await, Conflict::Version);
}

pub async fn what_is_issued_in_a_session_needs_it(store: &Handle) {
    let world = world(store, "one").await;
    let cookie = session(&world.user, "cookie");
    apply(store, &world.id, &[Change::InsertSession(cookie.clone())]).await;
    apply(store, &world.id, &[Change::NeedSession(cookie.hash)]).await;
    let raised = Session {
        auth_time: NOW + 5,
        amr: vec!["pwd".into(), "hwk".into()],
        acr: "higher".into(),
        last_seen: NOW + 6,
        ..cookie.clone()
    };
    apply(store, &world.id, &[Change::UpdateSession(raised.clone())]).await;
    assert_eq!(store.session(&world.id, &cookie.hash).await.unwrap(), Some(raised.clone()));

    let two = tenant("two").id;
    apply(store, &two, &[Change::InsertTenant(tenant("two"))]).await;
    let foreign = Session { tenant: two.clone(), ..raised.clone() };
    for (tenant, change) in [
        (&two, Change::NeedSession(cookie.hash)),
        (&two, Change::UpdateSession(foreign)),
        (&world.id, Change::NeedSession(session(&world.user, "none").hash)),
        (&two, Change::TakeSession(cookie.hash)),
        (&world.id, Change::TakeSession(session(&world.user, "none").hash)),
    ] {
        assert_conflict(store.apply(tenant, &[change]).await, Conflict::Session);
    }
    let stranger = store.apply(&two, &[Change::UpdateSession(raised.clone())]).await;
    assert!(matches!(stranger, Err(StoreError::Corrupt(_))));

    apply(store, &world.id, &[Change::DeleteSession(cookie.hash)]).await;
    for change in [Change::NeedSession(cookie.hash), Change::UpdateSession(raised)] {
        let grant = Change::InsertGrant(grant_of(&world, 1, &cookie));
        assert_conflict(store.apply(&world.id, &[grant, change]).await, Conflict::Session);
    }
    apply(store, &world.id, &[Change::InsertGrant(grant_of(&world, 1, &cookie))]).await;
}

pub async fn all_sessions_of_a_user_end_with_what_hangs_on_them(store: &Handle) {
    let world = world(store, "one").await;
    let bob = user(&world.id, 2, "bob");
    let [kept, gone, expired] = ["kept", "gone", "expired"].map(|cookie| session(&world.user, cookie));
    let (expired, his) = (Session { expires_at: NOW - 1, ..expired }, session(&bob, "his"));
    let mut changes = vec![Change::InsertUser(bob.clone())];
    let mut codes = Vec::new();
    for (number, session) in (1..).zip([&kept, &gone, &expired, &his]) {
        let owner = if session.user_id == bob.id { &bob } else { &world.user };
        let mut grant = build::grant(owner, &world.client, number);
        grant.sid = Some(session.sid.clone());
        codes.push(code(&grant, &session.sid));
        changes.extend([
            Change::InsertSession(session.clone()),
            Change::PutSessionClient(session_client(owner, &world.client, &session.sid)),
            Change::InsertGrant(grant),
            Change::InsertCode(codes[codes.len() - 1].clone()),
        ]);
    }
    apply(store, &world.id, &changes).await;
    let end = |keep| Change::EndUserSessions { user_id: world.user.id, keep, at: NOW };
    apply(store, &world.id, &[end(Some(kept.hash)), end(Some(kept.hash))]).await;
    for (session, stays) in [(&kept, true), (&gone, false), (&expired, false), (&his, true)] {
        let sid = &session.sid;
        assert_eq!(store.session(&world.id, &session.hash).await.unwrap().is_some(), stays, "{sid}");
        assert_eq!(store.session_clients(&world.id, sid).await.unwrap().len(), usize::from(stays), "{sid}");
    }
    assert_conflict(store.apply(&world.id, &[redeem(&codes[1])]).await, Conflict::Code);
    apply(store, &world.id, &[redeem(&codes[0]), redeem(&codes[3])]).await;
    apply(store, &world.id, &[end(None)]).await;
    assert_eq!(store.user_sessions(&world.id, world.user.id, NOW).await.unwrap(), []);
    assert_eq!(store.user_sessions(&world.id, bob.id, NOW).await.unwrap(), [his]);
}

/// Logins with the old password, and the change of it, at the same time.
pub async fn no_login_outlives_the_change_that_ends_it(store: &Handle) {
    for round in 0..ROUNDS {
        let world = world(store, &format!("login-{round}")).await;
        let mut lists: Vec<_> =
            (0..8).map(|racer| login(&world, &session(&world.user, &format!("cookie {racer}")))).collect();
        lists.insert(4, vec![Change::UpdateUser(next(&world.user)), end_all(&world.user)]);
        for (racer, outcome) in race(store, &world.id, lists).await.into_iter().enumerate() {
            match outcome {
                Ok(()) | Err(StoreError::Conflict(Conflict::Version)) => {}
                Err(other) => panic!("{racer}: {other:?}"),
            }
        }
        assert_eq!(store.user(&world.id, world.user.id).await.unwrap().unwrap().version, 2, "{round}");
        assert_eq!(store.user_sessions(&world.id, world.user.id, NOW).await.unwrap(), [], "{round}");
    }
}

/// Two tabs in which the same person proves at the same time who they are: one of them goes on in the session.
pub async fn of_those_who_take_a_session_one_goes_on_and_nobody_waits_for_ever(store: &Handle) {
    for round in 0..ROUNDS {
        let world = world(store, &format!("taken-{round}")).await;
        let cookie = session(&world.user, "cookie");
        apply(store, &world.id, &[Change::InsertSession(cookie.clone())]).await;
        let tab = |number: usize| {
            let hash = session(&world.user, &format!("tab {number}")).hash;
            vec![
                need(&world.user),
                Change::TakeSession(cookie.hash),
                Change::InsertSession(Session { hash, ..cookie.clone() }),
            ]
        };
        super::races::one_wins(store, &world.id, Conflict::Session, tab).await;
        let left = store.user_sessions(&world.id, world.user.id, NOW).await.unwrap();
        assert_eq!(left.iter().map(|one| &one.sid).collect::<Vec<_>>(), [&cookie.sid], "{round}");
        assert_eq!(store.session(&world.id, &cookie.hash).await.unwrap(), None, "{round}");
    }
}

/// A response in a session, and its end by itself or with all others, at the same time.
pub async fn nothing_is_issued_in_a_session_that_has_ended(store: &Handle) {
    for round in 0..ROUNDS {
        let world = world(store, &format!("issued-{round}")).await;
        let cookie = session(&world.user, "cookie");
        apply(store, &world.id, &[Change::InsertSession(cookie.clone())]).await;
        let grant = grant_of(&world, 1, &cookie);
        let code = code(&grant, "code");
        let response = vec![
            Change::TouchSession { hash: cookie.hash, last_seen: NOW + 60 },
            Change::NeedSession(cookie.hash),
            Change::InsertGrant(grant),
            Change::InsertCode(code.clone()),
            Change::PutSessionClient(session_client(&world.user, &world.client, &cookie.sid)),
        ];
        let raise = vec![Change::UpdateSession(Session { acr: "higher".into(), ..cookie.clone() })];
        let end = match round % 2 {
            0 => vec![end_all(&world.user)],
            _ => vec![
                Change::DeleteSession(cookie.hash),
                Change::RevokeSessionGrants { sid: cookie.sid.clone(), at: NOW },
                Change::DeleteSessionClients { sid: cookie.sid.clone() },
            ],
        };
        for outcome in race(store, &world.id, vec![response, raise, end]).await {
            match outcome {
                Ok(()) | Err(StoreError::Conflict(Conflict::Session)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(store.session(&world.id, &cookie.hash).await.unwrap(), None, "{round}");
        assert_eq!(store.session_clients(&world.id, &cookie.sid).await.unwrap(), [], "{round}");
        assert_conflict(store.apply(&world.id, &[redeem(&code)]).await, Conflict::Code);
    }
}
