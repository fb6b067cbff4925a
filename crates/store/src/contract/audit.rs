//! The audit trail's listing.

use serde_json::json;
use signet_core::change::{Change, Conflict};
use signet_core::records::{AuditEvent, Outcome};

use super::build::{NOW, event, id, object, world};
use super::{Handle, apply, assert_conflict};
use crate::AuditFilter;

fn numbers(events: &[AuditEvent]) -> Vec<u128> {
    events.iter().map(|event| event.id.as_u128()).collect()
}

pub async fn newest_first_and_page_by_page(store: &Handle) {
    let world = world(store, "one").await;
    let mut full = event(&world.id, 5);
    full.at = NOW + 5;
    full.outcome = Outcome::Refused;
    full.reason = Some("jti_used".into());
    full.client_id = Some("gone".into());
    full.user_id = Some(id(42));
    full.actor = Some("client:ä".into());
    full.detail = object(json!({ "b": [1, null, { "c": "ä\"'\\\u{0}" }], "a": true }));
    let changes = [3, 1, 4, 2].map(|number| Change::Audit(Box::new(event(&world.id, number))));
    apply(store, &world.id, &changes).await;
    apply(store, &world.id, &[Change::Audit(Box::new(full.clone()))]).await;
    assert_conflict(
        store.apply(&world.id, &[Change::Audit(Box::new(event(&world.id, 3)))]).await,
        Conflict::Exists,
    );

    let page = async |before, limit| {
        let filter = AuditFilter { before, limit, ..AuditFilter::default() };
        store.audit(&world.id, &filter).await.unwrap()
    };
    let newest = page(None, 2).await;
    assert_eq!(newest, [full, event(&world.id, 4)]);
    assert_eq!(numbers(&page(Some(id(4)), 2).await), [3, 2]);
    assert_eq!(numbers(&page(Some(id(2)), 2).await), [1]);
    assert_eq!(numbers(&page(Some(id(1)), 2).await), []);
    assert_eq!(page(None, 0).await.len(), 1);
    assert_eq!(page(None, u32::MAX).await.len(), 5);
}

pub async fn filters_narrow(store: &Handle) {
    let world = world(store, "one").await;
    // Bits of the number decide which fields are set, so every combination is there.
    let all: Vec<AuditEvent> = (0..32_u128)
        .map(|number| {
            let mut event = event(&world.id, number + 1);
            let set = |bit: u32| number >> bit & 1 == 1;
            event.client_id = set(0).then(|| "app".into());
            event.user_id = set(1).then(|| id(1));
            event.reason = set(2).then(|| "jti_used".into());
            event.actor = set(4).then(|| "user:1".into());
            event.correlation_id = if set(3) { "mine" } else { "other" }.into();
            event
        })
        .collect();
    let changes: Vec<Change> = all.iter().map(|event| Change::Audit(Box::new(event.clone()))).collect();
    apply(store, &world.id, &changes).await;

    for mask in 0..32_u32 {
        let set = |bit: u32| mask >> bit & 1 == 1;
        let filter = AuditFilter {
            client_id: set(0).then(|| "app".into()),
            user_id: set(1).then(|| id(1)),
            reason: set(2).then(|| "jti_used".into()),
            correlation_id: set(3).then(|| "mine".into()),
            actor: set(4).then(|| "user:1".into()),
            before: Some(id(32)),
            limit: 100,
            ..AuditFilter::default()
        };
        let expected: Vec<u128> =
            (0..31_u128).rev().filter(|n| n & u128::from(mask) == u128::from(mask)).map(|n| n + 1).collect();
        let found = store.audit(&world.id, &filter).await.unwrap();
        assert_eq!(numbers(&found), expected, "{filter:?}");
        assert!(found.iter().all(|event| all.contains(event)));
        let first = AuditFilter { limit: 1, ..filter };
        assert_eq!(numbers(&store.audit(&world.id, &first).await.unwrap()).first(), expected.first());
    }
    let unknown = AuditFilter { client_id: Some("nobody".into()), limit: 9, ..AuditFilter::default() };
    assert!(store.audit(&world.id, &unknown).await.unwrap().is_empty());
}
