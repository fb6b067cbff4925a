//! Configuration to copy and run, for common relying parties ([`signet_core::relying_party`]), filled with a client's values.
//! Secrets and private keys are never in it: it says where they are read from.

use askama::Template;
use schemars::JsonSchema;
use serde::Serialize;
use signet_core::client_policy::ClientKeyState;
use signet_core::discovery::Endpoint;
use signet_core::ids::ClientId;
use signet_core::records::{ApplicationType, ClientAuthMethod, ClientSettings, TenantSettings};
use signet_core::relying_party::{Demand, PORT, RelyingParty};
use signet_jose::KeyUse;

use super::{ClientKeyView, Desk, Result};
use crate::pages::rendered;

/// Configuration of one client for each common relying party that can be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Configuration {
    /// The tenant's issuer.
    pub issuer: String,
    /// Where its discovery document is.
    pub metadata: String,
    /// The relying parties of the client's kind.
    pub offers: Vec<Offer>,
}

/// A relying party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Offer {
    /// Names it.
    pub id: String,
    /// What it is called.
    pub title: &'static str,
    /// What to copy; empty if it cannot do what the client demands.
    pub text: String,
    /// What it cannot do of what the client demands.
    pub lacks: Vec<&'static str>,
    /// The redirect URI to register before it can run; while it is missing, there is nothing to copy.
    pub register: Option<String>,
}

impl Desk<'_> {
    /// Configuration of a client for the relying parties of its kind.
    pub async fn client_configuration(&self, id: &ClientId) -> Result<Configuration> {
        let view = self.client(id).await?;
        let keys = self.client_keys(id).await?;
        let tenant = self.tenant();
        let values = Values::of(&tenant.issuer, &tenant.settings, id.as_str(), &view.settings, &keys);
        let all = RelyingParty::ALL.iter().filter(|rp| rp.concerns(&view.settings));
        Ok(Configuration {
            issuer: tenant.issuer.clone(),
            metadata: values.metadata_address(),
            offers: all.map(|rp| values.offer(*rp, &view.settings)).collect(),
        })
    }
}

/// Text as a literal: a JSON string is one in JavaScript, Python, YAML and Apache's configuration alike.
fn literal(text: &str) -> String {
    // A less-than sign could end a script that somebody pastes this into.
    serde_json::Value::from(text).to_string().replace('<', "\\u003c")
}

/// Text as a literal of Kotlin, where a dollar sign begins a template (Kotlin language documentation, Strings).
fn kotlin(text: &str) -> String {
    literal(text).replace('$', "\\$")
}

/// Text as a literal of Swift, which writes code points in its own way (The Swift Programming Language, String Literals).
fn swift(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('<', "\\u{3c}")
}

/// The key that a configuration names: one that is used now, else the one that will be next; never one that has ended.
fn named_key(keys: &[ClientKeyView], usage: KeyUse) -> Option<&ClientKeyView> {
    let of = |state| keys.iter().filter(move |key| key.usage == usage && key.state == state);
    of(ClientKeyState::InUse)
        .next_back()
        .or_else(|| of(ClientKeyState::Next).min_by_key(|key| key.used_from))
        .or_else(|| of(ClientKeyState::Valid).next_back())
        .or_else(|| of(ClientKeyState::Waiting).min_by_key(|key| key.not_before))
}

/// A word of a POSIX shell, quoted (Shell Command Language section 2.2.2).
fn word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A client's values, as the texts need them.
#[derive(Clone)]
struct Values {
    issuer: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    method: ClientAuthMethod,
    kid_sig: String,
    kid_enc: String,
    sig_alg: &'static str,
    provider_enc_alg: &'static str,
}

