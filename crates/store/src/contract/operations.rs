//! What operators and jobs call.

use signet_core::change::Change;

use super::build::world;
use super::{Handle, apply};

/// Migrating again, also from several nodes at once, changes nothing.
pub async fn migration_is_repeatable(store: &Handle) {
    let world = world(store, "one").await;
    assert!(store.is_current().await.unwrap());
    let (first, second) = (store.clone(), store.clone());
    let both = (
        tokio::spawn(async move { first.migrate().await }),
        tokio::spawn(async move { second.migrate().await }),
    );
    both.0.await.unwrap().unwrap();
    both.1.await.unwrap().unwrap();
    assert!(store.is_current().await.unwrap());
    assert_eq!(store.client(&world.id, &"app".into()).await.unwrap(), Some(world.client));
    apply(store, &world.id, &[Change::DeleteUser(world.user.id)]).await;
}

pub async fn the_clock_does_not_run_backwards(store: &Handle) {
    let first = store.clock().await.unwrap();
    let second = store.clock().await.unwrap();
    // The year 2025, and the year 2100: Unix seconds, not milliseconds.
    assert!((1_735_689_600..4_102_444_800).contains(&first), "{first}");
    assert!(first <= second);
}
