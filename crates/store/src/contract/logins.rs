//! Sessions, interactions, consents, grants.

use signet_core::change::{Change, Conflict};
use signet_core::ids::TokenHash;
use signet_core::records::{Grant, Stage};

use super::build::{
    NOW, access_token, client, code, consent, grant, id, interaction, redeem, session, step, step_at, user,
    words, world,
};
use super::{Handle, apply, assert_conflict};

pub async fn sessions_come_and_go(store: &Handle) {
    let world = world(store, "one").await;
    let mut one = session(&world.user, "cookie");
    let other = session(&world.user, "other cookie");
    apply(store, &world.id, &[Change::InsertSession(one.clone()), Change::InsertSession(other.clone())])
        .await;
    assert_eq!(store.session(&world.id, &one.hash).await.unwrap(), Some(one.clone()));
    assert_conflict(store.apply(&world.id, &[Change::InsertSession(one.clone())]).await, Conflict::Exists);

    // `last_seen` only moves forward, also when requests overtake each other.
    for (last_seen, stored) in [(NOW + 60, NOW + 60), (NOW + 30, NOW + 60), (NOW + 61, NOW + 61)] {
        apply(store, &world.id, &[Change::TouchSession { hash: one.hash, last_seen }]).await;
        one.last_seen = stored;
        assert_eq!(store.session(&world.id, &one.hash).await.unwrap(), Some(one.clone()));
    }
    apply(store, &world.id, &[Change::DeleteSession(one.hash)]).await;
    assert_eq!(store.session(&world.id, &one.hash).await.unwrap(), None);
    let silent =
        [Change::DeleteSession(one.hash), Change::TouchSession { hash: one.hash, last_seen: NOW + 99 }];
    apply(store, &world.id, &silent).await;
    assert_eq!(store.session(&world.id, &other.hash).await.unwrap(), Some(other));
}

/// each step names the state it saw.
pub async fn interactions_advance_step_by_step(store: &Handle) {
    let world = world(store, "one").await;
    let start = interaction(&world.client, "id");
    apply(store, &world.id, &[Change::InsertInteraction(start.clone())]).await;
    assert_eq!(store.interaction(&world.id, "id").await.unwrap(), Some(start.clone()));
    assert_eq!(store.interaction(&world.id, "ID").await.unwrap(), None);
    assert_conflict(
        store.apply(&world.id, &[Change::InsertInteraction(start.clone())]).await,
        Conflict::Exists,
    );

    let refused = async |change: Change| {
        assert_conflict(store.apply(&world.id, &[change]).await, Conflict::Interaction);
    };
    let authenticated = Stage::Authenticated { sid: "sid".into() };
    // Useless from `expires_at` on.
    refused(step_at(&start, authenticated.clone(), start.expires_at)).await;
    refused(step(&interaction(&world.client, "unknown"), Stage::Fresh)).await;

    let mut now = start.clone();
    let identified = Stage::Identified { user_id: world.user.id, since: NOW - 1, version: 7 };
    let stages = [identified, authenticated.clone(), Stage::Fresh, authenticated, Stage::Finished];
    for stage in stages {
        let at = start.expires_at - 1;
        apply(store, &world.id, &[step_at(&now, stage.clone(), at)]).await;
        // The step before cannot be taken a second time.
        refused(step(&now, Stage::Fresh)).await;
        now.version += 1;
        now.stage = stage;
        assert_eq!(store.interaction(&world.id, "id").await.unwrap(), Some(now.clone()));
    }
    refused(step(&now, Stage::Fresh)).await;
    assert_eq!(store.interaction(&world.id, "id").await.unwrap(), Some(now));
}

pub async fn consents_are_kept_and_taken_back(store: &Handle) {
    let world = world(store, "one").await;
    let (b, bob) = (client(&world.id, "b"), user(&world.id, 2, "bob"));
    let mut first = consent(&world.user, &world.client);
    let (second, bobs) = (consent(&world.user, &b), consent(&bob, &world.client));
    let (mine, other_client, other_user) =
        (grant(&world.user, &world.client, 1), grant(&world.user, &b, 2), grant(&bob, &world.client, 3));
    let mut changes = vec![Change::InsertClient(b.clone()), Change::InsertUser(bob.clone())];
    changes.extend([&second, &first, &bobs].map(|consent| Change::PutConsent(consent.clone())));
    for grant in [&mine, &other_client, &other_user] {
        changes.push(Change::InsertGrant(grant.clone()));
        changes.push(Change::InsertAccessToken(access_token(grant, &grant.id.to_string())));
    }
    apply(store, &world.id, &changes).await;
    assert_eq!(store.consents(&world.id, world.user.id).await.unwrap(), [first.clone(), second.clone()]);
    assert_eq!(store.consents(&world.id, id(99)).await.unwrap(), []);

    first.scope = words(&["openid"]);
    first.granted_at = NOW + 1;
    apply(store, &world.id, &[Change::PutConsent(first.clone())]).await;
    let app = &world.client.client_id;
    assert_eq!(store.consent(&world.id, world.user.id, app).await.unwrap(), Some(first));

    let take_back = Change::DeleteConsent { user_id: world.user.id, client_id: app.clone(), at: NOW + 2 };
    apply(store, &world.id, &[take_back.clone(), take_back.clone()]).await;
    apply(store, &world.id, &[take_back]).await;
    assert_eq!(store.consents(&world.id, world.user.id).await.unwrap(), [second]);
    assert_eq!(store.consents(&world.id, bob.id).await.unwrap(), [bobs]);
    for (grant, alive) in [(mine, false), (other_client, true), (other_user, true)] {
        let hash = TokenHash::of(&grant.id.to_string());
        assert_eq!(store.access_token(&world.id, &hash).await.unwrap().is_some(), alive);
    }
}

