//! The contract suite on a file with full durability.

use std::sync::Arc;

use signet_store::Store as _;
use signet_store::contract::Handle;
use signet_store_sqlite::{Durability, SqliteStore};

struct Fixture {
    store: Handle,
    _directory: tempfile::TempDir,
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
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("signet.db"), Durability::Full).await.unwrap();
    assert!(!store.is_current().await.unwrap());
    store.migrate().await.unwrap();
    Fixture { store: Arc::new(store), _directory: directory }
}

signet_store::contract_tests!(open);
