//! Common relying parties and what each can do: whether one fits a client, and what it lacks, follows from the client's
//! settings.

use signet_jose::SigAlg;

use url::{Host, Url};

use crate::records::{ApplicationType, ClientAuthMethod, ClientSettings, GrantType, ResponseType};
use crate::redirect::is_loopback;

/// Where an example listens if nothing says otherwise.
pub const PORT: u16 = 3000;

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
    /// Receives responses at an address on the web.
    WebAddress,
    /// Receives them at a loopback address, on a port of its own choice (RFC 8252 section 7.3).
    Loopback,
    /// Receives them at a private-use URI scheme (RFC 8252 section 7.1).
    OwnScheme,
    /// Receives them at an address of the provider itself: its demo, or the page where logins are tried.
    ProvidersAddress,
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
            Self::WebAddress => "receive responses at an address on the web",
            Self::Loopback => "receive responses at a loopback address of a native application",
            Self::OwnScheme => "receive responses at a URI scheme of the application's own",
            Self::ProvidersAddress => {
                "receive responses at this provider's own address; the client needs a redirect URI of its own"
            }
        }
    }

    /// What a redirect URI demands of whoever receives responses there. A development address of a web application on this
    /// machine is one on the web.
    fn of_address(uri: &str, kind: ApplicationType, issuer: &str) -> Self {
        if uri.strip_prefix(issuer.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/')) {
            return Self::ProvidersAddress;
        }
        match Url::parse(uri) {
            Ok(url) if url.scheme() == "http" && kind == ApplicationType::Native && is_loopback(&url) => {
                Self::Loopback
            }
            Ok(url) if ["http", "https"].contains(&url.scheme()) => Self::WebAddress,
            _ => Self::OwnScheme,
        }
    }

    /// Everything that these settings demand, but for the redirect URIs: of those one is enough.
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
    /// `AppAuth` for Android.
    AppAuthAndroid,
    /// `AppAuth` for iOS.
    AppAuthIos,
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
        Self::AppAuthAndroid,
        Self::AppAuthIos,
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
            Self::AppAuthAndroid => "AppAuth (Android)",
            Self::AppAuthIos => "AppAuth (iOS)",
            Self::Curl => "curl",
        }
    }

    /// What it can do by configuration, without code of one's own.
    fn can(self) -> &'static [Demand] {
        use Demand::{
            ClientCredentials, EncryptedIdToken, EncryptedObject, EncryptedUserInfo, Jti, Login, Loopback,
            OwnScheme, Par, Pkce, PrivateKeyJwt, Public, SecretBasic, SecretJwt, SecretPost, SignedObject,
            SignedUserInfo, WebAddress,
        };
        match self {
            Self::Sample => &[
                Loopback,
                WebAddress,
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
                WebAddress,
                Loopback,
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
            Self::Authlib => {
                &[WebAddress, Login, SecretBasic, SecretPost, Public, Pkce, Demand::OtherIdTokenAlg]
            }
            Self::SpringSecurity => {
                &[WebAddress, Login, ClientCredentials, SecretBasic, SecretPost, Public, Pkce]
            }
            Self::ModAuthOpenidc => &[
                WebAddress,
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
            // They take the ID token from the token endpoint over TLS, which stands for its signature (OpenID Connect Core
            // section 3.1.3.7, 6).
            Self::AppAuthAndroid | Self::AppAuthIos => {
                &[OwnScheme, Login, Public, Pkce, Demand::OtherIdTokenAlg]
            }
            Self::Curl => &[ClientCredentials, SecretBasic, SecretPost],
        }
    }

    /// What it cannot do of what the settings demand; empty if it fits. `issuer` tells the provider's own addresses.
    pub fn lacks(self, settings: &ClientSettings, issuer: &str) -> Vec<Demand> {
        let mut demands = Demand::of(settings);
        let kind = |uri: &String| Demand::of_address(uri, settings.application_type, issuer);
        let login = demands.contains(&Demand::Login);
        // The sample says itself which address it needs.
        if login && self != Self::Sample && self.receives(settings, issuer).is_none() {
            demands.extend(settings.redirect_uris.first().map(kind));
        }
        demands.into_iter().filter(|demand| !self.can().contains(demand)).collect()
    }

    /// The first of the client's redirect URIs that it can receive responses at.
    pub fn receives(self, settings: &ClientSettings, issuer: &str) -> Option<String> {
        let native = settings.application_type == ApplicationType::Native;
        let mut fitting = settings
            .redirect_uris
            .iter()
            .filter(|uri| self.can().contains(&Demand::of_address(uri, settings.application_type, issuer)));
        match self {
            Self::Sample => fitting.find_map(|uri| of_sample(uri, native)),
            // A native application chooses its port; an example has to name one.
            Self::OpenidClient => fitting.map(|uri| with_port(uri, native)).next(),
            _ => fitting.next().cloned(),
        }
    }

    /// Which address to register for it, where it listens at one and the same; `None` if any will do.
    pub fn listens_at(self) -> Option<String> {
        (self == Self::Sample).then(|| format!("http://127.0.0.1:{PORT}/callback"))
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
            Self::AppAuthAndroid | Self::AppAuthIos => settings.application_type == ApplicationType::Native,
            Self::Curl => !Demand::of(settings).contains(&Demand::Login),
            _ => true,
        }
    }
}

