//! Second factors of the people of a provider.

use serde_json::json;
use signet_core::change::Change;
use signet_core::interaction::recovery_codes;
use signet_core::records::User;
use signet_server::edge;
use signet_server::factors::totp::{self, Shared};

use crate::provider::{Provider, Reply, between};

/// The secret that a page shows (RFC 4648 section 6), as an application takes it up.
pub fn shown_secret(page: &Reply) -> Shared {
    shared(between(&page.body, "id=\"totp-secret\">", "<"))
}

/// A secret from its text.
pub fn shared(text: &str) -> Shared {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(u8::is_ascii_alphanumeric) {
        let value = if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter - b'A' };
        held = (held << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) & 255);
            held &= (1 << bits) - 1;
        }
    }
    serde_json::from_value(json!(bytes)).unwrap()
}

/// The recovery codes that a page shows.
pub fn shown_codes(page: &Reply) -> Vec<String> {
    let list = between(&page.body, "id=\"recovery-codes\">", "</ul>");
    list.split("<code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

impl Provider {
    /// A user of the first tenant.
    pub async fn person(&self, username: &str) -> User {
        self.app.store.user_by_name(&"default".into(), username).await.unwrap().unwrap()
    }

    /// What the application shows now.
    pub fn code_of(&self, shared: &Shared) -> String {
        shared.code(self.now()).unwrap()
    }

    /// Enrols an authenticator application and recovery codes, as if long ago.
    pub async fn enrol(&self, username: &str) -> (Shared, Vec<String>) {
        let user = self.person(username).await;
        let context = self.context(&edge::SystemEntropy);
        let shared = Shared::fresh(&edge::SystemEntropy);
        let credential = totp::enrolled(&self.app.vault, &user, &shared, 0, &context).unwrap();
        let (codes, mut changes) = recovery_codes(&user, &context);
        changes.push(Change::InsertCredential(credential));
        self.app.store.apply(&user.tenant, &changes).await.unwrap();
        (shared, codes)
    }

    /// Removes all that a person has enrolled.
    pub async fn forget_factors(&self, username: &str) {
        let user = self.person(username).await;
        let all = self.app.store.credentials(&user.tenant, user.id).await.unwrap();
        let gone = all.iter().map(|one| Change::DeleteCredential { user_id: user.id, id: one.id });
        self.app.store.apply(&user.tenant, &gone.collect::<Vec<_>>()).await.unwrap();
    }
}
