//! What a client must send and what it will receive, in plain words, from its record, its keys and the tenant's policy.

use signet_jose::{KeyUse, SigAlg};

use super::encryption_key;
use super::key_set::{Keys, Published};
use super::reading::uses_browser;
use crate::admin::is_scope;
use crate::builtin::Builtin;
use crate::context::UnixTime;
use crate::discovery::Endpoint;
use crate::duration::exactly as span;
use crate::records::{
    AccessTokenFormat, ClientAuthMethod, ClientKey, ClientSettings, Encryption, GrantType,
    RequestObjectParameters, SubjectType, Tenant,
};

/// Sentences about a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// What it must send, in the order of a login.
    pub sends: Vec<String>,
    /// What it will receive.
    pub receives: Vec<String>,
}

/// What `settings` and `keys` mean at `now`.
pub fn preview<'a>(
    client_id: &str,
    settings: &ClientSettings,
    keys: impl Into<Keys<'a>>,
    tenant: &Tenant,
    now: UnixTime,
) -> Preview {
    let keys: Keys<'_> = keys.into();
    let (all, published) = (keys.all(), keys.published(settings));
    let words = Words { client_id, settings, keys: &all, published, tenant, now };
    let mut sends = Vec::new();
    if uses_browser(settings) {
        words.request(&mut sends);
    }
    words.token_requests(&mut sends);
    Preview { sends, receives: words.responses() }
}

struct Words<'a> {
    client_id: &'a str,
    settings: &'a ClientSettings,
    keys: &'a [ClientKey],
    published: Published<'a>,
    tenant: &'a Tenant,
    now: UnixTime,
}

/// Values with "or" before the last.
fn either<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<&str> = values.into_iter().collect();
    match all.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