/// A redirect URI with a port, where a native application would choose one (RFC 8252 section 7.3: the provider allows "any
/// port to be specified at the time of the request").
fn with_port(uri: &str, native: bool) -> String {
    let url = Url::parse(uri).ok().filter(|url| native && url.scheme() == "http" && url.port().is_none());
    let Some(mut url) = url else { return uri.to_owned() };
    match url.set_port(Some(PORT)) {
        Ok(()) => url.into(),
        Err(()) => uri.to_owned(),
    }
}

/// The address that the samples send, if it is this redirect URI: `http://127.0.0.1:PORT/callback`.
fn of_sample(uri: &str, native: bool) -> Option<String> {
    let uri = with_port(uri, native);
    let url = Url::parse(&uri).ok()?;
    let here = matches!(url.host(), Some(Host::Ipv4(ip)) if ip == std::net::Ipv4Addr::LOCALHOST);
    let port = url.port()?;
    (here && uri == format!("http://127.0.0.1:{port}/callback")).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::Template;

    const OP: &str = "https://op.example/a";

    fn client(template: Template, uris: &[&str]) -> ClientSettings {
        let redirect_uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
        ClientSettings { redirect_uris, ..template.settings() }
    }

    #[test]
    fn who_fits_which_kind_of_client_and_of_redirect_uri() {
        use RelyingParty::{
            AppAuthAndroid, AppAuthIos, Authlib, Curl, ModAuthOpenidc, OpenidClient, Sample, SpringSecurity,
        };
        let (web, scheme) = ("https://rp.example/cb", "com.example.app:/cb");
        let (loopback, own) = ("http://127.0.0.1/cb", "https://op.example/a/demo/callback");
        let servers = &[OpenidClient, Authlib, SpringSecurity, ModAuthOpenidc][..];
        for (template, uris, fitting) in [
            (Template::Web, &[web][..], servers),
            (Template::Web, &["http://localhost:3000/cb"], servers),
            (Template::Web, &[own, web], servers),
            (Template::Web, &[own], &[]),
            (Template::Spa, &[web], servers),
            (Template::Machine, &[], &[OpenidClient, SpringSecurity, Curl]),
            (Template::Sealed, &[web], &[Sample]),
            (Template::Native, &[scheme], &[AppAuthAndroid, AppAuthIos]),
            (Template::Native, &[loopback], &[OpenidClient]),
            (
                Template::Native,
                &["http://[::1]:9000/cb", scheme],
                &[OpenidClient, AppAuthAndroid, AppAuthIos],
            ),
            // An address that the application claims (RFC 8252 section 7.2).
            (Template::Native, &[web], servers),
        ] {
            let settings = client(template, uris);
            let fits = |rp: &&RelyingParty| rp.concerns(&settings) && rp.lacks(&settings, OP).is_empty();
            let found: Vec<_> = RelyingParty::ALL.iter().filter(fits).copied().collect();
            assert_eq!(found, fitting, "{template:?} {uris:?}");
        }
        assert!(Template::ALL.iter().all(|one| client(*one, &[]).redirect_uris.is_empty()));
    }

    #[test]
    fn each_is_given_the_redirect_uri_that_it_receives_responses_at() {
        use RelyingParty::{AppAuthIos, Authlib, OpenidClient, Sample};
        let scheme = "com.example.app:/cb";
        for (rp, template, uris, expected) in [
            (
                Authlib,
                Template::Web,
                &["https://op.example/a/console/trial/callback", "https://rp.example/cb"][..],
                Some("https://rp.example/cb"),
            ),
            (Authlib, Template::Web, &["https://op.example/app/cb"], Some("https://op.example/app/cb")),
            (AppAuthIos, Template::Native, &["http://127.0.0.1/cb", scheme], Some(scheme)),
            (
                OpenidClient,
                Template::Native,
                &[scheme, "http://127.0.0.1/cb"],
                Some("http://127.0.0.1:3000/cb"),
            ),
            (OpenidClient, Template::Native, &["http://127.0.0.1:9000/cb"], Some("http://127.0.0.1:9000/cb")),
            // A web application's address is compared character by character.
            (OpenidClient, Template::Web, &["http://127.0.0.1/cb"], Some("http://127.0.0.1/cb")),
            (Sample, Template::Sealed, &["https://s.example/cb"], None),
            (
                Sample,
                Template::Sealed,
                &["https://s.example/cb", "http://127.0.0.1:3001/callback"],
                Some("http://127.0.0.1:3001/callback"),
            ),
            (Sample, Template::Sealed, &["http://127.0.0.1/callback"], None),
            (Sample, Template::Sealed, &["http://localhost:3001/callback"], None),
            (
                Sample,
                Template::Native,
                &["http://127.0.0.1/callback"],
                Some("http://127.0.0.1:3000/callback"),
            ),
        ] {
            let found = rp.receives(&client(template, uris), OP);
            assert_eq!(found.as_deref(), expected, "{rp:?} {uris:?}");
        }
        let listens = Sample.listens_at().unwrap();
        assert_eq!(Sample.receives(&client(Template::Sealed, &[&listens]), OP), Some(listens));
    }

    #[test]
    fn who_can_prove_a_client_by_which_method() {
        use ClientAuthMethod::{ClientSecretBasic, ClientSecretJwt, ClientSecretPost, None, PrivateKeyJwt};
        use RelyingParty::{
            AppAuthAndroid, AppAuthIos, Authlib, Curl, ModAuthOpenidc, OpenidClient, Sample, SpringSecurity,
        };
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
            (
                None,
                Demand::Public,
                &[OpenidClient, Authlib, SpringSecurity, ModAuthOpenidc, AppAuthAndroid, AppAuthIos],
            ),
        ] {
            let settings =
                ClientSettings { token_endpoint_auth_method: method, ..Template::Sealed.settings() };
            let lacks = |rp: RelyingParty| rp.lacks(&settings, OP).contains(&demand);
            let found: Vec<_> = RelyingParty::ALL.iter().copied().filter(|rp| !lacks(*rp)).collect();
            assert!(Demand::of(&settings).contains(&demand), "{method:?}");
            assert_eq!(found, able, "{method:?}");
        }
    }

    #[test]
    fn what_is_lacking_is_told() {
        let sealed = Template::Sealed.settings();
        assert_eq!(RelyingParty::OpenidClient.lacks(&sealed, OP), [Demand::EncryptedObject]);
        assert_eq!(RelyingParty::ModAuthOpenidc.lacks(&sealed, OP), [Demand::Jti]);
        assert!(RelyingParty::SpringSecurity.lacks(&sealed, OP).contains(&Demand::EncryptedIdToken));
        for demand in Demand::of(&sealed) {
            assert!(!demand.text().ends_with('.'));
        }
    }
}
