//! What people prove themselves with, links to them, and receipts.

use signet_core::change::{Change, Conflict};
use signet_core::ids::TokenHash;
use signet_core::records::{Credential, CredentialKind, LinkPurpose, Receipt, User, UserLink};

use super::build::{NOW, id, session, tenant, user, world};
use super::races::{RACERS, one_wins, race, rounds};
use super::{Handle, apply, assert_conflict};

fn credential(user: &User, number: u128, kind: CredentialKind) -> Credential {
    Credential {
        tenant: user.tenant.clone(),
        user_id: user.id,
        id: id(number),
        kind,
        name: format!("'; %_\\ \u{1} 日本語 {number}"),
        secret: vec![0, 255, 1],
        counter: 7,
        failures: 0,
        created_at: NOW,
        last_used_at: None,
    }
}

fn used(credential: &Credential, counter: i64) -> Change {
    let mut after = credential.clone();
    (after.counter, after.last_used_at, after.secret) = (counter, Some(NOW + counter), vec![9]);
    let (seen_counter, seen_failures) = (credential.counter, credential.failures);
    Change::UseCredential { credential: after, seen_counter, seen_failures }
}

fn link(user: &User, secret: &str, purpose: LinkPurpose) -> UserLink {
    UserLink {
        tenant: user.tenant.clone(),
        hash: TokenHash::of(secret),
        user_id: user.id,
        purpose,
        created_at: NOW,
        expires_at: NOW + 600,
    }
}

fn receipt(user: &User, key: &str, resource: &str) -> Receipt {
    Receipt {
        tenant: user.tenant.clone(),
        actor: format!("user {}", user.id),
        key: TokenHash::of(key),
        request: TokenHash::of(resource),
        resource: resource.to_owned(),
        created_at: NOW,
        expires_at: NOW + 600,
    }
}

pub async fn credentials_are_kept_oldest_first(store: &Handle) {
    let world = world(store, "one").await;
    let mut all: Vec<Credential> =
        (1..=4).map(|number| credential(&world.user, number, CredentialKind::RecoveryCode)).collect();
    (all[0].created_at, all[0].kind) = (NOW + 5, CredentialKind::Passkey);
    (all[1].kind, all[1].last_used_at, all[1].counter) = (CredentialKind::Totp, Some(NOW), i64::MAX);
    (all[3].name, all[3].secret) = (String::new(), Vec::new());
    let changes: Vec<Change> = all.iter().cloned().map(Change::InsertCredential).collect();
    apply(store, &world.id, &changes).await;
    all.rotate_left(1);
    assert_eq!(store.credentials(&world.id, world.user.id).await.unwrap(), all);

    let again = store.apply(&world.id, &[Change::InsertCredential(all[0].clone())]).await;
    assert_conflict(again, Conflict::Credential);
    let ghost = credential(&user(&world.id, 9, "ghost"), 1, CredentialKind::Totp);
    let nobodys = store.apply(&world.id, &[Change::InsertCredential(ghost)]).await;
    assert_conflict(nobodys, Conflict::Missing);
}

pub async fn a_credential_is_used_renamed_and_removed(store: &Handle) {
    let world = world(store, "one").await;
    let totp = credential(&world.user, 1, CredentialKind::Totp);
    apply(store, &world.id, &[Change::InsertCredential(totp.clone()), used(&totp, 8)]).await;
    let found = store.credentials(&world.id, world.user.id).await.unwrap().remove(0);
    assert_eq!((found.counter, found.last_used_at, found.secret), (8, Some(NOW + 8), vec![9]));
    assert_eq!((found.name, found.kind), (totp.name.clone(), CredentialKind::Totp));
    assert_conflict(store.apply(&world.id, &[used(&totp, 9)]).await, Conflict::Credential);

    let user_id = world.user.id;
    let rename = |id, name: &str| Change::RenameCredential { user_id, id, name: name.into() };
    apply(store, &world.id, &[rename(id(1), "Key ring")]).await;
    assert_eq!(store.credentials(&world.id, user_id).await.unwrap()[0].name, "Key ring");
    assert_conflict(store.apply(&world.id, &[rename(id(2), "x")]).await, Conflict::Missing);

    let codes = [2, 3].map(|number| credential(&world.user, number, CredentialKind::RecoveryCode));
    apply(store, &world.id, &codes.clone().map(Change::InsertCredential)).await;
    let delete = |id| Change::DeleteCredential { user_id, id };
    apply(store, &world.id, &[delete(id(2))]).await;
    assert_conflict(store.apply(&world.id, &[delete(id(2))]).await, Conflict::Credential);
    let clear = |kind| Change::DeleteCredentials { user_id, kind };
    apply(store, &world.id, &[clear(CredentialKind::RecoveryCode), clear(CredentialKind::Passkey)]).await;
    let left = store.credentials(&world.id, user_id).await.unwrap();
    assert_eq!(left.iter().map(|left| left.kind).collect::<Vec<_>>(), [CredentialKind::Totp]);
}