impl Words<'_> {
    fn endpoint(&self, endpoint: Endpoint) -> String {
        format!("{}{}", self.tenant.issuer.trim_end_matches('/'), endpoint.path())
    }

    fn has_grant(&self, grant: GrantType) -> bool {
        self.settings.grant_types.contains(&grant)
    }

    fn request(&self, sends: &mut Vec<String>) {
        let settings = self.settings;
        let types = either(settings.response_types.iter().map(|one| one.name()));
        let pushed = settings.require_pushed_authorization_requests
            || self.tenant.settings.require_pushed_authorization_requests;
        sends.push(if pushed {
            format!(
                "It pushes each authorization request to {} and proves who it is there, then sends the browser to {} with \
                 client_id and the request_uri that it got.",
                self.endpoint(Endpoint::PushedAuthorization),
                self.endpoint(Endpoint::Authorize)
            )
        } else {
            format!("It sends the browser to {}.", self.endpoint(Endpoint::Authorize))
        });
        sends.push(format!(
            "The request has client_id \"{}\", response_type {types}, a scope with \"openid\", and as redirect_uri exactly {}.",
            self.client_id,
            either(settings.redirect_uris.iter().map(String::as_str))
        ));
        self.object(sends);
        let has_code = settings.response_types.iter().any(|one| one.has_code());
        let public = settings.token_endpoint_auth_method == ClientAuthMethod::None;
        if has_code && (settings.require_pkce || public) {
            sends.push(
                "It makes a code_verifier for each request and sends its SHA-256 as code_challenge with \
                        code_challenge_method S256 (PKCE)."
                    .into(),
            );
        }
        if settings.response_types.iter().any(|one| one.has_id_token()) {
            sends.push("It sends a nonce, and compares it with the one in the ID token.".into());
        }
    }

    fn object(&self, sends: &mut Vec<String>) {
        let settings = self.settings;
        let demand = match (settings.require_request_object, settings.require_encrypted_request_object) {
            (false, false) if !self.has_signing_key() => return,
            (true, true) => "All parameters must be inside a request object, signed and then encrypted",
            (true, false) => "All parameters must be inside a signed request object",
            (false, true) => {
                "A request object is not demanded; if there is one, it must be signed and then encrypted"
            }
            (false, false) => "A signed request object is accepted, not demanded",
        };
        let kids: Vec<&str> = self.usable(KeyUse::Sig).map(|key| key.kid.as_str()).collect();
        let with = match (self.published, kids.as_slice()) {
            (Published::Unread, []) => "a signing key of its jwks_uri, which nobody has read yet".to_owned(),
            (Published::Unreadable(why), []) => {
                format!("a signing key of its jwks_uri, which cannot be read ({}), so this fails", why.reason)
            }
            (_, []) => "a signing key, of which it has none now".to_owned(),
            (_, kids) => format!("its key {}", either(kids.iter().copied())),
        };
        let algs = &settings.request_object_signing_algs;
        let algs = if algs.is_empty() {
            "any asymmetric algorithm".to_owned()
        } else {
            either(algs.iter().map(|alg| alg.name()))
        };
        sends.push(format!("{demand}: a JWT signed by {with}, with {algs}."));
        if settings.require_encrypted_request_object {
            sends.push(format!(
                "The encryption is to one of this provider's keys with \"use\": \"enc\" at {}, with {}; \"cty\" is \"JWT\".",
                self.endpoint(Endpoint::Jwks),
                either(self.tenant.settings.encryption_algs.iter().map(|alg| alg.name()))
            ));
        }
        let mut claims = vec![
            format!("iss and client_id \"{}\"", self.client_id),
            format!("aud \"{}\"", self.tenant.issuer),
        ];
        if settings.require_request_object_times {
            let longest = span(self.tenant.settings.request_object_max_lifetime);
            claims.push(format!("iat and exp, at most {longest} apart, in seconds"));
        }
        if settings.require_jti {
            claims.push("a jti that it never uses again".into());
        }
        sends.push(format!("Its claims besides the parameters: {}.", claims.join("; ")));
        sends.push(match settings.request_object_parameters {
            RequestObjectParameters::ObjectOnly => {
                "Beside the object only client_id counts; other parameters there are ignored.".into()
            }
            RequestObjectParameters::ObjectOverrides => {
                "Parameters beside the object count too; those inside override them.".into()
            }
        });
    }

    fn token_requests(&self, sends: &mut Vec<String>) {
        let token = self.endpoint(Endpoint::Token);
        let proof = self.proof();
        let settings = self.settings;
        if settings.response_types.iter().any(|one| one.has_code())
            && self.has_grant(GrantType::AuthorizationCode)
        {
            let within = span(settings.lifetimes.code);
            sends.push(format!("It redeems the code once, within {within}, at {token}, {proof}."));
        }
        if self.has_grant(GrantType::ClientCredentials) {
            sends.push(format!("It asks for tokens of its own (client_credentials) at {token}, {proof}."));
        }
        if self.has_grant(GrantType::DeviceCode) {
            let start = self.endpoint(Endpoint::DeviceAuthorization);
            sends.push(format!("Devices ask for a code at {start} and wait at {token}, {proof}."));
        }
        if self.has_grant(GrantType::RefreshToken) {
            let rotation = if settings.refresh_token_rotation {
                "and keeps the new refresh token that comes with each answer"
            } else {
                "and keeps its refresh token"
            };
            sends.push(format!("For new access tokens it sends its refresh token to {token} {rotation}."));
        }
        if self.has_grant(GrantType::TokenExchange) {
            sends.push(format!("It exchanges access tokens for others at {token}, {proof}."));
        }
    }

    fn proof(&self) -> String {
        let alg = self.settings.token_endpoint_auth_signing_alg.map(SigAlg::name);
        match self.settings.token_endpoint_auth_method {
            ClientAuthMethod::ClientSecretBasic => "with its secret in the Authorization header".into(),
            ClientAuthMethod::ClientSecretPost => "with its secret in the form".into(),
            ClientAuthMethod::ClientSecretJwt => {
                format!("with a JWT that has a MAC made from its secret ({})", alg.unwrap_or("HS256"))
            }
            ClientAuthMethod::PrivateKeyJwt => {
                let alg = alg.unwrap_or("the algorithm of its key");
                format!("with a JWT signed by its own key ({alg}), each jti used once")
            }
            ClientAuthMethod::None => "with client_id and the code_verifier; it has no secret".into(),
        }
    }

    fn responses(&self) -> Vec<String> {
        let settings = self.settings;
        let mut receives = Vec::new();
        if uses_browser(settings) {
            let modes: Vec<&str> =
                settings.response_types.iter().map(|one| one.default_mode().name()).collect();
            let mode = if modes.contains(&"query") { "query" } else { "fragment" };
            receives.push(format!(
                "The response comes to the redirect_uri in the {mode}, with state as it was sent and iss \"{}\".",
                self.tenant.issuer
            ));
            let signed = if settings.id_token.unsigned {
                "without a signature, from the token endpoint".to_owned()
            } else {
                format!("signed by this provider with {}", settings.id_token.signed.name())
            };
            let sealed = self.sealed(settings.id_token.encrypted.as_ref());
            let claims =
                if settings.id_token.include_scope_claims { ", with the claims of its scopes" } else { "" };
            receives.push(format!(
                "The ID token is a JWT {signed}{sealed}{claims}; it ends after {}.",
                span(settings.lifetimes.id_token)
            ));
            receives.push(self.userinfo());
            receives.push(match settings.subject_type {
                SubjectType::Public => "sub is the same that other clients see.".into(),
                SubjectType::Pairwise => "sub is this sector's own; other clients see another one.".into(),
            });
            receives.push(self.people());
        }
        let format = match settings.access_token_format {
            AccessTokenFormat::Opaque => "random text that only this provider can read".to_owned(),
            AccessTokenFormat::Jwt => format!("a JWT signed with {}", settings.access_token_signed.name()),
        };
        receives.push(format!(
            "The access token is {format}; it ends after {}.",
            span(settings.lifetimes.access_token)
        ));
        if self.has_grant(GrantType::RefreshToken) {
            let lifetimes = &settings.lifetimes;
            receives.push(format!(
                "A refresh token, if offline_access was granted; it ends after {} unused, and after {} in any case.",
                span(lifetimes.refresh_token_idle),
                span(lifetimes.refresh_token)
            ));
        }
        if let Some(uri) = &settings.backchannel_logout_uri {
            receives.push(format!("When a session ends, a logout token is posted to {uri}."));
        }
        if let Some(uri) = &settings.frontchannel_logout_uri {
            receives.push(format!("When a session ends, {uri} is loaded in a frame."));
        }
        receives
    }

    fn userinfo(&self) -> String {
        let settings = &self.settings.userinfo;
        let form = match (settings.response_type.is_signed(), settings.response_type.is_encrypted()) {
            (false, false) => "plain JSON".to_owned(),
            (true, false) => format!("a JWT signed by this provider with {}", settings.signed.name()),
            (false, true) => format!("JSON{}", self.sealed(settings.encrypted.as_ref())),
            (true, true) => format!(
                "a JWT signed by this provider with {}{}",
                settings.signed.name(),
                self.sealed(settings.encrypted.as_ref())
            ),
        };
        format!("UserInfo at {} answers with {form}.", self.endpoint(Endpoint::UserInfo))
    }

    fn people(&self) -> String {
        let scope = &self.settings.scope;
        let administers =
            Builtin::of(&self.client_id.into()).is_none() && scope.iter().any(|one| is_scope(one));
        let consent = match (self.settings.require_consent, administers) {
            (true, true) => {
                "People are asked for consent the first time, and each time that it wants to administer"
            }
            (true, false) => "People are asked for consent the first time",
            (false, true) => "People are asked for consent each time that it wants to administer, else not",
            (false, false) => "People are not asked for consent",
        };
        if self.settings.require_second_factor {
            format!("{consent}, and prove themselves with two factors.")
        } else {
            format!("{consent}.")
        }
    }

    fn sealed(&self, encryption: Option<&Encryption>) -> String {
        let Some(Encryption { alg, enc }) = encryption else { return String::new() };
        let propagation = self.tenant.settings.key_propagation;
        let with = format!("with {} and {}", alg.name(), enc.name());
        if let Ok(key) = encryption_key(self.keys, self.settings, *alg, propagation, self.now) {
            return format!(", then encrypted to its key {} {with}", key.kid);
        }
        let to = match self.published {
            Published::Nothing => "it does not have now, so this fails".to_owned(),
            Published::Unread => "is at its jwks_uri, which nobody has read yet".to_owned(),
            Published::Read(_) => "its jwks_uri does not have, so this fails".to_owned(),
            Published::Unreadable(why) => {
                format!("should be at its jwks_uri, which cannot be read ({}), so this fails", why.reason)
            }
        };
        format!(", then encrypted {with} to a key that {to}")
    }

    fn usable(&self, usage: KeyUse) -> impl Iterator<Item = &ClientKey> {
        self.keys.iter().filter(move |key| key.usage == usage && key.usable_at(self.now))
    }

    fn has_signing_key(&self) -> bool {
        let open = matches!(self.published, Published::Unread | Published::Unreadable(_));
        open || self.usable(KeyUse::Sig).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClientId;
    use crate::records::{KeyOrigin, TenantSettings, UserInfoResponseType};
    use crate::templates::Template;
    use serde_json::json;
    use uuid::Uuid;

    fn tenant() -> Tenant {
        Tenant {
            id: "t".into(),
            issuer: "https://op.example".into(),
            version: 1,
            settings: TenantSettings::default(),
            pairwise_salt: [0; 32],
            created_at: 0,
        }
    }

    fn key(kid: &str, usage: KeyUse) -> ClientKey {
        ClientKey {
            tenant: "t".into(),
            client_id: ClientId::from("c"),
            id: Uuid::from_u128(kid.len() as u128),
            name: kid.into(),
            usage,
            kid: kid.into(),
            thumbprint: kid.into(),
            jwk: json!({ "kty": "RSA" }).as_object().cloned().unwrap(),
            not_before: None,
            not_after: None,
            origin: KeyOrigin::Jwk,
            created_at: 0,
            revoked_at: None,
        }
    }

    fn said(settings: &ClientSettings, keys: &[ClientKey]) -> String {
        let Preview { sends, receives } = preview("c", settings, keys, &tenant(), 9);
        for sentence in sends.iter().chain(&receives) {
            assert!(sentence.ends_with('.'), "{sentence}");
        }
        [sends, receives].concat().join("\n")
    }

    /// A change of the settings, what is said then, and what is not.
    type Row<'a> = (fn(&mut ClientSettings), &'a str, &'a str);

    #[test]
    fn each_setting_says_what_it_means() {
        let base = || ClientSettings {
            redirect_uris: vec!["https://rp.example/cb".into()],
            ..Template::Web.settings()
        };
        let with = |change: fn(&mut ClientSettings)| {
            let mut settings = base();
            change(&mut settings);
            settings
        };
        let table: &[Row<'_>] = &[
            (|_| {}, "secret in the Authorization header", "request object"),
            (
                |s| s.require_request_object = true,
                "inside a signed request object",
                "signed and then encrypted",
            ),
            (
                |s| s.require_encrypted_request_object = true,
                "signed and then encrypted",
                "All parameters must",
            ),
            (
                |s| {
                    s.require_request_object = true;
                    s.require_jti = true;
                },
                "a jti that it never uses again",
                "Parameters beside the object count too",
            ),
            (
                |s| {
                    s.require_request_object = true;
                    s.request_object_parameters = RequestObjectParameters::ObjectOverrides;
                },
                "those inside override them",
                "only client_id counts",
            ),
            (|s| s.require_pkce = false, "redeems the code", "code_challenge"),
            (
                |s| s.token_endpoint_auth_method = ClientAuthMethod::None,
                "it has no secret",
                "Authorization header",
            ),
            (
                |s| s.token_endpoint_auth_method = ClientAuthMethod::PrivateKeyJwt,
                "JWT signed by its own key",
                "Authorization header",
            ),
            (
                |s| s.require_pushed_authorization_requests = true,
                "pushes each authorization request to https://op.example/par",
                "It sends the browser to",
            ),
            (
                |s| {
                    s.userinfo.response_type = UserInfoResponseType::Signed;
                },
                "UserInfo at https://op.example/userinfo answers with a JWT signed",
                "plain JSON",
            ),
            (
                |s| s.require_second_factor = true,
                "prove themselves with two factors",
                "not asked for consent",
            ),
            (|s| s.require_consent = false, "People are not asked for consent.", "the first time"),
            (
                |s| s.scope.extend([crate::admin::USERS_WRITE.to_owned()]),
                "each time that it wants to administer",
                "not asked",
            ),
            (
                |s| s.subject_type = SubjectType::Pairwise,
                "this sector's own",
                "the same that other clients see",
            ),
            (
                |s| s.access_token_format = AccessTokenFormat::Jwt,
                "The access token is a JWT signed with RS256",
                "random text",
            ),
            (
                |s| {
                    s.grant_types.insert(GrantType::RefreshToken);
                },
                "14 days unused",
                "keeps its refresh token",
            ),
            (|s| s.lifetimes.code = 90, "within 90 seconds", "within 1 minute"),
            (
                |s| s.backchannel_logout_uri = Some("https://rp.example/out".into()),
                "posted to https://rp.example/out",
                "in a frame",
            ),
        ];
        for (change, wanted, unwanted) in table {
            let text = said(&with(*change), &[]);
            assert!(text.contains(wanted), "{wanted}: {text}");
            assert!(!text.contains(unwanted), "{unwanted}: {text}");
        }
    }

    #[test]
    fn a_sealed_client_hears_which_of_its_keys_are_used_or_that_there_is_none() {
        let settings = ClientSettings {
            redirect_uris: vec!["https://rp.example/cb".into()],
            ..Template::Sealed.settings()
        };
        let text = said(&settings, &[key("sig", KeyUse::Sig), key("encrypt", KeyUse::Enc)]);
        assert!(text.contains("signed by its key sig"), "{text}");
        assert!(text.contains("then encrypted to its key encrypt with RSA-OAEP-256 and A256GCM"), "{text}");
        let text = said(&settings, &[]);
        assert!(text.contains("of which it has none now") && text.contains("so this fails"), "{text}");
    }

    #[test]
    fn machines_send_nobody_anywhere() {
        let text = said(&Template::Machine.settings(), &[]);
        assert!(
            text.contains("tokens of its own") && !text.contains("browser") && !text.contains("ID token"),
            "{text}"
        );
    }

    #[test]
    fn the_last_of_several_values_is_an_alternative() {
        assert_eq!(either(["a", "b", "c"]), "a, b or c");
    }
}