impl Values {
    fn of(
        issuer: &str,
        tenant: &TenantSettings,
        client_id: &str,
        settings: &ClientSettings,
        keys: &[ClientKeyView],
    ) -> Self {
        let key = |usage| named_key(keys, usage);
        let kid = |usage| key(usage).map(|key| key.kid.clone()).unwrap_or_default();
        let of_key = key(KeyUse::Sig).map_or("RS256", |key| match key.kind.as_str() {
            "P-256" => "ES256",
            "P-384" => "ES384",
            "P-521" => "ES512",
            "Ed25519" => "EdDSA",
            _ => "RS256",
        });
        let chosen = settings.request_object_signing_algs.iter().next();
        let rsa = tenant.encryption_algs.iter().find(|alg| alg.name().starts_with("RSA"));
        Self {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            redirect_uri: String::new(),
            scope: settings.scope.iter().cloned().collect::<Vec<_>>().join(" "),
            method: settings.token_endpoint_auth_method,
            kid_sig: kid(KeyUse::Sig),
            kid_enc: kid(KeyUse::Enc),
            sig_alg: chosen.map_or(of_key, |alg| alg.name()),
            provider_enc_alg: rsa.map_or("RSA-OAEP", |alg| alg.name()),
        }
    }

    fn metadata_address(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'))
    }

    /// The values for one relying party: with the redirect URI that it receives responses at.
    fn at(&self, redirect_uri: Option<String>) -> Self {
        Self { redirect_uri: redirect_uri.unwrap_or_default(), ..self.clone() }
    }

    fn offer(&self, rp: RelyingParty, settings: &ClientSettings) -> Offer {
        let lacks: Vec<&str> = rp.lacks(settings, &self.issuer).into_iter().map(Demand::text).collect();
        let address = rp.receives(settings, &self.issuer);
        let register = rp.listens_at().filter(|_| address.is_none() && lacks.is_empty());
        let runs = lacks.is_empty() && register.is_none();
        let text = if runs { self.at(address).text(rp, settings) } else { String::new() };
        let id = format!("{rp:?}").to_lowercase();
        Offer { id, title: rp.title(), text, lacks, register }
    }

    fn text(&self, rp: RelyingParty, settings: &ClientSettings) -> String {
        match rp {
            RelyingParty::Sample => self.sample(),
            RelyingParty::OpenidClient => self.openid_client(settings),
            RelyingParty::Authlib => self.authlib(),
            RelyingParty::SpringSecurity => self.spring(settings),
            RelyingParty::ModAuthOpenidc => self.apache(settings),
            RelyingParty::AppAuthAndroid => self.app_auth_android(),
            RelyingParty::AppAuthIos => self.app_auth_ios(),
            RelyingParty::Curl => self.curl(),
        }
    }

    fn has_secret(&self) -> bool {
        self.method.uses_secret()
    }

    /// Where a program listens: at the redirect URI's port, or behind whoever speaks https for it.
    fn port(&self) -> u16 {
        let url = url::Url::parse(&self.redirect_uri).ok();
        let port = url.and_then(|url| match url.scheme() {
            "http" => url.port_or_known_default(),
            _ => url.port(),
        });
        port.unwrap_or(PORT)
    }

    fn sample(&self) -> String {
        let (issuer, client_id) = (word(&self.issuer), word(&self.client_id));
        rendered(&Sample { issuer, client_id, secret: self.has_secret(), port: self.port() })
    }