/// Web Authentication section 7.1: "not yet registered for any user".
pub async fn a_person_has_one_authenticator_application_and_a_passkey_one_person(store: &Handle) {
    use CredentialKind::{Passkey, RecoveryCode, Totp};
    let world = world(store, "one").await;
    let bob = user(&world.id, 2, "bob");
    apply(store, &world.id, &[Change::InsertUser(bob.clone())]).await;
    let add = |user: &User, number, kind| [Change::InsertCredential(credential(user, number, kind))];
    apply(store, &world.id, &add(&bob, 1, Totp)).await;
    one_wins(store, &world.id, Conflict::Credential, |racer| {
        add(&world.user, 100 + racer as u128, Totp).to_vec()
    })
    .await;
    one_wins(store, &world.id, Conflict::Credential, |racer| {
        let owner = if racer % 2 == 0 { &world.user } else { &bob };
        add(owner, 5, Passkey).to_vec()
    })
    .await;
    for number in 6..9 {
        apply(store, &world.id, &add(&world.user, number, Passkey)).await;
        apply(store, &world.id, &add(&world.user, 10 + number, RecoveryCode)).await;
    }
    // What is removed makes room.
    apply(store, &world.id, &[Change::DeleteCredential { user_id: bob.id, id: id(1) }]).await;
    apply(store, &world.id, &add(&bob, 2, Totp)).await;
}

/// NIST SP 800-63B section 5.2.2: consecutive failed attempts are limited, so none may get lost.
pub async fn wrong_codes_are_counted_however_many_come_at_a_time(store: &Handle) {
    let world = world(store, "one").await;
    let (user_id, all) = (world.user.id, i64::try_from(RACERS).unwrap());
    let totp = credential(&world.user, 1, CredentialKind::Totp);
    apply(store, &world.id, &[Change::InsertCredential(totp.clone())]).await;
    let miss = |id| Change::MissCredential { user_id, id };
    let outcomes = race(store, &world.id, (0..RACERS).map(|_| vec![miss(id(1))]).collect()).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let counted = store.credentials(&world.id, user_id).await.unwrap().remove(0);
    assert_eq!(counted, Credential { failures: all, ..totp.clone() });
    // A right code names the count that it was judged by, and ends it.
    assert_conflict(store.apply(&world.id, &[used(&totp, 8)]).await, Conflict::Credential);
    let mut after = counted.clone();
    (after.counter, after.failures) = (8, 0);
    let right = |credential: &Credential| Change::UseCredential {
        credential: credential.clone(),
        seen_counter: 7,
        seen_failures: all,
    };
    apply(store, &world.id, &[right(&after)]).await;
    assert_eq!(store.credentials(&world.id, user_id).await.unwrap(), [after]);
    assert_conflict(store.apply(&world.id, &[miss(id(2))]).await, Conflict::Credential);
    let two = tenant("two").id;
    apply(store, &two, &[Change::InsertTenant(tenant("two"))]).await;
    assert_conflict(store.apply(&two, &[miss(id(1))]).await, Conflict::Credential);
}