/// RFC 6749 section 4.1.2: tokens issued on a code that is used twice are revoked.
pub async fn a_revoked_grant_ends_its_tokens(store: &Handle) {
    let world = world(store, "one").await;
    let (one, token) = world.token(store, 1, "one").await;
    let (_, other) = world.token(store, 2, "two").await;
    let unredeemed = code(&one, "code");
    apply(store, &world.id, &[Change::InsertCode(unredeemed.clone())]).await;
    assert_conflict(store.apply(&world.id, &[Change::InsertGrant(one.clone())]).await, Conflict::Exists);
    assert_eq!(store.access_token(&world.id, &token.hash).await.unwrap(), Some(token.clone()));

    let revoke = Change::RevokeGrant { id: one.id, at: NOW + 1 };
    apply(store, &world.id, std::slice::from_ref(&revoke)).await;
    // Silent if it has ended already, and if it never was.
    apply(store, &world.id, &[revoke, Change::RevokeGrant { id: id(99), at: NOW }]).await;
    assert_eq!(store.access_token(&world.id, &token.hash).await.unwrap(), None);
    assert_eq!(store.access_token(&world.id, &other.hash).await.unwrap(), Some(other));
    assert_conflict(store.apply(&world.id, &[redeem(&unredeemed)]).await, Conflict::Code);
    for change in
        [Change::InsertAccessToken(access_token(&one, "late")), Change::InsertCode(code(&one, "late"))]
    {
        assert_conflict(store.apply(&world.id, &[change]).await, Conflict::Grant);
    }
    // The code is still there to be recognised.
    assert_eq!(store.code(&world.id, &unredeemed.hash).await.unwrap(), Some(unredeemed));
}

/// RFC 8693: what was exchanged ends with what it was exchanged for, however long the line.
pub async fn an_exchanged_grant_ends_with_the_first_of_its_line(store: &Handle) {
    let world = world(store, "one").await;
    let b = client(&world.id, "b");
    let (first, token) = world.token(store, 1, "first").await;
    let second = Grant { parent: Some(first.id), ..grant(&world.user, &b, 2) };
    let third = Grant { parent: Some(second.id), ..grant(&world.user, &world.client, 3) };
    let tokens = [access_token(&second, "second"), access_token(&third, "third")];
    let mut changes = vec![Change::InsertClient(b)];
    changes.extend([&second, &third].map(|grant| Change::InsertGrant(grant.clone())));
    changes.extend(tokens.iter().map(|token| Change::InsertAccessToken(token.clone())));
    apply(store, &world.id, &changes).await;
    for token in [&token, &tokens[0], &tokens[1]] {
        assert_eq!(store.access_token(&world.id, &token.hash).await.unwrap().as_ref(), Some(token));
    }
    apply(store, &world.id, &[Change::RevokeGrant { id: first.id, at: NOW }]).await;
    for token in [&token, &tokens[0], &tokens[1]] {
        assert_eq!(store.access_token(&world.id, &token.hash).await.unwrap(), None);
    }
    // Nothing comes of a grant that has ended, or that never was.
    for parent in [first.id, id(99)] {
        let late = Grant { parent: Some(parent), ..grant(&world.user, &world.client, 4) };
        assert_conflict(store.apply(&world.id, &[Change::InsertGrant(late)]).await, Conflict::Grant);
    }
}

/// A code or token of another client or user than its grant's cannot come into being.
pub async fn codes_and_tokens_are_of_their_grant(store: &Handle) {
    let world = world(store, "one").await;
    let (b, bob) = (client(&world.id, "b"), user(&world.id, 2, "bob"));
    let grant = grant(&world.user, &world.client, 1);
    let changes = [
        Change::InsertClient(b.clone()),
        Change::InsertUser(bob.clone()),
        Change::InsertGrant(grant.clone()),
    ];
    apply(store, &world.id, &changes).await;

    let (sound_code, sound_token) = (code(&grant, "code"), access_token(&grant, "token"));
    let (mut code_of_b, mut code_of_bob, mut code_of_none) =
        (sound_code.clone(), sound_code.clone(), sound_code.clone());
    code_of_b.client_id.clone_from(&b.client_id);
    code_of_bob.authentication.user_id = bob.id;
    code_of_none.grant_id = id(99);
    let (mut token_of_b, mut token_of_bob, mut token_of_none) =
        (sound_token.clone(), sound_token.clone(), sound_token.clone());
    token_of_b.client_id = b.client_id;
    token_of_bob.user_id = Some(bob.id);
    token_of_none.grant_id = id(99);
    let wrong = [code_of_b, code_of_bob, code_of_none]
        .map(Change::InsertCode)
        .into_iter()
        .chain([token_of_b, token_of_bob, token_of_none].map(Change::InsertAccessToken));
    for change in wrong {
        assert_conflict(store.apply(&world.id, &[change]).await, Conflict::Grant);
    }

    let sound = [Change::InsertCode(sound_code), Change::InsertAccessToken(sound_token)];
    apply(store, &world.id, &sound).await;
    for change in sound {
        assert_conflict(store.apply(&world.id, &[change]).await, Conflict::Exists);
    }
}
