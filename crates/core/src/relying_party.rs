//! Common relying parties and what each can do: whether one fits a client, and what it lacks, follows from the client's
//! settings.

use signet_jose::SigAlg;

use crate::records::{ClientAuthMethod, ClientSettings, GrantType, ResponseType};

/// Something that a client's settings demand of whoever implements it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// Sends people to sign in.
    Login,
    /// Acts for itself.
    ClientCredentials,
    /// Proves itself with a secret in the header (RFC 6749 section 2.3.1, HTTP Basic).
    SecretBasic,
    /// Proves itself with a secret in the form (RFC 6749 section 2.3.1, the request body).
    SecretPost,
    /// Proves itself with a MAC made from its secret.
    SecretJwt,
    /// Proves itself with its own key.
    PrivateKeyJwt,
    /// Has no secret.
    Public,
    /// PKCE with S256.
    Pkce,
    /// Pushes its requests.
    Par,
    /// Signs its requests.
    SignedObject,
    /// Encrypts its requests.
    EncryptedObject,
    /// Names each request once.
    Jti,
    /// Verifies ID tokens with another algorithm than RS256.
    OtherIdTokenAlg,
    /// Opens ID tokens.
    EncryptedIdToken,
    /// Verifies UserInfo.
    SignedUserInfo,
    /// Opens UserInfo.
    EncryptedUserInfo,
    /// Takes tokens by the browser.
    FrontChannelTokens,
}

impl Demand {
    /// What it is, as the end of a sentence that begins with "It cannot".
    pub fn text(self) -> &'static str {
        match self {
            Self::Login => "sign people in",
            Self::ClientCredentials => "ask for tokens of its own",
            Self::SecretBasic => "send a secret in the header (client_secret_basic)",
            Self::SecretPost => "send a secret in the form (client_secret_post)",
            Self::SecretJwt => "prove itself with a JWT made from its secret (client_secret_jwt)",
            Self::PrivateKeyJwt => "prove itself with its own key (private_key_jwt)",
            Self::Public => "go without a secret",
            Self::Pkce => "use PKCE",
            Self::Par => "push its requests (PAR)",
            Self::SignedObject => "sign its requests (request objects)",
            Self::EncryptedObject => "encrypt its requests",
            Self::Jti => "put a jti into its request objects",
            Self::OtherIdTokenAlg => "verify ID tokens that are signed with another algorithm than RS256",
            Self::EncryptedIdToken => "open encrypted ID tokens",
            Self::SignedUserInfo => "verify signed UserInfo responses",
            Self::EncryptedUserInfo => "open encrypted UserInfo responses",
            Self::FrontChannelTokens => "take tokens by the browser",
        }
    }

    /// Everything that these settings demand.
    pub fn of(settings: &ClientSettings) -> Vec<Self> {
        use ClientAuthMethod::{ClientSecretBasic, ClientSecretJwt, ClientSecretPost, None, PrivateKeyJwt};
        let userinfo = settings.userinfo.response_type;
        let method = settings.token_endpoint_auth_method;
        let login = !settings.response_types.is_empty();
        let rows = [
            (login, Self::Login),
            (!login && settings.grant_types.contains(&GrantType::ClientCredentials), Self::ClientCredentials),
            (method == ClientSecretBasic, Self::SecretBasic),
            (method == ClientSecretPost, Self::SecretPost),
            (method == ClientSecretJwt, Self::SecretJwt),
            (method == PrivateKeyJwt, Self::PrivateKeyJwt),
            (method == None, Self::Public),
            (login && (settings.require_pkce || method == None), Self::Pkce),
            (login && settings.require_pushed_authorization_requests, Self::Par),
            (login && settings.require_request_object, Self::SignedObject),
            (
                login && settings.require_request_object && settings.require_encrypted_request_object,
                Self::EncryptedObject,
            ),
            (login && settings.require_request_object && settings.require_jti, Self::Jti),
            (login && settings.id_token.signed != SigAlg::RS256, Self::OtherIdTokenAlg),
            (login && settings.id_token.encrypted.is_some(), Self::EncryptedIdToken),
            (login && userinfo.is_signed(), Self::SignedUserInfo),
            (login && userinfo.is_encrypted(), Self::EncryptedUserInfo),
            (login && !settings.response_types.contains(&ResponseType::Code), Self::FrontChannelTokens),
        ];
        rows.into_iter().filter(|row| row.0).map(|row| row.1).collect()
    }
}

/// A relying party that people use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelyingParty {
    /// The samples that come with Signet.
    Sample,
    /// `openid-client` for JavaScript.
    OpenidClient,
    /// Authlib for Python.
    Authlib,
    /// Spring Security for Java.
    SpringSecurity,
    /// `mod_auth_openidc` for Apache.
    ModAuthOpenidc,
    /// `curl`, for clients that act for themselves.
    Curl,
}