pub async fn a_link_is_used_once_in_time(store: &Handle) {
    let world = world(store, "one").await;
    let (reset, invitation) = (
        link(&world.user, "reset", LinkPurpose::PasswordReset),
        link(&world.user, "invitation", LinkPurpose::Invitation),
    );
    apply(store, &world.id, &[reset.clone(), invitation.clone()].map(Change::InsertUserLink)).await;
    assert_eq!(store.user_link(&world.id, &reset.hash).await.unwrap(), Some(reset.clone()));
    assert_eq!(store.user_link(&world.id, &invitation.hash).await.unwrap(), Some(invitation.clone()));

    let spend = |link: &UserLink, at| Change::UseUserLink { hash: link.hash, at };
    let late = store.apply(&world.id, &[spend(&reset, NOW + 600)]).await;
    assert_conflict(late, Conflict::Link);
    apply(store, &world.id, &[spend(&reset, NOW + 599)]).await;
    assert_conflict(store.apply(&world.id, &[spend(&reset, NOW)]).await, Conflict::Link);

    // A later link ends the one before.
    let later = link(&world.user, "later", LinkPurpose::Invitation);
    apply(store, &world.id, &[Change::InsertUserLink(later.clone())]).await;
    assert_eq!(store.user_link(&world.id, &invitation.hash).await.unwrap(), None);
    assert_conflict(store.apply(&world.id, &[spend(&invitation, NOW)]).await, Conflict::Link);
    apply(store, &world.id, &[spend(&later, NOW)]).await;
    let ghost = link(&user(&world.id, 9, "ghost"), "ghost", LinkPurpose::Invitation);
    assert_conflict(store.apply(&world.id, &[Change::InsertUserLink(ghost)]).await, Conflict::Missing);
}

pub async fn an_offered_link_leaves_alone_a_fresh_one_of_its_kind(store: &Handle) {
    let world = world(store, "one").await;
    let at = |secret: &str, created_at| UserLink {
        created_at,
        expires_at: created_at + 600,
        ..link(&world.user, secret, LinkPurpose::Forgotten)
    };
    let offer = |link: &UserLink, since| Change::OfferUserLink { link: link.clone(), since };
    let is_there = async |link: &UserLink| store.user_link(&world.id, &link.hash).await.unwrap().is_some();
    let reset = link(&world.user, "reset", LinkPurpose::PasswordReset);
    let first = at("first", NOW);
    apply(store, &world.id, &[Change::InsertUserLink(reset.clone()), offer(&first, NOW)]).await;
    assert!(is_there(&first).await && is_there(&reset).await, "it is none of the other kind's");
    let second = at("second", NOW + 60);
    assert_conflict(store.apply(&world.id, &[offer(&second, NOW)]).await, Conflict::Link);
    assert!(is_there(&first).await && !is_there(&second).await);
    apply(store, &world.id, &[offer(&second, NOW + 1)]).await;
    assert!(!is_there(&first).await && is_there(&second).await && is_there(&reset).await);
    // One that has expired, or was used, is in nobody's way.
    let third = at("third", NOW + 660);
    assert_conflict(store.apply(&world.id, &[offer(&at("early", NOW + 659), NOW)]).await, Conflict::Link);
    apply(store, &world.id, &[offer(&third, NOW)]).await;
    apply(store, &world.id, &[Change::UseUserLink { hash: third.hash, at: NOW + 661 }]).await;
    apply(store, &world.id, &[offer(&at("fourth", NOW + 662), NOW)]).await;
    let ghost = UserLink { user_id: id(9), ..at("ghost", NOW) };
    assert_conflict(store.apply(&world.id, &[offer(&ghost, NOW)]).await, Conflict::Missing);
}

pub async fn of_many_links_offered_at_once_one_is_taken(store: &Handle) {
    let world = world(store, "one").await;
    one_wins(store, &world.id, Conflict::Link, |racer| {
        let link = link(&world.user, &format!("link {racer}"), LinkPurpose::Forgotten);
        vec![Change::OfferUserLink { since: link.created_at, link }]
    })
    .await;
}

