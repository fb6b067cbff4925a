//! The contract suite in memory.

use std::sync::Arc;

use signet_store::Store as _;
use signet_store::contract::Handle;
use signet_store_sqlite::SqliteStore;

struct Fixture {
    store: Handle,
}

impl Fixture {
    fn store(&self) -> &Handle {
        &self.store
    }

    async fn close(self) {
        self.store.close().await;
    }
}

async fn open() -> Fixture {
    let store = SqliteStore::ephemeral().await.unwrap();
    assert!(!store.is_current().await.unwrap());
    store.migrate().await.unwrap();
    Fixture { store: Arc::new(store) }
}

signet_store::contract_tests!(open);