    fn openid_client(&self, settings: &ClientSettings) -> String {
        let encryption = settings.id_token.encrypted.or(settings.userinfo.encrypted);
        rendered(&OpenidClient {
            issuer: literal(&self.issuer),
            client_id: literal(&self.client_id),
            redirect_uri: literal(&self.redirect_uri),
            scope: if self.scope.is_empty() { String::new() } else { literal(&self.scope) },
            kid_sig: literal(&self.kid_sig),
            sig_alg: literal(self.sig_alg),
            id_token_alg: literal(settings.id_token.signed.name()),
            userinfo_alg: literal(settings.userinfo.signed.name()),
            enc_alg: literal(encryption.map_or("", |one| one.alg.name())),
            content_alg: literal(encryption.map_or("", |one| one.enc.name())),
            public: self.method == ClientAuthMethod::None,
            own_key: self.method == ClientAuthMethod::PrivateKeyJwt,
            mac: self.method == ClientAuthMethod::ClientSecretJwt,
            post: self.method == ClientAuthMethod::ClientSecretPost,
            opens: encryption.is_some(),
            signs: settings.require_request_object,
            pushes: settings.require_pushed_authorization_requests,
            signed_userinfo: settings.userinfo.response_type.is_signed(),
            insecure: self.issuer.starts_with("http:"),
            login: !settings.response_types.is_empty(),
            in_browser: settings.application_type == ApplicationType::Web
                && self.method == ClientAuthMethod::None
                && !settings.require_request_object
                && encryption.is_none(),
            port: self.port(),
        })
    }

    fn redirect_path(&self) -> String {
        let path = url::Url::parse(&self.redirect_uri).map(|url| url.path().to_owned());
        literal(path.as_deref().unwrap_or("/"))
    }

    fn authlib(&self) -> String {
        rendered(&Authlib {
            client_id: literal(&self.client_id),
            metadata: literal(&self.metadata_address()),
            scope: literal(&self.scope),
            method: literal(self.method.name()),
            redirect_uri: literal(&self.redirect_uri),
            redirect_path: self.redirect_path(),
            secret: self.has_secret(),
        })
    }

    fn spring(&self, settings: &ClientSettings) -> String {
        let login = !settings.response_types.is_empty();
        rendered(&Spring {
            client_id: literal(&self.client_id),
            issuer: literal(&self.issuer),
            redirect_uri: literal(&self.redirect_uri),
            redirect_path: self.redirect_path(),
            scopes: self
                .scope
                .split(' ')
                .filter(|one| !one.is_empty())
                .map(literal)
                .collect::<Vec<_>>()
                .join(", "),
            method: self.method.name(),
            grant: if login { "authorization_code" } else { "client_credentials" },
            secret: self.has_secret(),
            public: self.method == ClientAuthMethod::None,
            login,
        })
    }

    fn apache(&self, settings: &ClientSettings) -> String {
        let encryption = settings.id_token.encrypted.or(settings.userinfo.encrypted);
        rendered(&Apache {
            metadata: literal(&self.metadata_address()),
            client_id: literal(&self.client_id),
            redirect_uri: literal(&self.redirect_uri),
            scope: literal(&self.scope),
            method: self.method.name(),
            kid_sig_bare: plain(&self.kid_sig),
            kid_enc_bare: plain(&self.kid_enc),
            sig_alg_bare: self.sig_alg,
            provider_enc_alg: self.provider_enc_alg,
            id_token_alg_bare: settings.id_token.signed.name(),
            userinfo_alg_bare: settings.userinfo.signed.name(),
            enc_alg_bare: encryption.map_or("", |one| one.alg.name()),
            content_alg_bare: encryption.map_or("", |one| one.enc.name()),
            secret: self.has_secret(),
            pushes: settings.require_pushed_authorization_requests,
            own_key: self.method == ClientAuthMethod::PrivateKeyJwt,
            signs: settings.require_request_object,
            seals: settings.require_encrypted_request_object,
            opens: encryption.is_some(),
            sealed_id_token: settings.id_token.encrypted.is_some(),
            signed_userinfo: settings.userinfo.response_type.is_signed(),
            sealed_userinfo: settings.userinfo.response_type.is_encrypted(),
        })
    }

    fn app_auth_android(&self) -> String {
        rendered(&AppAuthAndroid {
            scheme: kotlin(self.redirect_scheme()),
            issuer: kotlin(&self.issuer),
            client_id: kotlin(&self.client_id),
            redirect_uri: kotlin(&self.redirect_uri),
            scope: kotlin(&self.scope),
            insecure: self.issuer.starts_with("http:"),
        })
    }

