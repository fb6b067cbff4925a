//! Small records for unit tests.

use crate::records::{Client, ClientSettings};

/// A client with defaults.
pub(crate) fn client(id: &str) -> Client {
    Client {
        tenant: "t".into(),
        client_id: id.into(),
        version: 1,
        disabled: false,
        secret_hash: None,
        sealed_secret: None,
        registration_token: None,
        owner: None,
        settings: ClientSettings {
            client_name: id.into(),
            redirect_uris: vec!["https://rp.example/cb".into()],
            ..ClientSettings::default()
        },
        created_at: 0,
        updated_at: 0,
    }
}
