//! What kinds of applications there are, with the settings that each begins with. Command line, administrative interface
//! and console all make clients from this table.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signet_jose::{ContentAlg, KeyAlg, KeyUse};

use crate::records::{
    ApplicationType, ClientAuthMethod, ClientSettings, Encryption, GrantType, UserInfoResponseType, words,
};

words! {
    /// A kind of application.
    Template {
        /// A web application with a server of its own: code, PKCE, client secret.
        Web = "web",
        /// An application in the browser: code, PKCE, no secret.
        Spa = "spa",
        /// An application on a phone or desktop: code, PKCE, no secret, loopback redirect URIs.
        Native = "native",
        /// A program that acts for itself: client credentials, nobody signs in.
        Machine = "machine",
        /// Signed and encrypted requests in, signed and encrypted tokens out.
        Sealed = "sealed",
    }
}

impl Template {
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Web => "Web application",
            Self::Spa => "Single-page application",
            Self::Native => "Native application",
            Self::Machine => "Machine",
            Self::Sealed => "Sealed (FTN-like)",
        }
    }

    /// What it is for and how it proves itself, in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Web => {
                "Runs on a server that can keep a secret; people sign in with the code flow and PKCE."
            }
            Self::Spa => {
                "Runs in the browser and can keep no secret; people sign in with the code flow, and PKCE is its proof."
            }
            Self::Native => {
                "Runs on a phone or a desktop and can keep no secret; responses come to a loopback address or a scheme of its own."
            }
            Self::Machine => {
                "Acts for itself without anybody signing in; it gets access tokens with its secret."
            }
            Self::Sealed => {
                "Sends signed and encrypted requests and gets signed and encrypted tokens, as the Finnish Trust Network asks."
            }
        }
    }

    /// Whether people sign in, so that a redirect URI is needed.
    pub fn signs_people_in(self) -> bool {
        self != Self::Machine
    }

    /// The usages for which such a client needs a key of its own from the start.
    pub fn needs_keys(self) -> &'static [KeyUse] {
        if self == Self::Sealed { &[KeyUse::Sig, KeyUse::Enc] } else { &[] }
    }

    /// The scope that such a client begins with.
    pub fn scope(self) -> BTreeSet<String> {
        if self.signs_people_in() { ClientSettings::default().scope } else { BTreeSet::new() }
    }

    /// The settings that such a client begins with; name and redirect URIs are still to be filled in.
    pub fn settings(self) -> ClientSettings {
        let mut settings = ClientSettings { scope: self.scope(), ..ClientSettings::default() };
        match self {
            Self::Web => {}
            Self::Spa => settings.token_endpoint_auth_method = ClientAuthMethod::None,
            Self::Native => {
                settings.token_endpoint_auth_method = ClientAuthMethod::None;
                settings.application_type = ApplicationType::Native;
            }
            Self::Machine => {
                settings.grant_types = [GrantType::ClientCredentials].into();
                settings.response_types = BTreeSet::new();
            }
            Self::Sealed => {
                // A.13-f: the default strength of new clients.
                let encryption = Encryption { alg: KeyAlg::RsaOaep256, enc: ContentAlg::A256Gcm };
                settings.require_request_object = true;
                settings.require_encrypted_request_object = true;
                settings.require_jti = true;
                settings.id_token.encrypted = Some(encryption);
                settings.userinfo.response_type = UserInfoResponseType::SignedAndEncrypted;
                settings.userinfo.encrypted = Some(encryption);
            }
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_policy::{self, KeptSecret, Mode};
    use crate::records::TenantSettings;

    #[test]
    fn what_a_template_lacks_is_what_it_says_that_it_needs() {
        for template in Template::ALL {
            let mut settings = template.settings();
            settings.client_name = "c".into();
            if template.signs_people_in() {
                settings.redirect_uris = vec!["https://rp.example/cb".into()];
            }
            let secret = match settings.token_endpoint_auth_method {
                ClientAuthMethod::None => KeptSecret::Nothing,
                _ => KeptSecret::Hashed,
            };
            let tenant = TenantSettings::default();
            let problems =
                client_policy::check(&"c".into(), &settings, secret, &[], &tenant, Mode::Production, 0);
            assert_eq!(problems.is_empty(), template.needs_keys().is_empty(), "{template:?}: {problems:?}");
        }
    }
}