pub async fn an_idempotency_key_is_noted_once(store: &Handle) {
    let world = world(store, "one").await;
    let bob = user(&world.id, 2, "bob");
    let first = receipt(&world.user, "key", "clients/a");
    apply(store, &world.id, &[Change::InsertReceipt(first.clone())]).await;
    let found = store.receipt(&world.id, &first.actor, &first.key).await.unwrap();
    assert_eq!(found, Some(first.clone()));
    let second = receipt(&world.user, "key", "clients/b");
    let again = store.apply(&world.id, &[Change::InsertReceipt(second.clone())]).await;
    assert_conflict(again, Conflict::Receipt);
    // Another actor's key is another key; one that has expired is free.
    apply(store, &world.id, &[Change::InsertReceipt(receipt(&bob, "key", "clients/c"))]).await;
    let later = Receipt { created_at: first.expires_at, expires_at: NOW + 6000, ..second };
    let early = Receipt { created_at: first.expires_at - 1, ..later.clone() };
    assert_conflict(store.apply(&world.id, &[Change::InsertReceipt(early)]).await, Conflict::Receipt);
    apply(store, &world.id, &[Change::InsertReceipt(later.clone())]).await;
    assert_eq!(store.receipt(&world.id, &first.actor, &first.key).await.unwrap(), Some(later));
    assert_eq!(store.receipt(&world.id, "nobody\0", &first.key).await.unwrap(), None);
}

pub async fn sessions_of_a_user_are_listed_while_they_live(store: &Handle) {
    let world = world(store, "one").await;
    let bob = user(&world.id, 2, "bob");
    let mut all = ["a", "b", "c", "d"].map(|cookie| session(&world.user, cookie));
    (all[1].last_seen, all[2].last_seen) = (NOW + 60, NOW + 30);
    all[3].expires_at = NOW + 10;
    let mut changes = vec![Change::InsertUser(bob.clone()), Change::InsertSession(session(&bob, "his"))];
    changes.extend(all.iter().cloned().map(Change::InsertSession));
    apply(store, &world.id, &changes).await;
    let [a, b, c, _] = all;
    let found = store.user_sessions(&world.id, world.user.id, NOW + 10).await.unwrap();
    assert_eq!(found, [b, c, a]);
    assert_eq!(store.user_sessions(&world.id, world.user.id, NOW).await.unwrap().len(), 4);
    assert!(store.user_sessions(&world.id, id(9), NOW).await.unwrap().is_empty());
}

pub async fn links_and_receipts_go_when_they_expire(store: &Handle) {
    let world = world(store, "one").await;
    let reset = link(&world.user, "reset", LinkPurpose::PasswordReset);
    let noted = receipt(&world.user, "key", "clients/a");
    let changes = [Change::InsertUserLink(reset.clone()), Change::InsertReceipt(noted.clone())];
    apply(store, &world.id, &changes).await;
    assert_eq!(store.sweep(NOW + 599, 10).await.unwrap().rows, 0);
    assert_eq!(store.sweep(NOW + 600, 10).await.unwrap().rows, 2);
    assert_eq!(store.user_link(&world.id, &reset.hash).await.unwrap(), None);
    assert_eq!(store.receipt(&world.id, &noted.actor, &noted.key).await.unwrap(), None);
}

pub async fn a_deleted_user_leaves_no_credential_link_or_client_of_theirs(store: &Handle) {
    let world = world(store, "one").await;
    let totp = credential(&world.user, 1, CredentialKind::Totp);
    let reset = link(&world.user, "reset", LinkPurpose::PasswordReset);
    let mut owned = world.client.clone();
    (owned.version, owned.owner) = (2, Some(world.user.id));
    let changes = [
        Change::InsertCredential(totp),
        Change::InsertUserLink(reset.clone()),
        Change::UpdateClient(owned.clone()),
    ];
    apply(store, &world.id, &changes).await;
    assert_eq!(store.client(&world.id, &owned.client_id).await.unwrap(), Some(owned.clone()));
    apply(store, &world.id, &[Change::DeleteUser(world.user.id)]).await;
    assert!(store.credentials(&world.id, world.user.id).await.unwrap().is_empty());
    assert_eq!(store.user_link(&world.id, &reset.hash).await.unwrap(), None);
    // Who has the client's page open is told that it has changed.
    let orphan = store.client(&world.id, &owned.client_id).await.unwrap().unwrap();
    assert_eq!((orphan.owner, orphan.version), (None, 3));
    owned.version = 4;
    assert_conflict(store.apply(&world.id, &[Change::UpdateClient(owned)]).await, Conflict::Missing);
}

