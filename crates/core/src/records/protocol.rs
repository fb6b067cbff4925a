//! The registered words of the protocols. Each list stands here once; parsers, policy and discovery are made from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declares an enum whose variants are registered words, serialized as they are written on the wire.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word that is known here.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The registered word.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The variant of a registered word.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }
        }
    };
}
pub(crate) use words;

words! {
    /// `response_type` (OpenID Connect Core section 3, OAuth 2.0 Multiple Response Type Encoding Practices).
    ResponseType {
        /// Authorization code flow.
        Code = "code",
        /// Implicit flow, no access token.
        IdToken = "id_token",
        /// Implicit flow.
        IdTokenToken = "id_token token",
        /// Hybrid flow.
        CodeIdToken = "code id_token",
        /// Hybrid flow.
        CodeToken = "code token",
        /// Hybrid flow.
        CodeIdTokenToken = "code id_token token",
    }
}

impl ResponseType {
    /// Reads the parameter. Multiple Response Types section 3: "The order of the values does not matter."
    pub fn parse(value: &str) -> Option<Self> {
        let mut words: Vec<&str> = value.split(' ').collect();
        words.sort_unstable();
        Self::from_name(&words.join(" "))
    }

    /// Whether a code is among what is returned.
    pub fn has_code(self) -> bool {
        self.name().split(' ').any(|word| word == "code")
    }

    /// Whether an ID token comes by the browser.
    pub fn has_id_token(self) -> bool {
        self.name().split(' ').any(|word| word == "id_token")
    }

    /// Whether an access token comes by the browser.
    pub fn has_token(self) -> bool {
        self.name().split(' ').any(|word| word == "token")
    }

    /// Multiple Response Types sections 2.1 and 5: `query` for `code`; `fragment` as soon as a token is returned.
    pub fn default_mode(self) -> ResponseMode {
        if self == Self::Code { ResponseMode::Query } else { ResponseMode::Fragment }
    }
}

words! {
    /// `response_mode` (Multiple Response Types section 2.1, Form Post Response Mode, JARM section 2.3).
    ResponseMode {
        /// In the query of the redirect URI.
        Query = "query",
        /// In its fragment.
        Fragment = "fragment",
        /// In a form that the browser posts.
        FormPost = "form_post",
        /// A JWT in the query.
        QueryJwt = "query.jwt",
        /// A JWT in the fragment.
        FragmentJwt = "fragment.jwt",
        /// A JWT in a posted form.
        FormPostJwt = "form_post.jwt",
        /// A JWT where the response type puts its parameters by default. Never stored: resolved when the request is judged.
        Jwt = "jwt",
    }
}

words! {
    /// `grant_type` (RFC 6749, RFC 8628, RFC 8693, OpenID Connect Dynamic Client Registration section 2).
    GrantType {
        /// RFC 6749 section 4.1.
        AuthorizationCode = "authorization_code",
        /// Tokens by the browser; never sent to the token endpoint.
        Implicit = "implicit",
        /// RFC 6749 section 6.
        RefreshToken = "refresh_token",
        /// RFC 6749 section 4.4.
        ClientCredentials = "client_credentials",
        /// RFC 8628.
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        /// RFC 8693.
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
    }
}

words! {
    /// `subject_type` (OpenID Connect Core section 8).
    SubjectType {
        /// The same `sub` for every client.
        Public = "public",
        /// Another `sub` for each sector.
        Pairwise = "pairwise",
    }
}

words! {
    /// The form of access tokens.
    AccessTokenFormat {
        /// Random text that only this provider can read.
        Opaque = "opaque",
        /// A JWT (RFC 9068).
        Jwt = "jwt",
    }
}

words! {
    /// Who may register clients (RFC 7591 section 3).
    RegistrationPolicy {
        /// Nobody.
        Off = "off",
        /// Whoever holds an initial access token.
        InitialAccessToken = "initial_access_token",
        /// Anybody.
        Open = "open",
    }
}

words! {
    /// What `aud` of a client assertion may be (RFC 7523 section 3, and the attack of 2025 on token endpoint audiences).
    AssertionAudience {
        /// The issuer alone, as a string: what the FAPI 2.0 Security Profile demands (section 5.3.2.1), because an endpoint's
        /// address can be imposed upon a client by another server.
        IssuerOnly = "issuer_only",
        /// The issuer, the token endpoint or the endpoint that is called, alone or among others (OpenID Connect Core section
        /// 9, RFC 9126 section 2).
        IssuerOrEndpoint = "issuer_or_endpoint",
    }
}

words! {
    /// Where a claim is delivered for a client.
    ClaimPlacement {
        /// At UserInfo.
        UserInfo = "userinfo",
        /// In the ID token.
        IdToken = "id_token",
        /// At both.
        Both = "both",
    }
}

words! {
    /// What a person may do in the administration of a tenant; see [`crate::admin`].
    Role {
        /// Everything, other owners included.
        Owner = "owner",
        /// Everything but owners.
        Administrator = "administrator",
        /// Registers clients and looks after those; sees no other ones.
        Developer = "developer",
        /// Sees everything, changes nothing.
        Auditor = "auditor",
    }
}

words! {
    /// Whether people need a second factor. Whoever has one is always asked for it.
    SecondFactor {
        /// Those who want one.
        Optional = "optional",
        /// Everybody; who has none enrols one at the next login.
        Required = "required",
    }
}

words! {
    /// What a person proves themselves with besides the password.
    CredentialKind {
        /// A key pair in an authenticator (Web Authentication).
        Passkey = "passkey",
        /// One-time passwords by time (RFC 6238).
        Totp = "totp",
        /// A code for when the others are lost; good for one use.
        RecoveryCode = "recovery_code",
    }
}

words! {
    /// What a link that was sent to a person opens.
    LinkPurpose {
        /// A new account: the person chooses a password.
        Invitation = "invitation",
        /// The person chooses another password, as an administrator wants it.
        PasswordReset = "password_reset",
        /// The person chooses another password, as somebody wants it who says that they have forgotten it.
        Forgotten = "forgotten",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_types_are_sets_of_words() {
        assert_eq!(ResponseType::parse("token id_token code"), Some(ResponseType::CodeIdTokenToken));
        assert_eq!(ResponseType::parse("token id_token"), Some(ResponseType::IdTokenToken));
        for bad in ["", " code", "code code", "token", "none", "Code", "code  token"] {
            assert_eq!(ResponseType::parse(bad), None, "{bad}");
        }
        for known in ResponseType::ALL {
            assert_eq!(ResponseType::parse(known.name()), Some(*known));
        }
    }
}