    fn app_auth_ios(&self) -> String {
        let scopes: Vec<String> = self.scope.split(' ').map(swift).collect();
        rendered(&AppAuthIos {
            scheme: swift(self.redirect_scheme()),
            issuer: swift(&self.issuer),
            client_id: swift(&self.client_id),
            redirect_uri: swift(&self.redirect_uri),
            scopes: scopes.join(", "),
            insecure: self.issuer.starts_with("http:"),
        })
    }

    fn redirect_scheme(&self) -> &str {
        self.redirect_uri.split(':').next().unwrap_or_default()
    }

    fn curl(&self) -> String {
        let scope =
            if self.scope.is_empty() { String::new() } else { word(&format!("scope={}", self.scope)) };
        let token = format!("{}{}", self.issuer.trim_end_matches('/'), Endpoint::Token.path());
        let post = self.method == ClientAuthMethod::ClientSecretPost;
        let client_id = if post { format!("client_id={}", self.client_id) } else { self.client_id.clone() };
        rendered(&Curl { client_id: word(&client_id), post, scope_bare: scope, token: word(&token) })
    }
}

/// A `kid` within a quoted word: what could end the word is left out.
fn plain(kid: &str) -> String {
    kid.chars().filter(|c| c.is_ascii_graphic() && !"\"\\#".contains(*c)).collect()
}

#[derive(Template)]
#[template(path = "console/rp/sample.txt")]
struct Sample {
    issuer: String,
    client_id: String,
    secret: bool,
    port: u16,
}

#[derive(Template)]
#[template(path = "console/rp/openid_client.txt")]
struct OpenidClient {
    issuer: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    kid_sig: String,
    sig_alg: String,
    id_token_alg: String,
    userinfo_alg: String,
    enc_alg: String,
    content_alg: String,
    public: bool,
    own_key: bool,
    mac: bool,
    post: bool,
    opens: bool,
    signs: bool,
    pushes: bool,
    signed_userinfo: bool,
    insecure: bool,
    login: bool,
    /// Whether it needs neither a secret nor a key, and so can run where everybody reads it.
    in_browser: bool,
    port: u16,
}

#[derive(Template)]
#[template(path = "console/rp/authlib.txt")]
struct Authlib {
    client_id: String,
    metadata: String,
    scope: String,
    method: String,
    redirect_uri: String,
    redirect_path: String,
    secret: bool,
}

#[derive(Template)]
#[template(path = "console/rp/spring.txt")]
struct Spring {
    client_id: String,
    issuer: String,
    redirect_uri: String,
    redirect_path: String,
    scopes: String,
    method: &'static str,
    grant: &'static str,
    secret: bool,
    public: bool,
    login: bool,
}

#[derive(Template)]
#[template(path = "console/rp/apache.txt")]
struct Apache {
    metadata: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    method: &'static str,
    kid_sig_bare: String,
    kid_enc_bare: String,
    sig_alg_bare: &'static str,
    provider_enc_alg: &'static str,
    id_token_alg_bare: &'static str,
    userinfo_alg_bare: &'static str,
    enc_alg_bare: &'static str,
    content_alg_bare: &'static str,
    secret: bool,
    pushes: bool,
    own_key: bool,
    signs: bool,
    seals: bool,
    opens: bool,
    sealed_id_token: bool,
    signed_userinfo: bool,
    sealed_userinfo: bool,
}

#[derive(Template)]
#[template(path = "console/rp/appauth_android.txt")]
struct AppAuthAndroid {
    scheme: String,
    issuer: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    insecure: bool,
}

#[derive(Template)]
#[template(path = "console/rp/appauth_ios.txt")]
struct AppAuthIos {
    scheme: String,
    issuer: String,
    client_id: String,
    redirect_uri: String,
    scopes: String,
    insecure: bool,
}

#[derive(Template)]
#[template(path = "console/rp/curl.txt")]
struct Curl {
    client_id: String,
    post: bool,
    scope_bare: String,
    token: String,
}

#[cfg(test)]
mod tests;