pub async fn people_of_one_tenant_are_not_anothers(store: &Handle) {
    let one = world(store, "one").await;
    let two = tenant("two").id;
    let totp = credential(&one.user, 1, CredentialKind::Totp);
    let reset = link(&one.user, "reset", LinkPurpose::PasswordReset);
    let noted = receipt(&one.user, "key", "clients/a");
    let changes = [
        Change::InsertCredential(totp.clone()),
        Change::InsertUserLink(reset.clone()),
        Change::InsertReceipt(noted.clone()),
        Change::InsertSession(session(&one.user, "cookie")),
    ];
    apply(store, &one.id, &changes).await;
    apply(store, &two, &[Change::InsertTenant(tenant("two"))]).await;

    let user_id = one.user.id;
    assert!(store.credentials(&two, user_id).await.unwrap().is_empty());
    assert_eq!(store.user_link(&two, &reset.hash).await.unwrap(), None);
    assert_eq!(store.receipt(&two, &noted.actor, &noted.key).await.unwrap(), None);
    assert!(store.user_sessions(&two, user_id, NOW).await.unwrap().is_empty());

    let rename = Change::RenameCredential { user_id, id: id(1), name: "x".into() };
    assert_conflict(store.apply(&two, &[rename]).await, Conflict::Missing);
    let delete = Change::DeleteCredential { user_id, id: id(1) };
    assert_conflict(store.apply(&two, &[delete]).await, Conflict::Credential);
    apply(store, &two, &[Change::DeleteCredentials { user_id, kind: CredentialKind::Totp }]).await;
    let spend = Change::UseUserLink { hash: reset.hash, at: NOW };
    assert_conflict(store.apply(&two, &[spend]).await, Conflict::Link);
    let mut foreign = totp.clone();
    foreign.tenant = two.clone();
    let taken = Change::UseCredential { credential: foreign, seen_counter: totp.counter, seen_failures: 0 };
    assert_conflict(store.apply(&two, &[taken]).await, Conflict::Credential);
    // The same names live side by side.
    apply(store, &two, &[Change::InsertReceipt(Receipt { tenant: two.clone(), ..noted.clone() })]).await;
    for record in [
        Change::InsertCredential(totp.clone()),
        used(&totp, 8),
        Change::InsertUserLink(reset.clone()),
        Change::InsertReceipt(noted.clone()),
    ] {
        assert!(matches!(store.apply(&two, &[record]).await, Err(crate::StoreError::Corrupt(_))));
    }

    assert_eq!(store.credentials(&one.id, user_id).await.unwrap(), [totp]);
    assert_eq!(store.user_link(&one.id, &reset.hash).await.unwrap(), Some(reset));
    assert_eq!(store.receipt(&one.id, &noted.actor, &noted.key).await.unwrap(), Some(noted));
}