impl RelyingParty {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Sample,
        Self::OpenidClient,
        Self::Authlib,
        Self::SpringSecurity,
        Self::ModAuthOpenidc,
        Self::Curl,
    ];

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sample => "Signet's own sample (Python, JavaScript, Rust)",
            Self::OpenidClient => "openid-client (JavaScript)",
            Self::Authlib => "Authlib (Python)",
            Self::SpringSecurity => "Spring Security (Java)",
            Self::ModAuthOpenidc => "mod_auth_openidc (Apache)",
            Self::Curl => "curl",
        }
    }

    /// What it can do by configuration, without code of one's own.
    fn can(self) -> &'static [Demand] {
        use Demand::{
            ClientCredentials, EncryptedIdToken, EncryptedObject, EncryptedUserInfo, Jti, Login, Par, Pkce,
            PrivateKeyJwt, Public, SecretBasic, SecretJwt, SecretPost, SignedObject, SignedUserInfo,
        };
        match self {
            Self::Sample => &[
                Jti,
                Login,
                SecretBasic,
                PrivateKeyJwt,
                Pkce,
                SignedObject,
                EncryptedObject,
                EncryptedIdToken,
                SignedUserInfo,
                EncryptedUserInfo,
            ],
            Self::OpenidClient => &[
                Demand::OtherIdTokenAlg,
                Jti,
                Login,
                ClientCredentials,
                SecretBasic,
                SecretPost,
                SecretJwt,
                PrivateKeyJwt,
                Public,
                Pkce,
                Par,
                SignedObject,
                EncryptedIdToken,
                SignedUserInfo,
                EncryptedUserInfo,
            ],
            Self::Authlib => &[Login, SecretBasic, SecretPost, Public, Pkce, Demand::OtherIdTokenAlg],
            Self::SpringSecurity => &[Login, ClientCredentials, SecretBasic, SecretPost, Public, Pkce],
            Self::ModAuthOpenidc => &[
                Demand::OtherIdTokenAlg,
                Login,
                SecretBasic,
                SecretPost,
                SecretJwt,
                PrivateKeyJwt,
                Public,
                Pkce,
                Par,
                SignedObject,
                EncryptedObject,
                EncryptedIdToken,
                SignedUserInfo,
                EncryptedUserInfo,
            ],
            Self::Curl => &[ClientCredentials, SecretBasic, SecretPost],
        }
    }

    /// What it cannot do of what the settings demand; empty if it fits.
    pub fn lacks(self, settings: &ClientSettings) -> Vec<Demand> {
        Demand::of(settings).into_iter().filter(|demand| !self.can().contains(demand)).collect()
    }

    /// Whether it is worth mentioning for such a client at all.
    pub fn concerns(self, settings: &ClientSettings) -> bool {
        match self {
            // It does one thing, the sealed login, and nothing less.
            Self::Sample => {
                settings.id_token.encrypted.is_some()
                    && settings.userinfo.response_type.is_encrypted()
                    && settings.userinfo.response_type.is_signed()
            }
            Self::Curl => !Demand::of(settings).contains(&Demand::Login),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::Template;

    #[test]
    fn who_fits_which_kind_of_client() {
        use RelyingParty::{Authlib, Curl, ModAuthOpenidc, OpenidClient, Sample, SpringSecurity};
        for (template, fitting) in [
            (Template::Web, &[OpenidClient, Authlib, SpringSecurity, ModAuthOpenidc][..]),
            (Template::Spa, &[OpenidClient, Authlib, SpringSecurity, ModAuthOpenidc]),
            (Template::Machine, &[OpenidClient, SpringSecurity, Curl]),
            (Template::Sealed, &[Sample]),
        ] {
            let settings = template.settings();
            let fits = |rp: &&RelyingParty| rp.concerns(&settings) && rp.lacks(&settings).is_empty();
            let found: Vec<_> = RelyingParty::ALL.iter().filter(fits).copied().collect();
            assert_eq!(found, fitting, "{template:?}");
        }
    }

    #[test]
    fn who_can_prove_a_client_by_which_method() {
        use ClientAuthMethod::{ClientSecretBasic, ClientSecretJwt, ClientSecretPost, None, PrivateKeyJwt};
        use RelyingParty::{Authlib, Curl, ModAuthOpenidc, OpenidClient, Sample, SpringSecurity};
        for (method, demand, able) in [
            (
                ClientSecretBasic,
                Demand::SecretBasic,
                &[Sample, OpenidClient, Authlib, SpringSecurity, ModAuthOpenidc, Curl][..],
            ),
            (
                ClientSecretPost,
                Demand::SecretPost,
                &[OpenidClient, Authlib, SpringSecurity, ModAuthOpenidc, Curl],
            ),
            (ClientSecretJwt, Demand::SecretJwt, &[OpenidClient, ModAuthOpenidc]),
            (PrivateKeyJwt, Demand::PrivateKeyJwt, &[Sample, OpenidClient, ModAuthOpenidc]),
            (None, Demand::Public, &[OpenidClient, Authlib, SpringSecurity, ModAuthOpenidc]),
        ] {
            let settings =
                ClientSettings { token_endpoint_auth_method: method, ..Template::Sealed.settings() };
            let lacks = |rp: RelyingParty| rp.lacks(&settings).contains(&demand);
            let found: Vec<_> = RelyingParty::ALL.iter().copied().filter(|rp| !lacks(*rp)).collect();
            assert!(Demand::of(&settings).contains(&demand), "{method:?}");
            assert_eq!(found, able, "{method:?}");
        }
    }

    #[test]
    fn what_is_lacking_is_told() {
        let sealed = Template::Sealed.settings();
        assert_eq!(RelyingParty::OpenidClient.lacks(&sealed), [Demand::EncryptedObject]);
        assert_eq!(RelyingParty::ModAuthOpenidc.lacks(&sealed), [Demand::Jti]);
        assert!(RelyingParty::SpringSecurity.lacks(&sealed).contains(&Demand::EncryptedIdToken));
        for demand in Demand::of(&sealed) {
            assert!(!demand.text().ends_with('.'));
        }
    }
}
