//! Small records for unit tests.

use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::context::Entropy;
use crate::records::{Client, ClientSettings};

/// A client with defaults.
pub(crate) fn client(id: &str) -> Client {
    Client {
        tenant: "t".into(),
        client_id: id.into(),
        version: 1,
        disabled: false,
        secret_hash: None,
        settings: ClientSettings {
            client_name: id.into(),
            redirect_uris: vec!["https://rp.example/cb".into()],
            ..ClientSettings::default()
        },
        created_at: 0,
        updated_at: 0,
    }
}

/// Predictable entropy.
#[derive(Debug, Default)]
pub(crate) struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}