pub async fn a_late_conflict_undoes_every_change_to_people(store: &Handle) {
    let world = world(store, "one").await;
    let [totp, code] = [(1, CredentialKind::Totp), (2, CredentialKind::RecoveryCode)]
        .map(|(number, kind)| credential(&world.user, number, kind));
    let reset = link(&world.user, "reset", LinkPurpose::PasswordReset);
    let setup = [
        Change::InsertCredential(totp.clone()),
        Change::InsertCredential(code.clone()),
        Change::InsertUserLink(reset.clone()),
    ];
    apply(store, &world.id, &setup).await;
    let user_id = world.user.id;
    let noted = receipt(&world.user, "key", "clients/a");
    let changes = [
        used(&totp, 8),
        Change::RenameCredential { user_id, id: totp.id, name: "x".into() },
        Change::DeleteCredential { user_id, id: code.id },
        Change::InsertCredential(credential(&world.user, 3, CredentialKind::Passkey)),
        Change::DeleteCredentials { user_id, kind: CredentialKind::Totp },
        Change::UseUserLink { hash: reset.hash, at: NOW },
        Change::InsertUserLink(link(&world.user, "new", LinkPurpose::PasswordReset)),
        Change::InsertReceipt(noted.clone()),
        Change::DeleteUser(id(99)),
    ];
    assert_conflict(store.apply(&world.id, &changes).await, Conflict::Missing);
    assert_eq!(store.credentials(&world.id, user_id).await.unwrap(), [totp, code]);
    assert_eq!(store.user_link(&world.id, &reset.hash).await.unwrap(), Some(reset));
    assert_eq!(store.user_link(&world.id, &TokenHash::of("new")).await.unwrap(), None);
    assert_eq!(store.receipt(&world.id, &noted.actor, &noted.key).await.unwrap(), None);
}

/// RFC 6238 section 5.2: "The verifier MUST NOT accept the second attempt of the OTP".
pub async fn one_use_of_a_one_time_password_wins(store: &Handle) {
    let world = world(store, "one").await;
    rounds(async |number| {
        let totp = credential(&world.user, number, CredentialKind::Totp);
        let earlier = Change::DeleteCredentials { user_id: world.user.id, kind: CredentialKind::Totp };
        apply(store, &world.id, &[earlier, Change::InsertCredential(totp.clone())]).await;
        one_wins(store, &world.id, Conflict::Credential, |_| vec![used(&totp, 8)]).await;
    })
    .await;
}

pub async fn one_use_of_a_recovery_code_wins(store: &Handle) {
    let world = world(store, "one").await;
    rounds(async |number| {
        let code = credential(&world.user, number, CredentialKind::RecoveryCode);
        apply(store, &world.id, &[Change::InsertCredential(code)]).await;
        let delete = Change::DeleteCredential { user_id: world.user.id, id: id(number) };
        one_wins(store, &world.id, Conflict::Credential, |_| vec![delete.clone()]).await;
    })
    .await;
}

pub async fn one_use_of_a_link_wins(store: &Handle) {
    let world = world(store, "one").await;
    rounds(async |number| {
        let reset = link(&world.user, &format!("{number}"), LinkPurpose::PasswordReset);
        apply(store, &world.id, &[Change::InsertUserLink(reset.clone())]).await;
        let spend = Change::UseUserLink { hash: reset.hash, at: NOW };
        one_wins(store, &world.id, Conflict::Link, |_| vec![spend.clone()]).await;
    })
    .await;
}

pub async fn one_creation_with_an_idempotency_key_wins(store: &Handle) {
    let world = world(store, "one").await;
    rounds(async |number| {
        let noted =
            |racer| Change::InsertReceipt(receipt(&world.user, &format!("{number}"), &format!("{racer}")));
        one_wins(store, &world.id, Conflict::Receipt, |racer| vec![noted(racer)]).await;
    })
    .await;
}

pub async fn one_link_is_left_of_many_sent_at_once(store: &Handle) {
    let world = world(store, "one").await;
    let links: Vec<UserLink> =
        (0..16).map(|n| link(&world.user, &format!("link {n}"), LinkPurpose::PasswordReset)).collect();
    let mut senders = tokio::task::JoinSet::new();
    for link in links.clone() {
        let (store, tenant) = (store.clone(), world.id.clone());
        senders.spawn(async move { store.apply(&tenant, &[Change::InsertUserLink(link)]).await });
    }
    assert!(senders.join_all().await.iter().all(Result::is_ok));
    let mut left = 0;
    for link in links {
        left += usize::from(store.user_link(&world.id, &link.hash).await.unwrap().is_some());
    }
    assert_eq!(left, 1);
}
